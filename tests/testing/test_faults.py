"""Faults as values: what they may say."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from rtagent import testing
from rtagent.errors import ConfigurationError
from rtagent.testing import Close, Delay, Drop, Fault, Refuse, TooBig
from rtagent.testing._faults import check_close

EVERY: list[type[Fault]] = [
    value
    for name in testing.__all__
    if isinstance(value := getattr(testing, name), type) and issubclass(value, Fault)
]


@pytest.mark.parametrize("kind", EVERY)
def test_each_is_a_frozen_value_that_says_what_it_does(kind: type[Fault]) -> None:
    assert is_dataclass(kind)
    assert kind.__doc__ is not None
    assert kind.__doc__.endswith(".")
    assert "\n" not in kind.__doc__
    assert kind() == kind()
    with pytest.raises(FrozenInstanceError):
        kind().nth = 2  # type: ignore[misc]


@pytest.mark.parametrize("kind", EVERY)
def test_when_it_is_due_is_said_by_keyword(kind: type[Fault]) -> None:
    trigger = {field.name for field in fields(Fault)}
    assert {field.name for field in fields(kind) if field.kw_only} == trigger


@pytest.mark.parametrize("kind", [kind for kind in EVERY if kind is not Fault])
def test_each_is_in_the_table_of_the_documentation(kind: type[Fault]) -> None:
    page = Path(__file__).parents[2] / "docs" / "topics" / "testing.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert any(f"`{kind.__name__}(" in row.split("|")[1] for row in rows)


def test_a_fault_is_meant_for_the_first_connection_and_a_refusal_for_the_next() -> None:
    assert Drop().connection == 1
    assert Refuse().connection is None
    assert TooBig().code == 1009
    assert Delay(2).seconds == 2


@pytest.mark.parametrize(
    "made",
    [
        lambda: Drop(nth=0),
        lambda: Drop(connection=0),
        lambda: Drop(by="network"),  # type: ignore[arg-type]
        lambda: Close(1006),
        lambda: Close(1000, "x" * 124),
        lambda: Refuse(on="response.created"),
        lambda: Refuse(nth=2),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_written(made: Any) -> None:
    with pytest.raises(ConfigurationError):
        made()


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1014, 3000, 4000, 4999])
def test_codes_of_close_frames(code: int) -> None:
    check_close(code, "é" * 61)


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2000, 5000])
def test_codes_that_no_close_frame_carries(code: int) -> None:
    with pytest.raises(ConfigurationError, match=str(code)):
        check_close(code, "")
