"""Your agent is tested against a server that says what you tell it to: no network, no key, no sound.

Run it with `pytest examples/test_lights.py` and pytest-asyncio in its auto mode (`-o asyncio_mode=auto`).
The fixture comes with rtagent.
"""

import pytest
from lights import agent

import rtagent
from rtagent.testing import Drop, RealtimeServer


def outputs(server: RealtimeServer) -> list[str]:
    """What the tools have answered, as the server got it."""
    items = [event["item"] for event in server.sent("conversation.item.create")]
    return [item["output"] for item in items if item["type"] == "function_call_output"]


@pytest.mark.realtime_server(arguments={"room": "kitchen", "on": True})
async def test_the_light_is_switched(realtime_server: RealtimeServer) -> None:
    async with rtagent.connect(agent, endpoint=realtime_server.endpoint) as session:
        await session.say("Use the tool for the kitchen.")  # the word "tool" makes the server call one
        response = await session.respond()
    assert outputs(realtime_server) == ["kitchen light is on"]
    assert response.text == "done"
    assert realtime_server.refusals == []


@pytest.mark.realtime_server(arguments={"room": "kitchen"})
async def test_the_model_is_told_what_it_forgot(realtime_server: RealtimeServer) -> None:
    async with rtagent.connect(agent, endpoint=realtime_server.endpoint) as session:
        await session.say("Use the tool for the kitchen.")
        await session.respond()
    (output,) = outputs(realtime_server)
    assert "on" in output
    assert "required" in output


@pytest.mark.realtime_server(
    arguments={"room": "kitchen", "on": True},
    faults=[Drop(on="response.output_audio.delta", nth=3)],
)
async def test_a_lost_connection_does_not_end_the_conversation(realtime_server: RealtimeServer) -> None:
    async with rtagent.connect(agent, endpoint=realtime_server.endpoint) as session:
        await session.say("Are you there?")
        response = await session.respond()  # the answer breaks off in its middle and is asked for again
    assert response.text == "You said Are you there?"
    assert len(realtime_server.connections) == 2
    assert realtime_server.undone == []
