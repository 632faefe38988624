"""A finished response and its tokens."""

from __future__ import annotations

from rtagent import events
from rtagent.protocol import Response, Usage

WIRE = {
    "total_tokens": 100,
    "input_tokens": 70,
    "output_tokens": 30,
    "input_token_details": {"text_tokens": 20, "audio_tokens": 50, "cached_tokens": 10},
    "output_token_details": {"text_tokens": 5, "audio_tokens": 25},
}


def test_every_figure_is_read() -> None:
    assert Usage.of(events.ResponseUsage.model_validate(WIRE)) == Usage(100, 70, 30, 20, 50, 10, 5, 25)


def test_what_is_absent_counts_as_nothing() -> None:
    assert Usage.of(None) == Usage()
    assert Usage.of(events.ResponseUsage()) == Usage()
    empty: dict[str, object] = {"input_token_details": {}, "output_token_details": {}}
    assert Usage.of(events.ResponseUsage.model_validate(empty)) == Usage()


def test_usages_add_up() -> None:
    assert Usage(1, 2, 3, 4, 5, 6, 7, 8) + Usage(10, 20, 30, 40, 50, 60, 70, 80) == Usage(
        11, 22, 33, 44, 55, 66, 77, 88
    )


def test_a_response_says_nothing_that_it_does_not_know() -> None:
    response = Response("r1", "completed", "Hi.")
    assert (response.items, response.audio_ms, response.usage) == ((), 0.0, Usage())
    assert (dict(response.metadata), response.reason, response.error) == ({}, None, None)
