"""Which faults strike at which phases, and what is expected of a session then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rtagent.testing import (
    Close,
    Delay,
    Drop,
    Duplicate,
    Expire,
    Fault,
    LateCancelError,
    LateTranscripts,
    Malformed,
    RateLimit,
    Refuse,
    Reorder,
    SilentTruncate,
    SlowRead,
    SlowWrite,
    TooBig,
)
from tests.reliability.story import PHASES, Outcome, Phase, tell

__all__ = ("CELLS", "ROWS", "Cell", "Row", "hold_all")


@dataclass(frozen=True, eq=False)
class Row:
    """One fault, and how it ends."""

    name: str
    fault: Fault
    phases: Sequence[Phase] = PHASES
    also: Sequence[Fault] = ()
    """What goes wrong besides."""
    interrupt: bool = False
    """Whether the program interrupts the second answer."""
    fatal: bool = False
    """Whether the session is to end with a clear error."""
    says: str = ""
    """What that error says."""


ROWS = (
    Row("the socket vanishes", Drop()),
    Row("closed with 1000", Close(code=1000, reason="done")),
    Row("closed with 1001: the server goes away", Close(code=1001, reason="going away")),
    Row("the session's time is over (`session_expired`, 1001)", Expire()),
    Row("closed with 1011: the server failed", Close(code=1011, reason="internal error")),
    Row("closed with 1012: the server restarts", Close(code=1012, reason="restart")),
    Row("closed with 1013: no capacity", Close(code=1013, reason="try again later")),
    Row("closed with 1009: a message was too large", TooBig()),
    Row("closed with 1002, once", Close(code=1002, reason="protocol error")),
    Row(
        "it vanishes, and two dials meet 503",
        Drop(),
        phases=PHASES[:-1],
        also=(Refuse(503, times=2, connection=2),),
    ),
    Row(
        "it vanishes, and the key has run out (401 once)",
        Drop(),
        phases=PHASES[:-1],
        also=(Refuse(401, connection=2),),
    ),
    Row(
        "it vanishes, and the server asks for 3 s (429)",
        Drop(),
        phases=PHASES[:-1],
        also=(Refuse(429, headers={"retry-after": "3"}, connection=2),),
    ),
    Row("an event comes 1 s late, and all behind it", Delay(seconds=1.0)),
    Row("an event comes twice", Duplicate()),
    Row("two events change places", Reorder(), phases=PHASES[:-1]),
    Row("a frame is no JSON", Malformed()),
    Row(
        "a response fails: rate limit", RateLimit(), phases=("user speaking", "tool running", "mid-reconnect")
    ),
    Row("the server reads slowly", SlowRead(bytes_per_s=100_000.0)),
    Row("the server writes slowly", SlowWrite(bytes_per_s=100_000.0)),
    Row(
        "transcripts come after the answer",
        LateTranscripts(),
        phases=("idle", "user speaking", "mid-reconnect"),
    ),
    Row("truncates are not answered", SilentTruncate(), phases=("speaking",), interrupt=True),
    Row("a cancel is called an error afterwards", LateCancelError(), phases=("speaking",), interrupt=True),
    Row(
        "it vanishes, and the key may not do this (403)",
        Drop(),
        phases=PHASES[:-1],
        also=(Refuse(403, connection=2),),
        fatal=True,
        says="the key may not do this",
    ),
    Row(
        "closed with 1008: not allowed",
        Close(code=1008, reason="policy violation"),
        fatal=True,
        says="does not allow this session",
    ),
    Row(
        "closed with 4000: the shape is refused",
        Close(code=4000, reason="beta_api_shape_disabled"),
        fatal=True,
        says="shape of events",
    ),
)


@dataclass(frozen=True)
class Cell:
    """One fault at one phase."""

    row: Row
    phase: Phase

    def __str__(self) -> str:
        return f"{self.row.name}, {self.phase}"

    async def hold(self) -> Outcome:
        """Hold the conversation."""
        return await tell(self.phase, self.row.fault, self.row.also, interrupt=self.row.interrupt)


async def hold_all() -> dict[Cell, Outcome]:
    """All conversations, one after the other."""
    return {cell: await cell.hold() for cell in CELLS}


CELLS = tuple(Cell(row, phase) for row in ROWS for phase in row.phases)
