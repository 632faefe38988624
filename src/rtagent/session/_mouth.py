"""The mouth of a session: what the assistant says goes to the sink, and what only the sink knows comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, Protocol, runtime_checkable

import anyio

from ..audio import AudioFormat, AudioSink, Clock, Heard, PlaybackItem
from ..errors import ConfigurationError
from ._converter import Converter

__all__ = ("Mouth", "Pause")

WATCH_INTERVAL_S = 0.01
"""How often the sink is asked while a first sample is awaited."""
KEPT_RESPONSES = 64
"""Responses remembered, so that each begins to be heard once."""
EARLY_BYTES = 600 * 48_000
"""Voice that waits for the sink to open: ten minutes at 24 kHz, as much as a sink takes; more is dropped."""

Pause = Literal["speech", "hold"]
"""Why the voice pauses: somebody speaks and it is not known yet whether to us, or the program wants it."""


@runtime_checkable
class _CanPause(Protocol):
    """A sink whose voice can pause and go on."""

    def pause(self) -> Heard: ...

    def resume(self) -> None: ...


class Mouth:
    """Owns the sink, while it is open, and the moments that only the sink knows: first sample and all heard.

    Args:
        sink: where the voice goes.
        clock: the session's.
        dropped: is told how many milliseconds of voice came before the sink was open and were too much to wait.
    """

    def __init__(
        self, sink: AudioSink, clock: Clock, dropped: Callable[[float], None] = lambda _ms: None
    ) -> None:
        self.sink = sink
        self.sounding = False
        """Whether there is voice that was neither heard to its end nor stopped."""
        self._clock = clock
        self._dropped = dropped
        self._format = sink.format
        self._open = False
        self._converter: Converter | None = None
        self._early: list[tuple[PlaybackItem, bytes]] = []
        self._early_bytes = 0
        self._begun: dict[str | None, None] = {}
        self._awaited: list[PlaybackItem] = []
        self._first_due = anyio.Event()
        self._drain_due = anyio.Event()
        self._drain_wanted = False
        self._pauses: dict[Pause, float] = {}
        self._silent_at: float | None = None

    def set_format(self, output_format: AudioFormat) -> None:
        """What the server sends from now on."""
        self._format = output_format
        self._converter = Converter.between(output_format, self.sink.format)

    def play(self, item: PlaybackItem, pcm: bytes) -> None:
        """Queue audio of the assistant.

        Raises:
            RtagentError: the sink has failed, such as a device that was pulled out.
        """
        self.sounding = True
        if not self._open:
            if self._early_bytes + len(pcm) <= EARLY_BYTES:
                self._early.append((item, pcm))
                self._early_bytes += len(pcm)
            else:
                self._dropped(self._format.ms_of(len(pcm)))
            return
        if self._converter is not None:
            pcm = self._converter.convert(pcm)
        self.sink.play(item, pcm)
        if item.response_id not in self._begun:
            self._begun[item.response_id] = None
            if len(self._begun) > KEPT_RESPONSES:
                del self._begun[next(iter(self._begun))]
            self._awaited.append(item)
            self._first_due.set()

    def stop(self) -> Heard:
        """Fall silent, and say what was heard; a voice that paused has been silent since then."""
        self._awaited.clear()
        self._forget_early()
        self.sounding = self._drain_wanted = False  # a voice that was stopped has its own end
        if self._converter is not None:
            self._converter.reset()
        heard = self.sink.stop()
        if self._silent_at is not None:
            heard = replace(heard, silent_at=self._silent_at)
        self._pauses.pop("speech", None)
        if self._open and self._pauses and isinstance(self.sink, _CanPause):
            self._silent_at = self.sink.pause().silent_at
        else:
            self._silent_at = None
        return heard

    # -- pausing -----------------------------------------------------------------------------------

    def check_pauses(self) -> None:
        """Raise ``ConfigurationError`` where the sink cannot pause."""
        if not isinstance(self.sink, _CanPause):
            message = f"{type(self.sink).__name__} cannot pause"
            raise ConfigurationError(
                message, hint="a sink that can has pause() and resume(), as Speaker does"
            )

    def pause(self, reason: Pause) -> Heard | None:
        """Fall silent and keep what is queued; what was heard, or None where the voice pauses already."""
        if reason in self._pauses:
            return None
        first = not self._pauses
        self._pauses[reason] = self._clock.now()
        if not (first and self._open and isinstance(self.sink, _CanPause)):
            return None
        heard = self.sink.pause()
        self._silent_at = heard.silent_at
        return heard

    def resume(self, reason: Pause) -> float | None:
        """Go on where the voice fell silent, unless there is another reason to pause.

        Returns:
            For how long this reason was there, in seconds; None when it was not.
        """
        since = self._pauses.pop(reason, None)
        if since is None:
            return None
        if not self._pauses and self._open and isinstance(self.sink, _CanPause):
            self._silent_at = None
            self.sink.resume()
        return self._clock.now() - since

    def paused_since(self, reason: Pause) -> float | None:
        """When the voice began to pause for that reason; None when it does not."""
        return self._pauses.get(reason)

    # -- the sink's life ---------------------------------------------------------------------------

    def begin(self) -> None:
        """The sink is open: it gets what came before it was."""
        self._open = True
        if self._pauses and isinstance(self.sink, _CanPause):
            self._silent_at = self.sink.pause().silent_at
        early, drain = list(self._early), self._drain_wanted
        self._forget_early()
        for item, pcm in early:
            self.play(item, pcm)
        if drain:
            self.drain()

    def end(self) -> None:
        """The sink is closed, or was never opened."""
        self.sounding = False
        self._forget_early()

    def drain(self) -> None:
        """The last audio of a response was queued: tell when everything has been heard."""
        self._drain_wanted = True
        if not self._open:
            return
        # A sink that holds a reply back until enough is queued need not wait for more.
        finish: Callable[[], None] | None = getattr(self.sink, "finish", None)
        if finish is not None:
            finish()
        self._drain_due.set()

    async def watch_first(self, first_heard: Callable[[PlaybackItem, float], None]) -> None:
        """Tell of each response when its first sample was heard, and which item that was of."""
        while True:
            await self._first_due.wait()
            self._first_due = anyio.Event()
            while self._awaited:
                heard = self.sink.heard()
                for item in [item for item in self._awaited if heard.of(item.item_id) > 0.0]:
                    self._awaited.remove(item)
                    first_heard(item, self._clock.now() - heard.of(item.item_id) / 1000)
                await self._clock.sleep_until(self._clock.now() + WATCH_INTERVAL_S)

    async def watch_drained(self, drained: Callable[[Heard], None]) -> None:
        """Tell when everything that was queued has been heard."""
        while True:
            await self._drain_due.wait()
            self._drain_due = anyio.Event()
            await self.sink.wait_drained()
            if self._drain_wanted and not self._drain_due.is_set():
                self.sounding = self._drain_wanted = False
                drained(self.sink.heard())

    def _forget_early(self) -> None:
        self._early.clear()
        self._early_bytes = 0
