"""The shell of one client, over an in-memory transport with scripted ears, brain and voice."""

from __future__ import annotations

import base64
import json
import math
from collections import deque
from collections.abc import AsyncGenerator
from typing import Any

import anyio
import pytest
from rtagent.engine._brain import Decision, PlannedCall

from rtagent.audio import AudioFormat
from rtagent.engine import _connection_ear as ear_module
from rtagent.engine import run_connection
from rtagent.engine._connection import EngineConnection, new_id
from rtagent.engine._connection_ear import Ear
from rtagent.engine._connection_outbox import OUTBOX_BYTES, Bell, Outbox
from rtagent.engine._connection_settings import EngineSettings
from rtagent.engine._conversation_work import Conclude, Feed, Forget, LearnTools, PartKey
from rtagent.engine._speech import Recutter, speech
from rtagent.engine._voice import Spoken
from rtagent.errors import ConfigurationError, ConnectionLost, EndOfStream, SessionClosed
from rtagent.transport import memory_pair

PCM = AudioFormat.pcm16()


def tone(ms: int) -> str:
    return base64.b64encode(b"\x00\x20\x00\xe0" * (12 * ms)).decode()


def silence(ms: int) -> str:
    return base64.b64encode(bytes(48 * ms)).decode()


def kinds(wires: list[dict[str, Any]]) -> list[str]:
    return [wire["type"] for wire in wires]


# -- conversations --------------------------------------------------------------------------------------------


async def test_a_text_turn(parts: Any):
    async with parts.client() as client:
        assert (await client.next())["type"] == "session.created"
        await client.say("good day")
        await client.send("response.create", response={"output_modalities": ["text"]})
        *_, done = await client.until("response.done")
        assert done["response"]["output"][0]["content"][0]["text"] == "You said good day."
        assert parts.voice.spoken == []


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


async def test_a_call_and_its_answer(parts: Any):
    parts.brain.script = deque([Decision(None, (PlannedCall("light", '{"on":true}'),))])
    async with parts.client() as client:
        await client.say("light on")
        await client.send("response.create")
        *_, done = await client.until("response.done")
        (call,) = done["response"]["output"]
        assert (call["name"], call["arguments"]) == ("light", '{"on":true}')
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "it is on"}
        await client.send("conversation.item.create", item=output)
        await client.send("response.create")
        *_, done = await client.until("response.done")
        assert done["response"]["output"][0]["content"][0]["transcript"] == "You said it is on."
    assert [utterance.text for utterance in parts.brain.asked[1].history] == [
        "light on",
        '{"on":true}',
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


# -- what breaks ----------------------------------------------------------------------------------------------


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


# -- its life -------------------------------------------------------------------------------------------------


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
        instructions = "Be brief."
        tools = Tools()

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


@pytest.mark.parametrize("wrong", [{"max_age_s": 0}, {"max_clients": 0}, {"pace": 0.0}])
def test_settings_that_cannot_work(wrong: dict[str, Any]):
    with pytest.raises(ConfigurationError):
        EngineSettings(**wrong)


def test_the_key_is_not_shown():
    assert "secret" not in repr(EngineSettings(api_key="secret"))


# -- the outbox -----------------------------------------------------------------------------------------------


async def test_the_outbox_says_when_there_is_room():
    outbox = Outbox(Bell())
    await outbox.wait_room()
    outbox.put("x" * OUTBOX_BYTES)
    with anyio.move_on_after(0) as waited:
        await outbox.wait_room()
    assert waited.cancelled_caught
    assert await outbox.take() == "x" * OUTBOX_BYTES
    await outbox.wait_room()
    assert not outbox.empty
    outbox.sent()
    await outbox.wait_empty()
    assert outbox.empty


# -- the ear --------------------------------------------------------------------------------------------------


class Heard:
    """A listener that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def partial(self, part: PartKey, text: str) -> None:
        self.told.append(("partial", part.item_id, text))

    def recognised(self, part: PartKey, text: str) -> None:
        self.told.append(("recognised", part.item_id, text))

    def unheard(self, part: PartKey, message: str) -> None:
        self.told.append(("unheard", part.item_id, message))


async def work_off(ear: Ear, bell: Bell, *work: Feed | Conclude | Forget | LearnTools) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ear.run)
        for each in work:
            ear.put(each)
        while ear.busy:
            await bell.wait()
        tasks.cancel_scope.cancel()


A, B = PartKey("a", 0), PartKey("b", 0)


async def test_the_recogniser_is_made_with_the_first_sound(parts: Any):
    bell, heard = Bell(), Heard()
    ear = Ear(lambda: parts.recognizer, heard, bell)
    await work_off(ear, bell, LearnTools([{"name": "light"}]), Forget(A))
    assert parts.recognizer.tools == []
    parts.recognizer.script = deque(["light on"])
    await work_off(ear, bell, Feed(A, PCM, bytes(4800)), LearnTools([{"name": "door"}]), Conclude(A))
    assert parts.recognizer.tools == [[{"name": "light"}], [{"name": "door"}]]
    assert heard.told == [("partial", "a", "light"), ("recognised", "a", "light on")]


async def test_long_audio_is_heard_in_slices(parts: Any):
    bell, heard = Bell(), Heard()
    parts.recognizer.script = deque(["word"])
    await work_off(Ear(lambda: parts.recognizer, heard, bell), bell, Feed(A, PCM, bytes(48 * 1200)))
    assert heard.told == [("partial", "a", "word")] * 3


async def test_what_is_forgotten_does_not_run_into_the_next(parts: Any):
    bell, heard = Bell(), Heard()
    parts.recognizer.script = deque(["half a", "whole"])
    ear = Ear(lambda: parts.recognizer, heard, bell)
    pcm16k = AudioFormat.pcm16(16_000)
    await work_off(
        ear, bell, Feed(A, pcm16k, bytes(320)), Forget(A), Feed(B, pcm16k, bytes(640)), Conclude(B)
    )
    assert heard.told[-1] == ("recognised", "b", "whole")
    assert parts.recognizer.heard == [320, 640]


@pytest.mark.parametrize("end", [Conclude(A), Forget(A)])
async def test_no_recogniser_no_words(parts: Any, end: Conclude | Forget):
    def none() -> Any:
        message = "not installed"
        raise ConfigurationError(message)

    bell, heard = Bell(), Heard()
    ear = Ear(none, heard, bell)
    await work_off(ear, bell, Feed(A, PCM, bytes(960)), Feed(A, PCM, bytes(960)), end, Forget(B))
    expected = [("unheard", "a", "the recogniser failed: not installed")] if isinstance(end, Conclude) else []
    assert heard.told == expected


async def test_a_slow_ear_holds_the_reader_up(parts: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ear_module, "BACKLOG_MS", 50)
    bell = Bell()
    ear = Ear(lambda: parts.recognizer, Heard(), bell)
    await ear.wait_room()
    ear.put(Feed(A, PCM, bytes(4800)))
    async with anyio.create_task_group() as tasks:
        with anyio.move_on_after(0) as waited:
            await ear.wait_room()
        assert waited.cancelled_caught
        tasks.start_soon(ear.run)
        await ear.wait_room()
        tasks.cancel_scope.cancel()


# -- the mouth ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pieces_ms", "expected_ms"),
    [
        ([80, 80], [160]),
        ([60], [60]),
        ([1000], [200] * 5),
        ([250], [100, 150]),
        ([90, 5], [95]),
        ([80, 0, 80, 80], [160, 80]),
        ([], []),
    ],
)
def test_pieces_are_cut_to_what_the_wire_likes(pieces_ms: list[int], expected_ms: list[int]):
    recutter = Recutter(24_000)
    got = [out for ms in pieces_ms for out in recutter.add(Spoken(bytes(48 * ms), ""))] + recutter.rest()
    assert [len(piece.pcm) // 48 for piece in got] == expected_ms


def test_a_text_goes_with_the_sound_it_came_with():
    recutter = Recutter(24_000)
    got = recutter.add(Spoken(bytes(48 * 80), "One ")) + recutter.add(Spoken(bytes(48 * 80), "two "))
    got += recutter.add(Spoken(bytes(48 * 300), "three")) + recutter.add(Spoken(b"", "!")) + recutter.rest()
    assert [(len(piece.pcm) // 48, piece.text) for piece in got] == [
        (160, "One two "),
        (200, "three"),
        (100, ""),
        (0, "!"),
    ]


@pytest.mark.parametrize(
    ("layout", "bytes_per_ms"), [(PCM, 48), (AudioFormat.pcmu(), 8), (AudioFormat.pcma(), 8)]
)
async def test_speech_in_every_format(parts: Any, layout: AudioFormat, bytes_per_ms: int):
    pieces: AsyncGenerator[Spoken, None] = speech(
        parts.voice, "One two three.", layout, name="ash", speed=1.5
    )
    got = [piece async for piece in pieces]
    assert "".join(piece.text for piece in got) == "One two three."
    assert math.isclose(sum(len(piece.pcm) for piece in got), 240 * bytes_per_ms, rel_tol=0.05)
    assert parts.voice.spoken == [("One two three.", "ash", 1.5)]


async def test_a_closed_session_is_no_failure(parts: Any):
    class Closed(BinaryFirst):
        async def receive(self) -> str | bytes:
            raise SessionClosed

    transport = Closed(b"")
    await run_connection(transport, parts.settings())
    assert transport.closed == (1001, "the server is leaving")
