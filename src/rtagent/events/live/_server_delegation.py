"""Server events about work that the speaking model handed over."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationError

from .._model import as_object
from .._server import ServerEvent
from ._decisions import DecisionOutcome
from ._delegation import Delegation
from ._items import FunctionCallItem, Item
from ._server import LiveServerEvent

__all__ = (
    "DecisionEvent",
    "DecisionItemCreated",
    "DecisionItemDeleted",
    "ResponseEvent",
    "SessionDelegationCreated",
)


class SessionDelegationCreated(LiveServerEvent, frozen=True):
    """The speaking model wants something done; a client delegation is the program's to answer."""

    type: Literal["session.delegation.created"] = "session.delegation.created"
    delegation: Delegation
    offset_ms: int | None = None
    """When in the session's time."""


class DecisionEvent(ServerEvent, frozen=True):
    """Questions were decided."""

    type: Literal["decision.event"] = "decision.event"
    event: DecisionOutcome = Field(default_factory=DecisionOutcome)
    delegation_id: str | None = None
    trigger_id: str | None = None
    source_event_id: str | None = None
    source_event_type: (
        Literal["session.input_transcript.delta", "session.output_transcript.delta"] | str | None
    ) = None


class DecisionItemCreated(LiveServerEvent, frozen=True):
    """The decision model has the item."""

    type: Literal["decision.item.created"] = "decision.item.created"
    item: Item | None = None
    """None where it could not be read."""


class DecisionItemDeleted(LiveServerEvent, frozen=True):
    """The decision model has the item no longer."""

    type: Literal["decision.item.deleted"] = "decision.item.deleted"
    item_id: str


class ResponseEvent(LiveServerEvent, frozen=True):
    """An event of the backing model's stream, as the Responses API has it."""

    type: Literal["response.event"] = "response.event"
    event: dict[str, Any] = Field(default_factory=dict[str, Any])
    delegation_id: str | None = None

    @property
    def kind(self) -> str:
        """The type of the event that is wrapped; empty if it has none."""
        kind = self.event.get("type")
        return kind if isinstance(kind, str) else ""

    @property
    def function_call(self) -> FunctionCallItem | None:
        """The call that may be run now, if this event completes one."""
        item = as_object(self.event.get("item"))
        if self.kind != "response.output_item.done" or item is None or item.get("type") != "function_call":
            return None
        try:
            return FunctionCallItem.model_validate(item)
        except ValidationError:  # without its name or id it can neither be run nor answered
            return None

    @property
    def ending(self) -> Literal["completed", "failed", "incomplete"] | None:
        """How the backing model's response ended, if this event ends it."""
        match self.kind:
            case "response.completed":
                return "completed"
            case "response.failed":
                return "failed"
            case "response.incomplete":
                return "incomplete"
            case _:
                return None

    @property
    def response(self) -> dict[str, Any]:
        """The response object within, where this event has one: its ``id``, ``error``, ``usage``, …; else empty."""
        return as_object(self.event.get("response")) or {}
