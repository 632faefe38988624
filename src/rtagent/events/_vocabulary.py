"""The vocabularies: which class reads which event type, per protocol; each is loaded when it is first used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from ._client import ClientEvent
from ._dialect import WireProtocol
from ._registry import CLIENT_EVENTS, EXTENSION_EVENTS, SERVER_EVENTS
from ._server import ServerEvent

__all__ = ("Vocabulary", "vocabulary")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The event classes of one protocol, by wire type."""

    client: Mapping[str, type[ClientEvent]]
    server: Mapping[str, type[ServerEvent]]
    append_type: str
    """The client event that carries input audio."""


@cache
def vocabulary(protocol: WireProtocol) -> Vocabulary:
    """The event classes of a protocol."""
    match protocol:
        case "realtime":
            return Vocabulary(
                CLIENT_EVENTS, {**SERVER_EVENTS, **EXTENSION_EVENTS}, "input_audio_buffer.append"
            )
        case "live":
            from . import live

            return Vocabulary(live.CLIENT_EVENTS, live.SERVER_EVENTS, "session.input_audio.append")
        case "translation":
            from . import translation

            return Vocabulary(
                translation.CLIENT_EVENTS, translation.SERVER_EVENTS, "session.input_audio_buffer.append"
            )
