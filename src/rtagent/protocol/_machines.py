"""The small machines of one Realtime conversation, and the wires between them."""

from __future__ import annotations

from collections.abc import Callable

from .. import events
from ._agreed import Agreed
from ._answers import AnswerLedger
from ._formats import Effective
from ._gate import Gate
from ._input import InputAudio, InputState
from ._items import ItemLedger
from ._mail import Mail
from ._outbox import Outbox
from ._responses import Responses
from ._speech import KeptSpeech
from ._voice import Voice

__all__ = ("Machines",)


class Machines:
    """Each machine is the only owner of its fields; this holds them and the server's last snapshot."""

    def __init__(self, dialect: events.Dialect, new_id: Callable[[str], str], answer_within_s: float) -> None:
        self.dialect = dialect
        self.config: events.SessionConfig | None = None
        self.effective = Effective.of(None, dialect)
        self.greeted = not dialect.greeting
        self.outbox = Outbox(new_id)
        self.items = ItemLedger()
        self.input = InputAudio()
        self.speech = KeptSpeech()
        self.answers = AnswerLedger(dialect)
        self.agreed = Agreed()
        self.mail = Mail(self.outbox, self.answers)
        self.voice = Voice(self.outbox, self.items, dialect)
        self.voice.format = self.effective.output_format
        gate = Gate(answer_within_s=answer_within_s, marks=dialect.echoes_metadata)
        self.responses = Responses(self.outbox, self.mail, self.items, self.voice.received_ms, gate)

    @property
    def quiet(self) -> bool:
        """Whether nobody speaks, and no response is asked for or runs; tools may.

        Where speech is only written down, a turn that was handed over is waited for no longer.
        """
        state = self.input.state
        heard_out = state is InputState.QUIET or (
            state is InputState.COMMITTED and not self.effective.server_answers
        )
        speaking = self.speech.speaking or self.voice.sounding
        return (
            self.mail.online
            and heard_out
            and not (speaking or self.responses.gate.busy or self.responses.beside)
        )

    def send(self, event: events.ClientEvent, *, awaited: bool = False) -> str:
        """Send an event, with what it means for the machines beside; returns its id."""
        event_id = event.event_id or self.outbox.new_id("evt")
        match event:
            case events.SessionUpdate() if self.mail.online:
                self.agreed.asked(event_id, event.session)
                if not self.dialect.answers(event.type):
                    self.agreed.updated()
            case events.InputAudioBufferCommit() if self.mail.online:
                self.speech.committing()
            case events.InputAudioBufferClear():
                self.speech.clearing()
            case events.ConversationItemCreate(item=item) if item.id is None:
                named = item.model_copy(update={"id": self.outbox.new_id("item")})
                return self.send(
                    event.model_copy(update={"event_id": event_id, "item": named}), awaited=awaited
                )
            case events.ConversationItemCreate(item=events.FunctionCallOutput(call_id=call_id)) if call_id:
                if self.mail.online:
                    self.responses.tell_call(call_id)
            case _:
                pass
        return self.mail.send(event.model_copy(update={"event_id": event_id}), awaited=awaited)
