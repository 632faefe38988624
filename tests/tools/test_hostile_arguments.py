"""Arguments that are wrong on purpose: each is read or refused, at once, and little of it is repeated."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, SecretStr

from rtagent.tools import Tool, ToolOutcome
from rtagent.tools._faults import ArgumentsRefused

MOST_CHARS = 12_000
"""Sixteen faults with their places, reasons and excerpts: less than the shortest of the large texts below."""


class Cat(BaseModel):
    kind: Literal["cat"]
    name: str


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str] = []


class Tree(BaseModel):
    label: str
    children: list[Tree] = []


def many(
    count: int = 0,
    share: float = 0.5,
    text: str = "",
    flag: bool = False,
    numbers: list[int] = [],  # noqa: B006
    named: dict[str, int] = {},  # noqa: B006
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None,
    pets: list[Cat | Dog] = [],  # noqa: B006
    tree: Tree | None = None,
    anything: Any = None,
    password: str = "",
    door: SecretStr | None = None,
) -> None: ...


def free(**values: Any) -> None: ...


def strict(tree: Tree, count: int = 0) -> None: ...


SCHEMA = {
    "type": "object",
    "properties": {
        "count": {"type": "integer"},
        "numbers": {"type": "array", "items": {"type": "integer"}},
        "text": {"type": "string", "enum": ["a", "b"]},
        "password": {"type": "string"},
        "anything": {},
    },
    "additionalProperties": False,
}
TOOLS: dict[str, Tool[..., Any]] = {
    "many": Tool.from_function(many),
    "free": Tool.from_function(free),
    "strict": Tool.from_function(strict, strict=True),
    "raw": Tool.from_schema("raw", SCHEMA, free),
}
LONG = "x" * 1_000_000
CORPUS = {
    "nothing": "",
    "spaces": " \n\t",
    "null": "null",
    "a number": "5",
    "a list": "[]",
    "a string": '"{}"',
    "a word": "nonsense",
    "a fence": '```json\n{"count": 1}\n```',
    "an open object": '{"count": 1',
    "an open string": '{"text": "',
    "a comma too many": '{"count": 1,}',
    "single quotes": "{'count': 1}",
    "two objects": '{"count": 1}{"count": 2}',
    "a comment": '{"count": 1 /* one */}',
    "a byte order mark": '\ufeff{"count": 1}',
    "a zero byte": '{"text": "\x00"}',
    "an escaped zero byte": '{"text": "\\u0000"}',
    "a line break in a string": '{"text": "a\nb"}',
    "one key twice": '{"count": 1, "count": 2}',
    "one key ten thousand times": "{" + ",".join(['"count": 1'] * 10_000) + "}",
    "not a number": '{"share": NaN}',
    "infinity": '{"share": Infinity}',
    "minus infinity": '{"anything": [-Infinity]}',
    "a float too large": '{"share": 1e999}',
    "a float too large for anything": '{"anything": 1e999}',
    "a fraction for an integer": '{"count": 1.5}',
    "an integer of 4,000 digits": f'{{"count": {"9" * 4_000}}}',
    "an integer of 5,000 digits": f'{{"count": {"9" * 5_000}}}',
    "an integer of a million digits": f'{{"anything": {"9" * 1_000_000}}}',
    "many digits as text": json.dumps({"count": "9" * 1_000_000}),
    "half a surrogate pair, escaped": '{"text": "\\ud800"}',
    "the other half, escaped": '{"text": "\\udc00"}',
    "half a surrogate pair": '{"text": "\ud800"}',
    "half a surrogate pair as a key": '{"\udfff": 1}',
    "a megabyte of text": json.dumps({"text": LONG}),
    "a megabyte for a number": json.dumps({"count": LONG}),
    "a megabyte for a list": json.dumps({"numbers": LONG}),
    "a megabyte for a kind": json.dumps({"pet": {"kind": LONG}}),
    "a megabyte of a name": json.dumps({LONG: 1}),
    "a megabyte that is no JSON": LONG,
    "a megabyte of spaces": " " * 1_000_000,
    "a hundred thousand wrong numbers": json.dumps({"numbers": ["x"] * 100_000}),
    "ten thousand wrong pets": json.dumps({"pets": [{}] * 10_000}),
    "ten thousand strangers": json.dumps({f"stranger{at}": at for at in range(10_000)}),
    "1,000 lists deep": f'{{"anything": {"[" * 1_000}{"]" * 1_000}}}',
    "100,000 lists deep": '{"anything": ' + "[" * 100_000,
    "150 lists deep": f'{{"anything": {"[" * 150}{"]" * 150}}}',
    "150 lists deep for a number": f'{{"count": {"[" * 150}{"]" * 150}}}',
    "1,000 objects deep": '{"anything": ' + '{"a":' * 1_000 + "1" + "}" * 1_001,
    "a tree 60 deep": '{"tree": ' + '{"label": "x", "children": [' * 60 + "5" + "]}" * 60 + "}",
    "a name with a line break": '{"a\\nb": 1}',
    "an empty name": '{"": 1}',
    "names of Python": '{"__class__": 1, "__dict__": {}, "self": 1, "model_config": 1}',
    "null for everything": json.dumps(dict.fromkeys(["count", "share", "text", "flag", "numbers", "tree"])),
    "secrets of the wrong kind": '{"password": 471147114711, "pin": 471147114711}',
    "secrets deeper": '{"count": {"password": "471147114711", "more": [{"apiKey": "471147114711"}]}}',
    "secrets in broken JSON": '{"password": "471147114711"',
}


@pytest.mark.parametrize("text", CORPUS.values(), ids=CORPUS)
@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_it_is_read_or_refused(tool, text):
    try:
        assert isinstance(tool.arguments.read(text), dict)
    except ArgumentsRefused as refused:
        outcome = ToolOutcome.refused(tool.name, refused)
        assert outcome.error is not None
        assert len(outcome.output.encode()) < MOST_CHARS
        assert len(outcome.error.encode()) < MOST_CHARS
        assert "4711471" not in outcome.output + outcome.error
        assert json.loads(outcome.output)["error"]["kind"] == outcome.kind


@pytest.mark.parametrize(
    "name",
    ["not a number", "infinity", "minus infinity", "an integer of 5,000 digits", "1,000 lists deep", "a fence",
     "half a surrogate pair", "half a surrogate pair, escaped", "a comma too many", "a zero byte", "two objects"],
)  # fmt: skip
@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_what_is_no_json_is_refused_with_its_place(tool, name):
    with pytest.raises(
        ArgumentsRefused, match=r"line \d+ column \d+|character \d+|not valid Unicode"
    ) as refused:
        tool.arguments.read(CORPUS[name])
    assert refused.value.kind == "bad_json"


def test_the_last_of_two_keys_counts():
    assert TOOLS["many"].arguments.read(CORPUS["one key twice"])["count"] == 2


def test_no_infinite_number_gets_through_to_a_float():
    with pytest.raises(ArgumentsRefused, match=r"share: should be a finite number \(got Infinity\)"):
        TOOLS["many"].arguments.read(CORPUS["a float too large"])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(list(SCHEMA)), inner),
    max_leaves=20,
)


@given(
    st.dictionaries(
        st.sampled_from(["count", "numbers", "pet", "pets", "tree", "password", "door"]), json_values
    )
    .map(json.dumps)
    .flatmap(
        lambda text: st.just(text) | st.text().map(lambda more: text[: len(more)] + more + text[len(more) :])
    ),
    st.sampled_from(list(TOOLS)),
)
def test_whatever_comes_is_read_or_refused(text, name):
    test_it_is_read_or_refused(TOOLS[name], text)
