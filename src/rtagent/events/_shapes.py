"""Writing client events in the shape that a dialect takes.

What a program says in the protocol's words is said in the dialect's; fields that no table knows pass
as they are, null stays null and what was left out stays out. Objects that are a choice of forms
(turn detection, formats) move as a whole, since some servers do not merge them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from ._dialect import Dialect
from ._flat import RESPONSE_FIELDS, flatten, own_places
from ._model import as_object

__all__ = ("is_standard", "shaped")

_Shaper: TypeAlias = Callable[[dict[str, Any], Dialect], dict[str, Any]]
_TRANSCRIPTION_UPDATE = "transcription_session.update"


def is_standard(event_type: str, dialect: Dialect) -> bool:
    """Whether the dialect writes that event as the protocol does."""
    if event_type in dialect.spellings:
        return False
    match event_type:
        case "session.update":
            return dialect.session_shape == "nested"
        case "response.create":
            return (
                dialect.session_shape != "flat"
                and dialect.response_overrides
                and dialect.assistant_text == "output_text"
            )
        case "conversation.item.create":
            return dialect.assistant_text == "output_text"
        case _:
            return True


def shaped(raw: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    """The event as the dialect writes it; ``raw`` stays as it is.

    Raises:
        Unsupported: the dialect has no way to say this.
    """
    if dialect.protocol != "realtime":
        return _spelled(raw, dialect)
    shape = _SHAPERS.get(raw["type"], _spelled)
    return shape(raw, dialect)


def _spelled(raw: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    return {**raw, "type": dialect.spellings.get(raw["type"], raw["type"])}


def _session_update(raw: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    event = _spelled(raw, dialect)
    session: dict[str, Any] = raw["session"]
    if dialect.session_shape == "model_on_top":
        model = _model_of(session)
        return {"type": event["type"]} if model is None else {"type": event["type"], "model": model}
    event["session"] = flatten(session, own_places(dialect), dialect)
    if dialect.manual_by is not None and event["session"].get("turn_detection", "") is None:
        event["session"]["turn_detection"] = {"type": dialect.manual_by}
    if dialect.session_shape == "flat" and event["session"].pop("type", None) == "transcription":
        event["type"] = dialect.spellings.get(_TRANSCRIPTION_UPDATE, _TRANSCRIPTION_UPDATE)
    return event


def _model_of(session: dict[str, Any]) -> str | None:
    """The model of a session; that which writes speech down where nothing else is asked for."""
    model: str | None = session.get("model")
    if model is not None:
        return model
    ear = as_object((as_object(session.get("audio")) or {}).get("input")) or {}
    transcription = as_object(ear.get("transcription")) or {}
    return transcription.get("model")


def _item_create(raw: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    return {**_spelled(raw, dialect), "item": _item(raw["item"], dialect)}


def _item(item: Any, dialect: Dialect) -> Any:
    """An item whose assistant's text is spelled as the dialect spells it."""
    fields = as_object(item)
    content: Any = None if fields is None else fields.get("content")
    if fields is None or fields.get("role") != "assistant" or not isinstance(content, (list, tuple)):
        return item
    parts: list[Any] = [_part(part, dialect) for part in content]  # pyright: ignore[reportUnknownVariableType]
    return {**fields, "content": parts}


def _part(part: Any, dialect: Dialect) -> Any:
    fields = as_object(part)
    if fields is None or fields.get("type") not in ("output_text", "text"):
        return part
    return {**fields, "type": dialect.assistant_text}


def _response_create(raw: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    event = _spelled(raw, dialect)
    response = as_object(raw.get("response"))
    if response is None:
        return event
    if not dialect.response_overrides:
        _check_overrides(response, dialect)
        del event["response"]
        return event
    if dialect.session_shape == "flat":
        response = flatten(response, RESPONSE_FIELDS, dialect)
    context: Any = response.get("input")
    if context:
        response = {**response, "input": [_item(item, dialect) for item in context]}
    event["response"] = response
    return event


def _check_overrides(response: dict[str, Any], dialect: Dialect) -> None:
    for name, value in response.items():
        if not _says_nothing(name, value):
            raise dialect.unsupported(
                f"a response with its own {name}", hint="put it into the session, or leave it out"
            )


def _says_nothing(name: str, value: Any) -> bool:
    """Whether the response comes out the same without it: metadata is only a note of the program's."""
    return value is None or name == "metadata" or (name == "conversation" and value == "auto")


_SHAPERS: Mapping[str, _Shaper] = MappingProxyType(
    {
        "session.update": _session_update,
        "conversation.item.create": _item_create,
        "response.create": _response_create,
    }
)
