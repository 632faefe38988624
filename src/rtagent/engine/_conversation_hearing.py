"""What is being recognised, and the transcription events that a client may have asked for."""

from __future__ import annotations

from dataclasses import dataclass

from .. import events
from ._config import SessionConfig
from ._conversation_entry import Entry, Sound
from ._conversation_items import ItemLedger
from ._conversation_work import Outlet, PartKey, Recognise

__all__ = ("Hearing",)


@dataclass(slots=True)
class _Utterance:
    sound: Sound | None = None
    """Where the words go; None while the user still speaks."""
    announced: bool = False
    """Whether the client knows the item's id."""
    told: str = ""
    """The transcript as far as it was sent in deltas."""
    latest: str = ""
    """The newest partial transcript."""


class Hearing:
    """Owns the recognitions that are under way.

    Recognition always happens, since the brain works on words; its events are sent only when the session
    asks for transcription. A partial that takes words back is held until it only adds again, because a
    delta cannot be unsaid; the final transcript replaces them all (O4).
    """

    def __init__(self, out: Outlet, config: SessionConfig, ledger: ItemLedger) -> None:
        self._out = out
        self._config = config
        self._ledger = ledger
        self._under_way: dict[PartKey, _Utterance] = {}

    @property
    def busy(self) -> bool:
        """Whether complete audio still waits for its words."""
        return any(utterance.sound is not None for utterance in self._under_way.values())

    def begin(self, part: PartKey, *, announced: bool) -> None:
        """The user began to speak; with turn detection the client knows the coming item's id already."""
        self._under_way[part] = _Utterance(announced=announced)

    def expect(self, part: PartKey, sound: Sound) -> None:
        """The audio is complete and its item is announced: the words are to go there."""
        utterance = self._under_way.setdefault(part, _Utterance())
        utterance.sound = sound
        utterance.announced = True
        self._tell(part, utterance)

    def order(self, entry: Entry) -> None:
        """Have the audio recognised that came whole with an item."""
        for part in entry.unheard():
            sound = entry.sounds[part.content_index]
            self.expect(part, sound)
            self._out.order(Recognise(part, sound.format, bytes(sound.data)))

    def forget(self, part: PartKey) -> None:
        """The audio became void."""
        self._under_way.pop(part, None)

    def partial(self, part: PartKey, text: str) -> None:
        """What has been understood until now."""
        utterance = self._under_way.get(part)
        if utterance is not None:
            utterance.latest = text
            self._tell(part, utterance)

    def recognised(self, part: PartKey, text: str) -> None:
        """The words are final."""
        sound = self._conclude(part, text)
        entry = self._ledger.find(part.item_id)
        if sound is None or entry is None or not self._config.transcribes:
            return
        entry.replace_part(part.content_index, events.InputAudio(transcript=text))
        self._out.send(
            events.ConversationItemInputAudioTranscriptionCompleted.model_validate(
                {
                    "item_id": part.item_id,
                    "content_index": part.content_index,
                    "transcript": text,
                    "usage": {"type": "duration", "seconds": round(sound.ms / 1000, 3)},
                }
            )
        )

    def failed(self, part: PartKey, message: str) -> None:
        """The words will never be known; the conversation goes on without them."""
        sound = self._conclude(part, None)
        if sound is None or self._ledger.find(part.item_id) is None or not self._config.transcribes:
            return
        self._out.send(
            events.ConversationItemInputAudioTranscriptionFailed.model_validate(
                {
                    "item_id": part.item_id,
                    "content_index": part.content_index,
                    "error": {
                        "type": "transcription_error",
                        "code": "audio_unintelligible",
                        "message": message,
                    },
                }
            )
        )

    def _conclude(self, part: PartKey, text: str | None) -> Sound | None:
        utterance = self._under_way.pop(part, None)
        if utterance is None or utterance.sound is None:
            return None
        utterance.sound.text = text or ""
        if text is not None:
            utterance.latest = text
            self._tell(part, utterance)
        return utterance.sound

    def _tell(self, part: PartKey, utterance: _Utterance) -> None:
        fresh = utterance.latest.removeprefix(utterance.told)
        adds = utterance.latest.startswith(utterance.told) and fresh
        if not adds or not utterance.announced or not self._config.transcribes:
            return
        if utterance.sound is not None and self._ledger.find(part.item_id) is None:
            return
        utterance.told = utterance.latest
        self._out.send(
            events.ConversationItemInputAudioTranscriptionDelta(
                item_id=part.item_id, content_index=part.content_index, delta=fresh
            )
        )
