"""One connection to a vendor's server that holds conversations: a state machine over raw JSON."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from anyio.abc import TaskGroup

from ._vendor_ear import Ear
from ._vendor_items import VendorItems
from ._vendor_record import VendorRecord
from ._vendor_reply import Plan, Reply
from ._vendor_session import Refusal, VendorSession
from ._vendor_traits import CLIENT_FIELDS, Vendor
from ._vendor_wire import VendorWire

__all__ = ("VendorConversation",)

SHORTEST_COMMIT_MS = 100
_REQUEST = frozenset(
    "conversation input instructions tools tool_choice metadata prompt parallel_tool_calls reasoning "
    "max_output_tokens".split()
)
_NESTED_REQUEST = _REQUEST | {"output_modalities", "audio"}
_FLAT_REQUEST = (
    _REQUEST | {"modalities", "voice", "output_audio_format", "temperature"} | {"max_response_output_tokens"}
)


class VendorConversation:
    """Owns the session, the items, the ear and the running responses of one connection."""

    def __init__(
        self,
        vendor: Vendor,
        wire: VendorWire,
        record: VendorRecord,
        group: TaskGroup,
        session: VendorSession | None = None,
    ) -> None:
        self.next_failure: tuple[str, str] | None = None
        """An error's code and message, by which the next response fails."""
        self._vendor = vendor
        self._wire = wire
        self._record = record
        self._group = group
        self._session = VendorSession(vendor) if session is None else session
        self._items = VendorItems(vendor, wire)
        self._ear = Ear()
        self._turn_id = ""
        self._active: Reply | None = None
        self._configured = False
        self._handlers: dict[str, Callable[[dict[str, Any]], Awaitable[None]]] = {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "conversation.item.create": self._items.create,
            "conversation.item.retrieve": self._items.retrieve,
            "conversation.item.delete": self._items.delete,
            "conversation.item.truncate": self._items.truncate,
            "response.create": self._create,
            "response.cancel": self._cancel,
        }

    @property
    def items(self) -> list[dict[str, Any]]:
        """The conversation's items, in order."""
        return self._items.held

    async def greet(self) -> None:
        """Open the session as the vendor does."""
        for kind in self._vendor.greeting:
            if kind == "session.created":
                await self._wire.send(kind, session=self._session.snapshot)
            else:
                conversation = {"id": "conv_vendor", "object": "realtime.conversation"}
                await self._wire.send(kind, conversation=conversation)

    async def handle(self, event: dict[str, Any]) -> None:
        """Take one client event.

        Raises:
            Refusal: the vendor answers ``error``.
        """
        kind: str = event["type"]
        farewell = self._vendor.farewell
        if farewell is not None and kind == farewell[0]:
            await self._wire.send(farewell[1])
            return
        if kind not in self._vendor.takes:
            raise Refusal(f"Unknown event type: {kind}", "unknown_event", "type")
        self._check_fields(kind, event)
        handler = self._handlers.get(kind)
        if handler is not None:
            await handler(event)

    def release(self) -> None:
        """Let a response go on that waits in the middle."""
        if self._active is not None:
            self._active.released.set()

    def _check_fields(self, kind: str, event: Mapping[str, Any]) -> None:
        if kind not in CLIENT_FIELDS:
            return
        required, optional = CLIENT_FIELDS[kind]
        for name in sorted(required - event.keys()):
            raise Refusal(f"Missing required parameter: '{name}'.", "missing_required_parameter", name)
        for name in sorted(
            event.keys() - required - optional - self._vendor.extra_fields - {"type", "event_id"}
        ):
            raise Refusal(f"Unknown parameter: '{name}'.", "unknown_parameter", name)

    # -- session -------------------------------------------------------------------------------------

    async def _update(self, event: dict[str, Any]) -> None:
        self._session.update(event["session"])
        self._configured = True
        self._ear.tune(*self._session.sound("input"))
        await self._wire.send("session.updated", session=self._session.snapshot)

    # -- input audio ---------------------------------------------------------------------------------

    async def _append(self, event: dict[str, Any]) -> None:
        if self._vendor.update_before_audio and not self._configured:
            raise Refusal("audio came before the session was configured", "invalid_state", "audio")
        try:
            sound = b64decode(event["audio"], validate=True)
        except (binascii.Error, TypeError, ValueError) as problem:
            raise Refusal("the audio is not base64", "invalid_value", "audio") from problem
        self._ear.tune(*self._session.sound("input"))
        for what, at_ms in self._ear.hear(sound, detect=self._session.detection is not None):
            await (self._speech_started if what == "started" else self._speech_stopped)(at_ms)
        self._record.heard_ms = self._ear.total_ms

    async def _speech_started(self, at_ms: int) -> None:
        self._turn_id = self._wire.new_id("item")
        await self._wire.send(
            "input_audio_buffer.speech_started", item_id=self._turn_id, audio_start_ms=at_ms
        )
        detection = self._session.detection or {}
        if self._active is not None and detection.get("interrupt_response", True):
            await self._active.end("cancelled", "turn_detected")
            self._active.released.set()
            self._active = None

    async def _speech_stopped(self, at_ms: int) -> None:
        await self._wire.send("input_audio_buffer.speech_stopped", item_id=self._turn_id, audio_end_ms=at_ms)
        await self._end_turn(self._turn_id)
        detection = self._session.detection or {}
        if self._session.answers and detection.get("create_response", True) and self._active is None:
            self._start(self._plan({}))

    async def _commit(self, event: dict[str, Any]) -> None:
        if self._ear.pending_ms() < SHORTEST_COMMIT_MS:
            raise Refusal("the input buffer is too short", "input_audio_buffer_commit_empty")
        await self._end_turn(self._wire.new_id("item"))

    async def _clear(self, event: dict[str, Any]) -> None:
        self._ear.take()
        await self._wire.send("input_audio_buffer.cleared")

    async def _end_turn(self, item_id: str) -> None:
        self._record.turns.append(self._ear.take())
        said = self._record.next_transcript()
        await self._wire.send(
            "input_audio_buffer.committed", item_id=item_id, previous_item_id=self._items.last_id
        )
        await self._items.add_speech(item_id, said)
        if self._session.transcribes:
            await self._transcribe(item_id, said)

    async def _transcribe(self, item_id: str, said: str) -> None:
        prefix = "conversation.item.input_audio_transcription"
        place = {"item_id": item_id, "content_index": 0}
        words = said.split()
        match self._vendor.transcription:
            case "cumulative":
                draft = " ".join([*words[:-1], "whatever"])
                for text in (draft, said):
                    await self._wire.send(f"{prefix}.updated", **place, transcript=text)
            case "replaced":
                await self._wire.send(f"{prefix}.delta", **place, delta="something")
                await self._wire.send(f"{prefix}.delta", **place, delta=" else")
            case _:
                for number, word in enumerate(words):
                    await self._wire.send(f"{prefix}.delta", **place, delta=f" {word}" if number else word)
        usage = {"type": "duration", "seconds": 1}
        await self._wire.send(f"{prefix}.completed", **place, transcript=said, usage=usage)

    # -- responses -----------------------------------------------------------------------------------

    async def _create(self, event: dict[str, Any]) -> None:
        request: dict[str, Any] = event.get("response") or {}
        self._check_request(request)
        beside = request.get("conversation") == "none"
        if self._active is not None and not beside:
            raise Refusal(
                f"Conversation already has an active response in progress: {self._active.id}",
                "conversation_already_has_active_response",
            )
        for item in request.get("input") or ():
            self._items.check(item)
        self._start(self._plan(request))

    async def _cancel(self, event: dict[str, Any]) -> None:
        if self._active is None:
            if self._vendor.idle_cancel == "error":
                raise Refusal("Cancellation failed: no active response found", "response_cancel_not_active")
            return
        reply, self._active = self._active, None
        await reply.end("cancelled", "client_cancelled")
        reply.released.set()

    def _check_request(self, request: dict[str, Any]) -> None:
        flat = self._session.flat
        for name in request:
            if name not in (_FLAT_REQUEST if flat else _NESTED_REQUEST):
                raise Refusal(
                    f"Unknown parameter: 'response.{name}'.", "unknown_parameter", f"response.{name}"
                )
        modalities = "modalities" if flat else "output_modalities"
        if modalities in request:
            self._session.check_modalities(request[modalities], f"response.{modalities}")
        if "tools" in request:
            self._session.check_tools(request["tools"], "response.tools")
        if request.get("conversation", "auto") != "auto" and not self._vendor.out_of_band:
            raise Refusal("there is one conversation only", "invalid_value", "response.conversation")

    def _plan(self, request: Mapping[str, Any]) -> Plan:
        beside = request.get("conversation") == "none"
        context = self._items.listed if request.get("input") is None else list(request["input"])
        last, said = self._items.last_words(context)
        modalities = request.get("modalities", request.get("output_modalities"))
        encoding, rate = self._session.sound("output")
        tools = request.get("tools", self._session.functions)
        call = None
        if last != "function_call_output" and "tool" in said.casefold() and tools:
            call = (cast("str", tools[0]["name"]), self._record.arguments)
        failure, self.next_failure = self.next_failure, None
        return Plan(
            text="done" if last == "function_call_output" else f"You said {said or 'nothing'}",
            speaks=self._session.speaks if modalities is None else "audio" in modalities,
            encoding=encoding,
            rate=rate,
            pauses="story" in said.casefold() and call is None and last != "function_call_output",
            call=call,
            metadata=request.get("metadata"),
            beside=beside,
            failure=failure,
        )

    def _start(self, plan: Plan) -> None:
        previous = None if plan.beside else self._items.last_id
        reply = Reply(plan, self._vendor, self._wire, previous)
        if not plan.beside:
            self._active = reply
        self._record.replies.append(reply)
        self._group.start_soon(self._run, reply)

    async def _run(self, reply: Reply) -> None:
        if not reply.plan.beside and reply.plan.failure is None:
            self._items.hold(reply)
        if reply.plan.speaks and reply.plan.call is None and reply.plan.failure is None:
            self._session.voice_is_fixed = True
        await reply.run()
        if self._active is reply:
            self._active = None
