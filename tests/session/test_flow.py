"""Where nobody speaks, silence is sent: in real time, and only then."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from rtagent.audio import AudioFormat
from rtagent.session._flow import InputFlow
from rtagent.testing import FakeClock


@pytest.mark.parametrize(
    ("own", "block"),
    [(AudioFormat.pcm16(24_000), bytes(4_800)), (AudioFormat.pcmu(), b"\xff" * 800)],
)
async def test_silence_flows_at_the_pace_of_time(own: AudioFormat, block: bytes) -> None:
    clock, sent = FakeClock(), list[tuple[bytes, float]]()
    flow = InputFlow(clock, lambda pcm, at: sent.append((pcm, at)))
    began = clock.now()
    async with anyio.create_task_group() as group:
        group.start_soon(flow.run, lambda: own)
        await clock.advance(1.0)
        assert [pcm for pcm, _ in sent] == [block] * 10
        assert [round(at - began, 6) for _, at in sent] == [round(0.1 * number, 6) for number in range(10)]
        group.cancel_scope.cancel()


async def test_who_speaks_is_not_talked_over() -> None:
    clock, sent = FakeClock(), list[Any]()
    flow = InputFlow(clock, lambda pcm, at: sent.append(at))
    async with anyio.create_task_group() as group:
        group.start_soon(flow.run, AudioFormat.pcmu)
        for _ in range(20):
            flow.wrote()
            await clock.advance(0.05)
        assert sent == []
        await clock.advance(0.1)
        assert len(sent) == 1
        group.cancel_scope.cancel()
