"""What events say about items, written into the ledger."""

from __future__ import annotations

import pytest

from rtagent import events
from rtagent.protocol import HistoryEntry
from rtagent.protocol._items import ItemLedger
from rtagent.protocol._reading import item_of, read_into

AUDIO = events.AssistantMessage(id="a1", content=[])


def ledger(*arrived: events.ServerEvent) -> ItemLedger:
    items = ItemLedger()
    for event in arrived:
        read_into(items, event)
    return items


def only(items: ItemLedger) -> HistoryEntry:
    (entry,) = items
    return entry


def part(**fields: object) -> dict[str, object]:
    return {"response_id": "r1", "item_id": "a1", "output_index": 0, "content_index": 0, **fields}


@pytest.mark.parametrize(
    "kind", [events.ConversationItemAdded, events.ConversationItemDone, events.ConversationItemCreated]
)
def test_an_item_is_placed_behind_the_one_that_it_names(kind: type[events.ConversationItemAdded]) -> None:
    items = ledger(
        kind(item=events.user_message("one", id="u1"), previous_item_id=None),
        kind(item=events.user_message("three", id="u3"), previous_item_id="u1"),
        kind(item=events.user_message("two", id="u2"), previous_item_id="u1"),
    )
    assert [entry.text for entry in items] == ["one", "two", "three"]


def test_an_item_whose_place_is_not_told_keeps_the_one_it_has() -> None:
    items = ledger(
        events.ConversationItemAdded(item=events.user_message("one", id="u1")),
        events.ConversationItemAdded(item=events.user_message("two", id="u2")),
        events.ConversationItemAdded(item=events.user_message("late", id="u3"), previous_item_id="u1"),
        events.ConversationItemDone(item=events.user_message("late", id="u3")),
    )
    assert [entry.id for entry in items] == ["u1", "u3", "u2"]


def test_output_items_are_items() -> None:
    items = ledger(
        events.ResponseOutputItemAdded(response_id="r1", output_index=0, item=AUDIO),
        events.ResponseOutputItemDone(
            response_id="r1",
            output_index=0,
            item=events.assistant_message("Hi.", id="a1"),
        ),
    )
    assert (only(items).role, only(items).text) == ("assistant", "Hi.")


def test_a_deleted_item_is_gone() -> None:
    items = ledger(
        events.ConversationItemAdded(item=events.user_message("one", id="u1")),
        events.ConversationItemDeleted(item_id="u1"),
        events.ConversationItemDeleted(item_id="nobody"),
    )
    assert list(items) == []


def test_a_commit_gives_the_user_a_place_before_the_answer() -> None:
    items = ledger(
        events.InputAudioBufferCommitted(item_id="u1"),
        events.ResponseOutputItemAdded(response_id="r1", output_index=0, item=AUDIO),
    )
    assert [(entry.id, entry.role) for entry in items] == [("u1", "user"), ("a1", "assistant")]


def test_what_the_user_said_comes_in_pieces_and_then_whole() -> None:
    kind = events.ConversationItemInputAudioTranscriptionDelta
    pieces = [
        events.InputAudioBufferCommitted(item_id="u1"),
        kind(item_id="u1", content_index=0, delta="turn the"),
        kind(item_id="u1", delta=" lite on"),
        kind(item_id="u1"),
    ]
    assert only(ledger(*pieces)).text == "turn the lite on"
    completed = events.ConversationItemInputAudioTranscriptionCompleted(
        item_id="u1", content_index=0, transcript="Turn the light on."
    )
    assert only(ledger(*pieces, completed)).text == "Turn the light on."


@pytest.mark.parametrize(
    ("delta", "done", "text"),
    [
        (events.ResponseOutputTextDelta, events.ResponseOutputTextDone, "text"),
        (events.ResponseOutputAudioTranscriptDelta, events.ResponseOutputAudioTranscriptDone, "transcript"),
    ],
)
def test_what_the_assistant_says_comes_in_pieces_and_then_whole(
    delta: type[events.ServerEvent], done: type[events.ServerEvent], text: str
) -> None:
    pieces = [delta.model_validate(part(delta=piece)) for piece in ("It is", " onn")]
    assert only(ledger(*pieces)).text == "It is onn"
    whole = done.model_validate(part(**{text: "It is on."}))
    assert only(ledger(*pieces, whole)).text == "It is on."
    nowhere = [
        delta.model_validate(part(delta="x", item_id=None)),
        done.model_validate(part(item_id=None, **{text: "x"})),
    ]
    assert list(ledger(*nowhere)) == []


@pytest.mark.parametrize(
    "event",
    [
        events.InputAudioBufferCommitted(item_id=None),
        events.RateLimitsUpdated(rate_limits=[]),
        events.ResponseDone(response=events.RealtimeResponse(id="r1")),
        events.decode('{"type":"brand.new","item_id":"u1"}'),
        events.decode("{"),
    ],
)
def test_events_of_other_kinds_change_nothing(event: events.ServerEvent) -> None:
    assert list(ledger(event)) == []


def test_a_cumulative_transcript_replaces_what_was_there() -> None:
    kind = events.ConversationItemInputAudioTranscriptionUpdated
    said = [kind(item_id="u1", transcript=text) for text in ("Turn", "Turn it off")]
    assert only(ledger(*said)).text == "Turn it off"
    assert list(ledger(kind(transcript="nobody knows whose"))) == []


@pytest.mark.parametrize(
    ("event", "item_id"),
    [
        (events.ConversationItemAdded(item=AUDIO), "a1"),
        (events.ConversationItemDone(item=AUDIO), "a1"),
        (events.ConversationItemCreated(item=AUDIO), "a1"),
        (events.ConversationItemDeleted(item_id="a1"), "a1"),
        (events.ConversationItemRetrieved(item=AUDIO), None),
        (events.ResponseOutputItemAdded(response_id="r1", output_index=0, item=AUDIO), None),
        (events.RateLimitsUpdated(rate_limits=[]), None),
    ],
    ids=lambda value: getattr(value, "type", ""),
)
def test_events_that_put_or_take_an_item_name_it(event: events.ServerEvent, item_id: str | None) -> None:
    assert item_of(event) == item_id
