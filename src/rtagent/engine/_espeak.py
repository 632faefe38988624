"""The offline voice: eSpeak NG, a small formant synthesiser, through its C interface (speak_lib.h).

eSpeak NG is licensed under the GPL, version 3. It is an optional extra (``rtagent[local]``, by way of
the package espeakng-loader, which carries the library and its data), loaded at run time when the
offline voice is first used, and never a dependency of the core.

Theory of operation
    The C library has one state for the whole process: one voice, one speed, one callback. So the
    process has one ``_Synthesizer``, loaded when it is first needed, and any number of ``EspeakVoice``
    share it under its lock. The lock is held while one sentence of at most 200 characters is
    synthesised (about 10 ms; 400 to 1000 times faster than speech) and never while a chunk is being
    delivered, so a slow listener delays nobody and an abandoned generator holds nothing. ``ctypes``
    releases the GIL for the call; the callback takes it to copy some 60 ms of audio once.
"""

from __future__ import annotations

import ctypes
import os
import re
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from ..audio import AudioFormat
from ..errors import ConfigurationError
from ._voice import ends_sentence, pause, sentences

__all__ = ("EspeakVoice",)

_INSTALL = 'pip install "rtagent[local]"'
_REINSTALL = "reinstall the package espeakng-loader"
_SHORTEN = "it takes no path of 160 bytes or more: use a virtual environment nearer to the root"

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: the callback runs within espeak_Synth
_BUFFER_MS = 40
_RETURN_ERRORS = 0x8000  # espeakINITIALIZE_DONT_EXIT
_BY_CHARACTER = 1  # POS_CHARACTER
_UTF8 = 1  # espeakCHARS_UTF8, and neither espeakSSML nor espeakPHONEMES: text is never markup
_RATE = 1  # espeakRATE, words per minute
_VOLUME = 2  # espeakVOLUME, percent
_PATH_LIMIT_BYTES = 160  # N_PATH_HOME
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)

_STRAY_HYPHEN = re.compile(r"(?<![^\W_])-(?!\d)|-(?![^\W_])")
"""Any but those within words, between numbers, and before a number."""

_WORDS_PER_MINUTE = 165
_SLOWEST, _FASTEST = 80, 450  # what the library takes
_CHUNK_MS = 80
_SENTENCE_LIMIT_S = 60
"""Of audio: 200 digits read one by one take 14 s, so this only bounds the memory."""

_READ_ALOUD = frozenset(" .,;:!?'\"()-+/=%$€£¥°&@…–—‘’“”«»¿¡。，、！？")  # noqa: RUF001 - as it is written


@dataclass(frozen=True, slots=True)
class _Timbre:
    """A voice of eSpeak NG, and the volume at which its peaks reach -4 dBFS."""

    name: str
    volume: int
    """Percent of the library's own level, measured over ten sentences; fixed, so loudness does not pump."""


_DEFAULT = _Timbre("en-us+f1", 65)
_LANGUAGE_VOLUME = 70
# Only languages that came through 1000 random texts each: others of version 1.52 (hi, mr, vi, tt and
# more) crash the process over letters of a foreign alphabet, and the text may come from anywhere.
_LANGUAGES = frozenset((
    "cmn", "cs", "da", "de", "el", "en", "en-us", "es", "es-419", "fi", "fr", "hu", "id", "it", "ko", "nb",
    "nl", "pl", "pt", "pt-br", "ro", "ru", "sk", "sv", "tr", "uk",
))  # fmt: skip
# Variants with an echo (f2 to f5, m2) are left out: they break off before their echo has died away.
_TIMBRES = MappingProxyType({
    "alloy": _DEFAULT,
    "ash": _Timbre("en-us+m3", 77),
    "ballad": _Timbre("en-us+m1", 74),
    "cedar": _Timbre("en-us+m8", 130),
    "coral": _Timbre("en-us+aunty", 69),
    "echo": _Timbre("en-us+m7", 64),
    "marin": _Timbre("en-us+grandma", 78),
    "sage": _Timbre("en-us+steph", 72),
    "shimmer": _Timbre("en-us+belinda", 60),
    "verse": _Timbre("en-us+Alex", 91),
})  # fmt: skip


class EspeakVoice:
    """A ``Voice`` that needs no network and no model: eSpeak NG, many languages, robotic but clear.

    Any number of objects and threads may speak at the same time; they take turns by the sentence.
    Voice names: the ten of the OpenAI voices, each with a timbre of its own, all of them American English;
    and the names of 26 languages, such as ``de`` or ``pt-br``. Any other name means the default.
    """

    def load(self) -> None:
        """Load the library now (about 50 ms) rather than at the first word.

        Raises:
            ConfigurationError: it is not installed, or does not work on this machine.
        """
        _synthesizer()

    @property
    def rate(self) -> int:
        """Samples per second (Hz): 22050. Loads the library, as ``load`` does."""
        return _synthesizer().rate

    def speak(self, text: str, *, voice: str | None = None, speed: float = 1.0) -> Iterator[bytes]:
        """Synthesise mono PCM16 in chunks of 80 ms.

        Args:
            text: any text. Control characters, markup signs and emoji are passed over.
            voice: see the class.
            speed: 1.0 is 165 words a minute; below 0.5 the pace stays at 80 words a minute.
        """
        synthesizer = _synthesizer()
        size = AudioFormat.pcm16(synthesizer.rate).bytes_of(_CHUNK_MS)
        between: list[bytes] = []
        for sentence in sentences(_pronounceable(text)):
            pcm = synthesizer.synthesize(sentence, _timbre(voice), _words_per_minute(speed))
            if pcm:
                yield from between
                yield from (pcm[start : start + size] for start in range(0, len(pcm), size))
                between = pause(synthesizer.rate) if ends_sentence(sentence) else []


class _Synthesizer:
    """The C library, initialised. Owns its settings and the buffer that its callback fills."""

    def __init__(self, library: Any, data_path: str) -> None:
        path = os.fsencode(data_path)
        self.rate: int = library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, path, _RETURN_ERRORS)
        if self.rate <= 0:
            message = f"eSpeak NG does not start with its data at {data_path}"
            raise ConfigurationError(message, hint=_REINSTALL if len(path) < _PATH_LIMIT_BYTES else _SHORTEN)
        self._library = library
        self._turn = threading.Lock()
        self._pcm = bytearray()
        self._limit_bytes = AudioFormat.pcm16(self.rate).bytes_of(_SENTENCE_LIMIT_S * 1000)
        self._callback = _CALLBACK(self._take)  # kept here: the library stores a bare pointer to it
        library.espeak_SetSynthCallback(self._callback)

    def synthesize(self, sentence: str, timbre: _Timbre, words_per_minute: int) -> bytes:
        """Mono PCM16 of one sentence; empty when there is nothing in it to pronounce."""
        if not any(map(str.isalnum, sentence)):
            return b""
        encoded = sentence.encode()
        size = ctypes.c_size_t(len(encoded) + 1)
        with self._turn:
            self._library.espeak_SetVoiceByName(timbre.name.encode())
            self._library.espeak_SetParameter(_VOLUME, timbre.volume, 0)
            self._library.espeak_SetParameter(_RATE, words_per_minute, 0)
            self._pcm.clear()
            self._library.espeak_Synth(encoded, size, 0, _BY_CHARACTER, 0, _UTF8, None, None)
            return bytes(self._pcm)

    def _take(self, samples: int | None, count: int, events: int | None) -> int:
        if samples and count > 0:
            self._pcm += ctypes.string_at(samples, 2 * count)
        return int(len(self._pcm) >= self._limit_bytes)  # 1 stops the synthesis


_loading = threading.Lock()


def _synthesizer() -> _Synthesizer:
    with _loading:  # two threads at once must not initialise the library twice
        return _load()


@lru_cache(maxsize=1)
def _load() -> _Synthesizer:
    try:
        import espeakng_loader

        library_path, data_path = espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
    except ImportError as error:
        message = "the offline voice needs eSpeak NG, which is not installed"
        raise ConfigurationError(message, hint=_INSTALL) from error
    except RuntimeError as error:
        message = f"eSpeak NG is installed without its data: {error}"
        raise ConfigurationError(message, hint=_REINSTALL) from error
    try:
        return _Synthesizer(ctypes.CDLL(library_path), data_path)
    except (OSError, AttributeError) as error:  # no library for this machine; another library of that name
        message = f"eSpeak NG cannot be loaded: {error}"
        raise ConfigurationError(message, hint=_REINSTALL) from error


def _timbre(voice: str | None) -> _Timbre:
    name = (voice or "").lower()
    if name in _TIMBRES:
        return _TIMBRES[name]
    return _Timbre(name, _LANGUAGE_VOLUME) if name in _LANGUAGES else _DEFAULT


def _words_per_minute(speed: float) -> int:
    return min(max(round(_WORDS_PER_MINUTE * speed), _SLOWEST), _FASTEST)


def _pronounceable(text: str) -> str:
    # Letters, marks, numbers and the usual punctuation. The rest is nothing to hear, or a danger: control
    # characters are commands to the library, and a hyphen between another sign and a foreign letter
    # crashes it in some languages ("?-" and a kana in Danish).
    return _STRAY_HYPHEN.sub(" ", "".join(map(_sign, text)))


def _sign(sign: str) -> str:
    if sign in _READ_ALOUD or sign == "\n":
        return sign
    category = unicodedata.category(sign)
    if category == "Cf":  # joiners and soft hyphens: a blank in their place would break the word
        return ""
    return sign if category[0] in "LMN" else " "
