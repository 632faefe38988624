"""Measure the way to the loudspeaker on this machine, and write ``docs/audio-figures.md``.

    make bench-audio                              # about ten minutes; longer where rtmixer is installed
    make bench-audio ARGS="--interruptions 20 --seconds 10 --dry"    # a first look; the page stays as it is

Needs the virtual sound card: PortAudio, PulseAudio and its ALSA plugins, which ``make test`` installs. It runs, one
after the other,

    benchmarks/audio_heard.py        is what the speaker says was heard what was heard; how soon is it silent
    benchmarks/audio_underruns.py    does it keep up while the interpreter is busy
    benchmarks/audio_callback.py     would a callback in C be better (only where rtmixer is installed)

says what it is doing, writes the page, and ends with status 1 if a bar was missed. Run it while nothing else runs:
the page says how much other programs used. Each of the three can be run by itself: ``python -m benchmarks.audio_heard
--help``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import _bars, audio_callback, audio_heard, audio_underruns

__all__ = ("PAGE", "page")

PAGE = Path(__file__).parents[1] / "docs" / "audio-figures.md"
FIGURES = PAGE.with_suffix(".json")
"""What the page is made from, so that its words can be changed without measuring again."""
PARTS = ("heard", "underruns", "callback")
SINGLE = ("findings", "stops", "stopped", "begun")
"""Every single interruption: of use to whoever looks into one run (``--json``), not to the page."""

INTRODUCTION = """# What was measured on the way to the loudspeaker

`make bench-audio` measured this on a virtual sound card: PortAudio, ALSA's plugin for PulseAudio, and a PulseAudio
of its own whose loudspeaker is a null sink that is recorded. A real device has a converter, and perhaps a radio
link, that no recording of software sees.

{conditions}

How the sound flows, and what the words mean: [how-sound-flows.md](topics/how-sound-flows.md).
"""

HEARD = """## What was heard, and how soon it was silent

{interruptions} random interruptions ({kinds}),
with two to five items of 0.3 to 2 s queued in each; {others}.
The voice is a tone whose pitch wanders at random, so that each 10 ms of the recording tell which item and which
sample they are. {cut} of them cut a voice off; in the others nothing sounded any more, or not yet.
"""

HEARD_NOTES = """
* **The time base** is the sound server's own: the speaker is told by PortAudio when a block will be played, the
  recorder, another process, when it was. The 99th percentile of how far single blocks of the recorder depart from
  the time that is used is {scatter_ms:.1f} ms. Rows that compare with "that moment" or with the call of `stop()`
  carry that; the others are counted in samples, and the recording's filter blurs those by 0.2 ms.
* **What the device has taken is heard after the call:** {after:.0f} ms here, of which {fade:.0f} ms are the fade.
  `stop()` counts it, but for the fade, which is not taken yet; `heard()` after the silence counts all.
* **Blocks**: of {block_ms:.1f} ms. After the call, {blocks}.
* **Clicks**: in what was handed to the device, the largest step from one sample to the next around a cut was
  {step:.2f} of the largest within the voice. In the recording {recorded} of {cut} cuts have a larger one, which the
  card makes when it halts in the last 10 ms. Without the fade {hard} would have.
* **The card** skipped or halted {gaps} times in the middle of what it had been given; the recorder's library told
  of {recorder_flags} losses of its own.
"""

UNDERRUNS = """## A busy interpreter

{seconds} s of voice in bursts of 30 s, each decoded at once from base64 events, while two threads compute in pure
Python all the time. "Other programs" is what did not belong to the measurement, in cores.
"""

UNDERRUNS_NOTES = """
A callback that came too late leaves a gap in the recording; how long it waited for the interpreter is the
difference between the library's clock at the callback's beginning in C and ours in Python. While a stream is open
the speaker has the interpreter switch threads every 0.5 ms instead of every 5 ms. "Work of the threads" is what the
two got done, against the second row.
"""

CALLBACK = """## A callback in C

rtmixer {version}, by turns with `Speaker`, {seconds} s of voice and ten interruptions each time. What was decided:
[0010](decisions/0010-the-callback-stays-python.md).
"""

CALLBACK_NOTES = """
CPU is that of the whole program; beside two busy threads it says nothing. rtmixer cancels without a fade, which is
the step above 1. It says when a voice began by the device's clock, not where in it the device is: a gap, or a queue
that ran dry, shifts what it would say was heard.
"""

NOT_RUN = """## A callback in C

Not run: rtmixer is not installed. What was found with it: [0010](decisions/0010-the-callback-stays-python.md).
"""

END = """
This page is made by `make bench-audio`.
"""


def page(figures: Mapping[str, Any]) -> str:
    """The whole page from what was measured."""
    parts = [INTRODUCTION.format(conditions=_conditions(figures["conditions"])), *_bars_table(figures)]
    parts += [
        *_heard(figures["heard"]),
        *_underruns(figures["underruns"]),
        *_callback(figures.get("callback")),
    ]
    return "\n".join(parts) + END


def bars(figures: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All bars of a run."""
    return [*figures["heard"]["bars"], *figures["underruns"]["bars"]]


def _conditions(seen: Mapping[str, Any]) -> str:
    return (
        f"On {seen['date']}, {seen['system']} with {seen['cores']} cores, Python {seen['python']}, {seen['portaudio']},"
        f" sounddevice {seen['sounddevice']}.{_priority(seen['nice'])}"
    )


def _priority(nice: int) -> str:
    if nice >= 0:
        return ""
    return f"\nOther programs worked on the machine, so all of it ran at a raised priority (nice {nice})."


def _bars_table(figures: Mapping[str, Any]) -> list[str]:
    rows = [
        [
            one["name"],
            f"{one['found']:.2f} {one['unit']}".strip(),
            f"{one['at_most']:g} {one['unit']}".strip(),
            _bars.verdict(one),
        ]
        for one in bars(figures)
    ]
    return [*_table(["bar", "found", "at most", ""], rows), ""]


def _heard(found: Mapping[str, Any]) -> list[str]:
    kinds = ", ".join(f"{count} {kind}" for kind, count in found["kinds"].items())
    rows = [
        [row["name"], *(f"{row[key]:.2f}" for key in ("middle", "p50", "p95", "p99", "worst"))]
        for row in found["rows"]
    ]
    notes = HEARD_NOTES.format(
        scatter_ms=found["scatter_ms"],
        after=found["rows"][3]["p50"],
        fade=found["rows"][6]["p50"],
        block_ms=found["block_ms"],
        blocks=", ".join(f"{count} times {number} with sound" for number, count in found["blocks"].items()),
        step=found["steps"]["largest"],
        hard=found["steps"]["hard_cuts_above"],
        recorded=found["steps"]["recorded_above"],
        cut=found["cut"],
        gaps=found["gaps"],
        recorder_flags=found["recorder_flags"],
    )
    text = HEARD.format(
        interruptions=found["interruptions"], kinds=kinds, cut=found["cut"], others=_others(found["others"])
    )
    heads = ["ms", "middle, signed", "p50", "p95", "p99", "worst"]
    return [text, *_table(heads, rows), notes]


def _underruns(found: Mapping[str, Any]) -> list[str]:
    least = found["rows"][1]["work_per_s"]
    rows = [
        [
            row["name"],
            f"{row['switch_ms']:g} ms",
            str(row["counters"]["underruns"]),
            str(row["counters"]["flags"]),
            f"{row['gaps']} ({row['silence_ms']:.0f} ms)",
            " / ".join(f"{row['waits_ms'][q]:.1f}" for q in ("50", "99", "100")),
            f"{max(row['decode_ms']):.0f} ms",
            f"{row['work_per_s'] / least:.0%}" if row["work_per_s"] else "",
            _cores(row["others"]),
        ]
        for row in found["rows"]
    ]
    heads = [
        "beside the playback", "switch interval", "queue ran dry", "flags of the device", "gaps recorded",
        "callback waited, ms: p50 / p99 / worst", "30 s decoded and queued in", "work of the threads", "other programs",
    ]  # fmt: skip
    return [UNDERRUNS.format(seconds=found["seconds"]), *_table(heads, rows), UNDERRUNS_NOTES]


def _callback(found: Mapping[str, Any] | None) -> list[str]:
    if found is None:
        return [NOT_RUN]
    rows = [
        [
            row["name"],
            f"{row['gaps']} ({row['silence_ms']:.0f} ms)",
            f"{row['cpu_share']:.1%}",
            f"{row['stop_p50_ms']:.0f} / {row['stop_worst_ms']:.0f}" if row["cuts"] else "",
            f"{row['step_worst']:.2f}" if row["cuts"] else "",
            f"{row['heard_worst_ms']:.1f}" if row["cuts"] else "",
            _cores(row["others"]),
        ]
        for row in found["rows"]
    ]
    heads = [
        "", "gaps recorded", "CPU, of a core", "stop to last sound, ms: p50 / worst", "largest step at a cut",
        "heard off by, worst, ms", "other programs",
    ]  # fmt: skip
    text = CALLBACK.format(version=found["version"], seconds=found["seconds"])
    return [text, *_table(heads, rows), CALLBACK_NOTES]


def _others(cores: float | None) -> str:
    return (
        f"other programs used {_cores(cores)}"
        if cores is not None
        else "what other programs used is not known"
    )


def _cores(cores: float | None) -> str:
    return "" if cores is None else f"{cores:.1f} cores"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)]


def conditions() -> dict[str, Any]:
    """What the figures depend on, and nothing that names this machine."""
    import sounddevice

    return {
        "date": datetime.now(UTC).date().isoformat(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "portaudio": sounddevice.get_portaudio_version()[1].split(",", 1)[0],
        "sounddevice": version("sounddevice"),
        "nice": os.nice(0),
    }


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run what is wanted; the figures."""
    figures: dict[str, Any] = _kept(options.only) | {"conditions": conditions()}
    if "heard" in options.only:
        count = options.interruptions
        say(f"what was heard: {count} interruptions, about {1.9 * count / 60:.0f} minutes")
        figures["heard"] = audio_heard.run(count, say=say)
    if "underruns" in options.only:
        say("a busy interpreter")
        figures["underruns"] = audio_underruns.measure(options.seconds, say)
    if "callback" in options.only and audio_callback.available():
        say("a callback in C")
        figures["callback"] = audio_callback.measure(min(options.seconds, 30), 2, say)
        figures["callback"]["version"] = version("rtmixer")
    elif "callback" in options.only:
        say("rtmixer is not installed, so no callback in C is measured (pip install rtmixer)")
    return figures


def _kept(only: Sequence[str]) -> dict[str, Any]:
    """What is not measured anew."""
    if set(only) == set(PARTS):
        return {}
    last = json.loads(FIGURES.read_text(encoding="utf-8"))
    return {part: last[part] for part in PARTS if part in last and part not in only}


def without_single(figures: Any) -> Any:
    """The same without what is known of every single interruption, and no more digits than mean something."""
    if isinstance(figures, dict):
        return {key: without_single(value) for key, value in figures.items() if key not in SINGLE}
    if isinstance(figures, list | tuple):
        return [without_single(value) for value in figures]
    return round(figures, 4) if isinstance(figures, float) else figures


def say(text: str) -> None:
    """One line of progress."""
    print(text, flush=True)


def main() -> int:
    """Measure, write the page, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--interruptions", type=int, default=200, metavar="N", help="how many (200)")
    parser.add_argument(
        "--seconds", type=int, default=60, metavar="S", help="voice in each run beside load (60)"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=PARTS,
        default=PARTS,
        help="measure these, keep the figures of the others",
    )
    parser.add_argument("--dry", action="store_true", help="print the page instead of writing it")
    parser.add_argument("--words", action="store_true", help="measure nothing: the last figures in new words")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there as well")
    options = parser.parse_args()
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if options.words else measure(options)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    figures = without_single(figures)
    if options.dry:
        print(page(figures))
    else:
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(page(figures), encoding="utf-8")
        say(f"wrote {PAGE}")
    print(*_bars.lines(bars(figures)), sep="\n")
    return 0 if _bars.all_met(bars(figures)) else 1


if __name__ == "__main__":
    sys.exit(main())
