"""The agent's configuration with the program's own wishes on top."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent import Agent, events, tool
from rtagent.errors import ConfigurationError
from rtagent.events import live
from rtagent.session._configuration import configuration


def wire(session: events.WireModel | None) -> dict[str, Any]:
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


def test_what_an_agent_leaves_open_is_as_the_dialect_has_it() -> None:
    asked = wire(configuration(Agent(), None, events.PROFILES["speaches"]))
    assert asked["audio"]["input"]["transcription"] == {"model": "Systran/faster-whisper-small"}
    asked = wire(configuration(Agent(), None, events.PROFILES["stepfun"]))
    assert asked["audio"]["input"] == {"turn_detection": {"type": "server_vad"}}
    asked = wire(configuration(Agent(transcription="mine"), None, events.PROFILES["stepfun"]))
    assert asked["audio"]["input"]["transcription"] == {"model": "mine"}


def test_a_transcription_has_no_agent() -> None:
    config = events.TranscriptionSession()
    assert configuration(Agent(instructions="x"), config) is config


@tool
def light(on: bool) -> str:
    """Switch the light."""
    return str(on)


def test_an_agent_on_gpt_live() -> None:
    config = configuration(Agent(instructions="Be brief.", voice="marin"), None, events.LIVE)
    assert isinstance(config, live.SessionConfig)
    assert config.model_dump(exclude_unset=True) == {
        "model": "gpt-live-1",
        "instructions": "Be brief.",
        "audio": {"output": {"voice": "marin"}},
    }
    named = configuration(None, live.SessionConfig(model="other"), events.LIVE)
    assert isinstance(named, live.SessionConfig)
    assert named.model == "other"


def test_tools_on_gpt_live_are_given_to_the_model_that_is_named_for_them() -> None:
    agent = Agent(tools=[light])
    with pytest.raises(ConfigurationError, match="no model is named"):
        configuration(agent, None, events.LIVE)
    delegation = live.ResponsesDelegation(responses=live.ResponsesDelegationConfig(model="gpt-x"))
    config = configuration(agent, live.SessionConfig(delegation=delegation), events.LIVE)
    assert isinstance(config, live.SessionConfig)
    written = config.model_dump(exclude_unset=True)
    assert written["delegation"]["responses"]["model"] == "gpt-x"
    assert [tool["name"] for tool in written["delegation"]["responses"]["tools"]] == ["light"]


def test_gpt_live_is_configured_in_its_own_words() -> None:
    with pytest.raises(ConfigurationError, match=r"events\.live\.SessionConfig, not by RealtimeSession"):
        configuration(None, events.RealtimeSession(), events.LIVE)
