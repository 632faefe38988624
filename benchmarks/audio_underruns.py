"""Does the speaker keep up while the interpreter is busy?

    python -m benchmarks.audio_underruns                 # a minute under each condition, about five minutes
    python -m benchmarks.audio_underruns --seconds 10    # a first look

Plays on a virtual sound card while two threads compute in pure Python, as badly written tools do, and while
bursts of 30 s of voice are decoded at once, as they come from a server. What went missing is counted twice: by
``Speaker.statistics()``, and in a recording of the card, where each 10 ms tell which part of the voice they are.
Four conditions: nothing beside it; the two threads, with the switch interval that the speaker sets while it is
open; with the interpreter's own of 5 ms; and with one of 0.05 ms, to see whether less would be better still and
what it costs the threads.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import _bars
from benchmarks._bars import bar
from benchmarks._busy import Condition, run

__all__ = ("conditions", "measure", "summary")

THREADS = 2
WAIT_AT_MOST_MS = 20.0
"""Half of what the device was asked to hold back."""


def conditions(seconds: int) -> dict[str, Condition]:
    """What is compared, by name."""
    return {
        "nothing beside it": Condition(seconds=seconds),
        "two busy threads": Condition(threads=THREADS, seconds=seconds),
        "two busy threads, the interpreter's own interval": Condition(
            threads=THREADS, switch_ms=5.0, seconds=seconds
        ),
        "two busy threads, a shorter interval": Condition(threads=THREADS, switch_ms=0.05, seconds=seconds),
    }


def measure(seconds: int, say: Callable[[str], None] = print) -> dict[str, Any]:
    """One run under each condition; the figures."""
    rows: dict[str, Any] = {}
    for name, condition in conditions(seconds).items():
        say(f"  {seconds} s: {name}")
        rows[name] = run(condition)
    return summary(seconds, rows)


def summary(seconds: int, rows: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows. The bars are those of the loaded run with the interval that the speaker sets."""
    loaded = rows["two busy threads"]
    waited = loaded["waits_ms"]["99"]
    return {
        "seconds": seconds,
        "rows": [{"name": name, **row} for name, row in rows.items()],
        "bars": [
            bar("the queue ran dry, two busy threads", loaded["counters"]["underruns"], 0, ""),
            bar("callback waited for the interpreter, p99, two busy threads", waited, WAIT_AT_MOST_MS, "ms"),
            bar("gaps in the recording, two busy threads", loaded["gaps"], 0, "", others=loaded["others"]),
        ],
    }


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines for a terminal."""
    lines = []
    for row in rows:
        waits = row.get("waits_ms")
        waited = (
            f"waits p50 {waits['50']:.1f} p99 {waits['99']:.1f} max {waits['100']:.0f} ms" if waits else ""
        )
        lines.append(
            f"{row['name']:50} interval {row['switch_ms']:.1f} ms  gaps {row['gaps']} ({row['silence_ms']:.0f} ms)"
            f"  lost {row['lost_ms']:.0f} ms  {row['counters']}  {waited}"
        )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60, metavar="S", help="voice in each run (60)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    options = parser.parse_args()
    figures = measure(options.seconds, lambda text: print(text, flush=True))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    print(*table(figures["rows"]), sep="\n")
    print(*_bars.lines(figures["bars"]), sep="\n")
    return 0 if _bars.all_met(figures["bars"]) else 1


if __name__ == "__main__":
    sys.exit(main())
