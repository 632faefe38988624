from __future__ import annotations

import pytest

from rtagent.cli._probe_facts import Answered, Is
from rtagent.cli._probe_opening import greeting, limits, shape
from rtagent.cli._probe_wire import Ended
from rtagent.errors import ConnectionFailed
from tests.cli.probe_servers import HASTY, answering, answers_of, error, event, found, updated, vendor

CREATED = event("session.created", session={"type": "realtime", "audio": {}})


async def test_a_server_that_greets_twice():
    async with vendor("xai") as wire:
        findings = await found(greeting, wire)
    assert answers_of(findings) == {"greets first": "yes", "Realtime protocol": "yes"}
    assert findings["greets first"].evidence.startswith("session.created, conversation.created, ")
    assert findings["greets first"].facts == (Is("greeting", ("session.created", "conversation.created")),)


async def test_gpt_live_is_spoken_to_first():
    def answers(sent):
        assert sent["type"] == "session.start"
        assert sent["session"]["model"] == "mine"
        return [event("session.started", session={"id": "s"})]

    async with answering(answers, protocol="live", model="mine") as wire:
        findings = await found(greeting, wire)
        assert wire.manner.protocol == "live"
    assert answers_of(findings) == {"greets first": "no", "Realtime protocol": "no"}
    assert findings["Realtime protocol"].facts == (Is("protocol", "live"),)


async def test_a_silent_server_may_turn_out_to_be_gpt_live():
    async with answering(lambda _: [event("session.started")], times=HASTY) as wire:
        assert (await found(greeting, wire))["Realtime protocol"].evidence.startswith("GPT-Live")


async def test_a_session_for_translation():
    created = event("session.created", session={"type": "translation"})
    async with answering(lambda _: (), greeting=[created]) as wire:
        findings = await found(greeting, wire)
        assert wire.manner.protocol == "translation"
    assert answers_of(findings) == {"greets first": "yes", "Realtime protocol": "no"}


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ([], "this is no Realtime server: it said nothing"),
        (["good day"], "this is no Realtime server: it began with 'good day'"),
        ([event("hello")], 'it began with \'{"type": "hello"'),
        (
            [error("no model of that name", code="model_not_found")],
            "refused the session: model_not_found: no",
        ),
    ],
)
async def test_no_session(first, said):
    async with answering(lambda _: (), greeting=first, times=HASTY) as wire:
        with pytest.raises(ConnectionFailed, match=said):
            await found(greeting, wire)


async def test_a_server_that_goes_when_it_is_spoken_to():
    async with answering(lambda _: None, times=HASTY) as wire:
        with pytest.raises(Ended, match="closed with 1011"):
            await found(greeting, wire)


@pytest.mark.parametrize(
    ("name", "is_nested", "value"),
    [
        ("openai", "yes", "nested"),
        ("beta", "no", "flat"),
        ("xai", "no", "voice_on_top"),
        ("vllm", "no", "model_on_top"),
    ],
)
async def test_the_shape_of_a_session(name, is_nested, value):
    async with vendor(name) as wire:
        await found(greeting, wire)
        findings = await found(shape, wire)
        assert wire.manner.shape == value
        assert wire.manner.answers_updates == (name != "vllm")
    assert findings["nested session"].answer == is_nested
    assert Is("session_shape", value) in findings["nested session"].facts


async def test_shapes_are_tried_until_one_takes_effect():
    def answers(sent):
        if "audio" in sent["session"]:
            return [error("unknown parameter", sent["event_id"])]
        return [updated(sent)]

    async with answering(answers, greeting=[event("session.created", session={"id": "s"})]) as wire:
        await found(greeting, wire)
        findings = await found(shape, wire)
        assert wire.manner.shape == "voice_on_top"
    assert findings["nested session"].evidence == "the voice on top shape took effect in session.updated"


async def test_updates_without_effect_leave_what_the_session_shows():
    deaf = event("session.updated", session={"audio": {}})
    async with answering(lambda _: [deaf], greeting=[CREATED]) as wire:
        await found(greeting, wire)
        findings = await found(shape, wire)
        assert wire.manner.answers_updates
    assert findings["nested session"].answer == "yes"
    assert "no update took effect" in findings["nested session"].evidence


async def test_updates_without_effect_and_a_session_that_shows_nothing():
    async with answering(
        lambda _: [event("session.updated", session={})],
        greeting=[event("session.created", session={"id": "s"})],
    ) as wire:
        await found(greeting, wire)
        finding = (await found(shape, wire))["nested session"]
    assert finding.answer == "not known"
    assert finding.evidence == "nested: no effect; voice on top: no effect; flat: no effect"
    assert finding.facts == ()


async def test_updates_that_are_not_answered():
    greets = event("session.created", session={"id": "s"})
    async with answering(lambda _: (), greeting=[greets], times=HASTY) as wire:
        await found(greeting, wire)
        findings = await found(shape, wire)
        assert not wire.manner.answers_updates
    assert answers_of(findings) == {"answers updates": "no", "nested session": "not known"}
    assert findings["answers updates"].facts == (Answered("session.update", "silent"),)


@pytest.mark.parametrize(("expires_at", "answer"), [(4_102_444_800, "yes"), (0, "no"), (None, "no")])
async def test_how_long_a_session_lasts(expires_at, answer):
    created = event("session.created", session={"expires_at": expires_at})
    async with answering(lambda _: (), greeting=[created]) as wire:
        await found(greeting, wire)
        assert answers_of(await found(limits, wire)) == {"says when it ends": answer}
