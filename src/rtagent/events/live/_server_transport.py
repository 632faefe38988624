"""Server events about the telephone call behind a session; they come over an attached socket."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .._response import ErrorDetail
from .._server import ServerEvent
from ._server import LiveServerEvent

__all__ = (
    "TransportAnswered",
    "TransportDtmfReceived",
    "TransportDtmfSending",
    "TransportDtmfSent",
    "TransportFailed",
    "TransportRinging",
)


class TransportDtmfReceived(ServerEvent, frozen=True):
    """The other side pressed a key."""

    type: Literal["transport.dtmf.received"] = "transport.dtmf.received"
    event: str = ""
    """The key (RFC 4733)."""


class TransportDtmfSending(LiveServerEvent, frozen=True):
    """A key is about to be pressed on our side, as some client asked.

    The wire calls it ``transport.dtmf.send``, as it calls the client's own event; that one has the name
    ``TransportDtmfSend``.
    """

    type: Literal["transport.dtmf.send"] = "transport.dtmf.send"
    event: str = ""


class TransportDtmfSent(LiveServerEvent, frozen=True):
    """The key was pressed."""

    type: Literal["transport.dtmf.sent"] = "transport.dtmf.sent"
    event: str = ""


class _OfCall(ServerEvent, frozen=True):
    session_id: str | None = None


class TransportRinging(_OfCall, frozen=True):
    """The call is ringing at the other side."""

    type: Literal["transport.ringing"] = "transport.ringing"


class TransportAnswered(_OfCall, frozen=True):
    """The other side took the call."""

    type: Literal["transport.answered"] = "transport.answered"


class TransportFailed(_OfCall, frozen=True):
    """The call did not come about."""

    type: Literal["transport.failed"] = "transport.failed"
    error: ErrorDetail = Field(default_factory=ErrorDetail)
