"""What one vendor's server heard, answered and did not like; and what it was told to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ._vendor_reply import Reply

__all__ = ("RACES", "VendorRecord")

RACES = frozenset({"conversation_already_has_active_response", "response_cancel_not_active"})
"""Refusals that two messages crossing each other can cause: no fault of the client."""
LOG_LIMIT = 10_000


class VendorRecord:
    """Written by the connections of one server, read by its test.

    Transcripts are taken from an iterator, which several records may share.
    """

    def __init__(self, transcripts: Iterable[str], arguments: Mapping[str, Any]) -> None:
        self.arguments = dict(arguments)
        self.log: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.races: list[str] = []
        self.turns: list[bytes] = []
        self.replies: list[Reply] = []
        self.heard_ms = 0
        self.ends: list[tuple[int | None, str]] = []
        self.paths: list[str] = []
        self._transcripts = iter(transcripts)

    def note(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Log a client event; of audio only how much it was. Returns the entry."""
        entry = dict(event)
        if "audio" in entry:
            entry["audio"] = len(str(entry["audio"]))
        self.log.append(entry)
        del self.log[:-LOG_LIMIT]
        return entry

    def fault(self, message: str, code: str = "") -> None:
        """Note that the vendor would have refused something."""
        (self.races if code in RACES else self.faults).append(f"{code}: {message}" if code else message)

    def next_transcript(self) -> str:
        """What the user is taken to have said in the turn that has just ended."""
        return next(self._transcripts, "hello there")
