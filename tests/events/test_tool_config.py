from __future__ import annotations

import pytest

from rtagent import events


@pytest.mark.parametrize(
    ("wire", "model"),
    [
        ({"type": "function", "name": "f", "parameters": {"type": "object"}}, events.FunctionTool),
        ({"type": "mcp", "server_label": "s", "require_approval": "never"}, events.McpServerTool),
        ({"type": "mcp", "server_label": "s", "allowed_tools": ["a", "b"]}, events.McpServerTool),
        ({"type": "mcp", "server_label": "s", "allowed_tools": {"read_only": True}}, events.McpServerTool),
        (
            {"type": "mcp", "server_label": "s", "require_approval": {"never": {"tool_names": ["a"]}}},
            events.McpServerTool,
        ),
        ({"type": "web_search", "region": "eu"}, events.UnknownTool),
    ],
)
def test_tools(read_session, wire, model):
    session = read_session({"type": "realtime", "tools": [wire]})
    assert type(session.tools[0]) is model
    assert session.tools[0].model_dump(exclude_unset=True, mode="json") == wire


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ("required", "required"),
        ("sometimes", "sometimes"),
        ({"type": "function", "name": "f"}, events.ToolChoiceFunction(name="f")),
        ({"type": "mcp", "server_label": "s"}, events.ToolChoiceMcp(server_label="s")),
    ],
)
def test_tool_choice(read_session, wire, expected):
    assert read_session({"type": "realtime", "tool_choice": wire}).tool_choice == expected


def test_a_function_tool_always_says_that_it_is_one():
    assert events.FunctionTool(name="f").model_dump(exclude_unset=True) == {"type": "function", "name": "f"}
