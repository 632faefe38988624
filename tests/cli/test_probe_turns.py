from __future__ import annotations

import pytest

from rtagent.cli._probe_facts import Answered, Is
from rtagent.cli._probe_turns import written_turn
from tests.cli.probe_servers import HASTY, Answers, Event, answering, answers_of, error, event, found, vendor


def responding(refuse: tuple[str, ...] = (), done: Event | None = None, *more: Event) -> Answers:
    """A server that refuses responses with some settings and answers the others."""

    def answers(sent: Event) -> list[Event]:
        if sent["type"] == "conversation.item.create":
            return [event("conversation.item.added", item={"id": "own"})]
        if any(name in sent.get("response", {}) for name in refuse):
            return [error("not that", sent["event_id"])]
        response = done if done is not None else {"status": "completed"}
        return [event("response.created"), *more, event("response.done", response=response)]

    return answers


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        (
            "openai",
            "nested",
            {
                "takes items": "yes",
                "announces items in two steps": "yes",
                "keeps item ids": "yes",
                "responds": "yes",
                "responses have settings": "yes",
                "answers in writing": "yes",
                "metadata comes back": "yes",
                "GA spelling of parts": "yes",
            },
        ),
        (
            "stepfun",
            "flat",
            {
                "takes items": "yes",
                "announces items in two steps": "no",
                "keeps item ids": "yes",
                "responds": "yes",
                "responses have settings": "yes",
                "answers in writing": "no",
                "metadata comes back": "no",
            },
        ),
        ("vllm", "nested", {"takes items": "no", "responds": "no"}),
    ],
)
async def test_a_written_turn_at_a_vendor(name, shape, expected):
    async with vendor(name, shape=shape) as wire:
        assert answers_of(await found(written_turn, wire)) == expected


async def test_a_server_that_takes_no_settings():
    async with answering(responding(("metadata",)), times=HASTY) as wire:
        findings = await found(written_turn, wire)
    assert findings["responses have settings"].answer == "no"
    assert findings["responses have settings"].facts == (Is("response_overrides", value=False),)
    assert "answers in writing" not in findings, "text was not asked for in the end"


async def test_a_server_that_speaks_where_text_is_asked_for():
    voice = event("response.output_audio.delta", delta="")
    async with answering(responding((), None, voice), times=HASTY) as wire:
        findings = await found(written_turn, wire)
    assert findings["answers in writing"].answer == "no"
    assert findings["answers in writing"].facts == (Is("text_answers", value=False),)
    assert findings["keeps item ids"].answer == "no"
    assert findings["announces items in two steps"].answer == "not known"


async def test_a_response_without_anything_in_it():
    async with answering(responding((), {"status": "failed", "metadata": {"a": "b"}}), times=HASTY) as wire:
        findings = await found(written_turn, wire)
    assert findings["answers in writing"].answer == "not known"
    assert findings["answers in writing"].evidence.endswith("status failed")
    assert findings["metadata comes back"].evidence == "response.done has {'a': 'b'}"


async def test_a_server_that_takes_everything_and_says_nothing():
    async with answering(lambda _: (), times=HASTY) as wire:
        findings = await found(written_turn, wire)
    assert answers_of(findings) == {"takes items": "not known", "responds": "not known"}
    assert findings["takes items"].facts == (Answered("conversation.item.create", "silent"),)
    assert findings["responds"].facts == ()
    assert findings["responds"].evidence == "no response.done came"
