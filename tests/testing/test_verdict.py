"""What the end of a server's block raises."""

from __future__ import annotations

import pytest

from rtagent.testing import UnexpectedFrame
from rtagent.testing._verdict import verdict


@pytest.mark.parametrize("error", [None, RuntimeError()])
@pytest.mark.parametrize("strict", [True, False])
def test_nothing_went_wrong(error: Exception | None, strict: bool) -> None:
    assert verdict([], [], [], strict=strict, error=error) is None


@pytest.mark.parametrize("strict", [True, False])
def test_the_servers_own_failures_go_first(strict: bool) -> None:
    one, two = LookupError(), OSError()
    grouped = ExceptionGroup("tasks", [ExceptionGroup("tasks", [one])])
    assert verdict([grouped], ["x"], ["y"], strict=strict, error=None) is one
    both = verdict([grouped, two], [], [], strict=strict, error=None)
    assert isinstance(both, ExceptionGroup)
    assert both.exceptions == (one, two)


@pytest.mark.parametrize("error", [None, RuntimeError()])
def test_what_was_not_expected_goes_before_the_blocks_error(error: Exception | None) -> None:
    raised = verdict([], ["x", "y"], ["z"], strict=True, error=error)
    assert isinstance(raised, UnexpectedFrame)
    assert str(raised) == "x\ny"


def test_what_is_left_is_raised_or_noted() -> None:
    assert str(verdict([], [], ["x"], strict=True, error=None)) == "x"
    error = RuntimeError()
    assert verdict([], [], ["x", "y"], strict=True, error=error) is None
    assert error.__notes__ == ["x", "y"]


def test_a_lenient_server_raises_nothing_of_that() -> None:
    error = RuntimeError()
    assert verdict([], ["x"], ["y"], strict=False, error=error) is None
    assert not hasattr(error, "__notes__")
