"""Ears and mouth of a session: what the source hears goes out, what comes in goes to the sink.

The sink is opened here and closed here, the source is read here, and the moments that only the sink
knows, first sample heard and all heard, are watched here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio

from ..audio import AudioFormat, AudioSink, AudioSource, Clock, Heard, PlaybackItem, Resampler, g711
from ..errors import RtagentError

__all__ = ("Attachment",)

WATCH_INTERVAL_S = 0.01
"""How often the sink is asked while a first sample is awaited."""


class Attachment:
    """The handle of ``session.attach``: mute, hold, detach, or wait for the source to end."""

    def __init__(
        self,
        source: AudioSource | None,
        sink: AudioSink | None,
        clock: Clock,
        *,
        append: Callable[[bytes, float], object],
    ) -> None:
        self.source = source
        self.sink = sink
        self.error: RtagentError | None = None
        """What ended it, unless it ended as it should."""
        self._clock = clock
        self._append = append
        self._scope = anyio.CancelScope()
        self._opened = anyio.Event()
        self._ended = anyio.Event()
        self._muted = False
        self._finished = False
        self._input: _Converter | None = None
        self._output: _Converter | None = None
        self._awaited: PlaybackItem | None = None
        self._watched: str | None = None
        self._first_due = anyio.Event()
        self._drain_due = anyio.Event()
        self._stops = 0

    def mute(self) -> None:
        """Send silence instead of what the source hears; the positions of the server stay right."""
        self._muted = True

    def unmute(self) -> None:
        """Send what the source hears again."""
        self._muted = False

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
        """What the server said it takes and sends."""
        if self.source is not None:
            self._input = _Converter.between(self.source.format, input_format)
        if self.sink is not None:
            self._output = _Converter.between(output_format, self.sink.format)

    def play(self, item: PlaybackItem, pcm: bytes) -> None:
        """Queue audio of the assistant."""
        if self.sink is None:
            return
        if self._output is not None:
            pcm = self._output.convert(pcm)
        self.sink.play(item, pcm)
        if item.response_id != self._watched:
            self._watched, self._awaited = item.response_id, item
            self._first_due.set()

    def stop(self) -> Heard | None:
        """Fall silent; None without a sink."""
        self._awaited = None
        self._stops += 1
        if self.sink is None:
            return None
        if self._output is not None:
            self._output.reset()
        return self.sink.stop()

    def drain(self) -> None:
        """The last audio of a response was queued: tell when everything has been heard."""
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
                    self._opened.set()
                    async with anyio.create_task_group() as group:
                        group.start_soon(self._carry_input)
                        if self.sink is not None:
                            group.start_soon(self._watch_first, self.sink, first_heard)
                            group.start_soon(self._watch_drained, self.sink, drained)
        except* RtagentError as failures:
            self.error = _first(failures)
        finally:
            self._finished = True
            self._opened.set()
            self._ended.set()

    async def _carry_input(self) -> None:
        if self.source is not None:
            silence = _silence_of(self.source.format)
            async for block in self.source.blocks():
                pcm = silence(len(block.pcm)) if self._muted else block.pcm
                if self._input is not None:
                    pcm = self._input.convert(pcm)
                if pcm:
                    self._append(pcm, block.at)
        self._ended.set()

    async def _watch_first(self, sink: AudioSink, first_heard: Callable[[PlaybackItem, float], None]) -> None:
        while True:
            await self._first_due.wait()
            self._first_due = anyio.Event()
            while (item := self._awaited) is not None:
                heard_ms = sink.heard().of(item.item_id)
                if heard_ms > 0.0:
                    self._awaited = None
                    first_heard(item, self._clock.now() - heard_ms / 1000)
                else:
                    await self._clock.sleep_until(self._clock.now() + WATCH_INTERVAL_S)

    async def _watch_drained(self, sink: AudioSink, drained: Callable[[Heard], None]) -> None:
        while True:
            await self._drain_due.wait()
            self._drain_due = anyio.Event()
            stops = self._stops
            await sink.wait_drained()
            if stops == self._stops:  # a voice that was stopped has its own end
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


def _silence_of(own: AudioFormat) -> Callable[[int], bytes]:
    byte = {"pcmu": g711.ULAW_SILENCE, "pcma": g711.ALAW_SILENCE}.get(own.encoding, 0)
    value = byte if isinstance(byte, bytes) else bytes([byte])
    return lambda size: value * size


def _first(group: BaseExceptionGroup[RtagentError]) -> RtagentError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
