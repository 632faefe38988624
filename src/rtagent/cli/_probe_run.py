"""The course of a probe: which questions run on which connection, and what happens when one breaks.

Theory of operation. The first connection learns how the server greets, which protocol it speaks and how a
session is written there. Then the questions run in lanes, each on a connection of its own and all at once,
since most of the time goes by waiting for a model. A lane that is not let in waits until the others are done:
some servers have one session at a time. A question that breaks its connection, or that runs out of time,
costs the lane nothing but a new one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import anyio

from ..errors import ConnectionFailed
from ._probe_facts import Finding
from ._probe_frame import Frame
from ._probe_items import editing, farewell, function_call, mistakes, truncating
from ._probe_opening import await_greeting, greeting, limits, shape
from ._probe_overlap import cancelling, out_of_band, two_at_once
from ._probe_record import from_record
from ._probe_sound import buffers, formats, hearing, streaming, turn_detections
from ._probe_turns import written_turn
from ._probe_wire import INSTRUCTIONS, Ended, Manner, Wire

__all__ = ("Dial", "probe")

Dial: TypeAlias = Callable[[Manner], Awaitable[Wire]]
Tell: TypeAlias = Callable[[str], None]

RETRIES: Final = 5
"""How often a server with one session at a time is asked whether the last one is over."""


class Question(NamedTuple):
    """One question: what it is about, and how it is asked."""

    about: str
    ask: Callable[[Wire], AsyncGenerator[Finding]]
    by_updates: bool = False
    """Whether it is put by changing the session, and is vain where changes are not answered."""


Lane: TypeAlias = tuple[Question, ...]

_OPENING: Final[Lane] = (Question("the greeting", greeting),)
_SESSION: Final[Lane] = (Question("the session's shape", shape), Question("the session's age", limits))
_LANES: Final[tuple[Lane, ...]] = (
    (Question("a written turn", written_turn), Question("editing items", editing)),
    (
        Question("cancelling", cancelling),
        Question("two responses at once", two_at_once),
        Question("a response out of band", out_of_band),
    ),
    (Question("a function call", function_call, by_updates=True), Question("mistakes", mistakes)),
    (
        Question("turn detection", turn_detections, by_updates=True),
        Question("audio formats", formats, by_updates=True),
        Question("hearing", hearing),
        Question("input audio", buffers),
    ),
    (Question("truncating", truncating), Question("saying goodbye", farewell)),
)
_WRITERS: Final[Lane] = (
    Question("a written turn", written_turn),
    Question("writing down speech", streaming),
    Question("mistakes", mistakes),
)
"""What can be asked where an update names the model and nothing else: such a server only writes down."""
_TURNLESS: Final[Lane] = (
    Question("the session's age", limits),
    Question("mistakes", mistakes),
    Question("saying goodbye", farewell),
)
"""What can be asked where there are no turns and no items."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    findings: list[Finding]
    left: Lane
    """Questions that could not be asked, since the server did not let the lane in."""


async def probe(dial: Dial, manner: Manner, tell: Tell) -> list[Finding]:
    """Ask a server everything.

    Args:
        dial: opens a connection.
        manner: how to begin.
        tell: is told which question is asked.

    Raises:
        ConnectionFailed: there is no Realtime session to be had.
    """
    return await _Course(dial, manner, tell).run()


class _Course:
    """Owns the connections of one probe."""

    def __init__(self, dial: Dial, manner: Manner, tell: Tell) -> None:
        self._dial = dial
        self._manner = manner
        self._tell = tell
        self._wires: list[Wire] = []
        self._turned_away = ""

    async def run(self) -> list[Finding]:
        door = await self._open()
        findings: list[Finding] = []
        try:
            await self._begin(door, findings)
            if self._manner.protocol != "realtime":
                findings += (await self._lane(_TURNLESS, door)).findings
            elif self._manner.shape == "model_on_top":
                findings += (await self._lane(_WRITERS, door)).findings
            else:
                findings += await self._lanes(door)
        finally:
            await self._close(door)
        return [*findings, *from_record(self._frames(), self._manner.protocol)]

    async def _begin(self, door: Wire, findings: list[Finding]) -> None:
        try:
            await self._ask(_OPENING[0], door, findings)
        except Ended as end:
            message = f"no Realtime session: {end}"
            raise ConnectionFailed(message) from end
        if door.manner.protocol == "realtime":
            findings += (await self._lane(_SESSION, door, keep=True)).findings
        self._manner = door.manner

    async def _lanes(self, door: Wire) -> list[Finding]:
        outcomes: dict[int, _Outcome] = {}

        async def run(number: int, wire: Wire | None) -> None:
            outcomes[number] = await self._lane(_LANES[number], wire)

        async with anyio.create_task_group() as tasks:
            for number in range(len(_LANES)):
                tasks.start_soon(run, number, door if number == 0 else None)
        alone = self._turned_away
        findings = [_several(alone)]
        for number in range(len(_LANES)):
            outcome = outcomes[number]
            findings += outcome.findings
            if outcome.left:
                later = await self._lane(outcome.left, None, tries=RETRIES)
                findings += [*later.findings, *(_unasked(each, self._turned_away) for each in later.left)]
        return findings

    async def _lane(
        self, questions: Lane, wire: Wire | None, *, tries: int = 1, keep: bool = False
    ) -> _Outcome:
        findings: list[Finding] = []
        try:
            for number, question in enumerate(questions):
                if wire is None or wire.ended:
                    wire = await self._enter(tries)
                    if wire is None:
                        return _Outcome(findings, questions[number:])
                if question.by_updates and not wire.manner.answers_updates:
                    findings.append(_unasked(question, "session.update is not answered"))
                    continue
                try:
                    await self._ask(question, wire, findings)
                except (Ended, TimeoutError) as reason:
                    findings.append(_unasked(question, str(reason) or "it took too long"))
                    await self._close(wire)
        finally:
            if wire is not None and not keep:
                await self._close(wire)
        return _Outcome(findings, ())

    async def _ask(self, question: Question, wire: Wire, findings: list[Finding]) -> None:
        self._tell(question.about)
        with anyio.fail_after(3 * wire.times.answer_s):
            async with aclosing(question.ask(wire)) as answers:
                # One by one: what was found out stays when the question breaks off.
                async for finding in answers:
                    findings.append(finding)  # noqa: PERF401

    async def _enter(self, tries: int) -> Wire | None:
        """A further connection that is ready for questions; None if the server lets no more in."""
        for attempt in range(tries):
            if attempt:
                await anyio.sleep(self._manner.times.quiet_s)
            try:
                wire = await self._open()
            except ConnectionFailed as refusal:
                self._turned_away = str(refusal)
                continue
            try:
                await await_greeting(wire)
                if self._manner.answers_updates:
                    await wire.update(instructions=INSTRUCTIONS)
            except (ConnectionFailed, Ended) as refusal:
                self._turned_away = str(refusal)
                await self._close(wire)
                continue
            return wire
        return None

    async def _open(self) -> Wire:
        wire = await self._dial(self._manner)
        self._wires.append(wire)
        return wire

    async def _close(self, wire: Wire) -> None:
        wire.ended = True
        await wire.aclose()

    def _frames(self) -> Sequence[Frame]:
        return [frame for wire in self._wires for frame in wire.frames]


def _several(turned_away: str) -> Finding:
    topic = "several sessions at once"
    if turned_away:
        return Finding(topic, "no", turned_away)
    return Finding(topic, "yes", f"{len(_LANES)} were open")


def _unasked(question: Question, reason: str) -> Finding:
    return Finding(question.about, "not known", reason)
