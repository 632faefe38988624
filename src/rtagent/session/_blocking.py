"""The session for programs without an event loop: the same one, run by a thread in the background.

Nothing is decided here. Each member hands its call to the thread and waits; what it does, takes and raises
stands at the member of `Session` with the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Literal, TypeVar, cast

from anyio import to_thread

from .. import events
from ..audio import AudioSink, AudioSource
from ..events.lifecycle import Closed, SessionState
from ..protocol import History, Response, Usage
from ._attachment import Attachment
from ._background import Background
from ._callbacks import Callback
from ._fanout import SessionEvent, Subscription
from ._measure import Metrics
from ._session import DEFAULT_TIMEOUT_S, Session

__all__ = ("SyncAttachment", "SyncConnecting", "SyncSession", "SyncSubscription")

EventT = TypeVar("EventT", bound=SessionEvent)


class SyncConnecting:
    """A session that is not open yet: ``with`` it.

    Args:
        connecting: what ``connect`` gave.
    """

    def __init__(self, connecting: AbstractAsyncContextManager[Session]) -> None:
        self._connecting = connecting
        self._stack = ExitStack()

    def __enter__(self) -> SyncSession:
        with ExitStack() as stack:
            background = stack.enter_context(Background())
            session, leave = background.enter(self._connecting)
            stack.push(leave)
            self._stack = stack.pop_all()
        return SyncSession(session, background)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return self._stack.__exit__(kind, error, traceback)


class SyncSession:
    """`Session` without ``await``; usable from any thread, also from several at once.

    Args:
        session: the open session.
        background: the thread that runs it.
    """

    def __init__(self, session: Session, background: Background) -> None:
        self._session = session
        self._background = background
        self._call = background.call

    # -- events ------------------------------------------------------------------------------------

    def send(
        self, event: events.ClientEvent, timeout: float | None = DEFAULT_TIMEOUT_S
    ) -> events.ServerEvent | None:
        """Send an event and return the server event that answers it."""
        return self._call(self._session.send, event, timeout)

    def post(self, event: events.ClientEvent) -> str:
        """Send an event without waiting for an answer; returns the id it is sent with."""
        return self._call(self._session.post, event)

    def append_audio(self, pcm: bytes) -> float:
        """Send input audio; returns the milliseconds of older audio that were dropped for it."""
        return self._call(self._session.append_audio, pcm)

    def subscribe(self, *types: type[EventT], buffer: int = 256) -> SyncSubscription[EventT]:
        """An ordered stream of the given event classes: ``with`` it, then ``for``."""
        make = cast("Callable[..., Subscription[EventT]]", self._session.subscribe)
        return SyncSubscription(self._call(make, *types, buffer=buffer), self._background)

    def on(self, kind: type[EventT], callback: Callable[[EventT], object]) -> Callable[[], None]:
        """Call a function for each event of a class, in a worker thread; returns what ends that.

        The function may use this session.
        """

        async def in_a_thread(event: EventT) -> None:
            await to_thread.run_sync(callback, event)

        in_a_thread.__qualname__ = getattr(callback, "__qualname__", repr(callback))
        registered: Callback = self._call(self._session.on, kind, in_a_thread)
        return partial(self._call, registered.cancel)

    def wait_for(
        self,
        kind: type[EventT],
        where: Callable[[EventT], bool] | None = None,
        timeout: float | None = None,
    ) -> EventT:
        """The next event of a class for which ``where`` is true."""
        event: EventT = self._call(self._session.wait_for, kind, where, timeout)
        return event

    # -- turns -------------------------------------------------------------------------------------

    def say(
        self, text: str, role: Literal["user", "system", "assistant"] = "user"
    ) -> events.ServerEvent | None:
        """Add a text turn to the conversation."""
        return self._call(self._session.say, text, role)

    def show(self, image: bytes | str | Path) -> events.ServerEvent | None:
        """Add an image to the conversation."""
        return self._call(self._session.show, image)

    def respond(self, instructions: str | None = None, **options: Any) -> Response:
        """Ask for a response, run its tools, return the finished one; the options are those of `Session`."""
        return self._call(self._session.respond, instructions, **options)

    def interrupt(self) -> None:
        """Stop the voice now."""
        self._call(self._session.interrupt)

    def update(self, **changes: Any) -> events.WireModel | None:
        """Change the configuration; returns the one that is now in force."""
        config: events.WireModel | None = self._call(self._session.update, **changes)
        return config

    # -- ears and mouth ----------------------------------------------------------------------------

    def attach(
        self, source: AudioSource | None = None, sink: AudioSink | None = None, **options: Any
    ) -> SyncAttachment:
        """Connect ears and mouth; the options are those of `Session`."""
        return SyncAttachment(self._call(self._session.attach, source, sink, **options), self._background)

    # -- state -------------------------------------------------------------------------------------

    @property
    def history(self) -> History:
        """The items in the order of the conversation."""
        return self._call(lambda: self._session.history)

    @property
    def config(self) -> events.WireModel | None:
        """The configuration in force."""
        return self._call(lambda: self._session.config)

    @property
    def usage(self) -> Usage:
        """The tokens of all responses so far."""
        return self._call(lambda: self._session.usage)

    @property
    def metrics(self) -> Metrics:
        """Latencies per turn, and what was dropped."""
        return self._call(lambda: self._session.metrics)

    @property
    def state(self) -> SessionState:
        """What the session is doing now."""
        return self._call(lambda: self._session.state)

    def wait_closed(self) -> Closed:
        """Return when the session has ended, with how it ended."""
        return self._call(self._session.wait_closed)


class SyncSubscription(Generic[EventT]):
    """`Subscription` for one thread: ``with`` it, then ``for``."""

    def __init__(self, subscription: Subscription[EventT], background: Background) -> None:
        self._subscription = subscription
        self._background = background

    def __enter__(self) -> SyncSubscription[EventT]:
        self._background.call(self._subscription.__aenter__)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._background.call(self._subscription.__aexit__, None, None, None)

    def __iter__(self) -> Iterator[EventT]:
        while (event := self._background.call(self._next)) is not None:
            yield event

    @property
    def dropped(self) -> int:
        """Deltas that were dropped because this reader was slow."""
        return self._subscription.dropped

    async def _next(self) -> EventT | None:
        async for event in self._subscription:
            return event
        return None


class SyncAttachment:
    """`Attachment` for programs without an event loop."""

    def __init__(self, attachment: Attachment, background: Background) -> None:
        self._attachment = attachment
        self._call = background.call

    def mute(self) -> None:
        """Send silence instead of what the source hears."""
        self._call(self._attachment.mute)

    def unmute(self) -> None:
        """Send what the source hears again."""
        self._call(self._attachment.unmute)

    def hold(self) -> None:
        """Put the conversation on hold: the voice pauses, the source is not heard."""
        self._call(self._attachment.hold)

    def resume(self) -> None:
        """End the hold: the voice goes on where it fell silent."""
        self._call(self._attachment.resume)

    def detach(self) -> None:
        """Take ears and mouth away; what was queued is dropped."""
        self._call(self._attachment.detach)

    def wait_source_ended(self) -> None:
        """Return when the source has no more, or was taken away."""
        self._call(self._attachment.wait_source_ended)
