"""What a new session is told of an earlier conversation: as text, in pairs, and no more than fits."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent import events
from rtagent.protocol import CallEntry, HistoryEntry, replay_plan
from rtagent.protocol._replay import NOTE
from rtagent.protocol._speech import SpokenTurn


def said(
    item_id: str, role: str, text: str, status: str = "completed", heard_ms: float | None = None
) -> HistoryEntry:
    return HistoryEntry(item_id, role, "message", text, status, heard_ms)


def call(number: int, name: str = "clock") -> HistoryEntry:
    asked = CallEntry(f"c{number}", name, "{}")
    return HistoryEntry(f"f{number}", "tool", "function_call", "", "completed", call=asked)


def output(number: int) -> HistoryEntry:
    answered = CallEntry(f"c{number}")
    return HistoryEntry(f"o{number}", "tool", "function_call_output", "noon", "completed", call=answered)


def test_both_sides_are_told_as_text_in_their_order() -> None:
    plan = replay_plan(
        [said("s", "system", "Be kind."), said("u", "user", "Hello"), said("a", "assistant", "Hi")]
    )
    assert plan.items == (
        events.system_message("Be kind.", id="s"),
        events.user_message("Hello", id="u"),
        events.assistant_message("Hi", id="a"),
    )
    assert plan.lost == ()


def test_of_an_answer_that_was_cut_the_heard_part_is_told() -> None:
    plan = replay_plan([said("a", "assistant", "Once upon", "incomplete", 700.0)])
    assert plan.items == (events.assistant_message("Once upon", id="a"),)


def test_an_answer_that_was_never_heard_was_never_there() -> None:
    plan = replay_plan([said("a", "assistant", "", "incomplete", 0.0)])
    assert (plan.items, plan.lost) == ((), ())


@pytest.mark.parametrize(
    "entry",
    [
        said("a", "assistant", "Once upon a", "in_progress", 300.0),
        said("u", "user", ""),
        said("x", "critic", "Boo"),
        HistoryEntry("m", "system", "mcp_call", "", "completed"),
        HistoryEntry("f", "tool", "function_call", "", "completed", call=CallEntry("c", "", "{}")),
    ],
    ids=[
        "unfinished",
        "not transcribed",
        "a role that nobody has",
        "of the provider",
        "a call without a name",
    ],
)
def test_what_cannot_be_told_is_lost_and_said(entry: HistoryEntry) -> None:
    plan = replay_plan([entry])
    assert (plan.items, plan.lost) == ((), (entry,))


def test_calls_are_told_with_their_outputs_or_not_at_all() -> None:
    entries = [call(1), call(2), said("u", "user", "Well?"), output(1), output(3)]
    plan = replay_plan(entries)
    assert [item.id for item in plan.items] == ["f1", "u", "o1"]
    assert plan.lost == (call(2), output(3))
    assert plan.items[0] == events.FunctionCall(id="f1", call_id="c1", name="clock", arguments="{}")
    assert plan.items[2] == events.FunctionCallOutput(id="o1", call_id="c1", output="noon")


def test_the_newest_that_fits_is_told_and_what_the_system_said_always() -> None:
    entries = [said("s", "system", "Be kind."), *(said(f"u{n}", "user", "x" * 276) for n in range(10))]
    plan = replay_plan(entries, max_tokens=310)  # 100 for each of the user's, 10 for the system's
    assert [item.id for item in plan.items] == ["s", "u7", "u8", "u9"]
    assert [entry.id for entry in plan.lost] == [f"u{n}" for n in range(7)]


def test_a_pair_that_the_budget_cuts_apart_is_not_told() -> None:
    plan = replay_plan([call(1), said("u", "user", "x" * 30), output(1)], max_tokens=30)
    assert [item.id for item in plan.items] == ["u"]
    assert plan.lost == (call(1), output(1))


ENTRIES = st.one_of(
    st.builds(
        said,
        st.sampled_from("abcdef"),
        st.sampled_from(["user", "assistant", "system", ""]),
        st.text(max_size=40),
        st.sampled_from(["completed", "incomplete", "in_progress"]),
        st.one_of(st.none(), st.floats(0, 9_000)),
    ),
    st.builds(call, st.integers(0, 3)),
    st.builds(output, st.integers(0, 3)),
)


@given(st.lists(ENTRIES, max_size=12), st.integers(0, 120))
def test_a_plan_is_always_one_that_a_server_takes(entries: list[HistoryEntry], max_tokens: int) -> None:
    plan = replay_plan(entries, max_tokens=max_tokens)
    calls = {item.call_id for item in plan.items if isinstance(item, events.FunctionCall)}
    outputs = {item.call_id for item in plan.items if isinstance(item, events.FunctionCallOutput)}
    assert calls == outputs
    parts = [
        (item.role, part.type)
        for item in plan.items
        if isinstance(item, events.UserMessage | events.AssistantMessage | events.SystemMessage)
        for part in item.content
    ]
    assert set(parts) <= {("user", "input_text"), ("system", "input_text"), ("assistant", "output_text")}
    unheard = [
        entry for entry in entries if entry.role == "assistant" and not entry.text and entry.heard_ms == 0
    ]
    assert len(plan.items) + len(plan.lost) == len(entries) - len(unheard)


def test_what_is_too_old_stays_behind_but_for_the_systems_words() -> None:
    entries = [said("s", "system", "Be kind."), said("u1", "user", "one"), said("u2", "user", "two")]
    plan = replay_plan(entries, too_old={"s", "u1"})
    assert [item.id for item in plan.items] == ["s", "u2"]
    assert plan.lost == (entries[1],)


def test_a_turn_whose_words_are_not_known_is_told_as_its_sound() -> None:
    turns = {"u": SpokenTurn(b"\1\2" * 240, 10.0)}
    entries = [said("u", "user", ""), said("v", "user", ""), said("a", "assistant", "")]
    plan = replay_plan(entries, spoken=turns.get)
    (item,) = plan.items
    assert isinstance(item, events.UserMessage)
    assert item.content == (events.InputAudio(audio=b64encode(b"\1\2" * 240).decode()),)
    assert [entry.id for entry in plan.lost] == ["v", "a"]


def test_half_the_words_of_a_turn_are_not_its_words() -> None:
    plan = replay_plan([said("u", "user", "What ti")], spoken=lambda _: SpokenTurn(bytes(2), 10.0))
    assert isinstance(plan.items[0], events.UserMessage)
    assert plan.items[0].content[0].type == "input_audio"


def test_sound_counts_as_what_it_costs() -> None:
    entries = [said("u1", "user", ""), said("u2", "user", "")]
    minute = lambda _: SpokenTurn(b"", 60_000.0)  # noqa: E731
    plan = replay_plan(entries, max_tokens=700, spoken=minute)
    assert [item.id for item in plan.items] == ["u2"]


def test_a_call_that_is_told_later_is_not_lost() -> None:
    plan = replay_plan([call(1), call(2)], open_calls={"c1"})
    assert (plan.items, plan.lost) == ((), (call(2),))


def test_a_note_was_meant_for_one_moment() -> None:
    plan = replay_plan([said(f"{NOTE}_1", "system", "Go on.")])
    assert (plan.items, plan.lost) == ((), ())
