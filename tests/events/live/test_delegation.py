from __future__ import annotations

import pytest

from rtagent import events
from rtagent.events import live


@pytest.mark.parametrize(
    ("wire", "model"),
    [
        ({"type": "client", "acknowledgement_delay_ms": 500}, live.ClientDelegation),
        ({"type": "responses", "responses": {"model": "m", "tools": []}}, live.ResponsesDelegation),
        ({"type": "decisions", "decisions": {"model": "m", "questions": []}}, live.DecisionsDelegation),
        ({"type": "swarm", "size": 3}, live.UnknownDelegation),
    ],
)
def test_kinds_of_delegation(read_session, wire, model):
    session = read_session({"delegation": wire})
    assert type(session.delegation) is model
    assert session.delegation.model_dump(exclude_unset=True, mode="json") == wire


@pytest.mark.parametrize(
    ("wire", "model"),
    [
        ({"type": "function", "name": "f", "strict": True}, live.FunctionTool),
        ({"type": "web_search"}, live.HostedTool),
        ({"type": "shell", "environment": {"type": "local"}}, live.HostedTool),
        ({"type": "mcp", "server_label": "s"}, live.HostedTool),
    ],
)
def test_tools(read_session, wire, model):
    delegation = read_session(
        {"delegation": {"type": "responses", "responses": {"tools": [wire]}}}
    ).delegation
    (tool,) = delegation.responses.tools
    assert type(tool) is model
    assert tool.model_dump(exclude_unset=True) == wire


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ("required", "required"),
        ("sometimes", "sometimes"),
        ({"type": "function", "name": "f"}, live.ToolReference(name="f")),
        ({"type": "shell"}, live.ToolReference(type="shell")),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
            live.AllowedTools(mode="auto", tools=[live.ToolReference(name="f")]),
        ),
    ],
)
def test_tool_choice(read_session, wire, expected):
    session = read_session({"delegation": {"type": "responses", "responses": {"tool_choice": wire}}})
    assert session.delegation.responses.tool_choice == expected
    built = live.ResponsesDelegationConfig(tool_choice=expected)
    assert built.model_dump(exclude_unset=True, mode="json") == {"tool_choice": wire}


def test_a_function_tool_is_one_of_realtime_with_one_field_more():
    tool = live.FunctionTool(name="f", parameters={"type": "object"}, strict=False)
    assert isinstance(tool, events.FunctionTool)
    assert tool.model_dump(exclude_unset=True) == {
        "type": "function",
        "name": "f",
        "parameters": {"type": "object"},
        "strict": False,
    }


def test_a_delegation_that_a_program_builds_says_its_kind():
    assert live.ClientDelegation().model_dump(exclude_unset=True) == {"type": "client"}
