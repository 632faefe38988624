"""The parent's end of the open-vocabulary listener, with a real child and with children that misbehave."""

from __future__ import annotations

import io
import os
import signal
import sys
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing
from importlib.resources import files
from pathlib import Path

import anyio
import pytest

from rtagent.engine import _ears_child
from rtagent.engine._ears_child import Heard, OpenListener
from rtagent.engine._listener import frame

pytestmark = pytest.mark.timeout(180)

WAIT_S = 60.0
"""For a result of the real child on a machine that is busy."""
WEATHER = "what is the weather in london"
START = "import sys, struct, json\n"
TELL = START + (
    "def tell(kind, content):\n"
    "    content = content if isinstance(content, bytes) else json.dumps(content).encode()\n"
    "    sys.stdout.buffer.write(struct.pack('>cI', kind, len(content)) + content)\n"
    "    sys.stdout.buffer.flush()\n"
)
AT_THE_FIRST_FRAME = TELL + "sys.stdin.buffer.read(1)\n"
STAY = "sys.stdin.buffer.read()\n"

Program = Callable[[str], OpenListener]


@pytest.fixture
async def program() -> AsyncIterator[Program]:
    """Listeners whose child is a few lines of Python; closed at the end."""
    async with AsyncExitStack() as opened:

        def listener(code: str) -> OpenListener:
            made = OpenListener([sys.executable, "-c", code])
            opened.push_async_callback(made.aclose)
            return made

        yield listener


def recording(name: str) -> bytes:
    content = (files("rtagent.cli") / "caller" / name).read_bytes()
    with wave.open(io.BytesIO(content)) as sound:
        speech: bytes = sound.readframes(sound.getnframes())
    return bytes(16_000) + speech + bytes(16_000)


async def feed(listener: OpenListener, pcm: bytes) -> None:
    for at in range(0, len(pcm), 6400):
        await listener.feed(pcm[at : at + 6400])


async def feed_until_given_up(listener: OpenListener) -> None:
    """At most 64 MB: far more than a pipe holds."""
    for _ in range(1000):
        if listener.failure is not None:
            return
        await listener.feed(bytes(1 << 16))


@pytest.mark.slow
async def test_a_child_hears_one_utterance_after_the_other() -> None:
    async with aclosing(OpenListener()) as listener:
        await listener.start()
        await listener.start()
        for _ in range(2):
            await feed(listener, recording("02_weather.wav"))
            heard = await listener.finish(WAIT_S)
            assert heard is not None
            assert heard.text == WEATHER
            assert WEATHER in heard.alternatives
            assert await listener.partial() == ""
        await feed(listener, recording("01_light.wav"))
        await listener.drop()
        await feed(listener, recording("02_weather.wav"))
        assert (await listener.finish(WAIT_S) or Heard("")).text == WEATHER
        assert await listener.finish(WAIT_S) == Heard("")
        assert listener.failure is None


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
async def test_a_killed_child_is_given_up(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    code = (
        f"import os, pathlib; pathlib.Path({str(told)!r}).write_text(str(os.getpid()))\n"
        "from rtagent.engine._listener import main; main()"
    )
    async with aclosing(OpenListener([sys.executable, "-c", code])) as listener:
        await listener.start()
        assert await listener.finish(WAIT_S) == Heard("")
        os.kill(int(told.read_text()), signal.SIGKILL)
        with anyio.fail_after(WAIT_S):
            await feed(listener, recording("02_weather.wav"))
            assert await listener.finish(WAIT_S) is None
        assert listener.failure == "the listener ended"


async def test_partial_texts_arrive_and_end_with_their_utterance(program: Program) -> None:
    listener = program(
        TELL + "size = 5\n"
        "sys.stdin.buffer.read(size)\n"
        "tell(b'P', {'number': 1, 'text': 'what is'})\n"
        "sys.stdin.buffer.read(size)\n"
        "tell(b'R', {'number': 1, 'text': 'what is it', 'alternatives': ['what is in']})\n" + STAY
    )
    await listener.start()
    assert await listener.partial() == ""
    await listener.feed(b"")
    with anyio.fail_after(WAIT_S):
        while not (text := await listener.partial()):
            await anyio.lowlevel.checkpoint()
    assert text == "what is"
    assert await listener.finish(WAIT_S) == Heard("what is it", ("what is in",))
    assert await listener.partial() == ""


async def test_a_late_result_is_not_taken_for_the_next_one(program: Program) -> None:
    listener = program(
        TELL + "sys.stdin.buffer.read(10)\n"
        "tell(b'R', {'number': 1, 'text': 'late', 'alternatives': []})\n"
        "tell(b'R', {'number': 2, 'text': 'in time', 'alternatives': []})\n" + STAY
    )
    await listener.start()
    assert await listener.finish(0.01) is None
    assert listener.failure is None
    assert await listener.finish(WAIT_S) == Heard("in time")


@pytest.mark.parametrize(
    "command", [["/no/such/program"], [str(Path(__file__).parent)]], ids=["missing", "a folder"]
)
async def test_a_command_that_cannot_start_is_told_and_costs_nothing(command: list[str]) -> None:
    listener = OpenListener(command)
    await listener.start()
    assert listener.failure is not None
    assert listener.failure.startswith("the listener could not be started: ")
    failure = listener.failure
    await listener.start()
    await listener.feed(bytes(640))
    await listener.drop()
    assert await listener.partial() == ""
    assert await listener.finish(WAIT_S) is None
    await listener.aclose()
    assert listener.failure == failure


async def test_a_listener_that_was_never_started_does_not_wait() -> None:
    listener = OpenListener()
    await listener.feed(bytes(640))
    assert await listener.finish(WAIT_S) is None
    assert listener.failure == "the listener is not running"


async def test_closing_ends_it_for_good(program: Program) -> None:
    listener = program(START + STAY)
    await listener.start()
    await listener.aclose()
    await listener.aclose()
    assert listener.failure == "the listener is closed"
    await listener.start()
    await listener.feed(bytes(640))
    assert await listener.finish(WAIT_S) is None


async def test_closing_what_was_never_started() -> None:
    listener = OpenListener()
    await listener.aclose()
    assert listener.failure == "the listener is closed"


NONSENSE = {
    "words": "sys.stdout.buffer.write(b'hello, this is no frame at all'); sys.stdout.buffer.flush()\n",
    "no json": "tell(b'R', b'{')\n",
    "no text": "tell(b'R', b'\\xff\\xfe\\xff')\n",
    "no object": "tell(b'R', [1, 2])\n",
    "null": "tell(b'P', None)\n",
    "no number": "tell(b'P', {'text': 'what'})\n",
    "no alternatives": "tell(b'R', {'number': 1, 'text': 'what'})\n",
    "strange alternatives": "tell(b'R', {'number': 1, 'text': 'what', 'alternatives': 5})\n",
    "no reason": "tell(b'E', {})\n",
}


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE.keys())
async def test_a_child_that_talks_nonsense_is_given_up(program: Program, answer: str) -> None:
    listener = program(AT_THE_FIRST_FRAME + answer + STAY)
    await listener.start()
    assert await listener.finish(WAIT_S) is None
    assert listener.failure is not None
    assert listener.failure.startswith("the listener sent what is no frame: ")


async def test_a_child_says_why_it_cannot_work(program: Program) -> None:
    listener = program(AT_THE_FIRST_FRAME + "tell(b'E', {'reason': 'no model'})\n" + STAY)
    await listener.start()
    assert await listener.finish(WAIT_S) is None
    assert listener.failure == "no model"


@pytest.mark.parametrize(
    ("last_words", "failure"),
    [("tell(b'E', {'reason': 'no model'})\n", "no model"), ("", "the listener ended")],
)
async def test_a_child_that_ends_while_it_is_fed_is_given_up(
    program: Program, last_words: str, failure: str
) -> None:
    listener = program(AT_THE_FIRST_FRAME + last_words)
    await listener.start()
    with anyio.fail_after(WAIT_S):
        await feed_until_given_up(listener)
    assert listener.failure == failure


async def test_a_broken_pipe_without_a_reason_is_given_up(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_ears_child, "_EXIT_S", 0.1)
    listener = program(START + "import os, time\nos.close(0)\ntime.sleep(60)\n")
    await listener.start()
    with anyio.fail_after(WAIT_S):
        await feed_until_given_up(listener)
    assert listener.failure == "the listener ended"
    await listener.aclose()


async def test_a_child_that_takes_no_audio_is_given_up_and_killed(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_ears_child, "_FEED_S", 0.1)
    monkeypatch.setattr(_ears_child, "_EXIT_S", 0.1)
    listener = program("import time; time.sleep(60)")
    await listener.start()
    with anyio.fail_after(WAIT_S):
        await feed_until_given_up(listener)
        assert listener.failure == "the listener does not take its audio"
        assert await listener.finish(WAIT_S) is None
        await listener.aclose()


async def test_it_speaks_in_frames(program: Program) -> None:
    sent = frame(b"A", b"\1\2") + frame(b"D") + frame(b"F")
    listener = program(
        TELL + f"got = sys.stdin.buffer.read({len(sent)})\n"
        "tell(b'R', {'number': 2, 'text': got.hex(), 'alternatives': []})\n" + STAY
    )
    await listener.start()
    await listener.feed(b"\1\2")
    await listener.drop()
    assert await listener.finish(WAIT_S) == Heard(sent.hex())
