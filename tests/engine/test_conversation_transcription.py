"""A transcription session: it hears and writes down, and nothing ever answers (section 6)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from rtagent.engine._conversation_work import Decide, LearnTools, PartKey
from rtagent.engine._turns import SpeechStarted, SpeechStopped

PIECE = base64.b64encode(bytes(4800)).decode()
TOOL = {"type": "function", "name": "light"}
WRITING = "conversation.item.input_audio_transcription"


@pytest.fixture
def scribe(drive: Callable[..., Any]) -> Any:
    return drive(kind="transcription", tools=[TOOL], instructions="Sing.")


def configure(driver: Any, kind: str = "transcription", **changes: Any) -> Any:
    (answer,) = driver.send("session.update", event_id="mine", session={"type": kind, **changes})
    return answer


def refused(answer: Any) -> tuple[str, str, str]:
    """Code, parameter and the event that an error names."""
    assert answer["type"] == "error"
    error = answer["error"]
    return error["code"], error["param"], error["event_id"]


def test_it_is_greeted_as_what_it_is(scribe: Any):
    scribe.conversation.open()
    (created,) = scribe.sent()
    assert created["type"] == "session.created"
    session = created["session"]
    assert (session["type"], session["object"]) == ("transcription", "realtime.transcription_session")
    assert {"id", "expires_at", "audio"} <= session.keys()
    assert not {"model", "tools", "instructions", "output_modalities"} & session.keys()
    assert session["audio"].keys() == {"input"}
    assert [work.tools for work in scribe.asked(LearnTools)] == [(), ()]


def test_updates_are_merged_and_answered_whole(scribe: Any):
    ear = {"transcription": {"language": "en"}, "noise_reduction": {"type": "far_field"}}
    configure(scribe, audio={"input": ear})
    answer = configure(
        scribe,
        audio={"input": {"turn_detection": {"silence_duration_ms": 900, "create_response": True}}},
        include=["item.input_audio_transcription.logprobs"],
    )
    assert answer["type"] == "session.updated"
    shown = answer["session"]["audio"]["input"]
    assert shown["transcription"] == {"model": "m", "language": "en"}
    assert shown["noise_reduction"] == {"type": "far_field"}
    assert shown["turn_detection"]["silence_duration_ms"] == 900
    assert "create_response" not in shown["turn_detection"]
    assert answer["session"]["include"] == ["item.input_audio_transcription.logprobs"]
    cleared = configure(scribe, audio={"input": {"transcription": None, "turn_detection": None}})
    ear = cleared["session"]["audio"]["input"]
    assert (ear["transcription"], ear["turn_detection"]) == ({"model": "m"}, None)


@pytest.mark.parametrize(
    ("kind", "changes", "told"),
    [
        ("realtime", {}, ("invalid_value", "session.type", "mine")),
        (
            "transcription",
            {"audio": {"output": {"voice": "alloy"}}},
            ("unknown_parameter", "session.audio.output", "mine"),
        ),
        (
            "transcription",
            {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 8000}}}},
            ("invalid_value", "session.audio.input.format.rate", "mine"),
        ),
        (
            "transcription",
            {"audio": {"input": {"turn_detection": {"threshold": 7}}}},
            ("invalid_value", "session.audio.input.turn_detection.threshold", "mine"),
        ),
    ],
)
def test_a_refused_update_changes_nothing(scribe: Any, kind: str, changes: Any, told: tuple[str, ...]):
    before = configure(scribe)["session"]
    assert refused(configure(scribe, kind, **changes)) == told
    assert configure(scribe)["session"] == before


def test_speech_becomes_an_item_and_its_words_and_no_answer(scribe: Any):
    configure(scribe, audio={"input": {"turn_detection": {"create_response": True, "idle_timeout_ms": 5000}}})
    (started,) = scribe.hear(SpeechStarted(0))
    scribe.conversation.partial(PartKey(started["item_id"], 0), "light")
    (delta,) = scribe.sent()
    assert (delta["type"], delta["delta"]) == (f"{WRITING}.delta", "light")
    stopped = scribe.hear(SpeechStopped(100))
    assert scribe.kinds(stopped) == [
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    scribe.conversation.recognised(PartKey(started["item_id"], 0), "light on")
    rest, completed = scribe.sent()
    assert rest["delta"] == " on"
    assert completed["type"] == f"{WRITING}.completed"
    assert (completed["transcript"], completed["content_index"]) == ("light on", 0)
    assert completed["usage"] == {"type": "duration", "seconds": 0.1}
    for _ in range(60):  # longer than the idle timeout that it has no use for
        assert scribe.hear() == []
    assert scribe.asked(Decide) == []


def test_a_client_may_end_the_turns_itself(scribe: Any):
    configure(scribe, audio={"input": {"turn_detection": None}})
    assert scribe.send("input_audio_buffer.append", audio=PIECE) == []
    assert scribe.kinds(scribe.send("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    scribe.send("input_audio_buffer.append", audio=PIECE)
    committed, *_ = scribe.send("input_audio_buffer.commit")
    scribe.conversation.unheard(PartKey(committed["item_id"], 0), "deaf")
    (failed,) = scribe.sent()
    assert (failed["type"], failed["error"]["message"]) == (f"{WRITING}.failed", "deaf")
    assert scribe.code(scribe.send("input_audio_buffer.commit")) == "input_audio_buffer_commit_empty"


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("response.create", {}),
        ("response.cancel", {}),
        ("conversation.item.create", {"item": {"type": "message", "role": "user", "content": []}}),
        ("conversation.item.retrieve", {"item_id": "x"}),
        ("conversation.item.delete", {"item_id": "x"}),
        ("conversation.item.truncate", {"item_id": "x", "content_index": 0, "audio_end_ms": 0}),
        ("output_audio_buffer.clear", {}),
    ],
)
def test_whatever_is_about_answers_is_refused(scribe: Any, kind: str, fields: dict[str, Any]):
    (error,) = scribe.send(kind, event_id="mine", **fields)
    assert refused(error) == ("unsupported_event", "type", "mine")
    assert kind in error["error"]["message"]
    assert configure(scribe)["type"] == "session.updated"  # it stays open


def test_an_update_before_the_first_audio_makes_one(drive: Callable[..., Any]):
    driver = drive(tools=[TOOL])
    driver.session(audio={"input": {"format": {"type": "audio/pcmu"}}})
    answer = configure(driver, audio={"input": {"turn_detection": {"threshold": 0.7}}})
    assert answer["type"] == "session.updated"
    session = answer["session"]
    assert (session["type"], session["id"]) == ("transcription", "sess_1")
    assert session["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24_000}
    assert session["audio"]["input"]["turn_detection"]["threshold"] == 0.7
    assert driver.asked(LearnTools)[-1].tools == ()
    assert refused(driver.send("response.create", event_id="mine")[0])[0] == "unsupported_event"
    assert refused(configure(driver, "realtime")) == ("invalid_value", "session.type", "mine")


def spoken(driver: Any) -> None:
    driver.send("input_audio_buffer.append", audio=PIECE)


def cleared(driver: Any) -> None:
    spoken(driver)
    driver.send("input_audio_buffer.clear")


def written(driver: Any) -> None:
    driver.say("good day")


def asked(driver: Any) -> None:
    driver.send("response.create", response={"conversation": "none"})


def answered(driver: Any) -> None:
    asked(driver)
    driver.work_off()


@pytest.mark.parametrize("begin", [spoken, cleared, written, asked, answered])
def test_a_conversation_that_has_begun_stays_one(driver: Any, begin: Callable[[Any], None]):
    begin(driver)
    assert refused(configure(driver)) == ("invalid_value", "session.type", "mine")
    assert driver.session(instructions="Go on.")["session"]["type"] == "realtime"
