"""What the surfaces over a session have in common: following its events, and handing values to a program."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Generic, TypeVar

import anyio
import anyio.abc

from ..audio import AudioBlock, AudioFormat, AudioSource
from ..errors import RtagentError
from ._fanout import Subscription

__all__ = ("Feed", "Following", "TappedSource")

T = TypeVar("T")


class Feed(Generic[T]):
    """Values in order for one reader. Putting never waits.

    When the reader is ``capacity`` values behind, the oldest that can be spared makes room, otherwise the
    oldest of all.

    Args:
        capacity: values that may wait.
        spare: tells which ones say nothing that a later one does not say again.
    """

    def __init__(self, capacity: int, spare: Callable[[T], bool]) -> None:
        self.dropped = 0
        """Values that the reader never saw because it was slow."""
        self._capacity = capacity
        self._spare = spare
        self._values: deque[T] = deque()
        self._changed = anyio.Event()
        self._ended = False
        self._error: RtagentError | None = None

    def put(self, value: T) -> None:
        """Append one."""
        if len(self._values) >= self._capacity:
            spared = (index for index, waiting in enumerate(self._values) if self._spare(waiting))
            del self._values[next(spared, 0)]
            self.dropped += 1
        self._values.append(value)
        self._changed.set()

    def end(self, error: RtagentError | None = None) -> None:
        """No more will come; what waits can still be read, then ``error`` is raised. The first end counts."""
        if not self._ended:
            self._ended, self._error = True, error
            self._changed.set()

    async def next(self) -> T:
        """The next value; ``StopAsyncIteration`` after the last one."""
        while not self._values:
            if self._error is not None:
                raise self._error
            if self._ended:
                raise StopAsyncIteration
            self._changed = anyio.Event()
            await self._changed.wait()
        return self._values.popleft()


class Following:
    """Reads a stream of events in a task of its own, for the time of the block.

    Args:
        stream: what to read.
        take: called with each event; must not wait.
        ended: called once when the session has ended, with what ended it unless that was on purpose.
    """

    def __init__(
        self,
        stream: Subscription[Any],
        take: Callable[[Any], None],
        ended: Callable[[RtagentError | None], None],
    ) -> None:
        self._stream = stream
        self._take = take
        self._ended = ended
        self._group: anyio.abc.TaskGroup | None = None

    async def __aenter__(self) -> Following:
        await self._stream.__aenter__()  # not in the task: nothing may be missed before that runs
        group = anyio.create_task_group()
        self._group = await group.__aenter__()
        group.start_soon(self._run, name="session follower")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        group, self._group = self._group, None
        if group is not None:
            await self._stream.__aexit__(None, None, None)
            group.cancel_scope.cancel()
            # The task reports failures and raises none; the program's own exception goes on as it is.
            await group.__aexit__(None, None, None)

    async def _run(self) -> None:
        try:
            async for event in self._stream:
                self._take(event)
        except RtagentError as error:
            self._ended(error)
        else:
            self._ended(None)


class TappedSource:
    """A source that passes another one on, tells how much, and can be ended from this side.

    Args:
        source: the ears.
        passed: called with the milliseconds of each block.
    """

    def __init__(self, source: AudioSource, passed: Callable[[float], None]) -> None:
        self._source = source
        self._passed = passed
        self._over = False

    @property
    def format(self) -> AudioFormat:
        """The format of every block."""
        return self._source.format

    @property
    def waits(self) -> bool:
        """Whether the source can be read as slowly as anybody likes."""
        return bool(getattr(self._source, "waits", False))

    def end(self) -> None:
        """No block is passed on any more."""
        self._over = True

    async def blocks(self) -> AsyncIterator[AudioBlock]:
        """The blocks of the source, until it ends or is ended."""
        blocks = self._source.blocks()
        try:
            async for block in blocks:
                if self._over:
                    return
                self._passed(self.format.ms_of(len(block.pcm)))
                yield block
        finally:
            aclose: Callable[[], Any] | None = getattr(blocks, "aclose", None)
            if aclose is not None:
                await aclose()
