"""Feed the codec, and a conversation core behind it, with what no sane server would send.

    python -m scripts.fuzz_codec --seconds 60                # look for an input that breaks something
    python -m scripts.fuzz_codec --seconds 60 --keep         # and add what it learned to the corpus
    python -m scripts.fuzz_codec --replay                    # only the corpus: every input once

Coverage-guided by atheris (https://github.com/google/atheris) where it is installed. An input is one byte
that chooses the dialect, and a frame. The corpus in ``tests/fuzz/corpus.jsonl`` holds inputs that were
worth keeping; to these come a small and a full frame of every event of the protocol catalogues.
"""

from __future__ import annotations

import argparse
import base64
import gc
import json
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from rtagent import events
from rtagent.protocol import core_for

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests" / "fuzz" / "corpus.jsonl"
CATALOGUES = {
    "openai": ROOT / "tests" / "events" / "catalogue.json",
    "live": ROOT / "tests" / "events" / "live_catalogue.json",
}
DIALECTS = tuple(events.PROFILES.values())
KEPT_BYTES = 400
"""Inputs longer than this are not worth a line in the corpus."""


def hold(promise: bool, what: object) -> None:
    """A promise of the codec."""
    if not promise:
        raise AssertionError(what)


def check(data: bytes) -> events.ServerEvent:
    """One input: everything that a session does with a frame must go well.

    Raises:
        AssertionError: the codec broke its word; any other exception is a finding as well.
    """
    dialect = DIALECTS[data[0] % len(DIALECTS)] if data else events.GA
    frame = data[1:]
    event = events.decode(frame, dialect)
    hold(isinstance(event, events.ServerEvent), type(event))
    hold(isinstance(getattr(event, "pcm", b""), bytes), event)
    hold(bool(repr(event)) and all(isinstance(words, str) for words in event.departures), event)
    if not isinstance(event, events.MalformedFrame):
        again = events.decode(events.encode(event, dialect), dialect)
        hold(type(again) is type(event), again)
    try:
        events.decode_client(frame)
    except events.ClientEventError as refusal:
        hold(bool(refusal.code), refusal)
    numbers = count()
    core = core_for(dialect, new_id=lambda prefix: f"{prefix}_{next(numbers)}")
    core.receive(event, 0.0)
    core.happenings()
    for answer in core.events_to_send():
        hold(bool(events.encode(answer, dialect)), answer)
    return event


def as_input(dialect: str, frame: bytes) -> bytes:
    """The input that stands for a frame in a dialect."""
    return bytes([[known.name for known in DIALECTS].index(dialect)]) + frame


def sample(field: Mapping[str, Any], definitions: Mapping[str, Any], depth: int = 0) -> Any:
    """A value for a field of a catalogue."""
    kind: str = field["type"]
    if kind.startswith("array<"):
        inner = {"type": kind.removeprefix("array<").removesuffix(">")}
        return [sample(inner, definitions, depth + 1)] if depth < 4 else []
    if kind.startswith("map<"):
        return {}
    if "enum" in field:
        return field["enum"][0]
    first = kind.split(" | ")[0]
    if "#" in first:
        return built(definitions.get(first, {}), definitions, full=False, depth=depth + 1)
    return {"integer": 0, "number": 0.5, "boolean": True, "any": {}}.get(first, "AAAA")


def built(
    fields: Mapping[str, Any], definitions: Mapping[str, Any], *, full: bool, depth: int = 0
) -> dict[str, Any]:
    """An object of a catalogue: with what it must have, or with all that it may have."""
    if depth > 4:
        return {}
    return {
        name: sample(field, definitions, depth) for name, field in fields.items() if full or field["required"]
    }


def frames() -> Iterator[tuple[str, dict[str, Any]]]:
    """A small and a full frame of every event of every vocabulary, with the dialect's name."""
    for dialect, path in CATALOGUES.items():
        catalogue = json.loads(path.read_text(encoding="utf-8"))
        for group in ("server", "client"):
            for name, fields in catalogue[group].items():
                for full in (False, True):
                    yield dialect, {**built(fields, catalogue["definitions"], full=full), "type": name}
    for name in (*events.translation.SERVER_EVENTS, *events.translation.CLIENT_EVENTS):
        yield "translation", {"type": name, "event_id": "e", "delta": "AAAA", "session": {"id": "s"}}


def seeds() -> Iterator[bytes]:
    """Every input that is known: the frames of the catalogues, and the corpus."""
    for dialect, frame in frames():
        yield as_input(dialect, json.dumps(frame).encode())
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        kept = json.loads(line)
        yield as_input(
            kept["dialect"], base64.b64decode(kept["base64"]) if "base64" in kept else kept["frame"].encode()
        )


def as_line(data: bytes) -> str:
    """An input as a line of the corpus."""
    dialect = DIALECTS[data[0] % len(DIALECTS)].name
    try:
        return json.dumps({"dialect": dialect, "frame": data[1:].decode()}, ensure_ascii=True)
    except UnicodeDecodeError:
        return json.dumps({"dialect": dialect, "base64": base64.b64encode(data[1:]).decode()})


def replay() -> int:
    """Check every known input once; how many there were."""
    known = [check(data) for data in seeds()]
    return len(known)


def growth(rounds: int = 5) -> int:
    """Bytes that spoilt frames leave behind, that many times every frame; the first rounds do not count."""

    def every_frame(number: int) -> None:
        for dialect, frame in frames():
            spoilt = {**frame, "session": number, "item": str(number), f"x_{number}": 1}
            check(as_input(dialect, json.dumps(spoilt).encode()))
        gc.collect()  # a core refers to itself in circles

    for warm in range(3):
        every_frame(warm)
    tracemalloc.start()
    every_frame(100)
    before, _ = tracemalloc.get_traced_memory()
    for number in range(200, 200 + rounds):
        every_frame(number)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return after - before


def explore(seconds: int, folder: Path) -> int:
    """Run the fuzzer in a process of its own, which ends itself: its exit code, 0 when nothing broke."""
    for number, data in enumerate(seeds()):
        (folder / f"seed-{number:05}").write_bytes(data)
    options = [
        f"-max_total_time={seconds}",
        "-max_len=4096",
        "-timeout=5",
        "-rss_limit_mb=1024",
        "-print_final_stats=1",
    ]
    command = [sys.executable, "-m", "scripts.fuzz_child", str(folder), *options]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def main() -> int:
    """Parse the command line and do it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60, help="how long to look (default: 60)")
    parser.add_argument("--replay", action="store_true", help="only check what is known")
    parser.add_argument("--keep", action="store_true", help="add short new inputs to the corpus")
    options = parser.parse_args()
    print(f"{replay()} known inputs, none breaks anything")
    if options.replay:
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        code = explore(options.seconds, folder)
        found = [path for path in sorted(folder.iterdir()) if not path.name.startswith("seed-")]
        short = [data for path in found if 1 < len(data := path.read_bytes()) <= KEPT_BYTES]
        if options.keep and code == 0:
            with CORPUS.open("a", encoding="utf-8") as corpus:
                corpus.writelines(f"{as_line(data)}\n" for data in short)
        print(f"{len(found)} new inputs, {len(short)} of them short{' and kept' if options.keep else ''}")
    return code


if __name__ == "__main__":
    sys.exit(main())
