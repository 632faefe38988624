"""The open-vocabulary recogniser, as a program of its own: ``python -m rtagent.engine._listener``.

With its language model pocketsphinx keeps the interpreter's lock for 70 to 80 ms at a time, which would hold
up the event loop and the sound of a conversation, so it lives in a child process. The two talk in frames: one
byte of kind, four bytes of length (big-endian), and so much content.

To the child: ``A`` audio (16 kHz mono PCM16), ``D`` drop the utterance, ``F`` finish it. From the child, JSON with
the number of the utterance (each ``D`` or ``F`` ends one): ``P`` a new partial text, ``R`` the result; and ``E``, why
it cannot work. It ends when its input ends.
"""

from __future__ import annotations

import json
import signal
import struct
import sys
from collections.abc import Iterator
from typing import BinaryIO, Protocol, cast

__all__ = ("FrameReader", "frame", "listen", "main")

_HEAD = struct.Struct(">cI")
MOST_BYTES = 16 << 20
"""Longest content of one frame; anything longer means that the stream is broken."""
_ALTERNATIVES = 3


class _Source(Protocol):
    """A byte stream that gives what it has, and b"" at its end."""

    def read1(self, size: int, /) -> bytes: ...


class _Hearing(Protocol):
    """What the program needs of a decoder."""

    def feed(self, pcm: bytes) -> None: ...

    def partial(self) -> str: ...

    def finish(self) -> str: ...

    def drop(self) -> None: ...

    def alternatives(self, most: int) -> tuple[str, ...]: ...


def frame(kind: bytes, content: bytes = b"") -> bytes:
    """One frame as it goes over the pipe."""
    return _HEAD.pack(kind, len(content)) + content


class FrameReader:
    """Cuts a byte stream into frames; keeps what is incomplete."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Take bytes; yields every frame that is complete as (kind, content)."""
        self._kept += data
        while len(self._kept) >= _HEAD.size:
            kind, size = _HEAD.unpack_from(self._kept)
            if size > MOST_BYTES:
                message = f"a frame of {size} bytes"
                raise ValueError(message)
            end = _HEAD.size + size
            if len(self._kept) < end:
                return
            content = bytes(self._kept[_HEAD.size : end])
            del self._kept[:end]
            yield kind, content


def listen(source: _Source, sink: BinaryIO, hearing: _Hearing) -> None:
    """Answer frames until the source ends."""
    reader = FrameReader()
    number, last = 1, ""
    while data := source.read1(1 << 16):
        for kind, content in reader.feed(data):
            if kind == b"A":
                hearing.feed(content)
                text = hearing.partial()
                if text and text != last:
                    _send(sink, b"P", {"number": number, "text": text})
                last = text
                continue
            if kind == b"F":
                text = hearing.finish()
                others = hearing.alternatives(_ALTERNATIVES) if text else ()
                _send(sink, b"R", {"number": number, "text": text, "alternatives": others})
            else:
                hearing.drop()
            number, last = number + 1, ""


def main() -> int:
    """Run as a child process: frames on standard input and output."""
    # Ctrl-C is for the parent, which ends us by closing the pipe
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, sink = cast("_Source", sys.stdin.buffer), sys.stdout.buffer
    try:
        from ._ears_decoder import UtteranceDecoder, load_decoder

        decoder = load_decoder("open")
        listen(source, sink, UtteranceDecoder(decoder, decoder.current_search()))
    except BrokenPipeError:
        return 0
    except Exception as problem:  # noqa: BLE001 - the top of a program: the parent is told why
        _send(sink, b"E", {"reason": str(problem)})
        return 1
    return 0


def _send(sink: BinaryIO, kind: bytes, content: dict[str, object]) -> None:
    sink.write(frame(kind, json.dumps(content).encode()))
    sink.flush()


if __name__ == "__main__":
    sys.exit(main())
