"""Every fault at every phase: what is left of the conversation, and what was done twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import anyio
import pytest

from rtagent.errors import ConnectionLost
from scripts import make_reliability_page
from tests.reliability.matrix import CELLS, ROWS, Cell, hold_all
from tests.reliability.story import Outcome

pytestmark = pytest.mark.timeout(600)  # the first test holds all conversations


@pytest.fixture(scope="module")
def outcomes() -> Mapping[Cell, Outcome]:
    return anyio.run(hold_all)


LIVING = [cell for cell in CELLS if not cell.row.fatal]
FATAL = [cell for cell in CELLS if cell.row.fatal]


@pytest.mark.parametrize("cell", LIVING, ids=str)
def test_the_conversation_goes_on(outcomes: Mapping[Cell, Outcome], cell: Cell) -> None:
    outcome = outcomes[cell]
    assert outcome.error is None
    assert outcome.undone == [], "the fault did not strike"
    assert outcome.states[-2:] == ["listening", "closed"]
    assert outcome.refusals == [], "a real server would have refused this"
    assert all(reconnected.lost == 0 for reconnected in outcome.reconnected)


@pytest.mark.parametrize("cell", LIVING, ids=str)
def test_no_turn_is_lost_and_none_comes_twice(outcomes: Mapping[Cell, Outcome], cell: Cell) -> None:
    outcome = outcomes[cell]
    assert outcome.user_turns == outcome.transcripts
    assert outcome.heard_whole == [True] * 3, "samples of a turn are missing"
    spoken = [item for item in outcome.items if item.get("role") == "user"]
    assert len(spoken) == 3
    assert [entry.id for entry in outcome.history] == [item["id"] for item in outcome.items]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_tool_runs_once_and_its_output_lands_once(outcomes: Mapping[Cell, Outcome], cell: Cell) -> None:
    outcome = outcomes[cell]
    wanted = 1 if cell.phase == "tool running" else 0
    assert outcome.tool_runs == wanted
    if not cell.row.fatal:
        kinds = Counter(item["type"] for item in outcome.items)
        assert (kinds["function_call"], kinds["function_call_output"]) == (wanted, wanted)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_no_task_and_no_connection_is_left(outcomes: Mapping[Cell, Outcome], cell: Cell) -> None:
    assert outcomes[cell].tasks_left == 0
    assert outcomes[cell].connections_left == 0


@pytest.mark.parametrize("cell", FATAL, ids=str)
def test_what_no_dial_can_help_ends_with_a_clear_error(outcomes: Mapping[Cell, Outcome], cell: Cell) -> None:
    error = outcomes[cell].error
    assert isinstance(error, ConnectionLost)
    assert cell.row.says in str(error)
    assert outcomes[cell].user_turns[0] == "the first turn"


def test_the_page_says_what_was_seen(outcomes: Mapping[Cell, Outcome]) -> None:
    made = make_reliability_page.page(ROWS, outcomes)
    assert make_reliability_page.PAGE.read_text(encoding="utf-8") == made, (
        "run: python -m scripts.make_reliability_page"
    )
