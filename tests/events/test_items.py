from __future__ import annotations

import pytest

from rtagent import events


@pytest.mark.parametrize(
    ("wire", "model"),
    [
        ({"type": "message", "role": "system", "content": []}, events.SystemMessage),
        (
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]},
            events.UserMessage,
        ),
        ({"type": "message", "role": "assistant", "content": []}, events.AssistantMessage),
        ({"type": "message", "role": "narrator", "content": []}, events.UnknownItem),
        ({"type": "message", "role": ["user"]}, events.UnknownItem),
        ({"type": "function_call", "name": "f", "arguments": "{}", "status": "paused"}, events.FunctionCall),
        ({"type": "function_call_output", "call_id": "c", "output": ""}, events.FunctionCallOutput),
        ({"type": "item_reference", "id": "item_1"}, events.ItemReference),
        ({"type": "force_message", "id": "item_1", "text": "vendor"}, events.UnknownItem),
        ({"id": "item_1"}, events.UnknownItem),
    ],
)
def test_each_kind_has_its_class_and_survives(read_item, wire, model):
    item = read_item(wire)
    assert type(item) is model
    assert item.model_dump(exclude_unset=True, mode="json") == wire


def test_every_item_has_an_id_and_a_type(read_item):
    item = read_item({"type": "force_message", "id": "item_1"})
    assert (item.id, item.type) == ("item_1", "force_message")


def test_a_message_that_a_program_builds_says_its_type_role_and_content():
    assert events.UserMessage().model_dump(exclude_unset=True, mode="json") == {
        "type": "message",
        "role": "user",
        "content": [],
    }


def test_a_message_without_content_is_read_as_empty(read_item):
    assert read_item({"type": "message", "role": "user"}).content == ()


@pytest.mark.parametrize("kind", ["protocol_error", "tool_execution_error", "http_error", "new_error"])
def test_errors_of_mcp_calls(read_item, kind):
    error = {"type": kind, "code": 500, "message": "no"}
    call = read_item(
        {"type": "mcp_call", "id": "i", "server_label": "s", "name": "n", "error": error, "output": None}
    )
    assert call.error == events.McpError(type=kind, code=500, message="no")
