"""A conversation in the terminal, from its plan to its last line: spoken, from a file, or in writing."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, TextIO

import anyio
import anyio.abc
from anyio import to_thread

from .. import events
from .._connect import connect
from ..agent import Agent
from ..audio import AudioSource, Microphone, NullSink, PushToTalk, Speaker, WavSink, list_devices
from ..audio._device_backend import Direction
from ..audio._device_hints import unavailable
from ..errors import ConfigurationError, ServerError
from ..recording import SessionRecording
from ..session import Session
from ..transport import Endpoint
from ._answers import WITHIN_S, answers_of, failed
from ._ears import SpokenFile
from ._keyboard import Keyboard, single_keys
from ._live import LiveLog

__all__ = ("Plan", "hold")

Device = int | str | None
Ears = Microphone | SpokenFile
Mouth = Speaker | NullSink
SPACE = " "


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What conversation to hold, checked: impossible wishes are refused here."""

    agent: Agent
    endpoint: Endpoint
    model: str | None = None
    input: str = "mic"
    """``mic`` or a WAV file."""
    output: str = "speaker"
    """``speaker``, ``none`` or a WAV file."""
    input_device: Device = None
    output_device: Device = None
    text: bool = False
    push_to_talk: bool = False
    interrupt_on: Literal["server", "local"] = "server"
    record: str | None = None
    """A directory."""
    out: TextIO = field(default_factory=lambda: sys.stdout)

    def __post_init__(self) -> None:
        if self.text and (self.push_to_talk or self.input != "mic" or self.output != "speaker"):
            message = "a conversation in writing has no ears and no mouth"
            raise ConfigurationError(message, hint="leave out --in, --out and --push-to-talk, or --text")
        if self.push_to_talk and (self.input != "mic" or not sys.stdin.isatty()):
            message = "push to talk needs a microphone, and a terminal for its key"
            raise ConfigurationError(message)
        if self.input == self.output:
            message = f"{self.input} cannot be both what is said and where the answer goes"
            raise ConfigurationError(message)

    def session_config(self) -> events.RealtimeSession | None:
        """What this kind of conversation asks for, whatever the agent says."""
        if self.text:
            return events.RealtimeSession(output_modalities=["text"])
        if self.push_to_talk:
            ear = events.AudioInput(turn_detection=None)
            return events.RealtimeSession(audio=events.SessionAudio(input=ear))
        return None

    def ears(self, mouth: Mouth | None = None) -> Ears:
        """What listens. Blocks: it reads the file.

        Args:
            mouth: what speaks; a microphone beside a speaker does not hear it.

        Raises:
            AudioFileError: the file cannot be read.
            AudioUnavailable: there is no sound library, or no microphone.
        """
        if self.input != "mic":
            return SpokenFile(self.input)
        _require_device("input")
        return Microphone(self.input_device, far=mouth if isinstance(mouth, Speaker) else None)

    def mouth(self) -> Mouth:
        """What speaks. Blocks.

        Raises:
            AudioUnavailable: there is no sound library, or no speaker.
        """
        if self.output == "none":
            return NullSink()
        if self.output != "speaker":
            return WavSink(self.output)
        _require_device("output")
        return Speaker(self.output_device)


def _require_device(direction: Direction) -> None:
    """What is missing shows now, and not when a session has been opened and paid for."""
    if not any(device.serves(direction) for device in list_devices()):
        raise unavailable(f"no_{direction}_device")


async def hold(plan: Plan) -> None:
    """Hold the conversation to its end, which for a live one is Ctrl-C.

    Raises:
        RtagentError: it could not be held, or broke off.
    """
    spoken = plan.endpoint.for_session("conversation", plan.model).dialect
    if spoken.turnless:
        hint = "examples/duplex.py shows how a program talks with it"
        raise spoken.unsupported("a conversation in the terminal", hint=hint)
    live = plan.out.isatty() and not plan.text
    log = LiveLog(plan.out, live=live, states=not plan.text)
    mouth = None if plan.text else await to_thread.run_sync(plan.mouth)
    ears = None if plan.text else await to_thread.run_sync(plan.ears, mouth)
    because = f" ({plan.endpoint.chosen_because})" if plan.endpoint.chosen_because else ""
    await log.note("endpoint", f"{plan.endpoint}{because}")
    session: Session | None = None
    try:
        async with AsyncExitStack() as stack:
            recording = SessionRecording(plan.record) if plan.record is not None else None
            if recording is not None:
                await stack.enter_async_context(recording)
            # Outside the session: whoever follows it reads what was said until its end.
            followers = await stack.enter_async_context(anyio.create_task_group())
            session = await stack.enter_async_context(
                connect(plan.agent, endpoint=plan.endpoint, model=plan.model, config=plan.session_config())
            )
            await followers.start(log.follow, session)
            if recording is not None:
                await followers.start(recording.follow, session)
            await _Talk(plan, session, log, recording).converse(ears, mouth)
    finally:
        if session is not None:
            log.end(session)


class _Talk:
    """One open conversation: who says what, and when it is over."""

    def __init__(
        self, plan: Plan, session: Session, log: LiveLog, recording: SessionRecording | None
    ) -> None:
        self._plan = plan
        self._session = session
        self._log = log
        self._recording = recording
        self._gate: PushToTalk | None = None

    async def converse(self, ears: Ears | None, mouth: Mouth | None) -> None:
        """Talk until everything is said, or the session is lost."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._until_lost)
            if ears is None or mouth is None:
                await self._write(Keyboard())
            else:
                if self._plan.out.isatty():
                    group.start_soon(self._log.meter, self._session, lambda: ears.level, self._hint)
                await self._speak(ears, mouth)
            group.cancel_scope.cancel()

    async def _until_lost(self) -> None:
        """Raise what ended the session, unless we did."""
        closed = await self._session.wait_closed()
        if closed.error is not None:
            raise closed.error

    async def _write(self, keyboard: Keyboard) -> None:
        typed_here = sys.stdin.isatty()
        if typed_here:
            await self._log.note("state", "type a line and press Enter; Ctrl-D ends the conversation")
        async for line in keyboard.lines():
            if not line.strip():
                continue
            if not typed_here:
                await self._log.note("you", line)
            await self._session.say(line)
            response = await self._session.respond(timeout=WITHIN_S)
            if response.status == "failed":
                raise failed(response.error)

    async def _speak(self, ears: Ears, mouth: Mouth) -> None:
        if isinstance(ears, SpokenFile):
            await self._speak_file(ears, mouth)
        elif self._plan.push_to_talk:
            self._gate = gate = PushToTalk(ears)
            with single_keys() as keyboard:
                async with self._attached(gate, mouth) as group:
                    group.start_soon(self._follow_key, gate, keyboard)
                    await self._session.wait_closed()
        else:
            async with self._attached(ears, mouth):
                await self._session.wait_closed()

    @property
    def _hears_turns(self) -> bool:
        """Whether turns end on this side, with neither a key nor the end of a file."""
        live = self._plan.input == "mic" and not self._plan.push_to_talk
        return live and self._plan.agent.turn_taking == "manual"

    async def _speak_file(self, ears: SpokenFile, mouth: Mouth) -> None:
        async with answers_of(self._session) as answers, self._attached(ears, mouth):
            await ears.spoken.wait()
            if self._plan.agent.turn_taking == "manual":
                await self._session.send(events.InputAudioBufferCommit())
                await self._session.respond(timeout=WITHIN_S)
            await answers.wait_complete()

    @asynccontextmanager
    async def _attached(self, ears: AudioSource, mouth: Mouth) -> AsyncGenerator[anyio.abc.TaskGroup]:
        """Ears and mouth for the block, recorded if that is wished; a device's failure ends it."""
        if self._recording is not None:
            ears = self._recording.tapped(ears)
            mouth.tap = self._recording.tap
        attachment = self._session.attach(
            ears,
            mouth,
            interrupt_on=self._plan.interrupt_on,
            turns="local" if self._hears_turns else "server",
        )
        await attachment.wait_open()
        async with anyio.create_task_group() as group:
            group.start_soon(attachment.wait_source_ended)
            yield group
            group.cancel_scope.cancel()
        attachment.detach()
        await attachment.wait_source_ended()  # raises when a file could not be written to its end

    async def _follow_key(self, gate: PushToTalk, keyboard: Keyboard) -> None:
        """The space bar opens the ears, silencing the voice; pressed again it closes them and asks."""
        async with anyio.create_task_group() as turns:
            async for key in keyboard.pressed():
                if key != SPACE:
                    continue
                if gate.pressed:
                    gate.release()
                    turns.start_soon(self._end_turn)
                else:
                    await self._session.interrupt()
                    gate.press()

    def _hint(self) -> str:
        if self._gate is None:
            return ""
        return "(you are heard: space when done)" if self._gate.pressed else "(space to speak)"

    async def _end_turn(self) -> None:
        try:
            await self._session.send(events.InputAudioBufferCommit())
            await self._session.respond(timeout=WITHIN_S)
        except ServerError as refused:  # such as a key pressed too briefly: the conversation goes on
            await self._log.note("error", str(refused))
