from __future__ import annotations

import pytest


@pytest.mark.parametrize("state", ["in_progress", "completed", "failed"])
@pytest.mark.parametrize("what", ["mcp_list_tools", "response.mcp_call"])
def test_states(read, what, state):
    event = read({"type": f"{what}.{state}", "item_id": "item_1"})
    assert event.type == f"{what}.{state}"
    assert event.item_id == "item_1"


def test_arguments(read):
    delta = read({"type": "response.mcp_call_arguments.delta", "delta": "{", "obfuscation": None})
    done = read({"type": "response.mcp_call_arguments.done", "arguments": "{}", "output_index": 2})
    assert (delta.delta, delta.output_index, delta.response_id) == ("{", 0, None)
    assert (done.arguments, done.output_index) == ("{}", 2)
