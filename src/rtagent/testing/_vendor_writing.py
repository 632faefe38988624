"""vLLM's server: it writes down speech, and has a protocol of its own for it."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any

from ._vendor_ear import Ear
from ._vendor_record import VendorRecord
from ._vendor_session import Refusal
from ._vendor_traits import Vendor
from ._vendor_wire import VendorWire

__all__ = ("VendorWriting",)


class VendorWriting:
    """One connection: model, audio, commit to begin, commit with ``final`` to end.

    A final commit of what was never begun is taken and answered by nothing, as in the real one.
    """

    def __init__(self, vendor: Vendor, wire: VendorWire, record: VendorRecord) -> None:
        self._vendor = vendor
        self._wire = wire
        self._record = record
        self._ear = Ear()
        self._model: str | None = None
        self._begun = False

    async def greet(self) -> None:
        """A session without a configuration."""
        await self._wire.send_raw({"type": "session.created", "id": "sess_vendor", "created": 1_800_000_000})

    async def handle(self, event: dict[str, Any]) -> None:
        """Take one client event.

        Raises:
            Refusal: the vendor answers ``error``.
        """
        match event["type"]:
            case "session.update":
                if not isinstance(event.get("model"), str):
                    raise Refusal("'model'", "processing_error")
                self._model = event["model"]
            case "input_audio_buffer.append":
                await self._append(event)
            case "input_audio_buffer.commit":
                await self._commit(final=event.get("final") is True)
            case kind:
                raise Refusal(f"Unknown event type: {kind}", "unknown_event")

    def release(self) -> None:
        """Nothing waits here."""

    async def _append(self, event: dict[str, Any]) -> None:
        try:
            sound = b64decode(event.get("audio", ""), validate=True)
        except (binascii.Error, TypeError, ValueError) as problem:
            raise Refusal("Invalid audio data", "invalid_audio") from problem
        if not sound:
            raise Refusal("Invalid audio data", "invalid_audio")
        self._ear.tune("pcm", self._vendor.input_rates[0])
        self._ear.hear(sound, detect=False)
        self._record.heard_ms = self._ear.total_ms

    async def _commit(self, *, final: bool) -> None:
        if self._model is None:
            raise Refusal("Model not validated.", "model_not_validated")
        if not final:
            self._begun = True
            return
        if not self._begun:
            return
        self._begun = False
        self._record.turns.append(self._ear.take())
        text = self._record.next_transcript()
        for number, word in enumerate(text.split()):
            await self._wire.send_raw(
                {"type": "transcription.delta", "delta": f" {word}" if number else word}
            )
        usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
        await self._wire.send_raw({"type": "transcription.done", "text": text, "usage": usage})
