"""The drawing of a recording: whole, self-contained, and safe whatever was said."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.audio import write_wav
from rtagent.cli._timeline import timeline_html
from rtagent.errors import AudioFileError
from rtagent.recording import RecordedEvent

VOID = {"meta", "input"}


class Page(HTMLParser):
    """A page as a browser reads it; it fails on elements that do not close as they should."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.lanes: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._open and self._open[-1] == "h2":
            self.lanes.append(data)

    def all(self, tag: str, kind: str = "") -> list[dict[str, str | None]]:
        """The attributes of every element of that tag and class."""
        return [
            attrs
            for name, attrs in self.tags
            if name == tag and kind in (attrs.get("class") or "").split(" ")
        ]


def at(second: float, kind: str, **fields: Any) -> RecordedEvent:
    return RecordedEvent(second, "session", {"type": kind, **fields})


def tools_at(*seconds: float) -> list[RecordedEvent]:
    """Tools that began then and never ended."""
    return [
        at(second, "rtagent.ToolStarted", call_id=str(number), name=f"f{number}", arguments="")
        for number, second in enumerate(seconds)
    ]


def place(attributes: dict[str, str | None], name: str) -> float:
    found = re.search(rf"--{name}:([\d.]+)", attributes["style"] or "")
    assert found is not None
    return float(found[1])


def stereo(path: Path, left: float, right: float, *, frames: int = 8_000) -> Path:
    """A second of two square waves at 8 kHz."""
    wave = np.where(np.arange(frames) % 2, 1.0, -1.0)
    both = np.stack([wave * left, wave * right], axis=1) * 32767
    write_wav(path, both.astype("<i2").tobytes(), 8_000, channels=2)
    return path


# -- the page ----------------------------------------------------------------------------------------


def test_the_page_has_language_title_and_figures() -> None:
    page = Page(timeline_html([at(0.5, "rtagent.Interrupted"), *tools_at(1.0, 2.0)], None, "Home & garden"))
    assert page.all("html")[0]["lang"] == "en"
    assert page.texts.count("Home & garden") == 2
    assert "2.0 seconds, 0 responses, 2 tool calls, 1 interruption" in page.texts


def test_the_page_fetches_nothing_and_runs_only_its_own_script() -> None:
    page = timeline_html([], None, "t")
    script = re.search(r"<script>(.*)</script>", page, re.DOTALL)
    policy = Page(page).all("meta")[-1]["content"]
    assert script is not None
    assert policy is not None
    assert "default-src 'none'" in policy
    assert f"'sha256-{b64encode(sha256(script[1].encode()).digest()).decode()}'" in policy
    assert not re.search(r"\b(src|href)=|url\(|@import|https?:", page)


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "</style></title></script><img src=x onerror=alert(1)>",
        '" onmouseover="alert(1)',
        "' style='position:fixed",
        "&lt;b&gt;",
        "<!-- ",
    ],
)
def test_what_was_said_cannot_become_part_of_the_page(hostile: str) -> None:
    events = [
        at(0.0, "response.output_audio_transcript.done", item_id="a", transcript=hostile),
        at(0.1, "rtagent.ToolStarted", call_id="c", name=hostile, arguments=hostile),
        at(0.2, "rtagent.Closed", reason=hostile),
        at(0.3, "rtagent.StateChanged", state=hostile, previous=hostile),
        at(0.4, "response.created", response={"id": "r"}),
        at(0.5, "response.done", response={"id": "r", "status": hostile}),
    ]
    page = Page(timeline_html(events, None, hostile))
    harmless = Page(timeline_html(events[:0], None, "t"))
    assert len(page.all("script")) == len(harmless.all("script")) == 1
    assert not page.all("img")
    assert not [attrs for _, attrs in page.tags if any(name.startswith("on") for name in attrs)]
    assert hostile in page.texts


@given(st.text())
def test_any_words_make_a_page_that_can_be_written(words: str) -> None:
    said = at(0.0, "response.output_text.done", item_id="a", text=words)
    page = timeline_html([said], None, words)
    Page(page.encode("utf-8").decode("utf-8"))
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", page)


# -- lanes -------------------------------------------------------------------------------------------


def test_lanes_stand_in_the_order_in_which_one_reads_them(tmp_path: Path) -> None:
    changed = at(1.0, "rtagent.StateChanged", state="tool_running", previous="thinking")
    wav = stereo(tmp_path / "a.wav", 0.5, 0.5)
    page = Page(timeline_html([changed], wav, "t"))
    assert page.lanes == [
        *("seconds", "marks", "caller", "caller said", "speech detected", "thinking", "tool running"),
        *("responses", "tools", "voice heard", "assistant said", "assistant"),
    ]
    assert len(page.all("svg")) == 2


def test_without_sound_there_are_no_waveforms() -> None:
    page = Page(timeline_html([], None, "t"))
    assert not page.all("svg")
    assert "caller" not in page.lanes


def test_a_waveform_shows_each_side_as_loud_as_it_is(tmp_path: Path) -> None:
    page = Page(timeline_html([], stereo(tmp_path / "a.wav", 0.8, 0.2), "t"))
    assert [svg["viewbox"] for svg in page.all("svg")] == ["0 -100 100 200"] * 2
    levels = [
        {abs(int(level)) for level in re.findall(r",(-?\d+)", path["d"] or "")} for path in page.all("path")
    ]
    assert levels == [{100}, {25}]


def test_near_silence_is_not_drawn_as_noise(tmp_path: Path) -> None:
    page = Page(timeline_html([], stereo(tmp_path / "a.wav", 0.005, 0.0), "t"))
    assert "0,-10 " in (page.all("path")[0]["d"] or "")


def test_long_sound_is_drawn_with_a_bounded_number_of_points(tmp_path: Path) -> None:
    page = Page(timeline_html([], stereo(tmp_path / "a.wav", 0.5, 0.5, frames=8_000 * 150), "t"))
    assert page.all("svg")[0]["viewbox"] == "0 -100 12000 200"
    assert place(page.all("svg")[0], "length") == 150


def test_a_sound_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="there is no such file"):
        timeline_html([], tmp_path / "none.wav", "t")


@pytest.mark.parametrize(
    ("duration_s", "ticks"), [(2.5, 4), (60.0, 61), (61.0, 13), (600.0, 121), (900.0, 31)]
)
def test_seconds_are_marked_as_closely_as_can_be_read(duration_s: float, ticks: int) -> None:
    assert len(Page(timeline_html([at(duration_s, "x")], None, "t")).all("span", "tick")) == ticks


def test_bars_stand_at_their_times_with_their_captions() -> None:
    started, stopped = "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"
    page = Page(timeline_html([at(1.0, started), at(2.5, stopped)], None, "t"))
    (bar,) = page.all("div", "speech")
    assert (place(bar, "start"), place(bar, "length")) == (1.0, 1.5)
    assert bar["title"] == "1.00 to 2.50 s: spoke 1.5 s"
    assert "spoke 1.5 s" in page.texts


def test_bars_that_would_overlap_stand_in_rows() -> None:
    page = Page(timeline_html([*tools_at(1.0, 1.5, 2.0), at(9.0, "x")], None, "t"))
    assert [place(bar, "row") for bar in page.all("div", "bar")] == [0, 1, 2]


def test_a_caption_may_go_on_until_the_next_bar_of_its_row() -> None:
    marks = [at(1.0, "rtagent.Renewed"), at(4.0, "rtagent.Renewed"), at(5.0, "rtagent.Renewed"), at(9.0, "x")]
    bars = Page(timeline_html(marks, None, "t")).all("div", "plain")
    assert [(place(bar, "start"), place(bar, "row"), place(bar, "room")) for bar in bars] == [
        (1.0, 0, 3.0),
        (4.0, 0, 5.0),
        (5.0, 1, 4.0),
    ]
    assert bars[0]["title"] == "1.00 s: renewed"


def test_an_interruption_is_a_line_through_all_lanes() -> None:
    page = Page(timeline_html([at(1.25, "rtagent.Interrupted"), at(2.0, "rtagent.Renewed")], None, "t"))
    (line,) = page.all("div", "cut-line")
    assert place(line, "start") == 1.25


def test_a_state_is_named_and_not_only_coloured() -> None:
    changed = at(1.0, "rtagent.StateChanged", state="speaking", previous="thinking")
    page = Page(timeline_html([changed, at(3.0, "x")], None, "t"))
    assert page.texts.count("speaking") == 2  # the lane's name, the band's words
    assert "listening" not in page.texts


def test_words_stand_where_they_sound_and_whole_in_the_table() -> None:
    said = at(1.0, "response.output_text.done", item_id="a", text="It is on.")
    page = Page(timeline_html([said], None, "t"))
    assert place(page.all("div", "words")[0], "start") == 1.0
    assert page.texts.count("It is on.") == 2


# -- tables ------------------------------------------------------------------------------------------


def test_latencies_are_a_table() -> None:
    measured = at(
        2.0,
        "rtagent.TurnMeasured",
        turn=7,
        end_of_speech_to_first_heard_ms=812.4,
        interrupt_to_silence_ms=None,
    )
    texts = Page(timeline_html([measured], None, "t")).texts
    row = texts.index("7", texts.index("Latency of each turn"))
    assert texts[row : row + 4] == ["7", "2.0", "812", "\N{EN DASH}"]


def test_a_table_without_rows_says_so() -> None:
    assert Page(timeline_html([], None, "t")).texts.count("none") == 2
