"""The vocabularies: which class reads which event type, per protocol; each is loaded when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from ._client import ClientEvent
from ._dialect import WireProtocol
from ._exact import exact_reader
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
    read_exactly: Callable[[str | bytes], ServerEvent | None]
    """Reads a frame that is what this protocol says, and no other."""


@cache
def vocabulary(protocol: WireProtocol) -> Vocabulary:
    """The event classes of a protocol."""
    match protocol:
        case "realtime":
            server = {**SERVER_EVENTS, **EXTENSION_EVENTS}
            return _vocabulary(CLIENT_EVENTS, server, "input_audio_buffer.append")
        case "live":
            from . import live

            return _vocabulary(live.CLIENT_EVENTS, live.SERVER_EVENTS, "session.input_audio.append")
        case "translation":
            from . import translation as words

            return _vocabulary(words.CLIENT_EVENTS, words.SERVER_EVENTS, "session.input_audio_buffer.append")


def _vocabulary(
    client: Mapping[str, type[ClientEvent]], server: Mapping[str, type[ServerEvent]], append_type: str
) -> Vocabulary:
    return Vocabulary(client, server, append_type, exact_reader(server.values()))
