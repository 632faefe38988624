from __future__ import annotations

import ctypes.util
import importlib
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rtagent.engine._espeak import (
    _DEFAULT,
    _LANGUAGES,
    _TIMBRES,
    EspeakVoice,
    _load,
    _pronounceable,
    _Synthesizer,
    _synthesizer,
)
from rtagent.errors import ConfigurationError

in_ci = os.environ.get("CI") == "true"
espeakng_loader = (
    importlib.import_module("espeakng_loader") if in_ci else pytest.importorskip("espeakng_loader")
)

SENTENCES = (
    "The kitchen light is on. It is three and a half degrees outside, and the wind comes from the west. "
    "Okay, I have set a timer for 5 minutes. One, two, three, four, five, six, seven. Zurich, why, wow, aah."
)


def samples_of(text: str, voice: str | None = None, speed: float = 1.0) -> NDArray[np.int16]:
    return np.frombuffer(b"".join(EspeakVoice().speak(text, voice=voice, speed=speed)), "<i2")


def seconds_of(text: str, voice: str | None = None, speed: float = 1.0) -> float:
    return len(samples_of(text, voice, speed)) / EspeakVoice().rate


def dbfs(amplitude: float) -> float:
    return float(20 * np.log10(amplitude / 32768))


def test_rate_is_that_of_the_library():
    voice = EspeakVoice()
    voice.load()

    assert voice.rate == 22_050


def test_a_sentence_lasts_as_long_as_reading_it_takes():
    assert 1.0 < seconds_of("The kitchen light is on.") < 2.0


def test_chunks_are_whole_samples_and_at_most_100_ms():
    sizes = [len(chunk) for chunk in EspeakVoice().speak(SENTENCES)]

    assert max(sizes) <= 22_050 * 2 // 10
    assert all(size > 0 and size % 2 == 0 for size in sizes)


@pytest.mark.parametrize("name", [None, *_TIMBRES, "de", "fr", "pt-br"])
def test_level_is_even_and_never_clips(name: str | None):
    samples = samples_of(SENTENCES, name).astype(float)

    assert -7.5 < dbfs(np.abs(samples).max()) < -2.5
    assert -27 < dbfs(np.sqrt(np.mean(samples**2))) < -20
    assert abs(samples.mean()) < 50, "no direct current"


@pytest.mark.parametrize("name", [None, *_TIMBRES])
def test_a_sentence_neither_begins_nor_breaks_off_with_a_click(name: str | None):
    samples = samples_of("The kitchen light is on.", name)

    assert abs(int(samples[0])) < 700
    assert abs(int(samples[-1])) < 100


def test_every_voice_and_language_is_in_the_library():
    synthesizer = _synthesizer()
    data = Path(espeakng_loader.get_data_path())

    names = [*_LANGUAGES, *(timbre.name for timbre in _TIMBRES.values())]
    known = {name: synthesizer._library.espeak_SetVoiceByName(name.encode()) for name in names}

    assert set(known.values()) == {0}
    variants = {timbre.name.partition("+")[2] for timbre in _TIMBRES.values()}
    assert variants <= {path.name for path in (data / "voices" / "!v").iterdir()}
    assert len(variants) == len(_TIMBRES), "no two voices sound the same"


@pytest.mark.parametrize("name", ["nobody", "", "../../etc/passwd", "en-us+f1\x00", "hi", "x" * 500, "Alloy"])
def test_an_unknown_name_means_the_default(name: str):
    assert seconds_of("Good morning.", name) == pytest.approx(seconds_of("Good morning."), rel=0.01)


def test_languages_differ_and_do_not_stick():
    english = seconds_of("Guten Morgen, wie geht es Ihnen?", "en-us")

    assert seconds_of("Guten Morgen, wie geht es Ihnen?", "de") != pytest.approx(english, rel=0.01)
    assert seconds_of("Guten Morgen, wie geht es Ihnen?", "EN-US") == pytest.approx(english, rel=0.01)


def test_speed():
    normal = seconds_of(SENTENCES)

    assert seconds_of(SENTENCES, speed=1.5) < 0.8 * normal
    assert seconds_of(SENTENCES, speed=0.5) > 1.6 * normal
    assert seconds_of("On.", speed=0.01) == pytest.approx(seconds_of("On.", speed=0.25), rel=0.05)
    assert seconds_of("On.", speed=100) > 0


def test_sentences_are_set_apart_and_cut_sentences_are_not():
    apart = seconds_of("One. Two.") - seconds_of("One.") - seconds_of("Two.")

    assert apart == pytest.approx(0.24, abs=0.02)
    long = "and then we went on " * 20
    assert seconds_of(long) == pytest.approx(2 * seconds_of(long[:200]), rel=0.05)


@pytest.mark.parametrize("text", ["", "   ", "...", "\n\n", "\x00", "\x01", "😀", "<>", "—", "\ud800"])
def test_nothing_to_pronounce_is_no_sound(text: str):
    assert len(samples_of(text)) == 0


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("Good\x00 morning", "Good morning"),
        ("\x0150SGood morning", " 50SGood morning"),  # a command to the library: speed 50
        ("<break time='9s'/>Good morning", "break time='9s'/ Good morning"),
        ("**Good** morning", "Good morning"),
        ("Good morn\u00ading 👍🏽", "Good morning"),
    ],
)
def test_what_is_not_text_is_harmless(text: str, same_as: str):
    assert seconds_of(text) == pytest.approx(seconds_of(same_as), rel=0.03)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("twenty-one, -5 °C, 3-4", "twenty-one, -5 °C, 3-4"),
        ("?-あ <-日 a -- b - c-", "? あ   日 a    b   c "),
        ("देर ‍से", "देर से"),
        ("[[h@]] _x_ #1 a|b", "  h@    x   1 a b"),
    ],
)
def test_pronounceable(text: str, expected: str):
    assert _pronounceable(text) == expected


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["alloy", "de", "da"]))
def test_any_text_can_be_spoken(text: str, name: str):
    assert len(samples_of(text, name)) >= 0


def test_a_sentence_that_will_not_end_is_cut(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_synthesizer(), "_limit_bytes", 22_050)

    assert 0.5 <= seconds_of("9" * 200) < 0.6
    monkeypatch.undo()
    assert 1.0 < seconds_of("The kitchen light is on.") < 2.0


def test_leaving_early_holds_up_nobody():
    speech = EspeakVoice().speak("The kitchen light is on. " * 10)
    assert isinstance(speech, Iterator)

    with closing(speech):  # type: ignore[type-var]  # a generator, though only promised as an iterator
        next(speech)
        assert seconds_of("One.") > 0.2


def test_several_threads_get_their_own_sentences_whole():
    texts = [f"{word} lights are on in the kitchen." for word in ("One", "Seventeen", "A hundred and eleven")]
    alone = [seconds_of(text) for text in texts]
    start = threading.Barrier(6)

    def speak(number: int) -> float:
        start.wait(10)
        return seconds_of(texts[number % 3])

    with ThreadPoolExecutor(6) as threads:
        together = list(threads.map(speak, range(6)))

    assert together == pytest.approx(alone * 2, rel=0.02)


def test_loading_happens_once():
    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(lambda _: id(_synthesizer()), range(8)))) == 1


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)

    with pytest.raises(ConfigurationError, match="not installed") as caught:
        _load.__wrapped__()

    assert caught.value.hint == 'pip install "rtagent[local]"'


def test_missing_data_is_named(monkeypatch: pytest.MonkeyPatch):
    def nowhere() -> str:
        message = "data path not exists at /nowhere"
        raise RuntimeError(message)

    monkeypatch.setattr("espeakng_loader.get_data_path", nowhere)

    with pytest.raises(ConfigurationError, match=r"without its data: .*/nowhere"):
        _load.__wrapped__()


def test_a_library_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    broken = tmp_path / "libespeak-ng.so"
    broken.write_bytes(b"not a library")
    monkeypatch.setattr("espeakng_loader.get_library_path", lambda: str(broken))

    with pytest.raises(ConfigurationError, match=r"cannot be loaded: .*libespeak-ng\.so"):
        _load.__wrapped__()


def test_another_library_of_that_name_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("espeakng_loader.get_library_path", lambda: ctypes.util.find_library("c"))

    with pytest.raises(ConfigurationError, match=r"cannot be loaded: .*espeak_Initialize"):
        _load.__wrapped__()


@pytest.mark.parametrize(
    ("path", "remedy"), [("/nowhere", "reinstall"), ("/nowhere" * 20, "nearer to the root")]
)
def test_a_library_that_does_not_start_is_named(path: str, remedy: str):
    class Refusing:
        def espeak_Initialize(self, *settings: Any) -> int:  # noqa: N802 - the name in speak_lib.h
            return -1

    with pytest.raises(ConfigurationError, match=f"does not start with its data at {path} ") as caught:
        _Synthesizer(Refusing(), path)

    assert remedy in str(caught.value)


def test_the_default_is_one_of_the_voices():
    assert _DEFAULT in _TIMBRES.values()
