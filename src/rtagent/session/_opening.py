"""Opening a connection: wait for the greeting, configure the session whole, tell it the conversation so far.

Theory of operation. A connection is opened before it carries the conversation, by a core of its own that only
matches questions with answers. So the same steps serve the first connection, one that follows a loss, and one
that is made ready while another still talks. What the server says meanwhile is kept for the conversation.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import anyio

from .. import events
from ..protocol import Answered, Opened, Refused, ReplayPlan, core_for
from ..transport import Transport
from ._ids import new_id
from ._refusal import refusal

if TYPE_CHECKING:
    from ..audio import Clock

__all__ = ("Opening",)

AT_ONCE = 32
"""Items sent before their answers are waited for."""
_DUPLICATE = "item_create_duplicate_item_id"
"""The server's word for an item that it has already: as good as taken (rule K5)."""

logger = logging.getLogger(__name__)


class Opening:
    """Owns a connection until it is ready.

    Args:
        transport: an open connection, on which nothing was read yet.
        dialect: what its server speaks.
        clock: the session's.
        heard: is told of every event that comes.
        sent: is told of every event that goes.
    """

    def __init__(
        self,
        transport: Transport,
        dialect: events.Dialect,
        clock: Clock,
        *,
        heard: Callable[[events.ServerEvent], None],
        sent: Callable[[events.ClientEvent], None],
    ) -> None:
        self.step = f"greet us with {' or '.join(dialect.greeting)}"
        """What the server is to do now, for messages."""
        self.error: events.ErrorDetail | None = None
        """The last error that named no event of ours."""
        self._transport = transport
        self._dialect = dialect
        self._clock = clock
        self._decoder = events.Decoder(dialect)
        self._core = core_for(dialect, new_id=new_id)
        self._heard = heard
        self._sent = sent
        self._events: list[events.ServerEvent] = []
        self._configured: dict[str, object] | None = None
        """What was asked for, empty for nothing; None as long as nobody has."""
        self._answers: dict[str, Answered | Refused] = {}
        self._told: dict[str, events.Item] = {}
        self._refused: set[str] = set()
        self._lost = 0

    async def greet(self) -> None:
        """Wait until the server has said that the session is there.

        Raises:
            ServerError: it said that it is not.
        """
        while not self._core.greeted:
            event = await self._next()
            if isinstance(event, events.Error):
                raise refusal(event.error)

    async def configure(self, wanted: events.WireModel | None) -> None:
        """Ask for the whole configuration; a second time only for one that is not the same.

        Raises:
            ServerError: the server refused it.
        """
        self.step = "configure the session"
        first = self._configured is None
        if not self.has_configured(wanted):
            opening = self._core.phrases.opening(wanted)
            if opening is not None:
                await self._ask([opening], must=True)
            self._configured = _fields(wanted)
        if first and self._dialect.commits == "stream":
            await self._say(events.InputAudioBufferCommit())

    async def tell(self, plan: ReplayPlan) -> None:
        """Tell the conversation; an item that the server refuses is counted as lost.

        It can be told more than once: then what is new is added, and what has changed is replaced.

        Raises:
            Unsupported: nothing can be put into the conversations of this kind of server.
        """
        self.step = "take the earlier conversation"
        gone = self._gone(plan)
        if gone:
            await self._ask([events.ConversationItemDelete(item_id=item_id) for item_id in gone], must=False)
            for item_id in gone:
                del self._told[item_id]
        creates = self._creates(plan)
        for create in creates:
            self._core.phrases.check(create)
        for begin in range(0, len(creates), AT_ONCE):
            some = creates[begin : begin + AT_ONCE]
            taken = await self._ask(some, must=False)
            for create, ok in zip(some, taken, strict=True):
                item_id = create.item.id or ""
                if ok:
                    self._told[item_id] = create.item
                else:
                    self._refused.add(item_id)
        self._lost = len(plan.lost) + len(self._refused)

    async def keep_up(self) -> None:
        """Read what has come meanwhile, without waiting for more.

        Raises:
            ConnectionLost: the connection has ended; ``EndOfStream`` if that was in good order.
        """
        with anyio.move_on_after(0):
            while True:
                await self._next()

    def has_configured(self, wanted: events.WireModel | None) -> bool:
        """Whether the server was asked for exactly that."""
        return self._configured == _fields(wanted)

    @property
    def starts_once(self) -> bool:
        """Whether the configuration is what starts the session, so that it is said once and for all."""
        return not self._dialect.greeting

    def has_told(self, plan: ReplayPlan) -> bool:
        """Whether the server holds all of it already, and nothing else."""
        return not self._gone(plan) and not self._creates(plan)

    def opened(self) -> Opened:
        """What the conversation has to know of all this."""
        return Opened(tuple(self._events), frozenset(self._told), self._lost)

    def _gone(self, plan: ReplayPlan) -> list[str]:
        """What was told and is not so any more."""
        now = {item.id: item for item in plan.items}
        return [item_id for item_id, item in self._told.items() if now.get(item_id) != item]

    def _creates(self, plan: ReplayPlan) -> list[events.ConversationItemCreate]:
        """What is to be told; once something was told, each item behind the one that goes before it."""
        creates: list[events.ConversationItemCreate] = []
        previous = "root"
        for item in plan.items:
            item_id = item.id or ""
            if item_id not in self._told and item_id not in self._refused:
                create = events.ConversationItemCreate(item=item)
                creates.append(
                    create.model_copy(update={"previous_item_id": previous}) if self._told else create
                )
            if item_id not in self._refused:
                previous = item_id
        return creates

    async def _ask(self, asked: Sequence[events.ClientEvent], *, must: bool) -> list[bool]:
        """Send, and wait for all answers; whether each was taken."""
        event_ids = [await self._say(event, awaited=True) for event in asked]
        taken: list[bool] = []
        for event_id in event_ids:
            while event_id not in self._answers:
                await self._next()
            answer = self._answers.pop(event_id)
            error = answer.error if isinstance(answer, Refused) else None
            if must and isinstance(answer, Refused):
                raise refusal(error, event_id)
            ok = not isinstance(answer, Refused) or (error is not None and error.code == _DUPLICATE)
            if not ok:
                logger.warning("the server refused an item of the history: %s", refusal(error, event_id))
            taken.append(ok)
        return taken

    async def _say(self, event: events.ClientEvent, *, awaited: bool = False) -> str:
        event_id = self._core.send(event, self._clock.now(), awaited=awaited)
        self._note()
        for due in self._core.events_to_send():
            self._sent(due)
            await self._transport.send(events.encode(due, self._dialect))
        return event_id

    async def _next(self) -> events.ServerEvent:
        event = self._decoder.decode(await self._transport.receive())
        self._heard(event)
        self._events.append(event)
        if isinstance(event, events.Error) and event.error.event_id is None:
            self.error = event.error
        self._core.receive(event, self._clock.now())
        self._note()
        return event

    def _note(self) -> None:
        for happening in self._core.happenings():  # the rest the conversation finds in the same events
            if isinstance(happening, Answered | Refused):
                self._answers[happening.event_id] = happening


def _fields(wanted: events.WireModel | None) -> dict[str, object]:
    return {} if wanted is None else wanted.model_dump(exclude_unset=True)
