"""Is what the speaker says was heard what was heard, and how soon is it silent?

    python -m benchmarks.audio_heard                       # 200 interruptions, about six minutes
    python -m benchmarks.audio_heard --interruptions 20    # a first look

Interrupts a speaker at random moments on a virtual sound card, with two to five items queued each time, and
compares what it says with a recording of the card. The voice is a marker: each 10 ms of the recording tell
which item and which millisecond of it they are. A part of the interruptions falls before the
reply began to sound, into one that arrives too slowly, or into one that ran dry.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any, Literal

import anyio
import numpy as np
from numpy.typing import NDArray

from benchmarks import _bars, _listener
from benchmarks._bars import bar
from benchmarks._load import Beside
from benchmarks._marker import RATE, Passage, frames_within, largest_step, marker, passages, sounding
from rtagent.audio import PlaybackItem, Speaker
from rtagent.testing._sound_card import VirtualSoundCard

__all__ = ("Finding", "Interruption", "plan", "summary")

Kind = Literal["playing", "before it sounds", "arriving slowly", "ran dry"]
ROOT = Path(__file__).parents[1]
FADE_MS = 5.0
FRAMES_PER_MS = RATE / 1000
SETTLED_S = 0.25
"""After this a stopped voice has left every buffer."""
STEP_BOUND_MS = 20.0


@dataclass(frozen=True)
class Interruption:
    """What is played and when it is cut off."""

    number: int
    kind: Kind
    items: tuple[int, ...]
    """The length of each item, in frames."""
    after_s: float
    """From the first audio to the interruption."""

    def voice(self) -> NDArray[np.float64]:
        """All items, one after the other."""
        return marker(self.number, sum(self.items))

    def bounds(self) -> list[tuple[str, int, int]]:
        """Name, first frame and end of each item."""
        ends = list(accumulate(self.items))
        return [
            (f"item {i}", end - frames, end)
            for i, (frames, end) in enumerate(zip(self.items, ends, strict=True))
        ]


@dataclass(frozen=True)
class Finding:
    """One interruption as the recording has it; milliseconds."""

    number: int
    kind: Kind
    at_stop_ms: float
    """What ``heard()`` said just before ``stop()`` minus what had left the card then: the sum over all items."""
    settled_ms: float
    """What ``heard()`` says when all is silent minus what the recording holds in all."""
    worst_item_ms: float
    """The same for the item that is farthest off."""
    told_ms: float
    """What ``stop()`` returned minus what the recording holds in all, for the item that is farthest off."""
    heard_after_ms: float
    """What of the voice left the card after the call of ``stop()``: the device's own buffer, block and fade."""
    silent_ms: float
    """From the call of ``stop()`` to the last audible sample."""
    silent_at_ms: float
    """What ``stop()`` said of the moment of silence minus that of the recording."""
    after_handover_ms: float
    """Audio that was handed to the device after the call of ``stop()``: the fade, and a block under way."""
    blocks: int
    """Blocks with sound that were handed over after the call."""
    block_ms: float
    """The usual block of the device."""
    step: float
    """The largest step at the cut, in what was handed to the device, as a share of the voice's own largest."""
    recorded_step: float
    """The same in the recording, where the card may have halted in the middle of a ramp."""
    hard_step: float
    """What a cut without a fade would have been there, as such a share."""
    gaps: int
    """Places where the card skipped or halted inside what had been handed over."""


def plan(count: int, seed: int = 1) -> list[Interruption]:
    """Random interruptions, the same for the same seed."""
    chance = Random(seed)  # noqa: S311 -- repeatable on purpose
    kinds: tuple[Kind, ...] = ("playing", "before it sounds", "arriving slowly", "ran dry")
    planned = []
    for number in range(count):
        kind = chance.choices(kinds, (70, 10, 10, 10))[0]
        items = tuple(round(chance.uniform(0.3, 2.0) * RATE) for _ in range(chance.randint(2, 5)))
        after_s = {
            "playing": chance.uniform(0.06, min(2.4, sum(items) / RATE)),
            "before it sounds": chance.uniform(0.0, 0.09),
            "arriving slowly": chance.uniform(0.1, 1.5),
            "ran dry": chance.uniform(0.4, 0.9),
        }[kind]
        planned.append(Interruption(number, kind, items, after_s))
    return planned


# -- the program on the card


async def perform(interruptions: Sequence[Interruption]) -> None:
    """Play and interrupt, and print a line of JSON for each."""
    speaker = Speaker()
    blocks: list[tuple[int, int, int]] = []
    output: list[NDArray[np.int16]] = []
    frames_seen = 0

    def tap(block: Any) -> None:
        nonlocal frames_seen
        samples = np.frombuffer(block.pcm, "<i2")
        sound = np.flatnonzero(samples)
        blocks.append((frames_seen, len(samples), frames_seen + int(sound[-1]) + 1 if len(sound) else -1))
        frames_seen += len(samples)
        output.append(samples)

    speaker.tap = tap
    async with speaker:
        await anyio.sleep(0.5)
        for interruption in interruptions:
            blocks.clear()
            output.clear()
            begun = time.monotonic()
            async with anyio.create_task_group() as group:
                group.start_soon(_feed, speaker, interruption)
                await anyio.sleep(interruption.after_s)
                group.cancel_scope.cancel()
            handed = speaker.statistics().playback.frames_out
            called = time.monotonic()
            before = speaker.heard()
            heard = speaker.stop()
            await anyio.sleep(SETTLED_S)
            speaker.deliver_taps()
            after = [last - handed for _, _, last in blocks if last > handed]
            line = {
                "number": interruption.number,
                "begun": begun,
                "called": called,
                "before": _of(before.ms, interruption),
                "heard": _of(heard.ms, interruption),
                "silent_at": heard.silent_at,
                "settled": _of(speaker.heard().ms, interruption),
                "after_handover": max(after, default=0),
                "blocks": len(after),
                "step": last_step(np.concatenate(output).astype(np.float64)),
                "block": float(np.median([size for _, size, _ in blocks])),
                "underruns": speaker.statistics().playback.underruns,
            }
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()


def last_step(output: NDArray[np.float64]) -> float:
    """The largest step in the last 10 ms of the sound that was handed over, and into the silence after it."""
    if not (found := sounding(output)):
        return 0.0
    begin, end = found[-1]
    around = round(10 * FRAMES_PER_MS)
    return largest_step(output[max(begin, end - around) : end + around])


def _of(heard: Mapping[str, float], interruption: Interruption) -> dict[str, float]:
    prefix = f"{interruption.number}/"
    return {key.removeprefix(prefix): ms for key, ms in heard.items() if key.startswith(prefix)}


async def _feed(speaker: Speaker, interruption: Interruption) -> None:
    pcm = interruption.voice().astype("<i2").tobytes()
    pieces = [
        (PlaybackItem(f"{interruption.number}/{name}"), pcm[2 * begin : 2 * end])
        for name, begin, end in interruption.bounds()
    ]
    if interruption.kind == "playing":
        for item, data in pieces:
            speaker.play(item, data)
        speaker.finish()
    elif interruption.kind == "before it sounds":
        speaker.play(pieces[0][0], pieces[0][1][: 2 * round(30 * FRAMES_PER_MS)])
    elif interruption.kind == "ran dry":
        speaker.play(pieces[0][0], pieces[0][1][: 2 * round(250 * FRAMES_PER_MS)])
    else:
        chunk = 2 * round(25 * FRAMES_PER_MS)
        for item, data in pieces:
            for at in range(0, len(data), chunk):
                speaker.play(item, data[at : at + chunk])
                await anyio.sleep(0.035)


# -- what the recording says of it


def finding(interruption: Interruption, said: Mapping[str, Any], recording: _listener.Recording) -> Finding:
    """Compare one line of the program with the recording."""
    begin = max(0, round(recording.frame_at(said["begun"])) - RATE // 20)
    end = round(recording.frame_at(said["called"] + SETTLED_S))
    piece = recording.samples[begin:end]
    voice = interruption.voice()
    found = passages(piece, voice)
    stop_frame = recording.frame_at(said["called"]) - begin
    bounds = interruption.bounds()
    at_stop = {name: frames_within(found, low, high, until=stop_frame) for name, low, high in bounds}
    in_all = {name: frames_within(found, low, high) for name, low, high in bounds}
    errors = {name: said["before"].get(name, 0.0) - at_stop[name] / FRAMES_PER_MS for name, _, _ in bounds}
    told = [said["heard"].get(name, 0.0) - in_all[name] / FRAMES_PER_MS for name, _, _ in bounds]
    settled = [said["settled"].get(name, 0.0) - in_all[name] / FRAMES_PER_MS for name, _, _ in bounds]
    last = found[-1].end if found else None
    silent_s = None if last is None else recording.time_of(begin + last)
    step, hard = _steps(piece, voice, found)
    cut = last is not None and said["after_handover"] > 0
    return Finding(
        number=interruption.number,
        kind=interruption.kind,
        at_stop_ms=sum(errors.values()),
        settled_ms=max(settled, key=abs),
        worst_item_ms=max(errors.values(), key=abs),
        told_ms=max(told, key=abs),
        heard_after_ms=(sum(in_all.values()) - sum(at_stop.values())) / FRAMES_PER_MS,
        silent_ms=0.0 if silent_s is None else max(0.0, (silent_s - said["called"]) * 1000),
        silent_at_ms=(said["silent_at"] - silent_s) * 1000 if silent_s is not None and cut else 0.0,
        after_handover_ms=said["after_handover"] / FRAMES_PER_MS,
        blocks=said["blocks"],
        block_ms=said["block"] / FRAMES_PER_MS,
        step=said["step"] / largest_step(voice) if cut else 0.0,
        recorded_step=step if cut else 0.0,
        hard_step=hard if cut else 0.0,
        gaps=0 if interruption.kind == "arriving slowly" else max(0, len(found) - 1),
    )


def _steps(
    piece: NDArray[np.float64], voice: NDArray[np.float64], found: Sequence[Passage]
) -> tuple[float, float]:
    """The largest step around the end of the sound, and what a cut without a fade would have been."""
    if not found:
        return 0.0, 0.0
    end = found[-1].end
    around = round(10 * FRAMES_PER_MS)
    # As it was made, and as the card's filter passed it on before the cut.
    uncut = piece[found[-1].begin + around : end - around]
    own = max(largest_step(voice), largest_step(uncut))
    cut = piece[max(found[-1].begin, end - around) : end + around]
    before_fade = found[-1].position + found[-1].frames - round(FADE_MS * FRAMES_PER_MS)
    hard = abs(float(voice[max(0, min(before_fade, len(voice) - 1))]))
    return largest_step(cut) / own, hard / own


# -- figures


@dataclass(frozen=True)
class Spread:
    """Percentiles of absolute values, and the middle of the signed ones."""

    middle: float
    p50: float
    p95: float
    p99: float
    worst: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        sizes = np.abs(np.array(values if len(values) else [0.0]))
        p50, p95, p99 = (float(np.percentile(sizes, q)) for q in (50, 95, 99))
        return cls(float(np.median(values)) if len(values) else 0.0, p50, p95, p99, float(np.max(sizes)))

    def row(self, name: str) -> dict[str, Any]:
        return {"name": name, **self.__dict__}


def summary(findings: Sequence[Finding], *, scatter_ms: float, recorder_flags: int) -> dict[str, Any]:
    """What the page shows: rows of figures, and the bars with what was found."""
    cut = [one for one in findings if one.blocks]
    rows: list[tuple[str, Callable[[Finding], float], Sequence[Finding]]] = [
        ("`stop()` against all that was recorded, worst item", lambda f: f.told_ms, findings),
        (
            "`heard()` just before it against the recording at that moment, worst item",
            lambda f: f.worst_item_ms,
            findings,
        ),
        (
            "`heard()` after silence against all that was recorded, worst item",
            lambda f: f.settled_ms,
            findings,
        ),
        (
            "heard after the call of `stop()` (buffer of the device, block, fade)",
            lambda f: f.heard_after_ms,
            cut,
        ),
        ("call of `stop()` to the last audible sample", lambda f: f.silent_ms, cut),
        ("`silent_at` against the last audible sample", lambda f: f.silent_at_ms, cut),
        ("audio handed to the device after the call", lambda f: f.after_handover_ms, cut),
    ]
    spreads = {name: Spread.of([of(one) for one in among]) for name, of, among in rows}
    told, position, settled = list(spreads.values())[:3]
    over = max((one.after_handover_ms - one.block_ms for one in cut), default=0.0)
    step = max((one.step for one in cut), default=0.0)
    return {
        "interruptions": len(findings),
        "kinds": {
            kind: sum(one.kind == kind for one in findings) for kind in sorted({f.kind for f in findings})
        },
        "cut": len(cut),
        "block_ms": float(np.median([one.block_ms for one in findings])),
        "blocks": {str(n): sum(one.blocks == n for one in cut) for n in sorted({one.blocks for one in cut})},
        "scatter_ms": scatter_ms,
        "recorder_flags": recorder_flags,
        "gaps": sum(one.gaps for one in findings),
        "rows": [spread.row(name) for name, spread in spreads.items()],
        "steps": {
            "largest": step,
            "recorded_above": sum(one.recorded_step > 1 for one in cut),
            "hard_cuts_above": sum(one.hard_step > 1 for one in cut),
        },
        "bars": [
            bar("what `stop()` says was heard, p99", told.p99, STEP_BOUND_MS, "ms"),
            bar("heard position just before, p99", position.p99, STEP_BOUND_MS, "ms"),
            bar("heard position after silence, p99", settled.p99, STEP_BOUND_MS, "ms"),
            bar("audio after the call, beyond one output block", over, FADE_MS, "ms"),
            bar("largest step at the cut, of the voice's largest", step, 1.0, "x"),
        ],
    }


# -- running it


def run(count: int, *, seed: int = 1, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Interrupt so many times; the figures."""
    interruptions = plan(count, seed)
    beside = Beside()
    with tempfile.TemporaryDirectory() as directory, VirtualSoundCard() as card:
        path = Path(directory) / "heard.npz"
        with _listener.recorded(card.env, path):
            lines = []
            for line in _lines(card.env, "--perform", f"--interruptions={count}", f"--seed={seed}"):
                lines.append(line)
                if len(lines) % 10 == 0 or len(lines) == count:
                    say(f"  {len(lines)} of {count} interruptions")
        recording = _listener.read(path)
    others = beside.cores()
    say("  reading the recording")
    findings = [finding(one, said, recording) for one, said in zip(interruptions, lines, strict=True)]
    figures = summary(findings, scatter_ms=recording.scatter_ms(), recorder_flags=recording.flags)
    return figures | {"others": others, "findings": [one.__dict__ for one in findings]}


def _lines(env: Mapping[str, str], *arguments: str) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.audio_heard", *arguments]
    with subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603
        assert child.stdout is not None
        yield from map(json.loads, child.stdout)
    if child.returncode:
        message = f"the program on the card ended with status {child.returncode}"
        raise RuntimeError(message)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--interruptions", type=int, default=200, metavar="N", help="how many (200)")
    parser.add_argument("--seed", type=int, default=1, help="other numbers give other moments (1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--perform", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.perform:
        anyio.run(perform, plan(options.interruptions, options.seed))
        return 0
    figures = run(options.interruptions, seed=options.seed, say=lambda text: print(text, flush=True))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    for row in figures["rows"]:
        print(
            f"{row['name']:72} middle {row['middle']:7.2f}  "
            + "  ".join(f"{key} {row[key]:6.2f}" for key in ("p50", "p95", "p99", "worst"))
        )
    print(
        {key: figures[key] for key in ("kinds", "cut", "block_ms", "blocks", "scatter_ms", "gaps", "steps")}
    )
    print(*_bars.lines(figures["bars"]), sep="\n")
    return 0 if _bars.all_met(figures["bars"]) else 1


if __name__ == "__main__":
    sys.exit(main())
