"""The agent's configuration with the program's own wishes on top."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent import Agent, events
from rtagent.errors import ConfigurationError
from rtagent.session._configuration import configuration, wanted_changes


def wire(session: events.RealtimeSession | None) -> dict[str, Any]:
    assert session is not None
    return session.model_dump(exclude_unset=True, mode="json")


def test_nobody_asks_for_anything() -> None:
    assert configuration(None, None) is None


def test_one_alone_is_taken_as_it_is() -> None:
    agent = Agent(instructions="Be brief.", transcription=None)
    assert configuration(agent, None) == agent.session_config()
    config = events.RealtimeSession(instructions="Other.")
    assert configuration(None, config) is config


def test_the_programs_wishes_go_first_and_what_it_leaves_out_stays() -> None:
    agent = Agent(instructions="Be brief.", voice="marin", transcription="gpt-transcribe")
    config = events.RealtimeSession(
        instructions="Be long.",
        audio=events.SessionAudio(input=events.AudioInput(noise_reduction=None)),
        max_output_tokens=10,
    )
    assert wire(configuration(agent, config)) == {
        "type": "realtime",
        "instructions": "Be long.",
        "max_output_tokens": 10,
        "audio": {
            "input": {
                "turn_detection": {"type": "server_vad"},
                "transcription": {"model": "gpt-transcribe"},
                "noise_reduction": None,
            },
            "output": {"voice": "marin"},
        },
    }


def test_null_is_a_wish() -> None:
    config = events.RealtimeSession(
        audio=events.SessionAudio(input=events.AudioInput(turn_detection=None, transcription=None))
    )
    assert wire(configuration(Agent(), config))["audio"]["input"] == {
        "turn_detection": None,
        "transcription": None,
    }


def test_an_object_with_a_type_of_its_own_replaces_the_other_whole() -> None:
    agent = Agent(turn_taking=events.ServerVad(threshold=0.9, silence_duration_ms=200))
    config = events.RealtimeSession(
        audio=events.SessionAudio(input=events.AudioInput(turn_detection=events.SemanticVad(eagerness="low")))
    )
    detection = wire(configuration(agent, config))["audio"]["input"]["turn_detection"]
    assert detection == {"type": "semantic_vad", "eagerness": "low"}


def test_changes_are_only_what_was_named() -> None:
    changes = wanted_changes({"instructions": "", "audio": {"input": {"turn_detection": None}}})
    assert wire(changes) == {
        "type": "realtime",
        "instructions": "",
        "audio": {"input": {"turn_detection": None}},
    }


def test_every_problem_of_a_change_is_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        wanted_changes({"colour": "blue", "audio": {"output": {"speed": "fast"}}})
    text = str(caught.value)
    assert "colour is not a setting of a session" in text
    assert "audio.output.speed: " in text
