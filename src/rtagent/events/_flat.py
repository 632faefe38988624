"""The older form of session and response objects: all on one level (protocol document, section 8).

``PLACES`` says where each field of the older form stands today, and both directions are read from it:
``nest`` while a frame is read, ``flatten`` while one is written.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from ._dialect import Dialect
from ._model import as_object

__all__ = ("PLACES", "RESPONSE_FIELDS", "flatten", "format_object", "nest", "own_places", "rate_of")

PLACES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "modalities": ("output_modalities",),
        "voice": ("audio", "output", "voice"),
        "speed": ("audio", "output", "speed"),
        "input_audio_format": ("audio", "input", "format"),
        "output_audio_format": ("audio", "output", "format"),
        "input_audio_transcription": ("audio", "input", "transcription"),
        "input_audio_noise_reduction": ("audio", "input", "noise_reduction"),
        "turn_detection": ("audio", "input", "turn_detection"),
        "max_response_output_tokens": ("max_output_tokens",),
    }
)
"""Fields of the older form, and the way to where they stand today."""
RESPONSE_FIELDS = ("modalities", "voice", "output_audio_format", "max_response_output_tokens")
"""Those that a response has, too."""
_OWN_PLACES = {"flat": frozenset(PLACES), "voice_on_top": frozenset({"voice", "turn_detection"})}
_FORMATS = {
    "pcm": "audio/pcm",
    "pcm16": "audio/pcm",
    "pcm24": "audio/pcm",
    "g711_ulaw": "audio/pcmu",
    "g711_alaw": "audio/pcma",
}
_NAMED_RATES = {"pcm24": 24_000}
_NAMES = {"audio/pcmu": "g711_ulaw", "audio/pcma": "g711_alaw"}


def own_places(dialect: Dialect) -> frozenset[str]:
    """The fields that the dialect itself has on the top level of a session."""
    return _OWN_PLACES.get(dialect.session_shape, frozenset())


def rate_of(direction: str, dialect: Dialect) -> int:
    """The PCM rate that holds where a format names none, in Hz."""
    return dialect.input_rates[0] if direction == "input" else dialect.output_rates[0]


def format_object(name: str, rate: int) -> dict[str, Any]:
    """A format as an object, from its name; unknown names become its type."""
    kind = _FORMATS.get(name, name)
    return {"type": kind, "rate": _NAMED_RATES.get(name, rate)} if kind == "audio/pcm" else {"type": kind}


def nest(fields: dict[str, Any], names: Container[str], dialect: Dialect) -> list[str]:
    """Move fields of the older form to where they stand today, in place.

    A field that is there in both places keeps the value of the dialect's own place, and the other
    one stays where it is if it would have to give way.

    Returns:
        The names that were found.
    """
    found = [name for name in PLACES if name in fields and name in names]
    own = own_places(dialect)
    for name in found:
        *above, last = PLACES[name]
        owner = _owner(fields, above, make=True)
        if owner is not None and (name in own or last not in owner):
            owner[last] = _as_today(name, fields.pop(name), dialect)
    return found


def flatten(fields: Mapping[str, Any], names: Container[str], dialect: Dialect) -> dict[str, Any]:
    """The same fields, those that are named in their older form; all others stay where they are.

    Raises:
        Unsupported: a rate that the older form has no word for.
    """
    flat = _copied(fields)
    for name, (*above, last) in PLACES.items():
        if name not in names:
            continue
        owner = _owner(flat, above)
        if owner is not None and last in owner:
            flat[name] = _as_before(name, owner.pop(last), dialect)
    _drop_emptied(flat, fields)
    return flat


def _owner(fields: dict[str, Any], above: Sequence[str], *, make: bool = False) -> dict[str, Any] | None:
    """The object on that way, made where there is none if wished; None where there is no object."""
    owner = fields
    for step in above:
        if make and owner.get(step) is None:
            owner[step] = {}
        inner = as_object(owner.get(step))
        if inner is None:
            return None
        owner = inner
    return owner


def _copied(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A copy whose ``audio`` may be changed down to its second level."""
    audio = as_object(fields.get("audio"))
    if audio is None:
        return dict(fields)
    sides = {side: value if as_object(value) is None else dict(value) for side, value in audio.items()}
    return {**fields, "audio": sides}


def _drop_emptied(flat: dict[str, Any], fields: Mapping[str, Any]) -> None:
    """Take away the objects that held nothing but what was moved."""
    audio = as_object(flat.get("audio"))
    if audio is None:
        return
    before: Mapping[str, Any] = fields["audio"]
    for side in [side for side, value in audio.items() if value == {} and before[side]]:
        del audio[side]
    if not audio and before:
        del flat["audio"]


def _as_today(name: str, value: Any, dialect: Dialect) -> Any:
    if name == "modalities":
        # The older form has to name both where an answer is spoken; today a voice always has its words.
        return ["audio"] if _spoken(value) else value
    if name.endswith("_format") and isinstance(value, str):
        return format_object(value, rate_of(_direction(name), dialect))
    return value


def _as_before(name: str, value: Any, dialect: Dialect) -> Any:
    if name == "modalities":
        return ["text", "audio"] if _spoken(value) else value
    if name.endswith("_format"):
        return _format_name(value, _direction(name), dialect)
    return value


def _spoken(modalities: Any) -> bool:
    return isinstance(modalities, (list, tuple)) and "audio" in modalities


def _direction(name: str) -> str:
    return name.partition("_")[0]


def _format_name(value: Any, direction: str, dialect: Dialect) -> Any:
    fields = as_object(value)
    if fields is None:
        return value
    kind = cast("str", fields.get("type"))
    if kind == "audio/pcm":
        rate: int | None = fields.get("rate")
        if rate not in (None, rate_of(direction, dialect)):
            raise dialect.unsupported(f"{direction} of PCM at {rate} Hz")
        return dialect.pcm_name
    name = _NAMES.get(kind)
    if name is not None:
        return name
    return kind if set(fields) == {"type"} else value
