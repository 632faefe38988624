from __future__ import annotations

import functools
from typing import Any

import pytest

from rtagent.errors import ToolDefinitionError
from rtagent.tools import Tool, ToolContext

LAMBDA: Any = lambda: None  # noqa: E731


def square(n: int) -> int:
    return n * n


async def square_async(n: int) -> int:
    return n * n


def squares(n: int):
    yield n * n


def told(n: int, context: ToolContext) -> int:
    return n


def problems_of(fn, **options) -> list[str]:
    try:
        Tool.from_function(fn, **options)
    except ToolDefinitionError as refused:
        return list(refused.problems)
    return []


def test_options_that_can_be_used_have_no_problems():
    assert problems_of(square, run_in="process", max_running=1, retries=2, retry_on=(ValueError,)) == []
    assert problems_of(square_async, speak="Wait.", speak_after=0, background=True, timeout=None) == []


def test_every_problem_is_told():
    assert (
        len(problems_of(square, name="a b", timeout=0, on_interrupt="stop", speak_after=-1, max_running=0))
        == 5
    )
    assert len(problems_of(square, retries=-1, retry_on=(3,), run_in="thread", description="x" * 1025)) == 4


@pytest.mark.parametrize(
    ("fn", "problem"),
    [
        (square_async, "for functions made with def that return once"),
        (squares, "for functions made with def that return once"),
        (told, "cannot take a ToolContext"),
        (functools.partial(square, LAMBDA), "cannot send it to a process"),
    ],
)
def test_what_cannot_run_in_a_process_says_so_where_it_is_defined(fn, problem):
    assert any(problem in found for found in problems_of(fn, run_in="process"))


def test_a_function_inside_a_function_cannot_run_in_a_process():
    def inner() -> None: ...

    (problem,) = problems_of(inner, run_in="process")
    assert problem.endswith("it has no name that can be imported; define it at the top of a module")
