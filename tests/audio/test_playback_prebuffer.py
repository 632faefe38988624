from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from statistics import fmean

import pytest

from rtagent.audio._format import AudioFormat, PlaybackItem
from rtagent.audio._playback import PlaybackQueue, PlaybackStatistics
from rtagent.audio._playback_prebuffer import Prebuffer


def test_it_doubles_up_to_the_most() -> None:
    prebuffer = Prebuffer(least=40, most=300, calm=1_000)
    seen = []
    for _ in range(5):
        seen.append(prebuffer.frames)
        prebuffer.ran_dry(100)
    assert seen == [40, 80, 160, 300, 300]


def test_it_is_halved_after_a_calm_time_down_to_the_least() -> None:
    prebuffer = Prebuffer(least=40, most=400, calm=1_000)
    for _ in range(4):
        prebuffer.ran_dry(100)
    seen = []
    for _ in range(10):
        prebuffer.sounded(500)
        seen.append(prebuffer.frames)
    assert seen == [400, 200, 200, 100, 100, 50, 50, 40, 40, 40]


def test_an_underrun_begins_the_calm_time_anew() -> None:
    prebuffer = Prebuffer(least=40, most=400, calm=1_000)
    prebuffer.sounded(900)
    prebuffer.ran_dry(100)
    prebuffer.sounded(900)
    prebuffer.ran_dry(100)
    prebuffer.sounded(999)
    assert prebuffer.frames == 160
    prebuffer.sounded(1)
    assert prebuffer.frames == 80


def test_a_gap_that_could_not_be_bridged_teaches_nothing() -> None:
    prebuffer = Prebuffer(least=40, most=400, calm=1_000)
    prebuffer.ran_dry(401)
    assert prebuffer.frames == 40
    prebuffer.ran_dry(400)
    assert prebuffer.frames == 80


def test_who_never_holds_back_never_does() -> None:
    prebuffer = Prebuffer(least=0, most=400, calm=1_000)
    prebuffer.ran_dry(100)
    assert prebuffer.frames == 0
    assert Prebuffer(least=500, most=400, calm=1).frames == 500


# -- a network that delivers in bursts; docs/topics/playback.md has these figures

Arrivals = Iterator[tuple[int, bytes | None]]
"""When so much audio comes, in ms; None is the end of a reply."""
REPLIES, CHUNKS = 10, 20
CHUNK = bytes(2 * 200)


def bursts(chance: random.Random) -> Arrivals:
    """A server that is hardly as fast as speech: 200 ms of audio each 190 to 230 ms."""
    at = 0
    for _ in range(REPLIES):
        for _ in range(CHUNKS):
            yield at, CHUNK
            at += chance.randint(190, 230)
        yield at, None
        at += 4_000


def late(chance: random.Random) -> Arrivals:
    """A server that keeps 200 ms ahead, over a network that delivers up to 300 ms late, in order."""
    for reply in range(REPLIES):
        begin = at = 10_000 * reply
        for number in range(CHUNKS):
            at = max(at, begin + 200 * max(0, number - 1) + chance.randint(0, 300))
            yield at, CHUNK
        yield at + 1, None


def ahead(_: random.Random) -> Arrivals:
    """Four times as fast as it sounds."""
    for reply in range(REPLIES):
        for number in range(CHUNKS):
            yield 6_000 * reply + 50 * number, CHUNK
        yield 6_000 * reply + 50 * CHUNKS, None


def played(arrivals: Arrivals, longest_ms: float) -> PlaybackStatistics:
    queue = PlaybackQueue(AudioFormat.pcm16(1_000), longest_prebuffer_ms=longest_ms)
    now = reply = 0
    for at, pcm in arrivals:
        while now + 10 <= at:
            queue.pull(10)
            now += 10
        if pcm is None:
            queue.finish()
            reply += 1
        else:
            queue.push(PlaybackItem(f"reply-{reply}"), pcm)
    return queue.statistics()


def gaps(arrivals: Callable[[random.Random], Arrivals], longest_ms: float) -> float:
    """The mean over five seeds."""
    seeds = map(random.Random, range(5))
    return fmean(played(arrivals(chance), longest_ms).underruns for chance in seeds)


@pytest.mark.parametrize(("arrivals", "fixed", "adaptive"), [(bursts, 109, 7), (late, 4, 3), (ahead, 0, 0)])
def test_what_comes_late_makes_fewer_gaps_when_more_is_held_back(
    arrivals: Callable[[random.Random], Arrivals], fixed: float, adaptive: float
) -> None:
    assert gaps(arrivals, 40) == pytest.approx(fixed, abs=1)
    assert gaps(arrivals, 400) == pytest.approx(adaptive, abs=1)
