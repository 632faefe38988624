"""Arguments as a model writes them: read, or refused with every fault named."""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, Field, SecretStr

from rtagent.errors import ToolDefinitionError
from rtagent.tools import Tool, schema
from rtagent.tools._arguments import FunctionArguments
from rtagent.tools._faults import ArgumentsRefused
from rtagent.tools._signature import ABSENT, Parameter, Signature, read_signature
from tests.tools.functions import (
    INTEGER,
    NULL,
    PLACE,
    SENTINEL,
    STRING,
    Colour,
    Corner,
    Hostile,
    Place,
    annotated_default,
    defaults,
    field_default,
    free,
    free_models,
    free_typed,
    implicit_none,
    mixed,
    no_json_default,
    nothing,
    odd_names,
    twice,
)


def hopeless(a: Callable[[], int], b, c: Nowhere, d: str, /, *e: int, f: type): ...  # type: ignore[name-defined]  # noqa: F821


def test_every_problem_is_told_at_once():
    with pytest.raises(ToolDefinitionError) as failed:
        schema(hopeless)
    assert failed.value.tool == "hopeless"
    told = "\n".join(failed.value.problems)
    for name in (
        "'a' is positional-only",
        "'d' is positional-only",
        "*e",
        "parameter 'f' cannot be described",
    ):
        assert name in told


def test_a_schema_belongs_to_who_asked():
    schema(mixed)["properties"].clear()
    assert schema(mixed)["properties"]


def test_a_type_that_cannot_be_described_is_told_at_the_definition():
    def take(a: Hostile) -> None: ...

    with pytest.raises(ToolDefinitionError, match="LookupError"):
        Tool.from_function(take)


def test_what_cannot_fail_is_built_when_it_is_needed():
    arguments = built.__wrapped__(mixed)
    assert "_model" not in vars(arguments)
    assert arguments.schema is arguments.schema
    assert "_model" in vars(arguments)


def corner(at: Corner): ...


@functools.cache
def built(fn: Callable[..., Any], *, strict: bool = False) -> FunctionArguments:
    arguments, problems = FunctionArguments.build(read_signature(fn), strict=strict)
    assert arguments is not None, problems
    return arguments


def read(fn: Callable[..., Any], text: str, *, strict: bool = False) -> dict[str, Any]:
    return built(fn, strict=strict).read(text)


@pytest.mark.parametrize(
    ("fn", "text", "keywords"),
    [
        (nothing, "", {}),
        (nothing, " \n", {}),
        (nothing, "{}", {}),
        (corner, '{"at": {"x": 1}}', {"at": Corner(1)}),
        (corner, '{"at": [1, 2]}', {"at": Corner(1, 2)}),
        (
            mixed,
            '{"a": "NaN and Infinity", "c": true}',
            {"a": "NaN and Infinity", "b": 1, "c": True, "d": 0.5},
        ),
        (mixed, '{"a": "x", "c": true}', {"a": "x", "b": 1, "c": True, "d": 0.5}),
        (mixed, '{"a": "x", "b": "5", "c": "yes", "d": 1}', {"a": "x", "b": 5, "c": True, "d": 1.0}),
        (defaults, '{"c": "blue"}', {"a": "x", "b": None, "c": Colour.BLUE, "d": (1, 2)}),
        (implicit_none, '{"a": null}', {"a": None}),
        (no_json_default, "{}", {"a": SENTINEL}),
        (field_default, "{}", {"a": 5}),
        (annotated_default, "{}", {"a": 5}),
        (twice, '{"a": {"name": "x"}, "b": {"name": "y"}}', {"a": Place(name="x"), "b": Place(name="y")}),
        (free, '{"a": 1, "b": [2], "p0": 3}', {"a": 1, "b": [2], "p0": 3}),
        (free_typed, '{"b": "2"}', {"b": 2}),
        (free_models, '{"b": {"name": "x"}}', {"b": Place(name="x")}),
    ],
)
def test_arguments_are_read(fn, text, keywords):
    assert read(fn, text) == keywords


def even(value: int) -> int:
    if value % 2:
        message = "the number is odd"
        raise ValueError(message)
    return value


def checked(n: Annotated[int, AfterValidator(even)] = 0, places: list[Place] = []): ...  # noqa: B006


@pytest.mark.parametrize(
    ("fn", "text", "faults"),
    [
        (mixed, "{}", ["a: is required", "c: is required"]),
        (mixed, '{"a": 3, "c": true}', ["a: should be a valid string (got 3)"]),
        (
            mixed,
            '{"a": "x", "c": "maybe", "e": [1, 2]}',
            [
                'c: should be a valid boolean, unable to interpret input (got "maybe")',
                "e: is not known here; the arguments are: a, b, c, d (got [1,2])",
            ],
        ),
        (nothing, '{"a": 1}', ["a: is not known here; the arguments are: none (got 1)"]),
        (mixed, "[1]", ["should be an object (got [1])"]),
        (mixed, '"text"', ['should be an object (got "text")']),
        (checked, '{"n": 3}', ["n: the number is odd (got 3)"]),
        (checked, '{"places": [{"name": "x"}, {}]}', ["places[1].name: is required"]),
        (
            checked,
            '{"places": [{"name": "x", "floor": -9}]}',
            ["places[0].floor: should be greater than or equal to -2 (got -9)"],
        ),
        (defaults, '{"c": "green"}', ["c: should be 'red' or 'blue' (got \"green\")"]),
        (
            free_typed,
            '{"b": "x"}',
            ['b: should be a valid integer, unable to parse string as an integer (got "x")'],
        ),
    ],
)
def test_each_wrong_argument_is_named(fn, text, faults):
    with pytest.raises(ArgumentsRefused) as refused:
        read(fn, text)
    assert refused.value.kind == "bad_arguments"
    assert [str(fault) for fault in refused.value.faults] == faults


class Closed(BaseModel, extra="forbid"):
    a: int = 0


def test_an_unknown_name_inside_a_model_is_named():
    def take(closed: Closed) -> None: ...

    with pytest.raises(ArgumentsRefused, match=r"closed\.b: is not known here \(got 1\)"):
        read(take, '{"closed": {"b": 1}}')


@pytest.mark.parametrize("text", ["{", '{"a": ', "nonsense", '{"a": 1,}', "{'a': 1}"])
def test_what_is_no_json_is_said_to_be_none(text):
    with pytest.raises(ArgumentsRefused, match=r"not valid JSON: .* at line 1 column \d+") as refused:
        read(mixed, text)
    assert refused.value.kind == "bad_json"


def test_what_a_partial_has_bound_is_out_of_reach():
    signature = Signature("take", extra=Any, bound=frozenset({"key"}))
    arguments, _ = FunctionArguments.build(signature)
    assert arguments is not None
    assert arguments.read('{"b": 1}') == {"b": 1}
    with pytest.raises(ArgumentsRefused, match="key: is not an argument of this tool"):
        arguments.read('{"key": "mine"}')


def test_strict_requires_everything_and_null_stands_for_a_default():
    def take(
        room: str,
        level: int = 7,
        place: Place | None = None,
        shade: Annotated[int | None, Field()] = 8,
    ) -> None: ...

    arguments, problems = FunctionArguments.build(read_signature(take), strict=True)
    assert problems == ()
    assert arguments is not None
    place = {
        **PLACE,
        "properties": {
            "name": STRING,
            "floor": {"anyOf": [{"type": "integer", "minimum": -2}, NULL], "description": "storey"},
        },
        "required": ["name", "floor"],
        "additionalProperties": False,
    }
    assert arguments.schema == {
        "type": "object",
        "properties": {
            "room": STRING,
            "level": {"anyOf": [INTEGER, NULL]},
            "place": {"anyOf": [place, NULL]},
            "shade": {"anyOf": [INTEGER, NULL]},
        },
        "required": ["room", "level", "place", "shade"],
        "additionalProperties": False,
    }
    text = '{"room": "x", "level": null, "place": null, "shade": null}'
    assert arguments.read(text) == {"room": "x", "level": 7, "place": None, "shade": None}
    assert arguments.read('{"room": "x", "level": 3}') == {"room": "x", "level": 3, "place": None, "shade": 8}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": {"name": "x", "floor": null}, "b": {"name": "y", "floor": 2}}', Place(name="x", floor=0)),
        ('{"a": {"name": "x", "floor": 1}, "b": {"name": "y", "floor": null}}', Place(name="x", floor=1)),
    ],
)
def test_strict_null_stands_for_a_default_inside_a_model_too(text, place):
    assert read(twice, text, strict=True)["a"] == place


def test_strict_null_stands_for_nothing_that_is_required():
    with pytest.raises(ArgumentsRefused, match=r"a\.name: is required") as refused:
        read(twice, '{"a": {"name": null, "floor": null}, "b": {"name": "y"}}', strict=True)
    assert len(refused.value.faults) == 1


def test_without_strict_mode_null_is_a_value():
    with pytest.raises(ArgumentsRefused, match=r"a\.floor: should be a valid integer \(got null\)"):
        read(twice, '{"a": {"name": "x", "floor": null}, "b": {"name": "y"}}')


def test_names_that_a_model_cannot_have_are_names_of_arguments():
    given = {**dict.fromkeys(inspect.signature(odd_names).parameters, 1), "title": "x"}
    assert read(odd_names, json.dumps(given)) == given
    del given["model_config"]
    with pytest.raises(ArgumentsRefused, match="model_config: is required"):
        read(odd_names, json.dumps(given))


def test_secrets_are_known_by_their_type():
    def unlock(door: str, code: SecretStr, spare: list[SecretStr]) -> None: ...

    for strict in (False, True):
        arguments, _ = FunctionArguments.build(read_signature(unlock), strict=strict)
        assert arguments is not None
        assert arguments.secrets == {"code", "spare"}
        with pytest.raises(ArgumentsRefused) as refused:
            arguments.read('{"door": "x", "code": 4711, "spare": [4712]}')
        assert "471" not in str(refused.value)


def test_strict_leaves_a_default_in_a_field_alone():
    assert read(field_default, '{"a": 3}', strict=True) == {"a": 3}


@pytest.mark.parametrize("fn", [free, no_json_default])
def test_what_has_no_strict_schema_is_no_strict_tool(fn):
    arguments, problems = FunctionArguments.build(read_signature(fn), strict=True)
    assert arguments is None
    assert "no strict schema" in problems[0]


@given(
    st.fixed_dictionaries(
        {"a": st.text(), "c": st.booleans()},
        optional={"b": st.integers(-(2**63), 2**63), "d": st.floats(allow_nan=False, allow_infinity=False)},
    ),
    st.booleans(),
)
def test_json_arguments_come_through(arguments, ascii_only):
    text = json.dumps(arguments, ensure_ascii=ascii_only)
    assert read(mixed, text) == {"b": 1, "d": 0.5, **arguments}


def every(
    text: str, number: float, flag: bool, many: list[int], named: dict[str, int], when: datetime, key: UUID,
    exact: Decimal, maybe: int | None, pair: tuple[int, str], unique: set[int],
): ...  # fmt: skip


@given(st.data())
def test_whatever_json_comes_is_read_or_refused(data):
    inner = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    values = inner | st.lists(inner) | st.dictionaries(st.text(), inner)
    names = list(inspect.signature(every).parameters)
    arguments = data.draw(st.dictionaries(st.sampled_from(names) | st.text(), values))
    with contextlib.suppress(ArgumentsRefused):
        assert list(read(every, json.dumps(arguments))) == names


def test_an_absent_type_is_told_once():
    signature = Signature("take", parameters=(Parameter("a", ABSENT),), undescribed=("no type",))
    assert FunctionArguments.build(signature) == (None, ("no type",))
