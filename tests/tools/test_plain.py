from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from rtagent.tools._argument_model import described, model_of
from rtagent.tools._plain import is_plain
from rtagent.tools._signature import ABSENT, Parameter, Signature


class Colour(Enum):
    RED = "red"


class Odd(Enum):
    TYPE = int


class Empty(Enum):
    pass


class Model(BaseModel):
    a: int


def of(annotation: Any, default: Any = ABSENT) -> Signature:
    return Signature("take", parameters=(Parameter("a", annotation, default),))


PLAIN = [
    str, int, float, bool, None, type(None), Any, bytes, date, datetime, timedelta, Decimal, Path, UUID, list, dict,
    Colour, Literal["a", 1, None], int | str | None, list[str], dict[str, list[int]], set[Colour],
    tuple[int, str], tuple[int, ...], Annotated[int, "a number"], Annotated[list[int] | None, "many"],
]  # fmt: skip


@pytest.mark.parametrize("annotation", PLAIN, ids=str)
def test_what_is_plain_has_a_schema_for_certain(annotation):
    signature = of(annotation)
    assert is_plain(signature)
    assert described(model_of(signature, {}))["required"] == ["a"]


@pytest.mark.parametrize(
    "annotation",
    [Model, list[Model], Odd, Empty, type, object, Literal[Colour.RED], Annotated[str, Field(ge=1)], "text", [int],
     type[int], tuple[int, Model]],
    ids=str,
)  # fmt: skip
def test_what_may_fail_is_not_plain(annotation):
    assert not is_plain(of(annotation))


@pytest.mark.parametrize("default", [None, "x", 1, True, 0.5, Colour.RED, (), [], {}])
def test_plain_defaults(default):
    signature = of(Any, default)
    assert is_plain(signature)
    assert described(model_of(signature, {}))["properties"]["a"].keys() == {"default"}


@pytest.mark.parametrize("default", [Field(1), object(), [1], {1}, Model(a=1)])
def test_other_defaults_are_tried(default):
    assert not is_plain(of(Any, default))


def test_free_keywords_count():
    assert is_plain(Signature("take", extra=int))
    assert not is_plain(Signature("take", extra=Model))
