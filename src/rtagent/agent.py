"""An agent: what it is told, what it can do, how it sounds and how turns are taken. A frozen value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from . import events
from .tools import Tool, ToolRegistry

__all__ = ("Agent",)

DEFAULT_TRANSCRIPTION = "gpt-transcribe"
TurnTaking = Literal["server_vad", "semantic_vad", "manual"] | events.ServerVad | events.SemanticVad


@dataclass(frozen=True)
class Agent:
    """Instructions, tools, voice and turn taking.

    It holds no state: one agent can serve any number of sessions.
    """

    instructions: str = ""
    """What the model is told about its job."""
    tools: Sequence[Tool[..., Any] | Callable[..., Any]] | ToolRegistry = ()
    """Functions that the voice can use; plain functions become tools. A registry brings its guards along."""
    voice: str | None = None
    """A voice of the server; None leaves it to the server."""
    turn_taking: TurnTaking = "server_vad"
    """Who ends the user's turn: the server's voice activity detection, or (``manual``) the program."""
    transcription: str | None = DEFAULT_TRANSCRIPTION
    """The model that writes down what the user says; None for no transcripts. The default stands for whatever
    the server's own is."""
    name: str = "assistant"
    registry: ToolRegistry = field(init=False, repr=False, compare=False)
    """The tools, ready to be called."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "registry", ToolRegistry(self.tools))

    def session_config(self, dialect: events.Dialect = events.GA) -> events.RealtimeSession:
        """The configuration that this agent asks a server for; what it does not say is left out."""
        ear: dict[str, Any] = {}
        if dialect.turn_detections:
            ear["turn_detection"] = self._turn_detection()
        chosen = self.transcription
        scribe = dialect.transcription_model if chosen == DEFAULT_TRANSCRIPTION else chosen
        if scribe is not None:
            ear["transcription"] = events.InputTranscription(model=scribe)
        audio: dict[str, Any] = {"input": events.AudioInput(**ear)}
        if self.voice is not None:
            audio["output"] = events.AudioOutput(voice=self.voice)
        config: dict[str, Any] = {"audio": events.SessionAudio(**audio)}
        if self.instructions:
            config["instructions"] = self.instructions
        if len(self.registry):
            config["tools"] = [
                events.FunctionTool.model_validate(definition) for definition in self.registry.definitions()
            ]
        return events.RealtimeSession(**config)

    def talk(self, **options: Any) -> None:
        """Hold a conversation over microphone and speaker until Ctrl-C; blocking.

        Args:
            **options: as the flags of ``rtagent talk``, such as ``endpoint="local"`` or ``device="USB"``.

        Raises:
            RtagentError: the conversation could not be held, with what to do about it.
        """
        from .cli.talk import talk_with  # the front door of the terminal, opened only when it is used

        talk_with(self, **options)

    def _turn_detection(self) -> events.ServerVad | events.SemanticVad | None:
        match self.turn_taking:
            case "server_vad":
                return events.ServerVad()
            case "semantic_vad":
                return events.SemanticVad()
            case "manual":
                return None
            case chosen:
                return chosen
