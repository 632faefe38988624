from __future__ import annotations

import pytest

from rtagent.audio._echo import HalfDuplexGate
from rtagent.audio._echo_hold import HeldBack
from rtagent.audio._format import AudioBlock

BLOCK_MS = 20.0
LOUD = b"\x00\x10" * 480


class Gate(HalfDuplexGate):
    """A gate that a test opens and shuts."""

    @property
    def is_open(self) -> bool:
        return self.opened

    opened = True


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def held(gate: Gate) -> HeldBack:
    return HeldBack(gate, BLOCK_MS)


class Stream:
    """Numbered blocks, as the microphone hears them and as the gate leaves them."""

    def __init__(self, gate: Gate, held: HeldBack) -> None:
        self.gate, self.held, self.now = gate, held, 0

    def go_on(self, blocks: int = 1, *, opened: bool) -> list[list[AudioBlock]]:
        told = []
        for _ in range(blocks):
            self.gate.opened = opened
            heard = AudioBlock(LOUD, float(self.now))
            told.append(self.held.take(heard, heard if opened else AudioBlock(bytes(960), heard.at)))
            self.now += 1
        return told


def numbers(told: list[list[AudioBlock]]) -> list[int]:
    return [round(block.at) for at_once in told for block in at_once]


def test_an_open_gate_delays_nothing(gate: Gate, held: HeldBack) -> None:
    told = Stream(gate, held).go_on(10, opened=True)
    assert [len(at_once) for at_once in told] == [1] * 10
    assert held.held_ms == 0


def test_the_delay_grows_by_a_block_for_two_and_has_a_limit(gate: Gate, held: HeldBack) -> None:
    stream = Stream(gate, held)
    told = stream.go_on(100, opened=False)
    assert [len(at_once) for at_once in told[:24]] == [0, 1] * 12
    assert [len(at_once) for at_once in told[24:]] == [1] * 76
    assert held.held_ms == 240
    assert numbers(told) == list(range(88))
    assert not any(any(block.pcm) for at_once in told for block in at_once)


def test_a_word_is_told_from_its_beginning_and_then_nothing_is_late(gate: Gate, held: HeldBack) -> None:
    stream = Stream(gate, held)
    before = stream.go_on(100, opened=False)
    gate.recalled_ms = 90.0
    at_once, *after = stream.go_on(5, opened=True)
    assert numbers([*before, at_once, *after]) == list(range(105)), "each once, in order"
    assert [any(block.pcm) for block in at_once] == [False] * 7 + [True] * 6
    assert at_once[7].pcm != LOUD, "it begins on a ramp"
    assert at_once[7].pcm[:2] == b"\0\0"
    assert all(block.pcm == LOUD for block in at_once[8:])
    assert [len(each) for each in after] == [1] * 4
    assert held.recalled_ms == 100
    assert held.held_ms == 0


def test_no_more_is_told_than_is_held(gate: Gate, held: HeldBack) -> None:
    stream = Stream(gate, held)
    stream.go_on(6, opened=False)
    gate.recalled_ms = 900.0
    (at_once,) = stream.go_on(opened=True)
    assert numbers([at_once]) == [3, 4, 5, 6]
    assert held.recalled_ms == 60


def test_where_nobody_talked_silence_stays_silence(gate: Gate, held: HeldBack) -> None:
    stream = Stream(gate, held)
    stream.go_on(100, opened=False)
    gate.recalled_ms = 0.0
    (at_once,) = stream.go_on(opened=True)
    assert not any(any(block.pcm) for block in at_once[:-1])
    assert at_once[-1].pcm == LOUD
    assert held.recalled_ms == 0


def test_blocks_longer_than_the_limit_are_not_held(gate: Gate) -> None:
    stream = Stream(gate, HeldBack(gate, 500))
    assert numbers(stream.go_on(5, opened=False)) == [0, 1, 2, 3, 4]


def test_a_new_stream_begins_with_nothing(gate: Gate, held: HeldBack) -> None:
    stream = Stream(gate, held)
    stream.go_on(50, opened=False)
    held.reset()
    assert numbers(stream.go_on(opened=True)) == [50]
