from __future__ import annotations

import pytest

from rtagent.cli import _probe_wire
from rtagent.cli._probe_wire import Ended, Reply, Times
from tests.cli.probe_servers import HASTY, answering, error, event, updated


def test_the_times():
    assert (Times(10).acknowledgement_s, Times(10).quiet_s) == (3.0, 0.4)
    assert (Times(1).acknowledgement_s, Times(1).quiet_s) == (1.0, 0.1)


async def test_an_event_that_is_answered():
    async with answering(lambda sent: [event("pong", of=sent["event_id"])]) as wire:
        reply = await wire.ask("ping", "pong")
        assert (reply.reaction, reply.told) == ("acknowledged", "pong")
        assert reply.frame is not None
        assert reply.frame.raw["of"] == "probe_1"


async def test_an_event_that_is_refused():
    async with answering(lambda sent: [error("no pings", sent["event_id"])]) as wire:
        reply = await wire.ask("ping", "pong")
        assert (reply.reaction, reply.told) == ("refused", "no pings")


async def test_an_error_about_another_event_is_no_answer():
    async with answering(lambda sent: [error("late", "probe_0"), event("pong")]) as wire:
        assert (await wire.ask("ping", "pong")).told == "pong"


async def test_silence_is_what_is_left_when_the_time_is_up():
    async with answering(lambda _: (), times=HASTY) as wire:
        assert await wire.ask("ping", "pong") == Reply("silent")
        assert Reply("silent").told == "nothing came"
        assert await wire.update(tools=[]) == Reply("silent")


async def test_where_updates_are_answered_silence_is_heard_behind_one():
    def answers(sent):
        return [updated(sent)] if sent["type"] == "session.update" else []

    async with answering(answers, answers_updates=True) as wire:
        assert await wire.ask("ping", "pong") == Reply("silent")


async def test_an_answer_that_comes_behind_the_update_still_counts():
    def answers(sent):
        return [updated(sent), event("pong")] if sent["type"] == "session.update" else []

    async with answering(answers, answers_updates=True) as wire:
        assert (await wire.ask("ping", "pong")).reaction == "acknowledged"


async def test_marks_are_not_taken_for_answers_to_updates():
    def answers(sent):
        return [updated(sent) if sent["type"] == "session.update" else event("pong")]

    async with answering(answers, answers_updates=True) as wire:
        await wire.ask("ping", "pong")
        reply = await wire.update(tools=["mine"])
        assert reply.frame is not None
        assert reply.frame.part("session")["tools"] == ["mine"]


async def test_a_mark_that_never_comes_is_given_up():
    async with answering(
        lambda sent: [event("pong")] if sent["type"] == "ping" else [], times=HASTY, answers_updates=True
    ) as wire:
        await wire.ask("ping", "pong")
        assert (await wire.ask("ping", "pong")).reaction == "acknowledged"


async def test_the_end_is_told_to_who_waits_and_to_who_sends():
    async with answering(lambda _: None) as wire:
        await wire.send("ping")
        with pytest.raises(Ended, match="the server closed with 1011: that was too much"):
            await wire.rest()
        assert wire.ended
        with pytest.raises(Ended, match="closed with 1011"):
            await wire.send("ping")


async def test_a_server_that_never_stops_is_left(monkeypatch):
    monkeypatch.setattr(_probe_wire, "MAX_FRAMES", 3)
    async with answering(lambda _: [event("noise")] * 5) as wire:
        await wire.send("ping")
        with pytest.raises(Ended, match="more than 3 events"):
            await wire.until("pong", within_s=5)


async def test_closing_from_our_side():
    async with answering(lambda _: ()) as wire:
        await wire.aclose()
