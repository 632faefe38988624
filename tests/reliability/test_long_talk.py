"""A very long conversation over connections that do not last: nothing is lost, nothing is left behind."""

from __future__ import annotations

import pytest

from tests.reliability.long_talk import soak_turns

TURNS = 300
"""``make soak`` holds ten thousand, and ten minutes over real sockets."""


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_three_hundred_turns_over_bad_connections() -> None:
    tally, left = await soak_turns(TURNS, seed=20_261)
    assert tally.turns == TURNS
    assert tally.history == tally.said, "a turn was lost, came twice, or out of order"
    assert tally.reconnected > TURNS // 20
    assert tally.tool_runs == tally.tool_calls > 0
    assert tally.refusals == []
    assert sum(left.values()) == 0, left
    assert len(set(tally.tasks)) == 1, "tasks are left behind"
