from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence

import anyio
import numpy as np
import pytest

from rtagent.audio import AudioBlock, AudioFormat, EndOfTurn, SpeechStopped, TurnDetector
from rtagent.audio._end_of_turn import next_question_ms
from rtagent.errors import ConfigurationError
from rtagent.testing import FakeClock

FORMAT = AudioFormat.pcm16(8_000)


class Loud:
    """Speech is what is not silence."""

    rate = 8_000
    frame_ms = 20.0

    def probability(self, frame: bytes) -> float:
        return float(any(frame))

    def reset(self) -> None:
        pass


class Judge:
    """Answers by a list, the last answer for ever; notes what it was asked and when."""

    def __init__(self, clock: FakeClock, *answers: float | Exception, takes_s: float = 0.0) -> None:
        self.clock = clock
        self.answers = list(answers)
        self.takes_s = takes_s
        self.asked: list[tuple[float, int, str | None]] = []

    async def finished(self, speech: bytes, format: AudioFormat, said: str | None) -> float:  # noqa: A002
        assert format == FORMAT
        self.asked.append((round(self.clock.now() - 100, 3), len(speech), said))
        if self.takes_s:
            await self.clock.sleep_until(self.clock.now() + self.takes_s)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def say(detector: TurnDetector, ms: int, pause_ms: int = 500) -> None:
    loud = np.full(8 * ms, 1000, "<i2").tobytes()
    detector.feed(AudioBlock(loud + bytes(16 * pause_ms), 0.0))


def paused() -> tuple[TurnDetector, SpeechStopped]:
    detector = TurnDetector(Loud(), format=FORMAT)
    say(detector, 300)
    assert isinstance(detector.last_move, SpeechStopped)
    return detector, detector.last_move


@pytest.mark.parametrize(
    ("probability", "paused_ms", "wait_ms"),
    [
        (1.0, 0, None),
        (0.5, 0, None),
        (0.49, 0, 500),
        (0.0, 1900, 500),
        (0.0, 2100, 400),
        (0.0, 2500, None),
        (0.0, 9999, None),
        (math.nan, 0, None),  # what is no number is no doubt
    ],
)
def test_how_long_to_the_next_question(probability: float, paused_ms: float, wait_ms: float | None) -> None:
    assert next_question_ms(probability, paused_ms, threshold=0.5, wait_ms=500, longest_ms=2500) == wait_ms


class Decision:
    """One ``wait_over`` as it runs: what it returned, and at which second of the clock."""

    def __init__(self, clock: FakeClock, end: EndOfTurn, pause: SpeechStopped) -> None:
        self.clock, self.end, self.pause = clock, end, pause
        self.result: tuple[bool, float] | None = None

    async def run(self, said: Callable[[], str | None] | None = None) -> None:
        over = await self.end.wait_over(self.pause, said)
        self.result = (over, round(self.clock.now() - 100, 3))


async def decided(
    clock: FakeClock,
    judge: Judge | None,
    *,
    during: Sequence[tuple[float, Callable[[], None]]] = (),
    detector: TurnDetector | None = None,
    **settings: float,
) -> tuple[Decision, EndOfTurn]:
    listening, pause = paused()
    if detector is not None:
        listening = detector
        assert isinstance(detector.last_move, SpeechStopped)
        pause = detector.last_move
    end = EndOfTurn(listening, judge, clock=clock, **settings)
    decision = Decision(clock, end, pause)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(decision.run)
        for seconds, act in during:
            await clock.advance(seconds)
            act()
        await clock.advance(10)
    assert clock.sleepers == 0
    return decision, end


async def test_a_yes_ends_the_turn_at_once(clock: FakeClock) -> None:
    judge = Judge(clock, 0.9)
    decision, end = await decided(clock, judge)
    assert decision.result == (True, 0.0)
    assert judge.asked == [(0.0, FORMAT.bytes_of(300 + 500), None)]
    assert end.statistics().asked == 1


async def test_a_pause_without_a_judge_is_an_end(clock: FakeClock) -> None:
    decision, end = await decided(clock, None)
    assert decision.result == (True, 0.0)
    assert end.statistics().asked == 0


async def test_a_doubt_is_asked_again(clock: FakeClock) -> None:
    judge = Judge(clock, 0.1, 0.4, 0.8)
    decision, _ = await decided(clock, judge)
    assert decision.result == (True, 1.0)
    assert [when for when, _, _ in judge.asked] == [0.0, 0.5, 1.0]


async def test_a_judge_that_always_doubts_waits_no_longer_than_the_longest(clock: FakeClock) -> None:
    judge = Judge(clock, 0.0)
    decision, end = await decided(clock, judge, wait_ms=700, longest_ms=1600)
    assert decision.result == (True, 1.6)
    assert end.statistics().asked == 3


async def test_the_words_are_those_of_the_moment_of_the_question(clock: FakeClock) -> None:
    detector, pause = paused()
    judge = Judge(clock, 0.0, 0.9)
    decision = Decision(clock, EndOfTurn(detector, judge, clock=clock), pause)
    words: list[str] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(decision.run, lambda: " ".join(words) or None)
        await clock.advance(0.2)
        words.append("and milk")
        await clock.advance(1)
    assert [said for _, _, said in judge.asked] == [None, "and milk"]


async def test_a_speaker_who_goes_on_has_not_finished(clock: FakeClock) -> None:
    detector, _ = paused()
    judge = Judge(clock, 0.0)
    decision, _ = await decided(
        clock, judge, detector=detector, during=[(0.3, lambda: say(detector, 100, 0))]
    )
    assert decision.result == (False, 0.5)
    assert len(judge.asked) == 1


async def test_a_speaker_who_goes_on_in_the_last_wait_or_during_a_question(clock: FakeClock) -> None:
    detector, _ = paused()
    decision, _ = await decided(
        clock, Judge(clock, 0.0), detector=detector, during=[(2.2, lambda: say(detector, 100))]
    )
    assert decision.result == (False, 2.5)
    detector, _ = paused()
    thinking = Judge(clock, 1.0, takes_s=0.4)
    decision, _ = await decided(
        clock, thinking, detector=detector, during=[(0.2, lambda: say(detector, 100))]
    )
    assert decision.result is not None
    assert not decision.result[0]


async def test_a_pause_of_the_past_is_not_asked_about(clock: FakeClock) -> None:
    detector, pause = paused()
    say(detector, 200)
    judge = Judge(clock, 1.0)
    assert not await EndOfTurn(detector, judge, clock=clock).wait_over(pause)
    assert judge.asked == []


async def test_a_judge_that_raises_means_yes_and_is_logged_once(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    detector, pause = paused()
    end = EndOfTurn(detector, Judge(clock, ZeroDivisionError("no words")), clock=clock)
    for _ in range(3):
        assert await end.wait_over(pause)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "no words" in caplog.text
    assert end.statistics().failed == 3


async def test_a_slow_judge_means_yes_and_is_logged_once(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    judge = Judge(clock, 0.0, takes_s=60)
    decision, end = await decided(clock, judge, timeout_ms=300)
    assert decision.result == (True, 0.3)
    assert len(caplog.records) == 1
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(decision.run)
        await clock.advance(1)
    assert len(caplog.records) == 1
    assert end.statistics().late == 2


async def test_a_slow_judge_keeps_to_the_longest_too(clock: FakeClock) -> None:
    decision, _ = await decided(clock, Judge(clock, 0.0, takes_s=0.4), longest_ms=1000, wait_ms=300)
    assert decision.result == (True, 1.0)


async def test_cancelling_the_wait_leaves_nothing_behind(clock: FakeClock) -> None:
    detector, pause = paused()
    decision = Decision(clock, EndOfTurn(detector, Judge(clock, 0.0, takes_s=9), clock=clock), pause)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(decision.run)
        await clock.advance(0.1)
        tasks.cancel_scope.cancel()
    assert decision.result is None
    assert clock.sleepers == 0


async def test_real_time_is_the_default() -> None:
    detector, pause = paused()
    assert await EndOfTurn(detector).wait_over(pause)


@pytest.mark.parametrize(
    "settings",
    [
        {"wait_ms": 0},
        {"wait_ms": math.nan},
        {"longest_ms": math.inf},
        {"longest_ms": -1},
        {"timeout_ms": 0},
        {"threshold": 0},
        {"threshold": 1.5},
    ],
)
def test_settings_that_cannot_be(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        EndOfTurn(paused()[0], **settings)  # type: ignore[arg-type]
