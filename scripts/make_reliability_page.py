"""Make ``docs/reliability.md``: what a session does when something goes wrong, seen and not promised.

Run ``python -m scripts.make_reliability_page``. It holds every conversation of ``tests/reliability`` on virtual
time and writes down what came of it; a test holds page and code together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio

from tests.reliability.matrix import ROWS, Cell, Row, hold_all
from tests.reliability.story import PHASES, POLICY, Outcome

__all__ = ("PAGE", "page")

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"

INTRODUCTION = f"""# Reliability

What a session does when something goes wrong in mid-conversation. Each cell of the table is a conversation of three
spoken turns with `rtagent.testing.RealtimeServer`, on virtual time; in the second turn the fault strikes, at the phase
that the column names. The tests hold every one of them to this:

* the conversation goes on: no turn of the user is lost, none comes twice, every sample of each turn reached one
  connection in one piece, and at the end the server's conversation holds the same items as `session.history`, in the
  same order;
* a tool that ran when the fault struck ran once, and its output landed once;
* a server as strict as the real one refused nothing;
* no task and no connection is left when the session has ended.

A time is that from the loss of the connection to the moment when the next one has taken the conversation up. It counts
the longest wait that the policy allows (`ReconnectPolicy(jitter={POLICY.jitter:g})`; by default it is drawn between 0
and that) and no network: add what dialling, and telling the conversation, takes there. "goes on" means that the
connection was not lost. "ends" means that the session ends at once with an error that says why: no other connection
could help.
"""

LATER = """
A connection whose other end is gone without a word is found by pings: within `ping_interval_s + ping_timeout_s` and
2 s for closing it, 22 s unless the policy says otherwise, and from then on it is a socket that vanished. What the user
said meanwhile is said again. That is tried at all six phases over real sockets, in real time, by
`tests/reliability/test_half_open.py`: every turn is there once with every sample, and a tool ran once.

`make soak` holds ten thousand written turns on virtual time, a fifth of them with a fault, and then talks for ten
minutes, in real time and over real sockets, to a server whose sessions last eight seconds and which drops them at
random besides. What was seen on a machine with two cores:

| | turns | reconnections | renewals | lost or twice | tasks | resident memory |
|---|---|---|---|---|---|---|
| virtual time | 10,000 | 1,342 | | none | 9 | |
| ten minutes | 597, spoken | 116 | 52 | none | 11 to 15 | 60 MB, and 3 KB a turn: the history |

[reconnect.md](topics/reconnect.md) says what is done in each case and how to change it.

This page is made by `python -m scripts.make_reliability_page`.
"""


def page(rows: Sequence[Row], outcomes: Mapping[Cell, Outcome]) -> str:
    """The whole page."""
    lines = [
        "| what happens | " + " | ".join(PHASES) + " |",
        "|---" * (len(PHASES) + 1) + "|",
        *(_line(row, outcomes) for row in rows),
    ]
    return INTRODUCTION + "\n" + "\n".join(lines) + "\n" + LATER


def _line(row: Row, outcomes: Mapping[Cell, Outcome]) -> str:
    cells = [_cell(outcomes.get(Cell(row, phase))) for phase in PHASES]
    return f"| {row.name} | " + " | ".join(cells) + " |"


def _cell(outcome: Outcome | None) -> str:
    if outcome is None:
        return ""
    if outcome.error is not None:
        return "ends"
    return "goes on" if outcome.recovered_s is None else f"{outcome.recovered_s:.2f} s"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(ROWS, anyio.run(hold_all)), encoding="utf-8")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
