"""A translation session, from the program's side, against a server that speaks its vocabulary."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from rtagent import events
from rtagent.audio import ArraySource, AudioFormat, Heard, PlaybackItem
from rtagent.errors import (
    AudioUnavailable,
    ConnectionLost,
    LocalProtocolError,
    SessionClosed,
    Timeout,
    Unsupported,
)
from rtagent.events import translation
from rtagent.session import Session
from rtagent.session._modes import translation_config
from rtagent.session._translator import Passage, Translator

if TYPE_CHECKING:
    from .conftest import RawServer

SECOND = bytes(48_000)
LOUD = b"\x00\x40" * 2_400
SNAPSHOT: dict[str, Any] = {
    "id": "sess_1",
    "type": "translation",
    "model": "gpt-realtime-translate",
    "audio": {"output": {"language": "es"}},
}
CLOSED = {"type": "session.closed", "event_id": "e"}


def source(text: str, elapsed_ms: int | None = None) -> dict[str, Any]:
    return {
        "type": "session.input_transcript.delta",
        "event_id": "e",
        "delta": text,
        "elapsed_ms": elapsed_ms,
    }


def translated(text: str, elapsed_ms: int | None = None) -> dict[str, Any]:
    return {**source(text, elapsed_ms), "type": "session.output_transcript.delta"}


def voice(pcm: bytes = LOUD) -> dict[str, Any]:
    return {
        "type": "session.output_audio.delta",
        "event_id": "e",
        "delta": base64.b64encode(pcm).decode(),
        "channels": 1,
        "format": "pcm16",
        "sample_rate": 24_000,
    }


@asynccontextmanager
async def translating(server: RawServer) -> AsyncIterator[Translator]:
    await server.send({"type": "session.created", "event_id": "e", "session": SNAPSHOT})
    async with anyio.create_task_group() as group:
        group.start_soon(configure, server)
        async with Session(
            server.transport, config=translation_config("es"), dialect=events.TRANSLATION
        ) as session:
            async with Translator(session, session.dialect) as translator:
                yield translator


async def configure(server: RawServer) -> None:
    update = await server.expect("session.update")
    assert update["session"] == {
        "audio": {
            "output": {"language": "es"},
            "input": {"transcription": {"model": "gpt-realtime-whisper"}},
        }
    }
    await server.send({"type": "session.updated", "event_id": "e", "session": SNAPSHOT})


async def take_leave(server: RawServer, *last_words: dict[str, Any], then_hang_up: bool = False) -> None:
    await server.expect("session.close")
    await server.send(*last_words, CLOSED)
    if then_hang_up:
        await server.close()


class SlowSink:
    """A mouth that has heard nothing until the test says so."""

    format = AudioFormat.pcm16(24_000)

    def __init__(self, *, broken: bool = False) -> None:
        self.played = bytearray()
        self.let_go = anyio.Event()
        self.stopped = False
        self._broken = broken
        self._item_id = ""

    async def __aenter__(self) -> SlowSink:
        if self._broken:
            raise AudioUnavailable("no_output_device", "Plug one in.")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        return

    def play(self, item: PlaybackItem, pcm: bytes) -> None:
        self.played += pcm
        self._item_id = item.item_id

    def stop(self) -> Heard:
        self.stopped = True
        return self.heard()

    def heard(self) -> Heard:
        ms = self.format.ms_of(len(self.played)) if self.let_go.is_set() else 0.0
        return Heard({self._item_id: ms} if self._item_id else {})

    async def wait_drained(self) -> None:
        await self.let_go.wait()


async def all_of(translator: Translator) -> list[Passage]:
    return [passage async for passage in translator]


async def test_both_texts_come_as_they_are_written(raw_server: RawServer) -> None:
    async with translating(raw_server) as translator, anyio.create_task_group() as group:
        assert translator.append_audio(SECOND) == 0.0
        await raw_server.send(source("Good ", 200), source("morning.", 400), translated("Buenos", 400))
        group.start_soon(take_leave, raw_server, translated(" días.", 600))
        await translator.finish()
        assert await all_of(translator) == [
            Passage("source", "Good ", 200),
            Passage("source", "morning.", 400),
            Passage("translation", "Buenos", 400),
            Passage("translation", " días.", 600),
        ]
        assert (translator.source_text, translator.text) == ("Good morning.", "Buenos días.")
        assert translator.dropped == 0
        assert isinstance(translator.config, translation.TranslationSession)
        assert [entry.role for entry in translator.session.history] == ["user", "assistant"]
    assert raw_server.appended == SECOND


async def test_only_a_server_that_speaks_the_vocabulary_can_translate(raw_server: RawServer) -> None:
    with pytest.raises(Unsupported, match="translation sessions"):
        Translator(Session(raw_server.transport), events.GA)


async def test_finishing_waits_until_the_last_word_was_heard(raw_server: RawServer) -> None:
    sink = SlowSink()
    finished = anyio.Event()
    async with translating(raw_server) as translator, anyio.create_task_group() as group:
        attachment = translator.attach(sink=sink)
        await attachment.wait_open()

        async def finish() -> None:
            await translator.finish()
            finished.set()

        group.start_soon(finish)
        await take_leave(raw_server, voice())
        await anyio.wait_all_tasks_blocked()
        assert bytes(sink.played) == LOUD
        assert (finished.is_set(), translator.session.state) == (False, "speaking")
        sink.let_go.set()
        await finished.wait()
        await anyio.wait_all_tasks_blocked()
        assert translator.session.state == "listening"
        assert not sink.stopped


async def test_leaving_the_block_finishes_first(raw_server: RawServer) -> None:
    sink = SlowSink()
    sink.let_go.set()
    async with anyio.create_task_group() as group:
        async with translating(raw_server) as translator:
            translator.attach(sink=sink)
            group.start_soon(take_leave, raw_server, voice(), translated("Adiós."))
        assert bytes(sink.played) == LOUD
        assert await all_of(translator) == [Passage("translation", "Adiós.")]


async def test_a_program_that_fails_does_not_wait(raw_server: RawServer) -> None:
    with pytest.raises(ExceptionGroup) as failed:
        async with translating(raw_server):
            raise ZeroDivisionError
    assert isinstance(failed.value.exceptions[0], ZeroDivisionError)
    assert await raw_server.silent()


async def test_silence_flows_while_the_ears_are_muted(raw_server: RawServer) -> None:
    async with translating(raw_server) as translator, anyio.create_task_group() as group:
        attachment = translator.attach(ArraySource(b"\x00\x40" * 24_000, rate=24_000, pace=None))
        attachment.mute()
        await attachment.wait_source_ended()
        group.start_soon(take_leave, raw_server)
        await translator.finish()
    assert raw_server.appended == SECOND


async def test_after_the_end_nothing_more_is_taken(raw_server: RawServer) -> None:
    async with translating(raw_server) as translator, anyio.create_task_group() as group:
        translator.attach(ArraySource(SECOND, rate=24_000, pace=None))
        group.start_soon(take_leave, raw_server)
        await translator.finish()
        with pytest.raises(LocalProtocolError, match="finish"):
            translator.append_audio(SECOND)
        with pytest.raises(LocalProtocolError, match="finish"):
            translator.attach()


async def test_a_server_that_does_not_take_leave_is_reported(raw_server: RawServer) -> None:
    async with translating(raw_server) as translator:
        with pytest.raises(Timeout, match="the end of the translation"):
            await translator.finish(timeout=0.01)
        assert await all_of(translator) == []


async def test_a_lost_session_is_reported_after_what_was_said(raw_server: RawServer) -> None:
    async with translating(raw_server) as translator:
        await raw_server.send(translated("Hola."))
        await raw_server.close(1011)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(ConnectionLost):
            await translator.finish()
        assert await anext(translator) == Passage("translation", "Hola.")
        with pytest.raises(ConnectionLost):
            await anext(translator)


async def test_a_session_that_is_lost_while_it_finishes_is_reported(raw_server: RawServer) -> None:
    async def hang_up() -> None:
        await raw_server.expect("session.close")
        await raw_server.close()

    async with translating(raw_server) as translator, anyio.create_task_group() as group:
        group.start_soon(hang_up)
        with pytest.raises(ConnectionLost):
            await translator.finish()


async def test_a_session_that_we_closed_cannot_be_finished(raw_server: RawServer) -> None:
    async with translating(raw_server) as translator:
        await raw_server.transport.aclose()
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(SessionClosed):
            await translator.finish()


async def test_an_unclean_end_does_not_hide_how_the_block_ended(
    raw_server: RawServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse() -> None:
        await raw_server.expect("session.close")
        await raw_server.close(1011)

    caplog.set_level("INFO", "rtagent")
    async with anyio.create_task_group() as group:
        async with translating(raw_server) as translator:
            group.start_soon(refuse)
    assert "was not finished" in caplog.text
    with pytest.raises(ConnectionLost):
        await all_of(translator)


async def test_a_mouth_that_cannot_speak_is_reported(raw_server: RawServer) -> None:
    async with translating(raw_server) as translator, anyio.create_task_group() as group:
        translator.attach(sink=SlowSink(broken=True))
        group.start_soon(take_leave, raw_server)
        with pytest.raises(AudioUnavailable, match="Plug one in"):
            await translator.finish()


async def test_a_mouth_that_was_taken_away_is_not_waited_for(raw_server: RawServer) -> None:
    async with translating(raw_server) as translator, anyio.create_task_group() as group:
        attachment = translator.attach(sink=SlowSink())
        await attachment.wait_open()
        attachment.detach()
        await anyio.wait_all_tasks_blocked()
        group.start_soon(take_leave, raw_server, voice())
        await translator.finish()


async def test_the_last_words_are_heard_though_the_server_hangs_up(raw_server: RawServer) -> None:
    sink = SlowSink()
    async with translating(raw_server) as translator, anyio.create_task_group() as group:
        await translator.attach(sink=sink).wait_open()

        async def take_leave_and_hang_up() -> None:
            await take_leave(raw_server, voice(), then_hang_up=True)
            await anyio.wait_all_tasks_blocked()
            assert not sink.stopped
            sink.let_go.set()

        group.start_soon(take_leave_and_hang_up)
        await translator.finish()
        assert bytes(sink.played) == LOUD
