from __future__ import annotations

import functools
import pickle
import sys

import pytest

from rtagent.tools import tool
from rtagent.tools._reference import Reference, reference_problem, reference_to


def plain() -> str:
    return "plain"


@tool
def decorated() -> str:
    return "decorated"


class Home:
    def light(self) -> str:
        return "light"

    def __call__(self) -> str:
        return "home"


class Unpicklable(Home):
    def __reduce__(self) -> str:
        message = "no"
        raise RuntimeError(message)


@pytest.mark.parametrize("fn", [plain, decorated.fn, Home.light])
def test_a_function_is_named_and_found_again(fn):
    reference = reference_to(fn)
    assert isinstance(reference, Reference)
    assert pickle.loads(pickle.dumps(reference)).resolve() is fn  # noqa: S301


def test_the_module_is_imported_where_it_is_not_yet():
    sys.modules.pop("this", None)
    assert Reference("colorsys", "rgb_to_hsv").resolve()(0, 0, 0) == (0.0, 0.0, 0)


@pytest.mark.parametrize("fn", [Home().light, Home(), functools.partial(plain)])
def test_whatever_is_no_function_is_pickled_itself(fn):
    assert reference_to(fn) is fn


def test_a_name_that_leads_elsewhere_is_refused():
    def gone() -> None: ...

    gone.__qualname__ = "plain"
    with pytest.raises(LookupError, match=r"plain is not this function"):
        reference_to(gone)
    gone.__module__ = "no.such.module"
    with pytest.raises(LookupError, match=r"no\.such\.module\.plain"):
        reference_to(gone)
    gone.__module__, gone.__qualname__ = __name__, "nothing"
    with pytest.raises(LookupError, match="nothing is not"):
        reference_to(gone)


def test_what_can_be_seen_at_its_definition():
    assert [reference_problem(fn) for fn in (plain, Home().light, functools.partial(plain))] == [None] * 3
    assert "no name that can be imported" in str(reference_problem(lambda: None))
    assert reference_problem(Unpicklable()) == "RuntimeError: no"
