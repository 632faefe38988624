from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from rtagent.cli._probe_facts import Is
from rtagent.cli._probe_overlap import cancelling, out_of_band, two_at_once
from tests.cli.probe_servers import HASTY, Answers, Event, answering, answers_of, error, event, found, vendor


def created(number: int, where: str | None = "conv") -> Event:
    return event("response.created", response={"id": f"resp_{number}", "conversation_id": where})


def done(number: int, status: str = "completed", where: str | None = "conv", **details: Any) -> Event:
    response = {"id": f"resp_{number}", "status": status, "conversation_id": where, **details}
    return event("response.done", response=response)


def playing(*scenes: list[Event], cancel: Iterable[Event] = ()) -> Answers:
    """A server that answers the first, the second … response.create with these events."""
    waiting = list(scenes)

    def answers(sent: Event) -> Iterable[Event]:
        if sent["type"] == "response.create":
            return waiting.pop(0)
        return cancel if sent["type"] == "response.cancel" else ()

    return answers


async def test_two_at_once_at_a_vendor():
    async with vendor("openai") as wire:
        findings = await found(two_at_once, wire)
    assert answers_of(findings) == {"one response at a time": "yes", "cancels a response": "yes"}
    assert "conversation_already_has_active_response" in findings["one response at a time"].evidence


CANCELLED = done(1, "cancelled", status_details={"reason": "client_cancelled"})


@pytest.mark.parametrize(
    ("scenes", "cancel", "expected", "said"),
    [
        (
            ([created(1)], [created(2)]),
            [CANCELLED],
            ("no", "yes"),
            "the second began while the first ran",
        ),
        (
            ([created(1), done(1)], [created(2), done(2)]),
            [error("nothing runs", code="response_cancel_not_active")],
            ("not known", "not known"),
            "the second began when the first was over",
        ),
        (([created(1)], []), [CANCELLED], ("not known", "yes"), "nothing was heard of the second"),
        (
            ([created(1)], [error("there is an active one")]),
            [done(1)],
            ("yes", "not known"),
            "the second is refused: there is an active one",
        ),
        (([], []), [], ("not known", "not known"), "nothing was heard of the second"),
    ],
)
async def test_two_at_once(scenes, cancel, expected, said):
    async with answering(playing(*scenes, cancel=cancel), times=HASTY) as wire:
        findings = await found(two_at_once, wire)
    assert tuple(answers_of(findings).values()) == expected
    assert findings["one response at a time"].evidence == said


async def test_why_a_cancel_was_vain():
    def answers(sent):
        if sent["type"] == "response.create":
            return [created(1), done(1)]
        return [error("too late", sent["event_id"])] if sent["type"] == "response.cancel" else ()

    async with answering(answers, times=HASTY) as wire:
        evidence = (await found(two_at_once, wire))["cancels a response"].evidence
    assert evidence == "it ended with status completed; too late: perhaps it was over before"


@pytest.mark.parametrize(
    ("answer", "expected", "facts"),
    [
        ([error("nothing runs")], "yes", (Is("idle_cancel", "error"),)),
        ([], "no", (Is("idle_cancel", "silent"),)),
        ([done(1, "cancelled")], "not known", ()),
    ],
)
async def test_cancelling_when_nothing_runs(answer, expected, facts):
    async with answering(lambda _: answer, times=HASTY) as wire:
        finding = (await found(cancelling, wire))["complains of an idle cancel"]
    assert (finding.answer, finding.facts) == (expected, facts)


@pytest.mark.parametrize(("name", "shape", "answer"), [("openai", "nested", "yes"), ("glm", "flat", "no")])
async def test_out_of_band_at_a_vendor(name, shape, answer):
    async with vendor(name, shape=shape) as wire:
        finding = (await found(out_of_band, wire))["responds out of band"]
    assert finding.answer == answer
    assert finding.facts == (Is("out_of_band", answer == "yes"),)


@pytest.mark.parametrize(
    ("scenes", "answer", "said"),
    [
        (([created(1), done(1)], [created(2), done(2)]), "no", "belongs to the conversation too"),
        (([created(1), done(1)], [created(2, None), done(2, where=None)]), "yes", "belongs to no conv"),
        (
            ([created(1, None), done(1)], [created(2, None), done(2)]),
            "not known",
            "it began when the other one was over",
        ),
        (([created(1)], [created(2, None), done(2), done(1)]), "yes", "ran beside"),
        (([created(1), done(1)], []), "not known", "1 of two responses began"),
    ],
)
async def test_out_of_band(scenes, answer, said):
    async with answering(playing(*scenes), times=HASTY) as wire:
        finding = (await found(out_of_band, wire))["responds out of band"]
    assert finding.answer == answer
    assert said in finding.evidence
