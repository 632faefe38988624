"""Bytes to events and back: the only place where JSON is read or written.

A server's frame that is what the protocol says is read in one step (``_exact``). Any other is read
carefully: JSON to a dictionary, names and shapes brought into order (``_normal``), the class by its
``type`` from a table, validation, and what does not fit taken out (``_salvage``). Nothing that a
server sends makes ``decode`` raise. Audio is decoded from base64 when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pybase64 import b64encode_as_string
from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from ..errors import LocalProtocolError
from ._client import ClientEvent, InputAudioBufferAppend
from ._dialect import Dialect, WireProtocol
from ._model import as_object
from ._normal import left_out, normalise, standard_name
from ._profiles import GA
from ._refusal import ClientEventError
from ._registry import CLIENT_EVENTS
from ._salvage import Unreadable, culprit, locate, name_of, said_of, salvaged
from ._server import MalformedFrame, ServerEvent, UnknownEvent, mark_departed
from ._shapes import is_standard, shaped
from ._vocabulary import APPEND_TYPES, vocabulary

__all__ = ("decode", "decode_client", "encode", "encode_append")

_HEAD_CHARACTERS = 200
_CODES = {"extra_forbidden": "unknown_parameter", "missing": "missing_required_parameter"}
"""The protocol's words for pydantic's; all others are ``invalid_value``."""


class _Readers(dict[WireProtocol, Callable[[str | bytes], ServerEvent | None]]):
    """The short way of each protocol, filled in when it is first taken: a look-up costs less than a call."""

    def __missing__(self, protocol: WireProtocol) -> Callable[[str | bytes], ServerEvent | None]:
        reader = self[protocol] = vocabulary(protocol).read_exactly
        return reader


_READERS = _Readers()
_APPEND_HEADS = {protocol: f'{{"type":"{kind}","audio":"' for protocol, kind in APPEND_TYPES.items()}
_APPEND_HEAD = _APPEND_HEADS[GA.protocol]


def decode(frame: str | bytes, dialect: Dialect = GA) -> ServerEvent:
    """Read one frame of a server; never raises.

    Returns:
        The event; an ``UnknownEvent`` if its type is unknown; a ``MalformedFrame`` if it is no event,
        or lacks what its type cannot do without. ``event.defects`` says what else had to be left out,
        ``event.departures`` in which ways it is not what the dialect has.
    """
    event = _READERS[dialect.protocol](frame)
    return event if event is not None else _carefully(frame, dialect)


def _carefully(frame: str | bytes, dialect: Dialect) -> ServerEvent:
    """Read what may be spelled, shaped or filled in another way than the protocol says."""
    try:
        raw = as_object(from_json(frame))
    except (ValueError, TypeError) as problem:  # TypeError: text that is not Unicode
        return _malformed(frame, f"not JSON: {problem}")
    if raw is None or not isinstance(raw.get("type"), str):
        return _malformed(frame, "not a JSON object with a type")
    departures: list[str] = []
    words = vocabulary(dialect.protocol)
    model = words.server.get(standard_name(raw, dialect, words.server, departures))
    if model is None:
        return _unknown(raw)
    normalise(raw, dialect, departures)
    try:
        event: ServerEvent = model.__pydantic_validator__.validate_python(raw)
    except ValidationError as problem:
        try:
            event = salvaged(model, raw, problem)
        except Unreadable as reason:
            return _malformed(frame, f"{raw['type']}: {reason}")
    departures.extend(left_out(raw, model, dialect))
    if departures:
        mark_departed(event, tuple(departures))
    return event


def _unknown(raw: dict[str, Any]) -> UnknownEvent:
    kind: str = raw["type"]
    event_id: Any = raw.get("event_id")
    if isinstance(event_id, str):
        return UnknownEvent(type=kind.strip(), event_id=event_id, raw=raw)
    return UnknownEvent(type=kind.strip(), raw=raw)


def _malformed(frame: str | bytes, reason: str) -> MalformedFrame:
    head = frame[:_HEAD_CHARACTERS]
    text = head.encode(errors="replace") if isinstance(head, str) else head
    return MalformedFrame(head=text.decode(errors="replace"), reason=reason)


def decode_client(frame: str | bytes) -> ClientEvent:
    """Read one frame of a client, as a server must: strictly.

    Raises:
        ClientEventError: it is no event; the error carries what an ``error`` event answers.
    """
    try:
        raw = as_object(from_json(frame))
    except (ValueError, TypeError) as problem:
        message = f"the frame is not JSON: {problem}"
        raise ClientEventError(message, code="invalid_json") from problem
    if raw is None:
        message = "the frame is not a JSON object"
        raise ClientEventError(message, code="invalid_json")
    given = raw.get("event_id")
    event_id = given if isinstance(given, str) else None
    model = _client_model(raw, event_id)
    try:
        event = model.model_validate(raw, extra="forbid")
    except ValidationError as problem:
        raise _refusal(raw, problem, event_id) from problem
    if isinstance(event, InputAudioBufferAppend):
        _ = event.pcm  # refuses what is no base64, and keeps what is
    return event


def _client_model(raw: dict[str, Any], event_id: str | None) -> type[ClientEvent]:
    if "type" not in raw:
        message = "an event needs a type"
        raise ClientEventError(message, code="missing_required_parameter", param="type", event_id=event_id)
    kind: Any = raw["type"]
    model = CLIENT_EVENTS.get(kind) if isinstance(kind, str) else None
    if model is None:
        message = f"{str(kind)[:_HEAD_CHARACTERS]!r} is no client event; there are {', '.join(CLIENT_EVENTS)}"
        raise ClientEventError(message, code="invalid_value", param="type", event_id=event_id)
    return model


def _refusal(raw: dict[str, Any], problem: ValidationError, event_id: str | None) -> ClientEventError:
    """The first fault, as the protocol names it."""
    error = problem.errors(include_url=False, include_input=False)[0]
    if _of_unknown_kind(error):
        param = name_of((*locate(raw, error)[:-1], "type"))
        message = f"{param}: Input should be a kind that the protocol has"
        return ClientEventError(message, code="invalid_value", param=param, event_id=event_id)
    param = culprit(raw, error)
    code = _CODES.get(error["type"], "invalid_value")
    return ClientEventError(f"{param}: {said_of(error)}", code=code, param=param, event_id=event_id)


def _of_unknown_kind(error: ErrorDetails) -> bool:
    """Whether a field is only unknown because the object that has it is of an unknown kind."""
    *_, owner, _field = ("", *error["loc"])
    return error["type"] == "extra_forbidden" and str(owner).startswith("Unknown")


def encode(event: ClientEvent | ServerEvent, dialect: Dialect = GA) -> str:
    """Write an event: only the fields that were set, null where null was set, in the dialect's shape.

    Raises:
        LocalProtocolError: a ``MalformedFrame``, which is a report and not an event of the wire.
        Unsupported: the dialect has no way to say this.
    """
    if isinstance(event, MalformedFrame):
        message = "a malformed frame cannot be sent"
        raise LocalProtocolError(message)
    if isinstance(event, UnknownEvent):
        return to_json(event.raw, inf_nan_mode="null").decode()
    if is_standard(event.type, dialect):
        return event.model_dump_json(exclude_unset=True)
    return to_json(shaped(event.model_dump(exclude_unset=True), dialect)).decode()


def encode_append(pcm: bytes, dialect: Dialect = GA) -> str:
    """Write the event that carries these samples in, without a model: base64 needs no escapes."""
    head = _APPEND_HEAD if dialect is GA else _APPEND_HEADS[dialect.protocol]
    return f'{head}{b64encode_as_string(pcm)}"}}'
