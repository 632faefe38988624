"""When to dial again, and when to give up: rules K1 and K8."""

from __future__ import annotations

import re
from ast import literal_eval
from dataclasses import asdict
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import rtagent
from rtagent import ReconnectPolicy
from rtagent.errors import ConfigurationError
from rtagent.protocol import Loss, Verdict, verdict_on
from rtagent.session import Again, GiveUp, Outage

ALMOST_1 = 1 - 2**-53
AGAIN, LATER, ONCE, STOP = (
    Verdict("again", "it broke off"),
    Verdict("later", "it is full"),
    Verdict("once", "the key was refused"),
    Verdict("stop", "no quota left"),
)


def step(
    verdict: Verdict = AGAIN,
    outage: Outage | None = None,
    draw: float = 0.5,
    loss: Loss | None = None,
    **settings: Any,
) -> Again | GiveUp:
    return ReconnectPolicy(**settings).next_step(outage or Outage(), verdict, loss or Loss(1006), draw)


def delay_s(*given: Any, **more: Any) -> float:
    answer = step(*given, **more)
    assert isinstance(answer, Again)
    return answer.delay_s


def why(*given: Any, **more: Any) -> str:
    answer = step(*given, **more)
    assert isinstance(answer, GiveUp)
    return answer.why


# -- the wait -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("attempts", "ceiling_s"), [(0, 0.25), (1, 0.5), (4, 4.0), (5, 8.0), (7, 8.0)])
def test_the_wait_is_drawn_below_a_ceiling_that_doubles(attempts: int, ceiling_s: float) -> None:
    outage = Outage(attempts=attempts)
    assert delay_s(AGAIN, outage, 0.0) == 0.0
    assert delay_s(AGAIN, outage, 0.5) == ceiling_s / 2
    assert delay_s(AGAIN, outage, ALMOST_1) == pytest.approx(ceiling_s)


def test_very_many_attempts_wait_no_longer_than_the_longest() -> None:
    assert delay_s(AGAIN, Outage(attempts=9_999), max_attempts=10_000) == 4.0


def test_a_server_that_is_full_is_left_alone_for_longer() -> None:
    assert delay_s(LATER, draw=0.0) == 1.0
    assert delay_s(LATER, draw=0.5) == 2.0
    assert delay_s(LATER, Outage(attempts=6), draw=0.75) == 6.0
    assert delay_s(LATER, draw=0.0, max_delay_s=0.1) == 0.1


def test_the_server_says_how_long_to_wait() -> None:
    assert delay_s(loss=Loss(status=429, retry_after_s=20.0)) == 20.0
    assert delay_s(loss=Loss(status=429, retry_after_s=0.1), draw=0.8) == 0.2
    assert delay_s(loss=Loss(status=429, retry_after_s=-5.0), draw=0.0) == 0.0


def test_a_wait_longer_than_the_outage_may_last_is_not_begun() -> None:
    told = why(LATER, Outage(2, elapsed_s=50.0), loss=Loss(status=429, retry_after_s=120.0))
    assert told == (
        "it is full: the server asks to wait for 120 s, and of the 60 s that an outage may last only 10 s are left"
    )


def test_towards_the_end_half_of_what_is_left_is_kept_for_the_dial() -> None:
    answer = step(AGAIN, Outage(5, elapsed_s=58.0), ALMOST_1)
    assert isinstance(answer, Again)
    assert answer.delay_s == pytest.approx(1.0)
    assert answer.delay_s + answer.within_s == 2.0
    assert delay_s(LATER, Outage(5, elapsed_s=59.0), 0.0) == 0.5


# -- giving up ----------------------------------------------------------------------------------------


def test_what_cannot_be_helped_is_not_tried() -> None:
    assert why(STOP) == "no quota left"


def test_one_more_try_and_no_second_one() -> None:
    first = step(ONCE)
    assert isinstance(first, Again)
    assert first.outage == Outage(once_used=True)
    assert why(ONCE, first.outage.failed(1.0)) == "the key was refused"
    other = step(AGAIN, first.outage.failed(1.0))
    assert isinstance(other, Again)
    assert other.outage == Outage(1, once_used=True, elapsed_s=1.0)


def test_too_many_attempts() -> None:
    assert isinstance(step(AGAIN, Outage(attempts=7)), Again)
    assert why(AGAIN, Outage(attempts=8)) == "8 attempts failed in a row; the last: code 1006"
    assert why(AGAIN, max_attempts=0) == "the policy allows no reconnection: code 1006"


def test_an_outage_that_lasts_too_long() -> None:
    told = why(AGAIN, Outage(1, elapsed_s=60.0))
    assert told == "no connection came about within 60 s; the last: code 1006"


# -- the outage ---------------------------------------------------------------------------------------


def test_a_failure_counts_and_time_does_not_go_back() -> None:
    assert Outage().failed(2.0) == Outage(1, elapsed_s=2.0)
    assert Outage(1, elapsed_s=2.0).failed(1.0) == Outage(2, elapsed_s=2.0)


def test_a_connection_that_dies_at_once_is_a_failure_of_the_same_outage() -> None:
    policy = ReconnectPolicy()
    before = Outage(2, once_used=True, elapsed_s=3.0)
    assert policy.after_connection(before, lived_s=4.9, elapsed_s=9.0) == before.failed(9.0)
    assert policy.after_connection(before, lived_s=5.0, elapsed_s=9.0) == Outage()


def test_a_server_that_accepts_and_hangs_up_is_given_up_after_the_attempts_allowed() -> None:
    policy, outage, now = ReconnectPolicy(), Outage(), 0.0
    dials = 0
    while isinstance(answer := policy.next_step(outage, AGAIN, Loss(1006), 0.5), Again):
        dials += 1
        now += answer.delay_s + 0.01
        outage = policy.after_connection(answer.outage, lived_s=0.01, elapsed_s=now)
    assert dials == policy.max_attempts
    assert now < policy.budget_s


# -- the fields ---------------------------------------------------------------------------------------


def test_it_is_at_the_front_door_and_cannot_change() -> None:
    assert rtagent.ReconnectPolicy is ReconnectPolicy
    assert ReconnectPolicy() == ReconnectPolicy()
    with pytest.raises(AttributeError):
        ReconnectPolicy().budget_s = 3.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("max_attempts", [0, 1, 10**6]),
        ("replay_tokens", [0, 1]),
        ("resume_answers", [True, False]),
        ("replay_age_s", [None, 1, 0.5]),
        *((name, [0.001, 1]) for name in ("budget_s", "ping_interval_s", "ping_timeout_s")),
        *(
            (name, [0, 0.0, 1.5])
            for name in (
                "first_delay_s",
                "max_delay_s",
                "proven_after_s",
                "keep_speech_s",
                "renew_before_s",
            )
        ),
    ],
)
def test_values_that_work(field: str, values: list[Any]) -> None:
    for value in values:
        assert getattr(ReconnectPolicy(**{field: value}), field) == value


NUMBERS: list[Any] = [-1, nan, inf, -inf, "1", True]


@pytest.mark.parametrize(
    ("fields", "values", "allowed"),
    [
        (("max_attempts", "replay_tokens"), [*NUMBERS, 1.0, None], "a whole number, 0 or more"),
        (
            ("budget_s", "ping_interval_s", "ping_timeout_s"),
            [*NUMBERS, 0, None],
            "a finite number above 0",
        ),
        (("replay_age_s",), [*NUMBERS, 0], "a finite number above 0, or None"),
        (
            ("first_delay_s", "max_delay_s", "proven_after_s", "keep_speech_s", "renew_before_s"),
            [*NUMBERS, None],
            "a finite number, 0 or more",
        ),
        (("resume_answers",), [0, 1, None, "yes"], "a bool"),
    ],
)
def test_a_value_that_cannot_work_is_named_with_what_can(
    fields: tuple[str, ...], values: list[Any], allowed: str
) -> None:
    for field in fields:
        for value in values:
            with pytest.raises(ConfigurationError) as caught:
                ReconnectPolicy(**{field: value})
            assert str(caught.value) == f"ReconnectPolicy: {field} is {value!r}, and must be {allowed}"


def test_all_problems_are_told_together() -> None:
    with pytest.raises(ConfigurationError, match=r"budget_s is 0, .*; ping_timeout_s is -1, "):
        ReconnectPolicy(budget_s=0, ping_timeout_s=-1)


def test_the_page_names_every_field_with_its_default() -> None:
    page = (Path(__file__).parents[2] / "docs" / "topics" / "reconnect.md").read_text(encoding="utf-8")
    table = page.partition("| field | default |")[2]
    named = {
        name: literal_eval(value) for name, value in re.findall(r"(?m)^\| `(\w+)` \| `([^`]+)` \|", table)
    }
    assert named == asdict(ReconnectPolicy())
    assert list(named) == list(asdict(ReconnectPolicy()))


# -- whatever comes -----------------------------------------------------------------------------------

seconds = st.floats(0, 1e6)
draws = st.floats(0, 1, exclude_max=True)
verdicts = st.sampled_from([AGAIN, LATER, ONCE, STOP])
losses = st.builds(Loss, code=st.none() | st.integers(1000, 4999), retry_after_s=st.none() | seconds)
outages = st.builds(Outage, attempts=st.integers(0, 200), once_used=st.booleans(), elapsed_s=seconds)
policies = st.builds(
    ReconnectPolicy,
    max_attempts=st.integers(0, 50),
    budget_s=st.floats(0.001, 1e6),
    first_delay_s=seconds,
    max_delay_s=seconds,
    proven_after_s=seconds,
)


@given(policies, outages, verdicts, losses, draws)
def test_a_wait_is_never_negative_nor_longer_than_allowed_or_asked_for(
    policy: ReconnectPolicy, outage: Outage, verdict: Verdict, loss: Loss, draw: float
) -> None:
    answer = policy.next_step(outage, verdict, loss, draw)
    assert answer == policy.next_step(outage, verdict, loss, draw)
    if isinstance(answer, GiveUp):
        assert answer.why
        return
    assert 0 <= answer.delay_s <= max(policy.max_delay_s, loss.retry_after_s or 0.0)
    assert answer.delay_s >= (loss.retry_after_s or 0.0)
    assert answer.within_s > 0
    assert outage.elapsed_s + answer.delay_s + answer.within_s <= policy.budget_s * (1 + 1e-9)
    assert verdict.outlook != "stop"
    assert (answer.outage.attempts, answer.outage.elapsed_s) == (outage.attempts, outage.elapsed_s)


@given(policies, st.lists(st.tuples(verdicts, losses, draws, draws), max_size=80))
@example(ReconnectPolicy(), [(AGAIN, Loss(), 0.5, 0.5)] * 20)
@example(ReconnectPolicy(), [(ONCE, Loss(), 0.5, 0.5)] * 3)
def test_an_outage_has_few_attempts_and_ends_in_time(
    policy: ReconnectPolicy, failures: list[tuple[Verdict, Loss, float, float]]
) -> None:
    outage, elapsed_s, dials, last_tries = Outage(), 0.0, 0, 0
    for verdict, loss, draw, share in failures:
        answer = policy.next_step(outage, verdict, loss, draw)
        if isinstance(answer, GiveUp):
            break
        dials += 1
        last_tries += verdict.outlook == "once"
        elapsed_s += answer.delay_s + share * answer.within_s
        outage = answer.outage.failed(elapsed_s)
    assert dials <= policy.max_attempts
    assert last_tries <= 1
    assert elapsed_s <= policy.budget_s * (1 + 1e-9)


@given(policies, outages, st.sampled_from([Loss(4000), Loss(1008), Loss(status=403)]), draws)
def test_a_stop_never_dials(policy: ReconnectPolicy, outage: Outage, loss: Loss, draw: float) -> None:
    verdict = verdict_on(loss)
    assert policy.next_step(outage, verdict, loss, draw) == GiveUp(verdict.why)


def test_it_knows_for_how_long_a_connection_may_be_dead_before_that_is_noticed() -> None:
    assert ReconnectPolicy(ping_interval_s=3.0, ping_timeout_s=4.0).deaf_s == 9.0
