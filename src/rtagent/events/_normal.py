"""Bringing frames of other generations and vendors into the one shape that the event classes read.

Works on the parsed object, before validation, and says in words each way in which the frame is not what
its dialect has. Older names and shapes are understood in every dialect; they are a departure only
where the dialect does not have them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, TypeAlias

from ._dialect import Dialect
from ._flat import PLACES, RESPONSE_FIELDS, format_object, nest, own_places, rate_of
from ._model import as_object
from ._profiles import BETA
from ._registry import SERVER_EVENTS
from ._server import ALWAYS_SENT, ServerEvent
from ._session import RealtimeSession

__all__ = ("expected", "left_out", "normalise", "standard_name")

_Step: TypeAlias = Callable[[dict[str, Any], Dialect, list[str]], None]
_OPTIONAL = frozenset({"type", "previous_item_id", "languages", "logprobs", "obfuscation"})
"""Fields that the protocol itself may leave out."""
_OPTIONAL_OF = {
    "conversation.item.input_audio_transcription.delta": frozenset({"content_index", "delta"}),
    "input_audio_buffer.dtmf_event_received": frozenset({"event_id"}),
}
_ON_SESSIONS = frozenset({*RealtimeSession.model_fields, *PLACES}) - {"type"}
"""What belongs into a session, where a server writes it into the event itself."""
_WORDS_OF_THE_USER = "conversation.item.input_audio_transcription."


def standard_name(raw: dict[str, Any], dialect: Dialect, known: Container[str], departures: list[str]) -> str:
    """The type as the protocol spells it; the frame gets it too."""
    kind: str = raw["type"]
    if kind in known:
        return kind
    bare = kind.strip()
    name = dialect.aliases.get(bare)
    older = name is None and bare in BETA.aliases
    if name is None:
        name = BETA.aliases.get(bare, bare)
    if name not in known:
        return name
    if bare != kind:
        departures.append("there are blanks around the type")
    if older:
        departures.append(f"the type is written {bare!r}")
    raw["type"] = name
    if bare.startswith("transcription_session."):
        _session_of(raw, dialect, departures).setdefault("type", "transcription")
    return name


def normalise(raw: dict[str, Any], dialect: Dialect, departures: list[str]) -> None:
    """Give fields and objects the names and shapes of the protocol, in place."""
    kind: str = raw["type"]
    for theirs, ours in dialect.renamed_fields.get(kind, {}).items():
        if theirs in raw and ours not in raw:
            raw[ours] = raw.pop(theirs)
    if dialect.protocol != "realtime":
        return
    step = _STEPS.get(kind)
    if step is not None:
        step(raw, dialect, departures)
    elif kind.startswith(_WORDS_OF_THE_USER) and "item_id" in dialect.missing_fields:
        # What the user said is worth more than which item it belongs to.
        raw.setdefault("item_id", "")


def left_out(raw: dict[str, Any], model: type[ServerEvent], dialect: Dialect) -> list[str]:
    """The fields that the protocol has on this event and this frame has not."""
    return [
        f"{name} is missing"
        for name in expected(model)
        if name not in raw and name not in dialect.missing_fields
    ]


@cache
def expected(model: type[ServerEvent]) -> tuple[str, ...]:
    """The fields that the protocol has on every event of that class, though reading may do without.

    Of events that the catalogue of Realtime does not list, only the ids and indexes are expected.
    """
    kind: str = model.model_fields["type"].default
    if SERVER_EVENTS.get(kind) is not model:
        return tuple(name for name in model.model_fields if name in ALWAYS_SENT)
    optional = _OPTIONAL | _OPTIONAL_OF.get(kind, frozenset())
    return tuple(name for name in model.model_fields if name not in optional)


def _session_of(raw: dict[str, Any], dialect: Dialect, departures: list[str]) -> dict[str, Any]:
    """The session of an event, made of the event's own fields where it has none.

    A session that is no object stays for validation to report; nothing is done to it.
    """
    session: Any = raw.get("session")
    if session is None:
        if "session" not in dialect.missing_fields:
            departures.append("session is missing")
        raw["session"] = {name: raw.pop(name) for name in list(raw) if name in _ON_SESSIONS}
        session = raw["session"]
    fields = as_object(session)
    return {} if fields is None else fields


def _session(raw: dict[str, Any], dialect: Dialect, departures: list[str]) -> None:
    session = _session_of(raw, dialect, departures)
    _raise_to_today("session", session, PLACES, dialect, departures)
    ear = _side(session, "input")
    detection = as_object(ear.get("turn_detection"))
    if detection is not None and detection.get("type", "") in (None, dialect.manual_by):
        ear["turn_detection"] = None  # of no kind: turns are the program's


def _response(raw: dict[str, Any], dialect: Dialect, departures: list[str]) -> None:
    response = as_object(raw.get("response"))
    if response is None:
        return
    _raise_to_today("response", response, RESPONSE_FIELDS, dialect, departures)
    if response.get("usage") is None and as_object(raw.get("usage")) is not None:
        response["usage"] = raw["usage"]


def _raise_to_today(
    owner: str, fields: dict[str, Any], names: Container[str], dialect: Dialect, departures: list[str]
) -> None:
    """Give a session or a response today's shape, and its formats their objects and rates."""
    own = own_places(dialect)
    departures.extend(
        f"{owner}.{name} stands for {owner}.{'.'.join(PLACES[name])}"
        for name in nest(fields, names, dialect)
        if name not in own
    )
    for direction in ("input", "output"):
        side = _side(fields, direction)
        written: Any = side.get("format")
        rate = rate_of(direction, dialect)
        if isinstance(written, str):
            side["format"] = format_object(written, rate)
            if dialect.session_shape != "flat":
                departures.append(f"{owner}.audio.{direction}.format is a name")
        elif (form := as_object(written)) is not None and form.get("type") == "audio/pcm":
            _complete(form, rate)


def _complete(form: dict[str, Any], rate: int) -> None:
    """Say the rate where a format leaves it to the dialect, and the dialect's is not the protocol's."""
    if rate != 24_000:
        form.setdefault("rate", rate)


def _side(fields: dict[str, Any], direction: str) -> dict[str, Any]:
    audio = as_object(fields.get("audio")) or {}
    return as_object(audio.get(direction)) or {}


def _error(raw: dict[str, Any], dialect: Dialect, departures: list[str]) -> None:
    """Only says what is unusual: reading does without all of it."""
    if "error" not in raw:
        return
    error: Any = raw["error"]
    fields = as_object(error)
    expects_object = dialect.error_shape == "object"
    if fields is None:
        if expects_object or not isinstance(error, str):
            departures.append("error is not an object")
    elif expects_object:
        departures.extend(
            f"error.{name} is missing" for name in ("type", "message") if fields.get(name) is None
        )


_STEPS: Mapping[str, _Step] = MappingProxyType(
    {
        "session.created": _session,
        "session.updated": _session,
        "response.created": _response,
        "response.done": _response,
        "error": _error,
    }
)
