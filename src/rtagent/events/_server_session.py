"""Server events about the session as a whole."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from ._model import Many, as_object
from ._response import ErrorDetail, RateLimit, RealtimeConversation
from ._server import ServerEvent
from ._session import RealtimeSession, SessionConfig

__all__ = (
    "ConversationCreated",
    "Error",
    "RateLimitsUpdated",
    "SessionCreated",
    "SessionUpdated",
)


class Error(ServerEvent, frozen=True):
    """Something went wrong; most errors leave the session open."""

    type: Literal["error"] = "error"
    error: ErrorDetail

    @model_validator(mode="before")
    @classmethod
    def _read_loosely(cls, value: Any) -> Any:
        """Some servers send the error as a string, or its fields beside it, or no error object at all."""
        frame = as_object(value)
        if frame is None or isinstance(frame.get("error"), ErrorDetail):
            return value
        error = frame.get("error")
        detail = as_object(error)
        if detail is None:
            beside = {name: frame[name] for name in ("code", "param") if isinstance(frame.get(name), str)}
            detail = {**beside, "message": error if isinstance(error, str) else frame.get("message")}
        standard = {"type": "unknown_error", "message": ""}
        missing = {name: text for name, text in standard.items() if detail.get(name) is None}
        return {**frame, "error": {**detail, **missing}}


class SessionCreated(ServerEvent, frozen=True):
    """The session is open; this is its configuration."""

    type: Literal["session.created"] = "session.created"
    session: SessionConfig = Field(default_factory=RealtimeSession)
    """Empty where a server does not say."""


class SessionUpdated(ServerEvent, frozen=True):
    """The configuration changed; this is the whole of it as it is in force now."""

    type: Literal["session.updated"] = "session.updated"
    session: SessionConfig = Field(default_factory=RealtimeSession)


class ConversationCreated(ServerEvent, frozen=True):
    """The session has a conversation."""

    type: Literal["conversation.created"] = "conversation.created"
    conversation: RealtimeConversation = Field(default_factory=RealtimeConversation)


class RateLimitsUpdated(ServerEvent, frozen=True):
    """How much may still be asked; a response that is starting is counted already."""

    type: Literal["rate_limits.updated"] = "rate_limits.updated"
    rate_limits: Many[RateLimit] = ()
