"""What reading and writing events costs, as ratios to plain dictionaries and to other libraries.

    python benchmarks/events_codec.py                    # the goals, each with its interval
    python benchmarks/events_codec.py --types            # and a table by event type
    python benchmarks/events_codec.py --make-peers       # installs the peers first, into .venv/peers

A reader takes text frames, as a WebSocket gives them, to usable bytes of audio, with a decoder for each
stream as a session has one. All subjects run in every round and only figures of the same round are compared;
a goal is met if the upper bound of the 95 % interval meets it. "rtagent / rtagent again" should be 1: it
shows what the machine's noise is worth.

Not shown: the socket, TLS and the event loop around the codec; frames that depart from the protocol, but
for the one row that says so; memory; other machines and Pythons. openai-agents is measured up to its
model's listener, one queue below what its sessions offer.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

import orjson
from _frames import as_frame, audio_delta, conversation, pcm
from _paired import Goal, Rounds, Subject, run_rounds, timed
from _peers import ENVIRONMENT, PEERS, Peers, make_environment, peers
from pybase64 import b64decode, b64encode

from rtagent import events

BASE = "orjson + pybase64"
STRICT_BASE = "orjson + pybase64, validate=True"
AGAIN = "rtagent again"
ALONE = "rtagent, frame by frame"
DELTA = "response.output_audio.delta"
READING = (
    Goal("rtagent", BASE, 1.3),
    Goal("rtagent", "openai-agents", 1 / 10),
    Goal("rtagent", "openai-python", 1 / 15),
)
WRITING = (
    Goal("rtagent", "pybase64 alone", 2),
    Goal("rtagent", "openai-agents", 1 / 10),
    Goal("rtagent", "openai-python", 1 / 200),
)
PER_EVENT = 1.1
"""What an event of a burst may cost, as a multiple of one in a burst of a thousand."""


def read(frames: Sequence[str]) -> int:
    """The bytes of audio in the frames, by way of typed events."""
    audio_bytes = 0
    decoder = events.Decoder()
    for frame in frames:
        event = decoder.decode(frame)
        if isinstance(event, events.ResponseOutputAudioDelta):
            audio_bytes += len(event.audio)
    return audio_bytes


def read_frame_by_frame(frames: Sequence[str]) -> int:
    """The same, each frame as if there were no others: ``events.decode``."""
    audio_bytes = 0
    for frame in frames:
        event = events.decode(frame)
        if isinstance(event, events.ResponseOutputAudioDelta):
            audio_bytes += len(event.audio)
    return audio_bytes


def read_plainly(frames: Sequence[str]) -> int:
    """The same from bare dictionaries."""
    audio_bytes = 0
    for frame in frames:
        event = orjson.loads(frame)
        if event["type"] == DELTA:
            audio_bytes += len(b64decode(event["delta"]))
    return audio_bytes


def read_plainly_and_strictly(frames: Sequence[str]) -> int:
    """The same, without pybase64's search for characters to skip: less work than most programs do."""
    audio_bytes = 0
    for frame in frames:
        event = orjson.loads(frame)
        if event["type"] == DELTA:
            audio_bytes += len(b64decode(event["delta"], validate=True))
    return audio_bytes


def reading(frames: Sequence[str], others: Peers | None, rounds: int) -> Rounds:
    audio_bytes = read(frames)
    assert read_plainly(frames) == read_plainly_and_strictly(frames) == audio_bytes
    subjects: dict[str, Subject] = {
        "rtagent": timed(partial(read, frames)),
        AGAIN: timed(partial(read, frames)),
        ALONE: timed(partial(read_frame_by_frame, frames)),
        BASE: timed(partial(read_plainly, frames)),
        STRICT_BASE: timed(partial(read_plainly_and_strictly, frames)),
    }
    if others is not None:
        for peer in PEERS:
            subjects[peer] = others.subject(f"{peer} decode", audio_bytes=audio_bytes)
    return run_rounds(subjects, rounds)


def writing(ms: int, others: Peers | None, rounds: int, count: int = 1_000) -> Rounds:
    sound = pcm(ms)

    def repeated(write: Callable[[bytes], object]) -> Subject:
        def run() -> None:
            for _ in range(count):
                write(sound)

        return timed(run)

    subjects = {
        "rtagent": repeated(events.encode_append),
        AGAIN: repeated(events.encode_append),
        "pybase64 alone": repeated(b64encode),
    }
    if others is not None and ms == 20:
        subjects.update({peer: others.subject(f"{peer} encode {count}") for peer in PEERS})
    return run_rounds(subjects, rounds)


def bursts(frames: Sequence[str], sizes: Sequence[int], rounds: int) -> Rounds:
    """Each burst is read at a stretch; a subject's figure is the cost of one event in it."""

    def one_event(size: int) -> Subject:
        burst = [frames[number % len(frames)] for number in range(size)]
        repeats = max(1, 2_000 // size)
        run = timed(lambda: [read(burst) for _ in range(repeats)])
        return lambda: run() / (size * repeats)

    return run_rounds({burst_of(size): one_event(size) for size in sizes}, rounds)


def burst_of(size: int) -> str:
    return f"burst of {size}"


def by_type(frames: Sequence[str], rounds: int) -> Mapping[str, Rounds]:
    kinds: dict[str, list[str]] = {}
    for frame in frames:
        kinds.setdefault(orjson.loads(frame)["type"], [frame] * 200)
    unknown_field = as_frame({**orjson.loads(kinds[DELTA][0]), "vendor": 1})
    kinds[f"{DELTA} with an unknown field"] = [unknown_field] * 200
    kinds[f"{DELTA} of 100 ms"] = [as_frame(audio_delta(100))] * 200
    return {
        kind: run_rounds(
            {"rtagent": timed(partial(read, some)), BASE: timed(partial(read_plainly, some))}, rounds
        )
        for kind, some in kinds.items()
    }


def show(title: str, measured: Rounds, goals: Sequence[Goal], count: int, *shown: tuple[str, str]) -> None:
    load = " to ".join(f"{value:.2f}" for value in measured.load)
    print(f"{title}; load {load} on {os.cpu_count()} cores")
    for goal in goals:
        print(measured.verdict(goal))
    for subject, other in shown:
        print(f"  {f'{subject} / {other}':52} {measured.ratio(subject, other)}")
    scale = (f"{name} {min(seconds) / count * 1e6:.2f}" for name, seconds in measured.seconds.items())
    print(f"  least µs each, for the scale only: {', '.join(scale)}\n")


def report(rounds: int, environment: Path, *, types: bool, largest_burst: int) -> None:
    frames = conversation()
    with peers(environment, frames) as others:
        names = ("rtagent", "pydantic", "pydantic_core", "orjson", "pybase64")
        versions = {name: version(name) for name in names} | (others.versions if others else {})
        print(f"Python {platform.python_version()}, {', '.join(f'{n} {v}' for n, v in versions.items())}")
        print(f"{rounds} rounds; peers: {environment if others else 'not run (see --make-peers)'}\n")
        size = sum(map(len, frames)) // len(frames)
        read_all = reading(frames, others, rounds)
        title = f"reading {len(frames)} frames of {size} bytes on average"
        show(
            title, read_all, READING, len(frames), ("rtagent", STRICT_BASE), (ALONE, BASE), ("rtagent", AGAIN)
        )
        for ms in (20, 100):
            written = writing(ms, others, rounds)
            goals = WRITING if ms == 20 else WRITING[:1]
            show(f"writing appends of {ms} ms", written, goals, 1_000, ("rtagent", AGAIN))
    deltas = [as_frame(audio_delta(20))]
    sizes = [size for size in (100, 1_000, 10_000, 100_000) if size <= largest_burst]
    burst = bursts(deltas, sizes, max(3, rounds // 3))
    goals = [Goal(burst_of(size), burst_of(sizes[1]), PER_EVENT) for size in sizes if size != sizes[1]]
    show("reading bursts of 20 ms deltas", burst, goals, 1)
    if types:
        for kind, measured in by_type(frames, rounds).items():
            us = min(measured.seconds["rtagent"]) / 200 * 1e6
            print(f"  {kind:58} {us:6.2f} µs  {measured.ratio('rtagent', BASE)}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--types", action="store_true", help="a table by event type")
    parser.add_argument("--peers", type=Path, default=os.environ.get("RTAGENT_PEERS", ENVIRONMENT))
    parser.add_argument("--make-peers", action="store_true", help="install the peers, pinned, first")
    parser.add_argument("--largest-burst", type=int, default=100_000)
    options = parser.parse_args(arguments)
    if options.make_peers:
        make_environment(options.peers)
    report(options.rounds, Path(options.peers), types=options.types, largest_burst=options.largest_burst)
    return 0


if __name__ == "__main__":
    sys.exit(main())
