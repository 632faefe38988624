"""The outlet through which everything leaves the conversation."""

from __future__ import annotations

from itertools import count

from rtagent import events
from rtagent.engine._conversation_work import LearnTools, Outlet


def test_what_was_put_in_is_taken_once_and_in_order():
    numbers = count(1)
    outlet = Outlet(lambda prefix: f"{prefix}_{next(numbers)}")
    outlet.send(events.InputAudioBufferCleared())
    outlet.order(LearnTools(()))
    outlet.send(events.ConversationItemDeleted(item_id="a"))
    assert [(event.type, event.event_id) for event in outlet.take_events()] == [
        ("input_audio_buffer.cleared", "event_1"),
        ("conversation.item.deleted", "event_2"),
    ]
    assert outlet.take_work() == [LearnTools(())]
    assert outlet.take_events() == []
    assert outlet.take_work() == []
