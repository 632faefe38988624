from __future__ import annotations

import pytest

from rtagent.events import live


@pytest.mark.parametrize(
    ("wire", "model"),
    [
        ({"type": "message", "role": "user", "content": "hi"}, live.InputMessageItem),
        ({"role": "developer", "content": [{"type": "input_text", "text": "x"}]}, live.InputMessageItem),
        (
            {"type": "function_call", "name": "f", "call_id": "c", "namespace": "n"},
            live.FunctionCallItem,
        ),
        ({"type": "function_call_output", "call_id": "c", "output": "{}"}, live.FunctionCallOutputItem),
        (
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "x"}]},
            live.FunctionCallOutputItem,
        ),
        ({"type": "custom_tool_call", "name": "f", "call_id": "c", "input": "x"}, live.CustomToolCallItem),
        (
            {"type": "custom_tool_call_output", "call_id": "c", "output": ""},
            live.CustomToolCallOutputItem,
        ),
        ({"type": "item_reference", "id": "i"}, live.ItemReference),
        ({"type": "computer_call", "id": "i", "action": {"type": "click"}}, live.ResponsesItem),
    ],
)
def test_kinds_of_item(read_item, wire, model):
    item = read_item(wire)
    assert type(item) is model
    assert item.model_dump(exclude_unset=True, mode="json") == wire


def test_an_item_of_any_other_kind_can_be_sent(written):
    wire = {"type": "mcp_approval_response", "approval_request_id": "a", "approve": True}
    event = live.ResponseItemCreate(item=live.ResponsesItem.model_validate(wire))
    assert written(event)["item"] == wire


def test_a_message_that_a_program_builds():
    message = live.InputMessageItem(role="user", content="hi")
    assert message.model_dump(exclude_unset=True) == {"type": "message", "role": "user", "content": "hi"}
