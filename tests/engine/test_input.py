"""The input buffer's arithmetic, and the times of turns in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.audio import AudioFormat, g711
from rtagent.engine._config import TurnTaking
from rtagent.engine._input import KEPT_SILENCE_MS, InputAudio, InputBuffer, detector_for, linear
from rtagent.engine._turns import SpeechStarted, SpeechStopped
from rtagent.engine._validation import MAX_APPEND_BYTES, Refusal

PCM = AudioFormat.pcm16(24_000)
TAKING = TurnTaking(0.5, 300, 500, None, create_response=True, interrupt_response=True)


def ms(duration: float, layout: AudioFormat = PCM) -> bytes:
    return bytes(layout.bytes_of(duration))


class Script:
    """A detector that answers by script and remembers what it was fed."""

    def __init__(self) -> None:
        self.made: list[tuple[int, TurnTaking]] = []
        self.fed = b""
        self.answers: list[list[SpeechStarted | SpeechStopped]] = []

    def __call__(self, rate: int, taking: TurnTaking) -> Script:
        self.made.append((rate, taking))
        self.fed = b""
        return self

    def feed(self, pcm: bytes) -> list[SpeechStarted | SpeechStopped]:
        self.fed += pcm
        return self.answers.pop(0) if self.answers else []


def test_time_goes_on_over_drops_and_formats():  # T7
    buffer = InputBuffer(PCM)
    buffer.append(ms(250))
    buffer.drop_before(100)
    assert (buffer.begins_ms, buffer.ends_ms, buffer.held_ms) == (100, 250, 150)
    buffer.clear()
    assert (buffer.begins_ms, buffer.ends_ms) == (250, 250)
    buffer.append(ms(50))
    buffer.change_format(AudioFormat.pcmu())
    assert (buffer.held_ms, buffer.begins_ms) == (0, 300)
    buffer.append(bytes(80))
    assert buffer.ends_ms == 310


def test_the_same_format_keeps_what_is_held():
    buffer = InputBuffer(PCM)
    buffer.append(ms(50))
    buffer.change_format(AudioFormat.pcm16(24_000))
    assert buffer.held_ms == 50


def test_a_span_is_cut_to_what_is_held():
    buffer = InputBuffer(PCM)
    buffer.append(b"\x01\x02" * 2400)
    assert len(buffer.between(-5, 1000)) == 4800
    assert len(buffer.between(20, 60)) == 48 * 40
    assert buffer.between(80, 20) == b""


def test_half_a_sample_waits_for_its_other_half():
    buffer = InputBuffer(PCM)
    buffer.append(b"\x01")
    assert (buffer.held_ms, buffer.between(0, 10)) == (0, b"")
    buffer.append(b"\x02\x03")
    assert buffer.between(0, 10) == b"\x01\x02"
    buffer.clear()
    buffer.append(b"\x04\x05")
    assert buffer.between(0, 10) == b"\x04\x05"


@given(st.lists(st.binary(max_size=99), max_size=20))
def test_however_it_is_cut_the_samples_are_the_same(pieces: list[bytes]):
    buffer = InputBuffer(PCM)
    for piece in pieces:
        buffer.append(piece)
    whole = b"".join(pieces)
    assert buffer.between(0, buffer.ends_ms) == whole[: len(whole) // 2 * 2]


def test_an_append_has_a_limit():
    buffer = InputBuffer(PCM)
    with pytest.raises(Refusal) as refusal:
        buffer.append(bytes(MAX_APPEND_BYTES + 1))
    assert (refusal.value.code, refusal.value.param) == ("invalid_value", "audio")
    assert buffer.held_ms == 0


def test_pending_audio_has_a_limit():
    buffer = InputBuffer(AudioFormat.pcmu())
    buffer.append(bytes(8 * 600_000))
    with pytest.raises(Refusal) as refusal:
        buffer.append(bytes(8))
    assert refusal.value.code == "input_audio_buffer_full"
    buffer.clear()
    buffer.append(bytes(8))
    assert buffer.held_ms == 1


@pytest.mark.parametrize("held_ms", [0, 99])
def test_a_turn_has_at_least_100_ms(held_ms: int):  # S18
    audio = InputAudio(PCM, None, Script())
    audio.append(ms(held_ms))
    with pytest.raises(Refusal) as refusal:
        audio.take()
    assert refusal.value.code == "input_audio_buffer_commit_empty"
    assert audio.buffer.held_ms == held_ms


def test_taking_empties_the_buffer():
    audio = InputAudio(PCM, None, Script())
    audio.append(ms(100))
    assert audio.take() == ms(100)
    assert audio.buffer.held_ms == 0


def test_without_turn_detection_nothing_watches():
    script = Script()
    audio = InputAudio(PCM, None, script)
    assert audio.append(ms(100)) == []
    assert script.made == []
    audio.append(ms(100_000))
    audio.forget_silence()
    assert audio.buffer.held_ms == 100_100


def test_the_times_of_a_later_detector_are_shifted():
    script = Script()
    audio = InputAudio(PCM, TAKING, script)
    audio.append(ms(400))
    audio.clear()
    script.answers = [[SpeechStarted(20), SpeechStopped(80)]]
    assert audio.append(ms(100)) == [SpeechStarted(420), SpeechStopped(480)]
    assert script.fed == ms(100)
    assert len(script.made) == 2


def test_speech_is_taken_with_its_padding_and_the_rest_stays():
    script = Script()
    audio = InputAudio(PCM, TAKING, script)
    audio.append(ms(500))
    audio.speech_began_ms = 200.0
    audio.append(ms(300))
    assert audio.take_speech(700) == ms(500)
    assert (audio.buffer.begins_ms, audio.buffer.ends_ms) == (700, 800)
    assert audio.speech_began_ms is None


def test_silence_is_forgotten_but_not_while_somebody_speaks():
    audio = InputAudio(PCM, TAKING, Script())
    audio.append(ms(KEPT_SILENCE_MS + 500))
    audio.speech_began_ms = 10.0
    audio.forget_silence()
    assert audio.buffer.begins_ms == 0
    audio.speech_began_ms = None
    audio.forget_silence()
    assert audio.buffer.begins_ms == 500


def test_a_new_configuration_watches_anew_and_an_equal_one_goes_on():
    script = Script()
    audio = InputAudio(PCM, TAKING, script)
    audio.append(ms(100))
    audio.speech_began_ms = 0.0
    assert not audio.configure(PCM, TAKING)
    assert audio.speech_began_ms == 0.0
    assert audio.configure(AudioFormat.pcma(), TAKING)
    assert audio.speech_began_ms is None
    assert [rate for rate, _ in script.made] == [24_000, 8_000]
    assert audio.configure(AudioFormat.pcma(), None)
    assert audio.append(bytes(800)) == []


@pytest.mark.parametrize("layout", [AudioFormat.pcmu(), AudioFormat.pcma()])
def test_the_detector_hears_linear_samples(layout: AudioFormat):
    script = Script()
    audio = InputAudio(layout, TAKING, script)
    quiet = g711.encode_ulaw(bytes(1600)) if layout.encoding == "pcmu" else g711.encode_alaw(bytes(1600))
    audio.append(quiet)
    assert script.fed == linear(quiet, layout)
    assert len(script.fed) == 1600
    assert script.made == [(8_000, TAKING)]


def test_the_engines_own_detector_finds_a_turn_in_real_samples():
    audio = InputAudio(PCM, TAKING, detector_for)
    silence, tone = ms(600), b"\x00\x20\x00\xe0" * 12_000
    turns = [turn for piece in (silence, tone, silence) for turn in audio.append(piece)]
    started, stopped = turns
    assert isinstance(started, SpeechStarted)
    assert isinstance(stopped, SpeechStopped)
    assert 250 <= started.audio_start_ms <= 400
    assert 2000 <= stopped.audio_end_ms <= 2200
