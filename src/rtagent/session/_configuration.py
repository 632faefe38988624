"""The configuration that is asked for: an agent's, with the program's own wishes on top."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from .. import events
from ..agent import Agent
from ..errors import ConfigurationError

__all__ = ("configuration", "wanted_changes")


def configuration(
    agent: Agent | None, config: events.RealtimeSession | None
) -> events.RealtimeSession | None:
    """What to ask the server for; None to leave everything as the server has it."""
    if agent is None:
        return config
    own = agent.session_config()
    if config is None:
        return own
    merged = _merged(own.model_dump(exclude_unset=True), config.model_dump(exclude_unset=True))
    return events.RealtimeSession.model_validate(merged)


def wanted_changes(changes: Mapping[str, Any]) -> events.RealtimeSession:
    """The changes of one update as a session object.

    Raises:
        ConfigurationError: a name or value that no session has; every problem is named.
    """
    known = events.RealtimeSession.model_fields
    problems = [f"{name} is not a setting of a session" for name in changes if name not in known]
    try:
        wanted = events.RealtimeSession.model_validate(dict(changes))
    except ValidationError as error:
        problems += [
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors()
        ]
        raise ConfigurationError("; ".join(problems)) from error
    if problems:
        raise ConfigurationError("; ".join(problems))
    return wanted


def _merged(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for name, value in top.items():
        known = result.get(name)
        # Objects that carry a type of their own (a format, a turn detection) replace each other whole.
        if isinstance(known, dict) and isinstance(value, dict) and "type" not in value:
            result[name] = _merged(known, value)
        else:
            result[name] = value
    return result
