"""A recorded conversation as one HTML page that needs nothing but itself.

Every lane is a small function from facts to elements. Whatever goes into an element is escaped unless
it is an element, so nothing that was said can become a part of the page; the page also forbids itself
all network and any script but its own few lines. Places on the time axis are multiples of one CSS
variable, the width of a second: zooming sets that variable.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from math import ceil
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..audio import read_wav
from ..recording import RecordedEvent
from ._timeline_facts import Facts, Mark, Span, Turn, Utterance, facts_of

__all__ = ("timeline_html",)

_COLUMNS_PER_S = 100
_COLUMNS = 12_000
"""The most that a waveform is drawn with: two minutes at full detail, longer ones with less."""
_CAPTION_S = 2.0
"""Room that a caption gets at least before something else may stand in its row."""
_LETTERS_PER_S = 30
"""Letters of three lines that fit into the width of a second, roughly."""
_STATES = ("connecting", "listening", "thinking", "tool_running", "speaking", "reconnecting", "closed")
_TICKS = ((60.0, 1), (600.0, 5), (float("inf"), 30))
"""Seconds between two ticks, for conversations up to a length."""
_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def timeline_html(events: Iterable[RecordedEvent], wav: Path | None, title: str) -> str:
    """Draw a recording.

    Args:
        events: what was recorded.
        wav: the sound of it, caller left and assistant right; None draws no waveforms.
        title: what the page is called.

    Raises:
        AudioFileError: the WAV file cannot be read.
    """
    sound = None if wav is None else read_wav(wav)
    facts = facts_of(events, 0.0 if sound is None else sound.duration_s)
    waves: tuple[_Markup, ...] = ()
    if sound is not None:
        loudest = max(0.05, float(np.abs(sound.samples).max()))
        sides = (sound.samples[:, 0], sound.samples[:, -1])
        waves = tuple(_waveform(side / loudest, sound.duration_s) for side in sides)
    body = _element(
        "body",
        _heading(facts, title),
        _chart(facts, waves),
        _element("div", _conversation(facts.utterances), _latencies(facts.turns), class_="tables"),
        _Markup(f"<script>{_part('js')}</script>"),
    )
    return f"<!DOCTYPE html>\n{_element('html', _page_head(title), body, lang='en')}\n"


# -- elements --------------------------------------------------------------------------------------------


class _Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def _element(tag: str, *content: str, **attributes: str) -> _Markup:
    """An HTML element; ``class_`` is the attribute ``class``, ``aria_label`` is ``aria-label``."""
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_clean(of)}"' for name, of in attributes.items()
    )
    inner = "".join(piece if isinstance(piece, _Markup) else _clean(piece) for piece in content)
    return _Markup(f"<{tag}{given}>{inner}</{tag}>")


def _clean(text: str) -> str:
    """Text for any place of a page: escaped, and without what no page can hold."""
    return escape(_UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", text))


def _at(start: float, length: float = 0.0, *, row: int = 0, room: float = 0.0) -> str:
    """The style that puts an element at its time, in seconds; ``room`` is what its caption may take."""
    places = {"start": start, "length": length, "room": room}
    return f"--row:{row};" + ";".join(f"--{name}:{max(0.0, at):.3f}" for name, at in places.items())


class _Placed(NamedTuple):
    """A span with its place in a lane."""

    span: Span
    row: int
    room: float
    """Seconds until something else stands in its row."""


def _stacked(spans: Iterable[Span], end: float) -> list[_Placed]:
    """Spans in rows, so that neither they nor the least of their captions overlap."""
    rows: list[list[Span]] = []
    for span in sorted(spans, key=lambda span: span.start):
        row = next((row for row in rows if _behind(row[-1]) <= span.start), None)
        if row is None:
            rows.append(row := [])
        row.append(span)
    return [
        _Placed(span, number, (following.start if following else max(end, _behind(span))) - span.start)
        for number, row in enumerate(rows)
        for span, following in zip(row, [*row[1:], None], strict=True)
    ]


def _behind(span: Span) -> float:
    return max(span.end, span.start + _CAPTION_S)


# -- the page --------------------------------------------------------------------------------------------


def _part(kind: str) -> str:
    return files("rtagent.cli").joinpath(f"_timeline.{kind}").read_text("utf-8")


def _page_head(title: str) -> _Markup:
    digest = b64encode(sha256(_part("js").encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return _element(
        "head",
        _Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        _Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        _element("title", title),
        _Markup(f"<style>{_part('css')}</style>"),
    )


def _heading(facts: Facts, title: str) -> _Markup:
    counted = {
        "response": len(facts.responses),
        "tool call": len(facts.tools),
        "interruption": sum(mark.kind == "interruption" for mark in facts.marks),
    }
    figures = [f"{number} {noun}{'' if number == 1 else 's'}" for noun, number in counted.items()]
    zoom = _Markup('<input id="zoom" type="range" min="20" max="400" value="80">')
    return _element(
        "header",
        _element("h1", title),
        _element("p", ", ".join((f"{facts.duration_s:.1f} seconds", *figures))),
        _element("label", "Zoom ", zoom, id="zooming", hidden=""),
    )


def _chart(facts: Facts, waves: Sequence[_Markup]) -> _Markup:
    end = facts.duration_s
    marks = [Span(mark.at, mark.at, mark.kind, mark.caption) for mark in facts.marks]
    lanes = [
        _lane("seconds", _ticks(end), kind="axis"),
        _span_lane("marks", marks, end),
        *(_lane("caller", [wave], kind="wave") for wave in waves[:1]),
        _word_lane("caller said", [said for said in facts.utterances if said.speaker == "caller"], end),
        _span_lane("speech detected", facts.speech, end),
        *_state_lanes(facts.states),
        _span_lane("responses", facts.responses, end),
        _span_lane("tools", facts.tools, end),
        _span_lane("voice heard", facts.voice, end),
        _word_lane("assistant said", [said for said in facts.utterances if said.speaker == "assistant"], end),
        *(_lane("assistant", [wave], kind="wave") for wave in waves[1:]),
    ]
    lines = [_cut_line(mark) for mark in facts.marks if mark.kind == "interruption"]
    axis = _element("div", *lanes, *lines, class_="lanes", style=f"--seconds:{max(1.0, end):.3f}")
    return _element("div", axis, class_="chart", role="group", aria_label="Timeline", tabindex="0")


# -- lanes -----------------------------------------------------------------------------------------------


def _lane(name: str, content: Iterable[_Markup], *, kind: str, rows: int = 1) -> _Markup:
    track = _element("div", *content, class_="track", style=f"--rows:{max(1, rows)}")
    return _element("section", _element("h2", name), track, class_=f"lane {kind}")


def _ticks(end: float) -> Iterator[_Markup]:
    step = next(step for longest, step in _TICKS if end <= longest)
    for second in range(0, ceil(end) + 1, step):
        yield _element("span", str(second), class_="tick", style=_at(second))


def _waveform(samples: NDArray[np.float32], duration_s: float) -> _Markup:
    """The loudest and the quietest sample of each column, as one closed outline around the middle."""
    columns = min(_COLUMNS, ceil(duration_s * _COLUMNS_PER_S), len(samples))
    starts = np.linspace(0, len(samples), columns, endpoint=False).astype(np.intp)
    high = np.rint(-100 * np.maximum.reduceat(samples, starts)).astype(int).tolist()
    low = np.rint(-100 * np.minimum.reduceat(samples, starts)).astype(int).tolist()
    there = [f"{column},{level}" for column, level in enumerate(high)]
    back = [f"{column},{level}" for column, level in enumerate(low)]
    outline = _element("path", d=f"M{' '.join([*there, *reversed(back)])}Z")
    view = f"0 -100 {columns} 200"
    return _element("svg", outline, viewBox=view, preserveAspectRatio="none", style=_at(0.0, duration_s))


def _state_lanes(states: Sequence[Span]) -> Iterator[_Markup]:
    """A lane for each state that occurred: its name and its place tell what its colour tells, too."""
    for state in _STATES:
        bands = [_bar(_Placed(band, 0, band.end - band.start)) for band in states if band.kind == state]
        if bands:
            yield _lane(state.replace("_", " "), bands, kind="state")


def _span_lane(name: str, spans: Iterable[Span], end: float, *, kind: str = "spans") -> _Markup:
    """Bars with their captions; each caption may go on until the next bar of its row."""
    placed = _stacked(spans, end)
    rows = 1 + max((place.row for place in placed), default=0)
    return _lane(name, [_bar(place) for place in placed], kind=kind, rows=rows)


def _word_lane(name: str, said: Iterable[Utterance], end: float) -> _Markup:
    """Words where they began to sound, three lines of them at most; the table below has them whole."""
    spans = [Span(line.at, line.at + len(line.text) / _LETTERS_PER_S, "words", line.text) for line in said]
    return _span_lane(name, spans, end, kind="words")


def _bar(place: _Placed) -> _Markup:
    span, row, room = place
    length = span.end - span.start
    when = f"{span.start:.2f} to {span.end:.2f} s" if length else f"{span.start:.2f} s"
    caption = _element("span", span.caption, dir="auto")
    style = _at(span.start, length, row=row, room=room)
    return _element("div", caption, class_=f"bar {span.kind}", title=f"{when}: {span.caption}", style=style)


def _cut_line(mark: Mark) -> _Markup:
    return _element("div", class_="cut-line", title=f"{mark.at:.2f} s: interrupted", style=_at(mark.at))


# -- tables ----------------------------------------------------------------------------------------------


def _conversation(utterances: Sequence[Utterance]) -> _Markup:
    rows = [(f"{said.at:.1f}", said.speaker, said.text) for said in utterances]
    return _table("What was said", ("second", "who", "words"), rows)


def _latencies(turns: Sequence[Turn]) -> _Markup:
    rows = [
        (str(turn.number), f"{turn.at:.1f}", _ms(turn.answered_ms), _ms(turn.silenced_ms)) for turn in turns
    ]
    columns = ("turn", "second", "last word to first sound (ms)", "interruption to silence (ms)")
    return _table("Latency of each turn", columns, rows)


def _ms(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else f"{value:.0f}"


def _table(name: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> _Markup:
    head = _element("tr", *(_element("th", column, scope="col") for column in columns))
    body = [_element("tr", *(_element("td", cell, dir="auto") for cell in row)) for row in rows]
    nothing = _element("tr", _element("td", "none", colspan=str(len(columns))))
    return _element(
        "table",
        _element("caption", name),
        _element("thead", head),
        _element("tbody", *(body or [nothing])),
    )
