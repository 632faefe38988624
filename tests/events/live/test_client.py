from __future__ import annotations

import pytest
from pydantic import ValidationError

from rtagent import events
from rtagent.events import live

APPENDS = [live.SessionInstructionsAppend, live.SessionThinkingAppend, live.SessionCommentaryAppend]
SOUNDS = [live.SessionInputAudioAppend, live.SessionOutputAudioFixturePlay]


@pytest.mark.parametrize(
    ("event", "wire"),
    [
        (live.SessionClose(), {"type": "session.close"}),
        (live.SessionInputAudioMute(event_id="e"), {"type": "session.input_audio.mute", "event_id": "e"}),
        (
            live.SessionStart(session=live.SessionConfig(model="gpt-live-1", instructions="Be brief.")),
            {"type": "session.start", "session": {"model": "gpt-live-1", "instructions": "Be brief."}},
        ),
        (
            live.SessionUpdate(session=live.SessionUpdateConfig(triggers=[])),
            {"type": "session.update", "session": {"triggers": []}},
        ),
        (
            live.ResponseItemCreate(item=live.FunctionCallOutputItem(call_id="c", output="{}")),
            {
                "type": "response.item.create",
                "item": {"type": "function_call_output", "call_id": "c", "output": "{}"},
            },
        ),
        (live.TransportDtmfSend(event="#"), {"type": "transport.dtmf.send", "event": "#"}),
    ],
)
def test_only_what_was_set_is_written(written, event, wire):
    assert written(event) == wire


@pytest.mark.parametrize("append", APPENDS)
def test_an_append_always_says_whether_it_answers_a_delegation(written, append):
    assert written(append(content="x")) == {
        "type": append.model_fields["type"].default,
        "content": "x",
        "delegation_id": None,
    }
    assert written(append(content="x", delegation_id="d"))["delegation_id"] == "d"
    assert written(append.model_validate({"content": "x"}))["delegation_id"] is None


@pytest.mark.parametrize("sound", SOUNDS)
def test_sound_holds_samples(written, sound):
    event = sound.of(b"\x01\x02\x03")
    assert type(event) is sound
    assert event.pcm == b"\x01\x02\x03"
    assert event.pcm is event.pcm
    assert written(event) == {"type": sound.model_fields["type"].default, "audio": "AQID"}
    assert sound.of(b"", event_id="e").event_id == "e"


@pytest.mark.parametrize("sound", SOUNDS)
def test_sound_that_is_no_base64_is_refused(sound):
    with pytest.raises(events.ClientEventError, match="base64") as refused:
        _ = sound(audio="!", event_id="e").pcm
    assert (refused.value.param, refused.value.event_id) == ("audio", "e")


def test_the_codec_writes_the_same_append_without_a_model(written):
    frame = events.encode_append(b"\x01\x02", events.LIVE)
    assert frame == events.encode(live.SessionInputAudioAppend.of(b"\x01\x02"), events.LIVE)


def test_a_request_for_decisions_must_have_an_id():
    assert live.DecisionCreate(event_id="q").event_id == "q"
    with pytest.raises(ValidationError, match="event_id"):
        live.DecisionCreate()  # type: ignore[call-arg]


def test_an_update_cannot_carry_what_only_a_start_can():
    with pytest.raises(ValidationError, match="SessionUpdateConfig"):
        live.SessionUpdate(session=live.SessionConfig(model="gpt-live-1"))
    with pytest.raises(ValidationError, match="instructions"):
        live.SessionUpdateConfig(instructions="no")
