from __future__ import annotations

from rtagent import events
from rtagent.events._server_extensions import ConversationItemInputAudioTranscriptionUpdated

KIND = "conversation.item.input_audio_transcription.updated"


def test_a_cumulative_transcript_is_read_in_every_dialect(read):
    event = read({"type": KIND, "item_id": "i", "content_index": 0, "transcript": "turn of", "event_id": "e"})
    assert type(event) is events.EXTENSION_EVENTS[KIND]
    assert isinstance(event, ConversationItemInputAudioTranscriptionUpdated)
    assert (event.item_id, event.content_index, event.transcript) == ("i", 0, "turn of")
    assert event.departures == ()


def test_a_sparse_one_keeps_its_words(read):
    event = read({"type": KIND, "transcript": "turn off", "item_id": None})
    assert (event.item_id, event.transcript, event.defects) == ("", "turn off", ())
