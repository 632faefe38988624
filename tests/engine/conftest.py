"""Doubles of the engine's seams: a scripted detector, recogniser, brain and voice, and drivers that use them."""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import anyio
import pytest

from rtagent import events
from rtagent.engine._brain import BrainInput, Decision, PlannedCall
from rtagent.engine._config import SessionConfig, TurnTaking
from rtagent.engine._connection import EngineConnection
from rtagent.engine._connection_settings import EngineSettings
from rtagent.engine._conversation import Conversation
from rtagent.engine._conversation_work import Conclude, Decide, Recognise, Speak, Work
from rtagent.engine._ears import Recognition
from rtagent.engine._turns import SpeechStarted, SpeechStopped
from rtagent.transport import MemoryTransport, memory_pair

SILENCE_100_MS = bytes(4800)
Wire = dict[str, Any]


def encoded(pcm: bytes) -> str:
    return base64.b64encode(pcm).decode()


class Driver:
    """Drives the pure conversation in wire terms and plays its shell; also the scripted turn detector."""

    def __init__(self, **session: Any) -> None:
        self.ids = count(1)
        self.turns: deque[list[SpeechStarted | SpeechStopped]] = deque()
        """What the detector answers to each coming append."""
        self.watched = bytearray()
        """What the detector was fed since it was made."""
        self.takings: list[TurnTaking] = []
        """With what each detector was made."""
        self.work: list[Work] = []
        """Everything that was asked for."""
        config = SessionConfig(session_id="sess_1", model="m", expires_at=4_102_444_800, **session)
        self.conversation = Conversation(config, new_id=self.new_id, detectors=self.detector)

    @staticmethod
    def kinds(wires: list[Wire]) -> list[str]:
        return [wire["type"] for wire in wires]

    @staticmethod
    def code(wires: list[Wire]) -> str:
        """The code of the error that is all there is."""
        (error,) = wires
        assert error["type"] == "error"
        assert error["error"]["message"]
        return str(error["error"]["code"])

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{next(self.ids)}"

    def detector(self, rate: int, taking: TurnTaking) -> Driver:
        self.takings.append(taking)
        self.watched.clear()
        return self

    def feed(self, pcm: bytes) -> list[SpeechStarted | SpeechStopped]:
        self.watched += pcm
        return self.turns.popleft() if self.turns else []

    def send(self, kind: str, **fields: Any) -> list[Wire]:
        """Send a client event; returns what is sent back."""
        self.conversation.receive(events.decode_client(json.dumps({"type": kind, **fields})))
        return self.sent()

    def sent(self) -> list[Wire]:
        """The wire form of the events since the last call; work is put aside in ``work``."""
        self.work += self.conversation.work()
        return [json.loads(events.encode(event)) for event in self.conversation.events_to_send()]

    def session(self, **changes: Any) -> Wire:
        """Update the session; returns the answer."""
        (answer,) = self.send("session.update", session={"type": "realtime", **changes})
        return answer

    def say(self, text: str, **fields: Any) -> list[Wire]:
        """A user's text item."""
        content = [{"type": "input_text", "text": text}]
        return self.send(
            "conversation.item.create", item={"type": "message", "role": "user", "content": content, **fields}
        )

    def hear(self, *turns: SpeechStarted | SpeechStopped, pcm: bytes = SILENCE_100_MS) -> list[Wire]:
        """Append audio in which the detector finds the given turns."""
        self.turns.append(list(turns))
        return self.send("input_audio_buffer.append", audio=encoded(pcm))

    def truncate(self, item_id: str, audio_end_ms: int, content_index: int = 0) -> list[Wire]:
        return self.send(
            "conversation.item.truncate",
            item_id=item_id,
            content_index=content_index,
            audio_end_ms=audio_end_ms,
        )

    def respond(self, **params: Any) -> str:
        """Create a response; returns its id."""
        created, *_ = self.send("response.create", response=params)
        return str(created["response"]["id"])

    def asked(self, kind: type[Any]) -> list[Any]:
        """The work of one kind that was asked for until now."""
        return [work for work in self.work if isinstance(work, kind)]

    def decide(self, response_id: str, say: str = "", *calls: tuple[str, dict[str, Any]]) -> list[Wire]:
        planned = tuple(PlannedCall(name, arguments) for name, arguments in calls)
        self.conversation.decided(response_id, Decision(say, planned))
        return self.sent()

    def speak(self, response_id: str, text: str = "", ms: int = 100) -> list[Wire]:
        self.conversation.spoken(response_id, bytes(48 * ms), text)
        return self.sent()

    def speak_out(self, response_id: str) -> list[Wire]:
        self.conversation.spoken_out(response_id)
        return self.sent()

    def answer(self, say: str = "Hello there.", ms: int = 400) -> str:
        """A whole spoken answer in two pieces; returns the id of its item."""
        response_id = self.respond()
        self.decide(response_id, say)
        half = len(say) // 2
        first = self.speak(response_id, say[:half], ms // 2)
        self.speak(response_id, say[half:], ms // 2)
        self.speak_out(response_id)
        return str(first[0]["item_id"])

    def work_off(self, steps: int = 1_000_000) -> list[Wire]:
        """Do work that is open, plainly: every utterance says "hello", every decision and every voice speaks."""
        answers = self.sent()
        while self.work and steps:
            steps -= 1
            match self.work.pop(0):
                case Conclude(part) | Recognise(part):
                    self.conversation.recognised(part, "hello")
                case Decide(response_id):
                    self.conversation.decided(response_id, Decision("Good day.", ()))
                case Speak(response_id, ""):
                    self.conversation.spoken_out(response_id)
                case Speak(response_id, text) as order:
                    word, _, rest = text.partition(" ")
                    self.conversation.spoken(response_id, bytes(4800), word)
                    self.work.insert(0, replace(order, text=rest))
                case _:
                    pass
            answers += self.sent()
        return answers


@pytest.fixture
def drive() -> Callable[..., Driver]:
    """Makes a driver that has opened its conversation."""

    def make(**session: Any) -> Driver:
        driver = Driver(**session)
        driver.conversation.open()
        driver.sent()
        return driver

    return make


@pytest.fixture
def driver(drive: Callable[..., Driver]) -> Driver:
    return drive()


class ScriptedRecognizer:
    """Understands every utterance as the next of its script; raises what is an exception."""

    def __init__(self, script: Sequence[str | Exception] = ()) -> None:
        self.script = deque(script)
        self.heard: list[int] = []
        """Bytes of PCM at 16 kHz of each utterance."""
        self.tools: list[Sequence[Mapping[str, Any]]] = []
        self.running = False
        self._fed = 0

    async def start(self) -> None:
        self.running = True
        self._fed = 0

    async def feed(self, pcm16k: bytes) -> str | None:
        assert self.running
        self._fed += len(pcm16k)
        await anyio.lowlevel.checkpoint()
        return str(self.script[0]).partition(" ")[0] if self.script else None

    async def finish(self) -> Recognition:
        self.heard.append(self._fed)
        self._fed = 0
        said = self.script.popleft() if self.script else ""
        if isinstance(said, Exception):
            raise said
        return Recognition(text=said, confidence=1.0, alternatives=())

    async def set_tools(self, tools: Sequence[Mapping[str, Any]]) -> None:
        self.tools.append(tools)

    async def aclose(self) -> None:
        self.running = False


class ScriptedBrain:
    """Answers with the next decision of its script, or repeats what was said last."""

    def __init__(self, script: Sequence[Decision | Exception] = ()) -> None:
        self.script = deque(script)
        self.asked: list[BrainInput] = []

    def decide(self, question: BrainInput) -> Decision:
        self.asked.append(question)
        if not self.script:
            last = question.history[-1].text if question.history else "nothing"
            return Decision(f"You said {last}.", ())
        decision = self.script.popleft()
        if isinstance(decision, Exception):
            raise decision
        return decision


class ToneVoice:
    """Speaks 80 ms for each word; may be told to break."""

    rate = 24_000

    def __init__(self, *, breaks: bool = False) -> None:
        self.breaks = breaks
        self.spoken: list[tuple[str, str | None, float]] = []

    def speak(self, text: str, *, voice: str | None = None, speed: float = 1.0) -> Iterator[bytes]:
        self.spoken.append((text, voice, speed))
        if self.breaks:
            message = "hoarse"
            raise RuntimeError(message)
        for _ in text.split():
            yield b"\x10\x00" * 1920


class Client:
    """The client's end of a connection to an engine."""

    def __init__(self, transport: MemoryTransport, engine: EngineConnection) -> None:
        self.transport = transport
        self.engine = engine

    async def send(self, kind: str, **fields: Any) -> None:
        await self.transport.send(json.dumps({"type": kind, **fields}))

    async def next(self) -> Wire:
        wire: Wire = json.loads(await self.transport.receive())
        return wire

    async def until(self, kind: str) -> list[Wire]:
        """Everything up to and with the next event of a type."""
        got = [await self.next()]
        while got[-1]["type"] != kind:
            got.append(await self.next())
        return got

    async def say(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        await self.send(
            "conversation.item.create", item={"type": "message", "role": "user", "content": content}
        )


class Parts:
    """Scripted ears, brain and voice, and connections that are made of them."""

    def __init__(self) -> None:
        self.recognizer = ScriptedRecognizer()
        self.brain = ScriptedBrain()
        self.voice = ToneVoice()

    def settings(self, **changes: Any) -> EngineSettings:
        parts = {"recognizer": lambda: self.recognizer, "brain": self.brain, "voice": self.voice}
        return EngineSettings(**{**parts, **changes})

    @asynccontextmanager
    async def client(
        self, capacity: int = 1024, intent: str | None = None, **changes: Any
    ) -> AsyncIterator[Client]:
        """A client whose connection is served; nothing of it is left behind."""
        ours, theirs = memory_pair(capacity)
        engine = EngineConnection(theirs, self.settings(**changes), intent=intent)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.run)
            yield Client(ours, engine)
            await ours.aclose()


@pytest.fixture
def parts() -> Parts:
    return Parts()
