"""Whole probes over memory: of vendors' doubles, and of servers that get in the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from rtagent.cli import _probe_run
from rtagent.cli._probe_facts import Finding, differences, nearest
from rtagent.cli._probe_run import probe
from rtagent.cli._probe_wire import Manner, Times, Wire
from rtagent.errors import ConnectionFailed
from rtagent.events import PROFILES
from rtagent.testing import VendorServer
from rtagent.transport import MemoryTransport, memory_pair
from tests.cli.probe_servers import HASTY, PATIENT, Scripted, answers_of, error, event

TWINS = {"azure": "openai", "beta": "azure-preview"}
"""Servers that cannot be told apart by what they say."""


Serve = Callable[[MemoryTransport], Awaitable[None]]


class Doors:
    """Dials a new server in memory for every connection, at most so many at a time."""

    def __init__(self, serve: Serve, *, at_once: int = 100) -> None:
        self.serve = serve
        self.at_once = at_once
        self.open = 0
        self.most = 0
        self.asked: list[str] = []
        self.tasks = anyio.create_task_group()

    async def __aenter__(self) -> Doors:
        await self.tasks.__aenter__()
        return self

    async def __aexit__(self, *failure: Any) -> None:
        self.tasks.cancel_scope.cancel()
        await self.tasks.__aexit__(*failure)

    async def dial(self, manner: Manner) -> Wire:
        ours, theirs = memory_pair()
        self.tasks.start_soon(self._admit, theirs)
        return Wire(ours, manner, dialled_s=anyio.current_time())

    async def _admit(self, transport: MemoryTransport) -> None:
        if self.open >= self.at_once:
            await transport.aclose(1008, "session_limit_reached")
            return
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            await self.serve(transport)
        finally:
            self.open -= 1

    async def probe(self, times: Times = PATIENT, **manner: Any) -> dict[str, Finding]:
        findings = await probe(self.dial, Manner(times, **manner), self.asked.append)
        return {finding.topic: finding for finding in findings}


def vendor(name: str) -> Serve:
    return lambda transport: VendorServer(name).serve(transport)


@pytest.mark.parametrize(
    "name",
    [name for name in PROFILES if PROFILES[name].protocol == "realtime" and name not in ("local", "vllm")],
)
async def test_the_nearest_profile_of_a_vendor_is_its_own(name):
    async with Doors(vendor(name)) as doors:
        findings = (await doors.probe()).values()
    best, second = nearest(findings)[:2]
    assert best.name == TWINS.get(name, name)
    assert len(best.disagreements) <= 2, differences(findings, PROFILES[best.name])
    if name not in {*TWINS, *TWINS.values()}:
        assert len(second.disagreements) > len(best.disagreements)


async def test_a_server_that_only_writes_down():
    async with Doors(vendor("vllm")) as doors:
        findings = (await doors.probe(Times(0.5))).values()
    assert nearest(findings)[0].name == "vllm"


async def test_every_question_is_told_and_asked_on_connections_side_by_side():
    async with Doors(vendor("openai")) as doors:
        findings = await doors.probe()
    assert doors.asked[0] == "the greeting"
    assert len(set(doors.asked)) == len(doors.asked) == 16
    assert findings["several sessions at once"].answer == "yes"
    assert (doors.most, doors.open) == (5, 0)


async def test_a_server_with_one_session_at_a_time_is_asked_one_by_one():
    async with Doors(vendor("hf-speech-to-speech"), at_once=1) as doors:
        findings = await doors.probe()
    assert findings["several sessions at once"].answer == "no"
    assert "1008: session_limit_reached" in findings["several sessions at once"].evidence
    assert doors.most == 1
    assert findings["calls functions"].answer == "yes"
    assert nearest(findings.values())[0].name == "hf-speech-to-speech"


CREATED = event("session.created", session={"type": "realtime", "audio": {}})


async def test_gpt_live():
    def answers(sent):
        match sent["type"]:
            case "session.start":
                return [event("session.started", session={"id": "s"})]
            case "session.close":
                return [event("session.closed", reason="close_requested")]
            case _:
                return [error("unknown", sent["event_id"])]

    async with Doors(Scripted(answers)) as doors:
        findings = await doors.probe(protocol="live", times=HASTY)
    assert findings["says goodbye"].answer == "yes"
    assert "takes items" not in findings
    assert PROFILES[nearest(findings.values())[0].name].protocol == "live"


async def test_a_server_that_breaks_at_every_event_is_dialled_again_for_each_question():
    # The first event of a connection is an update, which is let pass; all others end it.
    def answers(sent):
        return [event("session.updated", session={"audio": {}})] if sent["type"] == "session.update" else None

    async with Doors(Scripted(answers, greeting=[CREATED])) as doors:
        findings = await doors.probe(HASTY)
    assert findings["a written turn"].evidence == "the server closed with 1011: that was too much"
    assert findings["editing items"].answer == "not known"
    assert findings["survives an unknown event"].answer == "no"
    assert findings["turn detection server_vad"].answer == "not known"


async def test_a_server_that_answers_no_update_is_spared_what_needs_one():
    async with Doors(Scripted(lambda _: (), greeting=[CREATED])) as doors:
        findings = await doors.probe(HASTY)
    for about in ("a function call", "turn detection", "audio formats"):
        assert findings[about].evidence == "session.update is not answered"
    assert findings["answers updates"].answer == "no"


async def test_what_is_left_when_no_second_connection_is_given():
    async with Doors(Scripted(lambda _: None, greeting=[CREATED], connections=1)) as doors:
        findings = await doors.probe(HASTY)
    assert findings["a written turn"].answer == "not known"
    assert findings["hearing"].evidence == "the server closed with 1013: no more"
    assert findings["several sessions at once"].answer == "no"


async def test_a_second_connection_that_is_refused_with_an_error():
    greetings = [[CREATED], *[[error("one session only")]] * 100]

    async def serve(transport):
        await Scripted(lambda _: (), greeting=greetings.pop(0))(transport)

    async with Doors(serve) as doors:
        findings = await doors.probe(HASTY)
    assert findings["several sessions at once"].evidence == "the server refused the session: one session only"


async def test_a_second_connection_that_cannot_be_dialled():
    async with Doors(Scripted(lambda sent: (), greeting=[CREATED])) as doors:
        dials = 0

        async def dial(manner):
            nonlocal dials
            dials += 1
            if dials > 1:
                message = "it answered 429"
                raise ConnectionFailed(message)
            return await doors.dial(manner)

        findings = {each.topic: each for each in await probe(dial, Manner(HASTY), doors.asked.append)}
    assert findings["several sessions at once"].evidence == "it answered 429"
    assert answers_of(findings)["input audio"] == "not known"


async def test_a_question_that_takes_too_long(monkeypatch):
    async def endless(wire):
        await anyio.sleep_forever()
        yield

    lane = (_probe_run.Question("eternity", endless),)
    monkeypatch.setattr(_probe_run, "_LANES", (lane,))
    async with Doors(vendor("openai")) as doors:
        findings = await doors.probe(Times(0.3))
    assert findings["eternity"].evidence == "it took too long"


async def test_a_server_that_closes_at_once():
    async with Doors(Scripted(lambda _: (), connections=0)) as doors:
        with pytest.raises(
            ConnectionFailed, match="no Realtime session: the server closed with 1013: no more"
        ):
            await doors.probe()
