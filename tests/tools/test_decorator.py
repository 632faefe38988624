from __future__ import annotations

from typing import assert_type

import pytest

from rtagent.errors import ToolDefinitionError
from rtagent.tools import Tool, tool


def test_bare():
    @tool
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    assert isinstance(add, Tool)
    assert (add.name, add.description) == ("add", "Add two numbers.")
    assert assert_type(add(2, 3), int) == 5


def test_with_options():
    @tool(name="plus", timeout=5, speak="Let me see.")
    async def add(a: int) -> int:
        return a

    assert (add.name, add.timeout, add.speak, add.is_async) == ("plus", 5, "Let me see.", True)


def test_with_no_options():
    @tool()
    def add(a: int) -> int:
        return a

    assert add(1) == 1


def test_a_function_that_cannot_be_a_tool_says_so_where_it_is_defined():
    with pytest.raises(ToolDefinitionError, match="add cannot become a tool: parameter 'a' has no type"):

        @tool
        def add(a): ...


def test_an_unknown_option_is_a_mistake():
    with pytest.raises(TypeError, match="tries"):
        tool(tries=3)(len)  # type: ignore[call-overload]
