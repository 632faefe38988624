"""What reading and writing events costs, as ratios to plain dictionaries on the same machine.

Run ``python benchmarks/events_codec.py``. A decoder takes a frame to usable audio bytes. The rounds of all
contenders are interleaved and the minimum of each is compared, which a busy machine disturbs least; the
absolute figures are only good for this machine and minute.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from time import perf_counter
from typing import Any

from rtagent import events

Decoder = Callable[[bytes], object]
RATE_HZ = 24_000


def pcm(ms: int) -> bytes:
    """Noise, so that its base64 has no pattern."""
    return random.Random(ms).randbytes(RATE_HZ * 2 * ms // 1000)  # noqa: S311


def audio_delta(ms: int) -> bytes:
    event = events.ResponseOutputAudioDelta.of(
        pcm=pcm(ms), response_id="resp_0123456789", item_id="item_0123456789", event_id="event_0123456789"
    )
    return events.encode(event).encode()


def conversation(responses: int = 12, deltas: int = 29, ms: int = 40) -> list[bytes]:
    """A conversation's server frames: about two thirds are voice, the rest is what surrounds it."""
    place = {"response_id": "resp_0123456789", "item_id": "item_0123456789", "output_index": 0}
    part = {**place, "content_index": 0}
    item = {"id": "item_0123456789", "type": "message", "role": "assistant", "status": "in_progress"}
    spoken = [{"type": "output_audio", "transcript": "The kitchen light is on now."}]
    done = {**item, "status": "completed", "content": spoken}
    response = {
        "id": "resp_0123456789",
        "object": "realtime.response",
        "status": "completed",
        "output": [done],
        "usage": {"total_tokens": 300, "input_tokens": 200, "output_tokens": 100},
        "metadata": {"request": "1"},
    }
    before: Sequence[Mapping[str, Any]] = (
        {"type": "input_audio_buffer.speech_started", "item_id": "item_1", "audio_start_ms": 100},
        {"type": "input_audio_buffer.speech_stopped", "item_id": "item_1", "audio_end_ms": 900},
        {"type": "input_audio_buffer.committed", "item_id": "item_1", "previous_item_id": None},
        {"type": "response.created", "response": {**response, "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "response_id": "resp_0123456789", "output_index": 0, "item": {**item, "content": []}},
        {"type": "conversation.item.added", "item": {**item, "content": []}, "previous_item_id": "item_1"},
        {"type": "response.content_part.added", **part, "part": {"type": "audio", "transcript": ""}},
    )
    words = [{"type": "response.output_audio_transcript.delta", **part, "delta": " word"}] * 6
    after: Sequence[Mapping[str, Any]] = (
        {"type": "response.output_audio.done", **part},
        {"type": "response.output_audio_transcript.done", **part, "transcript": spoken[0]["transcript"]},
        {"type": "response.output_item.done", "response_id": "resp_0123456789", "output_index": 0, "item": done},
        {"type": "conversation.item.done", "item": done, "previous_item_id": "item_1"},
        {"type": "response.done", "response": response},
    )
    around = [json.dumps({"event_id": "event_0123456789", **event}).encode() for event in (*before, *words)]
    end = [json.dumps({"event_id": "event_0123456789", **event}).encode() for event in after]
    return (around + [audio_delta(ms)] * deltas + end) * responses


def rtagent_decode(frame: bytes) -> object:
    event = events.decode(frame)
    return event.audio if isinstance(event, events.ResponseOutputAudioDelta) else event


def plain_decode(loads: Callable[[bytes], Any], b64decode: Callable[[str], bytes]) -> Decoder:
    def decode(frame: bytes) -> object:
        event = loads(frame)
        return b64decode(event["delta"]) if event["type"] == "response.output_audio.delta" else event

    return decode


def optional_decoders() -> dict[str, Decoder]:
    try:
        return {
            "orjson + pybase64": plain_decode(
                import_module("orjson").loads, import_module("pybase64").b64decode
            )
        }
    except ImportError:
        print("(orjson and pybase64 are not installed: compared with the standard library only)")
        return {}


def compare(title: str, contenders: Mapping[str, Callable[[], object]], count: int, rounds: int) -> None:
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(rounds):
        for name, run in contenders.items():
            start = perf_counter()
            run()
            best[name] = min(best[name], (perf_counter() - start) / count * 1e6)
    ours = best["rtagent"]
    print(title)
    for name, us in best.items():
        print(f"  {name:20} {us:8.2f} µs   rtagent / this: {ours / us:5.2f}")


def decoding(title: str, frames: Sequence[bytes], rounds: int) -> None:
    decoders: dict[str, Decoder] = {
        "rtagent": rtagent_decode,
        "json + base64": plain_decode(json.loads, base64.b64decode),
        **optional_decoders(),
    }

    def over_all(decode: Decoder) -> Callable[[], None]:
        def run() -> None:
            for frame in frames:
                decode(frame)

        return run

    compare(title, {name: over_all(decode) for name, decode in decoders.items()}, len(frames), rounds)


def encoding(ms: int, rounds: int, count: int = 2_000) -> None:
    sound = pcm(ms)

    def plain() -> str:
        audio = base64.b64encode(sound).decode()
        return json.dumps({"type": "input_audio_buffer.append", "audio": audio})

    def repeated(encode: Callable[[], str]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(count):
                encode()

        return run

    contenders = {"rtagent": repeated(lambda: events.encode_append(sound)), "json + base64": repeated(plain)}
    compare(f"encode an append of {ms} ms", contenders, count, rounds)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    mixed = conversation()
    size = sum(map(len, mixed)) // len(mixed)
    decoding(f"decode a conversation ({len(mixed)} frames, {size} bytes on average)", mixed, rounds)
    for ms in (20, 100):
        decoding(f"decode audio deltas of {ms} ms", [audio_delta(ms)] * 500, rounds)
    for ms in (20, 100):
        encoding(ms, rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
