"""What answers on one connection of a server: a mind of its own, or a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from ..audio import Clock
from ._bell import Bell
from ._faults import Fault, LateCancelError, RateLimit
from ._script import End, Pause, Script, Send
from ._vendor_connection import VendorConversation
from ._vendor_record import VendorRecord
from ._vendor_session import Refusal, VendorSession
from ._vendor_traits import Vendor
from ._vendor_wire import VendorWire
from ._vendor_writing import VendorWriting

__all__ = ("Common", "ServerPlay")

NOT_ACTIVE = "Cancellation failed: no active response found"


@dataclass
class Common:
    """What the connections of one server share."""

    vendor: Vendor
    clock: Clock
    numbers: Iterator[int]
    """What every id is made of."""
    transcripts: Iterator[str]
    arguments: Mapping[str, Any]
    session_seconds: float = 3_600.0
    strict: bool = True
    log: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    taken: int = 0
    """Frames that were read so far, over all connections."""


class ServerPlay:
    """Owns a connection's mind and its script; only one of them is told what the client says.

    Args:
        common: what it shares with others.
        wire: where the answers go.
        record: what is remembered for the test.
        group: where answers run.
        script: what it follows, if not its own mind.
        leave: ends the connection.
    """

    def __init__(
        self,
        common: Common,
        wire: VendorWire,
        record: VendorRecord,
        group: TaskGroup,
        *,
        script: Script | None,
        leave: Callable[[int, str], None],
    ) -> None:
        self._common = common
        self._wire = wire
        self._record = record
        self._script = script
        self._leave = leave
        self._bell = Bell()
        self._cancels_late = False
        if common.vendor.shape == "model_only":
            self._mind: VendorConversation | VendorWriting = VendorWriting(common.vendor, wire, record)
            return
        expires_at = int(datetime.now(UTC).timestamp() + common.session_seconds)
        session = VendorSession(common.vendor, session_id=wire.new_id("sess"), expires_at=expires_at)
        self._mind = VendorConversation(common.vendor, wire, record, group, session)

    @property
    def items(self) -> list[dict[str, Any]]:
        """The conversation's items, in order."""
        return self._mind.items if isinstance(self._mind, VendorConversation) else []

    async def greet(self) -> None:
        """Open the session as the vendor does."""
        await self._mind.greet()

    def release(self) -> None:
        """Let a response go on that waits in the middle."""
        self._mind.release()

    def strike(self, fault: Fault) -> None:
        """Take a fault that is due; those that concern no answer are passed over."""
        match fault:
            case RateLimit() if isinstance(self._mind, VendorConversation):
                self._mind.next_failure = ("rate_limit_exceeded", fault.message)
            case LateCancelError():
                self._cancels_late = True
            case _:
                pass

    async def take(self, event: dict[str, Any]) -> None:
        """Take one client event.

        Raises:
            Refusal: the vendor answers ``error``.
        """
        if self._script is not None:
            self._script.receive(event)
            self._bell.ring()
            await checkpoint()
            return
        await self._mind.handle(event)
        if event["type"] == "response.cancel" and self._cancels_late:
            self._cancels_late = False
            late = Refusal(NOT_ACTIVE, "response_cancel_not_active")
            await self._wire.refuse(late, event.get("event_id"))

    async def follow(self, script: Script) -> None:
        """Do what the script says, until something comes that it does not expect."""
        told = 0
        while True:
            doing = script.advance()
            if len(script.problems) > told and self._common.strict:
                self._leave(1002, "not what the script expects")
                return
            self._record.faults += script.problems[told:]
            told = len(script.problems)
            match doing:
                case Send():
                    await self._wire.send_raw(doing.frame(script.received))
                case Pause():
                    await self._common.clock.sleep_until(self._common.clock.now() + doing.seconds)
                case End():
                    self._leave(doing.code, doing.reason)
                case None:
                    await self._bell.wait()
