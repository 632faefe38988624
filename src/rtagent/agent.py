"""An agent: what it is told, what it can do, how it sounds and how turns are taken. A frozen value."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from . import events
from .errors import ConfigurationError
from .tools import McpServer, Tool, ToolRegistry

__all__ = ("Agent", "handoff")

DEFAULT_TRANSCRIPTION = "gpt-transcribe"
TurnTaking = Literal["server_vad", "semantic_vad", "manual"] | events.ServerVad | events.SemanticVad


@dataclass(frozen=True)
class Agent:
    """Instructions, tools, voice and turn taking.

    It holds no state: one agent can serve any number of sessions.
    """

    instructions: str | Callable[[], str] = ""
    """What the model is told about its job; a function is asked when a session begins, when it is handed over to this
    agent, and after each call of a tool."""
    tools: Sequence[Tool[..., Any] | Callable[..., Any] | McpServer] | ToolRegistry = ()
    """Functions that the voice can use; plain functions become tools. A registry brings its guards along, and an
    `McpServer` is called by the provider."""
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
    hosted: tuple[McpServer, ...] = field(init=False, repr=False, compare=False)
    """The MCP servers among them, which the provider calls."""

    def __post_init__(self) -> None:
        tools = self.tools
        own = tools if isinstance(tools, ToolRegistry) else [t for t in tools if not isinstance(t, McpServer)]
        object.__setattr__(self, "registry", ToolRegistry(own))
        object.__setattr__(self, "hosted", tuple(one for one in tools if isinstance(one, McpServer)))

    def offered(
        self, dialect: events.Dialect = events.GA
    ) -> list[events.FunctionTool | events.McpServerTool]:
        """Its tools as a server of that kind is told about them.

        Raises:
            Unsupported: this kind of server calls no MCP servers.
        """
        if self.hosted and not dialect.mcp:
            hint = "rtagent.tools.McpTools calls them from here"
            raise dialect.unsupported("MCP servers that the provider calls", hint=hint)
        return [
            *(events.FunctionTool.model_validate(definition) for definition in self.registry.definitions()),
            *(events.McpServerTool.model_validate(server.definition()) for server in self.hosted),
        ]

    def told(self) -> str:
        """The instructions as they are now.

        Raises:
            ConfigurationError: the function gave something else than text.
        """
        if not callable(self.instructions):
            return self.instructions
        text = cast("object", self.instructions())
        if not isinstance(text, str):
            message = f"the instructions of {self.name!r} are {type(text).__name__}, and must be text"
            raise ConfigurationError(message, hint="a function for them takes nothing and returns a str")
        return text

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
        instructions = self.told()
        if instructions:
            config["instructions"] = instructions
        tools = self.offered(dialect)
        if tools:
            config["tools"] = tools
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


def handoff(
    to: Agent | Callable[[], Agent], description: str = "", *, name: str | None = None
) -> Tool[[], Coroutine[Any, Any, Agent]]:
    """A tool by which the model hands the conversation over to another agent.

    The session then has that agent's instructions and tools, and its voice where the server still allows that; what
    was said stays. Any tool that returns an `Agent` does the same.

    Args:
        to: the other agent, or a function that gives it, where two agents know each other.
        description: when to do it, for the model.
        name: of the tool; ``hand_over_to_`` and the agent's name if absent.

    Raises:
        ToolDefinitionError: the name is none that a tool can have.
    """
    whose = to.name if isinstance(to, Agent) else getattr(to, "__name__", "another").strip("<>")
    called = name if name is not None else f"hand_over_to_{re.sub(r'[^a-zA-Z0-9_-]+', '_', whose)}"

    async def hand_over() -> Agent:
        return to if isinstance(to, Agent) else to()

    about = description or f"Hand the conversation over to {whose}."
    return Tool.from_function(hand_over, name=called, description=about)
