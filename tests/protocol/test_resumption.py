"""What becomes of a conversation when its connection is lost, and how the next one takes it up."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rtagent import events
from rtagent.errors import LocalProtocolError
from rtagent.protocol import (
    Answered,
    CallDue,
    Conversation,
    Opened,
    PlayDue,
    Refused,
    Repeat,
    ReplayPlan,
    ResponseFinished,
    StopDue,
    Undelivered,
)
from rtagent.protocol._gate import REQUEST_KEY
from rtagent.protocol._mail import HELD_EVENTS
from rtagent.protocol._replay import NOTE
from rtagent.protocol._resumption import REPEATED_ANSWERS

BESIDE = events.ResponseParams(conversation="none", instructions="Judge it.")
BLOCK = bytes(960)
BLOCK_MS = 20.0


def session(*, vad: bool = True, **detection: Any) -> events.RealtimeSession:
    ear = events.AudioInput(turn_detection=events.ServerVad(**detection) if vad else None)
    return events.RealtimeSession(audio=events.SessionAudio(input=ear))


class Talk:
    """A conversation over several connections: what its servers say, what they are sent, what happened."""

    def __init__(self, *, vad: bool = True, keep_ms: float = 0.0, **detection: Any) -> None:
        numbers = count(1)
        self.core = Conversation(new_id=lambda prefix: f"{prefix}_{next(numbers)}")
        self.core.resumption.keep_speech(keep_ms, 0.0)
        self.session = session(vad=vad, **detection)
        self.now = 100.0
        self.told: frozenset[str] = frozenset()
        self.server(events.SessionCreated(session=self.session))

    # -- the server -----------------------------------------------------------------------------------

    def server(self, *arrived: events.ServerEvent) -> None:
        for event in arrived:
            self.core.receive(event, self.now)

    def created(self, response_id: str, request_id: str | None = None) -> None:
        metadata = {REQUEST_KEY: request_id} if request_id else None
        response = events.RealtimeResponse(id=response_id, metadata=metadata)
        self.server(events.ResponseCreated(response=response))

    def says(self, words: str, response_id: str = "r1", item_id: str = "a1") -> None:
        item = events.AssistantMessage(id=item_id, status="in_progress", content=[])
        self.server(
            events.ResponseOutputItemAdded(response_id=response_id, output_index=0, item=item),
            events.ConversationItemAdded(item=item),
            events.ResponseOutputAudioTranscriptDelta(
                response_id=response_id, item_id=item_id, output_index=0, content_index=0, delta=words
            ),
            events.ResponseOutputAudioDelta.of(
                pcm=bytes(48_000), response_id=response_id, item_id=item_id, output_index=0, content_index=0
            ),
        )

    def calls(self, call_id: str, response_id: str = "r1", **fields: Any) -> events.FunctionCall:
        given = {"name": "clock", "arguments": "{}", "status": "completed", **fields}
        item = events.FunctionCall(id=f"f_{call_id}", call_id=call_id, **given)
        self.server(
            events.ConversationItemAdded(item=item.model_copy(update={"status": "in_progress"})),
            events.ConversationItemDone(item=item),
            events.ResponseOutputItemDone(response_id=response_id, output_index=0, item=item),
        )
        return item

    def done(self, response_id: str = "r1", status: str = "completed") -> None:
        response = events.RealtimeResponse(id=response_id, status=status, output=[])
        self.server(events.ResponseDone(response=response))

    def speech(self, item_id: str = "u1", start_ms: int = 0, end_ms: int | None = None) -> None:
        """The user begins; with ``end_ms`` the turn is handed over too."""
        self.server(events.InputAudioBufferSpeechStarted(audio_start_ms=start_ms, item_id=item_id))
        if end_ms is not None:
            spoken = events.UserMessage(id=item_id, status="completed", content=[events.InputAudio()])
            self.server(
                events.InputAudioBufferSpeechStopped(audio_end_ms=end_ms, item_id=item_id),
                events.InputAudioBufferCommitted(item_id=item_id),
                events.ConversationItemAdded(item=spoken),
                events.ConversationItemDone(item=spoken),
            )

    def written_down(self, words: str, item_id: str = "u1") -> None:
        self.server(
            events.ConversationItemInputAudioTranscriptionCompleted(
                item_id=item_id, content_index=0, transcript=words
            )
        )

    def takes(self, *sent: events.ClientEvent) -> None:
        """The server acknowledges items."""
        for event in sent:
            if isinstance(event, events.ConversationItemCreate):
                item = event.item
                if not isinstance(item, events.ItemReference):
                    item = item.model_copy(update={"status": "completed"})
                self.server(events.ConversationItemAdded(item=item), events.ConversationItemDone(item=item))

    def refuses(self, event_id: str, code: str = "bad") -> None:
        error = events.ErrorDetail(type="x", message="No.", code=code, event_id=event_id)
        self.server(events.Error(error=error))

    # -- the user and the program -----------------------------------------------------------------------

    def hears(self, blocks: int) -> None:
        for _ in range(blocks):
            self.core.audio_written(BLOCK, BLOCK_MS, self.now)

    def ask(self, params: events.ResponseParams | None = None) -> str:
        return self.core.create_response(params, self.now)

    def send(self, event: events.ClientEvent, *, awaited: bool = True) -> str:
        return self.core.send(event, self.now, awaited=awaited)

    def create(self, text: str = "Hello", item_id: str | None = None) -> str:
        return self.send(events.ConversationItemCreate(item=events.user_message(text, id=item_id)))

    # -- the connections --------------------------------------------------------------------------------

    def lose(self, **fields: Any) -> None:
        self.sent()
        self.now += 1.0
        self.core.resumption.lost(self.now, **fields)

    def open(self, *more: events.ServerEvent, seamless: bool = False) -> tuple[ReplayPlan, Repeat]:
        """Another connection is opened as it should be; its audio is written, and the conversation goes on."""
        plan = self.core.resumption.plan(self.now)
        told = [events.ConversationItemAdded(item=item) for item in plan.items]
        self.told = frozenset(item.id or "" for item in plan.items)
        answers = (
            events.SessionCreated(session=session()),
            events.SessionUpdated(session=self.session),
            *told,
            *more,
        )
        repeat = self.core.resumption.connected(
            Opened(answers, self.told, len(plan.lost)), self.now, seamless=seamless
        )
        assert self.sent() == []
        for block in repeat.blocks:
            self.core.audio_written(block.pcm, block.ms, block.at)
        self.core.resumption.go_on(self.now)
        return plan, repeat

    def again(self, **fields: Any) -> list[events.ClientEvent]:
        """The connection is lost and another one is opened: what is sent on it at once."""
        self.lose(**fields)
        assert self.sent() == []
        self.open()
        return self.sent()

    # -- what came of it --------------------------------------------------------------------------------

    def sent(self) -> list[events.ClientEvent]:
        return self.core.events_to_send()

    def happened(self, *kinds: type) -> list[Any]:
        return [it for it in self.core.happenings() if not kinds or isinstance(it, kinds)]

    def finished(self) -> list[tuple[str, str, str | None, tuple[str, ...]]]:
        """Status, text and reason of the responses that ended for good, and what they served."""
        return [
            (it.response.status, it.response.text, it.response.reason, it.serves)
            for it in self.happened(ResponseFinished)
            if it.final
        ]


def kinds(sent: Iterable[events.ClientEvent]) -> list[str]:
    return [event.type for event in sent]


def creates(sent: Iterable[events.ClientEvent]) -> list[str]:
    return [event.event_id or "" for event in sent if isinstance(event, events.ResponseCreate)]


def items(sent: Iterable[events.ClientEvent]) -> list[events.Item]:
    return [event.item for event in sent if isinstance(event, events.ConversationItemCreate)]


def told(plan: ReplayPlan) -> list[str]:
    return [item.id or "" for item in plan.items]


# -- answers ------------------------------------------------------------------------------------------


def test_an_answer_that_broke_off_is_asked_for_again_and_serves_the_same_request() -> None:
    talk = Talk()
    params = events.ResponseParams(instructions="Be brief.", metadata={"mine": "1"})
    request_id = talk.ask(params)
    (first,) = talk.sent()
    talk.created("r1", request_id)
    (again,) = talk.again()
    assert again == first
    talk.created("r2", request_id)
    talk.says("Hello.", "r2")
    talk.done("r2")
    assert talk.finished() == [("completed", "Hello.", None, (request_id,))]
    assert talk.sent() == []


def test_a_request_that_was_never_answered_is_sent_again() -> None:
    talk = Talk()
    request_id = talk.ask()
    assert creates(talk.sent()) == [request_id]
    assert creates(talk.again()) == [request_id]
    assert talk.happened(Refused, Undelivered) == []
    assert talk.core.next_deadline() == talk.now + 10.0


def test_after_some_losses_a_request_without_an_answer_is_undelivered() -> None:
    talk = Talk()
    request_id = talk.ask()
    for _ in range(REPEATED_ANSWERS):
        assert creates(talk.again()) == [request_id]
    assert talk.again() == []
    assert talk.happened() == [Undelivered(request_id, "response.create")]


def test_after_some_losses_an_answer_ends_as_far_as_it_came() -> None:
    talk = Talk()
    request_id = talk.ask()
    for number in range(REPEATED_ANSWERS):
        talk.created(f"r{number}", request_id)
        assert creates(talk.again()) == [request_id]
    talk.created("last", request_id)
    talk.says("Once upon", "last")
    assert talk.again() == []
    assert talk.finished() == [("incomplete", "Once upon", "connection_lost", (request_id,))]


def test_an_answer_of_the_servers_own_is_asked_for_by_us() -> None:
    talk = Talk()
    talk.speech(end_ms=500)
    talk.written_down("What time is it?")
    talk.created("vad")
    (create,) = talk.again()
    assert isinstance(create, events.ResponseCreate)
    assert talk.told == {"u1"}
    talk.created("r2", create.event_id)
    talk.done("r2")
    assert talk.finished() == [("completed", "", None, ())]


def test_who_has_heard_a_part_is_not_told_it_twice() -> None:
    talk = Talk()
    request_id = talk.ask()
    talk.sent()
    talk.created("r1", request_id)
    talk.says("Once upon a time")
    talk.lose()
    plan, _ = talk.open()
    assert plan.items == (events.assistant_message("Once upon a time", id="a1"),)
    note, create = talk.sent()
    (note_item,) = items([note])
    assert isinstance(note_item, events.SystemMessage)
    assert (note_item.id or "").startswith(NOTE)
    assert creates([create]) == [request_id]
    talk.takes(note)
    assert talk.again() == [create]
    assert talk.told == {"a1"}


def test_nobody_is_told_of_an_answer_that_is_not_wanted_any_more() -> None:
    talk = Talk()
    request_id = talk.ask()
    talk.created("r1", request_id)
    talk.says("Once upon")
    talk.lose()
    talk.core.give_up(request_id)
    talk.sent()
    talk.open()
    assert talk.sent() == []


def test_a_server_that_never_answered_has_not_been_heard() -> None:
    talk = Talk()
    request_id = talk.ask()
    talk.created("r1", request_id)
    talk.sent()
    assert kinds(talk.again()) == ["response.create"]


def test_a_cancelled_answer_is_not_asked_for_again() -> None:
    talk = Talk()
    request_id = talk.ask()
    talk.created("r1", request_id)
    cancel_id = talk.send(events.ResponseCancel())
    talk.happened()
    assert talk.again() == []
    cancelled, finished = talk.happened()
    assert cancelled == Answered(cancel_id, None)
    assert (finished.response.reason, finished.serves, finished.final) == (
        "connection_lost",
        (request_id,),
        True,
    )


def test_a_silenced_answer_is_not_asked_for_again() -> None:
    talk = Talk()
    request_id = talk.ask()
    talk.created("r1", request_id)
    talk.says("Once upon")
    talk.speech("u2")
    assert talk.happened(StopDue) == [StopDue("speech")]
    talk.sent()
    assert talk.again() == []
    assert talk.finished() == [("incomplete", "Once upon", "connection_lost", (request_id,))]


def test_nothing_is_asked_for_again_where_answers_are_not_resumed() -> None:
    talk = Talk()
    running, waiting = talk.ask(), talk.ask()
    talk.created("r1", running)
    talk.sent()
    assert creates(talk.again(resume=False)) == [waiting]
    assert talk.finished() == [("incomplete", "", "connection_lost", (running,))]


def test_what_ran_and_what_was_asked_for_come_before_what_waits() -> None:
    talk = Talk()
    first = talk.ask()
    talk.sent()
    talk.created("r1", first)
    second = talk.ask()
    for number, request_id in enumerate((first, second)):
        sent = talk.again() if number == 0 else talk.sent()
        assert creates(sent) == [request_id]
        talk.created(f"again_{number}", request_id)
        talk.done(f"again_{number}")
    assert [served for *_, served in talk.finished()] == [(first,), (second,)]


def test_the_servers_own_answer_was_first() -> None:
    talk = Talk()
    known = talk.ask()
    talk.created("r0", known)  # the server echoes what it was asked
    talk.done("r0")
    talk.sent()
    mine = talk.ask()
    talk.created("vad")
    talk.sent()
    (create,) = talk.again()
    assert create.event_id != mine
    talk.created("r2", create.event_id)
    talk.done("r2")
    assert creates(talk.sent()) == [mine]


def test_requests_beside_the_conversation_are_asked_again_too() -> None:
    talk = Talk()
    first, second, third = talk.ask(BESIDE), talk.ask(BESIDE), talk.ask()
    talk.created("b1", first)
    talk.says("Good", "b1", "x1")
    talk.created("r1", third)
    sent = talk.sent()
    talk.lose()
    plan, _ = talk.open()
    assert told(plan) == []
    again = talk.sent()
    assert sorted(creates(again)) == sorted([first, second, third])
    assert {event.event_id: event for event in again} == {event.event_id: event for event in sent}
    talk.created("b2", first)
    talk.done("b2")
    assert [served for *_, served in talk.finished()] == [(first,)]


def test_a_voice_that_was_cut_before_the_loss_is_not_deleted_on_the_next_server() -> None:
    talk = Talk()
    request_id = talk.ask()
    talk.created("r1", request_id)
    talk.says("Once upon")
    talk.core.interrupt(talk.now)
    talk.core.playback_stopped({}, talk.now)
    talk.sent()
    assert talk.again() == []
    assert talk.core.history == ()


def test_a_voice_that_is_cut_later_is_noted_and_not_told() -> None:
    talk = Talk()
    talk.created("r1")
    talk.says("one two three four")
    talk.lose(resume=False)
    talk.open()
    assert talk.core.state == "speaking"
    talk.core.interrupt(talk.now)
    talk.core.playback_stopped({"a1": 500.0}, talk.now)
    assert talk.sent() == []
    (entry,) = talk.core.history
    assert (entry.text, entry.heard_ms, entry.status) == ("one two", 500.0, "incomplete")


# -- turns --------------------------------------------------------------------------------------------


def test_a_turn_that_was_written_down_and_not_answered_is_owed() -> None:
    talk = Talk()
    talk.speech(end_ms=500)
    talk.written_down("What time is it?")
    talk.lose()
    plan, _ = talk.open()
    assert plan.items == (events.user_message("What time is it?", id="u1"),)
    assert kinds(talk.sent()) == ["response.create"]


def test_a_turn_whose_words_are_not_known_is_told_as_its_sound() -> None:
    talk = Talk(keep_ms=5_000)
    talk.hears(10)
    talk.speech(end_ms=200)
    talk.lose()
    plan, repeat = talk.open()
    (spoken,) = plan.items
    assert isinstance(spoken, events.UserMessage)
    assert [part.type for part in spoken.content] == ["input_audio"]
    assert repeat.blocks == ()
    assert kinds(talk.sent()) == ["response.create"]


def test_a_turn_of_which_half_the_words_are_known_is_told_as_its_sound() -> None:
    talk = Talk(keep_ms=5_000)
    talk.hears(10)
    talk.speech(end_ms=200)
    talk.server(
        events.ConversationItemInputAudioTranscriptionDelta(item_id="u1", content_index=0, delta="What ti")
    )
    talk.lose()
    (spoken,) = talk.open()[0].items
    assert isinstance(spoken, events.UserMessage)
    assert [part.type for part in spoken.content] == ["input_audio"]


def test_a_turn_of_which_nothing_is_known_is_lost_and_not_owed() -> None:
    talk = Talk()
    talk.speech(end_ms=500)
    talk.lose()
    plan, _ = talk.open()
    assert (told(plan), [entry.id for entry in plan.lost]) == ([], ["u1"])
    assert talk.sent() == []


def test_a_turn_that_was_answered_is_not_owed() -> None:
    talk = Talk()
    talk.speech(end_ms=500)
    talk.written_down("Hello")
    talk.created("vad")
    talk.done("vad")
    assert talk.again() == []


def test_a_turn_is_not_owed_where_the_server_would_not_have_answered() -> None:
    talk = Talk(create_response=False)
    talk.speech(end_ms=500)
    talk.written_down("Hello")
    assert talk.again() == []


def test_a_verdict_beside_the_conversation_is_no_answer_to_the_user() -> None:
    talk = Talk()
    talk.speech(end_ms=500)
    talk.written_down("Hello")
    judge = talk.ask(BESIDE)
    talk.created("b1", judge)
    assert talk.core.state == "thinking"
    talk.sent()
    again = creates(talk.again())
    assert judge in again
    assert len(again) == 2


def test_a_turn_is_owed_although_the_answer_before_it_was_cut() -> None:
    talk = Talk()
    talk.created("vad")
    talk.says("Once upon")
    talk.speech("u2", end_ms=500)
    talk.written_down("Stop. What time is it?", "u2")
    assert kinds(talk.again()) == ["response.create"]


def test_one_answer_is_enough_for_a_turn_and_what_broke_off() -> None:
    talk = Talk(interrupt_response=False)
    talk.created("vad")
    talk.speech("u2", end_ms=500)
    talk.written_down("And then?", "u2")
    (request_id,) = creates(talk.again())
    talk.created("r2", request_id)
    talk.done("r2")
    assert talk.sent() == []


def test_speech_is_said_again_and_the_server_answers_it_by_itself() -> None:
    talk = Talk(keep_ms=5_000)
    talk.hears(20)
    talk.speech("u1", start_ms=100)
    talk.hears(5)
    assert talk.core.history[0].id == "u1"
    talk.lose()
    talk.hears(5)
    plan, repeat = talk.open()
    assert (told(plan), plan.lost, talk.core.history) == ([], (), ())
    assert [block.start_ms for block in repeat.blocks[:2]] == [100.0, 120.0]
    assert len(repeat.blocks) == 25
    assert repeat.dropped_ms == 0.0
    assert talk.sent() == []


def test_an_answer_that_nobody_asked_for_gives_way_to_a_user_who_speaks() -> None:
    talk = Talk(keep_ms=5_000, interrupt_response=False)
    talk.created("r1")
    talk.says("Well")
    talk.hears(20)
    talk.speech("u1", start_ms=100)
    talk.lose()
    _, repeat = talk.open()
    assert repeat.blocks
    assert creates(talk.sent()) == []


def test_half_the_words_of_what_is_said_again_are_not_told() -> None:
    talk = Talk(keep_ms=5_000)
    talk.hears(20)
    talk.speech("u1", start_ms=100)
    talk.server(
        events.ConversationItemInputAudioTranscriptionDelta(item_id="u1", content_index=0, delta="What ti")
    )
    talk.lose()
    plan, repeat = talk.open()
    assert (told(plan), len(repeat.blocks)) == ([], 15)


def test_a_turn_that_is_said_again_makes_the_one_before_it_nobodys_debt() -> None:
    talk = Talk(keep_ms=5_000)
    talk.hears(20)
    talk.speech("u1", end_ms=100)
    talk.written_down("Well")
    talk.lose()
    talk.core._machines.speech.started(None)
    talk.hears(5)
    assert talk.open()[1].blocks
    assert talk.sent() == []


def test_the_last_moment_is_said_again_when_connections_change_and_debts_remain() -> None:
    talk = Talk(keep_ms=5_000)
    talk.hears(100)
    talk.speech("u1", end_ms=100)
    talk.written_down("Hello")
    talk.lose()
    _, repeat = talk.open(seamless=True)
    assert len(repeat.blocks) == 50
    assert kinds(talk.sent()) == ["response.create"]


def test_a_turn_that_the_program_ended_comes_after_its_sound() -> None:
    talk = Talk(vad=False, keep_ms=5_000)
    talk.hears(10)
    commit_id = talk.send(events.InputAudioBufferCommit())
    request_id = talk.ask()
    talk.sent()
    talk.lose()
    talk.hears(5)
    _, repeat = talk.open()
    assert len(repeat.blocks) == 15
    commit, create = talk.sent()
    assert (commit.event_id, create.event_id) == (commit_id, request_id)
    talk.server(events.InputAudioBufferCommitted(item_id="u1"))
    assert [it.event_id for it in talk.happened(Answered)] == [commit_id]


def test_a_turn_that_the_program_ends_without_a_connection_has_its_sound() -> None:
    talk = Talk(vad=False, keep_ms=5_000)
    talk.hears(30)
    talk.lose()
    talk.hears(10)
    talk.send(events.InputAudioBufferCommit())
    talk.open()
    assert kinds(talk.sent()) == ["input_audio_buffer.commit"]
    talk.hears(10)
    talk.server(events.InputAudioBufferCommitted(item_id="u1"))
    talk.send(events.InputAudioBufferCommit())
    talk.hears(3)
    talk.server(events.InputAudioBufferCommitted(item_id="u2"))
    spoken = talk.core._machines.speech.turn
    assert [turn.ms for item_id in ("u1", "u2") if (turn := spoken(item_id))] == [800.0, 200.0]


def test_what_the_program_throws_away_without_a_connection_is_not_said_again() -> None:
    talk = Talk(vad=False, keep_ms=5_000)
    talk.hears(10)
    talk.lose()
    event_id = talk.send(events.InputAudioBufferClear())
    assert talk.happened() == [Answered(event_id, None)]
    assert talk.open()[1].blocks == ()
    assert talk.sent() == []


# -- calls --------------------------------------------------------------------------------------------


def test_a_tool_runs_across_the_loss_and_its_call_is_told_with_its_output() -> None:
    talk = Talk()
    request_id = talk.ask()
    talk.created("r1", request_id)
    call = talk.calls("c1")
    talk.done("r1")
    assert [due.call.call_id for due in talk.happened(CallDue)] == ["c1"]
    talk.sent()
    talk.lose()
    plan, _ = talk.open()
    assert (plan.items, plan.lost) == ((), ())
    assert talk.sent() == []
    talk.core.tool_finished("c1", "noon", talk.now)
    *pair, create = talk.sent()
    asked, answered = items(pair)
    assert asked == events.FunctionCall(id=call.id, call_id="c1", name="clock", arguments="{}")
    assert isinstance(answered, events.FunctionCallOutput)
    assert (answered.call_id, answered.output) == ("c1", "noon")
    talk.takes(*pair)
    talk.created("r2", create.event_id)
    talk.says("It is noon.", "r2")
    talk.done("r2")
    assert talk.finished() == [("completed", "It is noon.", None, (request_id,))]
    assert talk.again() == []
    assert talk.told == {"f_c1", answered.id, "a1"}


def test_a_tool_that_ends_while_there_is_no_connection_waits_for_one() -> None:
    talk = Talk()
    talk.created("r1")
    talk.calls("c1")
    talk.done("r1")
    talk.lose()
    talk.core.tool_finished("c1", "noon", talk.now)
    assert talk.sent() == []
    talk.open()
    sent = talk.sent()
    assert kinds(sent) == ["conversation.item.create"] * 2 + ["response.create"]
    assert [item.type for item in items(sent)] == ["function_call", "function_call_output"]


def test_a_response_that_broke_off_with_a_call_is_followed_by_what_its_tool_says() -> None:
    talk = Talk()
    request_id = talk.ask()
    talk.created("r1", request_id)
    talk.calls("c1")
    talk.sent()
    assert talk.again() == []
    assert [(it.response.reason, it.final) for it in talk.happened(ResponseFinished)] == [
        ("connection_lost", False)
    ]
    talk.core.tool_finished("c1", "noon", talk.now)
    *_, create = talk.sent()
    talk.created("r2", create.event_id)
    talk.done("r2")
    assert [served for *_, served in talk.finished()] == [(request_id,)]


def test_nothing_follows_the_calls_of_an_answer_that_was_cut() -> None:
    talk = Talk()
    request_id = talk.ask()
    talk.created("r1", request_id)
    talk.calls("c1")
    talk.core.interrupt(talk.now)
    talk.sent()
    assert talk.again() == []
    talk.core.tool_finished("c1", "noon", talk.now)
    assert [item.type for item in items(talk.sent())] == ["function_call", "function_call_output"]
    assert [served for *_, served in talk.finished()] == [(request_id,)]


def test_an_output_without_an_answer_is_sent_again_with_its_call() -> None:
    talk = Talk()
    talk.created("r1")
    talk.calls("c1")
    talk.done("r1")
    talk.core.tool_finished("c1", "noon", talk.now)
    before = talk.sent()
    talk.lose()
    plan, _ = talk.open()
    assert (plan.items, plan.lost) == ((), ())
    call, output, create = talk.sent()
    assert [item.type for item in items([call, output])] == ["function_call", "function_call_output"]
    assert [output, create] == before


def test_two_losses_tell_a_call_once_in_each_conversation() -> None:
    talk = Talk()
    talk.created("r1")
    talk.calls("c1")
    talk.done("r1")
    talk.lose()
    talk.open()
    talk.core.tool_finished("c1", "noon", talk.now)
    first = talk.sent()
    assert [item.type for item in items(first)] == ["function_call", "function_call_output"]
    again = talk.again()
    assert [item.type for item in items(again)] == ["function_call", "function_call_output"]
    assert [item.id for item in items(again)] == [item.id for item in items(first)]


def test_what_a_tool_returned_is_told_as_often_as_it_takes() -> None:
    talk = Talk()
    talk.created("r1")
    talk.calls("c1")
    talk.done("r1")
    talk.core.tool_finished("c1", "noon", talk.now)
    talk.sent()
    for _ in range(3):
        call, output = items(talk.again())
        assert (call.type, output.type) == ("function_call", "function_call_output")


def test_a_call_is_not_told_when_its_output_may_not_be_sent_again() -> None:
    talk = Talk()
    talk.created("r1")
    talk.calls("c1")
    talk.done("r1")
    talk.core.tool_finished("c1", "noon", talk.now)
    talk.sent()
    talk.lose(resend=False)
    talk.open()
    assert items(talk.sent()) == []
    assert talk.told == frozenset()


def test_a_pair_that_was_told_is_not_told_again() -> None:
    talk = Talk()
    talk.created("r1")
    talk.calls("c1")
    talk.done("r1")
    talk.core.tool_finished("c1", "noon", talk.now)
    output, create = talk.sent()
    talk.takes(output)
    talk.lose()
    plan, _ = talk.open()
    assert [item.type for item in plan.items] == ["function_call", "function_call_output"]
    assert creates(talk.sent()) == [create.event_id]


def test_an_output_of_the_programs_own_has_its_call_too() -> None:
    talk = Talk()
    talk.created("r1")
    item = events.FunctionCall(id="f1", call_id="c1", name="clock", arguments="{}", status="completed")
    talk.server(events.ConversationItemAdded(item=item), events.ConversationItemDone(item=item))
    talk.lose(resume=False)
    talk.send(events.ConversationItemCreate(item=events.FunctionCallOutput(call_id="c1", output="noon")))
    talk.open()
    assert [item.type for item in items(talk.sent())] == ["function_call", "function_call_output"]


def test_a_call_that_the_server_has_is_not_told_to_it() -> None:
    talk = Talk()
    talk.created("r1")
    talk.core.interrupt(talk.now)
    talk.calls("c1")  # of an answer that is not wanted any more: it is not run here
    talk.sent()
    talk.send(events.ConversationItemCreate(item=events.FunctionCallOutput(call_id="c1", output="none")))
    assert [item.type for item in items(talk.sent())] == ["function_call_output"]


@pytest.mark.parametrize("status", ["completed", None])
def test_finished_calls_stay_where_a_server_tells_no_status(status: str | None) -> None:
    talk = Talk()
    talk.created("r1")
    item = events.FunctionCall(id="f1", call_id="c1", name="clock", arguments="{}", status=status)
    talk.server(events.ResponseOutputItemDone(response_id="r1", output_index=0, item=item))
    talk.done("r1")
    assert talk.happened(CallDue)
    talk.core.tool_finished("c1", "noon", talk.now)
    output, *_ = talk.sent()
    assert isinstance(output, events.ConversationItemCreate)
    talk.server(events.ConversationItemAdded(item=output.item))
    talk.lose()
    assert [item.type for item in talk.open()[0].items] == ["function_call", "function_call_output"]


@pytest.mark.parametrize("begun", [False, True])
def test_a_response_that_nobody_wants_any_more_is_not_asked_for_again(begun: bool) -> None:
    talk = Talk()
    request_id = talk.ask(BESIDE)
    if begun:
        talk.created("b1", request_id)
    talk.core.drop_response(request_id, talk.now)
    assert creates(talk.again()) == []


class Calling:
    """Calls of one response that end in any order, while the user interrupts and connections are lost."""

    def __init__(self, count_of_calls: int) -> None:
        self.talk = Talk()
        self.running = [f"c{number}" for number in range(count_of_calls)]
        self.answered: list[str] = []
        self.started: list[str] = []
        self.follow_ups: set[str] = set()
        self.interrupted: set[str] = set()
        self.finals = 0
        self.losses = 0
        self.request_id = self.talk.ask()
        self.talk.created("r1", self.request_id)
        self.talk.sent()
        for call_id in self.running:
            self.talk.calls(call_id)
        self.look()

    def step(self, what: str, number: int) -> None:
        match what:
            case "finish" if self.running:
                call_id = self.running.pop(number % len(self.running))
                kept = call_id in self.interrupted
                self.talk.core.tool_finished(call_id, call_id, self.talk.now, follow_up=not kept)
            case "interrupt" if self.running:
                self.interrupted.update(self.running)
            case "done":
                self.talk.done("r1")
            case "again":
                for call_id in self.running:
                    self.talk.calls(call_id)
            case "lose" if self.losses < REPEATED_ANSWERS:  # after that the answer counts as undelivered
                self.losses += 1
                self.talk.lose()
                self.look()
                self.talk.open()
            case _:
                pass
        self.look()

    def look(self) -> None:
        for event in self.talk.sent():
            if isinstance(event, events.ResponseCreate):
                self.follow_ups.add(event.event_id or "")
            self.talk.takes(event)
            if isinstance(event, events.ConversationItemCreate) and isinstance(
                event.item, events.FunctionCallOutput
            ):
                self.answered.append(event.item.call_id or "")
        for happening in self.talk.happened():
            if isinstance(happening, CallDue):
                self.started.append(happening.call.call_id)
            if isinstance(happening, ResponseFinished) and self.request_id in happening.serves:
                self.finals += happening.final


@given(
    st.integers(1, 4),
    st.lists(
        st.tuples(
            st.sampled_from(["finish", "finish", "interrupt", "done", "again", "lose"]), st.integers(0, 3)
        ),
        max_size=15,
    ),
)
@settings(max_examples=300, deadline=None)
def test_whatever_happens_each_call_starts_and_is_answered_once_and_one_response_follows(
    number: int, steps: list[tuple[str, int]]
) -> None:
    calling = Calling(number)
    names = list(calling.running)
    for step in (*steps, ("done", 0), *[("finish", 0)] * number):
        calling.step(*step)
    assert calling.started == calling.answered == names
    if calling.interrupted:
        assert (calling.follow_ups, calling.finals) == (set(), 1)
        return
    (follow_up,) = calling.follow_ups
    calling.talk.created("r2", follow_up)
    calling.talk.done("r2")
    calling.look()
    assert calling.finals == 1


def test_a_call_that_was_announced_by_its_arguments_alone_is_told_too() -> None:
    talk = Talk()
    talk.created("r1")
    talk.server(
        events.ResponseFunctionCallArgumentsDone(
            response_id="r1", item_id="f1", output_index=0, call_id="c1", name="clock", arguments="{}"
        )
    )
    talk.done("r1")
    assert talk.happened(CallDue)
    talk.lose()
    talk.open()
    talk.core.tool_finished("c1", "noon", talk.now)
    assert [item.type for item in items(talk.sent())] == ["function_call", "function_call_output"]


# -- what was sent --------------------------------------------------------------------------------------


def test_an_item_without_an_answer_is_sent_again_with_the_same_ids() -> None:
    talk = Talk()
    event_id = talk.create()
    (first,) = talk.sent()
    (again,) = talk.again()
    assert again == first
    talk.takes(again)
    assert [it.event_id for it in talk.happened(Answered)] == [event_id]
    assert [entry.text for entry in talk.core.history] == ["Hello"]


def test_the_second_loss_tells_that_an_item_was_not_delivered() -> None:
    talk = Talk()
    event_id = talk.create()
    talk.again()
    assert talk.again() == []
    assert talk.happened() == [Undelivered(event_id, "conversation.item.create")]


def test_an_item_that_never_left_is_sent_for_the_first_time() -> None:
    talk = Talk()
    event_id = talk.create()
    unsent = talk.sent()
    assert [event.event_id for event in talk.again(unsent=unsent)] == [event_id]
    assert [event.event_id for event in talk.again()] == [event_id]
    assert talk.happened(Undelivered) == []


def test_nothing_is_sent_again_where_it_may_be_what_broke_the_connection() -> None:
    talk = Talk()
    event_id = talk.create()
    assert talk.again(resend=False) == []
    assert talk.happened() == [Undelivered(event_id, "conversation.item.create")]


def test_what_a_new_connection_makes_true_is_answered_without_it() -> None:
    talk = Talk()
    talk.created("r1")
    truncate = events.ConversationItemTruncate(item_id="a1", content_index=0, audio_end_ms=5)
    moot = (events.ResponseCancel(), events.InputAudioBufferClear(), truncate)
    ids = [talk.send(event) for event in moot]
    talk.sent()
    talk.lose()
    assert talk.happened(Answered) == [Answered(event_id, None) for event_id in ids]
    offline = [talk.send(event) for event in moot]
    assert talk.happened(Answered) == [Answered(event_id, None) for event_id in offline]
    talk.open()
    assert talk.sent() == []


def test_what_is_sent_without_a_connection_waits_in_its_order() -> None:
    talk = Talk()
    talk.lose()
    assert talk.core.state == "reconnecting"
    ids = [talk.create(text) for text in ("one", "two")]
    request_id = talk.ask()
    assert talk.sent() == []
    talk.open()
    assert [event.event_id for event in talk.sent()] == [*ids, request_id]


def test_far_too_much_that_waits_is_the_programs_error() -> None:
    talk = Talk()
    talk.lose()
    for _ in range(HELD_EVENTS):
        talk.create()
    with pytest.raises(LocalProtocolError):
        talk.create()


def test_what_nobody_waits_for_is_not_sent_when_there_is_a_connection() -> None:
    talk = Talk()
    talk.lose()
    talk.core.give_up(talk.create())
    talk.core.give_up(talk.ask())
    talk.open()
    assert talk.sent() == []


def test_a_change_that_was_taken_is_part_of_the_next_configuration() -> None:
    talk = Talk()
    first = events.RealtimeSession(instructions="Be kind.", output_modalities=["text"])
    change = events.RealtimeSession(instructions="Be brief.")
    assert talk.core.resumption.configuration(first) == first
    talk.send(events.SessionUpdate(session=change))
    talk.server(events.SessionUpdated(session=talk.session))
    wanted = talk.core.resumption.configuration(first)
    assert isinstance(wanted, events.RealtimeSession)
    assert (wanted.instructions, wanted.output_modalities) == ("Be brief.", ("text",))
    assert talk.core.resumption.configuration(None) == change


def test_a_change_that_was_refused_is_not() -> None:
    talk = Talk()
    event_id = talk.send(events.SessionUpdate(session=events.RealtimeSession(instructions="Be rude.")))
    talk.refuses(event_id)
    assert talk.core.resumption.configuration(None) is None
    assert [it.event_id for it in talk.happened(Refused)] == [event_id]


def test_a_change_without_an_answer_is_asked_for_again() -> None:
    talk = Talk()
    change = events.RealtimeSession(instructions="Be brief.")
    event_id = talk.send(events.SessionUpdate(session=change))
    (first,) = talk.sent()
    talk.lose()
    assert talk.core.resumption.configuration(None) is None
    talk.open()
    assert talk.sent() == [first]
    talk.refuses(event_id)
    assert talk.core.resumption.configuration(None) is None


def test_a_change_without_a_connection_is_not_taken_before_it_is_asked_for() -> None:
    talk = Talk()
    talk.lose()
    event_id = talk.send(events.SessionUpdate(session=events.RealtimeSession(instructions="Be rude.")))
    talk.open()
    assert [event.event_id for event in talk.sent()] == [event_id]
    talk.refuses(event_id)
    assert talk.core.resumption.configuration(None) is None


def test_a_server_that_answers_no_change_has_taken_it() -> None:
    core = Conversation(new_id=str, dialect=events.PROFILES["vllm"])
    change = events.TranscriptionSession(include=["item.input_audio_transcription.logprobs"])
    core.send(events.SessionUpdate(session=change), 0.0)
    assert core.resumption.configuration(events.TranscriptionSession()) == change


def test_who_only_writes_down_is_told_nothing_and_keeps_its_configuration() -> None:
    talk = Talk()
    writes = events.TranscriptionSession()
    talk.session = writes  # type: ignore[assignment]
    talk.server(events.SessionUpdated(session=writes))
    talk.speech(end_ms=500)
    talk.written_down("Hello")
    talk.lose()
    assert talk.core.resumption.configuration(writes) == writes
    plan, _ = talk.open()
    assert (plan.items, plan.lost) == ((), ())
    assert talk.sent() == []


# -- what is left of it ---------------------------------------------------------------------------------


def test_the_history_has_no_half_items_afterwards() -> None:
    talk = Talk()
    talk.create("Hello", "u0")
    talk.takes(*talk.sent())
    talk.created("r1")
    talk.says("Once upon")
    unfinished = events.FunctionCall(id="f1", call_id="c1", name="x", arguments="{", status="in_progress")
    talk.server(events.ConversationItemAdded(item=unfinished))
    talk.speech("u1")
    talk.lose()
    assert [(entry.id, entry.status) for entry in talk.core.history] == [
        ("u0", "completed"),
        ("a1", "incomplete"),
    ]
    assert talk.core.state == "reconnecting"


def test_what_the_next_server_says_of_known_items_is_not_read() -> None:
    talk = Talk()
    talk.create("Hello", "u0")
    talk.takes(*talk.sent())
    talk.lose()
    shorter = events.user_message("Hel", id="u0")
    new = events.system_message("Welcome back.", id="s1")
    talk.open(
        events.ConversationItemDone(item=shorter),
        events.ConversationItemAdded(item=new, previous_item_id="u0"),
    )
    assert [(entry.id, entry.text) for entry in talk.core.history] == [
        ("u0", "Hello"),
        ("s1", "Welcome back."),
    ]


def test_an_item_that_was_told_twice_is_not_gone() -> None:
    talk = Talk()
    talk.create("Hello", "u0")
    talk.takes(*talk.sent())
    talk.lose()
    talk.open(events.ConversationItemDeleted(item_id="u0"), events.ConversationItemDeleted(item_id="u9"))
    assert [entry.id for entry in talk.core.history] == ["u0"]


def test_what_is_too_old_stays_behind() -> None:
    talk = Talk()
    talk.create("Hello", "u0")
    talk.takes(*talk.sent())
    talk.now += 60.0
    talk.create("Hello again", "u1")
    talk.takes(*talk.sent())
    talk.lose()
    plan = talk.core.resumption.plan(talk.now, max_age_s=30.0)
    assert (told(plan), [entry.id for entry in plan.lost]) == (["u1"], ["u0"])


def test_the_next_connection_is_greeted_anew() -> None:
    xai = Conversation(new_id=str, dialect=events.PROFILES["xai"])
    xai.receive(events.decode('{"type":"conversation.created"}'), 0.0)
    xai.resumption.lost(0.0)
    assert not xai.greeted
    xai.resumption.connected(Opened(), 0.0)
    assert xai.greeted


def test_a_conversation_is_quiet_when_nobody_wants_anything() -> None:
    talk = Talk(keep_ms=1_000)
    assert talk.core.resumption.quiet
    talk.speech("u1")
    assert not talk.core.resumption.quiet
    talk.speech("u1", end_ms=500)
    assert not talk.core.resumption.quiet
    talk.created("r1")
    talk.says("Hello")
    assert not talk.core.resumption.quiet
    talk.calls("c1")
    talk.done("r1")
    talk.core.playback_finished({"a1": 1000.0}, talk.now)
    assert not talk.core.resumption.quiet
    talk.core.tool_finished("c1", "noon", talk.now, follow_up=False)
    assert talk.core.resumption.quiet
    judge = talk.ask(BESIDE)
    assert not talk.core.resumption.quiet
    talk.created("b1", judge)
    assert not talk.core.resumption.quiet
    talk.done("b1")
    assert talk.core.resumption.quiet
    talk.lose()
    assert not talk.core.resumption.quiet


def test_a_server_that_counts_its_responses_anew_is_heard() -> None:
    talk = Talk()
    talk.created("r1")
    talk.says("Once upon")
    talk.core.interrupt(talk.now)
    talk.lose()
    talk.open()
    talk.happened()
    talk.created("r1")
    talk.says("Yes?", "r1", "a2")
    assert [due.item.item_id for due in talk.happened(PlayDue)] == ["a2"]


def test_a_turn_that_the_server_does_not_answer_is_quiet() -> None:
    talk = Talk(create_response=False)
    talk.speech("u1", end_ms=500)
    assert talk.core.resumption.quiet


def test_late_audio_of_the_old_connection_is_heard_to_its_end() -> None:
    talk = Talk()
    talk.created("r1")
    talk.says("Hello")
    talk.lose(resume=False)
    assert [due.item.item_id for due in talk.happened(PlayDue)] == ["a1"]
    talk.open()
    talk.core.playback_finished({"a1": 1000.0}, talk.now)
    assert talk.core.state == "listening"


# -- any order of everything --------------------------------------------------------------------------


class Server:
    """One conversation at a server that keeps the rules, and finds fault with whoever does not.

    Args:
        numbers: makes its ids.
        planned: what it is told before the conversation goes on.
    """

    def __init__(self, numbers: Iterable[int], planned: Iterable[events.Item] = ()) -> None:
        self.numbers = iter(numbers)
        self.items: dict[str, events.Item] = {}
        self.said: deque[events.ServerEvent] = deque()
        self.active: str | None = None
        self.beside: list[str] = []
        self.speaking: list[events.AssistantMessage] = []
        self.heard: str | None = None
        self.greeting = (
            events.SessionCreated(session=session()),
            events.SessionUpdated(session=session()),
            *(self.put(item) for item in planned),
        )

    def new(self, prefix: str) -> str:
        return f"{prefix}{next(self.numbers)}"

    def put(self, item: events.Item) -> events.ConversationItemAdded:
        assert item.id is not None
        assert item.id not in self.items, f"{item.id} twice"
        if isinstance(item, events.FunctionCallOutput):
            assert self.calls()[item.call_id] == 1, f"an output of {item.call_id} without its call"
            assert not self.outputs()[item.call_id], f"{item.call_id} has two outputs"
        self.items[item.id] = item
        return events.ConversationItemAdded(item=item)

    def calls(self) -> Counter[str | None]:
        return Counter(item.call_id for item in self.items.values() if isinstance(item, events.FunctionCall))

    def outputs(self) -> Counter[str | None]:
        found = (item for item in self.items.values() if isinstance(item, events.FunctionCallOutput))
        return Counter(item.call_id for item in found)

    def reads(self, event: events.ClientEvent) -> None:
        match event:
            case events.ResponseCreate(response=params):
                beside = params is not None and params.conversation == "none"
                if not beside and self.active is not None:
                    self.refuses(event, "conversation_already_has_active_response")
                    return
                self.begins(params.metadata if params is not None else None, beside=beside)
            case events.ResponseCancel():
                if self.active is None:
                    self.refuses(event, "response_cancel_not_active")
                else:
                    self.ends(self.active, "cancelled")
            case events.ConversationItemCreate(item=item):
                done = item.model_copy(update={"status": "completed"})
                self.said += (self.put(done), events.ConversationItemDone(item=done))
            case events.ConversationItemDelete(item_id=item_id):
                if self.items.pop(item_id, None) is None:
                    self.refuses(event, "item_delete_invalid_item_id")
                else:
                    self.said.append(events.ConversationItemDeleted(item_id=item_id))
            case events.SessionUpdate():
                self.said.append(events.SessionUpdated(session=session()))
            case _:
                pytest.fail(f"{event.type} was not expected")

    def refuses(self, event: events.ClientEvent, code: str) -> None:
        error = events.ErrorDetail(type="x", message="No.", code=code, event_id=event.event_id)
        self.said.append(events.Error(error=error))

    def begins(self, metadata: dict[str, str] | None, *, beside: bool = False) -> None:
        response_id = self.new("r")
        if beside:
            self.beside.append(response_id)
        else:
            self.active = response_id
        response = events.RealtimeResponse(id=response_id, metadata=metadata)
        self.said.append(events.ResponseCreated(response=response))

    def notices(self) -> str:
        """The user begins, and interrupts whatever is being said."""
        if self.heard is None:
            self.heard = self.new("u")
            self.said.append(events.InputAudioBufferSpeechStarted(audio_start_ms=0, item_id=self.heard))
        if self.active is not None:
            self.ends(self.active, "cancelled")
        return self.heard

    def hears(self, *, words: bool) -> None:
        """The user has said something."""
        item = events.UserMessage(id=self.notices(), status="completed", content=[events.InputAudio()])
        self.heard = None
        self.said += (
            events.InputAudioBufferSpeechStopped(audio_end_ms=100, item_id=item.id or ""),
            events.InputAudioBufferCommitted(item_id=item.id or ""),
            self.put(item),
        )
        if words:
            self.said.append(
                events.ConversationItemInputAudioTranscriptionCompleted(
                    item_id=item.id or "", content_index=0, transcript="And now?"
                )
            )
        self.begins(None)

    def says(self, response_id: str, *, aloud: bool) -> None:
        item = events.AssistantMessage(id=self.new("a"), status="in_progress", content=[])
        part: dict[str, Any] = {
            "response_id": response_id,
            "item_id": item.id,
            "output_index": 0,
            "content_index": 0,
        }
        self.said.append(events.ResponseOutputItemAdded(response_id=response_id, output_index=0, item=item))
        if response_id not in self.beside:
            self.said.append(self.put(item))
            self.speaking.append(item)
        self.said.append(events.ResponseOutputAudioTranscriptDelta(delta="Once upon", **part))
        if aloud:
            self.said.append(events.ResponseOutputAudioDelta.of(pcm=BLOCK, **part))

    def calls_a_tool(self) -> None:
        item = events.FunctionCall(
            id=self.new("f"), call_id=self.new("c"), name="clock", arguments="{}", status="completed"
        )
        self.said += (
            self.put(item),
            events.ConversationItemDone(item=item),
            events.ResponseOutputItemDone(response_id=self.active, output_index=0, item=item),
        )

    def ends(self, response_id: str, status: str = "completed") -> None:
        if response_id in self.beside:
            self.beside.remove(response_id)
        else:
            self.active = None
            for item in self.speaking:
                done = item.model_copy(
                    update={"status": "completed" if status == "completed" else "incomplete"}
                )
                self.said += (
                    events.ResponseOutputItemDone(response_id=response_id, output_index=0, item=done),
                    events.ConversationItemDone(item=done),
                )
            self.speaking.clear()
        response = events.RealtimeResponse(id=response_id, status=status, output=[])
        self.said.append(events.ResponseDone(response=response))


class World(RuleBasedStateMachine):
    """Connections that break anywhere, between a conversation and servers that keep the rules."""

    def __init__(self) -> None:
        super().__init__()
        self.ids = count(1)
        self.core = Conversation(new_id=lambda prefix: f"{prefix}_{next(self.ids)}")
        self.core.resumption.keep_speech(100.0, 0.0)
        self.numbers = count(1)
        self.now = 100.0
        self.link: Server | None = Server(self.numbers)
        self.dialled: Server | None = None
        self.written: deque[events.ClientEvent] = deque()
        self.in_flight: set[str] = set()
        self.requests: list[str] = []
        self.ended: Counter[str] = Counter()
        self.started: Counter[str] = Counter()
        self.running: list[str] = []
        for event in self.link.greeting:
            self.core.receive(event, self.now)
        self.ask(beside=False)  # from here on it is known that the server echoes what it was asked
        self.settle()

    # -- the shell --------------------------------------------------------------------------------------

    def carry_out(self) -> None:
        """What a shell does after every step."""
        while happenings := self.core.happenings():
            for happening in happenings:
                match happening:
                    case CallDue(call):
                        self.started[call.call_id] += 1
                        self.running.append(call.call_id)
                    case StopDue():
                        self.core.playback_stopped({}, self.now)
                    case Refused(event_id) | Undelivered(event_id):
                        self.ended[event_id] += 1
                    case ResponseFinished(_, serves, True):
                        self.ended.update(serves)
                    case _:
                        pass
        for event in self.core.events_to_send():
            assert self.link is not None, f"{event.type} without a connection"
            if isinstance(event, events.ResponseCreate) and not is_beside(event):
                assert not self.in_flight, "two creates at once"
                self.in_flight.add(event.event_id or "")
            self.written.append(event)

    def arrives(self, event: events.ServerEvent) -> None:
        match event:
            case events.ResponseCreated(response=response):
                self.in_flight.discard((response.metadata or {}).get(REQUEST_KEY, ""))
            case events.Error(error=error):
                self.in_flight.discard(error.event_id or "")
            case _:
                pass
        self.core.receive(event, self.now)
        self.carry_out()

    @property
    def online(self) -> Server:
        assert self.link is not None
        return self.link

    @invariant()
    def tools_start_once(self) -> None:
        assert all(number == 1 for number in self.started.values())

    @invariant()
    def requests_end_once(self) -> None:
        assert all(self.ended[request_id] <= 1 for request_id in self.requests)

    # -- the program, with and without a connection ----------------------------------------------------

    @rule(beside=st.booleans())
    def ask(self, beside: bool) -> None:
        self.requests.append(self.core.create_response(BESIDE if beside else None, self.now))
        self.carry_out()

    @rule()
    def say(self) -> None:
        create = events.ConversationItemCreate(item=events.user_message("Hello"))
        self.core.send(create, self.now)
        self.carry_out()

    @precondition(lambda self: self.running)
    @rule(follow_up=st.booleans())
    def tool_ends(self, follow_up: bool) -> None:
        self.core.tool_finished(self.running.pop(0), "noon", self.now, follow_up=follow_up)
        self.carry_out()

    @rule()
    def interrupt(self) -> None:
        self.core.interrupt(self.now)
        self.carry_out()

    # -- the server --------------------------------------------------------------------------------------

    @precondition(lambda self: self.link and self.written)
    @rule(number=st.integers(1, 4))
    def server_reads(self, number: int) -> None:
        for _ in range(min(number, len(self.written))):
            self.online.reads(self.written.popleft())

    @precondition(lambda self: self.link and self.link.said)
    @rule(number=st.integers(1, 8))
    def core_reads(self, number: int) -> None:
        for _ in range(min(number, len(self.online.said))):
            self.arrives(self.online.said.popleft())

    @precondition(lambda self: self.link)
    @rule(rounds=st.integers(1, 8))
    def both_read(self, rounds: int) -> None:
        for _ in range(rounds):
            if self.written:
                self.server_reads(1)
            if self.online.said:
                self.core_reads(2)

    @precondition(lambda self: self.link)
    @rule(words=st.booleans(), calls=st.integers(0, 2))
    def user_speaks(self, words: bool, calls: int) -> None:
        self.core.audio_written(BLOCK, BLOCK_MS, self.now)
        self.online.hears(words=words)
        for _ in range(calls):
            self.online.calls_a_tool()

    @rule()
    def user_begins(self) -> None:
        self.core.audio_written(BLOCK, BLOCK_MS, self.now)
        if self.link is not None:
            self.link.notices()

    @precondition(lambda self: self.link and (self.link.active or self.link.beside))
    @rule(aloud=st.booleans())
    def server_speaks(self, aloud: bool) -> None:
        self.online.says(self.online.active or self.online.beside[0], aloud=aloud)

    @precondition(lambda self: self.link and self.link.active)
    @rule()
    def server_calls(self) -> None:
        self.online.calls_a_tool()

    @precondition(lambda self: self.link and (self.link.active or self.link.beside))
    @rule()
    def response_ends(self) -> None:
        self.online.ends(self.online.active or self.online.beside[0])

    # -- the connections ---------------------------------------------------------------------------------

    @precondition(lambda self: self.link)
    @rule(unsent=st.integers(0, 3), resend=st.booleans(), resume=st.booleans())
    def lose(self, unsent: int, resend: bool, resume: bool) -> None:
        left = list(self.written)[len(self.written) - min(unsent, len(self.written)) :]
        self.link = None
        self.written.clear()
        self.in_flight.clear()
        self.core.resumption.lost(self.now, unsent=left, resend=resend, resume=resume)
        self.carry_out()

    @precondition(lambda self: self.link)
    @rule(unsent=st.integers(0, 3), tools=st.booleans())
    def change_over(self, unsent: int, tools: bool) -> None:
        self.lose(unsent=unsent, resend=True, resume=True)
        self.dial()
        if tools and self.running:
            self.tool_ends(follow_up=True)
        self.take_up()

    @precondition(lambda self: self.link is None)
    @rule()
    def dial(self) -> None:
        self.dialled = Server(self.numbers, self.core.resumption.plan(self.now).items)

    @precondition(lambda self: self.link is None and self.dialled)
    @rule()
    def dialled_in_vain(self) -> None:
        self.dialled = None

    @precondition(lambda self: self.link is None and self.dialled)
    @rule()
    def take_up(self) -> None:
        self.link, self.dialled = self.dialled, None
        opened = Opened(self.online.greeting, frozenset(self.online.items))
        repeat = self.core.resumption.connected(opened, self.now)
        for block in repeat.blocks:
            self.core.audio_written(block.pcm, block.ms, block.at)
        self.core.resumption.go_on(self.now)
        self.carry_out()
        if repeat.blocks:
            self.online.hears(words=True)

    # -- the end ------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """Everything is answered: nobody may be left waiting, and no call without its output."""
        if self.link is None:
            self.dial()
            self.take_up()
        if self.online.heard is not None:
            self.online.hears(words=True)
        self.settle()
        assert [request_id for request_id in self.requests if self.ended[request_id] != 1] == []
        assert self.core.state in {"listening", "speaking"}
        calls, outputs = self.online.calls(), self.online.outputs()
        assert outputs.keys() <= calls.keys()
        assert [call_id for call_id in self.started if calls[call_id] != outputs[call_id]] == []
        assert [entry.id for entry in self.core.history if entry.status == "in_progress"] == []

    def settle(self) -> None:
        for _ in range(1_000):
            if self.written:
                self.server_reads(1)
            elif self.online.said:
                self.core_reads(1)
            elif self.running:
                self.tool_ends(follow_up=True)
            elif self.online.active or self.online.beside:
                self.response_ends()
            else:
                break


def is_beside(event: events.ResponseCreate) -> bool:
    return event.response is not None and event.response.conversation == "none"


TestAnyOrderOfLosses = World.TestCase
TestAnyOrderOfLosses.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, report_multiple_bugs=False
)
