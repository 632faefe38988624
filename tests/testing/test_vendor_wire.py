"""Names, omissions, strangers and errors on the wire."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest

from rtagent.testing._vendor_session import Refusal
from rtagent.testing._vendor_tables import VENDORS
from rtagent.testing._vendor_wire import VendorWire, read_event
from rtagent.transport import memory_pair


async def written(profile: str, kind: str, **fields: Any) -> list[dict[str, Any]]:
    """What that vendor writes for an event of GA."""
    ours, theirs = memory_pair()
    await VendorWire(VENDORS[profile], theirs).send(kind, **fields)
    return [json.loads(frame) for frame in ours.waiting()]


@pytest.mark.parametrize(
    ("profile", "kind", "names"),
    [
        ("openai", "response.output_audio.delta", ["response.output_audio.delta"]),
        ("beta", "response.output_audio.delta", ["response.audio.delta"]),
        ("glm", "response.created", ["response.created", "heartbeat"]),
        ("hf-speech-to-speech", "rate_limits.updated", []),
    ],
)
async def test_events_have_the_vendors_names_and_company(profile: str, kind: str, names: list[str]) -> None:
    assert [event["type"] for event in await written(profile, kind)] == names


async def test_strangers_share_the_ids_of_the_event_before_them() -> None:
    _, timestamp, _ = await written(
        "azure-voice-live", "response.output_audio.delta", item_id="i", response_id="r"
    )
    assert (timestamp["item_id"], timestamp["response_id"]) == ("i", "r")


async def test_fields_are_left_out() -> None:
    started = "input_audio_buffer.speech_started"
    assert await written("xai", started, item_id="i", audio_start_ms=0) == [{"type": started, "item_id": "i"}]
    (added,) = await written("localai", "conversation.item.added", previous_item_id=None, item={})
    assert "previous_item_id" not in added
    (added,) = await written("localai", "conversation.item.added", previous_item_id="a", item={})
    assert added["previous_item_id"] == "a"
    (event,) = await written("glm", "session.updated")
    assert "event_id" not in event


@pytest.mark.parametrize(
    ("profile", "error"),
    [
        (
            "openai",
            {"type": "invalid_request_error", "message": "no", "code": "bad", "param": "p", "event_id": "e"},
        ),
        ("hf-speech-to-speech", {"type": "bad", "message": "no"}),
        ("vllm", "no"),
    ],
)
async def test_errors_have_the_vendors_shape(profile: str, error: object) -> None:
    ours, theirs = memory_pair()
    await VendorWire(VENDORS[profile], theirs).refuse(Refusal("no", "bad", "p"), "e")
    (frame,) = ours.waiting()
    assert json.loads(frame)["error"] == error


async def test_raw_frames_go_as_they_are() -> None:
    ours, theirs = memory_pair()
    await VendorWire(VENDORS["openai"], theirs).send_raw("{")
    assert ours.waiting() == ("{",)


async def test_connections_that_share_their_numbers_repeat_no_id() -> None:
    numbers, (ours, theirs) = count(1), memory_pair()
    for _ in range(2):
        await VendorWire(VENDORS["openai"], theirs, numbers).send("session.created")
    first, second = (json.loads(frame)["event_id"] for frame in ours.waiting())
    assert first != second


def test_a_frame_that_is_an_event() -> None:
    assert read_event('{"type": "x", "a": 1}') == {"type": "x", "a": 1}


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b'{"type": "x"}', "invalid_frame"),
        ("{", "invalid_json"),
        ("[]", "missing_required_parameter"),
        ("{}", "missing_required_parameter"),
        ('{"type": 1}', "missing_required_parameter"),
    ],
)
def test_a_frame_that_is_none_is_refused(frame: str | bytes, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_event(frame)
    assert caught.value.code == code
