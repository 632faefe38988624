"""Responses and their calls: who asked, what came, which one follows."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

import pytest

from rtagent import events
from rtagent.errors import LocalProtocolError
from rtagent.protocol import Answered, CallDue, Refused, ResponseFinished, Undelivered
from rtagent.protocol._answers import AnswerLedger
from rtagent.protocol._gate import REQUEST_KEY, Gate, ResponseRequest
from rtagent.protocol._items import ItemLedger
from rtagent.protocol._mail import Mail
from rtagent.protocol._outbox import Outbox
from rtagent.protocol._responses import BROKEN_OFF, KEPT_EXPIRED, KEPT_OPEN, OCCUPIED, Responses

BESIDE = events.ResponseParams(conversation="none")


class Desk:
    """The machine, with a short vocabulary."""

    def __init__(self) -> None:
        numbers = count(1)
        self.outbox = Outbox(lambda prefix: f"{prefix}_{next(numbers)}")
        self.items = ItemLedger()
        self.mail = Mail(self.outbox, AnswerLedger())
        self.responses = Responses(self.outbox, self.mail, self.items, lambda item_id: 250.0, Gate())
        self.now = 0.0

    def ask(self, *request_ids: str, params: events.ResponseParams | None = None) -> None:
        for request_id in request_ids:
            self.responses.ask(params, request_id)
        self.responses.flush(self.now)

    def created(self, response_id: str | None, request_id: str | None = None) -> bool:
        metadata = {REQUEST_KEY: request_id} if request_id else None
        response = events.RealtimeResponse(id=response_id, metadata=metadata)
        wanted = self.responses.created(events.ResponseCreated(response=response))
        self.responses.flush(self.now)
        return wanted

    def call(
        self, call_id: str | None, response_id: str | None = "r1", *, wanted: bool = True, **fields: Any
    ) -> None:
        given = {"id": f"item_{call_id}", "call_id": call_id, "name": "add", "arguments": "{}", **fields}
        item = events.FunctionCall.model_validate({"type": "function_call", **given})
        done = events.ResponseOutputItemDone(response_id=response_id, output_index=0, item=item)
        self.responses.item_done(done, wanted=wanted)

    def done(
        self,
        response_id: str | None = "r1",
        *output: events.Item,
        status: str = "completed",
        wanted: bool = True,
        **fields: Any,
    ) -> None:
        response = events.RealtimeResponse(id=response_id, status=status, output=list(output), **fields)
        self.responses.done(events.ResponseDone(response=response), wanted=wanted)
        self.responses.flush(self.now)

    def tool(self, call_id: str, output: str = "x", *, follow_up: bool = True) -> None:
        self.responses.tool_finished(call_id, output, follow_up=follow_up)
        self.responses.flush(self.now)

    def error(self, event_id: str | None, code: str | None = None) -> bool:
        error = events.ErrorDetail(type="x", message="no", code=code, event_id=event_id)
        known = self.responses.refused(error, self.now)
        self.responses.flush(self.now)
        return known

    def creates(self) -> list[str]:
        return [
            event.event_id or ""
            for event in self.outbox.take_events()
            if isinstance(event, events.ResponseCreate)
        ]

    def sent(self) -> list[events.ClientEvent]:
        return self.outbox.take_events()

    def told(self, *kinds: type) -> list[Any]:
        return [it for it in self.outbox.take_happenings() if not kinds or isinstance(it, kinds)]

    def finished(self) -> list[tuple[str, tuple[str, ...], bool]]:
        return [(it.response.id, it.serves, it.final) for it in self.told(ResponseFinished)]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def outputs(sent: Iterable[events.ClientEvent]) -> list[tuple[str, str]]:
    items = [event.item for event in sent if isinstance(event, events.ConversationItemCreate)]
    return [(item.call_id, item.output) for item in items if isinstance(item, events.FunctionCallOutput)]


# -- who asked ----------------------------------------------------------------------------------------


def test_a_response_finishes_the_request_that_asked_for_it(desk: Desk) -> None:
    desk.ask("q1")
    assert desk.creates() == ["q1"]
    assert desk.created("r1", "q1")
    (answered,) = desk.told(Answered)
    assert answered.event_id == "q1"
    desk.done()
    assert desk.finished() == [("r1", ("q1",), True)]


def test_a_response_of_the_servers_own_serves_nobody(desk: Desk) -> None:
    assert desk.created("vad")
    desk.done("vad")
    assert desk.finished() == [("vad", (), True)]


def test_responses_without_ids_are_told_apart_by_their_order(desk: Desk) -> None:
    desk.ask("q1", "q2")
    for request_id in ("q1", "q2"):
        assert desk.creates() == [request_id]
        desk.created(None)
        desk.call(f"c_{request_id}", None, wanted=False)
        desk.done(None)
        assert desk.finished() == [("", (request_id,), True)]


def test_a_response_beside_the_conversation_is_known_until_it_is_done(desk: Desk) -> None:
    desk.ask("q1", params=BESIDE)
    desk.created("b1", "q1")
    assert desk.responses.is_beside("b1")
    assert not desk.responses.is_beside(None)
    desk.done("b1")
    assert not desk.responses.is_beside("b1")


def test_one_id_for_two_responses_leaves_nobody_waiting(desk: Desk) -> None:
    desk.ask("q1")
    desk.created("r1", "q1")
    desk.ask("q2", params=BESIDE)
    desk.created("r1", "q2")
    desk.done("r1")
    assert desk.finished() == [("r1", ("q1", "q2"), True)]


# -- what came ----------------------------------------------------------------------------------------


def test_a_finished_response_tells_what_is_known_of_it(desk: Desk) -> None:
    desk.items.put(events.assistant_message("Known.", id="a1"))
    details = {"reason": "max_output_tokens", "error": {"type": "x", "message": "m"}}
    desk.created("r1")
    desk.done(
        "r1",
        events.AssistantMessage(id="a1", content=[]),
        events.assistant_message("New.", id="a2"),
        events.FunctionCall(id="f1", call_id="c1", name="add", arguments="{}"),
        status="incomplete",
        status_details=details,
        usage={"total_tokens": 9},
        metadata={"mine": "1", REQUEST_KEY: "q1"},
    )
    (finished,) = desk.told(ResponseFinished)
    response = finished.response
    assert (response.status, response.reason, response.error.message) == (
        "incomplete",
        "max_output_tokens",
        "m",
    )
    assert response.text == "Known. New."
    assert [entry.id for entry in response.items] == ["a1", "a2", "f1"]
    assert response.audio_ms == 750.0
    assert dict(response.metadata) == {"mine": "1"}
    assert response.usage.total_tokens == desk.responses.usage.total_tokens == 9


def test_a_response_that_says_nothing_of_itself_is_completed(desk: Desk) -> None:
    desk.created("r1")
    desk.responses.done(
        events.ResponseDone(response=events.RealtimeResponse(id="r1", output=None)), wanted=True
    )
    (finished,) = desk.told(ResponseFinished)
    assert (finished.response.status, finished.response.items) == ("completed", ())


# -- calls --------------------------------------------------------------------------------------------


def test_calls_are_answered_and_followed_by_one_response_that_serves_the_same(desk: Desk) -> None:
    desk.ask("q1")
    desk.created("r1", "q1")
    desk.call("c1")
    desk.call("c1")
    desk.sent()
    assert [due.call.call_id for due in desk.told(CallDue)] == ["c1"]
    desk.done("r1", events.FunctionCall(id="item_c2", call_id="c2", name="add", arguments="{}"))
    assert [due.call.call_id for due in desk.told(CallDue)] == ["c2"]
    desk.tool("c2", "two")
    assert desk.sent() == []
    desk.tool("c1", "one")
    sent = desk.sent()
    assert outputs(sent) == [("c1", "one"), ("c2", "two")]
    follow_up = sent[-1]
    assert isinstance(follow_up, events.ResponseCreate)
    desk.created("r2", follow_up.event_id)
    desk.done("r2")
    assert desk.finished() == [("r2", ("q1",), True)]


def test_a_call_without_ids_is_known_by_its_item(desk: Desk) -> None:
    desk.created("r1")
    desk.items.put(events.FunctionCall(id="f1", call_id=None, name="announced", arguments=""))
    desk.call(None, None, id="f1", name="")
    desk.call(None, None, id=None)
    first, second = (due.call for due in desk.told(CallDue))
    assert (first.call_id, first.item_id, first.name, first.response_id) == ("f1", "f1", "announced", "r1")
    assert second.call_id == ""


@pytest.mark.parametrize(
    ("status", "item_status", "wanted"),
    [("cancelled", "completed", True), ("completed", "incomplete", True), ("completed", "completed", False)],
)
def test_calls_that_nobody_wants_do_not_start(
    desk: Desk, status: str, item_status: str, wanted: bool
) -> None:
    desk.created("r1")
    if status == "completed":
        desk.call("c1", wanted=wanted, status=item_status)
    call = events.FunctionCall(id="f2", call_id="c2", name="add", arguments="{}", status=item_status)
    desk.done("r1", call, events.assistant_message("x", id="a1"), status=status, wanted=wanted)
    assert desk.told(CallDue) == []
    assert desk.sent() == []


def test_items_of_other_kinds_are_no_calls(desk: Desk) -> None:
    desk.created("r1")
    item = events.assistant_message("x", id="a1")
    done = events.ResponseOutputItemDone(response_id="r1", output_index=0, item=item)
    desk.responses.item_done(done, wanted=True)
    assert desk.told() == []


def test_calls_that_ask_for_no_follow_up_finish_with_what_was_said(desk: Desk) -> None:
    desk.ask("q1")
    desk.created("r1", "q1")
    desk.call("c1")
    desk.done("r1")
    assert desk.finished() == [("r1", ("q1",), False)]
    desk.sent()
    desk.tool("c1", "cancelled", follow_up=False)
    assert outputs(desk.sent()) == [("c1", "cancelled")]
    assert desk.finished() == [("r1", ("q1",), True)]


def test_an_output_of_a_call_that_does_not_run_is_the_callers_error(desk: Desk) -> None:
    with pytest.raises(LocalProtocolError, match="no call 'c9' is running"):
        desk.tool("c9")


# -- refusals and time --------------------------------------------------------------------------------


def test_a_refusal_fails_the_request_that_it_names(desk: Desk) -> None:
    desk.ask("q1")
    assert desk.error("q1", "bad")
    (refused,) = desk.told(Refused)
    assert (refused.event_id, refused.error.code) == ("q1", "bad")
    assert not desk.error("q1")
    assert not desk.error("nobody")
    assert not desk.error(None)


def test_an_occupied_conversation_is_no_failure(desk: Desk) -> None:
    assert desk.error(None, OCCUPIED)  # of a response that we did not ask for
    desk.ask("q1")
    desk.creates()
    assert desk.error(None, OCCUPIED)
    assert desk.told(Refused) == []
    desk.created("vad")
    desk.done("vad")
    assert desk.creates() == ["q1"]


def test_a_request_that_is_given_up_while_it_waits_is_not_sent(desk: Desk) -> None:
    desk.ask("q1", "q2")
    desk.responses.give_up("q2")
    desk.creates()
    desk.created("r1", "q1")
    desk.done("r1")
    assert desk.creates() == []


def test_a_response_that_comes_too_late_is_cancelled(desk: Desk) -> None:
    desk.ask("q1")
    desk.creates()
    desk.responses.handle_timeout(9.9)
    assert desk.told() == []
    desk.responses.handle_timeout(10.0)
    assert desk.told() == [Refused("q1", None)]
    assert not desk.created("late", "q1")
    (cancel,) = desk.sent()
    assert isinstance(cancel, events.ResponseCancel)
    assert cancel.response_id == "late"
    assert desk.told(Answered) == []


def test_a_follow_up_that_fails_fails_whom_it_serves(desk: Desk) -> None:
    desk.ask("q1")
    desk.created("r1", "q1")
    desk.call("c1")
    desk.done("r1")
    desk.sent()
    desk.tool("c1")
    (follow_up,) = desk.creates()
    desk.told()
    desk.error(follow_up)
    assert [refused.event_id for refused in desk.told(Refused)] == [follow_up, "q1"]


def test_expired_requests_are_not_remembered_for_ever(desk: Desk) -> None:
    for number in range(KEPT_EXPIRED + 1):
        desk.ask(f"q{number}")
        desk.now += 20.0
        desk.responses.handle_timeout(desk.now)
    desk.sent()
    assert desk.created("late", "q0")
    assert desk.sent() == []


def arguments(call_id: str | None, name: str | None = "add", response_id: str | None = "r1") -> Any:
    return events.ResponseFunctionCallArgumentsDone(
        response_id=response_id, item_id=f"item_{call_id}", call_id=call_id, name=name, arguments="{}"
    )


def test_a_call_whose_item_never_comes_starts_when_its_response_is_done() -> None:
    desk = Desk()
    desk.created("r1")
    desk.responses.arguments_done(arguments("c1"))
    desk.responses.arguments_done(arguments("c2", response_id=None))
    desk.responses.arguments_done(arguments("c3", name=None))
    assert desk.outbox.take_happenings() == []
    desk.done("r1")
    started = [
        happening.call for happening in desk.outbox.take_happenings() if isinstance(happening, CallDue)
    ]
    assert [(call.call_id, call.name, call.item_id) for call in started] == [
        ("c1", "add", "item_c1"),
        ("c2", "add", "item_c2"),
    ]


def test_an_item_says_more_than_its_arguments() -> None:
    desk = Desk()
    desk.created("r1")
    for call_id in ("c1", "c2"):
        desk.responses.arguments_done(arguments(call_id))
    desk.call("c1")
    cut = events.FunctionCall(id="item_c2", call_id="c2", name="add", status="incomplete")
    desk.done("r1", cut)
    started = [happening for happening in desk.outbox.take_happenings() if isinstance(happening, CallDue)]
    assert [happening.call.call_id for happening in started] == ["c1"]


def test_arguments_of_a_cancelled_response_start_nothing() -> None:
    desk = Desk()
    desk.created("r1")
    desk.responses.arguments_done(arguments("c1"))
    desk.done("r1", status="cancelled")
    desk.created("r2")
    desk.done("r2")
    assert not any(isinstance(happening, CallDue) for happening in desk.outbox.take_happenings())


def test_a_response_that_lists_nothing_holds_what_came_in_it() -> None:
    desk = Desk()
    desk.created("r1")
    desk.items.text("i1", 0, final="It is on.", role="assistant")
    for item_id in ("i1", "i1", "unheard of"):
        desk.responses.touched("r1", item_id)
    desk.done("r1")
    (finished,) = (one for one in desk.outbox.take_happenings() if isinstance(one, ResponseFinished))
    assert (finished.response.text, finished.response.items[0].role) == ("It is on.", "assistant")


def test_responses_that_never_end_do_not_fill_the_memory() -> None:
    desk = Desk()
    for number in range(KEPT_OPEN + 5):
        desk.responses.touched(f"r{number}", "i")
    assert len(desk.responses._touched) == KEPT_OPEN


# -- across connections -----------------------------------------------------------------------------


def test_a_response_that_broke_off_ends_as_it_is(desk: Desk) -> None:
    desk.ask("q1")
    desk.created("r1", "q1")
    desk.told()
    assert desk.responses.broken_off("r1", again=False) == ()
    (finished,) = desk.told(ResponseFinished)
    assert (finished.response.status, finished.response.reason, finished.serves, finished.final) == (
        "incomplete",
        BROKEN_OFF,
        ("q1",),
        True,
    )


def test_a_response_that_is_asked_for_again_leaves_its_requests_to_the_next(desk: Desk) -> None:
    desk.ask("q1", params=BESIDE)
    desk.created("r1", "q1")
    desk.told()
    assert desk.responses.broken_off("r1", again=True) == ("q1",)
    assert desk.told() == []
    assert not desk.responses.beside
    assert desk.responses.broken_off("nobody's", again=True) == ()


@pytest.mark.parametrize("wanted", [True, False])
def test_a_response_that_broke_off_with_calls_is_followed_up_if_it_is_wanted(
    desk: Desk, wanted: bool
) -> None:
    desk.ask("q1")
    desk.created("r1", "q1")
    desk.call("c1")
    desk.responses.gate.lost()
    desk.responses.broken_off("r1", again=False, wanted=wanted)
    assert desk.finished() == [("r1", ("q1",), False)]
    desk.sent()
    desk.tool("c1")
    sent = desk.sent()
    assert outputs(sent) == [("c1", "x")]
    assert [event.type for event in sent[1:]] == (["response.create"] if wanted else [])
    assert desk.finished() == ([] if wanted else [("r1", ("q1",), True)])


def test_a_request_that_was_never_answered_is_undelivered_with_all_that_it_serves(desk: Desk) -> None:
    desk.responses.undelivered(ResponseRequest("t1", origin="tools", serves=("q1", "q2")))
    assert desk.told() == [Undelivered(event_id, "response.create") for event_id in ("t1", "q1", "q2")]


def test_a_call_is_told_once_where_the_server_does_not_hold_it(desk: Desk) -> None:
    desk.created("r1")
    desk.call("c1")
    desk.call("c2")
    desk.responses.untold = {"c1", "nobody's"}
    retold = events.ConversationItemCreate(item=events.FunctionCall(call_id="c1", name="add", arguments="{}"))
    assert desk.responses.is_untold(retold)
    assert not desk.responses.is_untold(events.ConversationItemCreate(item=events.user_message("x")))
    for call_id in ("c1", "c1", "c2", "nobody's"):
        desk.responses.tell_call(call_id)
    (told,) = desk.sent()
    assert isinstance(told, events.ConversationItemCreate)
    assert told.item == events.FunctionCall(id="item_c1", call_id="c1", name="add", arguments="{}")
    assert not desk.responses.is_untold(retold)


def test_a_call_that_runs_is_part_of_the_history_however_it_was_announced(desk: Desk) -> None:
    desk.created("r1")
    done = events.ResponseFunctionCallArgumentsDone(
        response_id="r1", item_id="f1", output_index=0, call_id="c1", name="add", arguments="{}"
    )
    desk.responses.arguments_done(done)
    desk.done()
    assert [(entry.id, entry.status) for entry in desk.items] == [("f1", "completed")]


def test_a_call_beside_the_conversation_is_no_part_of_its_history(desk: Desk) -> None:
    desk.ask("q1", params=BESIDE)
    desk.created("b1", "q1")
    desk.call("c1", "b1")
    assert [due.call.call_id for due in desk.told(CallDue)] == ["c1"]
    assert len(desk.items) == 0


def test_the_answer_to_a_turn_is_asked_for_once(desk: Desk) -> None:
    desk.responses.ask_for_turn()
    desk.responses.ask_for_turn()
    desk.responses.flush(desk.now)
    assert len(desk.creates()) == 1


def test_whether_a_response_has_said_anything_is_known(desk: Desk) -> None:
    desk.created("r1")
    assert not desk.responses.text_so_far("r1")
    desk.responses.touched("r1", "a1")
    desk.responses.touched("r1", "a2")
    assert not desk.responses.text_so_far("r1")
    desk.items.text("a2", 0, delta="Hel")
    assert desk.responses.text_so_far("r1")


def test_what_is_beside_the_conversation_is_known_from_asking_on(desk: Desk) -> None:
    desk.ask("q1", params=BESIDE)
    assert desk.responses.beside
    desk.created("b1", "q1")
    assert desk.responses.beside
    desk.done("b1")
    assert not desk.responses.beside


def test_without_a_connection_nothing_is_sent(desk: Desk) -> None:
    desk.created("r1")
    desk.call("c1")
    desk.mail.online = False
    desk.tool("c1")
    desk.ask("q1")
    assert desk.sent() == []


# -- what is not wanted any more ----------------------------------------------------------------------


def test_a_response_that_waits_is_not_asked_for_when_it_is_dropped(desk: Desk) -> None:
    desk.ask("q1", "q2")
    desk.sent()
    assert desk.responses.drop("q2") is None
    desk.created("r1", "q1")
    desk.done("r1")
    assert desk.creates() == []


def test_a_response_that_was_asked_for_is_cancelled_when_it_begins(desk: Desk) -> None:
    desk.ask("q1", params=BESIDE)
    assert desk.responses.drop("q1") is None
    desk.sent()
    assert not desk.created("b1", "q1")
    (cancel,) = desk.sent()
    assert isinstance(cancel, events.ResponseCancel)
    assert cancel.response_id == "b1"
    assert desk.responses.is_beside("b1")
    assert desk.told(Answered) == []
    desk.done("b1", status="cancelled")
    assert not desk.responses.beside
    assert not desk.responses.forget_dropped("q1")


def test_a_response_that_runs_is_named(desk: Desk) -> None:
    desk.ask("q1", params=BESIDE)
    desk.created("b1", "q1")
    assert desk.responses.drop("q1") == "b1"


@pytest.mark.parametrize("code", [None, OCCUPIED])
def test_a_dropped_response_that_is_refused_is_not_asked_again(desk: Desk, code: str | None) -> None:
    desk.ask("q1")
    desk.responses.drop("q1")
    desk.sent()
    assert desk.error("q1", code)
    desk.now = 20.0
    desk.responses.handle_timeout(desk.now)
    desk.responses.flush(desk.now)
    assert desk.creates() == []
    assert not desk.responses.forget_dropped("q1")


def test_a_dropped_response_that_never_begins_is_forgotten(desk: Desk) -> None:
    desk.ask("q1", params=BESIDE)
    desk.responses.drop("q1")
    desk.responses.handle_timeout(20.0)
    assert not desk.responses.forget_dropped("q1")
