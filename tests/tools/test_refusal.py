from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, Field, SecretStr, TypeAdapter, ValidationError

from rtagent.tools._refusal import path_of, refusal_of, without_nulls


def loud(value: str) -> str:
    message = f"the word {value} is not loud"
    raise ValueError(message)


def asserted(value: str) -> str:
    assert len(value) > 100, "too short"
    return value


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


class Everything(BaseModel, extra="forbid"):
    number: int = 0
    union: int | list[int] | None = None
    models: Cat | Dog | None = None
    tagged: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    named: dict[int, int] = {}
    pets: list[Cat] = []
    word: Annotated[str, AfterValidator(loud)] | None = None
    short: Annotated[str, AfterValidator(asserted)] | None = None
    pin: Annotated[str, AfterValidator(loud)] | None = None
    door: SecretStr | None = None


def error_of(text: str) -> ValidationError:
    with pytest.raises(ValidationError) as failed:
        TypeAdapter(Everything).validate_json(text)
    return failed.value


def faults_of(text: str) -> list[str]:
    refusal = refusal_of(text, error_of(text), ["number", "union"], {"door"})
    return [str(fault) for fault in refusal.faults]


NO_INTEGER = "should be a valid integer, unable to parse string as an integer"


@pytest.mark.parametrize(
    ("arguments", "faults"),
    [
        ({"number": "x"}, [f'number: {NO_INTEGER} (got "x")']),
        ({"union": "x"}, [f'union: {NO_INTEGER}, or should be a valid array (got "x")']),
        (
            {"union": [1, "x"]},
            ["union: should be a valid integer (got [1,\"x\"])", f'union[1]: {NO_INTEGER} (got "x")'],
        ),
        (
            {"models": {"kind": "cow"}},
            ["models.kind: should be 'cat', or should be 'dog' (got \"cow\")", "models.tricks: is required"],
        ),
        ({"tagged": {"kind": "cow"}}, ["tagged.kind: should be one of 'cat', 'dog' (got \"cow\")"]),
        ({"tagged": {}}, ["tagged.kind: is required"]),
        ({"tagged": {"kind": "dog"}}, ["tagged.tricks: is required"]),
        ({"named": {"x": 1}}, [f'named.x: the key {NO_INTEGER} (got "x")']),
        ({"pets": [{"kind": "cat", "lives": []}]}, ["pets[0].lives: should be a valid integer (got [])"]),
        ({"word": "psst"}, ['word: the word psst is not loud (got "psst")']),
        ({"short": "psst"}, ['short: too short (got "psst")']),
        ({"pin": "4711"}, ["pin: is not accepted (got <hidden>)"]),
        ({"pin": 4711}, ["pin: should be a valid string (got <hidden>)"]),
        ({"door": 4711}, ["door: should be a valid string (got <hidden>)"]),
        ({"token": "sk-1"}, ["token: is not known here; the arguments are: number, union (got <hidden>)"]),
        ({"pets": {"pin": 1, "a": 2}}, ['pets: should be a valid array (got {"pin":"<hidden>","a":2})']),
    ],
    ids=str,
)  # fmt: skip
def test_each_fault_has_its_place_its_reason_and_what_came(arguments, faults):
    assert faults_of(json.dumps(arguments)) == faults


def test_all_faults_are_told_at_once():
    assert len(faults_of('{"number": "x", "union": "y", "pets": [{}, {}]}')) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,}', 'trailing comma at line 1 column 9 (got {"a": 1,})'),
        ('{"a": "\ud800"}', 'half of a surrogate pair at character 8 (got {"a": "?"})'),
        ('{"door": 4711', "EOF while parsing an object at line 1 column 13 (got <hidden>)"),
    ],
)
def test_what_is_no_json(text, message):
    refusal = refusal_of(text, error_of(text), [], {"door"})
    assert refusal.kind == "bad_json"
    assert refusal.message == f"the arguments are not valid JSON: {message}"


@pytest.mark.parametrize(
    ("text", "less"),
    [
        ('{"number": null, "union": 1}', {"union": 1}),
        ('{"pets": [{"kind": "cat", "lives": null}]}', {"pets": [{"kind": "cat"}]}),
        ('{"pets": [null], "number": null}', {"pets": [None]}),
        ('{"pets": [null]}', {"pets": [None]}),
    ],
)
def test_nulls_that_were_refused_are_left_out(text: str, less: dict[str, Any]):
    told = without_nulls(text, error_of(text))
    assert told is not None
    assert json.loads(told) == less


@pytest.mark.parametrize("text", ['{"number": "x"}', "null"])
def test_where_nothing_can_be_left_out(text):
    told = without_nulls(text, error_of(text))
    assert told in {None, text}


@pytest.mark.parametrize(
    ("steps", "path"),
    [
        ((), ""),
        (("a",), "a"),
        (("a", 2, "b-c"), "a[2].b-c"),
        (("a", "b c", "d"), 'a["b c"].d'),
        (("\n" * 100,), '["' + "\\n" * 59 + '…"]'),
    ],
)
def test_paths(steps, path):
    assert path_of(steps) == path
