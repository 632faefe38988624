"""A conversation in the terminal, from its plan to its last line: spoken, from a file, or in writing."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import anyio
import anyio.abc

from .. import events
from .._connect import connect
from ..agent import Agent
from ..audio import AudioSink, AudioSource, Microphone, NullSink, PushToTalk, Speaker, WavSink, list_devices
from ..errors import ConfigurationError, ServerError
from ..session import Attachment, Session
from ..transport import Endpoint
from ._answers import WITHIN_S, answers_of, failed
from ._ears import SpokenFile
from ._keyboard import Keyboard, single_keys
from ._live import LiveLog

__all__ = ("Plan", "hold")

Device = int | str | None
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
    record: str | None = None
    """A directory."""
    out: TextIO = field(default_factory=lambda: sys.stdout)
    colour: bool = False

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

    def ears(self) -> Microphone | SpokenFile:
        """What listens. Blocks: it reads the file.

        Raises:
            AudioFileError: the file cannot be read.
            AudioUnavailable: no sound library is installed.
        """
        if self.input != "mic":
            return SpokenFile(self.input)
        list_devices()  # what is missing shows now, and not when a session has been opened and paid for
        return Microphone(self.input_device)

    def mouth(self) -> AudioSink:
        """What speaks. Blocks.

        Raises:
            AudioUnavailable: no sound library is installed.
        """
        if self.output == "none":
            return NullSink()
        if self.output != "speaker":
            return WavSink(self.output)
        list_devices()
        return Speaker(self.output_device)


async def hold(plan: Plan) -> None:
    """Hold the conversation to its end, which for a live one is Ctrl-C.

    Raises:
        RtagentError: it could not be held, or broke off.
    """
    live = plan.out.isatty() and not plan.text
    log = LiveLog(plan.out, colour=plan.colour, clock_start=time.monotonic(), live=live)
    ears, mouth = (None, None) if plan.text else await _opened(plan)
    because = f" ({plan.endpoint.chosen_because})" if plan.endpoint.chosen_because else ""
    await log.note("endpoint", f"{plan.endpoint}{because}")
    connecting = connect(plan.agent, endpoint=plan.endpoint, model=plan.model, config=plan.session_config())
    session: Session | None = None
    try:
        async with anyio.create_task_group() as following, connecting as session:
            await following.start(log.follow, session)
            async with _recorded(session, plan.record):
                await _converse(plan, session, log, ears, mouth)
    finally:
        if session is not None:
            log.end(session)


async def _opened(plan: Plan) -> tuple[Microphone | SpokenFile, AudioSink]:
    return await anyio.to_thread.run_sync(plan.ears), await anyio.to_thread.run_sync(plan.mouth)


async def _converse(
    plan: Plan, session: Session, log: LiveLog, ears: Microphone | SpokenFile | None, mouth: AudioSink | None
) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(_until_lost, session)
        if ears is None or mouth is None:
            await _write(session, Keyboard(), log)
        else:
            if plan.out.isatty():
                hint = "(press space to speak, and again when done)" if plan.push_to_talk else ""
                group.start_soon(log.meter, session, lambda: ears.level, hint)
            await _speak(plan, session, log, ears, mouth)
        group.cancel_scope.cancel()


async def _until_lost(session: Session) -> None:
    """Raise what ended the session, unless we did."""
    closed = await session.wait_closed()
    if closed.error is not None:
        raise closed.error


async def _write(session: Session, keyboard: Keyboard, log: LiveLog) -> None:
    typed_here = sys.stdin.isatty()
    if typed_here:
        await log.note("state", "type a line and press Enter; Ctrl-D ends the conversation")
    async for line in keyboard.lines():
        if not line.strip():
            continue
        if not typed_here:
            await log.note("you", line)
        await session.say(line)
        response = await session.respond(timeout=WITHIN_S)
        if response.status == "failed":
            raise failed(response.error)


async def _speak(
    plan: Plan, session: Session, log: LiveLog, ears: Microphone | SpokenFile, mouth: AudioSink
) -> None:
    if isinstance(ears, SpokenFile):
        await _speak_file(plan, session, ears, mouth)
    elif plan.push_to_talk:
        gate = PushToTalk(ears)
        with single_keys() as keyboard:
            async with _attached(session, gate, mouth) as group:
                group.start_soon(_follow_key, session, gate, keyboard, log)
                await session.wait_closed()
    else:
        async with _attached(session, ears, mouth):
            await session.wait_closed()


async def _speak_file(plan: Plan, session: Session, ears: SpokenFile, mouth: AudioSink) -> None:
    async with answers_of(session) as answers, _attached(session, ears, mouth):
        await ears.spoken.wait()
        if plan.agent.turn_taking == "manual":
            await session.send(events.InputAudioBufferCommit())
            await session.respond(timeout=WITHIN_S)
        await answers.wait_complete()


@asynccontextmanager
async def _attached(
    session: Session, ears: AudioSource, mouth: AudioSink
) -> AsyncIterator[anyio.abc.TaskGroup]:
    """Ears and mouth for the block; it ends with their error if a device fails."""
    attachment = session.attach(ears, mouth)
    await attachment.wait_open()
    async with anyio.create_task_group() as group:
        group.start_soon(attachment.wait_source_ended)
        yield group
        group.cancel_scope.cancel()
    await _detached(attachment)


async def _detached(attachment: Attachment) -> None:
    """Take ears and mouth away, and see whether all could be written."""
    attachment.detach()
    await attachment.wait_source_ended()


async def _follow_key(session: Session, gate: PushToTalk, keyboard: Keyboard, log: LiveLog) -> None:
    """The space bar opens the ears, silencing the voice; pressed again it closes them and asks."""
    async with anyio.create_task_group() as turns:
        async for key in keyboard.keys():
            if key != SPACE:
                continue
            if gate.pressed:
                gate.release()
                turns.start_soon(_end_turn, session, log)
            else:
                await session.interrupt()
                gate.press()


async def _end_turn(session: Session, log: LiveLog) -> None:
    try:
        await session.send(events.InputAudioBufferCommit())
        await session.respond(timeout=WITHIN_S)
    except ServerError as refused:  # such as a key pressed too short: the conversation goes on
        await log.note("error", str(refused))


@asynccontextmanager
async def _recorded(session: Session, directory: str | None) -> AsyncIterator[None]:
    """Record the session into a directory, if one is given."""
    if directory is None:
        yield
        return
    async with _recording_class()(Path(directory)) as recording:
        recording.follow(session)
        yield


def _recording_class() -> Any:
    try:
        return importlib.import_module("rtagent.recording").SessionRecording
    except ImportError as error:
        message = "this installation cannot record sessions"
        raise ConfigurationError(message) from error
