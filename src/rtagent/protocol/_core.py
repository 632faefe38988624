"""What every protocol core is to the session around it, whichever vocabulary it speaks.

`Conversation` (Realtime) has turns, `LiveConversation` (GPT-Live) and `Interpretation` (translation) have
none. The session feeds each of them in the same way, and carries out the same happenings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from .. import events
from ..events.lifecycle import SessionState
from ._formats import Effective
from ._happenings import Happening
from ._items import HistoryEntry
from ._response import Usage
from ._resumable import Resumable

__all__ = ("Core", "Phrasing", "core_for")


class Phrasing(Protocol):
    """How the wishes of a program are said in the events of a vocabulary, and which of them cannot be."""

    def opening(self, wanted: events.WireModel | None) -> events.ClientEvent | None:
        """The event that opens or configures the session; None when there is nothing to ask for.

        Args:
            wanted: the configuration, in the session object of this vocabulary.
        """
        ...

    def change(self, changes: Mapping[str, object]) -> events.ClientEvent:
        """The event that changes the configuration by these fields.

        Raises:
            ConfigurationError: a name or value that no session has.
            Unsupported: this dialect cannot change that.
        """
        ...

    def words(self, text: str, role: Literal["user", "system", "assistant"]) -> events.ClientEvent:
        """The event that puts text into the conversation.

        Raises:
            Unsupported: this dialect takes no such text.
        """
        ...

    def farewell(self) -> events.ClientEvent | None:
        """The event that asks the server to finish; None where closing the socket is enough."""
        ...

    def mute(self, muted: bool) -> events.ClientEvent | None:
        """The event that tells the server whether input is wanted; None where that is only our affair."""
        ...

    def check(self, event: events.ClientEvent) -> None:
        """Raise for what this dialect does not take.

        Raises:
            Unsupported: with the dialect's name and what it does not take.
        """
        ...


class Core(Protocol):
    """A pure conversation core: never waits, never looks at a clock, never makes an id of its own accord."""

    dialect: events.Dialect

    @property
    def resumption(self) -> Resumable:
        """Takes the conversation from one connection to the next."""
        ...

    @property
    def phrases(self) -> Phrasing:
        """Makes the events that ``send`` takes."""
        ...

    # -- from the server ---------------------------------------------------------------------------

    def receive(self, event: events.ServerEvent, now: float) -> None:
        """Take one server event. Then take ``happenings()`` and ``events_to_send()``."""
        ...

    # -- what to send ------------------------------------------------------------------------------

    def send(self, event: events.ClientEvent, now: float, *, awaited: bool = False) -> str:
        """Queue a client event; returns the id that ``Answered`` or ``Refused`` will name.

        Raises:
            Unsupported: this dialect does not take that event.
        """
        ...

    def create_response(self, params: events.ResponseParams | None, now: float) -> str:
        """Ask for a response as soon as that is possible; ``ResponseFinished`` names the id."""
        ...

    # -- what happens on our side ------------------------------------------------------------------

    def interrupt(self, now: float) -> None:
        """Stop the voice now."""
        ...

    def playback_stopped(self, heard_ms: Mapping[str, float] | None, now: float) -> None:
        """The sink is silent; ``heard_ms`` per item, None when no sink is attached."""
        ...

    def playback_progress(self, heard_ms: Mapping[str, float]) -> None:
        """What was heard of each item so far."""
        ...

    def playback_finished(self, heard_ms: Mapping[str, float], now: float) -> None:
        """Everything that was to be played has been heard."""
        ...

    def tool_finished(self, call_id: str, output: str, now: float, *, follow_up: bool = True) -> None:
        """A call ended; ``follow_up`` False when nothing is to be said about it."""
        ...

    def audio_written(self, pcm: bytes, ms: float, captured_at: float) -> None:
        """Input audio was appended; ``captured_at`` is when its first sample was captured."""
        ...

    def give_up(self, event_id: str) -> None:
        """Nobody waits for the answer to this send any more."""
        ...

    def drop_response(self, request_id: str, now: float, *, spare_voice: bool = False) -> None:
        """A response that was asked for is not wanted any more; ``spare_voice``: unless it speaks already."""
        ...

    # -- hand-over ---------------------------------------------------------------------------------

    def events_to_send(self) -> list[events.ClientEvent]:
        """The events to send now, in this order; the list starts empty again."""
        ...

    def happenings(self) -> list[Happening]:
        """What the shell must carry out now, in this order; the list starts empty again."""
        ...

    def next_deadline(self) -> float | None:
        """When ``handle_timeout`` must be called, or None."""
        ...

    def handle_timeout(self, now: float) -> None:
        """Time has passed: what was due by ``now`` happens."""
        ...

    # -- state -------------------------------------------------------------------------------------

    @property
    def config(self) -> events.WireModel | None:
        """The server's last snapshot of the session, None before the first."""
        ...

    @property
    def effective(self) -> Effective:
        """What that snapshot means for the sound."""
        ...

    @property
    def greeted(self) -> bool:
        """Whether the server has said that the session is there; at once true where the client speaks first."""
        ...

    @property
    def close_reason(self) -> str | None:
        """Why the server ended the session, in its own word; None where it did not say."""
        ...

    @property
    def state(self) -> SessionState:
        """What the conversation is doing, seen by the user."""
        ...

    @property
    def quiet(self) -> bool:
        """Whether nobody speaks, and no response is asked for or runs; tools may."""
        ...

    @property
    def history(self) -> tuple[HistoryEntry, ...]:
        """The items, in the order of the conversation."""
        ...

    @property
    def usage(self) -> Usage:
        """What the session cost so far."""
        ...

    @property
    def late_audio_ms(self) -> float:
        """Audio of interrupted responses that came too late and was not played."""
        ...


def core_for(dialect: events.Dialect, *, new_id: Callable[[str], str]) -> Core:
    """The core that speaks a dialect's vocabulary; the others are not even loaded."""
    if dialect.protocol == "live":
        from ._live import LiveConversation

        return LiveConversation(new_id=new_id, dialect=dialect)
    if dialect.protocol == "translation":
        from ._interpretation import Interpretation

        return Interpretation(new_id=new_id, dialect=dialect)
    from ._conversation import Conversation

    return Conversation(new_id=new_id, dialect=dialect)
