"""The core of a GPT-Live session as a whole: events and intents in, events and happenings out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import count
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rtagent import events
from rtagent.errors import LocalProtocolError, Unsupported
from rtagent.events import live
from rtagent.protocol import Answered, CallDue, Happening, Opened, PlayDue, Refused, VoiceEnded
from rtagent.protocol._core import Core
from rtagent.protocol._live import LiveConversation
from rtagent.protocol._live_sends import HELD_EVENTS

LOUD = b"\x00\x20" * 2_400  # 100 ms at 24 kHz
CONFIG = live.SessionConfig(model="gpt-live-1")


class Session:
    """A session with a short vocabulary: what the server says, what was sent, what happened."""

    def __init__(self, *, started: bool = True, dialect: events.Dialect = events.LIVE) -> None:
        numbers = count(1)
        self.core = LiveConversation(new_id=lambda prefix: f"{prefix}_{next(numbers)}", dialect=dialect)
        self.now = 100.0
        if started:
            self.server(live.SessionStarted(session=live.SessionResource(id="s1")))

    def server(self, *arrived: events.ServerEvent) -> None:
        for event in arrived:
            self.core.receive(event, self.now)

    def send(self, event: events.ClientEvent | None, *, awaited: bool = False) -> str:
        assert event is not None
        return self.core.send(event, self.now, awaited=awaited)

    @property
    def state(self) -> str:
        return self.core.state

    def sent(self) -> list[str]:
        return [event.type for event in self.core.events_to_send()]

    def happened(self, *kinds: type) -> list[Any]:
        return [item for item in self.core.happenings() if not kinds or isinstance(item, kinds)]

    def call(self, call_id: str = "c1", response_id: str = "r1") -> None:
        item = {"type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}"}
        self.wrapped("response.created", response={"id": response_id})
        self.wrapped("response.output_item.done", item=item)

    def wrapped(self, kind: str, **fields: Any) -> None:
        self.server(live.ResponseEvent(event={"type": kind, **fields}))


def test_it_is_a_core() -> None:
    core: Core = Session().core
    assert core.dialect is events.LIVE
    assert core.greeted
    assert core.late_audio_ms == 0.0


def test_the_start_comes_first_and_is_answered() -> None:
    session = Session(started=False)
    assert not session.core.started
    session.send(session.core.phrases.words("Be brief.", "system"))
    start_id = session.send(session.core.phrases.opening(CONFIG), awaited=True)
    assert session.sent() == ["session.start"]
    started = live.SessionStarted(session=live.SessionResource(id="s1"), client_event_id=start_id)
    session.server(started)
    assert session.happened() == [Answered(start_id, started)]
    assert session.sent() == ["session.instructions.append"]
    assert session.core.started
    assert session.core.config == live.SessionResource(id="s1")
    assert session.core.effective.output_format.rate == 24_000


def test_too_many_sends_before_the_start_are_an_error() -> None:
    session = Session(started=False)
    for _ in range(HELD_EVENTS):
        session.send(session.core.phrases.mute(True))
    with pytest.raises(LocalProtocolError):
        session.send(session.core.phrases.mute(True))
    session.send(session.core.phrases.opening(None))
    assert session.sent() == ["session.start"]


def test_a_refused_start_tells_who_waits() -> None:
    session = Session(started=False)
    start_id = session.send(session.core.phrases.opening(CONFIG), awaited=True)
    error = live.ErrorDetail(message="No such model.", client_event_id=start_id)
    session.server(live.Error(error=error))
    assert session.happened() == [Refused(start_id, error)]


def test_a_change_is_answered_by_the_snapshot() -> None:
    session = Session()
    update_id = session.send(
        session.core.phrases.change({"delegation": live.ClientDelegation()}), awaited=True
    )
    assert session.sent() == ["session.update"]
    updated = live.SessionUpdated(session=live.SessionResource(id="s1", delegation=live.ClientDelegation()))
    session.server(updated)
    assert session.happened() == [Answered(update_id, updated)]
    assert session.core.config == updated.session


def test_commentary_leaves_nobody_waiting_for_an_acknowledgement() -> None:
    session = Session()
    note_id = session.send(session.core.phrases.words("Be brief.", "system"), awaited=True)
    said_id = session.send(session.core.phrases.words("One moment.", "assistant"), awaited=True)
    assert session.happened() == [Answered(note_id, None)]
    acknowledged = live.SessionCommentaryAppended(client_event_id=said_id)
    session.server(acknowledged)
    assert session.happened() == [Answered(said_id, acknowledged)]


def test_who_gives_up_is_not_told() -> None:
    session = Session()
    session.core.give_up(session.send(session.core.phrases.mute(True), awaited=True))
    session.server(live.SessionInputAudioMuted())
    assert session.happened() == []


def test_turns_are_refused_at_the_call_that_wants_them() -> None:
    session = Session()
    with pytest.raises(Unsupported, match="asking for a response"):
        session.core.create_response(None, session.now)
    with pytest.raises(Unsupported, match="interrupting"):
        session.core.interrupt(session.now)
    with pytest.raises(Unsupported, match=r"conversation\.item\.create"):
        session.send(events.ConversationItemCreate(item=events.user_message("x")))
    assert session.sent() == []


def test_the_voice_is_played_and_ends_where_it_pauses() -> None:
    session = Session()
    session.server(live.SessionOutputAudioDelta.of(pcm=LOUD))
    (play,) = session.happened(PlayDue)
    assert (play.item.item_id, play.pcm) == ("voice_1", LOUD)
    assert session.state == "speaking"
    deadline = session.core.next_deadline()
    assert deadline == pytest.approx(session.now + 0.4)
    session.core.handle_timeout(deadline or 0.0)
    assert session.happened() == [VoiceEnded("voice_1")]
    session.core.playback_finished({"voice_1": 100.0}, session.now)
    assert session.state == "listening"
    assert session.core.next_deadline() is None


def test_what_was_heard_is_in_the_history() -> None:
    session = Session()
    session.server(
        live.SessionInputTranscriptDelta(delta="Hi.", start_ms=0, end_ms=200),
        live.SessionOutputAudioDelta.of(pcm=LOUD),
        live.SessionOutputTranscriptDelta(delta="Hello.", start_ms=300, end_ms=600),
    )
    session.core.playback_progress({"voice_1": 60.0})
    user, assistant = session.core.history
    assert (user.role, user.text, user.heard_ms) == ("user", "Hi.", None)
    assert (assistant.role, assistant.text, assistant.heard_ms) == ("assistant", "Hello.", 60.0)
    assert session.core.history_dropped == 0


@pytest.mark.parametrize("heard_ms", [{"voice_1": 50.0}, None])
def test_a_sink_that_was_silenced_ends_the_voice_on_our_side(heard_ms: dict[str, float] | None) -> None:
    session = Session()
    session.server(live.SessionOutputAudioDelta.of(pcm=LOUD))
    session.core.handle_timeout(session.now + 1.0)
    session.core.playback_stopped(heard_ms, session.now)
    assert session.state == "listening"
    assert session.sent() == [], "the model does not learn of it"


def test_a_call_is_run_and_answered() -> None:
    session = Session()
    session.server(live.SessionDelegationCreated(delegation=live.Delegation(id="d1", target="responses")))
    assert session.state == "thinking"
    session.call()
    assert [due.call.call_id for due in session.happened(CallDue)] == ["c1"]
    assert session.state == "tool_running"
    session.wrapped("response.completed", response={"id": "r1"})
    session.core.tool_finished("c1", "42", session.now)
    assert session.sent() == ["response.item.create", "response.create"]
    assert session.state == "thinking"
    with pytest.raises(LocalProtocolError):
        session.core.tool_finished("c1", "43", session.now)


def test_the_program_answers_a_delegation_of_its_own() -> None:
    session = Session()
    session.server(live.SessionDelegationCreated(delegation=live.Delegation(id="d1", target="client")))
    session.send(live.SessionCommentaryAppend(content="It is 42.", delegation_id="d1"))
    assert session.state == "listening"


def test_the_farewell_is_answered_and_says_why() -> None:
    session = Session()
    mute_id = session.send(session.core.phrases.mute(True), awaited=True)
    close_id = session.send(session.core.phrases.farewell(), awaited=True)
    closed = live.SessionClosed(reason="close_requested", usage=live.SessionUsage(seconds=12.5))
    session.server(closed)
    answered, refused = session.happened()
    assert answered == Answered(close_id, closed)
    assert isinstance(refused, Refused)
    assert refused.event_id == mute_id
    assert (session.core.close_reason, session.core.usage.seconds) == ("close_requested", 12.5)
    assert session.core.context_used is None


def test_an_end_without_a_word_is_no_good_order() -> None:
    assert Session().core.close_reason is None


def test_after_the_end_nothing_is_sent_and_nobody_waits() -> None:
    session = Session()
    session.call()
    session.server(live.SessionClosed(reason="expired"))
    session.core.events_to_send()
    session.happened()
    late_id = session.send(session.core.phrases.mute(True), awaited=True)
    session.send(session.core.phrases.mute(False))
    session.core.tool_finished("c1", "42", session.now)
    (refused,) = session.happened()
    assert isinstance(refused, Refused)
    assert refused.event_id == late_id
    assert refused.error is not None
    assert refused.error.code == "session_closed"
    assert session.sent() == []


def test_audio_that_was_written_changes_nothing() -> None:
    session = Session()
    session.core.audio_written(bytes(960), 20.0, session.now)
    assert (session.sent(), session.happened()) == ([], [])


# -- hostile orders -------------------------------------------------------------------------------

_IDS = st.sampled_from(["a", "b", "c"])
_MAYBE = st.none() | _IDS


class HostileServer(RuleBasedStateMachine):
    """Any order of events and intents: it moves on, answers whoever waits, and calls nothing twice."""

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(started=False)
        self.waiting: set[str] = set()
        self.told: Counter[str] = Counter()
        self.due: list[str] = []
        self.outputs: Counter[str] = Counter()
        self.finished: list[str] = []
        self.completed: set[str] = set()
        self.continued = 0
        self.closed = False
        self.eventful = 0

    @property
    def core(self) -> LiveConversation:
        return self.session.core

    def intend(self, event: events.ClientEvent | None) -> None:
        self.waiting.add(self.session.send(event, awaited=True))

    @rule()
    def start(self) -> None:
        self.intend(self.core.phrases.opening(CONFIG))

    @rule()
    def started(self) -> None:
        self.session.server(live.SessionStarted())

    @rule(role=st.sampled_from(["system", "assistant"]))
    def say(self, role: Any) -> None:
        self.intend(self.core.phrases.words("Well.", role))

    @rule(muted=st.booleans())
    def mute(self, muted: bool) -> None:
        self.intend(self.core.phrases.mute(muted))

    @rule()
    def bad_intents(self) -> None:
        for intent in (
            lambda: self.core.create_response(None, self.session.now),
            lambda: self.core.interrupt(self.session.now),
            lambda: self.core.phrases.words("x", "user"),
            lambda: self.core.phrases.change({"model": "m"}),
            lambda: self.session.send(events.ResponseCreate()),
        ):
            with pytest.raises(Unsupported):
                intent()

    @rule(
        kind=st.sampled_from(
            [live.SessionInputAudioMuted, live.SessionCommentaryAppended, live.SessionUpdated, live.Info]
        ),
        named=st.booleans(),
        data=st.data(),
    )
    def acknowledge(self, kind: Any, named: bool, data: st.DataObject) -> None:
        event: live.LiveServerEvent = kind()
        if named:
            event = event.model_copy(update={"client_event_id": self.any_id(data)})
        self.session.server(event)

    @rule(data=st.data())
    def refuse(self, data: st.DataObject) -> None:
        event_id = self.any_id(data)
        self.session.server(live.Error(error=live.ErrorDetail(message="No.", client_event_id=event_id)))
        self.collect()
        assert event_id not in self.waiting

    def any_id(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from([*sorted(self.waiting), "nobody's"]))

    @rule(pcm=st.sampled_from([LOUD, LOUD[:7], b"", bytes(4_800)]), seconds=st.floats(0, 1))
    def speak(self, pcm: bytes, seconds: float) -> None:
        self.session.server(live.SessionOutputAudioDelta.of(pcm=pcm))
        self.session.now += seconds

    @rule()
    def timer(self) -> None:
        deadline = self.core.next_deadline()
        if deadline is not None:
            self.session.now = max(self.session.now, deadline)
            self.core.handle_timeout(self.session.now)
            after = self.core.next_deadline()
            assert after is None or after > self.session.now

    @rule(text=st.sampled_from(["", "word "]), start=st.none() | st.integers(0, 9_000), user=st.booleans())
    def transcribe(self, text: str, start: int | None, user: bool) -> None:
        make = live.SessionInputTranscriptDelta if user else live.SessionOutputTranscriptDelta
        end = None if start is None else start + 100
        self.session.server(make(delta=text, start_ms=start, end_ms=end))

    @rule(delegation_id=_IDS, to=st.sampled_from(["client", "responses", "decisions"]), response=_MAYBE)
    def delegate(self, delegation_id: str, to: str, response: str | None) -> None:
        delegation = live.Delegation(id=delegation_id, target=to, response_id=response)
        self.session.server(live.SessionDelegationCreated(delegation=delegation))

    @rule(
        kind=st.sampled_from(["created", "completed", "failed", "incomplete", "cancelled", "queued"]),
        response=_MAYBE,
        delegation_id=_MAYBE,
    )
    def backing_response(self, kind: str, response: str | None, delegation_id: str | None) -> None:
        wire = {"type": f"response.{kind}", "response": {} if response is None else {"id": response}}
        if kind == "completed":
            self.completed.add(response or f"unnamed {len(self.completed)}")
        self.session.server(live.ResponseEvent(event=wire, delegation_id=delegation_id))

    @rule(call_id=st.integers(0, 5).map(str), delegation_id=_MAYBE, index=st.none() | st.integers(0, 2))
    def backing_call(self, call_id: str, delegation_id: str | None, index: int | None) -> None:
        item = {"type": "function_call", "call_id": call_id, "name": "f"}
        wire = {"type": "response.output_item.done", "output_index": index, "item": item}
        self.session.server(live.ResponseEvent(event=wire, delegation_id=delegation_id))

    @precondition(lambda self: bool(set(self.due) - set(self.finished)))
    @rule(data=st.data(), follow_up=st.booleans())
    def tool(self, data: st.DataObject, follow_up: bool) -> None:
        call_id = data.draw(st.sampled_from(sorted(set(self.due) - set(self.finished))))
        self.finished.append(call_id)
        self.core.tool_finished(call_id, "done", self.session.now, follow_up=follow_up)

    @precondition(lambda self: self.eventful > 15)
    @rule(reason=st.none() | st.just("expired"))
    def close(self, reason: str | None) -> None:
        self.session.server(live.SessionClosed(reason=reason))
        self.closed = True

    @invariant()
    def collect(self) -> None:
        self.eventful += 1
        self.read_sent(self.core.events_to_send())
        self.read_happened(self.core.happenings())
        assert self.told.total() == len(self.told), "everybody is told once"
        assert len(self.due) == len(set(self.due)), "every call runs once"
        assert all(times == 1 for times in self.outputs.values())
        assert set(self.outputs) <= set(self.finished)
        assert self.continued <= len(self.completed)
        if self.closed:
            assert not self.waiting
            assert self.core.close_reason is not None
        assert self.core.state in {"listening", "thinking", "speaking", "tool_running"}
        assert all(entry.text for entry in self.core.history)

    def read_sent(self, sent: Iterable[events.ClientEvent]) -> None:
        for event in sent:
            assert self.core.started or isinstance(event, live.SessionStart), "rule L1"
            if isinstance(event, live.ResponseItemCreate):
                assert isinstance(event.item, live.FunctionCallOutputItem)
                self.outputs[event.item.call_id] += 1
            self.continued += isinstance(event, live.ResponseCreate)

    def read_happened(self, happened: Iterable[Happening]) -> None:
        for happening in happened:
            if isinstance(happening, CallDue):
                self.due.append(happening.call.call_id)
            elif isinstance(happening, Answered | Refused):
                assert happening.event_id in self.waiting
                self.waiting.discard(happening.event_id)
                self.told[happening.event_id] += 1

    def teardown(self) -> None:
        """In the end nobody is left waiting, and every call has its one output where it could be sent."""
        if not self.closed:
            self.session.server(live.SessionStarted())
            for call_id in set(self.due) - set(self.finished):
                self.finished.append(call_id)
                self.core.tool_finished(call_id, "done", self.session.now)
            self.collect()
            assert set(self.outputs) == set(self.due)
        self.close(None)
        self.collect()


HostileServer.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestHostileServer = HostileServer.TestCase


def test_a_lost_connection_is_a_session_that_remembers() -> None:
    session = Session()
    wanted = live.SessionConfig(model="gpt-live-1", instructions="Be brief.")
    session.server(
        live.SessionStarted(), live.SessionInputTranscriptDelta(delta="Hello.", start_ms=0, end_ms=400)
    )
    assert session.core.resumption.quiet
    session.core.resumption.lost(session.now)
    assert session.core.state == "reconnecting"
    told = session.core.resumption.configuration(wanted)
    assert isinstance(told, live.SessionConfig)
    assert "User: Hello." in (told.instructions or "")
    assert session.core.resumption.retold == 1
    session.core.audio_written(bytes(960), 20.0, session.now)
    assert session.core.resumption.connected(Opened((live.SessionStarted(),)), session.now).dropped_ms == 20.0
    assert session.state == "listening"


def test_what_is_said_while_the_next_session_is_made_ready_is_told_it_as_a_thought() -> None:
    session = Session()
    session.core.resumption.configuration(CONFIG)
    session.server(live.SessionInputTranscriptDelta(delta="Hello.", start_ms=0, end_ms=400))
    session.core.resumption.lost(session.now)
    session.core.resumption.connected(Opened((live.SessionStarted(),)), session.now, seamless=True)
    session.core.resumption.go_on(session.now)
    assert session.sent() == ["session.thinking.append"]
    session.core.resumption.go_on(session.now)
    assert session.sent() == []


def test_no_response_is_dropped_and_the_voice_alone_is_quiet() -> None:
    core = Session().core
    core.drop_response("nothing", 0.0)
    assert core.events_to_send() == []
    assert core.quiet
    core.receive(live.SessionOutputAudioDelta.of(pcm=LOUD), 100.0)
    assert not core.quiet
