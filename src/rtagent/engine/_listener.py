"""The recogniser's own process: ``python -m rtagent.engine._listener``.

Decoding holds the interpreter's lock for tens of milliseconds at a time, which no process that plays sound
can afford. So both decoders live here, behind stdin and stdout: one that knows the tools' phrases (a JSGF
grammar), and one with an open vocabulary, whose opinion tells whether the grammar's sentence was really said.

Frames in both directions are one letter, the length of the payload (four bytes, little-endian) and the
payload; each frame in is answered by one frame out. ``G``, a grammar (JSON: grammar, words), by an empty
``G``; ``A``, audio (16 kHz mono PCM16), by ``P`` with the text so far when it has changed, else empty; ``E``,
the end of the utterance, by ``R`` (JSON: grammar, open).

Live decoding normalises the sound by a running mean that needs a second of speech to settle; until then
words are misheard. Therefore nothing is decoded before ``PRIME_MS`` have come, and the mean of these is what
decoding starts with: as good as decoding the whole utterance afterwards, without the wait.
"""

from __future__ import annotations

import json
import struct
import sys
from typing import Any, BinaryIO

__all__ = ("main",)

HEADER = struct.Struct("<cI")
LONGEST_PAYLOAD = 16 * 1024 * 1024
BYTES_PER_MS = 32
PRIME_MS = 1_000
GRAMMAR = "tools"
LETTER_SOUNDS = dict(
    pair.split("=")
    for pair in [
        "a=AE",
        "b=B",
        "c=K",
        "d=D",
        "e=EH",
        "f=F",
        "g=G",
        "h=HH",
        "i=IH",
        "j=JH",
        "k=K",
        "l=L",
        "m=M",
        "n=N",
        "o=AA",
        "p=P",
        "q=K W",
        "r=R",
        "s=S",
        "t=T",
        "u=AH",
        "v=V",
        "w=W",
        "x=K S",
        "y=IY",
        "z=Z",
    ]
)
"""The usual sound of each letter, in the phones of the CMU dictionary."""


class Listener:
    """Owns both decoders and the audio of the utterance that goes on."""

    def __init__(self) -> None:
        from pocketsphinx import Decoder  # loads the model: only this process wants it

        self._open: Any = Decoder(samprate=16_000, loglevel="FATAL")
        self._bound: Any = Decoder(samprate=16_000, loglevel="FATAL", lm=None)
        self._has_grammar = False
        self._audio = bytearray()
        self._decoded = 0
        self._partial = ""

    def learn(self, grammar: str | None, words: list[str]) -> None:
        """Take a grammar; one that the decoder cannot use leaves only the open vocabulary."""
        self._has_grammar = False
        if grammar is None:
            return
        for word in words:
            if self._bound.lookup_word(word) is None:
                self._bound.add_word(word, phones_of(word), True)
        try:
            self._bound.add_jsgf_string(GRAMMAR, grammar)
            self._bound.activate_search(GRAMMAR)
        except (ValueError, RuntimeError):
            return
        self._has_grammar = True

    def hear(self, pcm: bytes) -> str:
        """Take more of the utterance; the text so far when it has changed, else ""."""
        self._audio += pcm
        if self._decoded == 0:
            if len(self._audio) < PRIME_MS * BYTES_PER_MS:
                return ""
            self._begin()
        self._decode()
        before, self._partial = self._partial, self._text(self._leader)
        return self._partial if self._partial != before else ""

    def end(self) -> dict[str, str]:
        """The utterance is complete: what both decoders heard."""
        if self._audio:
            if self._decoded == 0:
                self._begin()
            self._decode()
            for decoder in self._decoders:
                decoder.end_utt()
        heard = {
            "grammar": self._text(self._bound) if self._has_grammar and self._decoded else "",
            "open": self._text(self._open) if self._decoded else "",
        }
        self._audio.clear()
        self._decoded, self._partial = 0, ""
        return heard

    @property
    def _leader(self) -> Any:
        return self._bound if self._has_grammar else self._open

    @property
    def _decoders(self) -> list[Any]:
        return [self._open, self._bound] if self._has_grammar else [self._open]

    def _begin(self) -> None:
        head = bytes(self._audio[: PRIME_MS * BYTES_PER_MS])
        leader = self._leader
        leader.start_utt()
        leader.process_raw(head, True, True)
        mean = leader.get_cmn(True)
        leader.end_utt()
        for decoder in self._decoders:
            decoder.set_cmn(mean)
            decoder.start_utt()

    def _decode(self) -> None:
        pcm = bytes(self._audio[self._decoded :])
        self._decoded = len(self._audio)
        if not pcm:
            return  # the decoder does not take nothing
        for decoder in self._decoders:
            decoder.process_raw(pcm, False, False)

    @staticmethod
    def _text(decoder: Any) -> str:
        hypothesis = decoder.hyp()
        return hypothesis.hypstr if hypothesis is not None else ""


def phones_of(word: str) -> str:
    """How a word that is in no dictionary may sound, letter by letter."""
    return " ".join(LETTER_SOUNDS[letter] for letter in word.lower() if letter in LETTER_SOUNDS) or "AH"


def main(source: BinaryIO, out: BinaryIO) -> int:
    """Listen until ``source`` ends; the exit code."""
    listener = Listener()
    while header := source.read(HEADER.size):
        kind, size = HEADER.unpack(header)
        if size > LONGEST_PAYLOAD:
            return 1
        payload = source.read(size)
        match kind:
            case b"A":
                answer = (b"P", listener.hear(payload).encode())
            case b"E":
                answer = (b"R", json.dumps(listener.end()).encode())
            case b"G":
                learnt = json.loads(payload)
                listener.learn(learnt["grammar"], learnt["words"])
                answer = (b"G", b"")
            case _:
                return 1
        out.write(HEADER.pack(answer[0], len(answer[1])) + answer[1])
        out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer, sys.stdout.buffer))
