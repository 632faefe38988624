"""What comes from the client: read by one task, as fast or as slowly as the faults have it."""

from __future__ import annotations

from ..audio import Clock
from ._faults import Delay, Fault, SlowRead
from ._server_link import Link

__all__ = ("Inbound",)


class Inbound:
    """The only reader of one connection."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._bytes_per_s: float | None = None
        self._held_until: float | None = None

    def strike(self, fault: Fault) -> None:
        """Take a fault that is due; those that do nothing to what comes in are passed over."""
        match fault:
            case SlowRead():
                self._bytes_per_s = fault.bytes_per_s
            case Delay(by="client"):
                self._held_until = self._clock.now() + fault.seconds
            case _:
                pass

    async def receive(self) -> str | bytes:
        """The next frame; see ``Transport.receive``."""
        frame = await self._link.receive()
        if self._bytes_per_s is not None:
            size = len(frame if isinstance(frame, bytes) else frame.encode())
            await self._clock.sleep_until(self._clock.now() + size / self._bytes_per_s)
        return frame

    async def held(self) -> None:
        """Return when a delay is over."""
        if self._held_until is not None:
            await self._clock.sleep_until(self._held_until)
            self._held_until = None
