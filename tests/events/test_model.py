from __future__ import annotations

from typing import Literal

import pytest
from pydantic import ValidationError

from rtagent.events._model import Many, WireModel, as_object, tag_by_type


class Leaf(WireModel, frozen=True):
    type: Literal["leaf"] = "leaf"
    size: int | None = None
    colours: Many[str] = ()


class Branch(WireModel, frozen=True):
    leaf: Leaf | None = None


def test_values_are_frozen():
    leaf = Leaf(size=1)
    with pytest.raises(ValidationError, match="frozen"):
        leaf.size = 2  # type: ignore[misc]


def test_an_array_is_a_tuple_whatever_was_passed():
    colours = ["red"]
    leaf = Leaf(colours=colours)
    colours.append("green")
    assert leaf.colours == ("red",)


def test_a_program_may_not_misspell_a_field_at_any_depth():
    with pytest.raises(ValidationError, match="colour"):
        Leaf(colour=1)
    with pytest.raises(ValidationError, match=r"leaf\.colour"):
        Branch(leaf={"type": "leaf", "colour": 1})


def test_reading_keeps_what_it_does_not_know_and_writes_it_back():
    wire = {"leaf": {"type": "leaf", "colour": 1}, "more": [2]}
    branch = Branch.model_validate(wire)
    assert branch.model_dump(exclude_unset=True) == wire


def test_a_value_with_a_vendors_field_can_be_part_of_a_value_that_a_program_builds():
    branch = Branch(leaf=Leaf.model_validate({"type": "leaf", "vendor": True}))
    assert branch.model_dump(exclude_unset=True) == {"leaf": {"type": "leaf", "vendor": True}}


def test_the_tag_is_always_written_and_other_defaults_never():
    assert Leaf().model_dump(exclude_unset=True) == {"type": "leaf"}
    assert Branch().model_dump(exclude_unset=True) == {}


def test_null_is_not_the_same_as_left_out():
    assert Branch(leaf=None).model_dump(exclude_unset=True) == {"leaf": None}


def test_what_was_built_equals_what_was_read():
    assert Leaf(size=1) == Leaf.model_validate({"type": "leaf", "size": 1})


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ({"type": "leaf"}, "Leaf"),
        ({"type": "stone"}, "Other"),
        ({"type": 5}, "Other"),
        ({"type": None}, "Other"),
        ({}, "Branch"),
        (Leaf(), "Leaf"),
        (5, "int"),
    ],
)
def test_tags(value, tag):
    assert tag_by_type({"leaf": "Leaf", "": "Branch"}, otherwise="Other")(value) == tag


def test_objects_are_told_from_everything_else():
    assert as_object({"a": 1}) == {"a": 1}
    assert as_object([1]) is None
