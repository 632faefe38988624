"""What the tests of the tools share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from rtagent.tools import Tool, ToolOutcome, ToolRegistry

Call = Callable[..., Awaitable[ToolOutcome]]


@pytest.fixture
def call() -> Call:
    """Call one tool, or one function, the way a model does."""

    async def call(
        tool: Tool[..., Any] | Callable[..., Any], arguments: str = "{}", **options: Any
    ) -> ToolOutcome:
        registry = ToolRegistry(**options)
        return await registry.call(registry.add(tool).name, arguments, call_id="call_1")

    return call
