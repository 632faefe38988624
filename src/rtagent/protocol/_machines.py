"""The small machines of one Realtime conversation, and the wires between them."""

from __future__ import annotations

from collections.abc import Callable

from .. import events
from ._answers import AnswerLedger
from ._formats import Effective
from ._gate import Gate
from ._input import InputAudio
from ._items import ItemLedger
from ._outbox import Outbox
from ._responses import Responses
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
        self.answers = AnswerLedger(dialect)
        self.voice = Voice(self.outbox, self.items, dialect)
        self.voice.format = self.effective.output_format
        gate = Gate(answer_within_s=answer_within_s, marks=dialect.echoes_metadata)
        self.responses = Responses(self.outbox, self.items, self.voice.received_ms, gate)
