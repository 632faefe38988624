"""The figures of the sound are computed rightly, from recordings that are made here, and the page shows them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from benchmarks import _bars, _busy, audio_callback, audio_heard, audio_underruns
from benchmarks._listener import Recording
from benchmarks._marker import RATE, Passage, frames_within, gaps, largest_step, marker, passages, sounding
from scripts import make_audio_page

FADE = RATE * 5 // 1000


def silence(frames: int) -> np.ndarray:
    return np.zeros(frames)


def faded(voice: np.ndarray) -> np.ndarray:
    """As the speaker cuts: the last 5 ms on a ramp to zero."""
    ramp = np.ones(len(voice))
    ramp[-FADE:] = np.arange(FADE - 1, -1, -1) / FADE
    return np.round(voice * ramp)


def noise(frames: int, strength: float = 8.0) -> np.ndarray:
    return np.random.default_rng(1).normal(0, strength, frames)


def recording_of(samples: np.ndarray, begins_at: float = 0.0) -> Recording:
    frames = np.arange(0, len(samples), 240)
    return Recording(samples, frames, np.full(len(frames), begins_at), 0)


# -- the marker


@pytest.mark.parametrize(
    ("seed", "begin", "position", "frames"), [(1, 500, 0, 24_000), (2, 7, 61_003, 2_401), (3, 0, 11, 700)]
)
def test_a_position_is_read_exactly_to_a_few_samples(seed: int, begin: int, position: int, frames: int):
    voice = marker(seed, 4 * RATE)
    recording = np.concatenate([silence(begin), voice[position : position + frames], silence(900)])
    [found] = passages(recording + noise(len(recording)), voice)
    assert found.begin - found.position == begin - position, "every sample is where it is said to be"
    assert found.begin == pytest.approx(begin, abs=2), "the ends are where it is louder than the noise"
    assert found.end == pytest.approx(begin + frames, abs=2)


def test_each_seed_has_a_marker_of_its_own():
    voice = marker(1, 2 * RATE)
    assert np.array_equal(voice, marker(1, 2 * RATE))
    recording = np.concatenate([silence(100), marker(2, RATE), silence(100)])
    assert passages(recording, voice) == []
    assert passages(silence(1_000), voice) == []


def test_halts_and_skips_are_found():
    voice = marker(4, 3 * RATE)
    halted = [voice[:20_000], silence(1_000), voice[20_000:30_000]]
    skipped = [voice[30_600:40_000], silence(50)]
    found = passages(np.concatenate([*halted, *skipped]), voice)
    assert [one.position for one in found] == pytest.approx([0, 20_000, 30_600], abs=48)
    assert [one.frames for one in found] == pytest.approx([20_000, 10_000, 9_400], abs=48)
    halt, skip = gaps(found)
    assert halt == pytest.approx((1_000, 0), abs=3)
    assert skip == pytest.approx((0, 600), abs=3)


def test_a_ramp_belongs_to_what_it_ends():
    voice = marker(5, RATE)
    recording = np.concatenate([silence(200), faded(voice[:12_000]), silence(200)])
    [found] = passages(recording, voice)
    assert (found.begin, found.position) == (200, 0)
    assert found.frames == pytest.approx(12_000, abs=3)


def test_a_few_milliseconds_after_a_pause_are_what_comes_next():
    voice = marker(6, RATE)
    short = voice[9_000:9_300] * np.concatenate(
        [np.arange(FADE) / FADE, np.ones(60), np.arange(FADE, 0, -1) / FADE]
    )
    recording = np.concatenate([voice[:9_000], silence(800), short, silence(800)])
    found = passages(recording, voice)
    assert frames_within(found, 0, len(voice)) == pytest.approx(9_300, abs=10)
    other = np.concatenate([voice[:9_000], silence(800), marker(7, 300), silence(800)])
    assert frames_within(passages(other, voice), 0, len(voice)) == pytest.approx(9_000, abs=3), (
        "that is another voice"
    )


def test_a_voice_that_was_cut_at_once_is_read_though_the_filter_rings_before_it():
    voice = marker(96, RATE)
    rings = np.array([70.0, -150.0, 400.0])
    recording = np.concatenate([silence(500), rings, faded(voice[:328]), silence(500)])
    [found] = passages(recording, voice)
    assert found.begin - found.position == pytest.approx(503, abs=1)
    assert found.frames == pytest.approx(328, abs=3)


def test_what_the_filter_rings_is_not_counted_twice():
    voice = marker(8, RATE)
    recording = np.concatenate([voice[:5_006], silence(500), voice[5_000:10_000], silence(500)])
    assert frames_within(passages(recording, voice), 0, len(voice)) == pytest.approx(10_000, abs=4)


def test_frames_are_counted_by_item_and_up_to_a_moment():
    found = [Passage(100, 0, 50), Passage(200, 50, 100)]
    assert frames_within(found, 0, 60) == 60
    assert frames_within(found, 60, 1_000) == 90
    assert frames_within(found, 0, 1_000, until=210) == 60
    assert frames_within(found, 0, 1_000, until=90) == 0


def test_a_cut_without_a_ramp_is_a_step_that_the_voice_never_makes():
    voice = marker(9, RATE)
    loudest = int(np.argmax(voice[1_000:6_000])) + 1_001
    hard = np.concatenate([voice[:loudest], silence(500)])
    soft = np.concatenate([faded(voice[:loudest]), silence(500)])
    assert largest_step(hard) > 4 * largest_step(voice)
    assert largest_step(soft) <= largest_step(voice)
    assert largest_step(silence(0)) == 0.0


def test_a_pause_is_a_millisecond_of_silence():
    voice = marker(10, 4_000)
    assert len(sounding(voice)) == 1, "the voice itself has none"
    both = np.concatenate([voice[:2_000], silence(60), voice[2_000:]])
    assert len(sounding(both)) == 2
    assert sounding(silence(10)) == []


# -- the time base


def test_frames_and_times_of_a_recording_are_each_others_inverse():
    jitter = np.random.default_rng(2).normal(0, 0.001, 2_000)
    recording = Recording(silence(480_000), np.arange(2_000) * 240, 1_000.0 + jitter, 0)
    assert recording.time_of(48_000) == pytest.approx(1_002.0, abs=0.0005), (
        "the jitter of single blocks is gone"
    )
    assert recording.frame_at(recording.time_of(123_456)) == pytest.approx(123_456, abs=12)
    assert recording.scatter_ms() == pytest.approx(2.6, abs=0.8)


# -- one interruption


def interrupted(
    cut_after: int, *, lead: int, said_ms: float
) -> tuple[audio_heard.Interruption, dict[str, Any], Recording]:
    """A voice of two items from frame 24000 on, whose last ``lead`` frames are heard after the call of stop()."""
    interruption = audio_heard.Interruption(21, "playing", (12_000, 24_000), 0.5)
    recording = np.concatenate([silence(24_000), faded(interruption.voice()[:cut_after]), silence(24_000)])
    called = 1.0 + (cut_after - lead) / RATE
    said = {
        "begun": 0.95,
        "called": called,
        "before": {"item 0": 500.0, "item 1": said_ms},
        "heard": {"item 0": 500.0, "item 1": said_ms + lead / 24},
        "silent_at": 1.0 + cut_after / RATE,
        "settled": {"item 0": 500.0, "item 1": (cut_after - 12_000) / 24},
        "after_handover": FADE - 1,
        "blocks": 1,
        "block": 208.0,
        "step": audio_heard.last_step(recording),
    }
    return interruption, said, recording_of(recording)


def test_a_true_account_has_no_error():
    found = audio_heard.finding(*interrupted(18_000, lead=1_200, said_ms=200.0))
    assert found.worst_item_ms == pytest.approx(0.0, abs=0.1)
    assert found.at_stop_ms == pytest.approx(0.0, abs=0.1)
    assert found.settled_ms == pytest.approx(0.0, abs=0.2)
    assert found.heard_after_ms == pytest.approx(50.0, abs=0.2)
    assert found.silent_ms == pytest.approx(50.0, abs=0.2)
    assert found.silent_at_ms == pytest.approx(0.0, abs=0.2)
    assert found.step <= 1.0
    assert found.recorded_step <= 1.0
    assert found.gaps == 0


def test_a_false_account_is_found_out():
    found = audio_heard.finding(*interrupted(18_000, lead=1_200, said_ms=230.0))
    assert found.worst_item_ms == pytest.approx(30.0, abs=0.1)
    assert found.told_ms == pytest.approx(30.0, abs=0.2)


def test_an_interruption_before_anything_sounded_has_nothing_to_compare():
    interruption, said, recording = interrupted(18_000, lead=0, said_ms=0.0)
    said |= {"before": {}, "heard": {}, "settled": {}, "after_handover": 0, "blocks": 0}
    found = audio_heard.finding(interruption, said, recording_of(silence(len(recording.samples))))
    assert (found.worst_item_ms, found.settled_ms, found.silent_ms, found.step) == (0.0, 0.0, 0.0, 0.0)


def test_the_plan_is_the_same_for_the_same_seed_and_has_every_kind():
    planned = audio_heard.plan(200, seed=1)
    assert planned == audio_heard.plan(200, seed=1)
    assert planned != audio_heard.plan(200, seed=2)
    assert {one.kind for one in planned} == {"playing", "before it sounds", "arriving slowly", "ran dry"}
    assert {len(one.items) for one in planned} == {2, 3, 4, 5}


def test_bars_are_missed_by_what_is_above_them():
    good = [audio_heard.finding(*interrupted(18_000, lead=1_200, said_ms=200.0)) for _ in range(3)]
    bad = audio_heard.finding(*interrupted(18_000, lead=1_200, said_ms=260.0))
    assert _bars.all_met(audio_heard.summary(good, scatter_ms=1.0, recorder_flags=0)["bars"])
    missed = audio_heard.summary([*good, bad], scatter_ms=1.0, recorder_flags=0)["bars"]
    assert [one["met"] for one in missed] == [False, False, True, True, True]
    assert "MISSED" in _bars.lines(missed)[0]
    assert "met" in _bars.lines(missed)[2]


def test_a_missed_bar_on_a_busy_machine_says_so():
    assert _bars.verdict(_bars.bar("x", 2, 0, "", others=1.2)) == "MISSED (too busy a machine to judge)"
    assert _bars.verdict(_bars.bar("x", 2, 0, "", others=0.1)) == "MISSED"
    assert _bars.verdict(_bars.bar("x", 0, 0, "", others=1.2)) == "met"


def test_the_last_step_is_that_of_the_last_sound():
    voice = marker(9, RATE)
    hard = np.concatenate([voice[:1_000], silence(500), faded(voice[:6_000]), silence(500)])
    assert audio_heard.last_step(hard) <= largest_step(voice), "how the sound before it ended is not asked"
    assert audio_heard.last_step(silence(100)) == 0.0


# -- the long voice


def test_what_is_missing_of_the_long_voice_is_counted():
    voice = marker(10_000, 3 * RATE)
    samples = np.concatenate(
        [silence(RATE), voice[:30_000], silence(2_400), voice[31_200:], silence(2 * RATE)]
    )
    condition = _busy.Condition(seconds=3)
    found = _busy.judged(condition, {"begun": 1.0, "stops": []}, recording_of(samples))
    assert found["gaps"] == 1
    assert found["silence_ms"] == pytest.approx(100.0, abs=0.3)
    assert found["lost_ms"] == pytest.approx(50.0, abs=0.3)


def test_the_frames_of_a_burst_hold_the_voice():
    pcm = marker(1, RATE).astype("<i2").tobytes()
    frames = [json.loads(frame) for frame in _busy.deltas(pcm)]
    assert len(frames) == 10
    assert {frame["type"] for frame in frames} == {"response.output_audio.delta"}


def test_interruptions_that_found_silence_are_left_out():
    cut = {"silent_ms": 50.0, "step": 0.8, "heard_error_ms": -2.0, "took_ms": 0.1}
    silent = {"silent_ms": -300.0, "step": 0.0, "heard_error_ms": 0.0, "took_ms": 0.1}
    found = audio_callback.stops([cut, silent])
    assert found == {
        "cuts": 1,
        "stop_p50_ms": 50.0,
        "stop_worst_ms": 50.0,
        "step_worst": 0.8,
        "heard_worst_ms": 2.0,
    }
    assert audio_callback.stops([silent]) == {"cuts": 0}


# -- the page


def test_the_page_is_made_from_the_figures_beside_it():
    figures = json.loads(make_audio_page.FIGURES.read_text(encoding="utf-8"))
    made = make_audio_page.page(figures)
    assert make_audio_page.PAGE.read_text(encoding="utf-8") == made, (
        "python -m scripts.make_audio_page --words"
    )


def run_row(**changed: Any) -> dict[str, Any]:
    return {
        "switch_ms": 0.5,
        "counters": {"underruns": 0, "flags": 7},
        "gaps": 2,
        "silence_ms": 31.4,
        "lost_ms": 3.0,
        "waits_ms": {"50": 0.6, "99": 8.5, "100": 21.0},
        "decode_ms": [5.0, 44.0],
        "work_per_s": 2_000.0,
        "cpu_share": 0.021,
        "others": 0.25,
    } | changed


def test_the_page_shows_what_it_is_given():
    findings = [audio_heard.finding(*interrupted(18_000, lead=1_200, said_ms=212.3))]
    rows = {name: run_row() for name in audio_underruns.conditions(60)}
    stopped = {
        "cuts": 10,
        "stop_p50_ms": 44.0,
        "stop_worst_ms": 51.0,
        "step_worst": 3.5,
        "heard_worst_ms": 25.5,
    }
    figures = {
        "conditions": {
            "date": "2026-01-02", "system": "Linux", "cores": 2, "python": "3.11.7", "portaudio": "PortAudio V19",
            "sounddevice": "0.5.6", "nice": -10,
        },
        "heard": audio_heard.summary(findings, scatter_ms=2.6, recorder_flags=0) | {"others": None},
        "underruns": audio_underruns.summary(60, rows),
    }  # fmt: skip
    page = make_audio_page.page(figures)
    assert "12.3" in page
    assert "raised priority (nice -10)" in page
    assert "| 2 (31 ms) | 0.6 / 8.5 / 21.0 | 44 ms | 100% | 0.2 cores |" in page
    assert "| gaps in the recording, two busy threads | 2.00 | 0 | MISSED |" in page
    assert "Not run: rtmixer is not installed" in page
    figures["callback"] = {
        "version": "0.1.7",
        "seconds": 30,
        "rows": [
            {"name": "rtmixer, alone", **run_row(waits_ms=None), **stopped},
            {"name": "silent", **run_row(others=None), "cuts": 0},
        ],
    }
    with_callback = make_audio_page.page(figures)
    assert "| rtmixer, alone | 2 (31 ms) | 2.1% | 44 / 51 | 3.50 | 25.5 | 0.2 cores |" in with_callback
    assert "| silent | 2 (31 ms) | 2.1% |  |  |  |  |" in with_callback


def test_single_interruptions_and_idle_digits_are_not_kept():
    figures = {
        "findings": [1],
        "rows": [{"stops": [2], "stopped": [], "begun": 3.0, "gaps": 0.123456}],
        "load": (1, 2),
    }
    assert make_audio_page.without_single(figures) == {"rows": [{"gaps": 0.1235}], "load": [1, 2]}
