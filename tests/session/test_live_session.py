"""One `Session` over GPT-Live: what both protocols have works alike, what one has not is refused by name."""

from __future__ import annotations

import base64
import json
from typing import Any

import anyio
import pytest

from rtagent import Agent, Endpoint, Session, connect, events, tool
from rtagent.errors import ConnectionFailed, ConnectionLost, ServerError, SessionClosed, Unsupported
from rtagent.events import live
from rtagent.events.lifecycle import Closed, Connected
from rtagent.testing import FakeClock
from rtagent.transport import MemoryTransport, memory_pair

PCM = bytes(range(200)) * 4
SESSION = {"id": "live_1", "model": "gpt-live-1", "expires_at": 5, "status": "active"}


class LiveServer:
    """The other side, played by hand in raw JSON."""

    def __init__(self) -> None:
        self.transport: MemoryTransport
        self.transport, self.theirs = memory_pair()

    async def send(self, kind: str, **fields: Any) -> None:
        await self.theirs.send(json.dumps({"type": kind, **fields}))

    async def expect(self, kind: str) -> dict[str, Any]:
        """The next frame, which must be of that type; silence that keeps the input flowing is passed over."""
        with anyio.fail_after(5):
            while True:
                frame: dict[str, Any] = json.loads(await self.theirs.receive())
                if frame["type"] != "session.input_audio.append" or any(base64.b64decode(frame["audio"])):
                    break
        assert frame["type"] == kind, frame
        return frame

    async def start(self, **fields: Any) -> dict[str, Any]:
        """Take the ``session.start``."""
        wanted = await self.expect("session.start")
        await self.send(
            "session.started",
            event_id="e1",
            session={**SESSION, **fields},
            client_event_id=wanted["event_id"],
        )
        return dict(wanted["session"])

    async def part(self, reason: str = "close_requested") -> None:
        """Take leave."""
        closing = await self.expect("session.close")
        usage = {"seconds": 12.5}
        await self.send(
            "session.closed",
            event_id="e9",
            reason=reason,
            session=SESSION,
            usage=usage,
            client_event_id=closing["event_id"],
        )


class Sink:
    """Keeps what it is given."""

    def __init__(self) -> None:
        from rtagent.audio import AudioFormat, Heard

        self.format = AudioFormat.pcm16(24_000)
        self.pcm = bytearray()
        self._nothing = Heard({})

    def play(self, item: object, pcm: bytes) -> None:
        self.pcm += pcm

    def stop(self) -> Any:
        return self._nothing

    def heard(self) -> Any:
        return self._nothing

    async def wait_drained(self) -> None:
        await anyio.sleep_forever()


async def test_a_session_starts_with_the_agents_wishes_and_ends_in_good_order() -> None:
    server = LiveServer()
    wanted: dict[str, Any] = {}

    async def play() -> None:
        wanted.update(await server.start())
        await server.part()
        await server.theirs.aclose()

    async with anyio.create_task_group() as group:
        group.start_soon(play)
        agent = Agent(instructions="Be brief.", voice="marin")
        async with Session(server.transport, agent, dialect=events.LIVE) as session:
            assert isinstance(session.config, live.SessionResource)
            assert session.state == "listening"
        closed = await session.wait_closed()
    assert wanted == {
        "model": "gpt-live-1",
        "instructions": "Be brief.",
        "audio": {"output": {"voice": "marin"}},
    }
    assert (closed.error, session.usage.seconds) == (None, 12.5)


async def test_a_refused_start_is_the_servers_error() -> None:
    server = LiveServer()

    async def refuse() -> None:
        start = await server.expect("session.start")
        error = {"type": "invalid_request_error", "code": "no", "message": "not you"}
        await server.send("error", event_id="e", error={**error, "client_event_id": start["event_id"]})

    async with anyio.create_task_group() as group:
        group.start_soon(refuse)
        with pytest.raises(ServerError, match="no: not you"):
            async with Session(server.transport, dialect=events.LIVE):
                pytest.fail("it must not open")


async def test_a_server_that_says_nothing_is_given_up() -> None:
    server = LiveServer()
    with pytest.raises(ConnectionFailed, match=r"did not configure the session within 0\.01 s"):
        async with Session(server.transport, dialect=events.LIVE, timeout=0.01):
            pytest.fail("it must not open")


async def test_audio_goes_both_ways_and_words_of_both_sides_are_kept() -> None:
    server, sink = LiveServer(), Sink()
    async with anyio.create_task_group() as group:
        group.start_soon(server.start)
        async with Session(server.transport, dialect=events.LIVE, clock=FakeClock()) as session:
            session.attach(None, sink)
            session.append_audio(PCM)
            heard = await server.expect("session.input_audio.append")
            assert base64.b64decode(heard["audio"]) == PCM
            audio = base64.b64encode(PCM).decode()
            async with session.subscribe(live.SessionUsageUpdated) as stream:
                await server.send("session.output_audio.delta", delta=audio)
                for kind, text in (("input", "Is it on?"), ("output", "It is.")):
                    await server.send(
                        f"session.{kind}_transcript.delta", event_id="e", delta=text, start_ms=0, end_ms=9
                    )
                await server.send("session.usage.updated", event_id="e", usage={"seconds": 3})
                await anext(stream)
            assert bytes(sink.pcm) == PCM
            said = [(entry.role, entry.text) for entry in session.history]
            assert said == [("user", "Is it on?"), ("assistant", "It is.")]
            assert session.usage.seconds == 3
            group.start_soon(server.part)


async def test_muting_is_told_to_the_server() -> None:
    server = LiveServer()
    async with anyio.create_task_group() as group:
        group.start_soon(server.start)
        async with Session(server.transport, dialect=events.LIVE) as session:
            attachment = session.attach(None, None)
            attachment.mute()
            attachment.mute()
            await server.expect("session.input_audio.mute")
            attachment.unmute()
            await server.expect("session.input_audio.unmute")
            group.start_soon(server.part)


async def test_tools_run_by_delegation() -> None:
    lights: list[bool] = []

    @tool
    def light(on: bool) -> str:
        """Switch the light."""
        lights.append(on)
        return "done"

    server = LiveServer()
    delegation = live.ResponsesDelegation(responses=live.ResponsesDelegationConfig(model="gpt-x"))
    config = live.SessionConfig(delegation=delegation)
    call = {
        "type": "function_call",
        "id": "fc",
        "call_id": "c1",
        "name": "light",
        "arguments": '{"on": true}',
    }

    async def wrapped(event: dict[str, Any]) -> None:
        await server.send("response.event", event_id="e", delegation_id="d1", event=event)

    async with anyio.create_task_group() as group:
        group.start_soon(server.start)
        async with Session(
            server.transport, Agent(tools=[light]), config=config, dialect=events.LIVE
        ) as session:
            await wrapped({"type": "response.created", "response": {"id": "r1"}})
            await wrapped({"type": "response.output_item.done", "output_index": 0, "item": call})
            await wrapped({"type": "response.completed", "response": {"id": "r1", "output": [call]}})
            output = await server.expect("response.item.create")
            assert (output["item"]["call_id"], output["item"]["output"]) == ("c1", "done")
            await server.expect("response.create")
            assert lights == [True]
            group.start_soon(server.part)
        assert session.statistics().at_rest


async def test_instructions_are_added_and_acknowledged() -> None:
    server = LiveServer()

    async def acknowledge() -> None:
        await server.start()
        added = await server.expect("session.instructions.append")
        assert (added["content"], added["delegation_id"]) == ("Speak up.", None)
        await server.send(
            "session.instructions.appended",
            event_id="e",
            start_ms=1,
            end_ms=2,
            client_event_id=added["event_id"],
        )
        await server.part()

    async with anyio.create_task_group() as group:
        group.start_soon(acknowledge)
        async with Session(server.transport, dialect=events.LIVE) as session:
            answer = await session.say("Speak up.", role="system")
            assert isinstance(answer, live.SessionInstructionsAppended)


async def test_what_has_no_turns_is_refused_by_name() -> None:
    server = LiveServer()
    async with anyio.create_task_group() as group:
        group.start_soon(server.start)
        async with Session(server.transport, dialect=events.LIVE) as session:
            for refused in (
                session.respond(),
                session.interrupt(),
                session.say("Hello"),
                session.update(instructions="Other."),
                session.send(events.InputAudioBufferCommit()),
            ):
                with pytest.raises(Unsupported, match=r"^GPT-Live does not support"):
                    await refused
            group.start_soon(server.part)


@pytest.mark.parametrize(("last_word", "clean"), [("expired", False), (None, False)])
async def test_an_end_that_nobody_asked_for_is_no_good_order(last_word: str | None, clean: bool) -> None:
    server = LiveServer()

    async def play() -> None:
        await server.start()
        if last_word is not None:
            await server.send("session.closed", event_id="e", reason=last_word, session=SESSION, usage={})
        await server.theirs.aclose()

    async with anyio.create_task_group() as group:
        group.start_soon(play)
        async with Session(server.transport, dialect=events.LIVE) as session:
            closed = await session.wait_closed()
    assert isinstance(closed, Closed)
    assert isinstance(closed.error, ConnectionLost) is not clean
    assert closed.reason == (last_word or "")


async def test_beside_a_running_session_no_audio_is_sent() -> None:
    server = LiveServer()
    async with Session(server.transport, dialect=events.LIVE_SIDEBAND) as session:
        with pytest.raises(Unsupported, match="input audio"):
            session.append_audio(PCM)
        answer = session.post(live.TransportDtmfSend(event="5"))
        assert answer
        assert (await server.expect("transport.dtmf.send"))["event"] == "5"


async def test_a_fork_goes_on_with_what_was_stored() -> None:
    server = LiveServer()
    async with anyio.create_task_group() as group:
        wanted: dict[str, Any] = {"unset": True}

        async def start() -> None:
            wanted.clear()
            wanted.update(await server.start())
            await server.part()

        group.start_soon(start)
        async with Session(server.transport, dialect=events.LIVE_FORK):
            assert wanted == {}


async def test_sends_after_the_end_fail() -> None:
    server = LiveServer()
    async with anyio.create_task_group() as group:
        group.start_soon(server.start)
        async with Session(server.transport, dialect=events.LIVE) as session:
            group.start_soon(server.part)
        with pytest.raises(SessionClosed):
            await session.send(live.SessionInputAudioMute())


async def test_over_a_real_socket_by_the_name_of_the_model() -> None:
    from websockets.asyncio.server import ServerConnection, serve

    seen: list[str] = []

    async def handle(socket: ServerConnection) -> None:
        assert socket.request is not None
        seen.append(socket.request.path)
        async for frame in socket:
            event = json.loads(frame)
            seen.append(event["type"])
            named = {"event_id": "e", "session": SESSION, "client_event_id": event["event_id"]}
            if event["type"] == "session.start":
                await socket.send(json.dumps({"type": "session.started", **named}))
            if event["type"] == "session.close":
                last = {"type": "session.closed", "reason": "close_requested", "usage": {"seconds": 1}}
                await socket.send(json.dumps({**last, **named}))

    async with serve(handle, "127.0.0.1", 0) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        endpoint = Endpoint.openai("key", base_url=f"http://127.0.0.1:{port}/v1")
        connected: list[Connected] = []
        async with connect(
            endpoint=endpoint,
            model="gpt-live-1",
            observer=lambda _at, _way, event: (
                connected.append(event) if isinstance(event, Connected) else None
            ),
        ) as session:
            assert session.dialect is events.LIVE
    assert seen == ["/v1/live/sessions", "session.start", "session.close"]
    assert [(one.session_id, one.model) for one in connected] == [("live_1", "gpt-live-1")]
