"""The item ledger."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent import events
from rtagent.protocol._items import KEPT_DELETED, CallEntry, ItemLedger


def order(ledger: ItemLedger) -> list[str]:
    return [entry.id for entry in ledger]


def put(ledger: ItemLedger, item_id: str, previous: str | None = None, *, placed: bool = True) -> None:
    ledger.put(events.user_message(item_id, id=item_id), previous_item_id=previous, placed=placed)


def test_items_stand_behind_the_one_they_name() -> None:
    ledger = ItemLedger()
    put(ledger, "a")
    put(ledger, "b", "a")
    put(ledger, "late", "a")
    assert order(ledger) == ["a", "late", "b"]
    assert len(ledger) == 3
    assert "late" in ledger


def test_null_is_the_front_only_for_the_first() -> None:
    ledger = ItemLedger()
    put(ledger, "a", None)
    put(ledger, "b", None)
    put(ledger, "c", placed=False)
    assert order(ledger) == ["a", "b", "c"]


def test_an_unknown_predecessor_parks_the_item_until_it_comes() -> None:
    ledger = ItemLedger()
    put(ledger, "a")
    put(ledger, "c", "b")
    put(ledger, "d", "c")
    assert order(ledger) == ["a", "c", "d"]
    put(ledger, "b", "a")
    assert order(ledger) == ["a", "b", "c", "d"]


def test_an_item_that_names_itself_stays_where_it_is() -> None:
    ledger = ItemLedger()
    put(ledger, "a")
    put(ledger, "b", "b")
    assert order(ledger) == ["a", "b"]


def test_items_linked_in_a_circle_are_all_there() -> None:
    ledger = ItemLedger()
    put(ledger, "a", "b")
    put(ledger, "b", "a")
    put(ledger, "c")
    assert sorted(order(ledger)) == ["a", "b", "c"]


def test_what_stood_behind_a_deleted_item_moves_up() -> None:
    ledger = ItemLedger()
    for item_id, previous in (("a", None), ("d", None), ("b", "a"), ("c", "b")):
        put(ledger, item_id, previous)
    ledger.delete("b")
    assert order(ledger) == ["a", "c", "d"]


def test_the_user_has_a_place_from_the_first_sound_on() -> None:
    ledger = ItemLedger()
    ledger.spoken_to("user_1")
    ledger.put(events.assistant_message("Yes?", id="answer"))
    ledger.text("user_1", 0, delta="Hel")
    ledger.text("user_1", 0, delta="lo")
    entry = ledger.get("user_1")
    assert entry is not None
    assert (entry.role, entry.text, entry.status) == ("user", "Hello", "in_progress")
    assert order(ledger) == ["user_1", "answer"]


def test_a_final_text_replaces_the_deltas_and_stays() -> None:
    ledger = ItemLedger()
    ledger.text("a", 0, delta="Helo")
    ledger.text("a", 0, final="Hello")
    ledger.text("a", 0, delta="!")
    ledger.put(events.user_message("Halo", id="a"))
    assert ledger.get("a").text == "Hello"  # type: ignore[union-attr]


def test_texts_of_several_parts_are_joined() -> None:
    ledger = ItemLedger()
    ledger.text("a", 1, final="world")
    ledger.text("a", 0, final="Hello")
    ledger.text("a", 2, final="")
    assert ledger.get("a").text == "Hello world"  # type: ignore[union-attr]


def test_transcripts_of_audio_parts_are_read() -> None:
    ledger = ItemLedger()
    ledger.put(
        events.UserMessage(
            id="a", content=[events.InputAudio(transcript="Hi"), events.InputText(text="there")]
        )
    )
    assert ledger.get("a").text == "Hi there"  # type: ignore[union-attr]


def test_pictures_have_no_text_and_the_order_may_be_read_twice() -> None:
    ledger = ItemLedger()
    picture = events.InputImage(image_url="data:image/png;base64,AAAA")
    ledger.put(events.UserMessage(id="a", content=[picture, events.InputText(text="What is this?")]))
    assert [entry.text for entry in ledger] == ["What is this?"]
    assert [entry.text for entry in ledger] == ["What is this?"]


def test_calls_and_their_outputs_are_entries_of_the_tool() -> None:
    ledger = ItemLedger()
    ledger.put(events.FunctionCall(id="f", name="add", call_id="call_1", arguments="", status="in_progress"))
    assert ledger.call_named("f") == "add"
    ledger.put(events.FunctionCall(id="f", name="", call_id="call_1", arguments="{}", status="completed"))
    ledger.put(events.FunctionCallOutput(id="o", call_id="call_1", output="3"))
    call, output = list(ledger)
    assert (call.role, call.status, call.call) == ("tool", "completed", CallEntry("call_1", "add", "{}"))
    assert (output.role, output.text, output.call) == ("tool", "3", CallEntry("call_1"))
    assert ledger.call_named("nobody") == ""


def test_items_of_other_kinds_have_a_place_too() -> None:
    ledger = ItemLedger()
    ledger.put(events.McpListTools(id="m", server_label="docs", tools=[]))
    assert [(entry.type, entry.role) for entry in ledger] == [("mcp_list_tools", "system")]


def test_an_item_without_an_id_is_nowhere() -> None:
    ledger = ItemLedger()
    ledger.put(events.user_message("Hello"))
    assert len(ledger) == 0


def test_a_cut_item_shows_only_what_was_heard() -> None:
    ledger = ItemLedger()
    ledger.put(events.assistant_message("one two three four", id="a"))
    ledger.heard("a", 500.0, 1000.0, cut=True)
    ledger.heard("nobody", 1.0, 1.0, cut=True)
    ledger.put(events.AssistantMessage(id="a", status="completed", content=[]))
    entry = ledger.get("a")
    assert entry is not None
    assert (entry.text, entry.heard_ms, entry.status) == ("one two", 500.0, "incomplete")


def test_progress_of_hearing_changes_no_text() -> None:
    ledger = ItemLedger()
    ledger.put(events.assistant_message("one two three four", id="a"))
    ledger.heard("a", 500.0, 1000.0, cut=False)
    entry = ledger.get("a")
    assert entry is not None
    assert (entry.text, entry.heard_ms) == ("one two three four", 500.0)


def test_a_deleted_item_does_not_come_back() -> None:
    ledger = ItemLedger()
    put(ledger, "a")
    ledger.delete("a")
    ledger.delete("never there")
    put(ledger, "a")
    ledger.text("a", 0, delta="late")
    assert len(ledger) == 0
    assert ledger.get("a") is None
    for number in range(KEPT_DELETED):
        ledger.delete(f"x{number}")
    put(ledger, "a")
    assert order(ledger) == ["a"]


@given(st.permutations(list("abcdefg")))
def test_any_order_of_arrival_gives_the_order_of_the_conversation(arrival: list[str]) -> None:
    chain = {item: previous for previous, item in zip("abcdef", "bcdefg", strict=True)}
    ledger = ItemLedger()
    for item in arrival:
        if item == "a":
            put(ledger, "a", None)
        else:
            put(ledger, item, chain[item])
    assert order(ledger) == list("abcdefg")


def test_a_text_so_far_may_rewrite_what_was_there() -> None:
    ledger = ItemLedger()
    for text in ("Turn on", "Turn off the"):
        ledger.text("u", 0, so_far=text, role="user")
    entry = ledger.get("u")
    assert entry is not None
    assert (entry.role, entry.text) == ("user", "Turn off the")
    ledger.text("u", 0, final="Turn off the light.")
    ledger.text("u", 0, so_far="Turn")
    assert [entry.text for entry in ledger] == ["Turn off the light."]


def test_what_breaks_off_ends_where_it_is_or_was_never_there() -> None:
    ledger = ItemLedger()
    put(ledger, "typed")
    ledger.spoken_to("half")
    ledger.text("half", 0, delta="Hel")
    ledger.spoken_to("sound")
    ledger.spoken_to("empty")
    for item_id, words in (("said", "Once upon"), ("silent", "")):
        ledger.put(events.AssistantMessage(id=item_id, status="in_progress", content=[]))
        ledger.text(item_id, 0, delta=words)
    ledger.put(events.FunctionCall(id="f", name="add", call_id="c", arguments="{", status="in_progress"))
    ledger.break_off(lambda item_id: item_id == "sound")
    assert [(entry.id, entry.status) for entry in ledger] == [
        ("typed", "completed"),
        ("half", "completed"),
        ("sound", "completed"),
        ("said", "incomplete"),
    ]


def test_what_stood_behind_an_item_that_broke_off_stays_in_its_place() -> None:
    ledger = ItemLedger()
    put(ledger, "a")
    put(ledger, "z")
    ledger.put(
        events.AssistantMessage(id="b", status="in_progress", content=[]), previous_item_id="a", placed=True
    )
    put(ledger, "c", "b")
    ledger.break_off(lambda _: False)
    assert order(ledger) == ["a", "c", "z"]


@pytest.mark.parametrize("status", [None, "in_progress"])
def test_an_output_comes_whole_whatever_a_server_says_of_it(status: str | None) -> None:
    ledger = ItemLedger()
    ledger.put(events.FunctionCallOutput(id="o", call_id="c", output="3", status=status))
    ledger.break_off(lambda _: False)
    assert [entry.status for entry in ledger] == ["completed"]


def test_what_was_heard_of_before_a_time_is_older() -> None:
    ledger = ItemLedger()
    ledger.now = 10.0
    put(ledger, "a")
    ledger.now = 20.0
    put(ledger, "b")
    put(ledger, "a")
    assert [ledger.older(than) for than in (10.0, 20.0, 21.0)] == [frozenset(), {"a"}, {"a", "b"}]


def test_what_the_user_says_again_was_never_there() -> None:
    ledger = ItemLedger()
    ledger.text("u", 0, delta="What ti", role="user")
    ledger.break_off(lambda _: True, again="u")
    assert len(ledger) == 0
