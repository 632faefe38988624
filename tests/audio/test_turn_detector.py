from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.audio import AudioBlock, AudioFormat, EnergyDetector, SpeechStarted, TurnDetector
from rtagent.audio._turn_detector import TurnMove
from rtagent.errors import ConfigurationError

RATE = 24_000
FORMAT = AudioFormat.pcm16(RATE)
BEGIN_S = 100.0


class Scripted:
    """Takes the loudest sample of a frame for its probability in thousandths."""

    def __init__(self, rate: int = RATE, frame_ms: float = 20.0) -> None:
        self.rate = rate
        self.frame_ms = frame_ms
        self.resets = 0

    def probability(self, frame: bytes) -> float:
        assert len(frame) == round(self.rate * self.frame_ms / 1000) * 2
        loudest = int(np.frombuffer(frame, "<i2").max())
        return math.nan if loudest > 1000 else max(0, loudest) / 1000

    def reset(self) -> None:
        self.resets += 1


def sound(*parts: tuple[float, float], rate: int = RATE) -> bytes:
    """PCM16 from pairs of a probability and for how many milliseconds."""
    return b"".join(np.full(round(ms * rate / 1000), round(p * 1000), "<i2").tobytes() for p, ms in parts)


def cut(data: bytes, sizes: Iterable[int], rate: int = RATE) -> list[AudioBlock]:
    """The same stream in blocks of so many samples, the rest in one."""
    blocks: list[AudioBlock] = []
    start = 0
    for size in [*sizes, len(data) // 2]:
        blocks.append(AudioBlock(data[2 * start : 2 * (start + size)], BEGIN_S + start / rate))
        start = min(start + size, len(data) // 2)
    return blocks


def told(detector: TurnDetector, blocks: Iterable[AudioBlock]) -> list[TurnMove]:
    return [move for block in blocks for move in detector.feed(block)]


def places(moves: Iterable[TurnMove]) -> list[tuple[str, float]]:
    return [("+" if isinstance(move, SpeechStarted) else "-", move.position_ms) for move in moves]


def whole(data: bytes) -> list[AudioBlock]:
    return [AudioBlock(data, BEGIN_S)]


TABLE: dict[str, tuple[Sequence[tuple[float, float]], list[tuple[str, float]]]] = {
    "silence": ([(0, 3000)], []),
    "a sentence": ([(0, 1000), (0.9, 600), (0, 1000)], [("+", 1000), ("-", 1600)]),
    "from the first sample on": ([(1, 600), (0, 600)], [("+", 0), ("-", 600)]),
    "a click": ([(0, 1000), (1, 1), (0, 1000)], []),
    "a click between two frames": ([(0, 999), (1, 2), (0, 1000)], []),
    "two frames are too short": ([(0, 100), (1, 40), (0, 1000)], []),
    "three frames are speech": ([(0, 100), (1, 60), (0, 1000)], [("+", 100), ("-", 160)]),
    "a pause that is short enough": ([(1, 100), (0, 480), (1, 100), (0, 500)], [("+", 0), ("-", 680)]),
    "a pause that is too long": (
        [(1, 100), (0, 500), (1, 100), (0, 500)],
        [("+", 0), ("-", 100), ("+", 600), ("-", 700)],
    ),
    "just at the threshold": ([(0.5, 100), (0, 600)], [("+", 0), ("-", 100)]),
    "never at the threshold": ([(0.49, 3000)], []),
    "it goes on below the threshold": ([(0.5, 20), (0.36, 2000), (0, 600)], [("+", 0), ("-", 2020)]),
    "it does not go on far below": ([(0.5, 100), (0.34, 2000)], [("+", 0), ("-", 100)]),
    "a beginning that falls back": ([(1, 40), (0.3, 20), (1, 40), (0, 600)], []),
    "no number is no speech": ([(2, 3000)], []),
    "no number in the midst of speech": ([(1, 100), (2, 500)], [("+", 0), ("-", 100)]),
    "without an end": ([(0, 200), (1, 5000)], [("+", 200)]),
}


@pytest.mark.parametrize(("parts", "moves"), TABLE.values(), ids=TABLE)
def test_when_speech_begins_and_ends(
    parts: Sequence[tuple[float, float]], moves: list[tuple[str, float]]
) -> None:
    assert places(told(TurnDetector(Scripted(), format=FORMAT), whole(sound(*parts)))) == moves


def test_each_move_comes_as_soon_as_it_can_be_known() -> None:
    detector = TurnDetector(Scripted(), format=FORMAT)
    blocks = cut(sound((0, 1000), (1, 1000), (0, 1000)), [480] * 149)
    known = {index: move for index, block in enumerate(blocks) for move in detector.feed(block)}
    assert list(known) == [52, 124]  # the third frame of speech, the 25th of silence
    assert places(known.values()) == [("+", 1000), ("-", 2000)]
    assert [move.at for move in known.values()] == pytest.approx([101, 102])
    assert detector.last_move == known[124]


streams = st.lists(
    st.tuples(st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0, 2.0]), st.integers(0, 900)), min_size=1, max_size=8
)
cuts = st.lists(st.one_of(st.just(0), st.integers(1, 50), st.integers(51, 30_000)), max_size=40)
rates = st.sampled_from(
    [(24_000, 24_000, 20.0), (24_000, 16_000, 32.0), (8_000, 16_000, 32.0), (22_050, 16_000, 32.0)]
)


@given(parts=streams, sizes=cuts, kind=rates)
def test_however_a_stream_is_cut_the_moves_are_the_same(
    parts: list[tuple[float, float]], sizes: list[int], kind: tuple[int, int, float]
) -> None:
    rate, heard_rate, frame_ms = kind
    data = sound(*parts, rate=rate)

    def moves(blocks: list[AudioBlock]) -> tuple[list[TurnMove], bytes, float]:
        detector = TurnDetector(
            Scripted(heard_rate, frame_ms), format=AudioFormat.pcm16(rate), silence_ms=200, keep_ms=900
        )
        found = [*told(detector, blocks), *detector.finish()]
        return found, b"".join(block.pcm for block in detector.speech()), detector.statistics().forgotten_ms

    expected, speech, forgotten_ms = moves([AudioBlock(data, BEGIN_S)])
    found, speech_in_pieces, forgotten_in_pieces_ms = moves(cut(data, sizes, rate))
    assert places(found) == places(expected)
    assert [move.at for move in found] == pytest.approx(
        [BEGIN_S + move.position_ms / 1000 for move in expected]
    )
    assert speech_in_pieces == speech
    assert speech in data
    assert forgotten_in_pieces_ms == forgotten_ms
    assert all(before != after for (before, _), (after, _) in pairwise(places(found)))  # they take turns
    assert [position for _, position in places(found)] == sorted(position for _, position in places(found))


@given(
    before_ms=st.integers(0, 2000),
    speech_ms=st.integers(100, 1500),
    pre_roll_ms=st.integers(0, 700),
    size=st.integers(100, 20_000),
    kind=rates,
)
def test_speech_begins_with_its_pre_roll(
    before_ms: int, speech_ms: int, pre_roll_ms: int, size: int, kind: tuple[int, int, float]
) -> None:
    rate, heard_rate, frame_ms = kind
    wanted = AudioFormat.pcm16(rate)
    detector = TurnDetector(Scripted(heard_rate, frame_ms), format=wanted, pre_roll_ms=pre_roll_ms)
    data = sound((0, before_ms), (0.7, speech_ms), (0, 50), rate=rate)
    moves = told(detector, cut(data, [size] * (len(data) // 2 // size), rate))
    assert len(moves) == 1
    assert detector.speaking
    pieces = detector.speech()
    shift_ms = moves[0].position_ms - (pieces[0].at - BEGIN_S) * 1000
    assert shift_ms >= min(pre_roll_ms, moves[0].position_ms) - 0.2
    assert shift_ms < pre_roll_ms + frame_ms + 0.2
    joined = b"".join(piece.pcm for piece in pieces)
    start = round((pieces[0].at - BEGIN_S) * rate)
    assert joined == data[2 * start : 2 * start + len(joined)]
    assert len(joined) + 2 * start > len(data) - detector.piece_bytes  # up to now


def test_a_long_turn_keeps_its_newest_audio_and_counts_the_rest() -> None:
    detector = TurnDetector(Scripted(), format=FORMAT, keep_ms=2000)
    told(detector, whole(sound((0, 1000), (1, 10_000))))
    assert FORMAT.ms_of(sum(len(piece.pcm) for piece in detector.speech())) == 2000
    assert detector.speech()[-1].at == pytest.approx(BEGIN_S + 10.98)
    assert detector.statistics().forgotten_ms == pytest.approx(300 + 10_000 - 2000)


def test_speech_stays_until_the_next_one_begins() -> None:
    detector = TurnDetector(Scripted(), format=FORMAT)
    assert detector.speech() == ()
    told(detector, whole(sound((0, 1000), (1, 200), (0, 1000))))
    first = detector.speech()
    assert not detector.speaking
    assert FORMAT.ms_of(sum(len(piece.pcm) for piece in first)) == 300 + 200 + 500
    told(detector, whole(sound((0, 5000))))
    assert detector.speech() == first
    told(detector, whole(sound((1, 100))))
    assert detector.speech() != first
    assert detector.speaking


def test_nothing_grows_with_silence() -> None:
    detector = TurnDetector(Scripted(), format=FORMAT)
    for _ in range(100):
        told(detector, whole(sound((0, 1000))))
    assert FORMAT.ms_of(sum(len(piece.pcm) for piece in detector._pieces)) == detector.look_back_ms < 500


def test_times_are_those_of_the_blocks_where_a_source_has_lost_some() -> None:
    detector = TurnDetector(Scripted(), format=FORMAT)
    moves = detector.feed(AudioBlock(sound((0, 1010)), 5.0))
    moves += detector.feed(AudioBlock(sound((0, 30), (1, 200), (0, 600)), 9.0))  # three seconds are missing
    assert [move.at for move in moves] == pytest.approx([9.03, 9.23])
    assert [move.position_ms for move in moves] == [1040, 1240]


def test_the_time_of_a_beginning_before_a_gap_is_that_before_it() -> None:
    detector = TurnDetector(Scripted(), format=FORMAT)
    moves = detector.feed(AudioBlock(sound((0, 1000), (1, 10)), 5.0))
    moves += detector.feed(AudioBlock(sound((1, 200)), 9.0))
    assert places(moves) == [("+", 1000)]
    assert moves[0].at == pytest.approx(6.0)


def test_the_end_is_found_again_with_the_least_that_can_be_kept() -> None:
    least = {"pre_roll_ms": 0, "start_ms": 0, "silence_ms": 512, "keep_ms": 512}
    detector = TurnDetector(Scripted(16_000, 32.0), format=FORMAT, **least)
    moves = told(detector, whole(sound((0, 640), (0.7, 3200), (0, 1000))))
    assert [move.at for move in moves] == pytest.approx([BEGIN_S + move.position_ms / 1000 for move in moves])
    assert moves[1].position_ms == pytest.approx(3840, abs=35)


def test_the_delay_of_the_resampler_is_no_part_of_a_place() -> None:
    detector = TurnDetector(Scripted(16_000, 32.0), format=FORMAT)
    (started,) = told(detector, whole(sound((0, 640), (0.7, 500))))
    assert (
        started.position_ms == 640 - 1.5
    )  # a frame at 16 kHz has come through the filter 1.5 ms later than its sound


def test_nothing_of_the_old_stream_is_in_the_new_one() -> None:
    heard: list[float] = []

    class Noting(Scripted):
        def probability(self, frame: bytes) -> float:
            heard.append(float(np.abs(np.frombuffer(frame, "<i2")).max()))
            return 0

    detector = TurnDetector(Noting(16_000, 32.0), format=FORMAT)
    detector.feed(AudioBlock(sound((1, 325)), 0.0))
    assert heard
    heard.clear()
    detector.reset()
    detector.feed(AudioBlock(sound((0, 320)), 0.0))
    assert heard == [0] * 10


def test_the_end_of_a_stream_ends_its_speech() -> None:
    scripted = Scripted()
    detector = TurnDetector(scripted, format=FORMAT)
    told(detector, whole(sound((0, 1000), (1, 210))))
    resets = scripted.resets
    ended = detector.finish()
    assert places(ended) == [("-", 1200)]
    assert ended[0].at == pytest.approx(BEGIN_S + 1.2)
    assert detector.last_move is ended[0]
    assert (
        FORMAT.ms_of(sum(len(piece.pcm) for piece in detector.speech())) == 300 + 210
    )  # the broken piece too
    assert scripted.resets == resets + 1
    assert detector.finish() == []
    assert places(told(detector, whole(sound((1, 200))))) == [
        ("+", 0)
    ]  # another stream, with places of its own


def test_reset_forgets_the_stream_and_not_the_counters() -> None:
    detector = TurnDetector(Scripted(), format=FORMAT)
    told(detector, whole(sound((1, 210)) + b"\0"))
    detector.reset()
    assert (detector.speaking, detector.speech(), detector.last_move) == (False, (), None)
    statistics = detector.statistics()
    assert (statistics.heard_ms, statistics.turns, statistics.broken_blocks) == (210, 1, 1)
    assert places(told(detector, whole(sound((0, 100), (1, 200))))) == [("+", 100)]


def test_a_broken_sample_is_left_out_and_does_not_turn_the_rest_to_noise() -> None:
    detector = TurnDetector(Scripted(), format=FORMAT)
    moves = detector.feed(AudioBlock(sound((0, 100)) + b"\x7f", 0.0))
    moves += detector.feed(AudioBlock(b"\x7f", 0.1))
    moves += detector.feed(AudioBlock(sound((0.6, 100)), 0.1))
    assert places(moves) == [("+", 100)]
    assert detector.statistics().broken_blocks == 2


def test_with_the_energy_detector_at_another_rate() -> None:
    detector = TurnDetector(EnergyDetector(16_000), format=FORMAT)
    times = np.arange(RATE) / RATE
    tone = (8000 * np.sin(2 * np.pi * 300 * times)).astype("<i2").tobytes()
    moves = told(detector, whole(bytes(2 * RATE) + tone + bytes(2 * RATE)))
    assert [kind for kind, _ in places(moves)] == ["+", "-"]
    assert [move.position_ms for move in moves] == pytest.approx([1000, 2000], abs=25)


@pytest.mark.parametrize("layout", [AudioFormat.pcmu(), AudioFormat("pcm16", 24_000, 2)])
def test_only_mono_pcm16(layout: AudioFormat) -> None:
    with pytest.raises(ConfigurationError, match="mono PCM16"):
        TurnDetector(Scripted(), format=layout)


@pytest.mark.parametrize(
    "settings",
    [
        {"threshold": 0.0},
        {"threshold": 1.1},
        {"threshold": math.nan},
        {"hysteresis": 0.5},
        {"hysteresis": -0.1},
        {"start_ms": -1},
        {"silence_ms": math.inf},
        {"silence_ms": math.nan},
        {"pre_roll_ms": -1},
        {"keep_ms": 100},
        {"keep_ms": math.nan},
    ],
)
def test_settings_that_cannot_be(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        TurnDetector(Scripted(), format=FORMAT, **settings)
