"""What the engine is made of, and what it learns from an agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..errors import ConfigurationError
from ._brain import Brain, RuleBrain
from ._ears import PocketsphinxRecognizer, Recognizer
from ._espeak import EspeakVoice
from ._voice import Voice

__all__ = ("AgentLike", "EngineSettings", "instructions_of", "tools_of")


class ToolSet(Protocol):
    """What of a tool registry the engine reads."""

    def definitions(self) -> Sequence[Mapping[str, Any]]: ...


class AgentLike(Protocol):
    """What of an agent the engine reads: it gives the session its first configuration."""

    def told(self) -> str: ...

    @property
    def registry(self) -> ToolSet: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Ears, brain and voice of the engine, and the limits of its sessions."""

    recognizer: Callable[[], Recognizer] = PocketsphinxRecognizer
    """Makes a recogniser; a connection asks for one when the first speech comes."""
    brain: Brain = field(default_factory=RuleBrain)
    voice: Voice = field(default_factory=EspeakVoice)
    model: str = "rtagent-local"
    """The model's name in the session, unless the client's URL names one."""
    max_age_s: float = 3600.0
    """A session's greatest age; then ``session_expired`` is sent and the connection closed."""
    max_clients: int = 64
    """Connections at the same time; a further one is closed with code 1013."""
    api_key: str | None = field(default=None, repr=False)
    """What clients have to present; None lets everyone in."""
    pace: float | None = None
    """1.0 sends speech as fast as it is heard, 2.0 twice as fast; None as fast as it is made."""

    def __post_init__(self) -> None:
        if self.max_age_s <= 0:
            message = f"max_age_s is {self.max_age_s:g}, but a session has to last for some time"
            raise ConfigurationError(message)
        if self.max_clients < 1:
            message = f"max_clients is {self.max_clients}, but a server without clients serves nobody"
            raise ConfigurationError(message)
        if self.pace is not None and self.pace <= 0:
            message = f"pace is {self.pace:g}, but speech has to go forwards"
            raise ConfigurationError(message, hint="1.0 is the pace of speech, None is as fast as possible")


def instructions_of(agent: AgentLike | None) -> str:
    """The instructions that a session begins with."""
    return agent.told() if agent is not None else ""


def tools_of(agent: AgentLike | None) -> Sequence[Mapping[str, Any]]:
    """The tools that a session begins with."""
    return tuple(agent.registry.definitions()) if agent is not None else ()
