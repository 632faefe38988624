"""What a vendor's server is known to do, as fields; ``_vendor_tables`` fills them in by hand.

Nothing here is taken from ``rtagent.events``: a slip in a dialect must not be made twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ("ALL_EVENTS", "CLIENT_FIELDS", "Vendor")

CLIENT_FIELDS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "session.update": (frozenset({"session"}), frozenset()),
    "input_audio_buffer.append": (frozenset({"audio"}), frozenset()),
    "input_audio_buffer.commit": (frozenset(), frozenset()),
    "input_audio_buffer.clear": (frozenset(), frozenset()),
    "conversation.item.create": (frozenset({"item"}), frozenset({"previous_item_id"})),
    "conversation.item.retrieve": (frozenset({"item_id"}), frozenset()),
    "conversation.item.delete": (frozenset({"item_id"}), frozenset()),
    "conversation.item.truncate": (frozenset({"item_id", "content_index", "audio_end_ms"}), frozenset()),
    "response.create": (frozenset(), frozenset({"response"})),
    "response.cancel": (frozenset(), frozenset({"response_id"})),
}
"""Client events of a WebSocket: the fields that each must have, and those that it may have besides."""

ALL_EVENTS = frozenset(CLIENT_FIELDS)


@dataclass(frozen=True)
class Vendor:
    """One kind of server. The defaults are OpenAI's GA; a vendor names its differences."""

    name: str
    address: str = "/v1/realtime?model=some-model"
    """Path and query of its URL."""

    # -- words ---------------------------------------------------------------------------------------

    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """Server events of GA and how this vendor writes them."""
    takes: frozenset[str] = ALL_EVENTS
    """The client events that it understands."""
    swallows: frozenset[str] = frozenset()
    """Client events that it understands and does not answer."""
    extra_fields: frozenset[str] = frozenset()
    """Fields that it takes on every client event besides the protocol's."""
    never_sends: frozenset[str] = frozenset()
    leaves_out: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Fields that are missing, by server event of GA; ``*`` stands for every event."""
    omits_null_predecessor: bool = False
    """``previous_item_id`` is absent where others say null."""
    strangers: Mapping[str, tuple[dict[str, Any], ...]] = field(
        default_factory=dict[str, tuple[dict[str, Any], ...]]
    )
    """Events of its own that follow a server event of GA; ids and indexes are those of that event."""
    greeting: tuple[str, ...] = ("session.created",)
    assistant_parts: tuple[str, str] = ("output_text", "output_audio")
    """How the parts of an assistant's item are spelled."""
    code_is_type: bool = False
    """Its errors say in ``type`` what others say in ``code``."""

    # -- session -------------------------------------------------------------------------------------

    shape: Literal["nested", "flat", "voice_on_top", "model_only"] = "nested"
    needs_session_type: bool = True
    extra_settings: frozenset[str] = frozenset()
    ignored_settings: frozenset[str] = frozenset()
    """Settings under ``audio.input`` and ``audio.output`` that it takes and then forgets."""
    deep_merge: bool = False
    voice_object: bool = False
    """Its snapshots show the voice as an object."""
    input_rates: tuple[int, ...] = (24_000,)
    output_rates: tuple[int, ...] = (24_000,)
    formats: tuple[str, ...] = ("pcm16", "g711_ulaw", "g711_alaw")
    """What a flat session may name; for nested ones only the second and third count."""
    modalities: tuple[frozenset[str], ...] = ()
    """The combinations that it takes; each vendor's table says them."""
    detections: frozenset[str] = frozenset({"server_vad", "semantic_vad"})
    detects_by_default: bool = True
    detection_can_be_off: bool = True
    update_before_audio: bool = False
    """Audio before the first ``session.updated`` is an error."""

    # -- conversation --------------------------------------------------------------------------------

    announces: Literal["added_done", "created"] = "added_done"
    transcription: Literal["plain", "cumulative", "replaced"] = "plain"
    idle_cancel: Literal["error", "silent"] = "error"
    out_of_band: bool = True
    echoes_metadata: bool = True
    usage_twice: bool = False
    """``response.done`` carries the usage on its top level as well."""
    empty_output: bool = False
    """``response.done`` does not list the items of the response."""
    lingers_after_calls: bool = False
    """A response that calls a function stays open for a while after the call."""
    farewell: tuple[str, str] | None = None
    """A client event and the server event that answers it."""
