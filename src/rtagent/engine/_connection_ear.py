"""One recogniser at work: it hears one utterance after the other and answers each."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

import anyio

from ..audio import AudioFormat, Resampler
from ._connection_outbox import Bell
from ._conversation_work import Conclude, Feed, Forget, LearnTools, PartKey
from ._ears import Recognizer
from ._input import linear

__all__ = ("Ear", "Listener")

RECOGNISER_HZ: Final = 16_000
BACKLOG_MS: Final = 60_000
"""Audio that may wait for a slow recogniser; beyond it the connection reads no more from its client."""
SLICE_MS: Final = 500
"""Long audio is given in slices, so that no step of it holds up the event loop."""

logger = logging.getLogger(__name__)


class Listener(Protocol):
    """Who wants to know what was understood: a `Conversation`, or what stands before it."""

    def partial(self, part: PartKey, text: str) -> None: ...

    def recognised(self, part: PartKey, text: str) -> None: ...

    def unheard(self, part: PartKey, message: str) -> None: ...


class Ear:
    """Owns one recogniser, which is made when the first audio comes, and the work that waits for it."""

    def __init__(self, make: Callable[[], Recognizer], listener: Listener, bell: Bell) -> None:
        self._make = make
        self._listener = listener
        self._bell = bell
        self._work: deque[Feed | Conclude | Forget | LearnTools] = deque()
        self._backlog_ms = 0.0
        self._working = False
        self._recogniser: Recognizer | None = None
        self._tools = LearnTools(())
        self._resampler: Resampler | None = None
        self._broken = False
        """It failed: the next utterance gets a new one."""
        self._failure: str | None = None
        """Why the utterance that goes on cannot be recognised."""

    @property
    def busy(self) -> bool:
        """Whether anything waits or is being heard."""
        return bool(self._work) or self._working

    def put(self, work: Feed | Conclude | Forget | LearnTools) -> None:
        """Put work behind what waits already."""
        if isinstance(work, Feed):
            self._backlog_ms += work.format.ms_of(len(work.audio))
        self._work.append(work)
        self._bell.ring()

    async def wait_room(self) -> None:
        """Return when less than ``BACKLOG_MS`` of audio waits."""
        while self._backlog_ms >= BACKLOG_MS:
            await self._bell.wait()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                while not self._work:
                    await self._bell.wait()
                await self._next()
        finally:
            await self._close()

    async def _next(self) -> None:
        work = self._work.popleft()
        self._working = True
        try:
            await self._do(work)
        except Exception as problem:  # recognisers are pluggable: a failure costs one utterance
            logger.warning("the recogniser failed", exc_info=problem)
            self._broken = True
            if isinstance(work, Feed):
                self._failure = f"the recogniser failed: {problem}"
            elif isinstance(work, Conclude):
                self._listener.unheard(work.part, f"the recogniser failed: {problem}")
        finally:
            self._working = False
            if isinstance(work, Feed):
                self._backlog_ms -= work.format.ms_of(len(work.audio))
            self._bell.ring()

    async def _do(self, work: Feed | Conclude | Forget | LearnTools) -> None:
        match work:
            case LearnTools():
                self._tools = work
                if self._recogniser is not None and not self._broken:
                    await self._recogniser.set_tools(work.tools)
            case Feed() if self._failure is None:
                await self._feed(work)
            case Feed():
                pass  # the utterance is lost already; its end is answered
            case Conclude():
                await self._conclude(work.part)
            case Forget():
                await self._forget()

    async def _feed(self, work: Feed) -> None:
        recogniser = await self._ready()
        size = work.format.bytes_of(SLICE_MS)
        for start in range(0, len(work.audio), size):
            pcm = linear(work.audio[start : start + size], work.format)
            text = await recogniser.feed(self._at_recogniser_rate(pcm, work.format))
            if text:
                self._listener.partial(work.part, text)

    async def _conclude(self, part: PartKey) -> None:
        self._resampler = None
        if self._failure is not None:
            message, self._failure = self._failure, None
            self._listener.unheard(part, message)
            return
        recogniser = await self._ready()
        recognition = await recogniser.finish()
        self._listener.recognised(part, recognition.text)

    async def _forget(self) -> None:
        self._resampler = None
        self._failure = None
        if self._recogniser is not None and not self._broken:
            await self._recogniser.start()

    async def _ready(self) -> Recognizer:
        if self._broken:
            await self._close()
        if self._recogniser is None:
            self._recogniser = self._make()
            await self._recogniser.set_tools(self._tools.tools)
            await self._recogniser.start()
        return self._recogniser

    async def _close(self) -> None:
        recogniser, self._recogniser, self._broken = self._recogniser, None, False
        if recogniser is not None:
            with anyio.CancelScope(shield=True):
                await recogniser.aclose()

    def _at_recogniser_rate(self, pcm: bytes, layout: AudioFormat) -> bytes:
        if layout.rate == RECOGNISER_HZ:
            return pcm
        if self._resampler is None:
            self._resampler = Resampler(layout.rate, RECOGNISER_HZ)
        return self._resampler.process(pcm)
