from __future__ import annotations

from typing import Any

from rtagent.tools import RunningCall, ToolRegistry, cancel_tool, running_tools


class Desk:
    """Two calls run, of which this one is one."""

    def __init__(self) -> None:
        self.cancelled: list[str] = []

    def running(self) -> tuple[RunningCall, ...]:
        return (RunningCall("c1", "look", '{"x":1}', 1.26), RunningCall("me", "running_tools", "{}", 0.0))

    def cancel(self, call_id: str) -> bool:
        self.cancelled.append(call_id)
        return call_id == "c1"


async def called(name: str, arguments: str = "{}", desk: Any = None) -> str:
    registry = ToolRegistry([running_tools, cancel_tool])
    return (await registry.call(name, arguments, call_id="me", desk=desk)).output


async def test_the_other_calls_are_listed():
    listed = await called("running_tools", desk=Desk())
    assert listed == '[{"call_id":"c1","name":"look","arguments":"{\\"x\\":1}","seconds":1.3}]'
    assert await called("running_tools") == "[]"


async def test_a_call_is_cancelled_by_its_id():
    desk = Desk()
    assert await called("cancel_tool", '{"call_id": "c1"}', desk) == "cancelled"
    for call_id in ("c2", "me"):
        assert f"no call '{call_id}' runs" in await called("cancel_tool", f'{{"call_id": "{call_id}"}}', desk)
    assert "no call 'c1' runs" in await called("cancel_tool", '{"call_id": "c1"}')
    assert desk.cancelled == ["c1", "c2"]
