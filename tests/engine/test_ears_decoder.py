"""One decoder as a stream of utterances, with the recorded caller as the voice."""

from __future__ import annotations

import io
import json
import sys
import wave
from importlib.resources import files
from typing import Any

import pytest

from rtagent.cli._demo_agent import home_agent
from rtagent.engine._ears_decoder import SAMPLE_HZ, UtteranceDecoder, load_decoder
from rtagent.engine._grammar import grammar_of
from rtagent.errors import ConfigurationError

pytestmark = pytest.mark.timeout(120)

CALLER = files("rtagent.cli") / "caller"
TEXTS = {
    name: "".join(letter for letter in entry["text"].lower() if letter.isalpha() or letter == " ")
    for name, entry in json.loads((CALLER / "manifest.json").read_text(encoding="utf-8")).items()
}
LIGHT, WEATHER = "01_light.wav", "02_weather.wav"
HALF_SECOND = bytes(SAMPLE_HZ)


def recording(name: str) -> bytes:
    with wave.open(io.BytesIO((CALLER / name).read_bytes())) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (SAMPLE_HZ, 1, 2)
        speech: bytes = sound.readframes(sound.getnframes())
    return HALF_SECOND + speech + HALF_SECOND


def hear(hearing: UtteranceDecoder, pcm: bytes, size: int = 640) -> str:
    for at in range(0, len(pcm), size):
        hearing.feed(pcm[at : at + size])
    return hearing.finish()


@pytest.fixture(scope="module")
def grammar_decoder() -> Any:
    decoder = load_decoder("grammar")
    grammar = grammar_of(home_agent().registry.definitions())
    assert grammar is not None
    decoder.add_jsgf_string("tools", grammar)
    decoder.add_jsgf_string("ending", "#JSGF V1.0; grammar ending; public <ending> = goodbye | good night;")
    return decoder


@pytest.fixture(scope="module")
def open_decoder() -> Any:
    return load_decoder("open")


@pytest.fixture
def by_grammar(grammar_decoder: Any) -> UtteranceDecoder:
    return UtteranceDecoder(grammar_decoder, "tools")


@pytest.fixture
def freely(open_decoder: Any) -> UtteranceDecoder:
    return UtteranceDecoder(open_decoder, "_default")


@pytest.mark.parametrize(("name", "text"), TEXTS.items())
def test_a_grammar_hears_the_caller_word_for_word(by_grammar: UtteranceDecoder, name: str, text: str) -> None:
    assert hear(by_grammar, recording(name)) == text


@pytest.mark.slow
@pytest.mark.parametrize(("name", "text"), TEXTS.items())
def test_an_open_vocabulary_hears_most_of_the_words(freely: UtteranceDecoder, name: str, text: str) -> None:
    words = text.split()
    heard = hear(freely, recording(name)).split()
    assert sum(word in heard for word in words) >= 0.7 * len(words), heard


@pytest.mark.parametrize("size", [pytest.param(2, marks=pytest.mark.slow), 641, 1001, 6400, 1 << 20])
def test_the_size_of_the_pieces_does_not_change_the_text(by_grammar: UtteranceDecoder, size: int) -> None:
    assert hear(by_grammar, recording(WEATHER), size) == TEXTS[WEATHER]


@pytest.mark.parametrize("gain", [0.1, 3.0])
def test_loudness_does_not_change_the_text(by_grammar: UtteranceDecoder, gain: float) -> None:
    samples = memoryview(recording(WEATHER)).cast("h")
    louder = b"".join(
        max(-32768, min(32767, round(sample * gain))).to_bytes(2, sys.byteorder, signed=True)
        for sample in samples
    )
    assert hear(by_grammar, louder) == TEXTS[WEATHER]


def test_a_long_silence_before_speech_does_not_change_the_text(by_grammar: UtteranceDecoder) -> None:
    assert hear(by_grammar, HALF_SECOND * 10 + recording(LIGHT)) == TEXTS[LIGHT]


@pytest.mark.parametrize("pcm", [b"", b"\0", bytes(640), bytes(SAMPLE_HZ * 4)])
def test_silence_is_no_text(by_grammar: UtteranceDecoder, pcm: bytes) -> None:
    assert hear(by_grammar, pcm) == ""
    assert by_grammar.partial() == ""
    assert not by_grammar.advance(100)


def test_speech_too_short_to_measure_ends_without_harm(by_grammar: UtteranceDecoder) -> None:
    by_grammar.feed(recording(LIGHT)[SAMPLE_HZ : SAMPLE_HZ + 8001])
    assert by_grammar.partial() == ""
    by_grammar.finish()
    assert hear(by_grammar, recording(LIGHT)) == TEXTS[LIGHT]


def test_partial_texts_grow_into_the_sentence(by_grammar: UtteranceDecoder) -> None:
    pcm = recording(LIGHT)
    partials: list[str] = []
    for at in range(0, len(pcm), 3200):
        by_grammar.feed(pcm[at : at + 3200])
        partials.append(by_grammar.partial())
    assert partials[0] == ""
    assert "please turn on" in partials
    assert by_grammar.finish() == TEXTS[LIGHT]
    assert by_grammar.partial() == ""


@pytest.mark.parametrize("fed", [SAMPLE_HZ + 6400, SAMPLE_HZ * 3])
def test_a_dropped_utterance_is_forgotten(by_grammar: UtteranceDecoder, fed: int) -> None:
    by_grammar.feed(recording(LIGHT)[:fed])
    by_grammar.drop()
    assert by_grammar.partial() == ""
    assert by_grammar.finish() == ""
    assert hear(by_grammar, recording(WEATHER)) == TEXTS[WEATHER]


def test_an_utterance_does_not_depend_on_those_before(by_grammar: UtteranceDecoder) -> None:
    names = (WEATHER, LIGHT, LIGHT, WEATHER)
    assert [hear(by_grammar, recording(name)) for name in names] == [TEXTS[name] for name in names]


def test_another_search_serves_the_next_utterance(by_grammar: UtteranceDecoder) -> None:
    by_grammar.feed(recording(LIGHT)[: SAMPLE_HZ * 3])
    by_grammar.use("ending")
    assert by_grammar.finish() == ""
    assert hear(by_grammar, recording(LIGHT)) in {"goodbye", "good night", ""}
    by_grammar.use("tools")
    assert hear(by_grammar, recording(LIGHT)) == TEXTS[LIGHT]


@pytest.mark.parametrize("catch_up", [1, 3])
def test_kept_audio_is_worked_off_in_steps(grammar_decoder: Any, catch_up: int) -> None:
    hearing = UtteranceDecoder(grammar_decoder, "tools", catch_up=catch_up)
    pcm = recording(LIGHT)
    for at in range(0, len(pcm), 640):
        hearing.feed(pcm[at : at + 640])
    steps = 1
    while hearing.advance(100):
        steps += 1
    if catch_up == 1:  # at the pace of the audio the measured second stays behind to the end
        assert steps >= 9
    else:
        assert steps == 1
    assert hearing.finish() == TEXTS[LIGHT]


def test_a_sentence_that_breaks_off_is_not_made_up(by_grammar: UtteranceDecoder) -> None:
    by_grammar.feed(recording(LIGHT)[: SAMPLE_HZ + 16_000])  # shorter than what the level is measured on
    assert by_grammar.advance(100)
    while by_grammar.advance(100):
        pass
    assert TEXTS[LIGHT].startswith(by_grammar.partial())
    assert by_grammar.finish() == ""


def test_an_open_vocabulary_offers_other_readings(freely: UtteranceDecoder) -> None:
    hear(freely, recording(WEATHER))
    others = freely.alternatives(3)
    assert TEXTS[WEATHER] in others
    assert len(set(others)) == len(others) == 3
    assert freely.alternatives(0) == ()
    assert not any(mark in other for other in others for mark in "<>[]")


@pytest.mark.parametrize("kind", ["grammar", "open"])
def test_a_missing_package_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch, kind: Any) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(ConfigurationError, match="pocketsphinx") as caught:
        load_decoder(kind)
    assert "rtagent[local]" in str(caught.value.hint)
