"""Opening a session: over a real socket on loopback, and with the embedded engine in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

import rtagent
from rtagent import Agent, Endpoint, ToolContext, events, tool
from rtagent.engine import Decision, PlannedCall
from rtagent.errors import (
    ConfigurationError,
    ConnectionFailed,
    ConnectionLost,
    ServerError,
    SessionClosed,
    Unsupported,
)
from rtagent.events import lifecycle
from rtagent.session import ReconnectPolicy, Session
from rtagent.testing import Drop, FakeClock, RealtimeServer, default_session
from tests.written_engine import local

KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
async def everything_ends() -> AsyncIterator[None]:
    """No task outlives the block that started it."""
    yield
    current = asyncio.current_task()
    assert [task for task in asyncio.all_tasks() if task is not current] == []


# -- over a socket ------------------------------------------------------------------------------------

Wire = dict[str, Any]
Handle = Callable[[ServerConnection], Awaitable[None]]


class Server:
    """A small Realtime server: greets, says yes to updates and items, answers with a text."""

    def __init__(self, *, refuse: bool = False) -> None:
        self.received: list[Wire] = []
        self.request = ""
        self.authorization: str | None = None
        self.close_code: int | None = None
        self._refuse = refuse

    async def handle(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.request = connection.request.path
        self.authorization = connection.request.headers.get("Authorization")
        await connection.send(events.encode(events.SessionCreated(session=default_session())))
        try:
            async for frame in connection:
                received: Wire = json.loads(frame)
                self.received.append(received)
                for answer in self._answers(received):
                    await connection.send(json.dumps(answer))
        except ConnectionClosed:
            pass
        self.close_code = connection.close_code

    def _answers(self, received: Wire) -> Iterator[Wire]:
        match received["type"]:
            case "session.update" if self._refuse:
                error = {"type": "x", "message": "no such voice", "event_id": received["event_id"]}
                yield {"type": "error", "error": error}
            case "session.update":
                yield {"type": "session.updated", "session": received["session"]}
            case "conversation.item.create":
                yield {"type": "conversation.item.added", "item": received["item"]}
            case "response.create":
                item = events.assistant_message("It is on.", id="a1").model_dump(mode="json")
                response = {"id": "r1", "metadata": received["response"]["metadata"], "output": []}
                yield {"type": "response.created", "response": {**response, "status": "in_progress"}}
                yield {
                    "type": "response.done",
                    "response": {**response, "status": "completed", "output": [item]},
                }
            case _:
                pytest.fail(f"this server has no answer to {received['type']}")


@asynccontextmanager
async def serving(handle: Handle) -> AsyncIterator[str]:
    async with serve(handle, "127.0.0.1", 0, close_timeout=1) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/v1/realtime"


async def test_a_conversation_over_a_socket() -> None:
    server = Server()
    async with serving(server.handle) as url:
        agent = Agent(instructions="Be brief.")
        async with rtagent.connect(agent, endpoint=Endpoint.url(url, api_key=KEY), model="mine") as session:
            assert session.agent is agent
            await session.say("Is the light on?")
            assert (await session.respond()).text == "It is on."
    assert session.state == "closed"
    assert server.request == "/v1/realtime?model=mine"
    assert server.authorization == f"Bearer {KEY}"
    assert server.close_code == 1000
    assert [received["type"] for received in server.received] == [
        "session.update",
        "conversation.item.create",
        "response.create",
    ]
    assert server.received[0]["session"]["instructions"] == "Be brief."


async def test_the_programs_clock_measures() -> None:
    async with serving(Server().handle) as url:
        async with rtagent.connect(endpoint=Endpoint.url(url), clock=FakeClock(7.0)) as session:
            pass
        assert (await session.wait_closed()).at == 7.0


async def test_a_failure_names_the_endpoint_without_its_secrets() -> None:
    async def leaves(connection: ServerConnection) -> None:
        await connection.close(4000, "beta")

    async with serving(leaves) as url:
        connecting = rtagent.connect(endpoint=Endpoint.url(f"{url}?token={KEY}", api_key=KEY))
        with pytest.raises(ConnectionFailed, match=f"{url} ended the session before it began") as caught:
            async with connecting:
                pytest.fail("the block must not begin")
    assert KEY not in str(caught.value)


async def test_configuration_of_the_program_alone_is_sent() -> None:
    server = Server()
    async with serving(server.handle) as url:
        config = events.RealtimeSession(instructions="Mine.")
        async with rtagent.connect(endpoint=Endpoint.url(url), config=config):
            pass
    assert [received["session"]["instructions"] for received in server.received] == ["Mine."]


async def test_a_refused_configuration_closes_the_socket() -> None:
    server = Server(refuse=True)
    async with serving(server.handle) as url:
        with pytest.raises(ServerError, match="no such voice"):
            async with rtagent.connect(Agent(voice="x"), endpoint=Endpoint.url(url)):
                pytest.fail("the block must not begin")
    assert server.close_code == 1000


async def test_a_server_that_says_nothing_closes_the_socket() -> None:
    codes: list[int | None] = []

    async def silent(connection: ServerConnection) -> None:
        await connection.wait_closed()
        codes.append(connection.close_code)

    async with serving(silent) as url:
        with pytest.raises(ConnectionFailed, match=f"{url} did not greet us"):
            async with rtagent.connect(endpoint=Endpoint.url(url), timeout=0.05):
                pytest.fail("the block must not begin")
    assert codes == [1000]


async def test_nobody_listens() -> None:
    async with serving(Server().handle) as url:
        pass
    with pytest.raises(ConnectionFailed, match="cannot be reached"):
        async with rtagent.connect(endpoint=Endpoint.url(url)):
            pytest.fail("the block must not begin")


async def test_the_programs_own_exception_comes_out_as_it_is() -> None:
    async with serving(Server().handle) as url:
        with pytest.raises(ZeroDivisionError):
            await fail_within(rtagent.connect(endpoint=Endpoint.url(url)))


async def fail_within(connecting: Any) -> None:
    async with connecting as session:
        session.on(events.ResponseDone, print)
        raise ZeroDivisionError


# -- the embedded engine ------------------------------------------------------------------------------


@asynccontextmanager
async def connected(*args: Any, **options: Any) -> AsyncIterator[Session]:
    """As ``connect``; everything has ended at the very end of the block, not some time later."""
    before = asyncio.all_tasks()
    try:
        async with rtagent.connect(*args, **options) as session:
            assert len(asyncio.all_tasks()) > len(before)
            yield session
    finally:
        assert asyncio.all_tasks() == before


@tool
def set_light(on: bool) -> str:
    """Switch the light."""
    return f"the light is {'on' if on else 'off'}"


async def test_a_conversation_is_kept_as_json_and_gone_on_with() -> None:
    endpoint, _ = local(
        Decision(calls=(PlannedCall("set_light", {"on": True}),)), Decision("It is on now.", ())
    )
    async with connected(Agent(tools=[set_light]), endpoint=endpoint) as session:
        await session.say("Switch the light on.")
        await session.respond()
        kept = json.dumps(session.history.snapshot())
        before = [(entry.role, entry.text, entry.call) for entry in session.history]
    endpoint, brain = local(Decision("It is on.", ()))
    async with connected(Agent(tools=[set_light]), endpoint=endpoint, history=json.loads(kept)) as session:
        assert [(entry.role, entry.text, entry.call) for entry in session.history] == before
        assert brain.asked == []
        await session.say("Is it on?")
        await session.respond()
    assert [(one.role, one.text) for one in brain.asked[0].history] == [
        ("user", "Switch the light on."),
        ("tool_call", '{"on": true}'),
        ("tool_output", "the light is on"),
        ("assistant", "It is on now."),
        ("user", "Is it on?"),
    ]


async def test_a_conversation_with_the_embedded_engine_and_a_tool() -> None:
    endpoint, brain = local(
        Decision(calls=(PlannedCall("set_light", {"on": True}),)), Decision("It is on now.", ())
    )
    agent = Agent(instructions="You run a home.", tools=[set_light])
    async with connected(agent, endpoint=endpoint) as session:
        await session.say("Switch the light on.")
        response = await session.respond()
        assert response.text.strip() == "It is on now."
        assert response.audio_ms > 0.0
        assert session.state == "listening"
    first, second = brain.asked
    assert first.instructions == "You run a home."
    assert [definition["name"] for definition in first.tools] == ["set_light"]
    assert second.history[-1].text == "the light is on"
    with pytest.raises(SessionClosed):
        await session.say("Too late.")


async def test_tools_know_what_the_program_keeps_and_are_approved() -> None:
    @tool(approval=True)
    async def set_light(room: str, context: ToolContext[list[str]]) -> str:
        """Switch on the light of a room.

        Args:
            room: the room, such as "kitchen".
            context: the call.
        """
        context.state.append(f"{context.caller}: {room}, {len(context.history)}")
        return "it is on"

    rooms: list[str] = []
    asked: list[str] = []

    async def approve(called: Any, arguments: Any, context: ToolContext[list[str]]) -> bool:
        asked.append(called.name)
        return True

    agent = Agent(tools=[set_light])
    opening = rtagent.connect(agent, endpoint=Endpoint.local(), state=rooms, caller="Ada", approver=approve)
    async with opening as session:
        await session.say("Turn on the light in the kitchen.")
        response = await session.respond(modalities=["text"])
    assert (response.text, rooms, asked) == ("It is on.", ["Ada: kitchen, 2"], ["set_light"])


async def test_the_engine_ends_with_the_block_whatever_ends_it() -> None:
    endpoint, _ = local()
    with pytest.raises(ZeroDivisionError):
        await fail_within(connected(endpoint=endpoint))


async def test_the_engine_ends_when_it_refuses_the_configuration() -> None:
    endpoint, _ = local()
    config = events.RealtimeSession(
        audio=events.SessionAudio(output=events.AudioOutput(speed=9.0)),
    )
    with pytest.raises(ServerError, match="speed"):
        async with connected(endpoint=endpoint, config=config):
            pytest.fail("the block must not begin")


async def test_settings_that_cannot_work_start_nothing() -> None:
    with pytest.raises(ConfigurationError, match="max_age_s"):
        async with connected(endpoint=Endpoint.local(max_age_s=0)):
            pytest.fail("the block must not begin")


# -- when the connection is lost ----------------------------------------------------------------------

PROMPT = ReconnectPolicy(first_delay_s=0.01, renew_before_s=0.0)


async def test_by_default_another_connection_is_dialled() -> None:
    async with RealtimeServer() as server:
        async with rtagent.connect(endpoint=server.endpoint) as session:
            await session.say("first")
            server.current.inject(Drop())
            await session.say("second")
            assert [item["type"] for item in server.current.items] == ["message", "message"]
        assert [connection.ended for connection in server.connections] == [(1006, ""), (1000, "")]
    assert server.refusals == []


async def test_without_a_policy_the_session_ends_with_its_connection() -> None:
    async with RealtimeServer() as server:
        async with rtagent.connect(endpoint=server.endpoint, reconnect=None) as session:
            server.current.inject(Drop())
            closed = await session.wait_closed()
            assert isinstance(closed.error, ConnectionLost)
            with pytest.raises(ConnectionLost):
                await session.say("too late")
        assert len(server.connections) == 1


async def test_the_key_is_asked_for_at_each_dial() -> None:
    keys = iter(["first", "second"])
    async with RealtimeServer() as server:
        endpoint = Endpoint.url(server.url, api_key=lambda: next(keys))
        async with rtagent.connect(endpoint=endpoint, reconnect=PROMPT) as session:
            server.current.inject(Drop())
            await session.say("hello")
        shown = [connection.headers["authorization"] for connection in server.connections]
    assert shown == ["Bearer first", "Bearer second"]


async def test_a_session_beside_a_call_ends_when_it_is_hung_up() -> None:
    async with RealtimeServer() as server:
        endpoint = Endpoint.call("rtc_1", api_key=KEY, base_url=server.url.partition("/realtime")[0])
        async with rtagent.connect(endpoint=endpoint, reconnect=PROMPT) as session:
            assert server.current.path == "/v1/realtime?call_id=rtc_1"
            await server.current.close(1000)
            assert "the call has ended" in (await session.wait_closed()).reason
        assert len(server.connections) == 1


async def test_a_transcription_goes_on_as_one() -> None:
    async with RealtimeServer(transcripts=["hello"]) as server:
        opening = rtagent.connect(mode="transcription", endpoint=server.endpoint, reconnect=PROMPT)
        async with opening as transcriber:
            server.current.inject(Drop(on="input_audio_buffer.commit", by="client"))
            transcriber.append_audio(b"\1\0" * 12_000)
            await transcriber.finish()
            assert transcriber.text == "hello"
        assert [
            connection.sent("session.update")[0]["session"]["type"] for connection in server.connections
        ] == [
            "transcription",
            "transcription",
        ]


async def test_the_embedded_engine_is_dialled_again() -> None:
    endpoint, brain = local(Decision("One.", ()), Decision("Two.", ()))
    endpoint = Endpoint.local(**endpoint.options, max_age_s=0.5)
    async with (
        connected(endpoint=endpoint, reconnect=PROMPT) as session,
        session.subscribe(lifecycle.Reconnected) as reconnected,
    ):
        await session.say("first")
        await session.respond(modalities=["text"])
        await anext(reconnected)
        await session.say("second")
        assert (await session.respond(modalities=["text"])).text == "Two."
    assert [one.text for one in brain.asked[1].history] == ["first", "One.", "second"]


# -- the default --------------------------------------------------------------------------------------


def test_without_an_endpoint_it_chooses_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTAGENT_ENDPOINT", "ws://127.0.0.1:9/v1/realtime")
    connecting = rtagent.connect()
    assert connecting.endpoint.address == "ws://127.0.0.1:9/v1/realtime"
    assert connecting.endpoint.chosen_because == "RTAGENT_ENDPOINT is set"


async def test_settings_that_the_engine_does_not_know() -> None:
    with pytest.raises(ConfigurationError, match=r"what the engine does not know: .*colour"):
        async with rtagent.connect(endpoint=Endpoint.local(colour="blue")):
            pytest.fail("it must not open")


# -- other kinds of sessions ----------------------------------------------------------------------------


async def test_a_transcription_by_the_embedded_engine() -> None:
    opening = rtagent.connect(mode="transcription", language="en", endpoint=Endpoint.local())
    async with opening as transcriber:
        assert isinstance(transcriber, rtagent.Transcriber)
        assert isinstance(transcriber.config, events.TranscriptionSession)
        await transcriber.finish()
        assert [transcript async for transcript in transcriber] == []


async def test_a_translation_over_a_socket() -> None:
    requests: list[str] = []

    async def translate(connection: ServerConnection) -> None:
        assert connection.request is not None
        requests.append(connection.request.path)
        session: Wire = {"id": "s", "type": "translation", "model": "m"}
        await connection.send(json.dumps({"type": "session.created", "event_id": "e", "session": session}))
        async for frame in connection:
            match json.loads(frame):
                case {"type": "session.update", "session": wanted}:
                    answer = {"type": "session.updated", "event_id": "e", "session": {**session, **wanted}}
                    await connection.send(json.dumps(answer))
                    delta = {"type": "session.output_transcript.delta", "event_id": "e", "delta": "Hola."}
                    await connection.send(json.dumps(delta))
                case {"type": "session.close"}:
                    await connection.send('{"type":"session.closed","event_id":"e"}')
                case _:  # silence
                    continue

    async with serve(translate, "127.0.0.1", 0) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        endpoint = Endpoint.url(f"ws://127.0.0.1:{port}/v1/realtime")
        async with rtagent.connect(mode="translation", to="es", endpoint=endpoint) as translator:
            assert isinstance(translator, rtagent.Translator)
            passage = await anext(translator)
            assert (passage.kind, passage.text) == ("translation", "Hola.")
            await translator.finish()
    assert requests == ["/v1/realtime/translations?model=gpt-realtime-translate"]


def test_the_embedded_engine_translates_nothing() -> None:
    with pytest.raises(Unsupported, match="the embedded engine does not support translation sessions"):
        rtagent.connect(mode="translation", to="es", endpoint=Endpoint.local())


@pytest.mark.parametrize(
    ("mode", "given", "message"),
    [
        ("transcription", {"agent": Agent()}, "agent is for mode='conversation'"),
        (
            "translation",
            {"history": {"version": 1, "items": []}, "to": "es"},
            "history is for mode='conversation'",
        ),
        ("transcription", {"state": 1}, "state is for mode='conversation'"),
        ("translation", {"caller": "Ada"}, "caller is for mode='conversation'"),
        ("transcription", {"approver": print}, "approver is for mode='conversation'"),
        ("conversation", {"language": "en"}, "language is for mode='transcription'"),
        ("transcription", {"to": "es"}, "to is for mode='translation'"),
    ],
)
def test_an_argument_of_another_mode_is_not_passed_over(
    mode: Any, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        rtagent.connect(mode=mode, endpoint=Endpoint.local(), **given)
