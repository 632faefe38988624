"""The demo as its first visitor runs it: a program without a key, and the files that it leaves behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rtagent.audio import AudioClip, read_wav
from rtagent.cli import main
from rtagent.cli._demo_caller import recorded_lines

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

WITHIN_S = 120
SILENT_DBFS = -60.0
AUDIBLE_DBFS = -40.0
CUT_MS = 100
"""How long after an interruption the voice may still be there."""


def environment(home: Path) -> dict[str, str]:
    """An environment in which no key can be found."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPENAI_", "RTAGENT_", "AZURE_"))
    }
    return {**kept, "HOME": str(home), "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True)
class Demo:
    """What one run of the demo printed and wrote."""

    directory: Path
    log: list[str]
    events: list[dict[str, Any]]
    wav: AudioClip
    transcript: str
    page: str

    def told(self, label: str) -> list[str]:
        """The texts of the lines with that label."""
        lines = [re.fullmatch(rf" *[\d.]+ s  {label} +(.*)", line) for line in self.log]
        return [line[1] for line in lines if line]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The recorded events of that type, each with the second at which it was."""
        return [{**line["event"], "at": line["at"]} for line in self.events if line["event"]["type"] == kind]

    def side(self, channel: int, start: float, end: float) -> NDArray[np.float32]:
        """A piece of one channel, between two seconds."""
        rate = self.wav.rate
        piece: NDArray[np.float32] = self.wav.samples[round(start * rate) : round(end * rate), channel]
        return piece


def hold(place: Path) -> Demo:
    directory = place / "talk"
    finished = subprocess.run(
        [sys.executable, "-m", "rtagent", "demo", "--fast", "--out", str(directory)],
        capture_output=True,
        text=True,
        cwd=place,
        env=environment(place),
        timeout=WITHIN_S,
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    return Demo(
        directory=directory,
        log=finished.stdout.splitlines(),
        events=[json.loads(line) for line in (directory / "events.jsonl").read_text("utf-8").splitlines()],
        wav=read_wav(directory / "conversation.wav"),
        transcript=(directory / "transcript.txt").read_text("utf-8"),
        page=(directory / "timeline.html").read_text("utf-8"),
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """One run, looked at from all sides."""
    return hold(tmp_path_factory.mktemp("demo"))


def dbfs(samples: NDArray[np.float32]) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples.astype(np.float64) ** 2)) + 1e-9))


# -- what is shown ---------------------------------------------------------------------------------------


def test_the_tools_are_called_with_what_was_asked_for_aloud(demo: Demo) -> None:
    calls = [told.split(" -> ")[0] for told in demo.told("tool")]
    assert calls == [
        'set_light(room="kitchen", on=true)',
        'get_weather(city="London")',
        "set_timer(minutes=5)",
        'set_light(room="bedroom", on=false)',
    ]


def test_what_the_caller_says_is_shown_while_it_is_said_and_in_the_end(demo: Demo) -> None:
    said = demo.told("you")
    whole = [text for text in said if not text.endswith(" …")]
    assert len(whole) == 4
    for text, words in zip(whole, ["kitchen light", "weather", "timer", "bedroom light"], strict=True):
        assert words in text.lower()
    parts = [text.removesuffix(" …") for text in said if text.endswith(" …")]
    assert parts
    assert all(parts)


def test_states_answers_and_the_interruption_are_shown(demo: Demo) -> None:
    assert {"listening", "thinking", "tool_running", "speaking"} <= set(demo.told("state"))
    answers = demo.told("assistant")
    assert len(answers) == 4
    assert answers[0] == "The kitchen light is on."
    (interrupted,) = demo.told("interrupted")
    assert re.fullmatch(r"after \d+ ms of the answer", interrupted)


def test_each_turn_has_its_figures(demo: Demo) -> None:
    figures = [line for line in demo.log if re.match(r"turn \d: ", line)]
    assert [line.split(":")[0] for line in figures] == [f"turn {number}" for number in (1, 2, 3, 4)]
    assert all(re.search(r"end of speech -> first heard sample \d+ ms", line) for line in figures)
    assert sum("interrupt -> silence " in line for line in figures) == 1


def test_the_files_are_named(demo: Demo) -> None:
    names = ("conversation.wav", "events.jsonl", "transcript.txt", "timeline.html")
    assert demo.log[-4:] == [f"wrote {demo.directory / name}" for name in names]


# -- what is heard ---------------------------------------------------------------------------------------


def test_both_voices_are_heard_each_on_its_side(demo: Demo) -> None:
    assert demo.wav.channels == 2
    length = demo.wav.duration_s
    assert dbfs(demo.side(0, 0, length)) > AUDIBLE_DBFS
    assert dbfs(demo.side(1, 0, length)) > AUDIBLE_DBFS


def test_the_caller_is_recorded_as_it_spoke(demo: Demo) -> None:
    """The first line lies in the left channel, sample for sample."""
    line = np.frombuffer(recorded_lines()[0].pcm, np.int16) / 32768
    caller = demo.side(0, 0, 5)
    size = len(line) + len(caller)
    found = np.fft.irfft(np.fft.rfft(caller, size) * np.conj(np.fft.rfft(line, size)), size)
    begin = int(np.argmax(found[: len(caller) - len(line)]))
    piece = caller[begin : begin + len(line)]
    alike = float(np.dot(piece, line) / (np.linalg.norm(piece) * np.linalg.norm(line)))
    assert alike > 0.99


def cut(demo: Demo) -> tuple[float, float]:
    """When the interruption was, and when the next answer began."""
    (interrupted,) = demo.of_type("rtagent.Interrupted")
    begun = [event["at"] for event in demo.of_type("rtagent.PlaybackStarted")]
    return interrupted["at"], min(at for at in begun if at > interrupted["at"])


def test_the_assistant_is_silent_as_soon_as_the_caller_talks_over_it(demo: Demo) -> None:
    interrupted, answered = cut(demo)
    silent = (interrupted + CUT_MS / 1000, answered - 0.02)
    assert silent[1] - silent[0] > 1.0
    assert dbfs(demo.side(1, interrupted - 0.5, interrupted)) > AUDIBLE_DBFS
    assert dbfs(demo.side(1, *silent)) < SILENT_DBFS
    assert float(np.abs(demo.side(1, *silent)).max()) < 0.001
    assert dbfs(demo.side(0, *silent)) > AUDIBLE_DBFS


def test_the_cut_does_not_click(demo: Demo) -> None:
    """Around the cut no two samples are further apart than in the voice itself."""
    interrupted, _ = cut(demo)
    steps = np.abs(np.diff(demo.side(1, interrupted - 0.005, interrupted + CUT_MS / 1000)))
    voice = np.abs(np.diff(demo.side(1, interrupted - 1.5, interrupted - 0.05)))
    assert float(steps.max()) <= float(voice.max())


# -- what is written -------------------------------------------------------------------------------------


def test_the_server_keeps_what_was_heard_of_the_interrupted_answer(demo: Demo) -> None:
    (interrupted,) = demo.of_type("rtagent.Interrupted")
    (truncated,) = demo.of_type("conversation.item.truncated")
    assert truncated["item_id"] == interrupted["item_id"]
    assert truncated["audio_end_ms"] == round(interrupted["heard_ms"])


def test_what_counts_as_heard_is_what_lies_in_the_recording(demo: Demo) -> None:
    (interrupted,) = demo.of_type("rtagent.Interrupted")
    started = next(
        event["at"]
        for event in demo.of_type("rtagent.PlaybackStarted")
        if event["item_id"] == interrupted["item_id"]
    )
    sounding = np.flatnonzero(np.abs(demo.side(1, started - 0.1, interrupted["at"] + 0.3)) > 0)
    in_recording_ms = (sounding[-1] - sounding[0]) / demo.wav.rate * 1000
    assert in_recording_ms == pytest.approx(interrupted["heard_ms"], abs=60)


def test_every_event_is_recorded_in_its_order(demo: Demo) -> None:
    seconds = [line["at"] for line in demo.events]
    assert seconds == sorted(seconds)
    assert {line["direction"] for line in demo.events} == {"client", "server", "session"}
    assert len(demo.of_type("response.done")) == 8, "one that calls a tool and one that speaks for each line"
    assert not demo.of_type("error")


def test_the_transcript_says_where_the_answer_was_cut(demo: Demo) -> None:
    lines = demo.transcript.splitlines()
    assert [line.split(" ")[0] for line in lines] == ["caller:", "tool", "assistant:"] * 4
    (marked,) = [line for line in lines if "[interrupted after " in line]
    assert marked.startswith("assistant: The weather in London")
    assert "at the weekend" not in marked, "what nobody heard is not said"


def test_the_page_needs_nothing_but_itself(demo: Demo) -> None:
    assert not re.search(r"https?://", demo.page)
    assert not re.search(r"<(link|iframe|img|script)[^>]+(src|href)=", demo.page)
    for name in ("set_light", "get_weather", "set_timer"):
        assert name in demo.page


def test_the_same_conversation_is_held_every_time(demo: Demo, tmp_path: Path) -> None:
    again = hold(tmp_path)
    assert again.transcript == demo.transcript
    assert again.wav.duration_s == pytest.approx(demo.wav.duration_s, abs=0.1)


# -- how it ends otherwise -------------------------------------------------------------------------------


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path, capsys) -> None:
    (tmp_path / "file").touch()
    assert main(["demo", "--fast", "--out", str(tmp_path / "file" / "talk")]) == 1
    err = capsys.readouterr().err
    assert err.startswith("rtagent: ")
    assert str(tmp_path / "file") in err
    assert err.count("\n") == 1


@pytest.fixture
def talking(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The demo in real time, in a process group of its own, while the caller is being understood."""
    with subprocess.Popen(
        [sys.executable, "-m", "rtagent", "demo", "--out", str(tmp_path / "talk")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path),
        start_new_session=True,
    ) as child:
        assert child.stdout is not None
        shown = iter(child.stdout.readline, "")
        assert any(line.rstrip().endswith(" …") for line in shown)
        yield child
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)


def living(group: int) -> list[str]:
    """The processes of a group that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, fields = stat.read_text().rsplit(")", 1)
        except OSError:  # it ended meanwhile
            continue
        state, _, its_group = fields.split()[:3]
        if int(its_group) == group and state != "Z":
            found.append(name)
    return found


def test_ctrl_c_ends_it_at_once_with_nothing_left_running(talking: subprocess.Popen[str]) -> None:
    os.killpg(talking.pid, signal.SIGINT)  # as a terminal does: everything that it started gets it too
    _, err = talking.communicate(timeout=10)
    assert (talking.returncode, err) == (130, "")
    assert living(talking.pid) == []
