from __future__ import annotations

import struct
import threading
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.audio._format import AudioFormat, PlaybackItem
from rtagent.audio._playback import PlaybackQueue
from rtagent.errors import ConfigurationError

A = PlaybackItem("a")
B = PlaybackItem("b")
RATE = 1_000  # one frame is one millisecond


def queue_of(prebuffer_ms: float = 0, capacity_ms: float = 600_000, fade_ms: float = 0) -> PlaybackQueue:
    return PlaybackQueue(
        AudioFormat.pcm16(RATE), prebuffer_ms=prebuffer_ms, capacity_ms=capacity_ms, fade_ms=fade_ms
    )


def pcm(*samples: int) -> bytes:
    return struct.pack(f"<{len(samples)}h", *samples)


def tone(frames: int, value: int = 1_000) -> bytes:
    return pcm(*[value] * frames)


def samples(raw: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(raw) // 2}h", raw))


@pytest.mark.parametrize(
    "refused", [AudioFormat.pcmu(), AudioFormat.pcma(), AudioFormat("pcm16", 24_000, channels=2)]
)
def test_takes_mono_pcm16_only(refused: AudioFormat) -> None:
    with pytest.raises(ConfigurationError, match="mono pcm16"):
        PlaybackQueue(refused)


def test_pulls_exactly_what_is_asked_and_fills_with_silence() -> None:
    queue = queue_of()
    queue.push(A, pcm(1, 2, 3))
    assert samples(queue.pull(2)) == [1, 2]
    assert queue.sounding
    assert samples(queue.pull(4)) == [3, 0, 0, 0]
    assert queue.pull(0) == b""
    assert not queue.sounding
    assert queue.frames_out == 6
    assert queue.statistics().silence_frames == 3


def test_crosses_chunks_and_items_within_one_block() -> None:
    queue = queue_of()
    queue.push(A, pcm(1, 2))
    queue.push(A, pcm(3))
    queue.push(B, pcm(4, 5))
    assert samples(queue.pull(5)) == [1, 2, 3, 4, 5]
    assert queue.heard(4).ms == {"a": 3.0, "b": 1.0}


def test_a_sample_may_be_cut_between_chunks_of_the_same_part() -> None:
    queue = queue_of()
    whole = pcm(1000, 2000, 3000)
    queue.push(A, whole[:3])
    queue.push(B, pcm(7))  # another part in between takes no part in it
    queue.push(A, whole[3:])
    assert samples(queue.pull(4)) == [1000, 7, 2000, 3000]
    assert queue.received_ms("a") == 3.0


# -- prebuffer


def test_a_reply_waits_until_it_is_buffered() -> None:
    queue = queue_of(prebuffer_ms=40)
    queue.push(A, tone(39))
    assert samples(queue.pull(10)) == [0] * 10
    queue.push(A, tone(1))
    assert samples(queue.pull(10)) == [1000] * 10


def test_a_finished_reply_does_not_wait() -> None:
    queue = queue_of(prebuffer_ms=40)
    queue.push(A, tone(5))
    queue.finish()
    assert samples(queue.pull(6)) == [1000] * 5 + [0]


def test_a_short_reply_that_nobody_finishes_is_released_after_the_prebuffer_time() -> None:
    queue = queue_of(prebuffer_ms=40)
    queue.push(A, tone(5))
    heard = [samples(queue.pull(10)) for _ in range(7)]
    assert [any(block) for block in heard] == [False] * 4 + [True, False, False]
    assert queue.drained_at_frame == 45


def test_growth_starts_the_quiet_time_anew() -> None:
    queue = queue_of(prebuffer_ms=40)
    for _ in range(4):  # ten frames come for every 30 that pass
        assert not any(queue.pull(30))
        queue.push(A, tone(9))
    assert not any(queue.pull(30))
    queue.push(A, tone(4))
    assert samples(queue.pull(3)) == [1000] * 3


def test_each_reply_is_buffered_anew_and_that_is_no_underrun() -> None:
    queue = queue_of(prebuffer_ms=4)
    for item in (A, B):
        queue.push(item, tone(4))
        assert samples(queue.pull(5)) == [1000] * 4 + [0]
    queue.push(PlaybackItem("b", content_index=1), tone(4))
    assert samples(queue.pull(5)) == [1000] * 4 + [0]
    assert queue.statistics().underruns == 0


# -- underrun


def test_an_underrun_fades_out_is_counted_waits_again_and_fades_in() -> None:
    queue = queue_of(prebuffer_ms=6, fade_ms=4)
    queue.push(A, tone(6))
    assert samples(queue.pull(8)) == [1000, 1000, 750, 500, 250, 0, 0, 0]
    assert queue.statistics().underruns == 0, "it may have been the end"
    queue.push(A, tone(11))
    assert samples(queue.pull(2)) == [0, 0], "twice as much is wanted now"
    assert queue.statistics().underruns == 1
    queue.push(A, tone(1))
    queue.finish()
    assert samples(queue.pull(6)) == [250, 500, 750, 1000, 1000, 1000]
    assert queue.heard(11).ms == {"a": 7.0}


def test_more_that_comes_in_time_turns_the_fade_round() -> None:
    queue = queue_of(fade_ms=4)
    queue.push(A, tone(8))
    assert samples(queue.pull(6)) == [1000, 1000, 1000, 1000, 750, 500]
    queue.push(A, tone(8))
    assert samples(queue.pull(4)) == [750, 1000, 1000, 1000]
    assert queue.statistics().underruns == 0


def test_what_is_saved_in_the_last_moment_too_often_waits_for_more() -> None:
    queue = queue_of(prebuffer_ms=8, fade_ms=4)
    queue.push(A, tone(10))
    lowest = []
    for _ in range(10):  # as much comes as sounds, with two milliseconds to spare
        lowest.append(min(samples(queue.pull(8))))
        queue.push(A, tone(8))
    assert lowest == [500] * 4 + [0, 250] + [1000] * 4, "with 16 ms it has enough"
    assert queue.statistics().underruns == 1
    assert queue.heard(80).of("a") == queue.received_ms("a") - queue.queued_ms


def test_a_reply_that_is_completed_while_it_gives_up_goes_on_at_once() -> None:
    queue = queue_of(prebuffer_ms=8, fade_ms=4)
    queue.push(A, tone(10))
    for _ in range(3):
        queue.pull(8)
        queue.push(A, tone(8))
    assert samples(queue.pull(8)) == [750, 1000, 1000, 1000, 1000, 1000, 750, 500]
    queue.push(A, tone(8))
    queue.finish()
    assert samples(queue.pull(8)) == [250, 0] + [0] * 6
    assert samples(queue.pull(8)) == [250, 500, 750, 1000, 1000, 1000, 1000, 1000]


def test_what_is_heard_after_a_complete_reply_alone_fades() -> None:
    queue = queue_of(fade_ms=4)
    queue.push(A, tone(8))
    queue.finish()
    queue.push(B, tone(2))
    assert samples(queue.pull(11)) == [1000] * 8 + [500, 0] + [0]


LOUD = [round(30_000 * np.sin(2 * np.pi * 440 * n / 24_000)) for n in range(24_000)]
LARGEST_STEP_OF_LOUD = max(abs(after - before) for before, after in pairwise(LOUD))


@pytest.mark.parametrize("block", [128, 240, 480, 481, 960])
@pytest.mark.parametrize("gap", [1, 3])
def test_a_reply_that_runs_dry_does_not_click(block: int, gap: int) -> None:
    queue = PlaybackQueue(AudioFormat.pcm16(24_000))
    output = bytearray(2)
    for start in range(0, 24_000, 4_800):  # each 200 ms, in time for nothing
        queue.push(A, pcm(*LOUD[start : start + 4_800]))
        for _ in range(4_800 // block + gap):
            output += queue.pull(block)
    queue.finish()
    output += queue.pull(24_000)
    steps = [abs(after - before) for before, after in pairwise(samples(bytes(output)))]
    assert queue.statistics().underruns >= 1
    assert queue.heard(queue.frames_out).of("a") == 1_000.0
    assert max(steps[:-24_000]) <= LARGEST_STEP_OF_LOUD + 30_000 // 120 + 1, "a step of the ramp at most"


def test_replies_that_run_dry_are_held_back_longer() -> None:
    queue = queue_of(prebuffer_ms=40)
    wanted = []
    for _ in range(5):
        queue.push(A, tone(400))
        queue.pull(500)
        wanted.append(queue.statistics().prebuffer_ms)
    assert wanted == [40, 80, 160, 320, 400]
    queue.push(A, tone(40_000))
    queue.pull(40_000)
    assert queue.statistics().prebuffer_ms == 200


def test_a_finished_reply_that_goes_on_after_all_is_no_underrun() -> None:
    queue = queue_of(prebuffer_ms=4, fade_ms=4)
    queue.push(A, tone(4))
    queue.finish()
    queue.pull(6)
    queue.push(A, tone(8))
    assert samples(queue.pull(4)) == [1000] * 4
    assert queue.statistics().underruns == 0


# -- flush


def test_a_flush_ramps_to_zero_and_drops_the_rest() -> None:
    queue = queue_of(fade_ms=5)
    queue.push(A, tone(100))
    queue.pull(10)
    assert queue.flush() == 15
    assert queue.drained_at_frame == 15  # not seen by the consumer yet, but decided
    assert samples(queue.pull(10)) == [800, 600, 400, 200, 0] + [0] * 5
    assert queue.heard(12).of("a") == 12.0
    assert queue.heard(20).of("a") == 15.0, "the faded samples were heard"
    assert queue.statistics().dropped_ms == 85.0
    assert queue.drained_at_frame == 15


def test_a_flush_fades_across_items_and_takes_less_when_less_is_left() -> None:
    queue = queue_of(fade_ms=5)
    queue.push(A, tone(11))
    queue.push(B, tone(2, -1_000))
    queue.finish()
    queue.pull(10)
    assert queue.flush() == 13
    assert samples(queue.pull(5)) == [666, -334, 0, 0, 0]
    assert queue.heard(15).ms == {"a": 11.0, "b": 2.0}


def test_the_queue_is_usable_at_once_after_a_flush() -> None:
    queue = queue_of(fade_ms=2, prebuffer_ms=4)
    queue.push(A, tone(50))
    queue.pull(10)
    queue.flush()
    queue.push(B, tone(4, 7))
    queue.finish()
    assert queue.drained_at_frame is None
    assert samples(queue.pull(8)) == [500, 0, 7, 7, 7, 7, 0, 0]
    assert queue.heard(18).ms == {"a": 12.0, "b": 4.0}
    assert queue.statistics().underruns == 0


def test_what_was_still_waiting_for_its_prebuffer_is_never_heard() -> None:
    queue = queue_of(prebuffer_ms=40)
    queue.push(A, tone(30))
    queue.pull(10)
    assert queue.flush() == 0, "it was silent all along"
    assert not any(queue.pull(100))
    assert queue.heard(110).ms == {}
    assert queue.statistics().dropped_ms == 30.0


def test_two_flushes_before_a_block_are_one() -> None:
    queue = queue_of(fade_ms=4)
    queue.push(A, tone(50))
    queue.pull(10)
    first = queue.flush()
    queue.push(B, tone(50))
    assert queue.flush() == first == 14
    assert samples(queue.pull(6)) == [750, 500, 250, 0, 0, 0]
    assert queue.heard(16).ms == {"a": 14.0}


def test_a_flush_within_a_fade_only_makes_it_quieter() -> None:
    queue = queue_of(fade_ms=8)
    queue.push(A, tone(50))
    queue.pull(10)
    queue.flush()
    first = samples(queue.pull(2))
    assert queue.flush() == 18
    rest = samples(queue.pull(8))
    whole = first + rest
    assert all(later <= earlier for earlier, later in pairwise(whole))
    assert whole[-1] == 0
    assert queue.heard(20).ms == {"a": 18.0}


def test_flushing_silence_changes_nothing() -> None:
    queue = queue_of()
    assert queue.flush() == 0
    queue.push(A, tone(3))
    queue.pull(10)
    assert queue.flush() == 3
    assert queue.drained_at_frame == 3


def test_a_flush_during_a_pull_allows_for_the_block_that_is_under_way() -> None:
    queue = queue_of(fade_ms=5)
    queue.push(A, tone(100))
    queue.pull(10)
    outlet = queue._outlet
    outlet.reserved = 20  # as the consumer leaves it while it is inside pull(10)
    assert queue.flush() == 25
    outlet.reserved = 10
    assert samples(queue.pull(10))[5:] == [0] * 5


def test_the_end_is_not_told_too_early_while_a_pull_is_under_way() -> None:
    queue = queue_of()
    queue.push(A, tone(5))
    queue.pull(10)
    queue._outlet.reserved = 20
    assert queue.drained_at_frame == 20


# -- pause


def test_a_pause_ramps_to_zero_and_goes_on_with_the_next_sample() -> None:
    queue = queue_of(fade_ms=4)
    queue.push(A, pcm(*range(1_000, 1_100)))
    queue.finish()
    queue.pull(10)
    assert not queue.paused
    assert queue.pause() == 14
    assert queue.paused
    assert queue.pause() == 14, "it is paused already"
    assert samples(queue.pull(8)) == [757, 505, 253, 0] + [0] * 4
    assert not any(queue.pull(1_000))
    assert queue.heard(1_018).of("a") == 14.0
    assert queue.drained_at_frame is None
    assert queue.pause() == 14
    queue.resume()
    queue.resume()
    assert not queue.paused
    assert samples(queue.pull(6)) == [253, 507, 762, 1017, 1018, 1019]
    assert samples(queue.pull(100))[:80] == list(range(1_020, 1_100))
    assert queue.heard(queue.frames_out).of("a") == 100.0
    assert queue.statistics().underruns == 0
    assert queue.drained_at_frame == 1_018 + 6 + 80


def test_what_comes_while_it_is_paused_is_queued() -> None:
    queue = queue_of(prebuffer_ms=4)
    queue.pause()
    assert queue.push(A, pcm(1, 2, 3)) == 0
    queue.finish()
    assert not any(queue.pull(100))
    assert queue.queued_ms == 3
    assert queue.drained_at_frame is None
    queue.resume()
    assert samples(queue.pull(4)) == [1, 2, 3, 0]


def test_a_pause_is_no_underrun_even_if_its_ramp_takes_all_that_is_queued() -> None:
    queue = queue_of(prebuffer_ms=8, fade_ms=4)
    queue.push(A, tone(8))
    queue.pull(6)
    queue.pause()
    queue.pull(500)
    queue.push(A, tone(20))
    queue.pull(500)
    queue.resume()
    assert samples(queue.pull(5)) == [250, 500, 750, 1000, 1000]
    statistics = queue.statistics()
    assert (statistics.underruns, statistics.prebuffer_ms) == (0, 8)


def test_a_resume_amid_the_ramp_turns_it_round() -> None:
    queue = queue_of(fade_ms=4)
    queue.push(A, tone(100))
    queue.pull(10)
    queue.pause()
    assert samples(queue.pull(2)) == [750, 500]
    queue.resume()
    assert samples(queue.pull(3)) == [750, 1000, 1000]
    assert queue.heard(15).of("a") == 15.0


def test_pause_and_resume_between_two_blocks_are_nothing() -> None:
    queue = queue_of(fade_ms=4)
    queue.push(A, tone(100))
    queue.pull(10)
    queue.pause()
    queue.resume()
    assert samples(queue.pull(3)) == [1000] * 3


def test_a_flush_of_what_is_paused_is_silent_and_ends_the_pause() -> None:
    queue = queue_of(fade_ms=4)
    queue.push(A, tone(100))
    queue.pull(10)
    queue.pause()
    queue.pull(10)
    assert queue.flush() == 14
    assert not queue.paused
    assert not any(queue.pull(50))
    assert queue.statistics().dropped_ms == 86
    queue.push(B, tone(8))
    assert samples(queue.pull(4)) == [1000] * 4
    assert queue.heard(queue.frames_out).ms == {"a": 14, "b": 4}


def test_a_flush_amid_the_ramp_of_a_pause_goes_on_with_it() -> None:
    queue = queue_of(fade_ms=4)
    queue.push(A, tone(100))
    queue.pull(10)
    queue.pause()
    queue.pull(1)
    assert queue.flush() == 14
    assert samples(queue.pull(4)) == [500, 250, 0, 0]


def test_a_pause_after_a_flush_holds_back_what_is_queued_next() -> None:
    queue = queue_of(fade_ms=4)
    queue.push(A, tone(100))
    queue.pull(10)
    assert queue.flush() == 14
    queue.push(B, tone(8))
    assert queue.pause() == 14, "the flush is not seen yet"
    assert samples(queue.pull(10)) == [750, 500, 250] + [0] * 7
    queue.resume()
    assert samples(queue.pull(2)) == [1000, 1000]


def test_a_pause_during_a_pull_allows_for_the_block_that_is_under_way() -> None:
    queue = queue_of(fade_ms=5)
    queue.push(A, tone(100))
    queue.pull(10)
    queue._outlet.reserved = 20
    assert queue.pause() == 25


def test_without_a_fade_a_pause_is_a_cut() -> None:
    queue = queue_of()
    queue.push(A, tone(20))
    queue.pull(10)
    assert queue.pause() == 10
    assert not any(queue.pull(10))
    queue.resume()
    assert samples(queue.pull(2)) == [1000, 1000]


@given(
    pauses=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8),
    block=st.integers(1, 17),
    fade=st.integers(0, 9),
)
def test_pauses_lose_nothing_double_nothing_and_do_not_click(
    pauses: Sequence[tuple[int, int]], block: int, fade: int
) -> None:
    queue = queue_of(fade_ms=fade)
    queue.push(A, tone(5_000, 10_000))
    queue.finish()
    output = bytearray(queue.pull(1))
    for before, during in pauses:
        output += b"".join(queue.pull(block) for _ in range(before))
        silent_from = queue.pause()
        output += b"".join(queue.pull(block) for _ in range(during))
        assert not any(output[2 * silent_from :])
        queue.resume()
    output += queue.pull(5_000)
    assert queue.heard(queue.frames_out).of("a") == 5_000.0
    end = queue.drained_at_frame
    assert end is not None
    heard = samples(bytes(output[: 2 * end]))
    assert 5_000 + queue.statistics().silence_frames == queue.frames_out
    if fade:
        assert all(abs(after - before) <= 10_000 // fade + 1 for before, after in pairwise(heard))


# -- capacity


def test_what_does_not_fit_is_refused_and_can_be_pushed_again() -> None:
    queue = queue_of(capacity_ms=4)
    chunk = pcm(1, 2, 3, 4, 5, 6) + b"\x07"
    refused = queue.push(A, chunk)
    assert refused == 5
    assert queue.push(A, chunk[-refused:]) == 5
    assert samples(queue.pull(4)) == [1, 2, 3, 4]
    assert queue.push(A, chunk[-refused:]) == 0
    assert queue.push(A, b"\x00") == 0
    assert samples(queue.pull(4)) == [5, 6, 7, 0]
    statistics = queue.statistics()
    assert statistics.refused_ms == 5.0
    assert queue.received_ms("a") == 7.0


def test_half_a_sample_fits_into_a_full_queue_but_not_the_whole_one() -> None:
    queue = queue_of(capacity_ms=2)
    assert queue.push(A, pcm(1, 2) + b"\x03") == 0
    assert queue.push(A, b"\x00") == 1
    queue.pull(2)
    assert queue.push(A, b"\x00") == 0
    assert samples(queue.pull(1)) == [3]


# -- what was heard


def test_heard_is_exact_over_waits_underruns_and_fades() -> None:
    queue = queue_of(prebuffer_ms=10, fade_ms=4)
    queue.pull(7)
    queue.push(A, tone(10))
    queue.pull(20)  # frames 7-16 are A, then it runs dry
    queue.push(A, tone(20))
    queue.pull(10)  # frames 27-36 are A
    queue.flush()
    queue.pull(10)  # frames 37-40 are A's fade
    table = {0: 0, 7: 0, 8: 1, 17: 10, 27: 10, 30: 13, 37: 20, 39: 22, 41: 24, 47: 24}
    assert {frame: queue.heard(frame).of("a") for frame in table} == table


def test_heard_never_goes_back() -> None:
    queue = queue_of()
    queue.push(A, tone(10))
    queue.pull(10)
    assert queue.heard(8).of("a") == 8.0
    assert queue.heard(3).of("a") == 8.0


def test_what_a_lost_device_held_back_was_not_heard() -> None:
    queue = queue_of()
    queue.push(A, tone(6))
    queue.push(B, tone(6))
    queue.pull(12)
    assert queue.forget_after(4) == 8.0
    queue.push(B, tone(2))
    queue.pull(4)
    assert queue.heard(16).ms == {"a": 4.0, "b": 2.0}
    assert queue.forget_after(16) == 0.0


def test_unknown_items_were_neither_received_nor_heard() -> None:
    queue = queue_of()
    assert queue.received_ms("x") == 0.0
    assert queue.heard(10).of("x") == 0.0


def test_memory_stays_bounded_over_many_items() -> None:
    queue = queue_of(prebuffer_ms=0)
    for number in range(1_500):
        queue.push(PlaybackItem(f"item-{number}"), tone(20))
        queue.pull(30)
    ledger = queue._ledger
    assert len(ledger._items) == 1_000
    assert len(ledger._segments) <= 10_000 / 30 + 1, "ten seconds' worth"
    heard = queue.heard(queue.frames_out)
    assert not ledger._segments
    assert heard.of("item-499") == 0.0, "forgotten"
    assert heard.of("item-500") == heard.of("item-1499") == 20.0


def test_what_was_pulled_of_a_forgotten_item_is_forgotten_too() -> None:
    queue = queue_of()
    queue.push(PlaybackItem("first"), tone(20))
    queue.pull(20)
    for number in range(1_000):
        queue.push(PlaybackItem(f"item-{number}"), b"")
    assert queue.heard(10).ms == {}
    assert queue.heard(20).ms == {}


def test_segments_that_touch_are_one() -> None:
    queue = queue_of()
    for _ in range(50):
        queue.push(A, tone(10))
        queue.pull(10)
    queue.heard(0)
    assert len(queue._ledger._segments) == 1


# -- properties


steps = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.sampled_from("ab"), st.integers(0, 60)),
        st.tuples(st.just("pull"), st.just(""), st.integers(0, 40)),
        st.tuples(st.just("flush"), st.just(""), st.just(0)),
        st.tuples(st.sampled_from(["finish", "pause", "resume"]), st.just(""), st.just(0)),
    ),
    max_size=60,
)


@given(steps=steps, prebuffer=st.integers(0, 20), fade=st.integers(0, 8), capacity=st.integers(20, 200))
def test_every_sample_is_heard_queued_refused_or_dropped(
    steps: Sequence[tuple[str, str, int]], prebuffer: int, fade: int, capacity: int
) -> None:
    queue = queue_of(prebuffer_ms=prebuffer, capacity_ms=capacity, fade_ms=fade)
    pushed = refused = frames = 0
    output = bytearray()
    for verb, item_id, count in steps:
        match verb:
            case "push":
                pushed += count
                refused += queue.push(PlaybackItem(item_id), tone(count)) // 2
            case "pull":
                block = queue.pull(count)
                assert len(block) == 2 * count
                output += block
                frames += count
            case "flush":
                assert queue.flush() >= 0
            case "finish":
                queue.finish()
            case "pause":
                assert queue.pause() >= 0
            case _:
                queue.resume()
        assert queue.queued_ms <= capacity + fade
    queue.resume()
    output += queue.pull(500)  # whatever waits is released, at the latest, after the prebuffer time
    frames += 500
    heard = queue.heard(frames)
    statistics = queue.statistics()
    assert statistics.frames_out == frames
    assert queue.queued_ms == 0 or queue.pull(500)
    total = sum(heard.ms.values())
    assert total == frames - statistics.silence_frames
    sounding = sum(1 for sample in samples(bytes(output)) if sample)
    assert sounding <= total <= sounding + len(steps) + 1, "a ramp ends in a zero"
    assert statistics.refused_ms == refused
    assert all(heard.of(item_id) <= queue.received_ms(item_id) for item_id in "ab")


@given(chunks=st.lists(st.binary(max_size=9), max_size=12), block=st.integers(1, 7))
def test_chunk_borders_make_no_difference(chunks: list[bytes], block: int) -> None:
    queue = queue_of()
    for chunk in chunks:
        queue.push(A, chunk)
    whole = b"".join(chunks)
    frames = len(whole) // 2
    output = b"".join(queue.pull(block) for _ in range(frames // block + 1))
    assert output[: 2 * frames] == whole[: 2 * frames]
    assert not any(output[2 * frames :])


def test_two_threads_lose_and_double_nothing() -> None:
    queue = queue_of(prebuffer_ms=3, fade_ms=2)
    done = threading.Event()
    pulled: list[bytes] = []

    def consume() -> None:
        size = 0
        while not done.is_set():
            size = size % 13 + 1
            pulled.append(queue.pull(size))

    consumer = threading.Thread(target=consume)
    consumer.start()
    try:
        for number in range(3_000):
            queue.push(A if number % 2 else B, tone(number % 29))
            queue.heard(queue.frames_out)
            if number % 50 == 49:
                queue.flush()
            if number % 35 == 20:
                queue.pause()
            if number % 35 == 30:
                queue.resume()
    finally:
        done.set()
        consumer.join()
    queue.resume()
    queue.finish()
    pulled.append(queue.pull(200_000))
    statistics = queue.statistics()
    heard_ms = sum(queue.heard(queue.frames_out).ms.values())
    pushed_ms = queue.received_ms("a") + queue.received_ms("b")
    assert sum(map(len, pulled)) == 2 * queue.frames_out
    assert heard_ms == statistics.frames_out - statistics.silence_frames
    assert heard_ms + statistics.dropped_ms == pushed_ms
    sounding = sum(1 for sample in samples(b"".join(pulled)) if sample)
    assert sounding <= heard_ms <= sounding + 6_000, "each ramp ends in a zero"


def test_a_closed_queue_refuses_and_counts() -> None:
    queue = PlaybackQueue(AudioFormat.pcm16(1_000), prebuffer_ms=0)
    queue.push(PlaybackItem("a"), bytes(20))
    queue.close()
    assert queue.push(PlaybackItem("a"), bytes(40)) == 40
    assert queue.statistics().refused_ms == 20
    assert (queue.received_ms("a"), queue.queued_ms) == (10, 10)


def test_what_is_queued_is_the_queues_own() -> None:
    queue = PlaybackQueue(AudioFormat.pcm16(1_000), prebuffer_ms=0)
    buffer = bytearray(b"ab" * 40)
    queue.push(PlaybackItem("a"), buffer)  # type: ignore[arg-type]
    buffer[:] = b""
    queue.finish()
    assert queue.pull(40) == b"ab" * 40
    with pytest.raises(TypeError, match="audio is bytes, not str"):
        queue.push(PlaybackItem("a"), "text")  # type: ignore[arg-type]
