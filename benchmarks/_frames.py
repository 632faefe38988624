"""The server's side of a made-up conversation, frame by frame: about two thirds voice, 22 types in all."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from pybase64 import b64encode_as_string

RATE_HZ = 24_000
IDS = {"response_id": "resp_CXzJ4kq0uPsqW2Nf8", "item_id": "item_CXzJ4T1oE5bYvR7cM"}
PART = {**IDS, "output_index": 0, "content_index": 0}
SESSION = {
    "type": "realtime",
    "object": "realtime.session",
    "id": "sess_CXzJ3",
    "model": "gpt-realtime",
    "instructions": "You run a small home. Be brief.",
    "output_modalities": ["audio"],
    "tools": [],
    "tool_choice": "auto",
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": RATE_HZ},
            "turn_detection": {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 500},
        },
        "output": {"format": {"type": "audio/pcm", "rate": RATE_HZ}, "voice": "marin", "speed": 1.0},
    },
}
CACHED = {"text_tokens": 64, "audio_tokens": 0, "image_tokens": 0}
USAGE = {
    "total_tokens": 300,
    "input_tokens": 200,
    "output_tokens": 100,
    "input_token_details": {
        "text_tokens": 120,
        "audio_tokens": 80,
        "image_tokens": 0,
        "cached_tokens": 64,
        "cached_tokens_details": CACHED,
    },
    "output_token_details": {"text_tokens": 30, "audio_tokens": 70},
}
SAID = "The kitchen light is on now."
ITEM = {"id": IDS["item_id"], "object": "realtime.item", "type": "message", "role": "assistant"}
STARTED = {**ITEM, "status": "in_progress", "content": []}
DONE = {**ITEM, "status": "completed", "content": [{"type": "output_audio", "transcript": SAID}]}
CALL = {
    "id": "item_CXzJ5call",
    "object": "realtime.item",
    "type": "function_call",
    "status": "completed",
    "name": "set_light",
    "call_id": "call_9b2T",
    "arguments": '{"room": "kitchen", "on": true}',
}


def pcm(ms: int) -> bytes:
    """Noise: what base64 costs does not depend on what it carries."""
    return random.Random(ms).randbytes(RATE_HZ * 2 * ms // 1000)  # noqa: S311


def audio_delta(ms: int) -> dict[str, Any]:
    return {"type": "response.output_audio.delta", **PART, "delta": b64encode_as_string(pcm(ms))}


def response(status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    usage = USAGE if status == "completed" else None
    return {
        "id": IDS["response_id"],
        "object": "realtime.response",
        "status": status,
        "status_details": None,
        "output": output,
        "usage": usage,
        "metadata": None,
        "conversation_id": "conv_CXzJ3",
        "output_modalities": ["audio"],
    }


def heard() -> Iterator[dict[str, Any]]:
    """A user's turn."""
    item = {"item_id": "item_CXzJ4user"}
    said = {**item, "content_index": 0}
    transcription = "conversation.item.input_audio_transcription"
    yield {"type": "input_audio_buffer.speech_started", **item, "audio_start_ms": 100}
    yield {"type": "input_audio_buffer.speech_stopped", **item, "audio_end_ms": 900}
    yield {"type": "input_audio_buffer.committed", **item, "previous_item_id": None}
    yield {"type": f"{transcription}.delta", **said, "delta": "Switch on the kitchen light."}
    usage = {"type": "duration", "seconds": 1.2}
    yield {
        "type": f"{transcription}.completed",
        **said,
        "transcript": "Switch on the kitchen light.",
        "usage": usage,
    }


def called() -> Iterator[dict[str, Any]]:
    """A response that calls a function."""
    place = {"response_id": IDS["response_id"], "output_index": 0}
    call = {**place, "item_id": CALL["id"], "call_id": CALL["call_id"]}
    arguments = "response.function_call_arguments"
    yield {"type": "response.created", "response": response("in_progress", [])}
    yield {"type": f"{arguments}.delta", **call, "delta": '{"room": "kitchen", '}
    yield {"type": f"{arguments}.delta", **call, "delta": '"on": true}'}
    yield {"type": f"{arguments}.done", **call, "name": CALL["name"], "arguments": CALL["arguments"]}
    yield {"type": "response.output_item.done", **place, "item": CALL}
    yield {"type": "response.done", "response": response("completed", [CALL])}


def spoken(deltas: int, ms: int) -> Iterator[dict[str, Any]]:
    """A response that speaks."""
    place = {"response_id": IDS["response_id"], "output_index": 0}
    transcript = "response.output_audio_transcript"
    yield {"type": "response.created", "response": response("in_progress", [])}
    yield {"type": "response.output_item.added", **place, "item": STARTED}
    yield {"type": "conversation.item.added", "previous_item_id": "item_CXzJ4user", "item": STARTED}
    yield {"type": "response.content_part.added", **PART, "part": {"type": "audio", "transcript": ""}}
    yield from [{"type": f"{transcript}.delta", **PART, "delta": " word"}] * 6
    yield from [audio_delta(ms)] * deltas
    yield {"type": "response.output_audio.done", **PART}
    yield {"type": f"{transcript}.done", **PART, "transcript": SAID}
    yield {"type": "response.content_part.done", **PART, "part": {"type": "audio", "transcript": SAID}}
    yield {"type": "conversation.item.done", "previous_item_id": "item_CXzJ4user", "item": DONE}
    yield {"type": "response.output_item.done", **place, "item": DONE}
    yield {"type": "response.done", "response": response("completed", [DONE])}
    limit = {"name": "tokens", "limit": 40_000, "remaining": 39_000, "reset_seconds": 1.5}
    yield {"type": "rate_limits.updated", "rate_limits": [limit]}


def conversation(turns: int = 9, deltas: int = 39, ms: int = 50) -> list[str]:
    """All frames, as text; the first two open the session, every third turn calls a function."""
    events = [
        (0, {"type": "session.created", "session": SESSION}),
        (0, {"type": "session.updated", "session": SESSION}),
    ]
    for turn in range(turns):
        calls = called() if turn % 3 == 2 else ()
        events += [(turn, event) for event in (*heard(), *calls, *spoken(deltas, ms))]
    frames = [as_frame(event, number) for number, (_, event) in enumerate(events)]
    return [_of_turn(turn, frame) for (turn, _), frame in zip(events, frames, strict=True)]


def _of_turn(turn: int, frame: str) -> str:
    """Each turn has a response and an item of its own."""
    for name in IDS.values():
        frame = frame.replace(name, f"{name[:-2]}{turn:02}")
    return frame


def as_frame(fields: dict[str, Any], number: int = 0) -> str:
    """As a server writes it: the type first, then the event's id, without blanks."""
    kind = {"type": fields["type"], "event_id": f"event_CXzJ{number:06}"}
    return json.dumps({**kind, **fields}, separators=(",", ":"))
