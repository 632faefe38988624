"""Does the assistant interrupt itself, and does a person who talks over it get through?

Holds a real conversation on the virtual sound card: a session with the embedded engine, ``Speaker`` and
``Microphone`` on real streams, and a simulated room that brings the speaker's sound back into the microphone.
Run with ``python -m benchmarks.echo_room --minutes 10 --policy half_duplex --policy none``, and with ``--talker`` for
somebody who says something over the assistant every 20 s. Time passes as it does; needs the extras ``audio`` and
``local``, and ``echo`` for ``--policy aec``. Ends with status 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._echo_call import STORY
from benchmarks._room import RATE
from rtagent.audio import Resampler, write_wav
from rtagent.engine import EspeakVoice
from rtagent.testing import VirtualSoundCard

Sound = NDArray[np.float64]

WORDS = (
    ("cedar", "Stop, please."),
    ("marin", "Wait a moment."),
    ("verse", "Excuse me, I have a question."),
    ("echo", "Hold on."),
    ("ballad", "No, tell me something else."),
    ("shimmer", "Hello? Can you hear me?"),
)
GETS_THROUGH = 0.95
"""So many of the talker's utterances must interrupt."""
STUMBLE_S = 2.0
"""So long after its echo's delay has jumped, a room is none."""
WITHIN_S = 3.0
"""What comes later is no answer to the word."""
WHOLE = 0.9
"""So much of the talker's sounding words must go to the server, in the median."""
_FRAME = 40 * RATE // 1000
_SLACK = 25 * RATE // 1000
_LIKE = 0.4
"""Of a frame of the word and what was sent: correlated at least so, it was sent."""


@dataclass
class Result:
    """What one conversation came to."""

    policy: str
    talker: bool
    call: dict[str, Any]
    room: dict[str, Any]
    said: list[dict[str, Any]] = field(default_factory=list)
    stumbles: list[float] = field(default_factory=list)

    @property
    def false_starts(self) -> list[float]:
        """When the server heard somebody although nobody talked."""
        return [at for at in self.call["started"] if not self._excused(at)]

    @property
    def false_interruptions(self) -> list[float]:
        return [at for at in self.call["interrupted"] if not self._excused(at)]

    @property
    def stumbles_blamed(self) -> int:
        """Interruptions that are not counted, as the machine had been too slow to be a room just before."""
        return sum(self._stumbled(at) and not self._somebody_talked(at) for at in self.call["interrupted"])

    @property
    def judged(self) -> list[dict[str, Any]]:
        """Words that had time to have an effect."""
        return [said for said in self.said if "silent_at" in said]

    @property
    def silent_ms(self) -> list[float]:
        """From the first sample of each word that interrupted to the last one of the assistant."""
        return [
            (said["silent_at"] - said["said_at"]) * 1000
            for said in self.judged
            if said["silent_at"] is not None
            and said["silent_at"] - said["said_at"] < WITHIN_S
            and any(0 < at - said["said_at"] < WITHIN_S for at in self.call["interrupted"])
        ]

    @property
    def whole(self) -> list[float]:
        return [said["whole"] for said in self.judged]

    def missed(self) -> list[str]:
        """Which bars were missed."""
        found: list[str] = []
        if self.policy == "none":
            if not self.talker and not self.false_interruptions:
                found.append("nothing was done and it did not interrupt itself: the room is no test")
            return found
        if self.false_interruptions:
            found.append(f"it interrupted itself {len(self.false_interruptions)} times")
        if self.false_starts:
            found.append(f"the server heard {len(self.false_starts)} times somebody who was not there")
        if self.talker and len(self.silent_ms) < GETS_THROUGH * len(self.judged):
            found.append(
                f"{len(self.judged) - len(self.silent_ms)} of {len(self.judged)} words did not interrupt"
            )
        if self.talker and (not self.whole or float(np.median(self.whole)) < WHOLE):
            found.append("words did not arrive whole")
        return found

    def _excused(self, at: float) -> bool:
        return self._somebody_talked(at) or self._stumbled(at)

    def _stumbled(self, at: float) -> bool:
        return any(0 < at - stumbled < STUMBLE_S for stumbled in self.stumbles)

    def _somebody_talked(self, at: float) -> bool:
        return any(0 < at - said["said_at"] < said["seconds"] + 1.0 for said in self.said)


def spoken(text: str, voice: str | None = None) -> Sound:
    engine = EspeakVoice()
    resampler = Resampler(engine.rate, RATE)
    pcm = b"".join(resampler.process(chunk) for chunk in engine.speak(text, voice=voice)) + resampler.flush()
    sound = np.frombuffer(pcm, "<i2").astype(np.float64)
    loud = np.nonzero(np.abs(sound) > 0.02 * np.abs(sound).max())[0]
    return sound[loud[0] : loud[-1] + 1]


def loudness(sound: Sound) -> float:
    """The level of its sounding parts."""
    frames = np.sqrt(np.mean(sound[: len(sound) // 240 * 240].reshape(-1, 240) ** 2, axis=1))
    return float(np.sqrt(np.mean(frames[frames > frames.max() / 10] ** 2)))


def talker(echo_db: float, above_db: float) -> list[Sound]:
    """What is said, so many decibels louder than the assistant's echo."""
    level = loudness(spoken("".join(STORY))) * 10 ** ((echo_db + above_db) / 20)
    words = [spoken(text, voice) for voice, text in WORDS]
    return [sound * (level / loudness(sound)) for sound in words]


class Child:
    """A module of ours as a process in the card's environment, that tells JSON lines."""

    def __init__(self, card: VirtualSoundCard, module: str, *arguments: object) -> None:
        self._module = module
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", module, *map(str, arguments)],
            env=card.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def next_fact(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            message = f"{self._module} ended with status {self._process.wait(10)}"
            raise SystemExit(message)
        facts: dict[str, Any] = json.loads(line)
        return facts

    def end(self) -> list[dict[str, Any]]:
        """Close its standard input and take what it still tells."""
        out, _ = self._process.communicate(timeout=30)
        return [json.loads(line) for line in out.splitlines()]


def share_sent(sent: Any, words: Sound, said_at: float) -> tuple[float, float]:
    """How much of the words' sounding frames went to the server, and how many ms were missing at their beginning."""
    times, first, pcm = sent["at"], sent["first"], sent["pcm"]
    block = int(np.searchsorted(times, said_at)) - 1
    place = int(first[max(block, 0)] + (said_at - times[max(block, 0)]) * RATE)
    search = 3 * _SLACK
    piece = pcm[max(0, place - search) : place + len(words) + search].astype(np.float64)
    if len(piece) < len(words) + 2 * search:
        return 0.0, len(words) * 1000 / RATE
    shift = int(np.argmax(np.correlate(piece, words, "valid")))
    ends = range(0, len(words) - _FRAME, _FRAME)
    loud = max(np.sqrt(np.mean(words[k : k + _FRAME] ** 2)) for k in ends)
    sounding = [k for k in ends if np.sqrt(np.mean(words[k : k + _FRAME] ** 2)) > loud / 6]
    there = [likeness(piece, shift + k, words[k : k + _FRAME]) >= _LIKE for k in sounding]
    missing = there.index(True) if any(there) else len(there)
    return sum(there) / len(there), missing * 1000 * _FRAME / RATE


def likeness(piece: Sound, place: int, frame: Sound) -> float:
    begin = max(0, place - _SLACK)
    near = piece[begin : place + len(frame) + _SLACK]
    if len(near) < len(frame) or not np.any(near):
        return 0.0
    products = np.correlate(near, frame, "valid")
    energies = np.convolve(near**2, np.ones(len(frame)), "valid")
    best = float(np.max(np.abs(products) / np.sqrt(np.maximum(energies, 1.0))))
    return best / float(np.linalg.norm(frame))


def prefer(card: VirtualSoundCard) -> None:
    """A sound card of metal waits for no processor."""
    assert card._server is not None
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, card._server.pid, -15)


def hold(policy: str, options: argparse.Namespace, words: list[Sound]) -> Result:
    with tempfile.TemporaryDirectory() as folder, VirtualSoundCard() as card:
        place = Path(folder)
        prefer(card)
        clips = [place / f"{number}.wav" for number in range(len(words))]
        for clip, sound in zip(clips, words, strict=True):
            write_wav(clip, np.rint(sound).astype("<i2").tobytes(), RATE)
        shape = ("--delay-ms", options.delay_ms, "--decay-ms", options.decay_ms, "--db", options.db)
        with Child(card, "benchmarks._room", *clips, *shape, "--every-s", options.every_s) as room:
            room.next_fact()
            sent = place / "sent.npz"
            seconds = options.minutes * 60
            arguments = ("--policy", policy, "--seconds", seconds, "--heard", sent)
            with Child(card, "benchmarks._echo_call", *arguments) as call:
                call.next_fact()
                call_facts = call.next_fact()
            told = room.end()
        result = Result(policy, bool(words), call_facts, told[-1])
        for facts in told[:-1]:
            if "stumbled_at" in facts:
                result.stumbles.append(facts["stumbled_at"])
            elif "said_at" in facts:
                result.said.append(facts | {"seconds": len(words[facts["clip"]]) / RATE})
            else:
                result.said[-1] |= facts
        if words:
            with np.load(sent) as arrays:
                kept = {name: arrays[name] for name in arrays.files}
            for said in result.said:
                share, missing_ms = share_sent(kept, words[said["clip"]], said["said_at"])
                said["whole"], said["missing_ms"] = share, missing_ms
    return result


def line(result: Result) -> str:
    silent, ear = result.silent_ms, result.call["microphone"]
    cells = [
        f"{result.policy:<12}",
        "talker" if result.talker else "alone ",
        f"{result.call['seconds'] / 60:4.1f} min, {result.room['heard_s'] / 60:4.1f} min of it spoken",
        f"interrupted itself {len(result.false_interruptions):3d}",
        f"false speech_started {len(result.false_starts):3d}",
    ]
    if result.talker:
        cells.append(f"words that interrupted {len(silent):3d} of {len(result.judged):3d}")
        if silent:
            cells.append(
                f"first sample to silence p50 {np.median(silent):4.0f} p90 {np.quantile(silent, 0.9):4.0f} "
                f"max {max(silent):4.0f} ms"
            )
        if result.whole:
            cells.append(
                f"of the words sent: median {np.median(result.whole):4.0%} worst {min(result.whole):4.0%}"
            )
            cells.append(
                f"missing at the beginning: median {np.median([s['missing_ms'] for s in result.judged]):.0f} ms"
            )
    loss = ear["echo_return_loss_db"]
    cells.append(f"return loss {loss:.0f} dB" if loss is not None else "return loss unknown")
    if ear["echo_removed_db"] is not None:
        cells.append(f"removed {ear['echo_removed_db']:.0f} dB")
    cells.append(
        f"room: {result.room['missed_ms']:.0f} ms of echo lost, {len(result.stumbles)} stumbles, "
        f"{result.stumbles_blamed} interruptions blamed on them"
    )
    return " | ".join(cells)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--policy", action="append", choices=("none", "half_duplex", "aec"))
    parser.add_argument("--talker", action="store_true", help="somebody talks over the assistant")
    parser.add_argument("--every-s", type=float, default=20, help="how often somebody talks")
    parser.add_argument("--above-db", type=float, default=6, help="how much louder than the echo")
    parser.add_argument(
        "--delay-ms", type=float, default=60, help="50 to 80: below, this machine's streams are too slow"
    )
    parser.add_argument("--decay-ms", type=float, default=120)
    parser.add_argument("--db", type=float, default=-12, help="of the echo, relative to what is played")
    parser.add_argument("--json", type=Path, help="where to write all that was measured")
    options = parser.parse_args()
    words = talker(options.db, options.above_db) if options.talker else []
    results: list[Result] = []
    for policy in options.policy or ["half_duplex"]:
        print(f"{policy}: {options.minutes:g} minutes …", file=sys.stderr, flush=True)
        results.append(hold(policy, options, words))
        print(line(results[-1]), flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps([vars(result) for result in results], indent=1) + "\n")
    missed = [f"{result.policy}: {bar}" for result in results for bar in result.missed()]
    print("\n".join(missed) or "every bar was met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
