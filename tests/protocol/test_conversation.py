"""The core as a whole: events and intents in, events and happenings out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtagent import events
from rtagent.errors import LocalProtocolError
from rtagent.protocol import (
    Answered,
    CallDue,
    CallsInterrupted,
    Conversation,
    Happening,
    InputTurn,
    PlayDue,
    Refused,
    ResponseFinished,
    StopDue,
    VoiceCut,
    VoiceEnded,
)
from rtagent.protocol._gate import REQUEST_KEY, GateState

SECOND_OF_PCM = bytes(48_000)


class Talk:
    """A conversation with a short vocabulary: what the server says, what was sent, what happened."""

    def __init__(self, *, vad: bool = True) -> None:
        numbers = count(1)
        self.core = Conversation(new_id=lambda prefix: f"{prefix}_{next(numbers)}")
        detection = events.ServerVad() if vad else None
        session = events.RealtimeSession(
            audio=events.SessionAudio(input=events.AudioInput(turn_detection=detection))
        )
        self.now = 100.0
        self.server(events.SessionCreated(session=session))
        self.take()

    def server(self, *arrived: events.ServerEvent) -> None:
        for event in arrived:
            self.core.receive(event, self.now)

    def take(self) -> tuple[list[events.ClientEvent], list[Happening]]:
        return self.core.events_to_send(), self.core.happenings()

    def sent(self) -> list[events.ClientEvent]:
        return self.core.events_to_send()

    def happened(self, *kinds: type) -> list[Any]:
        return [item for item in self.core.happenings() if not kinds or isinstance(item, kinds)]

    def ask(self, params: events.ResponseParams | None = None) -> str:
        return self.core.create_response(params, self.now)

    def response(self, response_id: str = "r1", request_id: str | None = None) -> None:
        metadata = {REQUEST_KEY: request_id} if request_id else None
        self.server(
            events.ResponseCreated(response=events.RealtimeResponse(id=response_id, metadata=metadata))
        )

    def audio(self, item_id: str = "a1", response_id: str = "r1", pcm: bytes = SECOND_OF_PCM) -> None:
        self.server(
            events.ResponseOutputAudioDelta.of(
                pcm=pcm, response_id=response_id, item_id=item_id, output_index=0, content_index=0
            )
        )

    def done(
        self,
        response_id: str = "r1",
        *,
        status: str = "completed",
        output: Iterable[events.Item] = (),
        **fields: Any,
    ) -> None:
        response = events.RealtimeResponse(id=response_id, status=status, output=list(output), **fields)
        self.server(events.ResponseDone(response=response))

    def call(
        self, call_id: str, response_id: str = "r1", index: int = 0, **fields: Any
    ) -> events.FunctionCall:
        given = {"status": "completed", "arguments": "{}", "name": "tool", **fields}
        item = events.FunctionCall(id=f"item_{call_id}", call_id=call_id, **given)
        self.server(events.ResponseOutputItemDone(response_id=response_id, output_index=index, item=item))
        return item


def kinds(sent: Iterable[events.ClientEvent]) -> list[str]:
    return [event.type for event in sent]


# -- responses ------------------------------------------------------------------------------------


def test_a_response_is_asked_for_once_and_finishes_its_request() -> None:
    talk = Talk()
    request_id = talk.ask()
    assert kinds(talk.sent()) == ["response.create"]
    talk.response("r1", request_id)
    assert talk.happened(Answered)[0].event_id == request_id
    talk.server(
        events.ResponseOutputItemAdded(
            response_id="r1", output_index=0, item=events.AssistantMessage(id="a1", content=[])
        ),
        events.ResponseOutputAudioTranscriptDone(
            response_id="r1", item_id="a1", output_index=0, content_index=0, transcript="Hello."
        ),
    )
    talk.audio()
    usage = events.ResponseUsage(total_tokens=7, input_tokens=3, output_tokens=4)
    talk.done(output=[events.AssistantMessage(id="a1", content=[], status="completed")], usage=usage)
    (finished,) = talk.happened(ResponseFinished)
    assert finished.serves == (request_id,)
    assert finished.final
    assert (finished.response.text, finished.response.audio_ms) == ("Hello.", 1000.0)
    assert finished.response.usage.total_tokens == 7
    assert talk.core.usage.output_tokens == 4
    assert finished.response.metadata == {}


def test_an_item_that_was_never_announced_is_read_from_the_end() -> None:
    talk = Talk()
    talk.response()
    talk.done(output=[events.assistant_message("Hi.", id="a9")])
    assert talk.happened(ResponseFinished)[0].response.text == "Hi."


def test_a_second_request_waits_for_the_first_to_be_done() -> None:
    talk = Talk()
    first, second = talk.ask(), talk.ask()
    assert kinds(talk.sent()) == ["response.create"]
    talk.response("r1", first)
    assert talk.sent() == []
    talk.done("r1")
    (create,) = talk.sent()
    assert create.event_id == second


def test_a_refused_request_fails_with_the_servers_words() -> None:
    talk = Talk()
    request_id = talk.ask()
    talk.server(
        events.Error(error=events.ErrorDetail(type="x", message="no", code="bad", event_id=request_id))
    )
    (refused,) = talk.happened(Refused)
    assert (refused.event_id, refused.error.code) == (request_id, "bad")


def test_an_active_response_error_is_no_failure() -> None:
    talk = Talk()
    request_id = talk.ask()
    talk.sent()
    error = events.ErrorDetail(
        type="invalid_request_error", message="busy", code="conversation_already_has_active_response"
    )
    talk.server(events.Error(error=error))
    assert talk.happened(Refused) == []
    talk.response("vad")
    talk.done("vad")
    (again,) = talk.sent()
    assert again.event_id == request_id


def test_a_create_without_an_answer_fails_and_its_late_response_is_cancelled() -> None:
    talk = Talk()
    request_id = talk.ask()
    talk.sent()
    assert talk.core.next_deadline() == 110.0
    talk.core.handle_timeout(110.0)
    assert talk.happened(Refused) == [Refused(request_id, None)]
    talk.response("late", request_id)
    (cancel,) = talk.sent()
    assert isinstance(cancel, events.ResponseCancel)
    assert cancel.response_id == "late"
    talk.audio(response_id="late")
    assert talk.happened(PlayDue) == []
    assert talk.core.late_audio_ms == 1000.0


def test_many_expired_requests_are_not_kept_for_ever() -> None:
    talk = Talk()
    requests = []
    for _ in range(70):
        requests.append(talk.ask())
        talk.now += 20.0
        talk.core.handle_timeout(talk.now)
    talk.take()
    talk.response("late", requests[0])
    assert talk.sent() == []


def test_out_of_band_responses_leave_no_trace_in_the_history() -> None:
    talk = Talk()
    request_id = talk.ask(events.ResponseParams(conversation="none"))
    talk.response("beside", request_id)
    talk.server(
        events.ResponseOutputTextDone(
            response_id="beside", item_id="t1", output_index=0, content_index=0, text="Secret."
        )
    )
    talk.done("beside", output=[events.assistant_message("Secret.", id="t1")])
    assert talk.core.history == ()
    assert talk.happened(ResponseFinished)[0].response.text == "Secret."


def test_giving_up_takes_a_waiting_request_out_of_the_queue() -> None:
    talk = Talk()
    talk.ask()
    second = talk.ask()
    talk.core.give_up(second)
    talk.response()
    talk.done()
    assert kinds(talk.sent()) == ["response.create"]


# -- sends ----------------------------------------------------------------------------------------


def test_an_item_without_an_id_gets_one_and_is_answered_by_it() -> None:
    talk = Talk()
    event_id = talk.core.send(
        events.ConversationItemCreate(item=events.user_message("Hi")), talk.now, awaited=True
    )
    (create,) = talk.sent()
    assert isinstance(create, events.ConversationItemCreate)
    assert create.item.id is not None
    added = events.ConversationItemAdded(item=create.item, previous_item_id=None)
    talk.server(added)
    assert talk.happened(Answered) == [Answered(event_id, added)]
    assert [entry.text for entry in talk.core.history] == ["Hi"]


def test_an_error_fails_the_send_that_it_names_and_no_other() -> None:
    talk = Talk()
    clear = events.InputAudioBufferClear()
    one = talk.core.send(clear, talk.now, awaited=True)
    talk.core.send(clear, talk.now, awaited=True)
    talk.server(
        events.Error(error=events.ErrorDetail(type="x", message="anonymous")),
        events.Error(error=events.ErrorDetail(type="x", message="named", event_id=one)),
        events.Error(error=events.ErrorDetail(type="x", message="again", event_id=one)),
    )
    assert [(refused.event_id, refused.error.message) for refused in talk.happened(Refused)] == [
        (one, "named")
    ]


def test_a_send_that_nobody_awaits_is_told_to_nobody() -> None:
    talk = Talk()
    talk.core.send(events.InputAudioBufferClear(), talk.now)
    assert kinds(talk.sent()) == ["input_audio_buffer.clear"]
    talk.server(events.InputAudioBufferCleared())
    assert talk.happened() == []


def test_cancelling_when_nothing_runs_needs_no_answer() -> None:
    talk = Talk()
    event_id = talk.core.send(events.ResponseCancel(), talk.now, awaited=True)
    assert talk.take() == ([], [Answered(event_id, None)])


def test_a_cancel_that_came_too_late_is_no_failure() -> None:
    talk = Talk()
    talk.response()
    event_id = talk.core.send(events.ResponseCancel(), talk.now, awaited=True)
    talk.sent()
    talk.server(
        events.Error(
            error=events.ErrorDetail(
                type="x", message="late", code="response_cancel_not_active", event_id=event_id
            )
        )
    )
    assert talk.happened(Answered, Refused) == [Answered(event_id, None)]


# -- the user's turn -------------------------------------------------------------------------------


def test_a_spoken_turn_is_followed_to_its_answer() -> None:
    talk = Talk()
    for block in range(100):
        talk.core.audio_written(bytes(960), 20.0, 10.0 + block * 0.02)
    states = []
    for event in (
        events.InputAudioBufferSpeechStarted(item_id="u1", audio_start_ms=100),
        events.InputAudioBufferSpeechStopped(item_id="u1", audio_end_ms=1700),
        events.InputAudioBufferCommitted(item_id="u1", previous_item_id=None),
        events.ConversationItemInputAudioTranscriptionDelta(item_id="u1", content_index=0, delta="Hel"),
        events.ConversationItemInputAudioTranscriptionCompleted(
            item_id="u1", content_index=0, transcript="Hello.", usage=None
        ),
        events.ResponseCreated(response=events.RealtimeResponse(id="r1")),
    ):
        talk.server(event)
        states.append(talk.core.state)
    assert states == ["listening", "listening", "thinking", "thinking", "thinking", "thinking"]
    turns = talk.happened(InputTurn)
    assert [turn.kind for turn in turns] == ["started", "stopped", "taken"]
    assert turns[1].ended_at == pytest.approx(11.2)  # 1700 ms less the 500 ms of silence
    assert [(entry.role, entry.text) for entry in talk.core.history] == [("user", "Hello.")]
    talk.audio()
    assert talk.core.state == "speaking"


def test_clearing_takes_the_turn_back() -> None:
    talk = Talk()
    talk.server(events.InputAudioBufferSpeechStarted(audio_start_ms=0), events.InputAudioBufferCleared())
    assert talk.core.state == "listening"


# -- interruption ----------------------------------------------------------------------------------


def speaking() -> Talk:
    """The assistant has sent two items of a response that still runs: A (2 s), then B (1 s)."""
    talk = Talk()
    talk.response()
    for item_id, seconds in (("A", 2), ("B", 1)):
        talk.server(
            events.ResponseOutputItemAdded(
                response_id="r1", output_index=0, item=events.AssistantMessage(id=item_id, content=[])
            ),
            events.ResponseOutputAudioTranscriptDelta(
                response_id="r1", item_id=item_id, output_index=0, content_index=0, delta="one two three four"
            ),
        )
        talk.audio(item_id, pcm=SECOND_OF_PCM * seconds)
    talk.take()
    return talk


def test_words_that_come_while_the_voice_sounds_are_told() -> None:
    talk = speaking()
    for text in ("", " ", "No"):
        talk.server(
            events.ConversationItemInputAudioTranscriptionDelta(item_id="u2", content_index=0, delta=text)
        )
    talk.server(
        events.ConversationItemInputAudioTranscriptionCompleted(
            item_id="u2", content_index=0, transcript="No, stop.", usage=None
        )
    )
    assert talk.happened(InputTurn) == [InputTurn("words", "u2")] * 2


def test_the_end_of_speech_may_have_no_position_and_a_turn_no_answer() -> None:
    talk = Talk(vad=False)
    talk.server(
        events.InputAudioBufferSpeechStarted(item_id="u1", audio_start_ms=None),
        events.InputAudioBufferSpeechStopped(item_id="u1", audio_end_ms=None),
        events.InputAudioBufferCommitted(item_id="u1", previous_item_id=None),
    )
    assert talk.happened(InputTurn) == [InputTurn("started", "u1"), InputTurn("stopped", "u1")]


def test_speech_stops_the_voice_and_the_server_learns_what_was_heard() -> None:
    talk = speaking()
    talk.server(events.InputAudioBufferSpeechStarted(item_id="u2", audio_start_ms=0))
    assert talk.happened(StopDue) == [StopDue("speech")]
    talk.core.playback_stopped({"A": 1000.4}, talk.now)
    (truncate,) = talk.sent()
    assert isinstance(truncate, events.ConversationItemTruncate)
    assert (truncate.item_id, truncate.content_index, truncate.audio_end_ms) == ("A", 0, 1000)
    assert talk.happened(VoiceCut) == [VoiceCut("A", 1000.4, "r1")]
    assert [(entry.id, entry.text, entry.heard_ms) for entry in talk.core.history] == [
        ("A", "one two", 1000.4),
        ("u2", "", None),
    ]
    talk.done(status="cancelled")
    (delete,) = talk.sent()  # B was never heard; the server has finished with it now
    assert isinstance(delete, events.ConversationItemDelete)
    assert delete.item_id == "B"
    assert talk.core.state == "listening"


def test_late_audio_of_an_interrupted_response_is_dropped() -> None:
    talk = speaking()
    talk.server(events.InputAudioBufferSpeechStarted(audio_start_ms=0))
    talk.core.playback_stopped({"A": 1.0}, talk.now)
    talk.take()
    talk.audio("C")
    assert talk.happened(PlayDue) == []
    talk.done(status="cancelled")
    assert talk.happened(VoiceEnded) == []


def test_the_program_interrupts_with_a_cancel_before_the_truncate() -> None:
    talk = speaking()
    talk.core.interrupt(talk.now)
    assert talk.happened(StopDue) == [StopDue("program")]
    talk.core.playback_stopped({"A": 500.0}, talk.now)
    assert kinds(talk.sent()) == ["response.cancel", "conversation.item.truncate"]
    talk.core.interrupt(talk.now)
    talk.core.playback_stopped({}, talk.now)
    assert talk.sent() == []


def test_after_the_response_is_done_its_queued_voice_is_still_cut() -> None:
    talk = speaking()
    talk.done()
    talk.take()
    talk.server(events.InputAudioBufferSpeechStarted(audio_start_ms=0))
    talk.core.playback_stopped({"A": 2000.0, "B": 250.0}, talk.now)
    (truncate,) = talk.sent()
    assert isinstance(truncate, events.ConversationItemTruncate)
    assert (truncate.item_id, truncate.audio_end_ms) == ("B", 250)


def test_an_unheard_item_of_a_finished_response_is_deleted_at_once() -> None:
    talk = speaking()
    talk.done()
    talk.core.interrupt(talk.now)
    talk.core.playback_stopped({"A": 10.0}, talk.now)
    assert kinds(talk.sent()) == ["conversation.item.truncate", "conversation.item.delete"]


def test_without_a_sink_nothing_is_truncated() -> None:
    talk = speaking()
    talk.core.interrupt(talk.now)
    talk.core.playback_stopped(None, talk.now)
    assert kinds(talk.sent()) == ["response.cancel"]
    assert talk.core.state != "speaking"


def test_with_manual_turns_speech_interrupts_nothing() -> None:
    talk = Talk(vad=False)
    talk.response()
    talk.audio()
    talk.server(events.InputAudioBufferSpeechStarted(audio_start_ms=0))
    assert talk.happened(StopDue) == []


def test_speech_with_nothing_to_stop_stops_nothing() -> None:
    talk = Talk()
    talk.server(events.InputAudioBufferSpeechStarted(audio_start_ms=0))
    assert talk.happened(StopDue) == []


def test_a_voice_heard_to_its_end_is_over() -> None:
    talk = speaking()
    talk.done()
    assert talk.happened(VoiceEnded) == [VoiceEnded("r1")]
    states = []
    talk.core.playback_progress({"A": 1500.0})
    states.append(talk.core.state)
    talk.core.playback_finished({"A": 2000.0, "B": 1000.0}, talk.now)
    states.append(talk.core.state)
    assert states == ["speaking", "listening"]
    talk.server(events.ConversationItemDeleted(item_id="A"))
    assert [entry.id for entry in talk.core.history] == ["B"]


def test_many_interruptions_are_not_remembered_for_ever() -> None:
    talk = Talk()
    for number in range(300):
        talk.response(f"r{number}")
        talk.core.interrupt(talk.now)
        talk.core.playback_stopped({}, talk.now)
        talk.done(f"r{number}", status="cancelled")
    talk.take()
    talk.audio(response_id="r0")
    assert len(talk.happened(PlayDue)) == 1


def test_an_item_without_an_id_announces_nothing() -> None:
    talk = Talk()
    talk.response("r7")
    item = events.AssistantMessage(content=[])
    talk.server(events.ResponseOutputItemAdded(response_id="r7", output_index=0, item=item))
    talk.server(events.decode('{"type":"response.output_audio.delta","delta":"AAAA"}'))
    assert talk.happened(PlayDue)[0].item.item_id == "r7"


def test_audio_without_any_id_belongs_to_what_was_announced() -> None:
    talk = Talk()
    talk.response("r7")
    talk.server(
        events.ResponseOutputItemAdded(
            response_id="r7", output_index=0, item=events.AssistantMessage(id="A", content=[])
        )
    )
    talk.server(events.decode('{"type":"response.output_audio.delta","delta":"AAAAAA=="}'))
    (due,) = talk.happened(PlayDue)
    assert (due.item.item_id, due.item.response_id, due.pcm) == ("A", "r7", bytes(4))


# -- tools ----------------------------------------------------------------------------------------


def test_parallel_calls_get_one_response_after_all_their_outputs() -> None:
    talk = Talk()
    request_id = talk.ask()
    talk.response("r1", request_id)
    talk.take()
    items = [talk.call("c0", index=0), talk.call("c1", index=1)]
    assert [due.call.call_id for due in talk.happened(CallDue)] == ["c0", "c1"]
    assert talk.core.state == "tool_running"
    talk.core.tool_finished("c1", "one", talk.now)
    talk.done(output=items)
    assert talk.sent() == []
    (finished,) = talk.happened(ResponseFinished)
    assert not finished.final
    talk.core.tool_finished("c0", "zero", talk.now)
    sent = talk.sent()
    assert kinds(sent) == ["conversation.item.create", "conversation.item.create", "response.create"]
    outputs = [event.item for event in sent if isinstance(event, events.ConversationItemCreate)]
    assert [
        (item.call_id, item.output) for item in outputs if isinstance(item, events.FunctionCallOutput)
    ] == [
        ("c0", "zero"),
        ("c1", "one"),
    ]
    assert talk.happened(CallDue) == []
    talk.response("r2", sent[-1].event_id)
    talk.done("r2")
    (final,) = talk.happened(ResponseFinished)
    assert (final.serves, final.final) == ((request_id,), True)


def test_a_call_that_is_only_in_the_finished_response_runs_too() -> None:
    talk = Talk()
    talk.response()
    talk.done(output=[events.FunctionCall(call_id="c0", name="tool", arguments="{}")])
    assert [due.call.call_id for due in talk.happened(CallDue)] == ["c0"]


def test_a_name_that_is_missing_at_the_end_is_taken_from_the_announcement() -> None:
    talk = Talk()
    talk.response()
    announced = events.FunctionCall(id="item_c0", call_id="c0", name="add", arguments="")
    talk.server(events.ResponseOutputItemAdded(response_id="r1", output_index=0, item=announced))
    talk.call("c0", name="")
    assert talk.happened(CallDue)[0].call.name == "add"


@pytest.mark.parametrize("status", ["cancelled", "incomplete", "failed"])
def test_calls_of_a_response_that_did_not_complete_do_not_start(status: str) -> None:
    talk = Talk()
    talk.response()
    talk.call("c0", status="incomplete")
    talk.done(status=status, output=[events.FunctionCall(call_id="c1", name="tool", arguments="{}")])
    assert talk.happened(CallDue) == []


def test_calls_of_an_interrupted_response_do_not_start() -> None:
    talk = Talk()
    talk.response()
    talk.core.interrupt(talk.now)
    talk.core.playback_stopped({}, talk.now)
    talk.call("c0")
    talk.done()
    assert talk.happened(CallDue) == []


def test_an_interruption_tells_which_calls_run_and_a_cancelled_one_gets_no_answer() -> None:
    talk = Talk()
    request_id = talk.ask()
    talk.response("r1", request_id)
    talk.call("c0")
    talk.done(output=[])
    talk.take()
    talk.server(events.InputAudioBufferSpeechStarted(audio_start_ms=0))
    assert talk.happened(CallsInterrupted) == [CallsInterrupted(("c0",))]
    talk.core.tool_finished("c0", "cancelled", talk.now, follow_up=False)
    assert kinds(talk.sent()) == ["conversation.item.create"]
    (final,) = talk.happened(ResponseFinished)
    assert (final.serves, final.final) == ((request_id,), True)


def test_the_output_of_a_call_that_does_not_run_is_refused() -> None:
    with pytest.raises(LocalProtocolError):
        Talk().core.tool_finished("nobody", "x", 0.0)


def test_a_failed_follow_up_fails_the_request_that_it_serves() -> None:
    talk = Talk()
    request_id = talk.ask()
    talk.response("r1", request_id)
    talk.call("c0")
    talk.done()
    talk.core.tool_finished("c0", "x", talk.now)
    follow_up = talk.sent()[-1].event_id
    talk.happened()
    talk.server(events.Error(error=events.ErrorDetail(type="x", message="no", event_id=follow_up)))
    assert [refused.event_id for refused in talk.happened(Refused)] == [follow_up, request_id]


def test_a_result_that_meets_the_servers_own_response_waits_for_it() -> None:
    talk = Talk()
    talk.response("r1")
    talk.call("c0")
    talk.done()
    talk.response("vad")
    talk.core.tool_finished("c0", "x", talk.now)
    assert kinds(talk.sent()) == ["conversation.item.create"]
    talk.done("vad")
    assert kinds(talk.sent()) == ["response.create"]


# -- hostile orders --------------------------------------------------------------------------------

IDS = st.sampled_from(["r1", "r2", "r3"])
ITEMS = st.sampled_from(["a", "b", "c"])
SERVER = st.one_of(
    st.builds(lambda r, m: ("created", r, m), IDS, st.booleans()),
    st.builds(lambda r, s: ("done", r, s), IDS, st.sampled_from(["completed", "cancelled", "failed"])),
    st.builds(lambda r, i: ("audio", r, i), IDS, ITEMS),
    st.builds(lambda r, c: ("call", r, c), IDS, st.sampled_from(["c0", "c1", "c2"])),
    st.builds(lambda i, p: ("item", i, p), ITEMS, st.one_of(st.none(), ITEMS)),
    st.sampled_from(
        [
            ("speech", "", ""),
            ("stopped", "", ""),
            ("committed", "", ""),
            ("cleared", "", ""),
            ("deleted", "a", ""),
        ]
    ),
    st.builds(
        lambda c: ("error", c, ""), st.sampled_from(["conversation_already_has_active_response", "other"])
    ),
)
PROGRAM = st.sampled_from(
    [
        ("ask", "", ""),
        ("beside", "", ""),
        ("interrupt", "", ""),
        ("finish", "", ""),
        ("time", "", ""),
        ("drained", "", ""),
    ]
)


class Walker:
    """Does whatever it is told, in any order, and looks after the promises of the core."""

    def __init__(self) -> None:
        self.talk = Talk()
        self.running: list[str] = []
        self.asked: list[str] = []
        self.outstanding: list[str] = []
        self.settled: Counter[str] = Counter()

    def step(self, kind: str, one: str, two: Any) -> None:
        talk = self.talk
        talk.now += 0.5
        match kind:
            case "created":
                talk.response(one, self.outstanding[0] if two and self.outstanding else None)
            case "done":
                talk.done(one, status=two)
            case "audio":
                talk.audio(two, one, pcm=bytes(960))
            case "call":
                talk.call(two, one)
            case "item":
                item = events.user_message("x", id=one)
                talk.server(events.ConversationItemAdded(item=item, previous_item_id=two))
            case "speech":
                talk.server(events.InputAudioBufferSpeechStarted(audio_start_ms=0))
            case "stopped":
                talk.server(events.InputAudioBufferSpeechStopped(audio_end_ms=10))
            case "committed":
                talk.server(events.InputAudioBufferCommitted(item_id="u"))
            case "cleared":
                talk.server(events.InputAudioBufferCleared())
            case "deleted":
                talk.server(events.ConversationItemDeleted(item_id=one))
            case "error":
                named = self.outstanding[0] if self.outstanding else "nobody"
                talk.server(
                    events.Error(error=events.ErrorDetail(type="x", message="m", code=one, event_id=named))
                )
            case "ask" | "beside":
                params = events.ResponseParams(conversation="none") if kind == "beside" else None
                self.asked.append(talk.ask(params))
            case "interrupt":
                talk.core.interrupt(talk.now)
            case "finish":
                if self.running:
                    talk.core.tool_finished(self.running.pop(), "x", talk.now)
            case "drained":
                talk.core.playback_finished({"a": 5.0, "b": 20.0}, talk.now)
            case _:
                talk.now += 11.0
                talk.core.handle_timeout(talk.now)
        self.carry_out()

    def carry_out(self) -> None:
        talk = self.talk
        while happened := talk.core.happenings():
            for happening in happened:
                match happening:
                    case StopDue():
                        talk.core.playback_stopped({"a": 10.0}, talk.now)
                    case CallDue(call):
                        self.running.append(call.call_id)
                    case Answered(event_id, _):
                        self.outstanding = [known for known in self.outstanding if known != event_id]
                    case Refused(event_id, _):
                        self.outstanding = [known for known in self.outstanding if known != event_id]
                        self.settled[event_id] += 1
                    case ResponseFinished(_, serves, True):
                        self.settled.update(serves)
                    case _:
                        pass
        for event in talk.core.events_to_send():
            if isinstance(event, events.ResponseCreate):
                assert event.event_id is not None
                if event.response is None or event.response.conversation != "none":
                    assert talk.core._machines.responses.gate.asked_id == event.event_id
                self.outstanding = [
                    *(known for known in self.outstanding if known != event.event_id),
                    event.event_id,
                ]
            if isinstance(event, events.ConversationItemTruncate):
                assert 1 <= event.audio_end_ms <= 20 * 200

    def finish(self) -> None:
        """Let everything come to its end: nobody may be left waiting."""
        gate = self.talk.core._machines.responses.gate
        for _ in range(200):
            while self.running:
                self.step("finish", "", "")
            if gate.active_id is not None:
                self.step("done", gate.active_id, "completed")
            elif gate.busy or self.outstanding:
                self.step("time", "", "")
            else:
                break
        for response_id in ("r1", "r2", "r3"):
            self.step("done", response_id, "completed")
        while self.running:
            self.step("finish", "", "")
        for _ in range(6):
            self.step("time", "", "")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(SERVER, PROGRAM), max_size=40))
def test_any_order_of_events_moves_on_and_leaves_nobody_waiting(steps: list[tuple[str, str, Any]]) -> None:
    walker = Walker()
    for step in steps:
        walker.step(*step)
    walker.finish()
    assert walker.talk.core._machines.responses.gate.state is GateState.FREE
    for request_id in walker.asked:
        assert walker.settled[request_id] == 1, request_id
    assert walker.talk.core.state in {"listening", "thinking", "speaking"}


def test_what_a_dialect_does_not_answer_is_answered_at_once() -> None:
    numbers = count(1)
    core = Conversation(
        new_id=lambda prefix: f"{prefix}_{next(numbers)}", dialect=events.PROFILES["hf-speech-to-speech"]
    )
    truncate = events.ConversationItemTruncate(item_id="i", content_index=0, audio_end_ms=5)
    event_id = core.send(truncate, 0.0, awaited=True)
    assert core.happenings() == [Answered(event_id, None)]
    assert core.events_to_send() == [truncate.model_copy(update={"event_id": event_id})]


def test_a_conversation_begins_with_the_servers_word() -> None:
    xai = Conversation(new_id=str, dialect=events.PROFILES["xai"])
    assert (xai.greeted, xai.close_reason, xai.config) == (False, None, None)
    assert xai.effective.server_interrupts
    xai.receive(events.decode('{"type":"conversation.created"}'), 0.0)
    assert xai.greeted


def test_a_conversation_without_a_connection_is_reconnecting() -> None:
    talk = Talk()
    states = [talk.core.state]
    talk.core.resumption.lost(talk.now)
    states.append(talk.core.state)
    talk.core.resumption.go_on(talk.now)
    states.append(talk.core.state)
    assert states == ["listening", "reconnecting", "listening"]


# -- what is said beside it -----------------------------------------------------------------------

ASIDE = events.ResponseParams(conversation="none")


@pytest.mark.parametrize(
    ("begun", "voiced", "spare", "cancelled"),
    [
        (False, False, False, False),
        (True, False, True, True),
        (True, True, True, False),
        (True, True, False, True),
    ],
)
def test_a_response_that_is_dropped_is_silent_unless_its_voice_is_spared(
    begun: bool, voiced: bool, spare: bool, cancelled: bool
) -> None:
    talk = Talk()
    request_id = talk.ask(ASIDE)
    talk.sent()
    if begun:
        talk.response("b1", request_id)
    if voiced:
        talk.audio("a1", "b1")
    talk.core.drop_response(request_id, talk.now, spare_voice=spare)
    assert kinds(talk.sent()) == (["response.cancel"] if cancelled else [])
    if begun:
        talk.happened()
        talk.audio("a1", "b1")
        assert bool(talk.happened(PlayDue)) is not cancelled
    else:
        talk.response("b1", request_id)
        assert kinds(talk.sent()) == ["response.cancel"]
        talk.audio("a1", "b1")
        assert talk.happened(PlayDue) == []


def test_it_is_quiet_when_nobody_speaks_and_nothing_is_under_way() -> None:
    talk = Talk()
    assert talk.core.quiet
    request_id = talk.ask()
    assert not talk.core.quiet
    talk.response("r1", request_id)
    talk.call("c0")
    talk.audio("a1", "r1")
    talk.done("r1")
    assert not talk.core.quiet
    talk.core.playback_finished({}, talk.now)
    assert talk.core.quiet  # the tool runs on
    talk.ask(ASIDE)
    assert not talk.core.quiet


def test_while_the_user_speaks_it_is_not_quiet() -> None:
    talk = Talk()
    talk.server(events.InputAudioBufferSpeechStarted(audio_start_ms=0))
    assert not talk.core.quiet
    talk.server(events.InputAudioBufferSpeechStopped(audio_end_ms=10))
    talk.server(events.InputAudioBufferCommitted(item_id="u"))
    assert not talk.core.quiet
