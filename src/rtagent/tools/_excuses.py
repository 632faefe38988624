"""What a program's code raised, in words for a log and for a model."""

from __future__ import annotations

import traceback

from ._faults import shortened

__all__ = ("MESSAGE_CHARS", "place_of", "words_of")

MESSAGE_CHARS = 500


def words_of(error: BaseException) -> str:
    """The type and the message of an exception, bounded."""
    kind = type(error).__name__
    try:
        message = shortened(str(error), MESSAGE_CHARS)
    except Exception:  # noqa: BLE001 - its own __str__ is broken; the type is reported all the same
        message = ""
    return f"{kind}: {message}" if message else kind


def place_of(error: BaseException) -> str:
    """Where it was raised; a whole traceback would read source files, and this is the event loop."""
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    return f"{frame.f_code.co_filename}:{line}"
