"""The exception for an error that the server reports, or for an answer that never came."""

from __future__ import annotations

from .. import events
from ..errors import RtagentError, ServerError, Timeout

__all__ = ("refusal",)

ANSWER_WITHIN_S = 10.0
"""How long the gate waits for ``response.created``."""


def refusal(error: events.ErrorDetail | None, event_id: str | None = None) -> RtagentError:
    """The exception for an error of the server; None is an answer that never came."""
    if error is None:
        return Timeout(f"an answer to {event_id}", waited_s=ANSWER_WITHIN_S)
    return ServerError(
        error.message or "the server refused the event",
        code=error.code,
        event_id=event_id,
        param=error.param,
        kind=error.type,
    )
