"""What can go wrong between a client and a server, by name.

A fault says when it is due: by default as soon as its connection is open, with ``on`` at the ``nth``
event of that type. What a fault does to "the next" event it does to the very event that made it due,
if that one comes from the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

from ..errors import ConfigurationError

__all__ = (
    "Close",
    "Delay",
    "Drop",
    "Duplicate",
    "Expire",
    "Fault",
    "HalfOpen",
    "LateCancelError",
    "LateTranscripts",
    "Malformed",
    "RateLimit",
    "Refuse",
    "Reorder",
    "SilentTruncate",
    "SlowRead",
    "SlowWrite",
    "TooBig",
)

EXPIRED = "Your session hit the maximum duration of 60 minutes."
HANDSHAKE = "handshake"
REASON_BYTES = 123


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong once, when it is due."""

    _: KW_ONLY
    on: str = ""
    """The type of the event that makes it due; none for at once."""
    by: Literal["server", "client"] = "server"
    """Whether that is an event about to be sent, or one just received."""
    nth: int = 1
    """Which event of that type, counted from 1."""
    connection: int | None = 1
    """Which connection of the server, counted from 1; None for every one."""

    def __post_init__(self) -> None:
        if self.by not in ("server", "client"):
            message = f"{self!r}: events are sent by the server or by the client"
            raise ConfigurationError(message)
        if self.nth < 1 or (self.connection is not None and self.connection < 1):
            message = f"{self!r}: events and connections are counted from 1"
            raise ConfigurationError(message)


@dataclass(frozen=True)
class Drop(Fault):
    """The network ends the connection without a close frame."""


@dataclass(frozen=True)
class Close(Fault):
    """The server closes with a code and a reason."""

    code: int = 1000
    reason: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_close(self.code, self.reason)


@dataclass(frozen=True)
class TooBig(Close):
    """The server closes because a message was too big for it (1009)."""

    code: int = 1009
    reason: str = "message too big"


@dataclass(frozen=True)
class Expire(Fault):
    """The server says ``session_expired`` and closes with 1001."""

    reason: str = EXPIRED


@dataclass(frozen=True)
class HalfOpen(Fault):
    """The connection stays, but nothing passes in either direction any more, pings included."""


@dataclass(frozen=True)
class Delay(Fault):
    """The network holds this event, and all behind it in that direction, for so many seconds."""

    seconds: float = 1.0


@dataclass(frozen=True)
class Duplicate(Fault):
    """The server sends the next event twice."""


@dataclass(frozen=True)
class Reorder(Fault):
    """The server sends the next event after the one that follows it."""


@dataclass(frozen=True)
class Malformed(Fault):
    """The server sends a frame of broken JSON; the event that made it due follows."""


@dataclass(frozen=True)
class RateLimit(Fault):
    """The next response fails with ``rate_limit_exceeded``."""

    message: str = "Rate limit reached. Please try again later."


@dataclass(frozen=True)
class SlowRead(Fault):
    """From then on the server reads so slowly."""

    bytes_per_s: float = 1_000.0


@dataclass(frozen=True)
class SlowWrite(Fault):
    """From then on the server writes so slowly."""

    bytes_per_s: float = 1_000.0


@dataclass(frozen=True)
class SilentTruncate(Fault):
    """From then on truncates are carried out and never answered."""


@dataclass(frozen=True)
class LateCancelError(Fault):
    """The next cancel is carried out and then called an error: ``response_cancel_not_active``."""


@dataclass(frozen=True)
class LateTranscripts(Fault):
    """The next transcripts of the user's speech come after ``response.done``, the newest first."""


@dataclass(frozen=True)
class Refuse(Fault):
    """The server answers handshakes with an HTTP status: the next ones, or those before ``connection``."""

    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str = ""
    times: int = 1
    _: KW_ONLY
    on: str = HANDSHAKE
    connection: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.on != HANDSHAKE or self.nth != 1:
            message = f"{self!r}: handshakes are refused in their order, without on= and nth="
            raise ConfigurationError(message)


def check_close(code: int, reason: str) -> None:
    """Whether a close frame can say that (RFC 6455, sections 5.5 and 7.4).

    Raises:
        ConfigurationError: it cannot.
    """
    if not (1000 <= code <= 1014 or 3000 <= code <= 4999) or code in (1004, 1005, 1006):
        message = f"no close frame can carry the code {code}"
        raise ConfigurationError(message, hint="Drop() ends a connection without one")
    if len(reason.encode()) > REASON_BYTES:
        message = f"the reason of a close frame has at most {REASON_BYTES} bytes: {reason!r}"
        raise ConfigurationError(message)
