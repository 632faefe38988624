"""The assistant's voice: which audio is played, and what happens when it is stopped.

Interrupting (protocol document, 15.7) takes two steps, because only the sink knows what was heard.
``stop`` marks the running response so that its late audio is dropped, and tells the shell to
silence the sink; ``stopped`` takes the sink's account and makes the corrections for the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .. import events
from ..audio import AudioFormat, PlaybackItem
from ._happenings import PlayDue, StopDue, VoiceCut, VoiceEnded
from ._heard import Cut, HeardLedger
from ._items import ItemLedger
from ._outbox import Outbox

__all__ = ("Voice",)

KEPT_SILENCED = 256
"""Interrupted responses remembered, to drop audio of theirs that is still under way."""


class Voice:
    """Owns the heard ledger and the set of responses whose audio is no longer wanted."""

    def __init__(self, outbox: Outbox, items: ItemLedger, dialect: events.Dialect = events.GA) -> None:
        self.format = AudioFormat.pcm16(24_000)
        self.dropped_ms = 0.0
        """Late audio of interrupted responses that was not played."""
        self._outbox = outbox
        self._items = items
        self._truncates = dialect.truncates != "none"
        self._deletes_items = dialect.mutable_context
        self._half: tuple[tuple[str, int], bytes] | None = None
        self._heard = HeardLedger()
        self._silenced: dict[str, None] = {}
        self._deletes: dict[str, list[str]] = {}
        self._item_id = ""
        self._elsewhere: frozenset[str] = frozenset()
        self._audible: set[str] = set()
        self._giving_way: set[str] = set()

    @property
    def sounding(self) -> bool:
        """Whether there is voice that has not been heard to its end."""
        return self._heard.unsettled

    def item_announced(self, item_id: str) -> None:
        """Audio that names no item belongs to the one that was announced last (rule D2)."""
        self._item_id = item_id

    def delta(
        self, event: events.ResponseOutputAudioDelta, response_id: str, *, in_conversation: bool
    ) -> None:
        """Audio came in."""
        item_id = event.item_id or self._item_id or response_id
        pcm = self._whole(event.audio, (item_id, event.content_index))
        ms = self.format.ms_of(len(pcm))
        if self._giving_way and response_id not in self._giving_way:
            self._make_way()
        if response_id in self._silenced:
            self.dropped_ms += ms
            return
        self._heard.received(item_id, event.content_index, response_id, ms, in_conversation=in_conversation)
        self._audible.add(response_id)
        self._outbox.tell(PlayDue(PlaybackItem(item_id, event.content_index, response_id), pcm))

    def response_done(self, response_id: str) -> None:
        """No more audio of that response will come."""
        self._heard.completed(response_id)
        self._giving_way.discard(response_id)
        for item_id in self._deletes.pop(response_id, []):
            self._outbox.send(events.ConversationItemDelete(item_id=item_id))
        if response_id in self._audible:
            self._audible.discard(response_id)
            if response_id not in self._silenced:
                self._outbox.tell(VoiceEnded(response_id))

    def silence(self, response_id: str) -> None:
        """Audio of that response is not to be played any more."""
        self._silenced[response_id] = None
        while len(self._silenced) > KEPT_SILENCED:
            del self._silenced[next(iter(self._silenced))]

    def is_silenced(self, response_id: str | None) -> bool:
        """Whether nothing of that response is wanted any more."""
        return response_id in self._silenced

    def is_audible(self, response_id: str) -> bool:
        """Whether a running response has been given a voice."""
        return response_id in self._audible

    def give_way(self, response_id: str) -> None:
        """A response may speak on until another one has something to say: two voices are never mixed."""
        self._giving_way.add(response_id)

    def stop(self, active_id: str | None, reason: Literal["speech", "program"]) -> None:
        """Fall silent."""
        if active_id is not None:
            self.silence(active_id)
        self._outbox.tell(StopDue(reason))

    def stopped(self, heard_ms: Mapping[str, float] | None, active_id: str | None) -> None:
        """The sink is silent; ``heard_ms`` is None where no sink knows what was heard."""
        sounding = self._heard.unsettled
        if heard_ms is not None:
            self._heard.progress(heard_ms)
        item_id = self._heard.being_heard()
        heard, response_id = 0.0, active_id
        if item_id is not None:
            heard = self._heard.heard_ms(item_id) or 0.0
            response_id = self._heard.response_of(item_id)
        cuts = self._heard.cut(heard_ms or {})
        if sounding or active_id is not None:
            self._outbox.tell(VoiceCut(item_id, heard, response_id))
        if heard_ms is not None:
            for cut in cuts:
                self._correct(cut, running=cut.response_id == active_id)

    def progress(self, heard_ms: Mapping[str, float]) -> None:
        """What was heard so far."""
        self._heard.progress(heard_ms)
        for item_id in heard_ms:
            self._note(item_id, cut=False)

    def finished(self, heard_ms: Mapping[str, float]) -> None:
        """Everything that was queued has been heard."""
        self.progress(heard_ms)
        self._heard.settle()

    def forget(self, item_id: str) -> None:
        """The item was deleted."""
        self._heard.forget(item_id)

    def move_on(self) -> None:
        """The connection is gone: what came is heard to its end, and no server holds that voice any more."""
        self._half, self._item_id = None, ""
        self._deletes.clear()
        for response_id in tuple(self._audible):
            self.response_done(response_id)
        self._silenced.clear()
        self._elsewhere = frozenset(self._heard.known())

    def received_ms(self, item_id: str) -> float:
        """Milliseconds of voice received of an item."""
        return self._heard.received_ms(item_id) or 0.0

    def _make_way(self) -> None:
        for response_id in self._giving_way:
            self.silence(response_id)
        self._giving_way.clear()

    def _whole(self, pcm: bytes, part: tuple[str, int]) -> bytes:
        """The audio in whole samples: half a sample at a delta's end waits for the next one (rule D6)."""
        if self._half is not None:
            of, half = self._half
            self._half = None
            if of == part:
                pcm = half + pcm
        if self.format.encoding == "pcm16" and len(pcm) % 2:
            self._half, pcm = (part, pcm[-1:]), pcm[:-1]
        return pcm

    def _correct(self, cut: Cut, *, running: bool) -> None:
        if cut.item_id in self._elsewhere:  # told to this server as text, which cannot be truncated (rule I7)
            self._note(cut.item_id, cut=True)
            return
        if cut.audio_end_ms is None and self._deletes_items:
            self._delete(cut.item_id, cut.response_id if running else None)
            return
        self._note(cut.item_id, cut=True)
        if cut.audio_end_ms is not None and self._truncates:
            self._outbox.send(
                events.ConversationItemTruncate(
                    item_id=cut.item_id, content_index=cut.content_index, audio_end_ms=cut.audio_end_ms
                )
            )

    def _delete(self, item_id: str, running_id: str | None) -> None:
        self._items.delete(item_id)
        if running_id is not None:
            # The server still writes this item: it is deleted when its response has ended.
            self._deletes.setdefault(running_id, []).append(item_id)
        else:
            self._outbox.send(events.ConversationItemDelete(item_id=item_id))

    def _note(self, item_id: str, *, cut: bool) -> None:
        heard, received = self._heard.heard_ms(item_id), self._heard.received_ms(item_id)
        if heard is not None and received is not None:
            self._items.heard(item_id, heard, received, cut=cut)
