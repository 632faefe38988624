"""The server's side of one conversation, pure: no I/O, no clock, no tasks.

Theory of operation. Client events go in through `receive`, results of work through `partial`, `recognised`,
`unheard`, `decided`, `spoken`, `spoken_out` and `failed`. After every such call the shell takes
`events_to_send()` for the client and `work()` for itself. Results may come at any time and in any order: each
names the part or response that it is for, and what is for something that is over is dropped here.

The machines behind it, each owning its fields alone: `SessionConfig` (what is in effect), `ItemLedger` (items
and their order), `Hearing` (recognitions under way), `Replies` (running responses) and `Turns` (input audio).
They meet in the `Outlet`, which keeps events in the order in which they were caused.
"""

from __future__ import annotations

from collections.abc import Callable

from .. import events
from ._brain import Decision
from ._config import SessionConfig
from ._conversation_hearing import Hearing
from ._conversation_items import ItemLedger
from ._conversation_replies import Replies
from ._conversation_turns import Turns
from ._conversation_work import LearnTools, Outlet, PartKey, Work
from ._input import DetectorFactory, detector_for
from ._validation import Refusal

__all__ = ("Conversation",)

_HEARING = (
    events.InputAudioBufferAppend,
    events.InputAudioBufferCommit,
    events.InputAudioBufferClear,
    events.SessionUpdate,
)
"""What a transcription session takes."""


class Conversation:
    """Takes what a client sends and what ears, brain and voice answer; gives what is to be sent and done.

    Args:
        config: the session as it begins.
        new_id: makes an unused id, 32 characters at most, that begins with the given prefix.
        detectors: makes what finds speech in the input audio.
    """

    def __init__(
        self,
        config: SessionConfig,
        *,
        new_id: Callable[[str], str],
        detectors: DetectorFactory = detector_for,
    ) -> None:
        self._config = config
        self._out = Outlet(new_id)
        self._ledger = ItemLedger(self._out)
        self._hearing = Hearing(self._out, config, self._ledger)
        self._replies = Replies(self._out, config, self._ledger, self._hearing)
        self._turns = Turns(self._out, config, self._ledger, self._hearing, self._replies, detectors)

    @property
    def busy(self) -> bool:
        """Whether an answer of ears, brain or voice is still to come."""
        return self._replies.busy or self._hearing.busy

    def events_to_send(self) -> list[events.ServerEvent]:
        """The events for the client since the last call, in order."""
        return self._out.take_events()

    def work(self) -> list[Work]:
        """The work for the shell since the last call, in order."""
        return self._out.take_work()

    def open(self) -> None:
        """The connection is there: greet it with the session."""
        self._out.send(events.SessionCreated(session=self._config.snapshot))
        self._out.order(LearnTools(self._config.tools))

    def expire(self) -> None:
        """The session has reached its greatest age; the shell closes it behind this event."""
        message = "Your session hit the maximum duration."
        self._refuse(Refusal(message, code="session_expired"), None)

    def receive(self, event: events.ClientEvent) -> None:
        """Take a client event; what cannot be honoured is answered by ``error`` and changes nothing."""
        try:
            self._dispatch(event)
        except Refusal as refusal:
            self._refuse(refusal, event.event_id)
        except events.ClientEventError as problem:  # audio is decoded only when it is read
            self.malformed(problem)

    def malformed(self, problem: events.ClientEventError) -> None:
        """The client sent what is no event (S13)."""
        refusal = Refusal(problem.message, code=problem.code or "invalid_event", param=problem.param)
        self._refuse(refusal, problem.event_id)

    def partial(self, part: PartKey, text: str) -> None:
        """The recogniser has understood so much of an utterance that goes on."""
        self._hearing.partial(part, text)

    def recognised(self, part: PartKey, text: str) -> None:
        """The recogniser is done with a part."""
        self._hearing.recognised(part, text)
        self._replies.heard(part)

    def unheard(self, part: PartKey, message: str) -> None:
        """The recogniser failed; the part counts as silence."""
        self._hearing.failed(part, message)
        self._replies.heard(part)

    def decided(self, response_id: str, decision: Decision) -> None:
        """The brain has decided what a response is to be."""
        self._replies.decided(response_id, decision)

    def spoken(self, response_id: str, audio: bytes, text: str) -> None:
        """The voice has made a piece, in the response's format, whole samples; text that begins in it."""
        self._replies.spoken(response_id, audio, text)

    def spoken_out(self, response_id: str) -> None:
        """The voice has said everything."""
        self._replies.spoken_out(response_id)

    def failed(self, response_id: str, message: str) -> None:
        """Brain or voice failed."""
        self._replies.failed(response_id, message)

    def _dispatch(self, event: events.ClientEvent) -> None:
        if self._config.kind == "transcription" and not isinstance(event, _HEARING):
            message = f"{event.type} has no place in a transcription session: it hears, and nothing answers"
            raise Refusal(message, code="unsupported_event", param="type")
        match event:
            case events.InputAudioBufferAppend():
                self._turns.append(event.pcm)
            case events.InputAudioBufferCommit():
                self._turns.commit()
            case events.InputAudioBufferClear():
                self._turns.clear()
            case events.SessionUpdate():
                self._update(event)
            case events.ConversationItemCreate():
                self._create(event)
            case events.ConversationItemRetrieve():
                self._ledger.retrieve(event.item_id)
            case events.ConversationItemDelete():
                self._ledger.delete(event.item_id)
            case events.ConversationItemTruncate():
                self._ledger.truncate(event.item_id, event.content_index, event.audio_end_ms)
            case events.ResponseCreate():
                self._replies.create(event.response)
            case events.ResponseCancel():
                self._replies.cancel(event.response_id)
            case _:
                message = f"{event.type} has no meaning on a WebSocket connection"
                raise Refusal(message, code="unsupported_event", param="type")

    def _update(self, event: events.SessionUpdate) -> None:
        change = event.session.model_dump(mode="json", exclude_unset=True)
        tools = self._config.tools
        settled = self._turns.begun or self._replies.busy or self._ledger.last_id is not None
        self._config.update(change, voice_was_heard=self._replies.voice_was_heard, settled=settled)
        self._turns.configure()
        if self._config.tools != tools:
            self._out.order(LearnTools(self._config.tools))
        self._out.send(events.SessionUpdated(session=self._config.snapshot))

    def _create(self, event: events.ConversationItemCreate) -> None:
        entry = self._ledger.create(event.item, event.previous_item_id, self._config.input_format)
        self._hearing.order(entry)

    def _refuse(self, refusal: Refusal, event_id: str | None) -> None:
        detail = events.ErrorDetail(
            type=refusal.kind,
            code=refusal.code,
            message=refusal.message,
            param=refusal.param,
            event_id=event_id,
        )
        self._out.send(events.Error(error=detail))
