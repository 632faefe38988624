"""Fan-out of events to any number of readers, each with a bounded buffer of its own.

The reader of the socket only ever appends here; it never waits for anybody. A reader that falls
behind first loses its oldest deltas (they are repeated by the ``.done`` events), and if that is not
enough, its own subscription ends with an error. Nobody else notices.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Generic, Literal, TypeVar

import anyio

from .. import events
from ..errors import LocalProtocolError
from ..events.lifecycle import LifecycleEvent

__all__ = ("Direction", "Fanout", "Observer", "SessionEvent", "Subscription")

SessionEvent = events.ServerEvent | LifecycleEvent
EventT = TypeVar("EventT", bound=SessionEvent)

DEFAULT_BUFFER = 256

Direction = Literal["server", "client", "session"]
Observer = Callable[[float, Direction, events.ServerEvent | events.ClientEvent | LifecycleEvent], None]
"""Called with the time (seconds of the session's clock), where an event came from, and the event."""

logger = logging.getLogger(__name__)


class Subscription(Generic[EventT]):
    """An ordered stream of events for one reader: ``async with`` it, then ``async for``.

    It begins with the block and misses nothing from then on.
    """

    def __init__(self, fanout: Fanout, types: tuple[type[SessionEvent], ...], buffer: int) -> None:
        self._fanout = fanout
        self._types = types
        self._capacity = buffer
        self._events: deque[EventT] = deque()
        self._arrived = anyio.Event()
        self._ended = False
        self._error: BaseException | None = None
        self.dropped = 0
        """Deltas that were dropped because this reader was slow."""

    async def __aenter__(self) -> Subscription[EventT]:
        self._fanout.add(self)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._fanout.remove(self)

    def __aiter__(self) -> AsyncIterator[EventT]:
        return self

    async def __anext__(self) -> EventT:
        while not self._events:
            if self._error is not None:
                raise self._error
            if self._ended:
                raise StopAsyncIteration
            self._arrived = anyio.Event()
            await self._arrived.wait()
        return self._events.popleft()

    def wants(self, event: SessionEvent) -> bool:
        """Whether this stream carries events of that class."""
        return isinstance(event, self._types)

    def put(self, event: EventT) -> None:
        """Append one event; never waits."""
        if self._ended:
            return
        if len(self._events) >= self._capacity and not self._drop_a_delta():
            message = f"this subscription fell {self._capacity} events behind and was ended"
            self.end(LocalProtocolError(message))
            self._fanout.remove(self)
            return
        self._events.append(event)
        self._arrived.set()

    def end(self, error: BaseException | None = None) -> None:
        """No more events will come; what is buffered can still be read, then ``error`` is raised."""
        self._ended, self._error = True, error
        self._arrived.set()

    def _drop_a_delta(self) -> bool:
        for index, event in enumerate(self._events):
            if getattr(event, "type", "").endswith(".delta"):
                del self._events[index]
                self.dropped += 1
                return True
        return False


class Fanout:
    """Owns the list of subscriptions.

    Args:
        observer: sees everything before anybody else does, also what is sent; see `Observer`.
        now: the session's clock, for the observer.
    """

    def __init__(self, observer: Observer | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._observer = observer
        self._now = now
        self._subscriptions: list[Subscription[Any]] = []
        self._end: tuple[BaseException | None] | None = None

    def subscribe(self, *types: type[Any], buffer: int = DEFAULT_BUFFER) -> Subscription[Any]:
        """A stream of the given classes; of every server event when none is given."""
        return Subscription(self, types or (events.ServerEvent,), buffer)

    def add(self, subscription: Subscription[Any]) -> None:
        """From now on it gets events; a session that has ended ends it at once."""
        if self._end is not None:
            subscription.end(*self._end)
        elif subscription not in self._subscriptions:
            self._subscriptions.append(subscription)

    def remove(self, subscription: Subscription[Any]) -> None:
        """It gets no more events."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def publish(self, event: SessionEvent) -> None:
        """Give an event to everybody who wants it."""
        self._observe("server" if isinstance(event, events.ServerEvent) else "session", event)
        for subscription in tuple(self._subscriptions):
            if subscription.wants(event):
                subscription.put(event)

    def observe(self, event: events.ServerEvent) -> None:
        """An event came that is no news to the program: only the observer is told."""
        self._observe("server", event)

    def sent(self, event: events.ClientEvent) -> None:
        """An event goes out (input audio excepted): only the observer is told."""
        self._observe("client", event)

    def _observe(self, direction: Direction, event: SessionEvent | events.ClientEvent) -> None:
        if self._observer is None:
            return
        try:
            self._observer(self._now(), direction, event)
        except Exception:  # the program's code, at the heart of ours: it is reported and not called again
            logger.exception("the session's observer failed and is left out from now on")
            self._observer = None

    def end(self, error: BaseException | None) -> None:
        """The session is over."""
        self._end = (error,)
        for subscription in self._subscriptions:
            subscription.end(error)
        self._subscriptions = []
