"""Delegation: who does the thinking that the speaking model hands over, and with which tools.

At the start of a session a configuration is given whole. In an update, what is left out stays as it is,
and the kind of delegation cannot change; the same classes serve for both.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Tag

from .._model import Many, WireModel, tag_by_type
from .._tool_config import FunctionTool as RealtimeFunctionTool
from ._decisions import Question

__all__ = (
    "AllowedTools",
    "ClientDelegation",
    "DecisionsDelegation",
    "DecisionsDelegationConfig",
    "Delegation",
    "DelegationConfig",
    "FunctionTool",
    "HostedTool",
    "Reasoning",
    "ResponsesDelegation",
    "ResponsesDelegationConfig",
    "TextConfig",
    "Tool",
    "ToolChoice",
    "ToolReference",
    "UnknownDelegation",
)


class FunctionTool(RealtimeFunctionTool, frozen=True):
    """A function of the program, for the backing model to call."""

    strict: bool | None = None
    """Whether the arguments are held to the schema."""


class HostedTool(WireModel, frozen=True):
    """Any other tool, such as ``web_search``, ``code_interpreter``, ``shell`` or ``mcp``."""

    type: str = ""
    environment: dict[str, Any] | None = None
    """Where a ``shell`` runs."""


Tool: TypeAlias = Annotated[
    Annotated[FunctionTool, Tag("FunctionTool")] | Annotated[HostedTool, Tag("HostedTool")],
    Discriminator(tag_by_type({"function": "FunctionTool"}, otherwise="HostedTool")),
]
"""One tool that the backing model may use."""


class ToolReference(WireModel, frozen=True):
    """Names one tool: a function or custom tool by ``name``, one of an MCP server also by its label."""

    type: str = "function"
    name: str | None = None
    server_label: str | None = None


class AllowedTools(WireModel, frozen=True):
    """Only some of the tools may be used."""

    type: Literal["allowed_tools"] = "allowed_tools"
    tools: Many[ToolReference] = ()
    mode: Literal["none", "auto", "required"] | str | None = None


ToolChoice: TypeAlias = (
    Literal["auto", "none", "required"]
    | str
    | Annotated[
        Annotated[AllowedTools, Tag("AllowedTools")] | Annotated[ToolReference, Tag("ToolReference")],
        Discriminator(tag_by_type({"allowed_tools": "AllowedTools"}, otherwise="ToolReference")),
    ]
)
"""Whether and what the backing model must call."""


class Reasoning(WireModel, frozen=True):
    """How long the backing model may think, and what it says of its thoughts."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | str | None = None
    summary: Literal["concise", "detailed", "auto"] | str | None = None


class TextConfig(WireModel, frozen=True):
    """How the backing model writes."""

    verbosity: Literal["low", "medium", "high"] | str | None = None


class ResponsesDelegationConfig(WireModel, frozen=True):
    """A backing model of the Responses API."""

    model: str | None = None
    """Must be named at the start of a session."""
    instructions: str | None = None
    max_output_tokens: int | None = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    service_tier: (
        Literal["auto", "default", "fast_tier_temp_pilot", "flex", "priority", "ultrafast"] | str | None
    ) = None
    text: TextConfig | None = None
    tool_choice: ToolChoice | None = None
    tools: Many[Tool] | None = None


class DecisionsDelegationConfig(WireModel, frozen=True):
    """A model that answers questions."""

    model: str | None = None
    """Must be named at the start of a session."""
    questions: Many[Question] | None = None


class _Delegation(WireModel, frozen=True):
    """What every kind has."""

    acknowledgement_delay_ms: int | None = None
    """How long the speaking model waits for an answer before it says that one is coming."""


class ClientDelegation(_Delegation, frozen=True):
    """The program thinks: it is told of each delegation and answers with the three append events."""

    type: Literal["client"] = "client"


class ResponsesDelegation(_Delegation, frozen=True):
    """A backing model thinks, in the provider's Responses API."""

    type: Literal["responses"] = "responses"
    responses: ResponsesDelegationConfig | None = None


class DecisionsDelegation(_Delegation, frozen=True):
    """A model decides questions that were given beforehand."""

    type: Literal["decisions"] = "decisions"
    decisions: DecisionsDelegationConfig | None = None


class UnknownDelegation(_Delegation, frozen=True):
    """A delegation of a kind that this version does not know; its other fields are in ``model_extra``."""

    type: str = ""


DelegationConfig: TypeAlias = Annotated[
    Annotated[ClientDelegation, Tag("ClientDelegation")]
    | Annotated[ResponsesDelegation, Tag("ResponsesDelegation")]
    | Annotated[DecisionsDelegation, Tag("DecisionsDelegation")]
    | Annotated[UnknownDelegation, Tag("UnknownDelegation")],
    Discriminator(
        tag_by_type(
            {
                "client": "ClientDelegation",
                "responses": "ResponsesDelegation",
                "decisions": "DecisionsDelegation",
            },
            otherwise="UnknownDelegation",
        )
    ),
]
"""Who does the thinking."""


class Delegation(WireModel, frozen=True):
    """One piece of thinking that was handed over."""

    type: Literal["delegation"] | str = "delegation"
    id: str
    """What a program answers with: the ``delegation_id`` of the append events."""
    target: Literal["client", "responses", "decisions"] | str | None = None
    response_id: str | None = None
    """The backing model's response, where that thinks."""
