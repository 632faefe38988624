"""Which server event answers which client event."""

from __future__ import annotations

import pytest

from rtagent import events
from rtagent.protocol._answers import KEPT_EXPECTATIONS, AnswerLedger, Unanswered, has_answer

USER = events.user_message("Hello", id="item_1")


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (
            events.SessionUpdate(session=events.RealtimeSession()),
            events.SessionUpdated(session=events.RealtimeSession()),
        ),
        (events.InputAudioBufferCommit(), events.InputAudioBufferCommitted(item_id="i")),
        (events.InputAudioBufferClear(), events.InputAudioBufferCleared()),
        (events.OutputAudioBufferClear(), events.OutputAudioBufferCleared(response_id="r")),
        (events.ConversationItemCreate(item=USER), events.ConversationItemAdded(item=USER)),
        (events.ConversationItemCreate(item=USER), events.ConversationItemCreated(item=USER)),
        (events.ConversationItemRetrieve(item_id="item_1"), events.ConversationItemRetrieved(item=USER)),
        (events.ConversationItemDelete(item_id="item_1"), events.ConversationItemDeleted(item_id="item_1")),
        (
            events.ConversationItemTruncate(item_id="item_1", content_index=0, audio_end_ms=5),
            events.ConversationItemTruncated(item_id="item_1", content_index=0, audio_end_ms=5),
        ),
        (events.ResponseCancel(), events.ResponseDone(response=events.RealtimeResponse(id="r"))),
    ],
)
def test_each_kind_is_answered_by_its_event(sent: events.ClientEvent, answer: events.ServerEvent) -> None:
    ledger = AnswerLedger()
    ledger.expect("evt_1", sent)
    assert ledger.answered(events.RateLimitsUpdated(rate_limits=[])) is None
    assert ledger.answered(answer) == "evt_1"
    assert ledger.answered(answer) is None


def test_items_are_matched_by_id_whatever_the_order() -> None:
    ledger = AnswerLedger()
    for number in range(3):
        item = events.user_message("x", id=f"item_{number}")
        ledger.expect(f"evt_{number}", events.ConversationItemCreate(item=item))
    answered = [
        ledger.answered(events.ConversationItemAdded(item=events.user_message("x", id=f"item_{number}")))
        for number in (2, 0, 1)
    ]
    assert answered == ["evt_2", "evt_0", "evt_1"]


def test_updates_are_answered_in_the_order_of_sending() -> None:
    ledger = AnswerLedger()
    update = events.SessionUpdate(session=events.RealtimeSession())
    ledger.expect("first", update)
    ledger.expect("second", update)
    assert ledger.answered(events.SessionUpdated(session=events.RealtimeSession())) == "first"
    assert ledger.answered(events.SessionUpdated(session=events.RealtimeSession())) == "second"


def test_an_error_takes_exactly_the_send_that_it_names() -> None:
    ledger = AnswerLedger()
    ledger.expect("evt_1", events.InputAudioBufferClear())
    ledger.expect("evt_2", events.InputAudioBufferClear())
    assert not ledger.answered_by_id("somebody else's")
    assert ledger.answered_by_id("evt_2")
    assert "evt_1" in ledger
    assert "evt_2" not in ledger


def test_what_nobody_waits_for_is_forgotten() -> None:
    ledger = AnswerLedger()
    ledger.expect("evt_1", events.InputAudioBufferClear())
    ledger.forget("evt_1")
    ledger.forget("evt_1")
    assert ledger.answered(events.InputAudioBufferCleared()) is None


def test_the_oldest_expectations_give_way() -> None:
    ledger = AnswerLedger()
    for number in range(KEPT_EXPECTATIONS + 1):
        ledger.expect(f"evt_{number}", events.InputAudioBufferClear())
    assert "evt_0" not in ledger
    assert "evt_1" in ledger


def test_only_appended_audio_has_no_answer() -> None:
    assert not has_answer(events.InputAudioBufferAppend(audio=""))
    assert has_answer(events.ResponseCreate())


def test_a_response_is_not_matched_here() -> None:
    ledger = AnswerLedger()
    ledger.expect("evt_1", events.ResponseCreate())
    assert ledger.answered(events.ResponseCreated(response=events.RealtimeResponse(id="r"))) is None


QUIET = events.PROFILES["hf-speech-to-speech"]
TRUNCATE = events.ConversationItemTruncate(item_id="i", content_index=0, audio_end_ms=5)


def test_what_a_dialect_does_not_answer_is_not_waited_for() -> None:
    assert has_answer(TRUNCATE)
    assert not has_answer(TRUNCATE, QUIET)
    assert not AnswerLedger(QUIET).expect("evt_1", TRUNCATE)


def test_a_goodbye_is_answered_by_its_own_word() -> None:
    qwen = AnswerLedger(events.PROFILES["qwen-omni"])
    assert qwen.expect("evt_1", events.ClientEvent(type="session.finish"))
    assert qwen.answered(events.decode('{"type":"session.finished"}')) == "evt_1"


def test_only_the_last_commit_of_a_stream_is_a_goodbye() -> None:
    vllm = AnswerLedger(events.PROFILES["vllm"])
    assert not vllm.expect("evt_1", events.InputAudioBufferCommit())
    assert vllm.expect("evt_2", events.InputAudioBufferCommit(final=True))
    done = events.decode('{"type":"transcription.done","text":"Hello."}', events.PROFILES["vllm"])
    assert vllm.answered(done) == "evt_2"


def test_what_has_no_answer_is_handed_over_in_the_order_of_sending() -> None:
    ledger = AnswerLedger()
    clear, create = events.InputAudioBufferClear(), events.ConversationItemCreate(item=USER)
    ledger.expect("evt_1", create, awaited=False)
    ledger.expect("evt_2", clear)
    ledger.expect("evt_3", clear)
    assert ledger.answered(events.InputAudioBufferCleared()) == "evt_2"
    assert ledger.take_all() == [Unanswered("evt_1", create, False), Unanswered("evt_3", clear, True)]
    assert ledger.take_all() == []
    assert ledger.answered(events.ConversationItemAdded(item=USER)) is None
    ledger.expect("evt_1", create)
    assert ledger.answered(events.ConversationItemAdded(item=USER)) == "evt_1"


def test_an_answer_that_nobody_waits_for_is_told_to_nobody() -> None:
    ledger = AnswerLedger()
    ledger.expect("evt_1", events.InputAudioBufferClear(), awaited=False)
    ledger.expect("evt_2", events.InputAudioBufferClear(), awaited=True)
    assert ledger.answered(events.InputAudioBufferCleared()) is None
    assert ledger.answered(events.InputAudioBufferCleared()) == "evt_2"
    ledger.expect("evt_3", events.InputAudioBufferClear(), awaited=False)
    assert not ledger.answered_by_id("evt_3")
    assert "evt_3" not in ledger
