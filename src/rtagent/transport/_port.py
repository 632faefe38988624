"""The one door to the wire: what a session needs of a connection, and nothing more."""

from __future__ import annotations

from typing import Protocol

__all__ = ("Transport",)


class Transport(Protocol):
    """An open, ordered, message-framed connection.

    One task calls ``receive``, one task calls ``send``; both may run at the same time.
    """

    async def send(self, frame: str | bytes) -> None:
        """Send one text frame (``bytes`` are UTF-8 text already encoded). Waits for the network.

        Raises:
            ConnectionLost: the other side vanished.
            SessionClosed: ``aclose`` was called on our side.
        """
        ...

    async def receive(self) -> str | bytes:
        """The next frame: ``str`` for a text frame, ``bytes`` for a binary one.

        Raises:
            EndOfStream: the other side closed with code 1000 or 1001, code and reason given.
            ConnectionLost: it ended in any other way.
            SessionClosed: ``aclose`` was called on our side.
        """
        ...

    async def aclose(self, code: int = 1000, reason: str = "") -> None:
        """Close from our side, bounded in time and idempotent; wakes a waiting ``receive``."""
        ...
