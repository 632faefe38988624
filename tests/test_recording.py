"""The recording of a session: what is in its files, what never is, and what happens when the disk fails."""

from __future__ import annotations

import json
import math
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from anyio import to_thread

from rtagent import events
from rtagent.audio import ArraySource, AudioBlock, AudioFormat, NullSink, read_wav
from rtagent.errors import AudioFileError, ConfigurationError, ConnectionLost, LocalProtocolError
from rtagent.events import lifecycle
from rtagent.recording import RecordedEvent, SessionRecording, read_events
from rtagent.session import Session
from rtagent.testing import FakeClock, ScriptedServer

SECRET = "sk-very-secret"


def lines_of(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "events.jsonl").read_text("utf-8").splitlines()]


async def record_one(directory: Path) -> None:
    """A recording with one event."""
    async with SessionRecording(directory) as recording:
        recording.record_event(recording.started_at, "client", events.ResponseCancel())


async def record_and_fail(directory: Path) -> None:
    """A recording of a program that fails."""
    async with SessionRecording(directory) as recording:
        recording.record_event(recording.started_at, "client", events.ResponseCancel())
        _ = 1 / 0


async def recorded(directory: Path, event: Any) -> dict[str, Any]:
    """How one event is recorded."""
    async with SessionRecording(directory) as recording:
        recording.record_event(recording.started_at, "client", event)
    (line,) = lines_of(directory)
    return dict(line["event"])


def tone(ms: float, amplitude: int, rate: int = 24_000) -> bytes:
    return np.full(int(ms * rate / 1000), amplitude, "<i2").tobytes()


# -- events ------------------------------------------------------------------------------------------


async def test_events_of_all_three_directions_are_lines_on_one_time_base(tmp_path: Path) -> None:
    clock = FakeClock(start=1000.0)
    async with SessionRecording(tmp_path / "new" / "place", clock=clock) as recording:
        assert recording.started_at == 1000.0
        recording.record_event(1000.5, "client", events.ResponseCancel(event_id="e1"))
        recording.record_event(1001.25, "server", events.InputAudioBufferSpeechStarted(audio_start_ms=20))
        happened = lifecycle.ToolStarted(at=1002.0, call_id="c1", name="add", arguments="{}")
        recording.record_event(happened.at, "session", happened)
    assert lines_of(tmp_path / "new" / "place") == [
        {"at": 0.5, "direction": "client", "event": {"type": "response.cancel", "event_id": "e1"}},
        {
            "at": 1.25,
            "direction": "server",
            "event": {"type": "input_audio_buffer.speech_started", "audio_start_ms": 20},
        },
        {
            "at": 2.0,
            "direction": "session",
            "event": {
                "type": "rtagent.ToolStarted",
                "call_id": "c1",
                "name": "add",
                "arguments": "{}",
                "response_id": "",
                "background": False,
            },
        },
    ]


async def test_what_was_written_reads_back(tmp_path: Path) -> None:
    async with SessionRecording(tmp_path) as recording:
        recording.record_event(recording.started_at + 0.1234567, "client", events.ResponseCancel())
    assert list(read_events(tmp_path / "events.jsonl")) == [
        RecordedEvent(0.123457, "client", {"type": "response.cancel"})
    ]
    assert next(read_events(tmp_path / "events.jsonl")).type == "response.cancel"


@pytest.mark.parametrize(
    ("frame", "as_recorded"),
    [
        pytest.param(
            {"type": "response.output_audio.delta", "item_id": "a", "delta": "AAECAw=="},
            {"type": "response.output_audio.delta", "item_id": "a", "delta": {"audio_bytes": 4}},
            id="voice",
        ),
        pytest.param(
            {"type": "response.output_audio_transcript.delta", "delta": "AAEC"},
            {"type": "response.output_audio_transcript.delta", "delta": "AAEC"},
            id="words",
        ),
        pytest.param(
            {"type": "vendor.audio.delta", "delta": "AAEC"},
            {"type": "vendor.audio.delta", "delta": {"audio_bytes": 3}},
            id="unknown event",
        ),
        pytest.param(
            {"type": "vendor.audio.delta", "delta": None},
            {"type": "vendor.audio.delta", "delta": None},
            id="not audio at all",
        ),
        pytest.param(
            {
                "type": "conversation.item.retrieved",
                "item": {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_audio", "audio": "AAE=", "transcript": "Hi"}],
                },
            },
            {
                "type": "conversation.item.retrieved",
                "item": {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_audio", "audio": {"audio_bytes": 2}, "transcript": "Hi"}],
                },
            },
            id="item",
        ),
    ],
)
async def test_sound_is_replaced_by_its_size(
    tmp_path: Path, frame: dict[str, Any], as_recorded: dict[str, Any]
) -> None:
    assert await recorded(tmp_path, events.decode(json.dumps(frame))) == as_recorded


async def test_input_audio_is_replaced_by_its_size(tmp_path: Path) -> None:
    assert await recorded(tmp_path, events.InputAudioBufferAppend.of(bytes(480))) == {
        "type": "input_audio_buffer.append",
        "audio": {"audio_bytes": 480},
    }


async def test_a_malformed_frame_is_recorded_with_its_reason(tmp_path: Path) -> None:
    line = await recorded(tmp_path, events.decode("{"))
    assert line["type"] == "malformed_frame"
    assert line["head"] == "{"


async def test_errors_are_recorded_as_text(tmp_path: Path) -> None:
    closed = lifecycle.Closed(at=0.0, code=1006, reason="", error=ConnectionLost(1006))
    assert (await recorded(tmp_path, closed))["error"] == (
        "ConnectionLost: the connection was lost (code 1006)"
    )


async def test_what_json_cannot_hold_leaves_a_note(tmp_path: Path) -> None:
    half = {"type": "made.up", "text": "\ud83d", "number": math.nan}
    line = await recorded(tmp_path, half)
    assert line["type"] == "rtagent.EventsLeftOut"
    assert "surrogates" in line["reason"]


async def test_a_value_of_another_kind_is_recorded_as_its_text(tmp_path: Path) -> None:
    line = await recorded(tmp_path, {"type": "made.up", "where": Path("a"), "number": math.nan})
    assert line == {"type": "made.up", "where": "a", "number": None}


# -- secrets -----------------------------------------------------------------------------------------


def mcp(**fields: Any) -> dict[str, Any]:
    return {"type": "mcp", "server_label": "home", **fields}


@pytest.mark.parametrize("place", ["session", "response"])
@pytest.mark.parametrize(
    ("tool", "as_recorded"),
    [
        (mcp(authorization=SECRET), mcp(authorization="[not recorded]")),
        (mcp(headers={"X-Key": SECRET}), mcp(headers={"X-Key": "[not recorded]"})),
        (mcp(authorization=None), mcp(authorization=None)),
        (
            mcp(server_url=f"https://me:{SECRET}@host:8443/mcp?key={SECRET}#{SECRET}"),
            mcp(server_url="https://host:8443/mcp"),
        ),
        (mcp(server_url=f"https://[{SECRET}"), mcp(server_url="[not recorded]")),
        (
            {"type": "mcp_next", "authorization": SECRET},
            {"type": "mcp_next", "authorization": "[not recorded]"},
        ),
        (
            {"type": "function", "name": "f", "parameters": {"properties": {"authorization": {"a": 1}}}},
            {"type": "function", "name": "f", "parameters": {"properties": {"authorization": {"a": 1}}}},
        ),
    ],
)
async def test_credentials_of_tools_are_never_recorded(
    tmp_path: Path, place: str, tool: dict[str, Any], as_recorded: dict[str, Any]
) -> None:
    line = await recorded(tmp_path, {"type": "made.up", place: {"tools": [tool]}})
    assert line[place]["tools"] == [as_recorded]
    assert SECRET not in (tmp_path / "events.jsonl").read_text()


async def test_an_update_with_credentials_reads_back_as_an_update(tmp_path: Path) -> None:
    tools = [events.McpServerTool(server_label="home", authorization=SECRET, headers={"X-Key": SECRET})]
    line = await recorded(tmp_path, events.SessionUpdate(session=events.RealtimeSession(tools=tools)))
    assert SECRET not in (tmp_path / "events.jsonl").read_text()
    assert isinstance(events.decode_client(json.dumps(line)), events.SessionUpdate)


async def test_a_client_secret_is_never_recorded(tmp_path: Path) -> None:
    created = {"type": "session.created", "session": {"id": "s", "client_secret": {"value": SECRET}}}
    line = await recorded(tmp_path, events.decode(json.dumps(created)))
    assert line["session"]["client_secret"] == "[not recorded]"


async def test_tools_that_are_no_objects_do_no_harm(tmp_path: Path) -> None:
    event = {"type": "made.up", "tools": ["search"]}
    assert await recorded(tmp_path, event) == event


# -- following a session -----------------------------------------------------------------------------


async def test_a_session_is_followed_to_its_end(tmp_path: Path) -> None:
    async with (
        SessionRecording(tmp_path) as recording,
        ScriptedServer() as server,
        anyio.create_task_group() as group,
        Session(server.transport) as session,
    ):
        await group.start(recording.follow, session)
        started = {"type": "input_audio_buffer.speech_started", "item_id": "u1", "audio_start_ms": 5}
        await server.send({**started, "event_id": "e1"})
        await anyio.wait_all_tasks_blocked()
    kinds = [event.type for event in read_events(tmp_path / "events.jsonl")]
    assert kinds == ["input_audio_buffer.speech_started", "rtagent.StateChanged", "rtagent.Closed"]


async def test_a_lost_session_ends_the_following_and_is_recorded(tmp_path: Path) -> None:
    async with SessionRecording(tmp_path) as recording, ScriptedServer() as server:
        async with Session(server.transport) as session, anyio.create_task_group() as group:
            await group.start(recording.follow, session)
            await server.close(1011, "overloaded")
            await session.wait_closed()
        assert recording.failure is None
    *_, closed, end = read_events(tmp_path / "events.jsonl")
    assert closed.type == "rtagent.Closed"
    assert (closed.event["code"], closed.event["reason"]) == (1011, "overloaded")
    assert end.type == "rtagent.StreamEnded"


class FallsBehind:
    """A session that its follower cannot keep up with."""

    def subscribe(self, *types: type[Any], buffer: int) -> FallsBehind:
        return self

    async def __aenter__(self) -> FallsBehind:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        return None

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        message = "this subscription fell 3 events behind and was ended"
        raise LocalProtocolError(message)


async def test_a_follower_that_falls_behind_is_reported_when_the_block_is_left(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match=r"not complete: this subscription fell 3 events behind"):
        async with SessionRecording(tmp_path) as recording:
            await recording.follow(FallsBehind())


# -- sound -------------------------------------------------------------------------------------------


async def test_both_voices_begin_where_the_events_begin(tmp_path: Path) -> None:
    clock = FakeClock(start=50.0)
    async with SessionRecording(tmp_path, clock=clock, rate=8_000) as recording:
        recording.near(AudioBlock(tone(100, 1000, 8_000), 50.5))
        recording.far(AudioBlock(b"\x80" * 800, 51.0), AudioFormat.pcmu())
    wav = read_wav(tmp_path / "conversation.wav")
    assert (wav.rate, wav.channels) == (8_000, 2)
    first = [int(np.flatnonzero(np.abs(wav.samples[:, side]) > 0.01)[0]) for side in (0, 1)]
    assert first == [4_000, 8_000]


async def test_a_tapped_source_yields_what_it_records(tmp_path: Path) -> None:
    async with SessionRecording(tmp_path) as recording:
        source = recording.tapped(ArraySource(tone(20, 2000), rate=24_000))
        blocks = [block async for block in source.blocks()]
    assert source.format == AudioFormat.pcm16(24_000)
    assert b"".join(block.pcm for block in blocks) == tone(20, 2000)
    assert read_wav(tmp_path / "conversation.wav").samples[:, 0].max() == pytest.approx(2000 / 32768)


class Ears:
    """A source whose end can be observed, or which is an iterator without an end of its own."""

    format = AudioFormat.pcm16(24_000)

    def __init__(self, *, plain: bool = False) -> None:
        self.stopped = False
        self._plain = plain

    def blocks(self) -> AsyncIterator[AudioBlock]:
        return PlainBlocks() if self._plain else self._blocks()

    async def _blocks(self) -> AsyncIterator[AudioBlock]:
        try:
            while True:
                yield AudioBlock(bytes(960), 0.0)
        finally:
            self.stopped = True


class PlainBlocks:
    def __aiter__(self) -> AsyncIterator[AudioBlock]:
        return self

    async def __anext__(self) -> AudioBlock:
        raise StopAsyncIteration


async def test_ending_a_tapped_source_ends_the_source(tmp_path: Path) -> None:
    ears = Ears()
    async with SessionRecording(tmp_path) as recording:
        blocks = recording.tapped(ears).blocks()
        await anext(blocks)
        await blocks.aclose()  # type: ignore[attr-defined]
    assert ears.stopped


async def test_a_source_may_be_a_plain_iterator(tmp_path: Path) -> None:
    async with SessionRecording(tmp_path) as recording:
        assert [block async for block in recording.tapped(Ears(plain=True)).blocks()] == []


async def test_a_sink_is_tapped_on_the_right(tmp_path: Path) -> None:
    sink = NullSink()
    async with SessionRecording(tmp_path) as recording:
        sink.tap = recording.tap
        sink.tap(AudioBlock(tone(20, 2000), recording.started_at))
    samples = read_wav(tmp_path / "conversation.wav").samples
    assert samples[:, 0].max() == 0
    assert samples[:, 1].max() > 0.05


# -- when the disk fails -----------------------------------------------------------------------------


async def test_a_recording_outside_its_block_is_a_slip_of_the_program(tmp_path: Path) -> None:
    with pytest.raises(LocalProtocolError, match="only inside its 'async with' block"):
        SessionRecording(tmp_path).near(AudioBlock(b"", 0.0))


async def test_what_comes_after_the_end_is_not_recorded(tmp_path: Path) -> None:
    async with SessionRecording(tmp_path) as recording:
        pass
    recording.record_event(0.0, "client", events.ResponseCancel())
    recording.near(AudioBlock(bytes(960), 0.0))
    assert lines_of(tmp_path) == []


async def test_a_place_that_is_no_directory_is_told_before_the_conversation(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ConfigurationError, match=r"nothing can be recorded in .*taken: File exists \(name a"):
        await SessionRecording(tmp_path / "taken").__aenter__()


async def test_a_sound_file_that_cannot_be_made_is_told_before_the_conversation(tmp_path: Path) -> None:
    (tmp_path / "conversation.wav").mkdir()
    with pytest.raises(AudioFileError, match="this is a directory"):
        await SessionRecording(tmp_path).__aenter__()


async def test_a_full_disk_ends_the_recording_and_not_the_conversation(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").symlink_to("/dev/full")
    with pytest.raises(
        AudioFileError, match=r"the recording is not complete: events\.jsonl: No space left on device"
    ):
        await record_one(tmp_path)
    assert (tmp_path / "conversation.wav").exists()


async def test_nothing_more_is_queued_for_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rtagent.recording._FLUSH_S", 0.001)
    monkeypatch.setattr("rtagent.recording._WAITING_EVENTS", 1)
    (tmp_path / "events.jsonl").symlink_to("/dev/full")
    recording = await SessionRecording(tmp_path).__aenter__()
    recording.record_event(0.0, "client", events.ResponseCancel())
    with anyio.fail_after(10):
        while recording.failure is None:
            await anyio.lowlevel.checkpoint()
    recording.record_event(0.0, "client", events.ResponseCancel())
    recording.record_event(0.0, "client", events.ResponseCancel())
    with pytest.raises(AudioFileError, match=r"No space left on device$"):
        await recording.__aexit__(None, None, None)


async def test_an_exception_of_the_program_is_not_hidden_by_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").symlink_to("/dev/full")
    with pytest.raises(ZeroDivisionError) as caught:
        await record_and_fail(tmp_path)
    assert "No space left on device" in caught.value.__notes__[0]


async def test_an_exception_of_the_program_leaves_a_complete_recording(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        await record_and_fail(tmp_path)
    assert not hasattr(caught.value, "__notes__")
    assert len(lines_of(tmp_path)) == 1


async def test_a_cancelled_conversation_leaves_a_complete_recording(tmp_path: Path) -> None:
    with anyio.CancelScope() as scope:
        async with SessionRecording(tmp_path) as recording:
            recording.record_event(recording.started_at, "client", events.ResponseCancel())
            scope.cancel()
            await anyio.sleep_forever()
    assert len(lines_of(tmp_path)) == 1


async def test_a_failure_of_the_sound_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtagent.audio._recorder._WAITING_S", 0.0)
    with pytest.raises(AudioFileError, match=r"conversation\.wav: the disk is too slow"):
        async with SessionRecording(tmp_path) as recording:
            recording.near(AudioBlock(tone(500, 1), recording.started_at))


async def test_events_that_find_the_queue_full_are_left_out_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rtagent.recording._WAITING_EVENTS", 2)
    monkeypatch.setattr("rtagent.recording._FLUSH_S", 60.0)
    recording = await SessionRecording(tmp_path).__aenter__()
    for second in range(4):
        recording.record_event(recording.started_at + second, "client", events.ResponseCancel())
    with pytest.raises(AudioFileError, match=r"events\.jsonl: 2 events left out"):
        await recording.__aexit__(None, None, None)
    assert lines_of(tmp_path)[1:] == [
        {"at": 1.0, "direction": "client", "event": {"type": "response.cancel"}},
        {"at": 2.0, "direction": "session", "event": {"type": "rtagent.EventsLeftOut", "count": 2}},
    ]


async def test_lines_reach_the_file_while_the_conversation_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rtagent.recording._FLUSH_S", 0.001)
    pipe = tmp_path / "events.jsonl"
    os.mkfifo(pipe)
    read: list[str] = []

    def first_line() -> None:
        with pipe.open() as reader:
            read.append(reader.readline())

    async with anyio.create_task_group() as group:
        group.start_soon(to_thread.run_sync, first_line)
        async with SessionRecording(tmp_path) as recording:
            recording.record_event(recording.started_at, "client", events.ResponseCancel())
            with anyio.fail_after(10):
                while not read:
                    await anyio.lowlevel.checkpoint()
    assert json.loads(read[0])["event"] == {"type": "response.cancel"}


# -- reading -----------------------------------------------------------------------------------------

GOOD = '{"at": 1, "direction": "client", "event": {"type": "x"}}'


@pytest.mark.parametrize(
    "bad",
    [
        "{",
        "",
        "[]",
        '{"at": "1", "direction": "client", "event": {"type": "x"}}',
        '{"at": NaN, "direction": "client", "event": {"type": "x"}}',
        '{"at": 1, "direction": "sideways", "event": {"type": "x"}}',
        '{"at": 1, "direction": "client", "event": {}}',
        '{"at": 1, "direction": "client", "event": {"type": 3}}',
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(f"{GOOD}\n{bad}\n{GOOD}\n")
    lines = read_events(path)
    assert next(lines) == RecordedEvent(1.0, "client", {"type": "x"})
    with pytest.raises(ConfigurationError, match=r"events\.jsonl, line 2: "):
        next(lines)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.jsonl cannot be read: No such file"):
        list(read_events(tmp_path / "none.jsonl"))
