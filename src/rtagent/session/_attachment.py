"""Ears and mouth of a session: what the source hears goes out, what comes in goes to the sink.

The sink is opened here and closed here, the source is read here, and the moments that only the sink
knows, first sample heard and all heard, are watched here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio
import anyio.lowlevel

from ..audio import AudioFormat, AudioSink, AudioSource, Clock, Heard, PlaybackItem, Resampler, g711
from ..errors import RtagentError

__all__ = ("Attachment", "silence_of")

WATCH_INTERVAL_S = 0.01
"""How often the sink is asked while a first sample is awaited."""
KEPT_RESPONSES = 64
"""Responses remembered, so that each begins to be heard once."""
EARLY_BYTES = 600 * 48_000
"""Voice that waits for the sink to open: ten minutes at 24 kHz, as much as a sink takes; more is dropped."""


class Attachment:
    """The handle of ``session.attach``: mute, hold, detach, or wait for the source to end."""

    def __init__(
        self,
        source: AudioSource | None,
        sink: AudioSink | None,
        clock: Clock,
        *,
        append: Callable[[bytes, float], object],
        muted: Callable[[bool], None] = lambda _muted: None,
        wait_room: Callable[[], Awaitable[None]] = anyio.lowlevel.checkpoint,
    ) -> None:
        self.source = source
        self.sink = sink
        self.error: RtagentError | None = None
        """What ended it, unless it ended as it should."""
        self._clock = clock
        self._append = append
        self._tell_muted = muted
        self._wait_room = wait_room
        self._scope = anyio.CancelScope()
        self._opened = anyio.Event()
        self._ended = anyio.Event()
        self._muted = False
        self._finished = False
        self._formats: tuple[AudioFormat, AudioFormat] | None = None
        self._input: _Converter | None = None
        self._output: _Converter | None = None
        self._early: list[tuple[PlaybackItem, bytes]] = []
        self._early_bytes = 0
        self._begun: dict[str | None, None] = {}
        self._awaited: list[PlaybackItem] = []
        self._first_due = anyio.Event()
        self._drain_due = anyio.Event()
        self._drain_wanted = False

    def mute(self) -> None:
        """Send silence instead of what the source hears; the positions of the server stay right."""
        self._set_muted(True)

    def unmute(self) -> None:
        """Send what the source hears again."""
        self._set_muted(False)

    @property
    def muted(self) -> bool:
        """Whether silence is sent."""
        return self._muted

    @property
    def ended(self) -> bool:
        """Whether ears and mouth were taken away or have failed."""
        return self._finished

    def detach(self) -> None:
        """Take ears and mouth away; what was queued is dropped."""
        self._scope.cancel()

    async def wait_open(self) -> None:
        """Return when the sink is open.

        Raises:
            AudioUnavailable: it could not be opened.
        """
        await self._opened.wait()
        if self.error is not None:
            raise self.error

    async def wait_source_ended(self) -> None:
        """Return when the source has no more, or was taken away.

        Raises:
            RtagentError: the source or the sink failed.
        """
        await self._ended.wait()
        if self.error is not None:
            raise self.error

    # -- the session's side ------------------------------------------------------------------------

    def set_formats(self, input_format: AudioFormat, output_format: AudioFormat) -> None:
        """What the server said it takes and sends; what did not change goes on without a seam."""
        if (input_format, output_format) == self._formats:
            return
        self._formats = (input_format, output_format)
        if self.source is not None:
            self._input = _Converter.between(self.source.format, input_format)
        if self.sink is not None:
            self._output = _Converter.between(output_format, self.sink.format)

    def play(self, item: PlaybackItem, pcm: bytes) -> None:
        """Queue audio of the assistant; a sink that fails is taken away."""
        if self.sink is None or self._finished or self._scope.cancel_called:
            return
        if not self._opened.is_set():
            if self._early_bytes + len(pcm) <= EARLY_BYTES:
                self._early.append((item, pcm))
                self._early_bytes += len(pcm)
            return
        if self._output is not None:
            pcm = self._output.convert(pcm)
        try:
            self.sink.play(item, pcm)
        except RtagentError as error:  # such as a device that was pulled out
            self.error = error
            self._scope.cancel()
            return
        if item.response_id not in self._begun:
            self._begun[item.response_id] = None
            if len(self._begun) > KEPT_RESPONSES:
                del self._begun[next(iter(self._begun))]
            self._awaited.append(item)
            self._first_due.set()

    def stop(self) -> Heard | None:
        """Fall silent; None without a sink."""
        self._awaited.clear()
        self._forget_early()
        self._drain_wanted = False  # a voice that was stopped has its own end
        if self.sink is None:
            return None
        if self._output is not None:
            self._output.reset()
        return self.sink.stop()

    def drain(self) -> None:
        """The last audio of a response was queued: tell when everything has been heard."""
        self._drain_wanted = True
        if not self._opened.is_set():
            return
        # A sink that holds a reply back until enough is queued need not wait for more.
        finish: Callable[[], None] | None = getattr(self.sink, "finish", None)
        if finish is not None:
            finish()
        self._drain_due.set()

    async def run(
        self, first_heard: Callable[[PlaybackItem, float], None], drained: Callable[[Heard], None]
    ) -> None:
        """Carry audio both ways until detached."""
        try:
            with self._scope:
                async with AsyncExitStack() as stack:
                    if self.sink is not None and hasattr(self.sink, "__aenter__"):
                        opened: Any = self.sink
                        await stack.enter_async_context(opened)
                    self._begin()
                    async with anyio.create_task_group() as group:
                        group.start_soon(self._carry_input)
                        if self.sink is not None:
                            group.start_soon(self._watch_first, self.sink, first_heard)
                            group.start_soon(self._watch_drained, self.sink, drained)
        except* RtagentError as failures:
            self.error = _first(failures)
        finally:
            self._finished = True
            self._forget_early()
            self._opened.set()
            self._ended.set()

    def _set_muted(self, muted: bool) -> None:
        if muted != self._muted:
            self._muted = muted
            self._tell_muted(muted)

    def _begin(self) -> None:
        """The sink is open: it gets what came before it was."""
        self._opened.set()
        early = list(self._early)
        self._forget_early()
        for item, pcm in early:
            self.play(item, pcm)
        if self._drain_wanted:
            self.drain()

    def _forget_early(self) -> None:
        self._early.clear()
        self._early_bytes = 0

    async def _carry_input(self) -> None:
        if self.source is not None:
            silence = silence_of(self.source.format)
            waits: bool = getattr(self.source, "waits", False)
            async for block in self.source.blocks():
                pcm = silence(len(block.pcm)) if self._muted else block.pcm
                if self._input is not None:
                    pcm = self._input.convert(pcm)
                if pcm:
                    self._append(pcm, block.at)
                if waits:
                    await self._wait_room()
        self._ended.set()

    async def _watch_first(self, sink: AudioSink, first_heard: Callable[[PlaybackItem, float], None]) -> None:
        while True:
            await self._first_due.wait()
            self._first_due = anyio.Event()
            while self._awaited:
                heard = sink.heard()
                for item in [item for item in self._awaited if heard.of(item.item_id) > 0.0]:
                    self._awaited.remove(item)
                    first_heard(item, self._clock.now() - heard.of(item.item_id) / 1000)
                await self._clock.sleep_until(self._clock.now() + WATCH_INTERVAL_S)

    async def _watch_drained(self, sink: AudioSink, drained: Callable[[Heard], None]) -> None:
        while True:
            await self._drain_due.wait()
            self._drain_due = anyio.Event()
            await sink.wait_drained()
            if self._drain_wanted and not self._drain_due.is_set():
                self._drain_wanted = False
                drained(sink.heard())


class _Converter:
    """One direction of one session: G.711 decoded or encoded, rates changed, state kept between blocks."""

    def __init__(self, source: AudioFormat, target: AudioFormat) -> None:
        self._decode = {"pcmu": g711.decode_ulaw, "pcma": g711.decode_alaw}.get(source.encoding)
        self._encode = {"pcmu": g711.encode_ulaw, "pcma": g711.encode_alaw}.get(target.encoding)
        self._resampler = Resampler(source.rate, target.rate) if source.rate != target.rate else None

    @classmethod
    def between(cls, source: AudioFormat, target: AudioFormat) -> _Converter | None:
        """None when both are the same and nothing is to be done."""
        return None if source == target else cls(source, target)

    def convert(self, data: bytes) -> bytes:
        pcm = self._decode(data) if self._decode is not None else data
        pcm = self._resampler.process(pcm) if self._resampler is not None else pcm
        return self._encode(pcm) if self._encode is not None else pcm

    def reset(self) -> None:
        """Forget the tail: it must not leak into the next answer."""
        if self._resampler is not None:
            self._resampler.reset()


def silence_of(own: AudioFormat) -> Callable[[int], bytes]:
    """Makes so many bytes of silence in a format."""
    value = {"pcmu": g711.ULAW_SILENCE, "pcma": g711.ALAW_SILENCE}.get(own.encoding, b"\0")
    return lambda size: value * size


def _first(group: BaseExceptionGroup[RtagentError]) -> RtagentError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
