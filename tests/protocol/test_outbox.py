"""What was decided and not taken yet."""

from __future__ import annotations

from itertools import count

from rtagent import events
from rtagent.protocol import StopDue, VoiceEnded
from rtagent.protocol._outbox import Outbox


def outbox() -> Outbox:
    numbers = count(1)
    return Outbox(lambda prefix: f"{prefix}_{next(numbers)}")


def test_events_leave_in_order_and_once_and_each_with_an_id() -> None:
    box = outbox()
    first = box.send(events.InputAudioBufferClear())
    second = box.send(events.InputAudioBufferCommit(event_id="mine"))
    assert (first.event_id, second.event_id) == ("evt_1", "mine")
    assert box.take_events() == [first, second]
    assert box.take_events() == []


def test_the_programs_own_object_is_not_changed() -> None:
    clear = events.InputAudioBufferClear()
    outbox().send(clear)
    assert clear.event_id is None


def test_happenings_leave_in_order_and_once() -> None:
    box = outbox()
    box.tell(StopDue("program"))
    box.tell(VoiceEnded("r1"))
    assert box.take_happenings() == [StopDue("program"), VoiceEnded("r1")]
    assert box.take_happenings() == []
