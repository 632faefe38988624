"""Token counts: estimates that add up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rtagent.engine._conversation_work import PartKey
from rtagent.engine._response_usage import cut_to_tokens, tokens_in


def usage(driver: Any, say: str, ms: int = 0) -> dict[str, Any]:
    """The usage of a response that says something."""
    response_id = driver.respond()
    got = driver.decide(response_id, say)
    if say:
        driver.speak(response_id, say, ms)
        got = driver.speak_out(response_id)
    counts: dict[str, Any] = got[-1]["response"]["usage"]
    return counts


def test_usage_adds_up(drive: Callable[..., Any]):
    driver = drive(instructions="12345678")
    driver.say("abcd")
    driver.hear(pcm=bytes(48 * 250))
    part = driver.send("input_audio_buffer.commit")[0]["item_id"]
    driver.conversation.recognised(PartKey(part, 0), "efgh")
    assert usage(driver, "Good day.", 300) == {
        "total_tokens": 7 + 9,
        "input_tokens": 4 + 3,
        "output_tokens": 3 + 6,
        "input_token_details": {
            "text_tokens": 4,
            "audio_tokens": 3,
            "image_tokens": 0,
            "cached_tokens": 0,
            "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": 3, "audio_tokens": 6},
    }


def test_calls_and_their_outputs_count(driver: Any):
    create = "conversation.item.create"
    driver.send(create, item={"type": "function_call", "name": "f", "call_id": "c", "arguments": "{}1"})
    driver.send(create, item={"type": "function_call_output", "call_id": "c", "output": "12345"})
    assert usage(driver, "")["input_token_details"]["text_tokens"] == 3


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2)])
def test_four_characters_make_a_token(text: str, tokens: int):
    assert tokens_in(text) == tokens


@pytest.mark.parametrize(
    ("limit", "fits"),
    [(9, "One two three."), (4, "One two three."), (3, "One two"), (2, "One two"), (1, "One"), (0, "")],
)
def test_a_text_is_cut_between_words(limit: int, fits: str):
    assert cut_to_tokens("One two three.", limit) == fits
