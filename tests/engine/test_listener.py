"""The child program that listens with the open vocabulary."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.engine._listener import MOST_BYTES, FrameReader, frame, listen, main


class Parrot:
    """Hears what the audio says in letters."""

    heard = ""

    def feed(self, pcm):
        self.heard += pcm.decode()

    def partial(self):
        return self.heard

    def finish(self):
        text, self.heard = self.heard, ""
        return text

    def drop(self):
        self.heard = ""

    def alternatives(self, most):
        return ("else",) * most


def answers(*frames: bytes) -> list[tuple[bytes, dict[str, Any]]]:
    sink = io.BytesIO()
    listen(io.BytesIO(b"".join(frames)), sink, Parrot())
    return [(kind, json.loads(content)) for kind, content in FrameReader().feed(sink.getvalue())]


def test_it_answers_each_utterance_with_its_number():
    told = answers(frame(b"A", b"one"), frame(b"F"), frame(b"A", b"lost"), frame(b"D"), frame(b"F"))
    assert told == [
        (b"P", {"number": 1, "text": "one"}),
        (b"R", {"number": 1, "text": "one", "alternatives": ["else"] * 3}),
        (b"P", {"number": 2, "text": "lost"}),
        (b"R", {"number": 3, "text": "", "alternatives": []}),
    ]


def test_a_partial_text_is_told_once():
    assert [kind for kind, _ in answers(frame(b"A", b"one"), frame(b"A", b""))] == [b"P"]


@given(
    st.lists(st.tuples(st.sampled_from([b"A", b"F", b"R"]), st.binary(max_size=40))),
    st.lists(st.integers(min_value=1, max_value=30), min_size=1),
)
def test_frames_survive_any_cutting(frames, sizes):
    stream = b"".join(frame(kind, content) for kind, content in frames)
    reader, at, turn = FrameReader(), 0, 0
    found: list[tuple[bytes, bytes]] = []
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        found += reader.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert found == frames


def test_a_frame_too_long_to_be_true_is_an_error():
    with pytest.raises(ValueError, match="frame of"):
        list(FrameReader().feed(b"A" + (MOST_BYTES + 1).to_bytes(4, "big")))


class Pipe:
    """What ``sys.stdin`` is to the program."""

    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


def run(
    monkeypatch: pytest.MonkeyPatch, output: pytest.CaptureFixture[bytes]
) -> tuple[int, bytes, dict[str, Any]]:
    """The program's exit code and its one answer to an utterance of silence."""
    monkeypatch.setattr("sys.stdin", Pipe(frame(b"A", bytes(640)) + frame(b"F")))
    monkeypatch.setattr("signal.signal", lambda number, action: None)
    code = main()
    ((kind, content),) = FrameReader().feed(output.readouterr().out)
    return code, kind, json.loads(content)


def test_the_program_hears_silence_as_nothing_and_ends_with_its_input(monkeypatch, capsysbinary):
    assert run(monkeypatch, capsysbinary) == (0, b"R", {"number": 1, "text": "", "alternatives": []})


def test_the_program_says_why_it_cannot_work(monkeypatch, capsysbinary):
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    code, kind, report = run(monkeypatch, capsysbinary)
    assert (code, kind) == (1, b"E")
    assert "pocketsphinx" in report["reason"]
