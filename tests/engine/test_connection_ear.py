"""One recogniser at work, with its failures."""

from __future__ import annotations

from collections import deque
from typing import Any

import anyio
import pytest

from rtagent.audio import AudioFormat
from rtagent.engine import _connection_ear as ear_module
from rtagent.engine._connection_ear import Ear
from rtagent.engine._connection_outbox import Bell
from rtagent.engine._conversation_work import Conclude, Feed, Forget, LearnTools, PartKey
from rtagent.errors import ConfigurationError

PCM = AudioFormat.pcm16()


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
    parts.recognizer.script = deque(["whole"])
    ear = Ear(lambda: parts.recognizer, heard, bell)
    pcm16k = AudioFormat.pcm16(16_000)
    await work_off(
        ear, bell, Feed(A, pcm16k, bytes(320)), Forget(A), Feed(B, pcm16k, bytes(640)), Conclude(B)
    )
    assert heard.told[-1] == ("recognised", "b", "whole")
    assert parts.recognizer.heard == [640]


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


async def test_a_broken_recogniser_is_replaced(parts: Any):
    made: list[Any] = []

    def make() -> Any:
        made.append(type(parts.recognizer)([RuntimeError("broken")] if not made else ["whole"]))
        return made[-1]

    bell, heard = Bell(), Heard()
    ear = Ear(make, heard, bell)
    first: list[Feed | Conclude] = [Feed(A, PCM, bytes(960)), Conclude(A)]
    await work_off(ear, bell, *first, LearnTools(()), Feed(B, PCM, bytes(960)), Conclude(B))
    assert heard.told[-1] == ("recognised", "b", "whole")
    assert ("unheard", "a", "the recogniser failed: broken") in heard.told
    assert [recognizer.running for recognizer in made] == [False, False]


async def test_tools_that_it_cannot_learn_do_not_cost_the_next_utterance(parts: Any):
    class Unteachable(type(parts.recognizer)):  # type: ignore[misc]
        async def set_tools(self, tools: Any) -> None:
            if tools:
                message = "too many"
                raise RuntimeError(message)
            await super().set_tools(tools)

    made: list[Any] = []

    def make() -> Any:
        made.append(Unteachable(["one", "two"]))
        return made[-1]

    bell, heard = Bell(), Heard()
    ear = Ear(make, heard, bell)
    one: list[Feed | Conclude] = [Feed(A, PCM, bytes(960)), Conclude(A)]
    other: list[Feed | Conclude] = [Feed(B, PCM, bytes(960)), Conclude(B)]
    await work_off(ear, bell, *one, LearnTools([{}]), LearnTools(()), Forget(A), *other)
    assert heard.told[-1] == ("recognised", "b", "one")
    assert len(made) == 2
