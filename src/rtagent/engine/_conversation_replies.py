"""Which responses run: one for the conversation, any bounded number beside it (S15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from .. import events
from ._brain import Decision
from ._config import SessionConfig
from ._conversation_entry import Entry
from ._conversation_hearing import Hearing
from ._conversation_items import ItemLedger
from ._conversation_work import Outlet, PartKey
from ._response import Response
from ._validation import Refusal, check_metadata

__all__ = ("Replies",)

MAX_BESIDE: Final = 16
"""Out-of-band responses that may run at the same time; a further one is refused."""


class Replies:
    """Owns the running responses and knows which one writes to the conversation."""

    def __init__(self, out: Outlet, config: SessionConfig, ledger: ItemLedger, hearing: Hearing) -> None:
        self._out = out
        self._config = config
        self._ledger = ledger
        self._hearing = hearing
        self._conversation_id = out.new_id("conv")
        self._running: dict[str, Response] = {}
        self._active: Response | None = None
        self._finished_voice_ms: float | None = None
        self.voice_was_heard = False
        """Whether any voice was sent in this session."""

    @property
    def busy(self) -> bool:
        """Whether any response runs."""
        return bool(self._running)

    @property
    def active(self) -> bool:
        """Whether a response of the conversation runs."""
        return self._active is not None

    def take_finished_voice_ms(self) -> float | None:
        """How long the voice of the conversation's last response plays, told once; None if none has ended."""
        finished, self._finished_voice_ms = self._finished_voice_ms, None
        return finished

    def create(self, params: events.ResponseParams | None) -> None:
        """Start the response that a client asked for.

        Raises:
            Refusal: one is active already, or the settings cannot be.
        """
        wire = _wire(params)
        beside = _runs_beside(wire)
        if not beside:
            self._check_free()
        elif len(self._running) > MAX_BESIDE:
            message = f"more than {MAX_BESIDE} responses run beside the conversation"
            raise Refusal(message, code="rate_limit_exceeded", kind="rate_limit_error")
        check_metadata(wire.get("metadata"))
        settings = self._config.for_response(wire)
        given = None if params is None else params.input
        if given is None:
            context: Sequence[Entry] = self._ledger.entries
        else:
            context = self._ledger.resolved(given, self._config.input_format)
        self._start(
            Response(
                self._out,
                settings,
                context,
                ledger=None if beside else self._ledger,
                conversation_id=None if beside else self._conversation_id,
            ),
            context,
        )

    def create_automatic(self) -> None:
        """Start the response to a turn; none while another one is active (T3)."""
        if self._active is None:
            self.create(None)

    def cancel(self, response_id: str | None) -> None:
        """Stop the named response, or the one that is active.

        Raises:
            Refusal: it does not run.
        """
        response = self._active if response_id is None else self._running.get(response_id)
        if response is None:
            message = "Cancellation failed: no active response found"
            raise Refusal(message, code="response_cancel_not_active", param="response_id")
        response.cancel("client_cancelled")
        self._reap(response)

    def interrupt(self) -> None:
        """The user speaks: stop the active response; those beside it go on."""
        if self._active is not None:
            response = self._active
            response.cancel("turn_detected")
            self._reap(response)

    def heard(self, part: PartKey) -> None:
        """The words of a part are known: whoever waits for them goes on."""
        for response in tuple(self._running.values()):
            response.heard(part)

    def decided(self, response_id: str, decision: Decision) -> None:
        """The brain's answer."""
        self._step(response_id, lambda response: response.decided(decision))

    def spoken(self, response_id: str, audio: bytes, text: str) -> None:
        """A piece of the voice."""
        self._step(response_id, lambda response: response.spoken(audio, text))

    def spoken_out(self, response_id: str) -> None:
        """The end of the voice."""
        self._step(response_id, Response.spoken_out)

    def failed(self, response_id: str, message: str) -> None:
        """The brain or the voice broke."""
        self._step(response_id, lambda response: response.fail(message))

    def _step(self, response_id: str, step: Callable[[Response], None]) -> None:
        response = self._running.get(response_id)
        if response is not None:  # otherwise it is over, and the result comes too late to matter
            step(response)
            self._reap(response)

    def _check_free(self) -> None:
        if self._active is not None:
            message = f"Conversation already has an active response in progress: {self._active.id}"
            raise Refusal(message, code="conversation_already_has_active_response")

    def _start(self, response: Response, context: Sequence[Entry]) -> None:
        self._running[response.id] = response
        if response.in_conversation:
            self._active = response
        response.begin()
        for entry in context:
            if self._ledger.find(entry.id) is not entry:
                self._hearing.order(entry)

    def _reap(self, response: Response) -> None:
        self.voice_was_heard = self.voice_was_heard or response.voice_ms > 0
        if response.over:
            del self._running[response.id]
            if self._active is response:
                self._active = None
                self._finished_voice_ms = response.voice_ms


def _wire(params: events.ResponseParams | None) -> Mapping[str, Any]:
    if params is None:
        return {}
    return params.model_dump(mode="json", exclude_unset=True, exclude={"input"})


def _runs_beside(wire: Mapping[str, Any]) -> bool:
    conversation = wire.get("conversation") or "auto"
    if conversation not in ("auto", "none"):
        message = 'response.conversation is "auto" or "none"'
        raise Refusal(message, code="invalid_value", param="response.conversation")
    return bool(conversation == "none")
