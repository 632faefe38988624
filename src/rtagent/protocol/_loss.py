"""Why there is no connection, and what that means (protocol document, section 14; rules K1 and K8).

A connection ends, or a dial fails, with up to three pieces of evidence: an error code of the API, the
status of a refused handshake, and a close code. The most exact one decides, in this order. The tables
say what each means; how long to wait and how often to try is the policy of the session, not of this room.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from .. import events
from ..errors import ConnectionFailed, ConnectionLost, EndOfStream, RtagentError, ServerError, Timeout

__all__ = ("Loss", "Outlook", "Verdict", "verdict_on")

Outlook = Literal["again", "later", "once", "stop"]
"""again: dial with back-off; later: with a longer one; once: one more try, then stop; stop: do not dial."""

_Judgement = tuple[Outlook, str]

HANG_UP = 1000
POLICY = 1008
TOO_BIG = 1009
BROKEN_OFF = frozenset({None, 1006, 1011})
"""How a connection ends about which nobody knows since when it was dead."""
PRIVATE = 3000
"""From here on, a close code says what its server or a library of it means by it."""
UNAUTHORIZED = 401
NOT_FOUND = 404

CLOSE_CODES: dict[int, _Judgement] = {
    1000: ("again", "the server closed the connection"),
    1001: ("again", "the server went away or the longest time of a session was over"),
    1002: ("once", "one of the two sides broke the WebSocket protocol"),
    1003: ("once", "the server does not take this type of data"),
    1005: ("again", "the connection was closed without a code"),
    1006: ("again", "the connection broke off"),
    1007: ("once", "one of the two sides sent text that is not UTF-8"),
    1009: ("again", "a message was too large"),
    1011: ("again", "the server failed, or did not answer a ping"),
    1012: ("again", "the server restarts"),
    1013: ("later", "the server has no capacity now"),
    1015: ("once", "TLS failed"),
    4000: ("stop", "the server refused the shape of our events: it does not speak this dialect"),
}
"""What a close code means; what is not here goes by its thousand."""

ERROR_CODES: dict[str, _Judgement] = {
    "session_expired": ("again", "the longest time of a session was over"),
    "rate_limit_exceeded": ("later", "a rate limit was exceeded"),
    "server_error": ("later", "the server failed"),
    "insufficient_quota": ("stop", "the account has no quota left"),
    "billing_hard_limit_reached": ("stop", "the spending limit of the account is reached"),
    "account_deactivated": ("stop", "the account is deactivated"),
    "invalid_api_key": ("stop", "the key is not valid"),
    "invalid_organization": ("stop", "the organization is not known, or the key does not belong to it"),
    "expired": ("again", "the longest time of the session was over"),
    "connection_lost": ("again", "the server lost the connection"),
    "close_requested": ("stop", "somebody asked for the end of the session"),
    "content": ("stop", "the server ended the session for what was said in it"),
    "remote_hangup": ("stop", "the other side hung up"),
    "beta_api_shape_disabled": ("stop", "the server no longer takes the beta's shape of events"),
}
"""The error codes that decide; all others say nothing about the next connection."""

STATUSES: dict[int, _Judgement] = {
    400: ("stop", "the server does not accept this request: check the address and the model"),
    401: ("once", "the key is missing, wrong or no longer valid"),
    403: ("stop", "the key may not do this"),
    404: ("stop", "there is no realtime endpoint at this address, or the model is not known"),
    408: ("later", "the server waited too long for the request"),
    425: ("later", "the server takes no request yet"),
    429: ("later", "there are too many requests"),
    503: ("later", "the server is not available now"),
}
"""What the status of a refused handshake means; what is not here goes by its hundred."""

_CAPACITY = re.compile(r"capacity|overload|\bbusy\b|\brate(?![a-z])|try again|unavailable", re.IGNORECASE)
"""What a server says that closes with 1008 because it is full."""
_WORD = re.compile(r"[a-z]+(?:_[a-z]+)+")
_KEY = re.compile(r"\b(?:sk-|ek_)[\w-]{6,}|\bbearer\s+\S+", re.IGNORECASE)
_LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class Loss:
    """What is known about a connection that ended, or about a dial that led to none."""

    code: int | None = None
    """The WebSocket close code; None when the socket just vanished, and for most failed dials."""
    reason: str = ""
    """What came with the close code, or the text of the failure."""
    error: events.ErrorDetail | None = None
    """The last ``error`` of the server on this connection that named no event of ours."""
    status: int | None = None
    """The HTTP status of a refused handshake."""
    retryable: bool = True
    """For a failed dial without a status and a code: whether another one may succeed."""
    retry_after_s: float | None = None
    """How long the server asks to be left alone, in seconds."""
    error_code: str | None = None
    """The API's error code in the answer to a handshake; it goes before the code of ``error``."""
    by_handshake: bool = False
    """Whether the dial failed: no session was open."""

    @classmethod
    def of(cls, error: RtagentError, *, said: events.ErrorDetail | None = None) -> Loss:
        """What a transport, or the opening of a session, raised.

        Args:
            error: how it ended.
            said: the last ``error`` event of that connection that named no event of ours.
        """
        match error:
            case ConnectionLost() | EndOfStream():
                return cls(code=error.code, reason=error.reason, error=said)
            case ConnectionFailed(__cause__=ConnectionLost() | EndOfStream() as end):
                # Lost before the session began; the code is what the server said until then.
                return replace(cls.of(end, said=said), error_code=error.code, by_handshake=True)
            case ConnectionFailed():
                return cls(
                    reason=str(error),
                    error=said,
                    status=error.status,
                    retryable=error.retryable,
                    retry_after_s=error.retry_after_s,
                    error_code=error.code,
                    by_handshake=True,
                )
            case ServerError():
                return cls(
                    reason=str(error), error=said, retryable=False, error_code=error.code, by_handshake=True
                )
            case _:
                return cls(
                    reason=str(error), error=said, retryable=isinstance(error, Timeout), by_handshake=True
                )

    @property
    def decisive_code(self) -> str | None:
        """The API's error code that decides what comes next, without a prefix; None when none does."""
        said = () if self.error is None else (self.error.code, self.error.type)
        named = (code.removeprefix("invalid_request_error.") for code in (self.error_code, *said) if code)
        return next((code for code in named if code in ERROR_CODES), None)

    @property
    def deaf(self) -> bool:
        """Whether the connection may have been dead for a while before its end was noticed."""
        return not self.by_handshake and self.code in BROKEN_OFF

    @property
    def description(self) -> str:
        """One line for messages, without secrets."""
        decisive = self.decisive_code
        if self.status is not None:
            answered = f"the handshake was answered {self.status}"
            return f"{answered}: {decisive}" if decisive else answered
        if decisive is not None:
            return decisive
        reason = _line(self.reason)
        if self.code is not None:
            return f"code {self.code}: {reason}" if reason else f"code {self.code}"
        return reason or ("no session could be opened" if self.by_handshake else "the socket vanished")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a loss means for the next connection."""

    outlook: Outlook
    why: str
    """What happened, as a clause for people; with ``stop`` it says why no dial can help."""
    resend: bool = True
    """False: what was not answered must not be sent again as it is (1009, a message too large)."""


def verdict_on(loss: Loss, *, sideband: bool = False) -> Verdict:
    """What a loss means.

    Args:
        loss: what is known.
        sideband: whether the session goes with a call: it ends with it, and a fresh call takes some
            seconds until its id is known.
    """
    outlook, why = _judged(loss, sideband=sideband)
    return Verdict(outlook, why, resend=loss.code != TOO_BIG)


def _judged(loss: Loss, *, sideband: bool) -> _Judgement:
    decisive = loss.decisive_code
    if sideband and loss.code == HANG_UP:
        return "stop", "the call has ended"
    if loss.status == UNAUTHORIZED and decisive == "invalid_api_key":
        return STATUSES[UNAUTHORIZED]  # the next dial asks for the key again: this one may have run out
    if decisive is not None:
        return ERROR_CODES[decisive]
    if loss.status is not None:
        return _by_status(loss.status, sideband=sideband)
    if loss.code is not None:
        return _by_close_code(loss.code, loss)
    if loss.by_handshake and not loss.retryable:
        return "stop", f"another dial would fail in the same way: {loss.description}"
    return "again", loss.description


def _by_status(status: int, *, sideband: bool) -> _Judgement:
    if sideband and status == NOT_FOUND:
        return "again", "the call is not known yet"
    known = STATUSES.get(status)
    if known is not None:
        return known
    match status // 100:
        case 5:
            return "again", f"the server failed ({status})"
        case 4:
            return "stop", f"the server refused the handshake ({status})"
        case _:
            return "stop", f"the server answered {status} and opened no WebSocket: check the address"


def _by_close_code(code: int, loss: Loss) -> _Judgement:
    named = next((word for word in _WORD.findall(loss.reason) if word in ERROR_CODES), "")
    outlook, why = ERROR_CODES.get(named, ("again", ""))
    if outlook == "stop" and (code == POLICY or code >= PRIVATE):
        return outlook, why
    if code == POLICY:
        if _CAPACITY.search(loss.reason):
            return "later", f"the server is full ({loss.description})"
        return "stop", f"the server does not allow this session ({loss.description})"
    if code in CLOSE_CODES:
        return CLOSE_CODES[code]
    match code // 1000:
        case 3:
            return "stop", f"a library or framework of the server ended the session ({loss.description})"
        case 4:
            return "stop", f"the server ended the session for a reason of its own ({loss.description})"
        case _:
            return "again", f"the connection ended ({loss.description})"


def _line(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(_KEY.sub("<hidden>", shown).split())[:_LONGEST_TEXT]
