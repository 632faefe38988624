"""Reading the frames of one connection, one after the other.

Theory of operation. Nearly all bytes that a session reads are audio deltas, and consecutive ones are the
same text but for two values: their own id and the audio. So the decoder keeps the last delta as a likeness:
the text before the id, between both, and behind the audio. A frame with these texts in these places,
whose id is a plain word and whose audio is plain base64, can only mean the same event with another id and
other audio, so it is not parsed again. Whatever is different in any way is read by ``decode``, whose
results these are in every respect; that the two places really are those values is tried out once, by
reading a frame in which they are exchanged.
"""

from __future__ import annotations

from typing import Any

from pybase64 import b64decode
from pydantic import BaseModel
from pydantic_core import from_json

from ._codec import decode
from ._dialect import Dialect
from ._profiles import GA
from ._server import ServerEvent
from ._server_response import ResponseOutputAudioDelta

__all__ = ("Decoder",)

_FIELDS = tuple(ResponseOutputAudioDelta.model_fields)

# The slots of a model, set as pydantic's own validator does: a frozen model has no other way, and the
# values come from a model that was validated.
_set_fields = BaseModel.__dict__["__dict__"].__set__
_set_fields_set = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private = BaseModel.__dict__["__pydantic_private__"].__set__


class Decoder:
    """Reads the frames of one connection; like ``decode``, and faster where frames resemble each other.

    Args:
        dialect: what the server speaks.
    """

    def __init__(self, dialect: Dialect = GA) -> None:
        self._dialect = dialect
        self._likeness: _Likeness | None = None

    def decode(self, frame: str | bytes) -> ServerEvent:
        """Read one frame of a server; never raises. See ``rtagent.events.decode``."""
        likeness = self._likeness
        if likeness is not None and isinstance(frame, str) and frame.startswith(likeness.before):
            alike = likeness.read(frame)
            if alike is not None:
                return alike
        event = decode(frame, self._dialect)
        if isinstance(event, ResponseOutputAudioDelta) and isinstance(frame, str):
            self._likeness = _Likeness.of(frame, event)
        return event


class _Likeness:
    """An audio delta whose like may come again."""

    __slots__ = ("_after", "_audio_at", "_between", "_fields", "_fields_set", "_id_at", "_id_to", "before")

    def __init__(self, frame: str, fields: dict[str, Any], id_at: int, audio_at: int) -> None:
        self._id_at, self._id_to = id_at, id_at + len(fields["event_id"])
        self._audio_at = audio_at
        self.before = frame[:id_at]
        """The text that a frame alike begins with."""
        self._between = frame[self._id_to : audio_at]
        self._after = frame[audio_at + len(fields["delta"]) :]
        self._fields = fields
        self._fields_set = set(fields)

    @classmethod
    def of(cls, frame: str, event: ResponseOutputAudioDelta) -> _Likeness | None:
        """The likeness of a frame that was read; None where its id and its audio cannot be exchanged."""
        known = vars(event)
        fields = {name: known[name] for name in _FIELDS}
        event_id, delta = event.event_id, event.delta
        if not event_id or not delta or event.departures or len(event.model_fields_set) != len(fields):
            return None
        audio_at = frame.find(delta)
        id_at = frame.find(event_id, 0, max(0, audio_at))
        if id_at < 0:  # the id stands behind the audio, or either is written with escapes
            return None
        likeness = cls(frame, fields, id_at, audio_at)
        return likeness if likeness._holds() else None

    def _holds(self) -> bool:
        """Whether a frame in which both were exchanged differs in these two values and nowhere else."""
        other_id = "x" * (self._id_to - self._id_at)
        try:
            raw = from_json(f"{self.before}{other_id}{self._between}AAAA{self._after}")
        except ValueError:  # the id was found in the frame's own punctuation, such as ":" or null
            return False
        # The type may be written as its dialect writes it: that was found right when the frame was read.
        return bool(
            {**raw, "type": self._fields["type"]} == {**self._fields, "event_id": other_id, "delta": "AAAA"}
        )

    def read(self, frame: str) -> ResponseOutputAudioDelta | None:
        """The event, if the frame is alike; its beginning was compared already."""
        if not (frame.startswith(self._between, self._id_to) and frame.endswith(self._after)):
            return None
        event_id = frame[self._id_at : self._id_to]
        delta = frame[self._audio_at : -len(self._after)]
        if not event_id.isidentifier():
            return None
        try:
            pcm = b64decode(delta, None, True)
        except ValueError:
            return None
        fields: dict[str, Any] = self._fields.copy()
        fields["event_id"] = event_id
        fields["delta"] = delta
        fields["audio"] = pcm  # as if it had been asked for
        event = ResponseOutputAudioDelta.__new__(ResponseOutputAudioDelta)
        _set_fields(event, fields)
        _set_fields_set(event, self._fields_set.copy())
        _set_extra(event, {})
        _set_private(event, None)
        return event
