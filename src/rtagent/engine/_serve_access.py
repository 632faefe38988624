"""Who may come in, and what the request says: path, model, intent and key of a handshake (S1, S2)."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from websockets.datastructures import Headers

__all__ = ("chosen_subprotocol", "intent_of", "is_realtime", "is_translation", "model_of", "presents_key")

SUBPROTOCOL = "realtime"
KEY_SUBPROTOCOL = "openai-insecure-api-key."


def is_realtime(target: str) -> bool:
    """Whether the request asks for the realtime endpoint, under any prefix."""
    return urlsplit(target).path.rstrip("/").endswith("/realtime")


def is_translation(target: str) -> bool:
    """Whether the request asks for the endpoint of translation sessions, under any prefix."""
    return urlsplit(target).path.rstrip("/").endswith("/realtime/translations")


def intent_of(target: str) -> str | None:
    """What the URL says that the session is for: ``transcription``, or nothing that matters here."""
    intents = parse_qs(urlsplit(target).query).get("intent")
    return intents[0] if intents else None


def model_of(target: str) -> str | None:
    """The model that the URL names, as ``model`` or, in the words of another vendor, ``deployment``."""
    query = parse_qs(urlsplit(target).query)
    names = query.get("model") or query.get("deployment")
    return names[0] if names else None


def chosen_subprotocol(offered: Sequence[str]) -> str | None:
    """``realtime`` if the client offers it: browsers give up when none of theirs is chosen."""
    return SUBPROTOCOL if SUBPROTOCOL in offered else None


def presents_key(headers: Headers, key: str) -> bool:
    """Whether a client shows the key: as bearer, as ``api-key``, or inside a subprotocol as browsers do."""
    shown = [
        value.removeprefix("Bearer ").strip()
        for value in headers.get_all("Authorization")
        if value.startswith("Bearer ")
    ]
    shown += headers.get_all("api-key")
    for line in headers.get_all("Sec-WebSocket-Protocol"):
        offers = (offer.strip() for offer in line.split(","))
        shown += [
            offer.removeprefix(KEY_SUBPROTOCOL) for offer in offers if offer.startswith(KEY_SUBPROTOCOL)
        ]
    return any(hmac.compare_digest(value.encode(), key.encode()) for value in shown)
