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

__all__ = ("APPEND_TYPES", "Vocabulary", "vocabulary")

APPEND_TYPES: Mapping[WireProtocol, str] = {
    "realtime": "input_audio_buffer.append",
    "live": "session.input_audio.append",
    "translation": "session.input_audio_buffer.append",
}
"""The client event that carries input audio, per protocol."""


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
    client, server = _events(protocol)
    return Vocabulary(client, server, APPEND_TYPES[protocol], exact_reader(server.values()))


def _events(
    protocol: WireProtocol,
) -> tuple[Mapping[str, type[ClientEvent]], Mapping[str, type[ServerEvent]]]:
    if protocol == "realtime":
        return CLIENT_EVENTS, {**SERVER_EVENTS, **EXTENSION_EVENTS}
    if protocol == "live":
        from . import live

        return live.CLIENT_EVENTS, live.SERVER_EVENTS
    from . import translation

    return translation.CLIENT_EVENTS, translation.SERVER_EVENTS
