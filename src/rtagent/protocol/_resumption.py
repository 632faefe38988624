"""What becomes of a conversation when its connection is lost, and how the next one takes it up.

Theory of operation (protocol document, 15.11). The conversation outlives its connections. ``lost`` closes what
only the old connection could have finished: nothing runs any more, nothing is asked for, no item is being
written. What is owed stays owed: requests without an answer, the answer that broke off, the answer to a turn that
was handed over, events without an answer. ``plan`` says what the next connection must be told before it can be
used; ``connected`` says what of the user's audio must be said again, and ``go_on`` pays the debts, in the order
in which they were made. The audio comes first, since some of these debts are about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .. import events
from ._gate import LostResponse, ResponseRequest
from ._input import InputState
from ._machines import Machines
from ._meaning import Meaning
from ._reading import item_of
from ._replay import NOTE, REPLAY_TOKENS, ReplayPlan, replay_plan
from ._resumable import Opened
from ._speech import Repeat

__all__ = ("Resumption",)

REPEATED_ANSWERS = 3
"""How often an answer is asked for again that broke off, or never began, because a connection was lost."""
BROKEN_OFF = (
    "The connection broke off during your last answer. The user heard it as far as it stands here. "
    "Go on from there and do not begin again."
)
"""What the model is told when the user has heard a part of the answer that is asked for again."""


class Resumption:
    """Owns what is owed across connections.

    Args:
        machines: of the conversation.
        meaning: reads server events into them.
    """

    def __init__(self, machines: Machines, meaning: Meaning) -> None:
        self._m = machines
        self.retold = 0
        """Nothing: the history is told in items."""
        self._meaning = meaning
        self._turn_owed: str | None = None
        self._partly_heard = False
        self._told: frozenset[str] = frozenset()

    def keep_speech(self, keep_ms: float, deaf_ms: float) -> None:
        """Keep the user's speech, to say it again.

        Args:
            keep_ms: how much at most, in milliseconds.
            deaf_ms: for how long a connection may be dead before that is noticed, in milliseconds.
        """
        self._m.speech.keep_ms, self._m.speech.deaf_ms = keep_ms, deaf_ms

    def lost(
        self,
        now: float,
        *,
        unsent: Sequence[events.ClientEvent] = (),
        resend: bool = True,
        resume: bool = True,
        deaf: bool = False,
    ) -> None:
        """The connection is gone; what the program wants from now on waits for the next one.

        Args:
            now: monotonic seconds.
            unsent: events of ours that had not been handed to the network, in their order.
            resend: whether what was not answered may be sent again as it is.
            resume: whether an answer that broke off is asked for again.
            deaf: whether the connection may have been dead for a while: nobody has heard what came last then.
        """
        m = self._m
        m.items.now = now
        m.greeted = not m.dialect.greeting
        m.agreed.lost()
        m.mail.lost(unsent, resend=resend)
        m.speech.lost(deaf=deaf)
        in_flight = m.responses.gate.lost()
        answering = any(
            self._is_wanted(lost) and not m.responses.is_beside(lost.response_id)
            for lost in in_flight.running
        )
        if m.input.state is InputState.COMMITTED and m.effective.server_answers and not answering:
            self._turn_owed = m.input.turn_id
        m.input.restart()
        again: list[ResponseRequest] = []
        for lost in in_flight.running:
            again += self._broken_off(lost, resume=resume)
        for request in in_flight.asked:
            again += self._ask_again(request)
        m.responses.gate.ask_again(again)
        m.voice.move_on()
        m.items.break_off(lambda item_id: m.speech.turn(item_id) is not None, again=m.speech.said_again)

    def configuration(
        self, wanted: events.WireModel | None, *, max_tokens: int = REPLAY_TOKENS
    ) -> events.WireModel | None:
        """What the next connection must be asked for, whole: what was wanted at first, and all changes since."""
        if isinstance(wanted, events.TranscriptionSession):
            return self._m.agreed.over(wanted, events.TranscriptionSession)
        first = wanted if isinstance(wanted, events.RealtimeSession) else None
        return self._m.agreed.over(first, events.RealtimeSession)

    @property
    def quiet(self) -> bool:
        """Whether nobody speaks, nothing is asked for and nothing runs: the moment to change the connection.

        Where speech is only written down, all of it is: no other connection would do that.
        """
        writing = self._only_written and self._m.speech.unwritten
        return self._m.quiet and not self._m.responses.calls.unsent and not writing

    def plan(
        self, now: float, *, max_tokens: int = REPLAY_TOKENS, max_age_s: float | None = None
    ) -> ReplayPlan:
        """What another connection must be told before it can take over."""
        if self._only_written:
            return ReplayPlan((), ())  # what was written down is the program's; no model has to know it
        too_old = frozenset[str]() if max_age_s is None else self._m.items.older(now - max_age_s)
        return replay_plan(
            tuple(self._m.items),
            max_tokens=max_tokens,
            too_old=too_old,
            spoken=self._m.speech.turn,
            open_calls=self._m.responses.calls.unsent | self._m.mail.answered_calls,
        )

    def connected(self, opened: Opened, now: float, *, seamless: bool = False) -> Repeat:
        """Another connection is open. The shell then writes the audio that is returned, and calls ``go_on``.

        Args:
            opened: what was done and said to open it.
            now: monotonic seconds.
            seamless: whether it takes over from one that was well.
        """
        m = self._m
        known = {entry.id for entry in m.items}
        m.responses.untold = {
            entry.call.call_id
            for entry in m.items
            if entry.type == "function_call" and entry.call is not None and entry.id not in opened.told
        }
        for event in opened.events:
            if item_of(event) not in known:
                self._meaning.take(event, now)
        m.greeted = True
        self._told = opened.told
        repeat = m.speech.take(m.effective.input_format, seamless=seamless)
        if repeat.blocks and m.effective.server_answers and not seamless:
            # The server answers when it has heard all of it: what we would ask for would be interrupted.
            self._turn_owed = None
            m.responses.gate.drop_owed()
        return repeat

    def go_on(self, now: float) -> None:
        """The conversation goes on where it was: what is owed is sent."""
        m = self._m
        for one in m.mail.take_held():
            if not m.responses.is_untold(one.event):
                m.send(one.event, awaited=one.awaited)
        turn_owed, self._turn_owed = self._turn_owed, None
        if turn_owed in self._told:
            m.responses.ask_for_turn()
        if self._partly_heard and m.responses.gate.busy:
            note = events.system_message(BROKEN_OFF, id=m.outbox.new_id(NOTE))
            m.send(events.ConversationItemCreate(item=note))
        self._partly_heard = False
        m.responses.flush(now)

    def _is_wanted(self, lost: LostResponse) -> bool:
        return not lost.cancelling and not self._m.voice.is_silenced(lost.response_id)

    @property
    def _only_written(self) -> bool:
        return isinstance(self._m.config, events.TranscriptionSession)

    def _ask_again(self, request: ResponseRequest) -> list[ResponseRequest]:
        if self._m.responses.forget_dropped(request.request_id):
            return []
        if request.repeated >= REPEATED_ANSWERS:
            self._m.responses.undelivered(request)
            return []
        return [replace(request, repeated=request.repeated + 1)]

    def _broken_off(self, lost: LostResponse, *, resume: bool) -> list[ResponseRequest]:
        """A response ran; the request to make again, if its answer is owed still."""
        m = self._m
        response_id = lost.response_id
        request = lost.request
        wanted = self._is_wanted(lost)
        repeated = 0 if request is None else request.repeated
        has_calls = m.responses.calls.open_for(response_id)
        heard = m.responses.text_so_far(response_id)
        again = resume and wanted and not has_calls and repeated < REPEATED_ANSWERS
        if again and heard and not m.responses.is_beside(response_id):
            self._partly_heard = True
        serves = m.responses.broken_off(response_id, again=again, wanted=wanted)
        if not again:
            return []
        if request is None:
            request = ResponseRequest(m.outbox.new_id("evt"), origin="tools")
        return [replace(request, serves=serves, repeated=repeated + 1)]
