from __future__ import annotations

import pytest

from rtagent import events
from rtagent.events import live


@pytest.mark.parametrize(
    ("wire", "model"),
    [
        ({"type": "audio/pcm", "rate": 16_000}, live.PcmFormat),
        ({"type": "audio/pcmu", "rate": 8_000}, live.PcmuFormat),
        ({"type": "audio/pcma", "rate": 8_000}, live.PcmaFormat),
        ({"type": "audio/opus", "bitrate": 1}, live.UnknownFormat),
    ],
)
def test_formats(read_session, wire, model):
    form = read_session({"audio": {"format": wire}}).audio.format
    assert type(form) is model
    assert form.model_dump(exclude_unset=True) == wire


@pytest.mark.parametrize(
    ("form", "wire"),
    [
        (live.PcmFormat(), {"type": "audio/pcm", "rate": 24_000}),
        (live.PcmFormat(rate=16_000), {"type": "audio/pcm", "rate": 16_000}),
        (live.PcmuFormat(), {"type": "audio/pcmu", "rate": 8_000}),
        (live.PcmaFormat(), {"type": "audio/pcma", "rate": 8_000}),
    ],
)
def test_a_format_always_names_its_rate(form, wire):
    audio = live.SessionAudio(format=form)
    assert audio.model_dump(exclude_unset=True) == {"format": wire}


def test_formats_are_those_of_realtime():
    assert isinstance(live.PcmuFormat(), events.PcmuFormat)
    assert isinstance(live.PcmaFormat(), events.PcmaFormat)


@pytest.mark.parametrize("voice", ["marin", {"id": "voice_1"}])
def test_voices(read_session, voice):
    output = read_session({"audio": {"output": {"voice": voice}}}).audio.output
    assert output.model_dump(exclude_unset=True) == {"voice": voice}


def test_a_session_starts_with_a_model_or_goes_on_with_the_one_it_had():
    assert live.SessionConfig(model="gpt-live-1").model_dump(exclude_unset=True) == {"model": "gpt-live-1"}
    assert live.SessionConfig().model_dump(exclude_unset=True) == {}


def test_a_snapshot_says_until_when_and_in_which_state(read_session):
    session = read_session({"id": "s", "expires_at": 5, "model": "m", "status": "paused"})
    assert session == live.SessionResource(id="s", expires_at=5, model="m", status="paused")


def test_null_is_a_value(read_session):
    session = read_session({"delegation": None})
    assert session.model_dump(exclude_unset=True) == {"delegation": None}


@pytest.mark.parametrize("selected", ["all", [], [{"type": "response.event", "response_event": "x"}]])
def test_what_passes_to_a_browser(read_session, selected):
    session = read_session({"client": {"data_channel": {"allowed_server_events": selected}}})
    assert session.model_dump(exclude_unset=True, mode="json") == {
        "client": {"data_channel": {"allowed_server_events": selected}}
    }


def test_what_was_said_before():
    message = live.InputMessageItem(role="user", content=[live.InputText(text="hi")])
    config = live.SessionConfig(model="m", input=[message])
    assert config.input == (message,)
