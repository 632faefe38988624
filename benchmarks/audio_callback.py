"""Would a callback in C be better than ours in Python?

    pip install rtmixer
    python -m benchmarks.audio_callback                  # rtagent's Speaker and rtmixer by turns, about six minutes

Both play the same voice on a virtual sound card, by turns in one run: alone, and beside two threads that
compute in pure Python while bursts of 30 s of voice are decoded. Then each is interrupted ten times. Compared are
what went missing in a recording of the card, the time from the call that stops to the last audible sample,
the click at the cut, what it says was heard, and the CPU time of the whole program. Without rtmixer, which is no
dependency of ours, nothing is run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._busy import Condition, run
from benchmarks._mouths import MOUTHS

__all__ = ("available", "measure")

THREADS = 2
STOPS = 10


def available() -> bool:
    """Whether rtmixer is installed."""
    return find_spec("rtmixer") is not None


def measure(seconds: int, rounds: int, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Each mouth alone and under load, by turns; the figures."""
    rows = []
    for turn in range(rounds):
        for threads in (0, THREADS):
            for mouth in MOUTHS if turn % 2 == 0 else reversed(MOUTHS):
                name = f"{mouth}, {'two busy threads' if threads else 'alone'}"
                say(f"  {seconds} s: {name}")
                found = run(Condition(mouth=mouth, threads=threads, seconds=seconds, stops=STOPS))
                rows.append({"name": name, "round": turn, **found, **stops(found["stopped"])})
    return {"seconds": seconds, "rows": rows}


def stops(found: list[dict[str, float]]) -> dict[str, float]:
    """The interruptions of one run. One that found only silence, since the voice had not begun, is left out."""
    cut = [one for one in found if one["silent_ms"] > 0]
    if not cut:
        return {"cuts": 0}
    return {
        "cuts": len(cut),
        "stop_p50_ms": float(np.median([one["silent_ms"] for one in cut])),
        "stop_worst_ms": max(one["silent_ms"] for one in cut),
        "step_worst": max(one["step"] for one in cut),
        "heard_worst_ms": max(abs(one["heard_error_ms"]) for one in cut),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=30, metavar="S", help="voice in each run (30)")
    parser.add_argument("--rounds", type=int, default=2, metavar="N", help="runs of each (2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    options = parser.parse_args()
    if not available():
        print("rtmixer is not installed: pip install rtmixer")
        return 2
    figures = measure(options.seconds, options.rounds, lambda text: print(text, flush=True))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    for row in figures["rows"]:
        print(
            f"{row['name']:30} gaps {row['gaps']:3d} ({row['silence_ms']:.0f} ms)  CPU {row['cpu_share']:.1%}"
            f"  stop p50 {row.get('stop_p50_ms', 0):.0f} worst {row.get('stop_worst_ms', 0):.0f} ms"
            f"  step {row.get('step_worst', 0):.2f}  heard off by {row.get('heard_worst_ms', 0):.1f} ms"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
