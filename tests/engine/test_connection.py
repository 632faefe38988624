"""The shell of one client, over an in-memory transport with scripted ears, brain and voice."""

from __future__ import annotations

import base64
import json
import math
from collections import deque
from functools import partial
from typing import Any

import anyio
import pytest

from rtagent.engine import run_connection
from rtagent.engine._brain import BrainInput, Decision, PlannedCall
from rtagent.engine._connection import EngineConnection, new_id
from rtagent.errors import ConnectionLost, EndOfStream, SessionClosed
from rtagent.transport import memory_pair


def tone(ms: int) -> str:
    return base64.b64encode(b"\x00\x20\x00\xe0" * (12 * ms)).decode()


def silence(ms: int) -> str:
    return base64.b64encode(bytes(48 * ms)).decode()


def kinds(wires: list[dict[str, Any]]) -> list[str]:
    return [wire["type"] for wire in wires]


async def test_a_text_turn(parts: Any):
    async with parts.client() as client:
        assert (await client.next())["type"] == "session.created"
        await client.say("good day")
        await client.send("response.create", response={"output_modalities": ["text"]})
        *_, done = await client.until("response.done")
        assert done["response"]["output"][0]["content"][0]["text"] == "You said good day."
        assert parts.voice.spoken == []


async def test_a_brain_may_take_its_time(parts: Any):
    class Slow:
        async def decide(self, turn: BrainInput) -> Decision:
            await anyio.lowlevel.checkpoint()
            return Decision(turn.history[-1].text.upper())

    parts.brain = Slow()
    async with parts.client() as client:
        await client.say("good day")
        await client.send("response.create", response={"output_modalities": ["text"]})
        *_, done = await client.until("response.done")
        assert done["response"]["output"][0]["content"][0]["text"] == "GOOD DAY"


async def test_a_spoken_turn(parts: Any):
    parts.recognizer.script = deque(["light on"])
    async with parts.client() as client:
        await client.send(
            "session.update",
            session={"type": "realtime", "audio": {"input": {"transcription": {"model": "any"}}}},
        )
        for audio in (silence(400), tone(600), silence(700)):
            await client.send("input_audio_buffer.append", audio=audio)
        got = await client.until("response.done")
        for earlier, later in (
            ("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"),
            ("input_audio_buffer.speech_stopped", "input_audio_buffer.committed"),
            ("conversation.item.done", "response.created"),
            ("conversation.item.input_audio_transcription.completed", "response.output_audio.delta"),
        ):
            assert kinds(got).index(earlier) < kinds(got).index(later)
        completed = next(event for event in got if event["type"].endswith("transcription.completed"))
        assert completed["transcript"] == "light on"
        words = "".join(event["delta"] for event in got if event["type"].endswith("audio_transcript.delta"))
        assert words == "You said light on."
        sound = [
            len(base64.b64decode(event["delta"]))
            for event in got
            if event["type"] == "response.output_audio.delta"
        ]
        assert sum(sound) == 4 * 48 * 80
        assert all(48 * 20 <= size <= 48 * 400 and size % 2 == 0 for size in sound)  # S20
    assert not parts.recognizer.running
    heard_ms = parts.recognizer.heard[0] / 32
    assert 1200 <= heard_ms <= 1700  # 300 ms padding, 600 ms speech, 500 ms silence


async def test_sound_that_came_as_an_item(parts: Any):
    parts.recognizer.script = deque(["light on"])
    async with parts.client() as client:
        content = [{"type": "input_audio", "audio": tone(200)}]
        await client.send(
            "conversation.item.create", item={"type": "message", "role": "user", "content": content}
        )
        await client.send("response.create", response={"output_modalities": ["text"]})
        *_, done = await client.until("response.done")
        assert done["response"]["output"][0]["content"][0]["text"] == "You said light on."


async def test_a_call_and_its_answer(parts: Any):
    parts.brain.script = deque([Decision("", (PlannedCall("light", {"on": True}),))])
    async with parts.client() as client:
        await client.say("light on")
        await client.send("response.create")
        *_, done = await client.until("response.done")
        (call,) = done["response"]["output"]
        assert (call["name"], call["arguments"]) == ("light", '{"on": true}')
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "it is on"}
        await client.send("conversation.item.create", item=output)
        await client.send("response.create")
        *_, done = await client.until("response.done")
        assert done["response"]["output"][0]["content"][0]["transcript"] == "You said it is on."
    assert [utterance.text for utterance in parts.brain.asked[1].history] == [
        "light on",
        '{"on": true}',
        "it is on",
    ]


async def test_speech_while_the_voice_is_on_its_way_stops_it(parts: Any):
    parts.brain.script = deque([Decision("word " * 500, ()), Decision("Yes?", ())])
    async with parts.client(pace=1.0) as client:
        await client.say("tell me everything")
        await client.send("response.create")
        await client.until("response.output_audio.delta")
        await client.send("input_audio_buffer.append", audio=silence(100))
        await client.send("input_audio_buffer.append", audio=tone(400))
        got = await client.until("response.done")
        assert got[-1]["response"]["status_details"]["reason"] == "turn_detected"
        assert len(got[-1]["response"]["output"][0]["content"][0]["transcript"]) < 100
        await client.send("input_audio_buffer.append", audio=silence(700))
        got = await client.until("response.done")
        assert got[-1]["response"]["status"] == "completed"


async def test_g711_in_both_directions(parts: Any):
    async with parts.client() as client:
        layout = {"format": {"type": "audio/pcmu"}}
        manual = {"input": {**layout, "turn_detection": None}, "output": layout}
        await client.send("session.update", session={"type": "realtime", "audio": manual})
        await client.send("input_audio_buffer.append", audio=base64.b64encode(b"\xff" * 1600).decode())
        await client.send("input_audio_buffer.commit")
        await client.send("response.create")
        got = await client.until("response.done")
        sound = b"".join(
            base64.b64decode(event["delta"])
            for event in got
            if event["type"] == "response.output_audio.delta"
        )
        assert math.isclose(len(sound), 3 * 8 * 80, rel_tol=0.05)
    assert math.isclose(parts.recognizer.heard[0], 200 * 32, rel_tol=0.05)


@pytest.mark.parametrize(
    "frame",
    [
        "{",
        "[]",
        "null",
        "7",
        '""',
        "{}",
        '{"type":7}',
        '{"type":"no.such.event"}',
        '{"type":"session.update"}',
        '{"type":"session.update","session":{}}',
        '{"type":"input_audio_buffer.append","audio":"!"}',
        '{"type":"input_audio_buffer.append"}',
        '{"type":"conversation.item.create","item":"x"}',
        '{"type":"response.create","response":[]}',
        '{"type":"input_audio_buffer.append","audio":"' + "A" * (16 * 1024 * 1024) + '"}',
        "\ufeff{}",
        "[" * 100_000,
    ],
    ids=lambda frame: frame[:40],
)
async def test_no_frame_ends_the_session(parts: Any, frame: str):  # S13
    async with parts.client() as client:
        await client.next()
        await client.transport.send(frame)
        error = await client.next()
        assert error["type"] == "error"
        assert error["error"]["type"] == "invalid_request_error"
        assert error["error"]["message"]
        await client.send("input_audio_buffer.clear")
        assert (await client.next())["type"] == "input_audio_buffer.cleared"


async def test_an_error_names_the_event_that_caused_it(parts: Any):  # S12
    async with parts.client() as client:
        await client.next()
        await client.transport.send('{"type":"no.such.event","event_id":"mine"}')
        assert (await client.next())["error"]["event_id"] == "mine"


class BinaryFirst:
    """A transport whose first frame is a binary one."""

    def __init__(self, frame: bytes) -> None:
        self.frames: list[bytes] = [frame]
        self.sent: list[dict[str, Any]] = []
        self.answered = anyio.Event()
        self.closed: tuple[int, str] | None = None

    async def receive(self) -> str | bytes:
        if self.frames:
            return self.frames.pop()
        await self.answered.wait()
        raise EndOfStream

    async def send(self, frame: str | bytes) -> None:
        self.sent.append(json.loads(frame))
        if self.sent[-1]["type"] == "error":
            self.answered.set()

    async def aclose(self, code: int = 1000, reason: str = "") -> None:
        self.closed = (code, reason)


async def test_a_binary_frame_is_an_error(parts: Any):  # S13
    transport = BinaryFirst(b"\x00\xff")
    await run_connection(transport, parts.settings())
    assert kinds(transport.sent) == ["session.created", "error"]


async def test_a_brain_that_fails_costs_one_response(parts: Any):
    parts.brain.script = deque([RuntimeError("no idea")])
    async with parts.client() as client:
        await client.say("good day")
        await client.send("response.create")
        *_, done = await client.until("response.done")
        assert done["response"]["status"] == "failed"
        assert done["response"]["status_details"]["error"]["message"] == "RuntimeError: no idea"
        await client.send("response.create")
        *_, done = await client.until("response.done")
        assert done["response"]["status"] == "completed"


async def test_a_voice_that_fails_costs_one_response(parts: Any):
    parts.voice.breaks = True
    async with parts.client() as client:
        await client.say("good day")
        await client.send("response.create")
        *_, done = await client.until("response.done")
        assert done["response"]["status"] == "failed"
        assert done["response"]["output"][0]["status"] == "incomplete"


async def test_a_recogniser_that_fails_costs_one_utterance(parts: Any):
    parts.recognizer.script = deque([RuntimeError("deaf"), "light on"])
    async with parts.client() as client:
        audio = {"input": {"turn_detection": None, "transcription": {"model": "any"}}}
        await client.send("session.update", session={"type": "realtime", "audio": audio})
        for expected in ("failed", "completed"):
            await client.send("input_audio_buffer.append", audio=tone(200))
            await client.send("input_audio_buffer.commit")
            await client.until(f"conversation.item.input_audio_transcription.{expected}")


async def test_idle_when_everything_is_answered(parts: Any):
    async with parts.client() as client:
        await client.say("good day")
        await client.send("response.create")
        await client.until("response.created")
        assert client.engine.busy
        await client.engine.wait_idle()
        statistics = client.engine.statistics()
        assert (statistics.events_received, statistics.busy) == (2, False)
        got = await client.until("response.done")
        assert statistics.events_sent == 1 + 2 + 1 + len(got)
    assert not client.engine.busy


async def test_an_unfinished_connection_is_not_busy_for_ever(parts: Any):
    async with parts.client(pace=0.001) as client:
        await client.say("good day " * 100)
        await client.send("response.create")
        await client.until("response.output_audio.delta")
        assert client.engine.busy
    await client.engine.wait_idle()


async def test_a_session_ends_at_its_greatest_age(parts: Any):
    async with parts.client(max_age_s=0.01) as client:
        assert (await client.next())["type"] == "session.created"
        assert (await client.next())["error"]["code"] == "session_expired"
        with pytest.raises(EndOfStream) as end:
            await client.next()
        assert end.value.code == 1001
        assert end.value.reason == "Your session hit the maximum duration."


async def test_closing_tells_the_client(parts: Any):
    async with parts.client() as client:
        await client.next()
        await client.engine.aclose()
        with pytest.raises(EndOfStream) as end:
            await client.next()
        assert (end.value.code, end.value.reason) == (1001, "the server is leaving")


async def test_cancelling_closes(parts: Any):
    ours, theirs = memory_pair()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run_connection, theirs, parts.settings())
        await ours.receive()
        tasks.cancel_scope.cancel()
    with pytest.raises(EndOfStream) as end:
        await ours.receive()
    assert end.value.code == 1001


class Unwritable(BinaryFirst):
    async def send(self, frame: str | bytes) -> None:
        raise ConnectionLost(1006)


async def test_a_client_that_takes_nothing_more_ends_the_connection(parts: Any):
    await run_connection(Unwritable(b""), parts.settings())


async def test_a_slow_client_is_served_slowly(parts: Any):
    parts.brain.script = deque([Decision("word " * 2000, ())])
    async with parts.client(capacity=1) as client:
        await client.next()
        await client.say("tell me everything")
        await client.send("response.create")
        got = await client.until("response.done")
        sound = sum(
            len(base64.b64decode(event["delta"]))
            for event in got
            if event["type"] == "response.output_audio.delta"
        )
        assert sound == 2000 * 48 * 80


async def test_the_agent_and_the_client_configure_the_session(parts: Any):
    class Tools:
        def definitions(self) -> list[dict[str, Any]]:
            return [{"type": "function", "name": "light"}]

    class Agent:
        registry = Tools()

        def told(self) -> str:
            return "Be brief."

    ours, theirs = memory_pair()
    async with anyio.create_task_group() as tasks:
        engine = EngineConnection(theirs, parts.settings(), agent=Agent(), model="gpt-realtime-2.1")
        tasks.start_soon(engine.run)
        session = json.loads(await ours.receive())["session"]
        await ours.aclose()
    assert session["instructions"] == "Be brief."
    assert [tool["name"] for tool in session["tools"]] == ["light"]
    assert session["model"] == "gpt-realtime-2.1"
    assert len(session["id"]) <= 32


def test_ids_are_short_and_differ():
    assert new_id("item") != new_id("item")
    assert len(new_id("event")) <= 32


async def test_a_closed_session_is_no_failure(parts: Any):
    class Closed(BinaryFirst):
        async def receive(self) -> str | bytes:
            raise SessionClosed

    transport = Closed(b"")
    await run_connection(transport, parts.settings())
    assert transport.closed == (1001, "the server is leaving")


async def test_a_transcription_session(parts: Any):
    parts.recognizer.script = deque(["light on", "thank you"])
    written = []
    async with parts.client(intent="transcription") as client:
        assert (await client.next())["session"]["type"] == "transcription"
        for _ in range(2):
            for audio in (silence(400), tone(600), silence(700)):
                await client.send("input_audio_buffer.append", audio=audio)
            await client.send("response.create")
            got = await client.until("conversation.item.input_audio_transcription.completed")
            assert "error" in kinds(got)
            assert not [kind for kind in kinds(got) if kind.startswith("response.")]
            written.append(got[-1]["transcript"])
    assert written == ["light on", "thank you"]
    assert parts.brain.asked == []
    assert parts.recognizer.tools == [()]
    assert not parts.recognizer.running


async def test_the_intent_reaches_the_session_in_process(parts: Any):
    ours, theirs = memory_pair()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(run_connection, theirs, parts.settings(), intent="transcription"))
        assert json.loads(await ours.receive())["session"]["type"] == "transcription"
        await ours.aclose()
