"""One response of a vendor's server, from ``response.created`` to ``response.done``.

Whoever ends it early (a cancel, the user's voice) calls ``end``, which closes what is open; the task
that streams looks before every event whether it may go on.
"""

from __future__ import annotations

import json
import math
from array import array
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import anyio
from anyio.lowlevel import checkpoint

from ._vendor_traits import Vendor
from ._vendor_wire import VendorWire

__all__ = ("Plan", "Reply", "tone")

WORD_MS = 120
DELTA_MS = 40
LINGERING_TURNS = 60
"""Turns of the event loop for which a response stays open after its calls, where a vendor does that."""
USAGE: dict[str, Any] = {
    "total_tokens": 30,
    "input_tokens": 20,
    "output_tokens": 10,
    "input_token_details": {"text_tokens": 12, "audio_tokens": 8, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 2, "audio_tokens": 8},
}


@dataclass(frozen=True)
class Plan:
    """What a response is going to be."""

    text: str = ""
    speaks: bool = True
    encoding: str = "pcm"
    rate: int = 24_000
    pauses: bool = False
    """Stop in the middle until released or ended."""
    call: tuple[str, Mapping[str, Any]] | None = None
    """A function and its arguments, instead of words."""
    metadata: Mapping[str, str] | None = None
    beside: bool = False
    """Outside the conversation."""
    failure: tuple[str, str] | None = None
    """An error's code and message: the response fails with it and says nothing."""


class Reply:
    """The only owner of one response's progress."""

    def __init__(self, plan: Plan, vendor: Vendor, wire: VendorWire, previous: str | None) -> None:
        self.plan = plan
        self.id = wire.new_id("resp")
        self.item_id = wire.new_id("item")
        self.call_id = wire.new_id("call")
        self.audio = bytearray()
        """The sound that was sent."""
        self.ended = False
        self.released = anyio.Event()
        self.opened = False
        """Set once its item was announced."""
        self.status = "in_progress"
        """Its item's status."""
        self._vendor = vendor
        self._wire = wire
        self._previous = previous
        self._said = ""
        self._kept_ms: int | None = None

    async def run(self) -> None:
        """Stream it to its end."""
        await self._step("response.created", response=self._response("in_progress"))
        if self.plan.failure is not None:
            await self.end("failed")
        elif self.plan.call is not None:
            await self._call(*self.plan.call)
        else:
            await self._speak()
        if not self.ended:
            await self._step("rate_limits.updated", rate_limits=[])
            await self.end("completed")

    async def end(self, status: str, reason: str | None = None) -> None:
        """Close what is open and say ``response.done``; a second call does nothing."""
        if self.ended:
            return
        self.ended = True
        self.status = "completed" if status == "completed" else "incomplete"
        if self.opened and self.plan.call is None:
            await self._close_message(self.status)
        output = [self.item(self.status)] if self.opened and not self._vendor.empty_output else []
        response = self._response(status, output)
        response["usage"] = USAGE
        if self.plan.failure is not None:
            code, message = self.plan.failure
            problem = {"type": code, "code": code, "message": message}
            response |= {"usage": None, "status_details": {"type": status, "error": problem}}
        elif reason is not None:
            response["status_details"] = {"type": status, "reason": reason}
        extra = {"usage": USAGE} if self._vendor.usage_twice else {}
        if self._vendor.empty_output:
            del response["output"]
        await self._wire.send("response.done", response=response, **extra)

    @property
    def held_ms(self) -> int:
        """How long its sound is as the server holds it."""
        width = 2 if self.plan.encoding == "pcm" else 1
        sent_ms = len(self.audio) * 1000 // (self.plan.rate * width)
        return sent_ms if self._kept_ms is None else min(sent_ms, self._kept_ms)

    def truncate(self, at_ms: int) -> None:
        """Keep the sound up to there, and no words: nobody knows which were heard."""
        self._kept_ms = at_ms

    def item(self, status: str) -> dict[str, Any]:
        """The item that it makes, as it is now."""
        if self.plan.call is not None:
            name, arguments = self.plan.call
            written = json.dumps(dict(arguments)) if status == "completed" else ""
            what: dict[str, Any] = {
                "type": "function_call",
                "name": name,
                "call_id": self.call_id,
                "arguments": written,
            }
        else:
            what = {"type": "message", "role": "assistant", "content": self._content()}
        return {"id": self.item_id, "object": "realtime.item", "status": status, **what}

    # -- messages ------------------------------------------------------------------------------------

    async def _speak(self) -> None:
        await self._open_item()
        part = {"type": "audio", "transcript": ""} if self.plan.speaks else {"type": "text", "text": ""}
        await self._step("response.content_part.added", **self._place(), part=part)
        words = self.plan.text.split()
        for number, word in enumerate(words):
            if self.plan.pauses and number == len(words) // 2:
                await self.released.wait()
            await self._say(word if number == 0 else f" {word}", number)

    async def _say(self, word: str, number: int) -> None:
        if self.ended:
            return
        self._said += word
        if not self.plan.speaks:
            await self._step("response.output_text.delta", **self._place(), delta=word)
            return
        await self._step("response.output_audio_transcript.delta", **self._place(), delta=word)
        for piece in tone(WORD_MS, self.plan.encoding, self.plan.rate, number):
            if self.ended:
                return
            self.audio += piece
            delta = b64encode(piece).decode()
            await self._step("response.output_audio.delta", **self._place(), delta=delta)

    async def _close_message(self, status: str) -> None:
        send, place = self._wire.send, self._place()
        if self.plan.speaks:
            await send("response.output_audio.done", **place)
            await send("response.output_audio_transcript.done", **place, transcript=self._said)
            part: dict[str, Any] = {"type": "audio", "transcript": self._said}
        else:
            await send("response.output_text.done", **place, text=self._said)
            part = {"type": "text", "text": self._said}
        await send("response.content_part.done", **place, part=part)
        await self._close_item(status, send)

    def _content(self) -> list[dict[str, Any]]:
        text, audio = self._vendor.assistant_parts
        if not self.opened:
            return []
        if self._kept_ms is not None:
            return [{"type": audio}]
        if self.plan.speaks:
            return [{"type": audio, "transcript": self._said}]
        return [{"type": text, "text": self._said}]

    # -- calls ---------------------------------------------------------------------------------------

    async def _call(self, name: str, arguments: Mapping[str, Any]) -> None:
        await self._open_item()
        written = json.dumps(dict(arguments))
        place = {"response_id": self.id, "item_id": self.item_id, "output_index": 0, "call_id": self.call_id}
        await self._step("response.function_call_arguments.delta", **place, delta=written)
        if self.ended:
            return
        await self._step("response.function_call_arguments.done", **place, name=name, arguments=written)
        await self._close_item("completed", self._step)
        if self._vendor.lingers_after_calls:
            for _ in range(LINGERING_TURNS):
                await checkpoint()

    # -- both ----------------------------------------------------------------------------------------

    async def _open_item(self) -> None:
        await self._step(
            "response.output_item.added", response_id=self.id, output_index=0, item=self.item("in_progress")
        )
        self.opened = True
        if not self.plan.beside:
            kind = "added" if self._vendor.announces == "added_done" else "created"
            item = self.item("in_progress")
            if "content" in item:
                item["content"] = []
            await self._step(f"conversation.item.{kind}", previous_item_id=self._previous, item=item)

    async def _close_item(self, status: str, send: Callable[..., Awaitable[None]]) -> None:
        item = self.item(status)
        await send("response.output_item.done", response_id=self.id, output_index=0, item=item)
        if not self.plan.beside and self._vendor.announces == "added_done":
            await send("conversation.item.done", previous_item_id=self._previous, item=item)

    async def _step(self, kind: str, **fields: Any) -> None:
        if not self.ended:
            await self._wire.send(kind, **fields)

    def _place(self) -> dict[str, Any]:
        return {"response_id": self.id, "item_id": self.item_id, "output_index": 0, "content_index": 0}

    def _response(self, status: str, output: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
        response: dict[str, Any] = {
            "id": self.id,
            "object": "realtime.response",
            "status": status,
            "status_details": None,
            "output": list(output),
            "usage": None,
            "conversation_id": None if self.plan.beside else "conv_vendor",
        }
        if self._vendor.echoes_metadata:
            response["metadata"] = self.plan.metadata
        return response


def tone(ms: int, encoding: str, rate: int, number: int) -> list[bytes]:
    """That much sound, in deltas; each ``number`` sounds different, so that nothing can be mistaken."""
    return list(_tone(ms, encoding, rate, number % (20 if encoding == "pcm" else 251)))


@lru_cache(maxsize=512)
def _tone(ms: int, encoding: str, rate: int, number: int) -> tuple[bytes, ...]:
    frequency = 300.0 + 40.0 * number
    step = 2 * math.pi * frequency / rate
    frames = rate * ms // 1000
    if encoding == "pcm":
        samples = array("h", (round(8_000 * math.sin(step * frame)) for frame in range(frames)))
        sound, width = samples.tobytes(), 2
    else:
        sound, width = bytes((number * 7 + frame) % 251 for frame in range(frames)), 1
    size = rate * DELTA_MS // 1000 * width
    return tuple(sound[start : start + size] for start in range(0, len(sound), size))
