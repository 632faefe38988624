"""Ears and mouth of a session: what the source hears goes out, what comes in goes to the sink.

The sink is opened here and closed here, and the source is read here. What each of them needs is in machines of its
own: ``Ears`` and ``Mouth``, and ``LocalEar`` where speech is heard on this side.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio
import anyio.lowlevel

from ..audio import AudioFormat, AudioSink, AudioSource, Clock, Heard, PlaybackItem
from ..errors import ConfigurationError, RtagentError
from ..events.lifecycle import AudioDropped, LifecycleEvent, PlaybackPaused, PlaybackResumed, SessionState
from ._barge_in import BargeIn
from ._converter import Converter
from ._ears import Ears
from ._local_ear import ConversationFloor, LocalEar, being_heard
from ._local_turns import LocalTurns
from ._mouth import Mouth
from ._sounds import Backdrop, Sounds

__all__ = ("Attachment",)


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
        publish: Callable[[LifecycleEvent], None] = lambda _event: None,
    ) -> None:
        self.source = source
        self.sink = sink
        self.error: RtagentError | None = None
        """What ended it, unless it ended as it should."""
        self.ear: LocalEar | None = None
        """What hears speech on this side, if anything does."""
        self._clock = clock
        self._append = append
        self._tell_muted = muted
        self._wait_room = wait_room
        self._publish = publish
        self.backdrop: Backdrop | None = None
        """What is heard beside the voice, if anything is."""
        self._ears = Ears(source) if source is not None else None
        self._mouth = Mouth(sink, clock, self._dropped) if sink is not None else None
        self._scope = anyio.CancelScope()
        self._opened = anyio.Event()
        self._ended = anyio.Event()
        self._muted = False
        self._held = False
        self._finished = False
        self._formats: tuple[AudioFormat, AudioFormat] | None = None
        self._input: Converter | None = None

    def mute(self) -> None:
        """Send silence instead of what the source hears; the positions of the server stay right."""
        self._set(muted=True, held=self._held)

    def unmute(self) -> None:
        """Send what the source hears again, unless the conversation is on hold."""
        self._set(muted=False, held=self._held)

    @property
    def muted(self) -> bool:
        """Whether the program has muted the source."""
        return self._muted

    def hold(self) -> None:
        """Put the conversation on hold: the voice falls silent where it is, and the source is not heard.

        What is said meanwhile is kept, and heard from there after ``resume``.

        Raises:
            ConfigurationError: the sink cannot pause.
        """
        if self._mouth is not None:
            self._mouth.check_pauses()
            heard = self._mouth.pause("hold")
            if heard is not None and self._mouth.sounding:
                item_id, heard_ms = being_heard(heard)
                self._publish(
                    PlaybackPaused(at=self._clock.now(), item_id=item_id, heard_ms=heard_ms, reason="hold")
                )
        self._set(muted=self._muted, held=True)

    def resume(self) -> None:
        """End the hold: the voice goes on where it fell silent. Nothing happens without one."""
        paused_s = None if self._mouth is None else self._mouth.resume("hold")
        if self._mouth is not None and paused_s is not None and self._mouth.sounding:
            item_id, heard_ms = being_heard(self._mouth.sink.heard())
            self._publish(
                PlaybackResumed(
                    at=self._clock.now(),
                    item_id=item_id,
                    heard_ms=heard_ms,
                    reason="hold",
                    paused_ms=paused_s * 1000,
                )
            )
        self._set(muted=self._muted, held=False)

    @property
    def held(self) -> bool:
        """Whether the conversation is on hold."""
        return self._held

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

    def hear_turns(self, how: BargeIn | LocalTurns, floor: ConversationFloor) -> None:
        """Hear speech on this side as well; before ``run``.

        Raises:
            ConfigurationError: there is no source, the sink cannot pause, or the source is not mono PCM16.
        """
        if self._ears is None:
            message = "speech is heard on this side where a source is attached"
            raise ConfigurationError(message, hint="attach(Microphone(), …)")
        if self._mouth is not None:
            self._mouth.check_pauses()
        self.ear = LocalEar(self._ears, how, self._mouth, floor, self._clock)

    def add_sounds(self, sounds: Sounds, state: SessionState) -> None:
        """Let sounds be heard beside the voice of a session in that state; before ``run``.

        Raises:
            ConfigurationError: the sink mixes nothing in.
        """
        self.backdrop = Backdrop(self.sink, sounds)
        self.backdrop.follow(state)

    def set_formats(self, input_format: AudioFormat, output_format: AudioFormat) -> None:
        """What the server said it takes and sends; what did not change goes on without a seam."""
        if (input_format, output_format) == self._formats:
            return
        self._formats = (input_format, output_format)
        if self.source is not None:
            self._input = Converter.between(self.source.format, input_format)
        if self._mouth is not None:
            self._mouth.set_format(output_format)

    def play(self, item: PlaybackItem, pcm: bytes) -> None:
        """Queue audio of the assistant; a sink that fails is taken away."""
        if self._mouth is None or self._finished or self._scope.cancel_called:
            return
        try:
            self._mouth.play(item, pcm)
        except RtagentError as error:  # such as a device that was pulled out
            self.error = error
            self._scope.cancel()

    def stop(self) -> Heard | None:
        """Fall silent; None without a sink."""
        heard = None if self._mouth is None else self._mouth.stop()
        if self.ear is not None:
            self.ear.stopped()
        return heard

    def drain(self) -> None:
        """The last audio of a response was queued: tell when everything has been heard."""
        if self._mouth is not None:
            self._mouth.drain()

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
                    if self._mouth is not None:
                        self._mouth.begin()
                    if self.backdrop is not None:
                        self.backdrop.begin()
                    self._opened.set()
                    async with anyio.create_task_group() as group:
                        group.start_soon(self._carry_input)
                        if self.ear is not None:
                            group.start_soon(self.ear.run)
                        if self._mouth is not None:
                            group.start_soon(self._mouth.watch_first, first_heard)
                            group.start_soon(self._mouth.watch_drained, drained)
        except* RtagentError as failures:
            self.error = _first(failures)
        finally:
            self._finished = True
            if self._mouth is not None:
                self._mouth.end()
            if self.backdrop is not None:
                self.backdrop.end()
            self._opened.set()
            self._ended.set()

    def _dropped(self, ms: float) -> None:
        reason = "the sink takes long to open"
        self._publish(AudioDropped(at=self._clock.now(), ms=ms, reason=reason))

    def _set(self, *, muted: bool, held: bool) -> None:
        silent = self._muted or self._held
        self._muted, self._held = muted, held
        if self.backdrop is not None:
            self.backdrop.hold(held=held)
        if silent == (muted or held):
            return
        if self._ears is not None:
            self._ears.muted = not silent
        self._tell_muted(not silent)

    async def _carry_input(self) -> None:
        ears: AudioSource | None = self._ears if self.ear is None else self.ear.source
        if ears is not None:
            waits: bool = getattr(ears, "waits", False)
            async for block in ears.blocks():
                if self.ear is not None:
                    self.ear.hear(block)
                pcm = block.pcm if self._input is None else self._input.convert(block.pcm)
                if pcm:
                    self._append(pcm, block.at)
                if waits:
                    await self._wait_room()
        self._ended.set()


def _first(group: BaseExceptionGroup[RtagentError]) -> RtagentError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
