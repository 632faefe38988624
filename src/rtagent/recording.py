"""A session on disk: every event in ``events.jsonl``, both voices in ``conversation.wav``, on one time base.

Theory of operation
    Second 0 of both files is the moment at which the block is entered. Events are frozen values, so the
    event loop only appends them to a bounded queue; a thread of the log's own turns them into lines and
    writes what has come together a few times a second. Sound goes to ``audio.Recorder``, which has a
    thread of its own too. Whatever happens to the disk, the conversation goes on: the recording keeps
    the reason and raises it when its block is left.

    A line holds an event as on the wire, with two exceptions: sound is replaced by its size, since the
    WAV file holds it, and what authorises somebody to anything is blanked.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, fields
from math import isfinite
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, cast, get_args
from urllib.parse import urlsplit

from anyio import TASK_STATUS_IGNORED, CancelScope, to_thread
from anyio.abc import TaskStatus
from pydantic import BaseModel
from pydantic_core import from_json, to_json

from . import events
from .audio import AudioBlock, AudioFormat, AudioSource, Clock, MonotonicClock
from .errors import AudioFileError, ConfigurationError, LocalProtocolError, RtagentError
from .events.lifecycle import LifecycleEvent

if TYPE_CHECKING:
    from .audio import Recorder

__all__ = ("AUDIO_FILE", "EVENTS_FILE", "Followed", "RecordedEvent", "SessionRecording", "read_events")

EVENTS_FILE = "events.jsonl"
AUDIO_FILE = "conversation.wav"

Direction = Literal["server", "client", "session"]
Recordable: TypeAlias = events.ServerEvent | events.ClientEvent | LifecycleEvent | Mapping[str, Any]

_BLANK = "[not recorded]"
_BUFFER_EVENTS = 10_000
_WAITING_EVENTS = 10_000
"""How many events may wait for the disk; those that come then are left out and counted."""
_BATCH_EVENTS = 500
_FLUSH_S = 0.25


class Followed(Protocol):
    """What can be recorded: a ``Session``, or whatever else has events to subscribe to."""

    def subscribe(
        self, one: type[events.ServerEvent], other: type[LifecycleEvent], /, *, buffer: int
    ) -> AbstractAsyncContextManager[AsyncIterator[events.ServerEvent | LifecycleEvent]]:
        """A stream of both kinds of events, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One line of a recording."""

    at: float
    """Seconds since the recording began."""
    direction: Direction
    """Who said it: the server, the client, or the session about itself."""
    event: Mapping[str, Any]
    """As on the wire; the session's own events have types such as ``rtagent.ToolStarted``."""

    @property
    def type(self) -> str:
        """The event's type."""
        kind: str = self.event["type"]
        return kind


class SessionRecording:
    """Records one session into a directory: ``async with`` it around the session.

    Its methods belong to the event loop's thread and never wait. A recording made there before is
    overwritten.

    Args:
        directory: where the files go; made if it does not exist.
        clock: what the ``at`` of events and audio blocks is measured by, the session's own.
        rate: the sample rate of the WAV file (Hz).
    """

    def __init__(
        self, directory: str | PathLike[str], *, clock: Clock | None = None, rate: int = 24_000
    ) -> None:
        self.directory = Path(directory)
        self.started_at = 0.0
        """Second 0 of the recording, in seconds of the clock."""
        self._clock = clock if clock is not None else MonotonicClock()
        self._rate = rate
        self._files: tuple[_EventLog, Recorder] | None = None
        self._followed_until: str | None = None

    async def __aenter__(self) -> SessionRecording:
        """Create the files.

        Raises:
            ConfigurationError: the directory cannot be made or written.
            AudioFileError: the WAV file cannot be created.
        """
        self._files = await to_thread.run_sync(self._open)
        self.started_at = self._clock.now()
        self.near(AudioBlock(b"", self.started_at))  # the audio counts from here as well
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Complete the files.

        Raises:
            AudioFileError: they are not complete; the text says why. An exception that leaves the block
                gets this text as a note instead.
        """
        with CancelScope(shield=True):  # a cancelled conversation shall leave complete files, too
            await to_thread.run_sync(self._close)
        failure = self.failure
        if failure is not None and error is None:
            raise failure
        if failure is not None and error is not None:
            error.add_note(str(failure))

    @property
    def failure(self) -> AudioFileError | None:
        """What the recording lacks; None while it is complete."""
        log, recorder = self._opened()
        reasons = [
            *([f"{log.path.name}: {log.failure}"] if log.failure is not None else ()),
            *([f"{log.path.name}: {log.left_out} events left out"] if log.left_out else ()),
            *([str(recorder.failure)] if recorder.failure is not None else ()),
            *([self._followed_until] if self._followed_until is not None else ()),
        ]
        if not reasons:
            return None
        return AudioFileError(self.directory, f"the recording is not complete: {'; '.join(reasons)}")

    def record_event(self, at: float, direction: Direction, event: Recordable) -> None:
        """Record an event that happened at that second of the clock."""
        log, _ = self._opened()
        log.put(at - self.started_at, direction, event)

    def near(self, block: AudioBlock, format: AudioFormat | None = None) -> None:  # noqa: A002
        """Record a block of the caller (left), PCM16 at the recording's rate unless a format is told."""
        self._opened()[1].near(block, format)

    def far(self, block: AudioBlock, format: AudioFormat | None = None) -> None:  # noqa: A002
        """Record a block of the assistant (right), at the time at which it is heard."""
        self._opened()[1].far(block, format)

    def tap(self, block: AudioBlock) -> None:
        """``far`` for a sink that plays at the recording's rate: ``sink.tap = recording.tap``."""
        self.far(block)

    def tapped(self, source: AudioSource) -> AudioSource:
        """The same ears, but every block that they yield is recorded, also while the session is muted."""
        return _TappedSource(source, self)

    async def follow(self, session: Followed, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Record what the server says and what happens to the session, until the session ends.

        ``await group.start(recording.follow, session)`` returns when nothing can be missed any more. A
        session that is lost ends the following like one that is closed.
        """
        async with session.subscribe(events.ServerEvent, LifecycleEvent, buffer=_BUFFER_EVENTS) as stream:
            task_status.started()
            try:
                async for event in stream:
                    if isinstance(event, LifecycleEvent):
                        self.record_event(event.at, "session", event)
                    else:
                        self.record_event(self._clock.now(), "server", event)
            except RtagentError as end:
                note = {"type": "rtagent.StreamEnded", "reason": _as_text(end)}
                self.record_event(self._clock.now(), "session", note)
                if isinstance(end, LocalProtocolError):  # the session goes on, but without us
                    self._followed_until = str(end)

    def _open(self) -> tuple[_EventLog, Recorder]:
        from .audio import Recorder  # it loads numpy, which reading a recording does not need

        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            log = _EventLog(self.directory / EVENTS_FILE)
        except OSError as error:
            message = f"nothing can be recorded in {self.directory}: {error.strerror or error}"
            raise ConfigurationError(message, hint="name a directory that can be written") from error
        try:
            return log, Recorder(self.directory / AUDIO_FILE, self._rate)
        except AudioFileError:
            log.close()
            raise

    def _opened(self) -> tuple[_EventLog, Recorder]:
        if self._files is None:
            message = "a recording records only inside its 'async with' block"
            raise LocalProtocolError(message)
        return self._files

    def _close(self) -> None:
        log, recorder = self._opened()
        log.close()
        with suppress(AudioFileError):  # the recorder keeps it as its failure, and so it is part of ours
            recorder.close()


class _TappedSource:
    """A source that is overheard."""

    def __init__(self, source: AudioSource, recording: SessionRecording) -> None:
        self._source = source
        self._recording = recording

    @property
    def format(self) -> AudioFormat:
        return self._source.format

    async def blocks(self) -> AsyncIterator[AudioBlock]:
        blocks = self._source.blocks()
        try:
            async for block in blocks:
                self._recording.near(block, self._source.format)
                yield block
        finally:
            aclose = getattr(blocks, "aclose", None)
            if aclose is not None:
                await aclose()


class _EventLog:
    """Owns the file of events and the thread that writes it.

    The queue is the only thing that both threads touch; appending and popping are atomic.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failure: str | None = None
        self.left_out = 0
        self._gap: tuple[float, int] | None = None
        self._waiting: deque[tuple[float, Direction, Recordable]] = deque()
        self._closing = threading.Event()
        self._file = path.open("wb", buffering=0)
        self._thread = threading.Thread(target=self._run, name="rtagent-event-log", daemon=True)
        self._thread.start()

    def put(self, at: float, direction: Direction, event: Recordable) -> None:
        """Queue an event; one that finds the queue full is left out, and the file will say so."""
        if self.failure is not None or self._closing.is_set():
            return
        if len(self._waiting) >= _WAITING_EVENTS:
            since, count = self._gap if self._gap is not None else (at, 0)
            self._gap = (since, count + 1)
            self.left_out += 1
            return
        self._tell_gap()
        self._waiting.append((at, direction, event))

    def close(self) -> None:
        """Write what is queued and close the file; waits for the disk."""
        self._tell_gap()
        self._closing.set()
        self._thread.join()

    def _tell_gap(self) -> None:
        if self._gap is not None:
            since, count = self._gap
            self._waiting.append((since, "session", {"type": "rtagent.EventsLeftOut", "count": count}))
            self._gap = None

    def _run(self) -> None:
        try:
            with self._file:
                while not self._closing.wait(_FLUSH_S):
                    self._write_out()
                self._write_out()
        except OSError as error:
            self.failure = error.strerror or str(error)
            self._waiting.clear()

    def _write_out(self) -> None:
        while self._waiting:
            batch = min(len(self._waiting), _BATCH_EVENTS)
            rest = memoryview(b"".join(_line(*self._waiting.popleft()) for _ in range(batch)))
            while rest:  # an unbuffered file may take less than it is given
                rest = rest[self._file.write(rest) :]


# -- lines -----------------------------------------------------------------------------------------------


def read_events(path: str | PathLike[str]) -> Iterator[RecordedEvent]:
    """Read a recording's events, line by line.

    Raises:
        ConfigurationError: the file cannot be read, or a line of it is no recorded event.
    """
    try:
        with Path(path).open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield _recorded(line)
                except ValueError as problem:
                    message = f"{path}, line {number}: {problem}"
                    raise ConfigurationError(message) from problem
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise ConfigurationError(message) from error


def _recorded(line: bytes) -> RecordedEvent:
    match from_json(line):
        case {"at": int() | float() as at, "direction": str() as said, "event": {"type": str()} as event}:
            if said in get_args(Direction) and isfinite(at):
                return RecordedEvent(float(at), cast("Direction", said), event)
        case _:
            pass
    message = "not a recorded event with at, direction and event"
    raise ValueError(message)


def _line(at: float, direction: Direction, event: Recordable) -> bytes:
    line = {"at": round(at, 6), "direction": direction, "event": _as_recorded(event)}
    try:
        return to_json(line, inf_nan_mode="null", fallback=_as_text) + b"\n"
    except ValueError as problem:  # what a program made up and JSON cannot hold, such as half a character
        line["event"] = {"type": "rtagent.EventsLeftOut", "count": 1, "reason": ascii(str(problem))}
        return to_json(line) + b"\n"


def _as_recorded(event: Recordable) -> dict[str, Any]:
    match event:
        case LifecycleEvent():
            own = {field.name: getattr(event, field.name) for field in fields(event) if field.name != "at"}
            return {"type": f"rtagent.{type(event).__name__}", **own}
        case events.UnknownEvent():
            wire: Mapping[str, Any] = event.raw
        case BaseModel():
            wire = event.model_dump(exclude_unset=True, warnings=False)
        case _:
            wire = event
    cleaned = {name: _clean(name, value) for name, value in wire.items()}
    if str(wire.get("type")).endswith("audio.delta"):
        cleaned["delta"] = _clean("audio", wire.get("delta"))
    return cleaned


def _clean(name: str, value: Any) -> Any:
    """A field's value without sound and without secrets, at any depth."""
    match name, value:
        case "audio", str():
            return {"audio_bytes": len(value) // 4 * 3 - value[-2:].count("=")}  # of base64 (RFC 4648)
        case "client_secret", _:
            return _BLANK
        case "tools", list() | tuple():
            return [_clean_tool(tool) for tool in cast("list[Any]", value)]
        case _, dict():
            return {key: _clean(key, inner) for key, inner in cast("dict[str, Any]", value).items()}
        case _, list() | tuple():
            return [_clean("", inner) for inner in cast("list[Any]", value)]
        case _:
            return value


def _clean_tool(tool: Any) -> Any:
    """A tool without its credentials: those of an MCP server, or of a kind that is not known yet."""
    if not isinstance(tool, dict):
        return tool
    cleaned = dict(cast("dict[str, Any]", tool))
    for name, value in cleaned.items():
        match name, value:
            case "authorization", str():
                cleaned[name] = _BLANK
            case "headers", dict():
                cleaned[name] = dict.fromkeys(cast("dict[str, Any]", value), _BLANK)
            case "server_url", str():
                cleaned[name] = _without_credentials(value)
            case _:
                continue
    return cleaned


def _without_credentials(url: str) -> str:
    """A URL without user, password, query and fragment: keys travel in any of them."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _BLANK
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _as_text(value: object) -> str:
    return f"{type(value).__name__}: {value}" if isinstance(value, BaseException) else str(value)
