"""The session without await: with the embedded engine, from a plain thread and beside a running loop."""

from __future__ import annotations

import threading

import anyio
import numpy as np
import pytest
from blockbuster import BlockBuster

import rtagent
from rtagent import Agent, Endpoint, events, tool
from rtagent.audio import ArraySource, NullSink
from rtagent.engine import Decision, PlannedCall
from rtagent.errors import (
    ConfigurationError,
    ConnectionFailed,
    LocalProtocolError,
    ServerError,
    SessionClosed,
    Timeout,
)
from rtagent.events import lifecycle
from tests.written_engine import Brain, Mouth, local


@tool
def set_light(on: bool) -> str:
    """Switch the light."""
    return f"the light is {'on' if on else 'off'}"


def written(*script: Decision) -> Endpoint:
    endpoint, _ = local(*script)
    return endpoint


def is_running() -> bool:
    return any(thread.name == "rtagent session" for thread in threading.enumerate())


def test_a_conversation_with_a_tool_that_is_kept_and_gone_on_with() -> None:
    endpoint = written(Decision(calls=(PlannedCall("set_light", {"on": True}),)), Decision("It is on now."))
    with rtagent.connect_sync(Agent(tools=[set_light]), endpoint=endpoint) as session:
        assert session.state == "listening"
        session.say("Switch the light on.")
        response = session.respond(timeout=5)
        assert response.text.strip() == "It is on now."
        kept = session.history.snapshot()
        assert [entry.role for entry in session.history] == ["user", "tool", "tool", "assistant"]
        assert session.usage == response.usage or session.usage.total_tokens >= response.usage.total_tokens
        assert session.metrics.audio_dropped_ms == 0.0
    assert not is_running()
    with rtagent.connect_sync(endpoint=written(), history=kept) as session:
        assert [entry.role for entry in session.history] == ["user", "tool", "tool", "assistant"]


def test_events_are_read_in_their_order() -> None:
    with rtagent.connect_sync(endpoint=written(Decision("Hello."))) as session:
        with session.subscribe(events.ResponseCreated, events.ResponseDone) as stream:
            session.post(events.ResponseCreate())
            kinds = []
            for event in stream:
                kinds.append(event.type)
                if isinstance(event, events.ResponseDone):
                    break
            assert kinds == ["response.created", "response.done"]
            assert stream.dropped == 0


def test_a_stream_ends_with_its_session() -> None:
    connecting = rtagent.connect_sync(endpoint=written())
    session = connecting.__enter__()
    stream = session.subscribe(events.ResponseDone).__enter__()
    seen: list[object] = []
    reader = threading.Thread(target=lambda: seen.extend(stream))
    reader.start()
    connecting.__exit__(None, None, None)
    reader.join(5)
    assert (reader.is_alive(), seen) == (False, [])
    with pytest.raises(SessionClosed):
        session.say("Too late.")


def test_a_callback_may_use_the_session() -> None:
    with rtagent.connect_sync(endpoint=written(Decision("One."), Decision("Two."))) as session:
        called = threading.Event()
        states: list[str] = []

        def done(event: events.ResponseDone) -> None:
            states.append(session.state)
            called.set()

        stop = session.on(events.ResponseDone, done)
        session.respond()
        assert called.wait(5)
        assert len(states) == 1
        stop()
        session.respond()
        assert len(states) == 1


def test_a_callback_that_fails_is_reported_by_its_name() -> None:
    def broken(event: events.ResponseDone) -> None:
        raise ZeroDivisionError

    with rtagent.connect_sync(endpoint=written(Decision("One."))) as session:
        session.on(events.ResponseDone, broken)
        with session.subscribe(lifecycle.CallbackFailed) as stream:
            session.respond()
            failed = next(iter(stream))
    assert failed.callback.endswith("broken")
    assert isinstance(failed.error, ZeroDivisionError)


def test_errors_come_out_as_they_are() -> None:
    with rtagent.connect_sync(endpoint=written()) as session:
        with pytest.raises(ServerError):
            session.send(events.ConversationItemDelete(item_id="nobody"))
        with pytest.raises(Timeout):
            session.wait_for(events.ResponseDone, timeout=0.01)
        with pytest.raises(ConfigurationError, match="colour"):
            session.update(colour="blue")
        session.update(instructions="Be brief.")
        assert getattr(session.config, "instructions", None) == "Be brief."
        with pytest.raises(LocalProtocolError, match="PNG or JPEG"):
            session.show(b"no image")
        session.interrupt()
    with pytest.raises(ConnectionFailed):
        with rtagent.connect_sync(endpoint=Endpoint.url("ws://127.0.0.1:9/v1/realtime")):
            pytest.fail("the block must not begin")
    assert not is_running()


def test_the_programs_own_exception_comes_out_and_everything_ends() -> None:
    with pytest.raises(ZeroDivisionError):
        with rtagent.connect_sync(endpoint=written()):
            raise ZeroDivisionError
    assert not is_running()


def test_ears_and_mouth() -> None:
    with rtagent.connect_sync(endpoint=written()) as session:
        attachment = session.attach(ArraySource(np.zeros(4_800, np.int16), 24_000), NullSink())
        attachment.mute()
        attachment.unmute()
        attachment.hold()
        attachment.resume()
        attachment.wait_source_ended()
        attachment.detach()
        assert session.append_audio(bytes(960)) == 0.0


async def test_it_can_be_used_where_a_loop_runs_already(blockbuster: BlockBuster) -> None:
    """As in a notebook: the caller's loop stands still meanwhile, the session's does not."""
    blockbuster.deactivate()
    with rtagent.connect_sync(endpoint=written(Decision("Here I am."))) as session:
        assert session.respond(timeout=5).text.strip() == "Here I am."
    blockbuster.activate()
    await anyio.lowlevel.checkpoint()


def test_several_threads_use_one_session() -> None:
    with rtagent.connect_sync(endpoint=written()) as session:
        threads = [threading.Thread(target=session.say, args=(f"{number}",)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
        assert sorted(entry.text for entry in session.history) == [f"{number}" for number in range(8)]


def test_the_end_can_be_waited_for() -> None:
    with rtagent.connect_sync(
        endpoint=Endpoint.local(brain=Brain(), voice=Mouth(), max_age_s=0.2), reconnect=None
    ) as session:
        assert session.wait_closed().code == 1001
