"""The configuration that is asked for: an agent's, with the program's own wishes on top.

An agent says the same thing to every server; how it is said depends on the vocabulary. GPT-Live runs tools
by delegation to a second model, so an agent with tools needs a configuration that names that model.
"""

from __future__ import annotations

from typing import Any, cast

from .. import events
from ..agent import Agent
from ..errors import ConfigurationError
from ..protocol import merged

__all__ = ("configuration",)


def configuration(
    agent: Agent | None,
    config: events.WireModel | None,
    dialect: events.Dialect = events.GA,
    model: str | None = None,
) -> events.WireModel | None:
    """What to ask the server for; None to leave everything as the server has it.

    Args:
        agent: instructions, tools, voice and turn taking.
        config: the program's own wishes, in the session object of the dialect's vocabulary.
        dialect: what is spoken there.
        model: the model, where it is part of the configuration.

    Raises:
        ConfigurationError: what is wanted cannot be put into one configuration.
    """
    if dialect.protocol == "live":
        return _live(agent, config, model or dialect.default_model)
    if agent is None or not isinstance(config, events.RealtimeSession | None):
        return config  # a transcription or a translation: it has no agent
    own = agent.session_config(dialect)
    if config is None:
        return own
    return events.RealtimeSession.model_validate(merged(_written(own), _written(config)))


def _live(agent: Agent | None, config: events.WireModel | None, model: str | None) -> events.WireModel:
    live = events.live
    if not isinstance(config, live.SessionConfig | None):
        message = f"GPT-Live is configured by events.live.SessionConfig, not by {type(config).__qualname__}"
        raise ConfigurationError(message)
    own: dict[str, Any] = {"model": model} if model else {}
    if agent is not None and (instructions := agent.told()):
        own["instructions"] = instructions
    if agent is not None and agent.voice is not None:
        own["audio"] = {"output": {"voice": agent.voice}}
    wanted = merged(own, _written(config) if config is not None else {})
    if agent is not None and len(agent.registry):
        wanted["delegation"] = _with_tools(agent, _object(wanted.get("delegation")))
    return live.SessionConfig.model_validate(wanted)


def _with_tools(agent: Agent, delegation: dict[str, Any] | None) -> dict[str, Any]:
    if delegation is None or delegation.get("type") != "responses":
        message = "on GPT-Live an agent's tools are run by delegation, and no model is named for that"
        hint = "pass config=events.live.SessionConfig(delegation=…) of type responses with a model"
        raise ConfigurationError(message, hint=hint)
    settings = _object(delegation.get("responses")) or {}
    tools = [*settings.get("tools", ()), *agent.registry.definitions()]
    return {**delegation, "responses": {**settings, "tools": tools}}


def _written(config: events.WireModel) -> dict[str, Any]:
    return config.model_dump(exclude_unset=True)


def _object(value: object) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
