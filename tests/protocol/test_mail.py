"""What goes to the server now, what waits for a connection, and what is sent again."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from rtagent import events
from rtagent.errors import LocalProtocolError
from rtagent.protocol import Answered, Undelivered
from rtagent.protocol._answers import AnswerLedger
from rtagent.protocol._mail import HELD_EVENTS, KEPT_REPEATED, Mail
from rtagent.protocol._outbox import Outbox

CLEAR = events.InputAudioBufferClear()
CANCEL = events.ResponseCancel()
TRUNCATE = events.ConversationItemTruncate(item_id="a1", content_index=0, audio_end_ms=5)


def create(item_id: str) -> events.ConversationItemCreate:
    return events.ConversationItemCreate(item=events.user_message("Hello", id=item_id))


class Post:
    """Mail with its outbox and what the server has answered."""

    def __init__(self, dialect: events.Dialect = events.GA) -> None:
        numbers = count(1)
        self.outbox = Outbox(lambda prefix: f"{prefix}_{next(numbers)}")
        self.answers = AnswerLedger(dialect)
        self.mail = Mail(self.outbox, self.answers)

    def lose(self, *unsent: events.ClientEvent, resend: bool = True) -> None:
        self.mail.lost(unsent, resend=resend)

    def reconnect(self) -> list[str]:
        """The ids of what waited, which is sent again."""
        held = self.mail.take_held()
        for one in held:
            self.mail.send(one.event, awaited=one.awaited)
        return [one.event_id for one in held]

    def sent(self) -> list[str | None]:
        return [event.event_id for event in self.outbox.take_events()]

    def told(self) -> list[Any]:
        return list(self.outbox.take_happenings())


@pytest.fixture
def post() -> Post:
    return Post()


def test_with_a_connection_an_event_goes_at_once_and_its_answer_is_expected(post: Post) -> None:
    event_id = post.mail.send(create("item_1"), awaited=True)
    assert post.sent() == [event_id]
    assert post.answers.answered(events.ConversationItemAdded(item=create("item_1").item)) == event_id
    assert post.told() == []


def test_an_id_of_the_programs_own_is_kept(post: Post) -> None:
    assert post.mail.send(create("item_1").model_copy(update={"event_id": "mine"})) == "mine"
    assert post.sent() == ["mine"]


def test_what_this_server_never_answers_is_answered_at_once() -> None:
    post = Post(events.PROFILES["hf-speech-to-speech"])
    awaited = post.mail.send(TRUNCATE, awaited=True)
    post.mail.send(TRUNCATE)
    assert post.told() == [Answered(awaited, None)]


def test_without_a_connection_everything_waits_in_its_order(post: Post) -> None:
    post.lose()
    ids = [post.mail.send(create(f"item_{number}")) for number in range(3)]
    assert post.sent() == []
    assert post.reconnect() == ids
    assert post.sent() == ids
    assert post.mail.online
    assert post.mail.take_held() == []


def test_far_too_many_that_wait_are_an_error(post: Post) -> None:
    post.lose()
    for number in range(HELD_EVENTS):
        post.mail.send(create(f"item_{number}"))
    with pytest.raises(LocalProtocolError, match="1024 events wait for the connection"):
        post.mail.send(create("one more"))


def test_what_was_not_answered_is_sent_again_before_what_came_later(post: Post) -> None:
    first = post.mail.send(create("item_1"), awaited=True)
    second = post.mail.send(create("item_2"))
    post.lose()
    third = post.mail.send(create("item_3"))
    post.sent()
    assert post.reconnect() == [first, second, third]
    assert post.answers.answered(events.ConversationItemAdded(item=create("item_1").item)) == first
    assert post.told() == []


def test_what_was_answered_is_not_sent_again(post: Post) -> None:
    post.mail.send(create("item_1"))
    post.answers.answered(events.ConversationItemAdded(item=create("item_1").item))
    post.lose()
    assert post.reconnect() == []


def test_the_second_time_nobody_tries_again(post: Post) -> None:
    event_id = post.mail.send(create("item_1"), awaited=True)
    post.lose()
    post.reconnect()
    post.lose()
    assert post.told() == [Undelivered(event_id, "conversation.item.create")]
    assert post.reconnect() == []


def test_nothing_is_sent_again_where_it_may_not_be(post: Post) -> None:
    sent = post.mail.send(create("item_1"))
    waiting = create("item_2").model_copy(update={"event_id": "waiting"})
    post.mail.send(waiting)
    post.lose(waiting, resend=False)
    assert post.told() == [Undelivered(sent, "conversation.item.create")]
    assert post.reconnect() == ["waiting"]


def test_what_never_left_counts_as_sent_for_the_first_time(post: Post) -> None:
    event = create("item_1").model_copy(update={"event_id": "mine"})
    post.mail.send(event, awaited=True)
    for _ in range(3):
        post.lose(event)
        (held,) = post.mail.take_held()
        assert (held.event_id, held.awaited) == ("mine", True)
        post.mail.send(held.event, awaited=held.awaited)
    post.lose()
    assert post.reconnect() == ["mine"]
    assert post.told() == []


def test_unsent_responses_and_events_without_an_id_are_not_kept_here(post: Post) -> None:
    post.lose(events.ResponseCreate(event_id="evt_r"), create("item_1"))
    assert post.reconnect() == []


@pytest.mark.parametrize("event", [CLEAR, CANCEL, TRUNCATE], ids=lambda event: str(event.type))
def test_what_a_new_connection_makes_true_is_answered_without_being_sent(
    post: Post, event: events.ClientEvent
) -> None:
    sent = post.mail.send(event, awaited=True)
    post.lose(resend=False)
    offline = post.mail.send(event)
    assert post.told() == [Answered(sent, None), Answered(offline, None)]
    assert post.reconnect() == []


def test_what_nobody_waits_for_any_more_is_never_sent(post: Post) -> None:
    sent = post.mail.send(create("item_1"), awaited=True)
    post.mail.forget(sent)
    post.lose()
    first, second = post.mail.send(create("item_2")), post.mail.send(create("item_3"))
    post.mail.forget(first)
    assert post.reconnect() == [second]


def test_what_was_sent_again_is_not_remembered_for_ever(post: Post) -> None:
    event_id = post.mail.send(create("item_0"))
    post.lose()
    post.reconnect()
    post.answers.take_all()
    for number in range(KEPT_REPEATED):
        post.mail.send(create(f"item_{number}"))
    post.lose()
    post.mail.take_held()
    post.mail.online = True
    post.mail.send(create("item_0").model_copy(update={"event_id": event_id}))
    post.lose()
    assert post.told() == []


def test_the_calls_whose_outputs_wait_are_known(post: Post) -> None:
    output = events.FunctionCallOutput(id="o1", call_id="c1", output="noon")
    post.mail.send(events.ConversationItemCreate(item=output))
    assert post.mail.answered_calls == frozenset()
    post.mail.send(create("item_1"))
    post.mail.send(events.InputAudioBufferCommit())
    post.lose()
    assert post.mail.answered_calls == {"c1"}
