"""The session against a scripted server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import pytest

from rtagent import Agent, events
from rtagent.audio import ArraySource, AudioFormat, NullSink, Silence
from rtagent.errors import (
    ConfigurationError,
    ConnectionFailed,
    ConnectionLost,
    ServerError,
    SessionClosed,
    Timeout,
    ToolError,
)
from rtagent.events import lifecycle
from rtagent.protocol._gate import REQUEST_KEY
from rtagent.protocol._resumption import Resumption
from rtagent.session import ReconnectPolicy, Session
from rtagent.testing import Drop, FakeClock, RealtimeServer, ScriptedServer
from rtagent.tools import ToolContext, tool
from rtagent.transport import memory_pair

if TYPE_CHECKING:
    from .conftest import RawServer

TIMES = 50


@asynccontextmanager
async def talking(agent: Agent | None = None, **options) -> AsyncIterator[tuple[ScriptedServer, Session]]:
    async with ScriptedServer() as server, anyio.create_task_group() as group:
        if agent is not None:
            group.start_soon(server.configure)
        async with Session(server.transport, agent, **options) as session:
            yield server, session


async def answer(
    server: ScriptedServer, *items: events.Item, response_id: str = "r1", status: str = "completed"
) -> None:
    create = await server.expect(events.ResponseCreate)
    assert create.response is not None
    metadata = create.response.metadata
    await server.send(
        events.ResponseCreated(response=events.RealtimeResponse(id=response_id, metadata=metadata))
    )
    for index, item in enumerate(items):
        await server.send(
            events.ResponseOutputItemDone(response_id=response_id, output_index=index, item=item)
        )
    await server.send(
        events.ResponseDone(
            response=events.RealtimeResponse(
                id=response_id, status=status, output=list(items), metadata=metadata
            )
        )
    )


async def reached(session: Session, state: lifecycle.SessionState) -> None:
    """Let the tasks run until the session is in that state."""
    with anyio.fail_after(5):
        while session.state != state:
            await anyio.lowlevel.checkpoint()


# -- opening and closing -----------------------------------------------------------------------------


async def test_the_agents_configuration_is_sent_before_the_block_begins() -> None:
    @tool
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    agent = Agent(instructions="Be brief.", tools=[add], voice="marin", transcription=None)
    async with ScriptedServer() as server, anyio.create_task_group() as group:
        updates: list[events.SessionUpdate] = []

        async def configure() -> None:
            updates.append(await server.configure())

        group.start_soon(configure)
        async with Session(server.transport, agent) as session:
            assert session.state == "listening"
            await anyio.wait_all_tasks_blocked()
            asked = updates[0].session.model_dump(exclude_unset=True, mode="json")
    assert asked["instructions"] == "Be brief."
    assert asked["audio"] == {
        "input": {"turn_detection": {"type": "server_vad"}},
        "output": {"voice": "marin"},
    }
    assert [entry["name"] for entry in asked["tools"]] == ["add"]


async def test_configuration_of_the_program_goes_before_the_agents() -> None:
    config = events.RealtimeSession(
        audio=events.SessionAudio(input=events.AudioInput(turn_detection=None)), max_output_tokens=100
    )
    async with ScriptedServer() as server, anyio.create_task_group() as group:
        updates: list[events.SessionUpdate] = []

        async def configure() -> None:
            updates.append(await server.configure())

        group.start_soon(configure)
        async with Session(server.transport, Agent(instructions="Be brief."), config=config):
            await anyio.wait_all_tasks_blocked()
            asked = updates[0].session.model_dump(exclude_unset=True, mode="json")
    assert asked["instructions"] == "Be brief."
    assert asked["max_output_tokens"] == 100
    assert asked["audio"]["input"]["turn_detection"] is None
    assert asked["audio"]["input"]["transcription"]["model"]


async def test_a_server_that_says_nothing_fails_the_connection() -> None:
    async with ScriptedServer(greet=False) as server:
        with pytest.raises(ConnectionFailed, match=r"did not greet us with session\.created within 0\.01 s"):
            async with Session(server.transport, timeout=0.01):
                pass


async def test_a_server_that_ends_at_once_fails_the_connection() -> None:
    async with ScriptedServer(greet=False) as server:
        await server.close(4000, "beta")
        with pytest.raises(ConnectionFailed, match="ended the session before it began"):
            async with Session(server.transport):
                pass


async def test_a_server_that_refuses_the_configuration_says_why() -> None:
    async with ScriptedServer() as server, anyio.create_task_group() as group:

        async def refuse() -> None:
            update = await server.expect(events.SessionUpdate)
            error = events.ErrorDetail(
                type="invalid_request_error", message="no such voice", param="voice", event_id=update.event_id
            )
            await server.send(events.Error(error=error))

        group.start_soon(refuse)
        with pytest.raises(ServerError, match="no such voice"):
            async with Session(server.transport, Agent(voice="x")):
                pass


async def test_an_error_instead_of_a_greeting_is_raised() -> None:
    async with ScriptedServer(greet=False) as server:
        await server.send(
            {"type": "error", "error": {"type": "x", "message": "bad key", "code": "invalid_api_key"}}
        )
        with pytest.raises(ServerError, match="bad key"):
            async with Session(server.transport):
                pass


async def test_the_programs_own_exception_comes_out_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        async with ScriptedServer() as server, Session(server.transport):
            raise ZeroDivisionError


async def test_leaving_the_block_ends_everybody_who_waits() -> None:
    ended: list[str] = []

    async with ScriptedServer() as server, anyio.create_task_group() as group:
        async with Session(server.transport) as session:

            async def read() -> None:
                async with session.subscribe() as stream:
                    async for _ in stream:
                        pass
                ended.append("subscription")

            async def wait() -> None:
                with pytest.raises(SessionClosed):
                    await session.wait_for(events.ResponseDone)
                ended.append("wait_for")

            async def send() -> None:
                with pytest.raises(SessionClosed):
                    await session.send(events.InputAudioBufferClear())
                ended.append("send")

            async def closed() -> None:
                end = await session.wait_closed()
                ended.append(f"closed {end.code}")

            for waiter in (read, wait, send, closed):
                group.start_soon(waiter)
            await server.expect(events.InputAudioBufferClear)
    assert sorted(ended) == ["closed 1000", "send", "subscription", "wait_for"]
    assert session.state == "closed"
    with pytest.raises(SessionClosed):
        session.post(events.InputAudioBufferClear())
    with pytest.raises(SessionClosed):
        session.attach()
    assert session.append_audio(b"\0\0") == 0.0


@pytest.mark.parametrize(("code", "reason"), [(1001, "60 minutes"), (1011, "oops"), (1006, "")])
async def test_a_lost_connection_is_told_to_everybody_with_its_code(code: int, reason: str) -> None:
    async with talking() as (server, session):
        async with session.subscribe() as stream:
            await server.close(code, reason)
            with pytest.raises(ConnectionLost, match=str(code)):
                await anext(stream)
        end = await session.wait_closed()
        assert (end.code, end.reason) == (code, reason)
        with pytest.raises(ConnectionLost):
            await session.send(events.InputAudioBufferClear())
        with pytest.raises(ConnectionLost):
            await session.respond()


# -- sends ----------------------------------------------------------------------------------------


async def test_many_sends_get_their_own_answers_whatever_the_order() -> None:
    async with talking() as (server, session):
        answers: dict[str, str] = {}

        async def add(item_id: str) -> None:
            item = events.user_message(item_id, id=item_id)
            added = await session.send(events.ConversationItemCreate(item=item))
            assert isinstance(added, events.ConversationItemAdded)
            answers[item_id] = added.item.id or ""

        async with anyio.create_task_group() as group:
            for number in range(TIMES):
                group.start_soon(add, f"item_{number}")
            created = [await server.expect(events.ConversationItemCreate) for _ in range(TIMES)]
            for create in reversed(created):
                await server.send(events.ConversationItemAdded(item=create.item))
        assert answers == {f"item_{number}": f"item_{number}" for number in range(TIMES)}


async def test_an_error_fails_its_own_send_only() -> None:
    async with talking() as (server, session), anyio.create_task_group() as group:

        async def refused() -> None:
            with pytest.raises(ServerError) as caught:
                await session.send(events.ConversationItemDelete(item_id="nobody"))
            assert (caught.value.code, caught.value.param) == ("item_not_found", "item_id")

        async def fine() -> None:
            assert await session.send(events.InputAudioBufferClear()) is not None

        group.start_soon(refused)
        delete = await server.expect(events.ConversationItemDelete)
        group.start_soon(fine)
        await server.expect(events.InputAudioBufferClear)
        error = events.ErrorDetail(
            type="invalid_request_error",
            message="no such item",
            code="item_not_found",
            param="item_id",
            event_id=delete.event_id,
        )
        await server.send(events.Error(error=error), events.InputAudioBufferCleared())


async def test_a_send_without_an_answer_times_out_and_the_session_goes_on() -> None:
    async with talking() as (server, session):
        with pytest.raises(
            Timeout, match=r"an answer to input_audio_buffer\.clear did not come within 0\.01 s"
        ):
            await session.send(events.InputAudioBufferClear(), timeout=0.01)
        await server.expect(events.InputAudioBufferClear)
        assert session.state == "listening"


async def test_audio_has_no_answer_and_goes_out_as_it_is() -> None:
    async with talking() as (server, session):
        assert await session.send(events.InputAudioBufferAppend(audio="AAAA")) is None
        assert session.append_audio(b"\1\0" * 480) == 0.0
        append = await server.expect(events.InputAudioBufferAppend)
        append = await server.expect(events.InputAudioBufferAppend)
        assert append.pcm == b"\1\0" * 480


async def test_audio_that_cannot_leave_drops_the_oldest_and_says_so() -> None:
    async with talking() as (server, session):
        async with session.subscribe(lifecycle.AudioDropped) as stream:
            second = b"\0\0" * 24_000
            dropped = [session.append_audio(second) for _ in range(7)]
            assert sum(dropped) == 2000.0
            assert [(await anext(stream)).ms for _ in range(2)] == [1000.0, 1000.0]
        assert session.metrics.audio_dropped_ms == 2000.0
        await server.expect(events.InputAudioBufferAppend)


# -- turns ----------------------------------------------------------------------------------------


async def test_say_and_respond_give_the_answer_with_its_usage() -> None:
    async with talking() as (server, session), anyio.create_task_group() as group:

        async def play() -> None:
            create = await server.expect(events.ConversationItemCreate)
            await server.send(events.ConversationItemAdded(item=create.item, previous_item_id=None))
            await answer(server, events.assistant_message("It is on.", id="a1"))

        group.start_soon(play)
        await session.say("Is the light on?")
        response = await session.respond(
            instructions="Be brief.", modalities=["text"], metadata={"mine": "1"}
        )
        assert (response.text, response.status, dict(response.metadata)) == (
            "It is on.",
            "completed",
            {"mine": "1"},
        )
        assert [(entry.role, entry.text) for entry in session.history] == [
            ("user", "Is the light on?"),
            ("assistant", "It is on."),
        ]


async def test_respond_runs_tools_and_returns_the_spoken_answer() -> None:
    seen: list[tuple[str, int]] = []

    @tool
    async def double(value: int, context: ToolContext) -> int:
        """Double a number."""
        seen.append((context.call_id, value))
        assert context.session is not None
        return 2 * value

    async with talking(Agent(tools=[double])) as (server, session), anyio.create_task_group() as group:

        async def play() -> None:
            await answer(
                server,
                events.FunctionCall(
                    id="f1", call_id="c1", name="double", arguments='{"value": 21}', status="completed"
                ),
            )
            output = await server.expect(events.ConversationItemCreate)
            assert isinstance(output.item, events.FunctionCallOutput)
            assert (output.item.call_id, output.item.output) == ("c1", "42")
            await answer(server, events.assistant_message("Forty-two.", id="a2"), response_id="r2")

        group.start_soon(play)
        async with session.subscribe(lifecycle.ToolStarted, lifecycle.ToolFinished) as tools:
            response = await session.respond()
            started, finished = await anext(tools), await anext(tools)
        assert (response.id, response.text) == ("r2", "Forty-two.")
        assert seen == [("c1", 21)]
        assert isinstance(started, lifecycle.ToolStarted)
        assert isinstance(finished, lifecycle.ToolFinished)
        assert (finished.name, finished.ok, finished.output) == ("double", True, "42")


async def test_an_interruption_cancels_the_tools_that_say_so_and_keeps_the_others() -> None:
    finished: list[str] = []
    gates = {"patient": anyio.Event(), "hasty": anyio.Event()}

    @tool(on_interrupt="cancel")
    async def hasty() -> str:
        """Wait."""
        await gates["hasty"].wait()
        finished.append("hasty")
        return "never"

    @tool(on_interrupt="keep")
    async def patient() -> str:
        """Wait."""
        await gates["patient"].wait()
        finished.append("patient")
        return "kept"

    async with (
        talking(Agent(tools=[hasty, patient])) as (server, session),
        anyio.create_task_group() as group,
    ):
        group.start_soon(session.respond)
        calls = [
            events.FunctionCall(
                id=f"f_{name}", call_id=f"c_{name}", name=name, arguments="{}", status="completed"
            )
            for name in ("hasty", "patient")
        ]
        await answer(server, *calls)
        await reached(session, "tool_running")
        await server.send(events.InputAudioBufferSpeechStarted(item_id="u1", audio_start_ms=0))
        cancelled = await server.expect(events.ConversationItemCreate)
        gates["patient"].set()
        kept = await server.expect(events.ConversationItemCreate)
        outputs = [create.item for create in (cancelled, kept)]
        assert [getattr(item, "call_id", "") for item in outputs] == ["c_hasty", "c_patient"]
        assert "interrupted" in getattr(outputs[0], "output", "")
        assert finished == ["patient"]
        await server.expect_nothing()  # the user's turn decides what is said


async def test_a_tool_that_fails_is_told_to_the_model_and_answered() -> None:
    @tool
    def broken() -> str:
        """Break."""
        message = "the fuse is blown"
        raise ToolError(message)

    async with talking(Agent(tools=[broken])) as (server, session), anyio.create_task_group() as group:
        group.start_soon(session.respond)
        await answer(
            server,
            events.FunctionCall(id="f1", call_id="c1", name="broken", arguments="{}", status="completed"),
        )
        output = await server.expect(events.ConversationItemCreate)
        assert "the fuse is blown" in getattr(output.item, "output", "")
        await answer(server, events.assistant_message("Sorry.", id="a2"), response_id="r2")


async def test_a_refused_response_raises_in_the_one_who_asked() -> None:
    async with talking() as (server, session), anyio.create_task_group() as group:

        async def refuse() -> None:
            create = await server.expect(events.ResponseCreate)
            error = events.ErrorDetail(type="x", message="no", code="bad", event_id=create.event_id)
            await server.send(events.Error(error=error))

        group.start_soon(refuse)
        with pytest.raises(ServerError, match="bad: no"):
            await session.respond()


async def test_a_response_that_does_not_come_in_time_is_given_up() -> None:
    async with talking() as (server, session):
        with pytest.raises(Timeout, match="the response"):
            await session.respond(timeout=0.01)
        await server.expect(events.ResponseCreate)


async def test_the_program_interrupts() -> None:
    async with talking() as (server, session):
        await server.send(events.ResponseCreated(response=events.RealtimeResponse(id="vad")))
        await reached(session, "thinking")
        async with session.subscribe(lifecycle.Interrupted) as stream:
            await session.interrupt()
            assert (await anext(stream)).response_id == "vad"
        await server.expect(events.ResponseCancel)


async def test_update_sends_only_what_is_named_and_null_where_asked() -> None:
    async with talking() as (server, session), anyio.create_task_group() as group:
        sent: list[events.SessionUpdate] = []

        async def play() -> None:
            sent.append(await server.configure())

        group.start_soon(play)
        effective = await session.update(instructions="New.", audio={"input": {"turn_detection": None}})
        assert isinstance(effective, events.RealtimeSession)
        assert effective.instructions == "New."
    assert sent[0].session.model_dump(exclude_unset=True, mode="json") == {
        "type": "realtime",
        "instructions": "New.",
        "audio": {"input": {"turn_detection": None}},
    }


async def test_an_impossible_update_is_refused_before_it_is_sent() -> None:
    async with talking() as (_, session):
        with pytest.raises(ConfigurationError, match="colour is not a setting of a session"):
            await session.update(colour="blue")
        with pytest.raises(ConfigurationError, match=r"audio\.input"):
            await session.update(audio={"input": 5})


async def test_images_are_shown_and_missing_ones_named(tmp_path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n....")
    async with talking() as (server, session), anyio.create_task_group() as group:
        group.start_soon(session.show, picture)
        create = await server.expect(events.ConversationItemCreate)
        assert isinstance(create.item, events.UserMessage)
        part = create.item.content[0]
        assert isinstance(part, events.InputImage)
        assert part.image_url is not None
        assert part.image_url.startswith("data:image/png;base64,")
        await server.send(events.ConversationItemAdded(item=create.item))
        with pytest.raises(ConfigurationError, match="cannot be read"):
            await session.show(tmp_path / "nothing.png")


async def test_an_observer_is_told_everything_from_the_first_event_on() -> None:
    seen: list[str] = []
    async with talking(
        observer=lambda at, direction, event: seen.append(f"{direction} {type(event).__name__}")
    ) as (
        server,
        session,
    ):
        session.append_audio(bytes(960))
        session.post(events.InputAudioBufferClear())
        await server.expect(events.InputAudioBufferClear)
    assert seen[:4] == [
        "server SessionCreated",
        "session StateChanged",
        "session Connected",
        "client InputAudioBufferClear",
    ]
    assert seen[-1] == "session Closed"


async def test_formats_follow_what_the_server_says() -> None:
    clock = FakeClock()
    async with ScriptedServer() as server, Session(server.transport, clock=clock) as session:
        session.attach(ArraySource(b"\5\0" * 4800, rate=24_000, clock=clock), NullSink(clock=clock))
        telephone = events.RealtimeSession(
            audio=events.SessionAudio(input=events.AudioInput(format=events.PcmuFormat()))
        )
        await server.send(events.SessionUpdated(session=telephone))
        await anyio.wait_all_tasks_blocked()
        await clock.advance(0.02)
        await server.expect(events.InputAudioBufferAppend)
        assert len(server.appended) == 160  # 20 ms of G.711
        assert isinstance(session.config, events.RealtimeSession)


async def test_a_session_that_is_not_open_can_do_nothing() -> None:
    async with ScriptedServer() as server:
        session = Session(server.transport)
        with pytest.raises(SessionClosed, match="not open"):
            session.attach()
        await session.__aexit__(None, None, None)


# -- readers --------------------------------------------------------------------------------------


async def test_a_slow_reader_loses_deltas_and_slows_nobody() -> None:
    async with talking() as (server, session):
        async with session.subscribe(buffer=3) as slow, session.subscribe(buffer=100) as quick:
            for number in range(10):
                delta = events.ResponseOutputTextDelta(response_id="r", item_id="a", delta=str(number))
                await server.send(delta)
            await server.send(events.ResponseOutputTextDone(response_id="r", item_id="a", text="0123456789"))
            seen = [await anext(quick) for _ in range(11)]
            assert [event.type for event in seen][-1] == "response.output_text.done"
            kept = [await anext(slow) for _ in range(3)]
            assert [getattr(event, "delta", None) for event in kept] == ["8", "9", None]
            assert slow.dropped == 8


async def test_a_reader_that_cannot_follow_is_ended_alone() -> None:
    async with talking() as (server, session):
        async with session.subscribe(events.RateLimitsUpdated, buffer=2) as slow:
            for _ in range(3):
                await server.send(events.RateLimitsUpdated(rate_limits=[]))
            await anyio.wait_all_tasks_blocked()
            await anext(slow)
            await anext(slow)
            with pytest.raises(Exception, match="fell 2 events behind"):
                await anext(slow)
        assert session.state == "listening"


async def test_callbacks_are_called_and_a_failing_one_is_reported() -> None:
    called: list[str] = []
    async with talking() as (server, session):

        @session.on(events.ResponseOutputTextDelta)
        async def collect(event: events.ResponseOutputTextDelta) -> None:
            called.append(event.delta)

        def fail(event: events.ResponseOutputTextDelta) -> None:
            raise ZeroDivisionError

        handle = session.on(events.ResponseOutputTextDelta, fail)
        async with session.subscribe(lifecycle.CallbackFailed) as failures:
            for text in "ab":
                await server.send(events.ResponseOutputTextDelta(response_id="r", item_id="a", delta=text))
            failed = [await anext(failures) for _ in range(2)]
        assert [type(event.error) for event in failed] == [ZeroDivisionError] * 2
        assert "fail" in failed[0].callback
        handle.cancel()
        await server.send(events.ResponseOutputTextDelta(response_id="r", item_id="a", delta="c"))
        await anyio.wait_all_tasks_blocked()
        assert called == ["a", "b", "c"]


async def test_wait_for_takes_the_first_that_fits() -> None:
    async with talking() as (server, session), anyio.create_task_group() as group:

        async def play() -> None:
            await anyio.wait_all_tasks_blocked()
            for text in "abc":
                await server.send(events.ResponseOutputTextDelta(response_id="r", item_id="a", delta=text))

        group.start_soon(play)
        event = await session.wait_for(
            events.ResponseOutputTextDelta, lambda delta: delta.delta == "b", timeout=5
        )
        assert event.delta == "b"
        with pytest.raises(Timeout):
            await session.wait_for(events.ResponseDone, timeout=0.01)


async def test_a_subscription_made_right_after_an_answer_misses_nothing() -> None:
    async with talking() as (server, session), anyio.create_task_group() as group:

        async def play() -> None:
            create = await server.expect(events.ResponseCreate)
            assert create.response is not None
            response = events.RealtimeResponse(id="r1", metadata=create.response.metadata)
            deltas = [
                events.ResponseOutputTextDelta(response_id="r1", item_id="a", delta=text) for text in "abc"
            ]
            await server.send(events.ResponseCreated(response=response), *deltas)

        group.start_soon(play)
        assert isinstance(await session.send(events.ResponseCreate()), events.ResponseCreated)
        async with session.subscribe(events.ResponseOutputTextDelta) as stream:
            assert [(await anext(stream)).delta for _ in range(3)] == ["a", "b", "c"]


async def test_broken_frames_are_reported_and_the_next_is_read() -> None:
    async with talking() as (server, session):
        async with session.subscribe(events.MalformedFrame, events.UnknownEvent) as stream:
            await server.send("{not json", '{"type":"brand.new","x":1}', "[]")
            seen = [await anext(stream) for _ in range(3)]
        assert [type(event).__name__ for event in seen] == [
            "MalformedFrame",
            "UnknownEvent",
            "MalformedFrame",
        ]
        assert session.state == "listening"


# -- ears and mouth --------------------------------------------------------------------------------


async def test_a_source_goes_out_and_a_voice_is_heard_to_the_sample() -> None:
    clock = FakeClock()
    async with ScriptedServer() as server, Session(server.transport, clock=clock) as session:
        source = ArraySource(b"\5\0" * 960, rate=24_000, clock=clock)
        sink = NullSink(clock=clock)
        handle = session.attach(source, sink)
        with pytest.raises(ConfigurationError, match="attached already"):
            session.attach(source, sink)
        await handle.wait_open()
        await server.send(
            events.ResponseCreated(response=events.RealtimeResponse(id="r1")),
            events.ResponseOutputAudioDelta.of(
                pcm=b"\1\0" * 24_000, response_id="r1", item_id="A", output_index=0, content_index=0
            ),
        )
        await reached(session, "speaking")
        async with session.subscribe(lifecycle.PlaybackStarted) as started:
            for _ in range(30):
                await clock.advance(0.02)
            assert (await anext(started)).item_id == "A"
        heard = {entry.id: entry.heard_ms for entry in session.history}
        await server.send(events.InputAudioBufferSpeechStarted(item_id="u1", audio_start_ms=0))
        truncate = await server.expect(events.ConversationItemTruncate)
        assert truncate.item_id == "A"
        assert heard == {} or 0 < (heard.get("A") or 0) <= truncate.audio_end_ms
        assert 400 <= truncate.audio_end_ms <= 610
        await handle.wait_source_ended()
        assert bytes(server.appended) == b"\5\0" * 960
        handle.detach()


async def test_a_muted_source_sends_silence() -> None:
    clock = FakeClock()
    async with ScriptedServer() as server, Session(server.transport, clock=clock) as session:
        handle = session.attach(ArraySource(b"\5\0" * 480, rate=24_000, clock=clock))
        handle.mute()
        assert handle.muted
        for _ in range(3):
            await clock.advance(0.02)
        await handle.wait_source_ended()
        handle.unmute()
        await server.expect(events.InputAudioBufferAppend)
        assert bytes(server.appended) == bytes(960)


def test_the_request_key_is_private() -> None:
    assert REQUEST_KEY.startswith("rtagent")


QWEN = events.PROFILES["qwen-omni"]
CREATED = {"type": "session.created", "event_id": "e", "session": {"id": "s"}}


async def test_a_goodbye_is_said_and_its_answer_waited_for(raw_server: RawServer) -> None:
    async def take_leave() -> None:
        await raw_server.expect("session.finish")
        await raw_server.send({"type": "session.finished", "event_id": "e"})
        await raw_server.close()

    await raw_server.send(CREATED)
    async with anyio.create_task_group() as group:
        async with Session(raw_server.transport, dialect=QWEN) as session:
            group.start_soon(take_leave)
            assert await session.finish(timeout=5)
            closed = await session.wait_closed()
    assert closed.error is None
    assert await session.finish()  # once is enough


async def test_a_server_that_takes_no_leave_is_left_all_the_same(raw_server: RawServer) -> None:
    await raw_server.send(CREATED)
    async with Session(raw_server.transport, dialect=QWEN) as session:
        assert not await session.finish(timeout=0.01)
    assert (await session.wait_closed()).error is None


async def test_without_a_goodbye_there_is_nothing_to_wait_for() -> None:
    async with talking() as (_, session):
        assert await session.finish()


# -- more than one connection -------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["dial", "reconnect", "both"])
async def test_a_session_goes_on_where_it_can_be_dialled_and_may_be(given: str) -> None:
    clock = FakeClock()
    async with RealtimeServer(over="memory", clock=clock) as server:
        session = Session(
            await server.dial(),
            dial=server.dial if given != "reconnect" else None,
            reconnect=ReconnectPolicy(renew_before_s=0.0) if given != "dial" else None,
            clock=clock,
        )
        async with session:
            server.current.inject(Drop())
            await clock.advance(5.0)
            assert session.state == ("listening" if given == "both" else "closed")
        assert len(server.connections) == (2 if given == "both" else 1)


@pytest.mark.parametrize("given", ["dial", "both"])
async def test_speech_is_kept_only_where_it_can_be_said_again(given: str) -> None:
    async with RealtimeServer(over="memory") as server:
        policy = ReconnectPolicy(keep_speech_s=7.0) if given == "both" else None
        session = Session(await server.dial(), dial=server.dial, reconnect=policy)
        async with session:
            resumption = session._core.resumption
            assert isinstance(resumption, Resumption)
            assert resumption._m.speech.keep_ms == (7_000.0 if given == "both" else 0.0)


async def test_a_session_beside_a_call_ends_with_it() -> None:
    async with RealtimeServer(over="memory") as server:
        session = Session(await server.dial(), dial=server.dial, reconnect=ReconnectPolicy(), sideband=True)
        async with session:
            await server.current.close(1000)
            assert "the call has ended" in (await session.wait_closed()).reason


def test_a_session_can_be_made_without_an_event_loop() -> None:
    assert Session(memory_pair()[0]).state == "connecting"


async def test_the_format_of_the_input_is_what_the_server_said() -> None:
    ear = events.AudioInput(format=events.PcmuFormat())
    greeting = events.RealtimeSession(audio=events.SessionAudio(input=ear))
    async with ScriptedServer(greeting) as server, Session(server.transport) as session:
        assert session.input_format == AudioFormat.pcmu()


async def test_a_microphone_is_told_of_the_speaker_beside_it() -> None:
    told: list[object] = []

    class Ears(Silence):
        def beside(self, far: object) -> None:
            told.append(far)

    class Mouth(NullSink):
        def add_tap(self, tap: object) -> None: ...

    mouth = Mouth()
    async with ScriptedServer() as server, Session(server.transport) as session:
        session.attach(Ears(), NullSink()).detach()
        await anyio.wait_all_tasks_blocked()
        session.attach(Ears(), mouth).detach()
    assert told == [mouth]
