"""The user's turns: from appended audio to items, by turn detection or by the client's commits (S18, S19)."""

from __future__ import annotations

from .. import events
from ..audio import AudioFormat
from ._config import SessionConfig
from ._conversation_entry import Entry, Sound
from ._conversation_hearing import Hearing
from ._conversation_items import ItemLedger
from ._conversation_replies import Replies
from ._conversation_work import Conclude, Feed, Forget, Outlet, PartKey
from ._input import DetectorFactory, InputAudio
from ._turns import SpeechStarted

__all__ = ("Turns",)


class Turns:
    """Owns the input audio and the utterance that the recogniser is hearing."""

    def __init__(
        self,
        out: Outlet,
        config: SessionConfig,
        ledger: ItemLedger,
        hearing: Hearing,
        replies: Replies,
        detectors: DetectorFactory,
    ) -> None:
        self._out = out
        self._config = config
        self._ledger = ledger
        self._hearing = hearing
        self._replies = replies
        self._input = InputAudio(config.input_format, config.turn_taking, detectors)
        self._part: PartKey | None = None
        self._fed_ms = 0.0
        self._quiet_since_ms: float | None = None
        """When the last answer has been played to its end; None while it is anybody's turn."""

    @property
    def begun(self) -> bool:
        """Whether any audio was ever appended."""
        return self._input.buffer.ends_ms > 0

    def configure(self) -> None:
        """Take over what an update changed; speech that was going on is void, its audio stays pending."""
        if self._input.configure(self._config.input_format, self._config.turn_taking):
            self._forget()
            self._quiet_since_ms = None

    def append(self, audio: bytes) -> None:
        """Take in audio; never answered (S18)."""
        self._notice_answers()
        for turn in self._input.append(audio):
            if isinstance(turn, SpeechStarted):
                self._started(turn.audio_start_ms)
            else:
                self._stopped(turn.audio_end_ms)
        if self._part is None and self._config.turn_taking is None:
            self._listen(self._out.new_id("item"), self._input.buffer.begins_ms, announced=False)
        self._feed(self._input.buffer.ends_ms)
        self._break_silence()
        self._input.forget_silence()

    def commit(self) -> None:
        """Make an item of everything that is held; no response follows by itself."""
        layout = self._input.buffer.format
        audio = self._input.take()
        part = self._part
        if part is None:
            part = PartKey(self._out.new_id("item"), 0)
            self._out.order(Feed(part, layout, audio))
        self._commit(part, audio, layout)

    def clear(self) -> None:
        """Drop everything that is held."""
        self._input.clear()
        self._forget()
        self._out.send(events.InputAudioBufferCleared())

    def _started(self, start_ms: int) -> None:
        self._input.speech_began_ms = float(start_ms)
        item_id = self._out.new_id("item")
        self._out.send(events.InputAudioBufferSpeechStarted(item_id=item_id, audio_start_ms=start_ms))
        self._listen(item_id, start_ms, announced=True)
        taking = self._config.turn_taking
        if taking is not None and taking.interrupt_response:
            self._replies.interrupt()

    def _stopped(self, end_ms: int) -> None:
        part = self._part
        if part is None:  # a commit or clear in between has taken the speech already
            return
        self._feed(end_ms)
        layout = self._input.buffer.format
        audio = self._input.take_speech(end_ms)
        self._out.send(events.InputAudioBufferSpeechStopped(item_id=part.item_id, audio_end_ms=end_ms))
        self._commit(part, audio, layout)
        taking = self._config.turn_taking
        if taking is not None and taking.create_response:
            self._replies.create_automatic()

    def _notice_answers(self) -> None:
        """An answer that ended since the last append plays for its duration from here on (Z1)."""
        voice_ms = self._replies.take_finished_voice_ms()
        if voice_ms is not None:
            self._quiet_since_ms = self._input.buffer.ends_ms + voice_ms

    def _break_silence(self) -> None:
        """After the configured time without a word the silence becomes a turn of the user (Z1)."""
        if self._part is not None or self._replies.active:
            self._quiet_since_ms = None
        taking, since_ms, now_ms = self._config.turn_taking, self._quiet_since_ms, self._input.buffer.ends_ms
        if taking is None or taking.idle_timeout_ms is None or since_ms is None:
            return
        if now_ms - since_ms < taking.idle_timeout_ms:
            return
        self._quiet_since_ms = None
        item_id = self._out.new_id("item")
        self._out.send(
            events.InputAudioBufferTimeoutTriggered(
                item_id=item_id, audio_start_ms=int(since_ms), audio_end_ms=int(now_ms)
            )
        )
        layout = self._input.buffer.format
        silence = self._input.buffer.between(since_ms, now_ms)
        self._input.buffer.drop_before(now_ms)
        self._add(item_id, Sound(layout, bytearray(silence), layout.ms_of(len(silence)), text=""))
        if taking.create_response:
            self._replies.create_automatic()

    def _listen(self, item_id: str, from_ms: float, *, announced: bool) -> None:
        self._part = PartKey(item_id, 0)
        self._fed_ms = max(from_ms, self._input.buffer.begins_ms)
        self._hearing.begin(self._part, announced=announced)

    def _feed(self, until_ms: float) -> None:
        if self._part is None:
            return
        audio = self._input.buffer.between(self._fed_ms, until_ms)
        self._fed_ms = max(self._fed_ms, until_ms)
        if audio:
            self._out.order(Feed(self._part, self._input.buffer.format, audio))

    def _commit(self, part: PartKey, audio: bytes, layout: AudioFormat) -> None:
        self._part = None
        self._out.order(Conclude(part))
        sound = Sound(layout, bytearray(audio), layout.ms_of(len(audio)))
        self._add(part.item_id, sound)
        self._hearing.expect(part, sound)

    def _add(self, item_id: str, sound: Sound) -> None:
        item = events.UserMessage(
            id=item_id, object="realtime.item", status="completed", content=[events.InputAudio()]
        )
        entry = Entry(item, {0: sound})
        self._out.send(
            events.InputAudioBufferCommitted(item_id=item_id, previous_item_id=self._ledger.last_id)
        )
        self._ledger.announce(entry)
        self._ledger.finish(entry)

    def _forget(self) -> None:
        if self._part is not None:
            self._out.order(Forget(self._part))
            self._hearing.forget(self._part)
            self._part = None
