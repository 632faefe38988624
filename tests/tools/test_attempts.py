from __future__ import annotations

import anyio
import pytest

from rtagent.tools import Tool
from rtagent.tools._attempts import attempt


class Flaky:
    """Fails so often, then answers."""

    def __init__(self, failures: int, kind: type[Exception] = OSError) -> None:
        self.failures = failures
        self.kind = kind
        self.made = 0

    async def __call__(self) -> str:
        """Answer."""
        self.made += 1
        if self.made <= self.failures:
            raise self.kind
        return "answer"


@pytest.fixture
def delays(monkeypatch):
    """How long was waited."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(anyio, "sleep", sleep)
    return slept


def with_retries(flaky: Flaky, retries: int, **options):
    return Tool.from_function(flaky, name="flaky", retries=retries, **options)


async def test_a_failure_that_may_pass_is_tried_again_after_a_growing_time(delays):
    flaky = Flaky(7)
    assert await attempt(with_retries(flaky, 7), flaky) == "answer"
    assert delays == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


async def test_after_the_last_attempt_it_fails(delays):
    flaky = Flaky(3)
    with pytest.raises(OSError):  # noqa: PT011 - its kind is what counts
        await attempt(with_retries(flaky, 2), flaky)
    assert flaky.made == 3


async def test_other_failures_are_not_tried_again(delays):
    flaky = Flaky(1, LookupError)
    with pytest.raises(LookupError):
        await attempt(with_retries(flaky, 2), flaky)
    assert flaky.made == 1
    assert await attempt(with_retries(Flaky(0), 2, retry_on=(LookupError,)), flaky) == "answer"


async def test_a_wait_that_would_pass_the_deadline_is_not_begun(delays):
    flaky = Flaky(1)
    with pytest.raises(OSError), anyio.fail_after(0.05):  # noqa: PT011
        await attempt(with_retries(flaky, 2), flaky)
    assert (flaky.made, delays) == (1, [])
