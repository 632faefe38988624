from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Optional

import pytest

from rtagent.tools import ToolContext
from rtagent.tools._context import asks_for_context


@pytest.mark.parametrize(
    ("annotation", "asks"),
    [
        (ToolContext, True),
        (ToolContext | None, True),
        (Optional[ToolContext], True),  # noqa: UP045
        (Annotated[ToolContext, "the call"], True),
        (Annotated[ToolContext | None, "the call"], True),
        (str, False),
        (ToolContext | str, False),
        (list[ToolContext], False),
        (Any, False),
    ],
)
def test_a_parameter_asks_for_the_context_by_its_annotation(annotation, asks):
    assert asks_for_context(annotation) is asks


def test_the_context_cannot_be_changed():
    context = ToolContext(session=None, call_id="call_1", name="find")
    assert context.state is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        context.name = "other"  # type: ignore[misc]
