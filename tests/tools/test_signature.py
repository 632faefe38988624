from __future__ import annotations

import functools
from typing import Any

import pytest

from rtagent.tools import ToolContext
from rtagent.tools._signature import ABSENT, Parameter, read_signature, routine_of, without_partial


def plain(room: str, on: bool = True) -> None:
    """Switch a light.

    Args:
        room: which one.
    """


class Lamp:
    """A lamp."""

    def switch(self, on: bool) -> None:
        """Switch it."""

    def __call__(self, on: bool) -> None: ...


class Documented:
    """Not this."""

    def __call__(self, on: bool) -> None:
        """But this."""


@functools.wraps(plain)
def wrapped(*args: Any, **kwargs: Any) -> None: ...


def test_a_function_is_read_whole():
    signature = read_signature(plain)
    assert (signature.name, signature.description) == ("plain", "Switch a light.")
    assert signature.parameters == (
        Parameter("room", str, ABSENT, "which one."),
        Parameter("on", bool, True, None),
    )
    assert (signature.problems, signature.undescribed, signature.extra) == ((), (), ABSENT)


@pytest.mark.parametrize(
    ("fn", "name", "description", "parameters"),
    [
        (Lamp().switch, "switch", "Switch it.", ["on"]),
        (Lamp(), "Lamp", "A lamp.", ["on"]),
        (Documented(), "Documented", "But this.", ["on"]),
        (wrapped, "plain", "Switch a light.", ["room", "on"]),
        (functools.lru_cache(plain), "plain", "Switch a light.", ["room", "on"]),
        (functools.partial(plain, "kitchen"), "plain", "Switch a light.", ["on"]),
        (functools.partial(plain, on=False), "plain", "Switch a light.", ["room"]),
        (functools.partial(functools.partial(plain, on=False), room="a"), "plain", "Switch a light.", []),
        (functools.partial(Lamp(), on=True), "Lamp", "A lamp.", []),
        (staticmethod(plain), "plain", "Switch a light.", ["room", "on"]),
    ],
)
def test_whatever_can_be_called_is_read(fn, name, description, parameters):
    signature = read_signature(fn)
    assert (signature.name, signature.description) == (name, description)
    assert [parameter.name for parameter in signature.parameters] == parameters
    assert signature.problems == signature.undescribed == ()


def test_what_a_partial_binds_is_known():
    assert read_signature(functools.partial(plain, on=False)).bound == {"on"}


def test_context_parameters_are_set_apart():
    def find(first: ToolContext, name: str, *, last: ToolContext | None = None) -> None: ...

    signature = read_signature(find)
    assert signature.contexts == ("first", "last")
    assert [parameter.name for parameter in signature.parameters] == ["name"]


@pytest.mark.parametrize(
    ("fn", "extra"),
    [
        (plain, ABSENT),
        (eval("lambda **more: None"), Any),  # noqa: S307 - written as text, so that it has no annotation
    ],
)
def test_free_keywords(fn, extra):
    assert read_signature(fn).extra is extra


def test_typed_free_keywords():
    def take(**more: int) -> None: ...

    assert read_signature(take).extra is int


def missing_name(room: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


def broken_name(room: 1 // 0) -> None: ...  # type: ignore[valid-type]


def positional(room: str, /) -> None: ...


def anything_goes(*rooms: str) -> None: ...


def bare(room): ...


def hides(**more: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


class Unreadable:
    __signature__ = "no signature"

    def __call__(self) -> None: ...


@pytest.mark.parametrize(
    ("fn", "problem"),
    [
        (3, "int is not callable"),
        (classmethod(read_signature), "a class method has no class before its class is made"),
        (Lamp, "a class is no tool"),
        (functools.partial(Lamp), "a class is no tool"),
        (Unreadable(), "its signature cannot be read"),
        (positional, "'room' is positional-only"),
    ],
)
def test_what_cannot_be_called_by_name(fn, problem):
    assert problem in read_signature(fn).problems[0]


@pytest.mark.parametrize(
    ("fn", "problem"),
    [
        (missing_name, "'Nowhere' of parameter 'room' cannot be resolved (name 'Nowhere' is not defined)"),
        (broken_name, "'1 // 0' of parameter 'room' cannot be resolved"),
        (anything_goes, "*rooms: arguments come by name"),
        (bare, "'room' has no type annotation"),
        (Lamp.switch, "'self' is not bound: use Tool.from_method"),
        (hides, "'Nowhere' of parameter 'more' cannot be resolved"),
    ],
)
def test_what_cannot_be_described(fn, problem):
    signature = read_signature(fn)
    assert signature.problems == ()
    assert problem in signature.undescribed[0]


def test_every_problem_is_found_at_once():
    def hopeless(a: str, /, b, c: Nowhere, *d: int) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    signature = read_signature(hopeless)
    assert len(signature.problems) == 1
    assert len(signature.undescribed) == 3


def test_a_method_without_its_object_is_told_what_to_do():
    def loose(self): ...

    assert read_signature(loose).undescribed == (
        "parameter 'self' is not bound: use Tool.from_method(obj, \"method\")",
    )


def typed(a: str, b: str, c: None, d: list[Lamp], e: Lamp, f: Lamp, g: float | None, h: int) -> None: ...


def test_annotations_are_types_however_they_are_written():
    typed.__annotations__["h"] = int  # as without the future import
    types = [parameter.annotation for parameter in read_signature(typed).parameters]
    assert types == [str, str, type(None), list[Lamp], Lamp, Lamp, float | None, int]


def test_the_routine_of_a_callable():
    lamp = Lamp()
    assert routine_of(functools.partial(functools.partial(plain))) is plain
    assert routine_of(lamp) == lamp.__call__
    assert without_partial(functools.partial(lamp)) is lamp
