"""Where a setting stands in the sessions of each generation: settings put in and read out, as plain JSON.

The probe writes its own frames instead of using the codec's, since it has to see what a server makes of a
shape that no dialect would send it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, cast

__all__ = ("ABSENT", "Shape", "as_list", "as_mapping", "read", "response", "session")

Shape = Literal["nested", "flat", "voice_on_top", "model_on_top"]
Place = tuple[str, ...]


class _Absent:
    """What is read where there is nothing, which is not the same as null."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT: Final = _Absent()

_NESTED: Final[Mapping[str, Place]] = {
    "modalities": ("output_modalities",),
    "max_tokens": ("max_output_tokens",),
    "detection": ("audio", "input", "turn_detection"),
    "input_format": ("audio", "input", "format"),
    "output_format": ("audio", "output", "format"),
    "transcription": ("audio", "input", "transcription"),
}
_FLAT: Final[Mapping[str, Place]] = {
    "modalities": ("modalities",),
    "max_tokens": ("max_response_output_tokens",),
    "detection": ("turn_detection",),
    "input_format": ("input_audio_format",),
    "output_format": ("output_audio_format",),
    "transcription": ("input_audio_transcription",),
}
_PLACES: Final[Mapping[Shape, Mapping[str, Place]]] = {
    "nested": _NESTED,
    "voice_on_top": {**_NESTED, "detection": ("turn_detection",)},
    "flat": _FLAT,
    "model_on_top": _NESTED,
}
"""Sources: protocol document, sections 5, 8 and 10. What is not named here has the same name everywhere."""


def as_list(value: Any) -> Sequence[Any]:
    """The value if it is a JSON array; else an empty one."""
    return cast("Sequence[Any]", value) if isinstance(value, list) else ()


def as_mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a JSON object; else an empty one."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def session(shape: Shape, **settings: Any) -> dict[str, Any]:
    """The ``session`` of a ``session.update``."""
    return {**({} if shape == "flat" else {"type": "realtime"}), **response(shape, **settings)}


def response(shape: Shape, **settings: Any) -> dict[str, Any]:
    """The ``response`` of a ``response.create``."""
    tree: dict[str, Any] = {}
    for name, value in settings.items():
        *way, last = _PLACES[shape].get(name, (name,))
        place = tree
        for step in way:
            place = place.setdefault(step, {})
        place[last] = value
    return tree


def read(shape: Shape, snapshot: Mapping[str, Any], name: str) -> Any:
    """A setting of a session as a server shows it; ``ABSENT`` where it shows none."""
    value: Any = snapshot
    for step in _PLACES[shape].get(name, (name,)):
        value = as_mapping(value).get(step, ABSENT)
    return value
