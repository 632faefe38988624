"""Nothing that a server sends breaks the codec or the core behind it, loses audio, or fills the memory."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtagent import events
from scripts import fuzz_codec

FRAMES = list(fuzz_codec.frames())
PCM = bytes(range(240))
AUDIO = base64.b64encode(PCM).decode()

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something lies in a frame, the type left out."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    inside = [place for key, child in children for place in paths_of(child, (*path, key))]
    return inside if path in {(), ("type",)} else [path, *inside]


def changed(frame: dict[str, Any], path: tuple[Any, ...], what: str, value: Any) -> dict[str, Any]:
    """The frame with one thing dropped, nulled, replaced, or with something added beside it."""
    copy: dict[str, Any] = json.loads(json.dumps(frame))
    here: Any = copy
    try:
        for step in path[:-1]:
            here = here[step]
        if what == "drop":
            del here[path[-1]]
        elif what == "add" and isinstance(here, dict):
            here["x_unheard_of"] = value
        else:
            here[path[-1]] = None if what == "null" else value
    except (KeyError, IndexError, TypeError):  # an earlier change took the place away
        return frame
    return copy


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An event of a catalogue with a few things wrong, in any dialect of its vocabulary."""
    dialect, frame = draw(st.sampled_from(FRAMES))
    if dialect == "openai":
        names = [name for name, known in events.PROFILES.items() if known.protocol == "realtime"]
        dialect = draw(st.sampled_from(names))
    for _ in range(draw(st.integers(0, 3))):
        places = paths_of(frame)
        if places:
            what = draw(st.sampled_from(("drop", "null", "retype", "add")))
            frame = changed(frame, draw(st.sampled_from(places)), what, draw(JSON))
    return dialect, frame


def test_every_known_input_goes_well() -> None:
    assert fuzz_codec.replay() > 200


@settings(max_examples=400)
@given(spoiled())
def test_events_with_things_wrong_are_read_or_reported(case: tuple[str, dict[str, Any]]) -> None:
    dialect, frame = case
    event = fuzz_codec.check(fuzz_codec.as_input(dialect, json.dumps(frame).encode()))
    known = events.vocabulary(events.PROFILES[dialect].protocol).server
    if frame["type"] not in known:
        assert isinstance(event, events.UnknownEvent)
    elif isinstance(event, events.MalformedFrame):
        assert event.head
        assert event.reason.startswith(frame["type"])


@settings(max_examples=300)
@given(
    dialect=st.sampled_from([known for known in events.PROFILES.values() if known.protocol == "realtime"]),
    name=st.sampled_from(("response.output_audio.delta", "response.audio.delta")),
    others=st.dictionaries(
        st.sampled_from(("event_id", "response_id", "item_id", "output_index", "content_index", "x_new")),
        JSON,
    ),
)
def test_no_audio_is_lost_whatever_stands_beside_it(
    dialect: events.Dialect, name: str, others: dict[str, Any]
) -> None:
    event = events.decode(json.dumps({**others, "type": name, "delta": AUDIO}), dialect)
    assert isinstance(event, events.ResponseOutputAudioDelta)
    assert event.audio == PCM


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_noise_is_a_report(data: bytes) -> None:
    fuzz_codec.check(data)


def test_what_is_wrong_leaves_nothing_in_the_memory() -> None:
    """In a process of its own: what the test runner keeps is not ours."""
    program = "from scripts.fuzz_codec import growth; print(growth())"
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=fuzz_codec.ROOT, capture_output=True, text=True, timeout=60
    )
    assert finished.returncode == 0, finished.stderr
    assert int(finished.stdout) < 10_000, "bytes that five rounds of spoilt frames left behind"


@pytest.mark.slow
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no wheel for this Python or platform")
def test_a_short_search_finds_nothing() -> None:
    command = [sys.executable, "-m", "scripts.fuzz_codec", "--seconds", "5"]
    finished = subprocess.run(command, cwd=fuzz_codec.ROOT, capture_output=True, text=True, timeout=120)
    assert finished.returncode == 0, finished.stderr[-4_000:]
    assert "stat::number_of_executed_units" in finished.stderr
