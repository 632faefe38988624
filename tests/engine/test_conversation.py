"""The conversation as a whole: sessions, refusals, and laws that hold whatever a client does."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtagent import events
from rtagent.engine._conversation_work import (
    LearnTools,
)
from rtagent.engine._turns import SpeechStarted, SpeechStopped

PIECE_MS = 100
PIECE = base64.b64encode(bytes(48 * PIECE_MS)).decode()


def test_the_first_event_is_the_session(driver: Any):  # S3
    driver.conversation.open()
    (created,) = driver.sent()
    assert created["type"] == "session.created"
    assert {"type", "id", "object", "model", "expires_at", "audio", "tools"} <= created["session"].keys()


def test_every_update_is_answered_by_the_whole_configuration(driver: Any):  # S4
    answer = driver.session(instructions="Sing.")
    assert answer["type"] == "session.updated"
    assert answer["session"]["instructions"] == "Sing."
    assert answer["session"]["audio"]["output"]["voice"] == "alloy"
    assert driver.session(tracing="auto")["session"]["instructions"] == "Sing."


def test_a_refused_update_names_the_clients_event(driver: Any):  # S4, S12
    got = driver.send(
        "session.update",
        event_id="mine",
        session={"type": "realtime", "instructions": "x", "output_modalities": ["smell"]},
    )
    assert driver.code(got) == "invalid_value"
    assert got[0]["error"]["event_id"] == "mine"
    assert got[0]["error"]["param"] == "session.output_modalities"
    assert got[0]["error"]["type"] == "invalid_request_error"
    assert driver.session()["session"]["instructions"] == ""


def test_the_ears_learn_the_tools(drive: Callable[..., Any]):
    tool = {"type": "function", "name": "light"}
    driver = drive(tools=[tool])
    driver.session(tools=[{"type": "function", "name": "door"}])
    driver.session(instructions="No new tools.")
    assert [[tool["name"] for tool in work.tools] for work in driver.asked(LearnTools)] == [
        ["light"],
        ["door"],
    ]


def test_the_voice_is_frozen_after_the_first_audio(driver: Any):
    driver.session(audio={"output": {"voice": "ash"}})
    driver.answer()
    got = driver.send("session.update", session={"type": "realtime", "audio": {"output": {"voice": "echo"}}})
    assert driver.code(got) == "cannot_update_voice"


def test_the_end_of_the_sessions_time_is_told(driver: Any):
    driver.conversation.expire()
    (error,) = driver.sent()
    assert error["error"]["code"] == "session_expired"
    assert error["error"]["event_id"] is None


def test_what_is_no_event_is_answered(driver: Any):  # S13
    driver.conversation.malformed(events.ClientEventError("no JSON", code="invalid_json", event_id="e"))
    (error,) = driver.sent()
    assert (error["error"]["code"], error["error"]["event_id"]) == ("invalid_json", "e")


def test_webrtc_events_have_no_meaning_here(driver: Any):
    assert driver.code(driver.send("output_audio_buffer.clear")) == "unsupported_event"


_IDS = st.sampled_from(["a", "b", "c", "root", "x" * 33])
_CLIENT = st.one_of(
    st.tuples(st.just("input_audio_buffer.append"), st.just({"audio": PIECE})),
    st.tuples(st.just("input_audio_buffer.commit"), st.just({})),
    st.tuples(st.just("input_audio_buffer.clear"), st.just({})),
    st.tuples(
        st.just("conversation.item.create"),
        st.fixed_dictionaries(
            {"item": _IDS.map(lambda name: {"type": "message", "role": "user", "id": name, "content": []})},
            optional={"previous_item_id": _IDS},
        ),
    ),
    st.tuples(
        st.just("conversation.item.create"),
        st.just(
            {
                "item": {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_audio", "audio": PIECE}],
                }
            }
        ),
    ),
    st.tuples(st.just("conversation.item.delete"), st.fixed_dictionaries({"item_id": _IDS})),
    st.tuples(st.just("conversation.item.retrieve"), st.fixed_dictionaries({"item_id": _IDS})),
    st.tuples(
        st.just("response.create"),
        st.fixed_dictionaries(
            {},
            optional={
                "response": st.sampled_from(
                    [{}, {"conversation": "none"}, {"output_modalities": ["text"]}, {"max_output_tokens": 1}]
                )
            },
        ),
    ),
    st.tuples(st.just("response.cancel"), st.just({})),
    st.tuples(
        st.just("session.update"),
        st.sampled_from([None, {}, {"create_response": False}, {"interrupt_response": False}]).map(
            lambda taking: {
                "session": {"type": "realtime", "audio": {"input": {"turn_detection": taking}}},
            }
        ),
    ),
)
_TURNS = st.sampled_from([(SpeechStarted(0),), (SpeechStopped(100),), (SpeechStarted(0), SpeechStopped(90))])
_STEPS = st.one_of(
    _CLIENT,
    _TURNS.map(lambda turns: ("hear", turns)),
    st.integers(0, 3).map(lambda number: ("work", number)),
    st.sampled_from([("truncate", 10), ("truncate", 0), ("retrieve", None)]),
)


class Laws:
    """What holds whatever happens; fed with everything that is sent."""

    def __init__(self) -> None:
        self.event_ids: set[str] = set()
        self.running: dict[str, bool] = {}
        self.done: Counter[str] = Counter()
        self.voice = "a"
        """The item that was heard last."""

    def check(self, wires: list[dict[str, Any]]) -> None:
        for wire in wires:
            assert wire["event_id"] not in self.event_ids
            self.event_ids.add(wire["event_id"])
            kind = wire["type"]
            if kind == "response.created":
                self.running[wire["response"]["id"]] = wire["response"]["conversation_id"] is not None
                assert sum(self.running.values()) <= 1
            elif kind == "response.done":
                response = wire["response"]
                del self.running[response["id"]]
                self.done[response["id"]] += 1
                assert self.done[response["id"]] == 1
                assert response["status"] in ("completed", "cancelled", "incomplete")
                assert all(item["status"] in ("completed", "incomplete") for item in response["output"])
            elif kind.startswith("response."):
                assert wire["response_id"] in self.running
            if kind == "response.output_audio.delta":
                self.voice = wire["item_id"]
            assert all(isinstance(value, int) for name, value in wire.items() if name.endswith("_ms"))
            assert not re.search("exception|traceback", str(wire).lower())


@pytest.mark.parametrize("session", ["realtime", "transcription"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(steps=st.lists(_STEPS, max_size=40))
def test_whatever_a_client_does_the_laws_hold(
    drive: Callable[..., Any], session: str, steps: list[tuple[str, Any]]
):
    driver = drive(kind=session)
    laws = Laws()
    for kind, detail in steps:
        match kind:
            case "hear":
                laws.check(driver.hear(*detail))
            case "work":
                laws.check(driver.work_off(detail))
            case "truncate":
                laws.check(driver.truncate(laws.voice, detail))
            case "retrieve":
                laws.check(driver.send("conversation.item.retrieve", item_id=laws.voice))
            case _:
                laws.check(driver.send(kind, **detail))
    laws.check(driver.work_off())
    assert laws.running == {}
    assert not (laws.done and session == "transcription")
    assert not driver.conversation.busy
