"""How a program follows what happens: streams of events, callbacks, and waiting for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

import anyio
import anyio.abc

from .. import events
from ..errors import SessionClosed, Timeout
from ._callbacks import Callback, run_callback
from ._fanout import SessionEvent, Subscription
from ._pump import Pump

__all__ = ("Listening",)

EventT = TypeVar("EventT", bound=SessionEvent)
OtherT = TypeVar("OtherT", bound=SessionEvent)
ThirdT = TypeVar("ThirdT", bound=SessionEvent)


class Listening:
    """The part of a session that only listens. Its pump and its task group are the session's."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        self._group: anyio.abc.TaskGroup | None = None

    @overload
    def subscribe(self, *, buffer: int = ...) -> Subscription[events.ServerEvent]: ...
    @overload
    def subscribe(self, one: type[EventT], /, *, buffer: int = ...) -> Subscription[EventT]: ...
    @overload
    def subscribe(
        self, one: type[EventT], other: type[OtherT], /, *, buffer: int = ...
    ) -> Subscription[EventT | OtherT]: ...
    @overload
    def subscribe(
        self, one: type[EventT], other: type[OtherT], third: type[ThirdT], /, *, buffer: int = ...
    ) -> Subscription[EventT | OtherT | ThirdT]: ...
    @overload
    def subscribe(
        self,
        one: type[SessionEvent],
        other: type[SessionEvent],
        third: type[SessionEvent],
        fourth: type[SessionEvent],
        /,
        *more: type[SessionEvent],
        buffer: int = ...,
    ) -> Subscription[SessionEvent]: ...
    def subscribe(self, *types: type[Any], buffer: int = 256) -> Subscription[Any]:
        """An ordered stream of the given event classes (every server event when none is given).

        Use it as ``async with session.subscribe(…) as stream: async for event in stream: …``. Each
        stream has its own buffer of ``buffer`` events; one that is not read loses its oldest deltas
        and is then ended with an error, without slowing anybody else.
        """
        return self._pump.fanout.subscribe(*types, buffer=buffer)

    @overload
    def on(self, kind: type[EventT], callback: Callable[[EventT], object]) -> Callback: ...
    @overload
    def on(
        self, kind: type[EventT]
    ) -> Callable[[Callable[[EventT], object]], Callable[[EventT], object]]: ...
    def on(self, kind: type[EventT], callback: Callable[[EventT], object] | None = None) -> Any:
        """Call a function, sync or async, for each event of a class; also as a decorator.

        The function runs in a task of its own: a slow one delays only itself, a failing one is
        reported as ``CallbackFailed`` and called again for the next event.
        """
        if callback is None:

            def decorate(function: Callable[[EventT], object]) -> Callable[[EventT], object]:
                self.on(kind, function)
                return function

            return decorate
        registered = Callback()
        subscription = self.subscribe(kind)
        self._pump.fanout.add(subscription)
        self._running().start_soon(
            run_callback, registered, subscription, callback, self._pump.publish, self._pump.clock
        )
        return registered

    async def wait_for(
        self,
        kind: type[EventT],
        where: Callable[[EventT], bool] | None = None,
        timeout: float | None = None,
    ) -> EventT:
        """The next event of a class for which ``where`` is true.

        Raises:
            Timeout: none came in ``timeout`` seconds.
            SessionClosed: the session ended first; ``ConnectionLost`` when that was not our doing.
        """
        self._pump.check_open()
        with anyio.move_on_after(timeout):
            async with self.subscribe(kind) as stream:
                async for event in stream:
                    if where is None or where(event):
                        return event
            raise SessionClosed
        raise Timeout(f"a {kind.__name__} event", waited_s=timeout or 0.0)

    def _running(self) -> anyio.abc.TaskGroup:
        self._pump.check_open()
        if self._group is None:
            message = "the session is not open"
            raise SessionClosed(message)
        return self._group
