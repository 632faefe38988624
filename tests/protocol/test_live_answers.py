"""Which server event answers which client event of GPT-Live."""

from __future__ import annotations

import pytest

from rtagent import events
from rtagent.events import live
from rtagent.protocol import Answered, Happening, Refused, Undelivered
from rtagent.protocol._live_answers import KEPT_EXPECTATIONS, LiveAnswers, has_answer
from rtagent.protocol._outbox import Outbox

CONFIG = live.SessionConfig(model="gpt-live-1")
ITEM = live.InputMessageItem(role="user", content="Hm.")
ANSWERED: list[tuple[events.ClientEvent, live.LiveServerEvent]] = [
    (live.SessionStart(session=CONFIG), live.SessionStarted()),
    (live.SessionUpdate(session=live.SessionUpdateConfig()), live.SessionUpdated()),
    (live.SessionInputAudioMute(), live.SessionInputAudioMuted()),
    (live.SessionInputAudioUnmute(), live.SessionInputAudioUnmuted()),
    (live.SessionInstructionsAppend(content="a"), live.SessionInstructionsAppended()),
    (live.SessionThinkingAppend(content="a"), live.SessionThinkingAppended()),
    (live.SessionCommentaryAppend(content="a"), live.SessionCommentaryAppended()),
    (live.SessionOutputAudioFixturePlay(audio=""), live.SessionOutputAudioFixturePlaying()),
    (live.DecisionItemCreate(item=ITEM), live.DecisionItemCreated()),
    (live.DecisionItemDelete(item_id="i"), live.DecisionItemDeleted(item_id="i")),
    (live.SessionClose(), live.SessionClosed()),
    (live.TransportDtmfSend(event="1"), live.TransportDtmfSending(event="1")),
]
UNANSWERED: list[events.ClientEvent] = [
    live.SessionInputAudioAppend(audio=""),
    live.ResponseItemCreate(item=ITEM),
    live.ResponseCreate(),
    live.DecisionCreate(event_id="d"),
]


class Desk:
    def __init__(self, dialect: events.Dialect = events.LIVE) -> None:
        self.outbox = Outbox(lambda prefix: prefix)
        self.answers = LiveAnswers(self.outbox, dialect)

    def told(self) -> list[Happening]:
        return self.outbox.take_happenings()


def test_the_two_tables_are_the_whole_vocabulary() -> None:
    kinds = {sent.type for sent, _ in ANSWERED} | {sent.type for sent in UNANSWERED}
    assert kinds == set(live.CLIENT_EVENTS)


@pytest.mark.parametrize(("sent", "answer"), ANSWERED, ids=lambda event: event.type)
def test_an_answer_is_known_by_its_kind_or_by_the_id_it_names(
    sent: events.ClientEvent, answer: live.LiveServerEvent
) -> None:
    assert has_answer(sent)
    for event in (answer, answer.model_copy(update={"client_event_id": "mine"})):
        desk = Desk()
        desk.answers.expect("mine", sent)
        assert desk.told() == []
        desk.answers.hear(event)
        desk.answers.hear(event)
        assert desk.told() == [Answered("mine", event)], "once"


@pytest.mark.parametrize("sent", UNANSWERED, ids=lambda event: event.type)
def test_what_has_no_answer_is_answered_at_once(sent: events.ClientEvent) -> None:
    assert not has_answer(sent)
    desk = Desk()
    desk.answers.expect("mine", sent)
    assert desk.told() == [Answered("mine", None)]


def test_a_dialect_may_leave_answers_out() -> None:
    silent = events.LIVE.model_copy(update={"unanswered_events": frozenset({"session.update"})})
    desk = Desk(silent)
    desk.answers.expect("mine", live.SessionUpdate(session=live.SessionUpdateConfig()))
    assert desk.told() == [Answered("mine", None)]


def test_of_two_sends_of_a_kind_the_named_one_is_meant_otherwise_the_first() -> None:
    desk = Desk()
    for event_id in ("one", "two", "three"):
        desk.answers.expect(event_id, live.SessionInputAudioMute())
    named = live.SessionInputAudioMuted(client_event_id="two")
    unnamed = live.SessionInputAudioMuted()
    for event in (named, live.SessionInputAudioMuted(client_event_id="somebody's"), unnamed):
        desk.answers.hear(event)
    assert desk.told() == [Answered("two", named), Answered("one", unnamed)]


def test_any_event_answers_what_it_names_but_an_info_does_not() -> None:
    desk = Desk()
    desk.answers.expect("mine", live.SessionUpdate(session=live.SessionUpdateConfig()))
    desk.answers.hear(live.Info(code="slow", message="Wait.", client_event_id="mine"))
    assert desk.told() == []
    news = live.SessionUsageUpdated(client_event_id="mine")
    desk.answers.hear(news)
    assert desk.told() == [Answered("mine", news)]


def test_an_error_refuses_what_it_names_and_nothing_else() -> None:
    desk = Desk()
    desk.answers.expect("mine", live.SessionInputAudioMute())
    desk.answers.hear(live.Error(error=live.ErrorDetail(message="No.")))
    desk.answers.hear(live.Error(error=live.ErrorDetail(message="No.", client_event_id="another")))
    assert desk.told() == []
    error = live.ErrorDetail(message="No.", client_event_id="mine")
    desk.answers.hear(live.Error(error=error))
    desk.answers.hear(live.Error(error=error))
    assert desk.told() == [Refused("mine", error)]


def test_acknowledgements_may_be_cancelled_answers_may_not() -> None:
    desk = Desk()
    desk.answers.expect("note", live.SessionInstructionsAppend(content="a"))
    desk.answers.expect("mute", live.SessionInputAudioMute())
    desk.answers.expect("update", live.SessionUpdate(session=live.SessionUpdateConfig()))
    desk.answers.cancel_acknowledgements()
    assert desk.told() == [Answered("note", None), Answered("mute", None)]
    updated = live.SessionUpdated()
    desk.answers.hear(updated)
    assert desk.told() == [Answered("update", updated)]


def test_nobody_is_told_who_does_not_wait_any_more() -> None:
    desk = Desk()
    desk.answers.expect("mine", live.SessionInputAudioMute())
    desk.answers.forget("mine")
    desk.answers.forget("never")
    desk.answers.hear(live.SessionInputAudioMuted())
    assert desk.told() == []


def test_the_end_refuses_everything_that_waits() -> None:
    desk = Desk()
    desk.answers.expect("one", live.SessionInputAudioMute())
    desk.answers.expect("two", live.SessionClose())
    error = live.ErrorDetail(message="Over.")
    desk.answers.end(error)
    desk.answers.end(error)
    assert desk.told() == [Refused("one", error), Refused("two", error)]


def test_the_oldest_of_too_many_is_given_up_and_told() -> None:
    desk = Desk()
    for number in range(KEPT_EXPECTATIONS + 1):
        desk.answers.expect(str(number), live.SessionInputAudioMute())
    assert desk.told() == [Refused("0", None)]


def test_a_lost_connection_answers_nothing_any_more() -> None:
    desk = Desk()
    desk.answers.expect("a", live.SessionInstructionsAppend(content="x"))
    desk.answers.expect("b", live.SessionUpdate(session=live.SessionUpdateConfig()))
    desk.answers.lost()
    assert desk.told() == [
        Undelivered("a", "session.instructions.append"),
        Undelivered("b", "session.update"),
    ]
    desk.answers.hear(live.SessionUpdated(client_event_id="b"))
    assert desk.told() == []
