"""The configuration that is asked for: an agent's, with the program's own wishes on top."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

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
    try:
        return events.RealtimeSession(**changes)
    except ValidationError as error:
        raise ConfigurationError("; ".join(_problem(one) for one in error.errors())) from error


def _problem(problem: ErrorDetails) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{name} is not a setting of a session"
    return f"{name}: {problem['msg']}"


def _merged(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for name, value in top.items():
        known, new = _object(result.get(name)), _object(value)
        # Objects that carry a type of their own (a format, a turn detection) replace each other whole.
        if known is not None and new is not None and "type" not in new:
            result[name] = _merged(known, new)
        else:
            result[name] = value
    return result


def _object(value: object) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
