"""Path, model, intent and key of a handshake (S1, S2)."""

from __future__ import annotations

import pytest
from websockets.datastructures import Headers

from rtagent.engine._serve_access import (
    chosen_subprotocol,
    intent_of,
    is_realtime,
    is_translation,
    model_of,
    presents_key,
)


def test_a_key_inside_a_subprotocol():
    headers = Headers({"Sec-WebSocket-Protocol": "realtime, openai-insecure-api-key.secret"})
    assert presents_key(headers, "secret")
    assert not presents_key(headers, "sécret")


@pytest.mark.parametrize(
    ("target", "fits"),
    [
        ("/realtime", True),
        ("/a/b/realtime?x=/y", True),
        ("/v1/realtimes", False),
        ("/", False),
        ("/x?/realtime", False),
    ],
)
def test_paths(target: str, fits: bool):
    assert is_realtime(target) is fits


@pytest.mark.parametrize(
    ("target", "model"),
    [
        ("/realtime", None),
        ("/realtime?model=a&deployment=b", "a"),
        ("/realtime?deployment=b%20c", "b c"),
        ("/r?model=", None),
    ],
)
def test_models(target: str, model: str | None):
    assert model_of(target) == model


def test_subprotocols():
    assert chosen_subprotocol(["a", "realtime"]) == "realtime"
    assert chosen_subprotocol(["a"]) is None


@pytest.mark.parametrize(
    ("target", "fits"),
    [
        ("/v1/realtime/translations?model=x", True),
        ("/openai/v1/realtime/translations/", True),
        ("/v1/realtime", False),
        ("/v1/translations", False),
    ],
)
def test_translation_paths(target: str, fits: bool):
    assert is_translation(target) is fits


@pytest.mark.parametrize(
    ("target", "intent"),
    [
        ("/realtime", None),
        ("/realtime?intent=", None),
        ("/realtime?intent=transcription&model=m", "transcription"),
        ("/realtime?intent=conversation", "conversation"),
    ],
)
def test_intents(target: str, intent: str | None):
    assert intent_of(target) == intent
