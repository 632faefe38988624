from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from rtagent.audio._format import AudioFormat, PlaybackItem
from rtagent.audio._playback import PlaybackQueue, PlaybackStatistics
from rtagent.audio._playback_prebuffer import Prebuffer


def test_it_doubles_up_to_the_most() -> None:
    prebuffer = Prebuffer(least=40, most=300, calm=1_000)
    seen = []
    for _ in range(5):
        seen.append(prebuffer.frames)
        prebuffer.ran_dry()
    assert seen == [40, 80, 160, 300, 300]


def test_it_is_halved_after_a_calm_time_down_to_the_least() -> None:
    prebuffer = Prebuffer(least=40, most=400, calm=1_000)
    for _ in range(4):
        prebuffer.ran_dry()
    seen = []
    for _ in range(10):
        prebuffer.sounded(500)
        seen.append(prebuffer.frames)
    assert seen == [400, 200, 200, 100, 100, 50, 50, 40, 40, 40]


def test_an_underrun_begins_the_calm_time_anew() -> None:
    prebuffer = Prebuffer(least=40, most=400, calm=1_000)
    prebuffer.sounded(900)
    prebuffer.ran_dry()
    prebuffer.sounded(900)
    prebuffer.ran_dry()
    prebuffer.sounded(999)
    assert prebuffer.frames == 160
    prebuffer.sounded(1)
    assert prebuffer.frames == 80


def test_who_never_holds_back_never_does() -> None:
    prebuffer = Prebuffer(least=0, most=400, calm=1_000)
    prebuffer.ran_dry()
    assert prebuffer.frames == 0
    assert Prebuffer(least=500, most=400, calm=1).frames == 500


# -- a network that delivers in bursts


def arrivals(chance: random.Random, replies: int) -> Iterator[tuple[int, bytes | None]]:
    """When so much audio comes, in ms: bursts of 200 ms each 210 to 300 ms, or with none to wait for.

    In a reply of four seconds the server is ahead by one burst; None is the end of a reply.
    """
    at = 0
    for _ in range(replies):
        due = at
        for number in range(20):
            yield max(at, due + chance.randint(-40, 60)), bytes(2 * 200)
            at = max(at, due)
            due += 0 if number == 0 else chance.randint(150, 300)
        yield due, None
        at = due + 4_000


def played(seed: int, longest_ms: float) -> PlaybackStatistics:
    queue = PlaybackQueue(AudioFormat.pcm16(1_000), longest_prebuffer_ms=longest_ms)
    now = 0
    for number, (at, pcm) in enumerate(arrivals(random.Random(seed), replies=20)):  # noqa: S311
        while now + 10 <= at:
            queue.pull(10)
            now += 10
        if pcm is None:
            queue.finish()
        else:
            queue.push(PlaybackItem(f"reply-{number // 21}"), pcm)
    return queue.statistics()


@pytest.mark.parametrize("seed", range(5))
def test_bursts_run_dry_less_often_when_it_adapts(seed: int) -> None:
    fixed, adaptive = played(seed, 40), played(seed, 400)
    assert fixed.prebuffer_ms == 40
    assert adaptive.underruns < fixed.underruns / 2
