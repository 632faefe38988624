"""The assistant's voice: what is played, and what is corrected when it is stopped."""

from __future__ import annotations

from itertools import count

import pytest

from rtagent import events
from rtagent.audio import AudioFormat, PlaybackItem
from rtagent.protocol import Happening, PlayDue, StopDue, VoiceCut, VoiceEnded
from rtagent.protocol._items import ItemLedger
from rtagent.protocol._outbox import Outbox
from rtagent.protocol._voice import KEPT_SILENCED, Voice

SECOND = bytes(48_000)


class Throat:
    """A voice with its ledger of items and what it has decided."""

    def __init__(self, dialect: events.Dialect = events.GA) -> None:
        numbers = count(1)
        self.outbox = Outbox(lambda prefix: f"{prefix}_{next(numbers)}")
        self.items = ItemLedger()
        self.voice = Voice(self.outbox, self.items, dialect)

    def hears_of(self, *item_ids: str) -> None:
        for item_id in item_ids:
            self.items.put(events.assistant_message("one two three four", id=item_id))

    def delta(
        self,
        item_id: str | None = "a1",
        response_id: str = "r1",
        pcm: bytes = SECOND,
        *,
        beside: bool = False,
    ) -> None:
        event = events.ResponseOutputAudioDelta.of(
            pcm=pcm, response_id=response_id, item_id=item_id or "", output_index=0, content_index=0
        )
        if item_id is None:
            event = event.model_copy(update={"item_id": None})
        self.voice.delta(event, response_id, in_conversation=not beside)

    def told(self) -> list[Happening]:
        return self.outbox.take_happenings()

    def sent(self) -> list[events.ClientEvent]:
        return self.outbox.take_events()


@pytest.fixture
def throat() -> Throat:
    throat = Throat()
    throat.hears_of("a1", "a2")
    return throat


def truncations(sent: list[events.ClientEvent]) -> list[tuple[str, int]]:
    return [
        (event.item_id, event.audio_end_ms)
        for event in sent
        if isinstance(event, events.ConversationItemTruncate)
    ]


def deletions(sent: list[events.ClientEvent]) -> list[str]:
    return [event.item_id for event in sent if isinstance(event, events.ConversationItemDelete)]


# -- playing ------------------------------------------------------------------------------------------


def test_audio_is_to_be_played_as_its_items(throat: Throat) -> None:
    throat.delta("a1", pcm=b"\1\0")
    throat.delta("a2", pcm=b"\2\0")
    assert throat.told() == [
        PlayDue(PlaybackItem("a1", 0, "r1"), b"\1\0"),
        PlayDue(PlaybackItem("a2", 0, "r1"), b"\2\0"),
    ]
    assert throat.voice.sounding
    assert throat.voice.received_ms("a1") == pytest.approx(2 * 1000 / 48_000)
    assert throat.voice.received_ms("nobody") == 0.0


def test_audio_that_names_no_item_belongs_to_the_last_that_was_announced(throat: Throat) -> None:
    throat.delta(None)
    throat.voice.item_announced("a2")
    throat.delta(None)
    assert [due.item.item_id for due in throat.told() if isinstance(due, PlayDue)] == ["r1", "a2"]


def test_the_end_of_a_voice_is_told_once_and_only_where_there_was_one(throat: Throat) -> None:
    throat.delta()
    throat.told()
    throat.voice.response_done("r1")
    throat.voice.response_done("r1")
    throat.voice.response_done("written")
    assert throat.told() == [VoiceEnded("r1")]


def test_a_voice_heard_to_its_end_is_over_when_all_of_it_had_come(throat: Throat) -> None:
    throat.delta()
    throat.voice.finished({"a1": 1000.0})
    assert throat.voice.sounding  # the server may still send more
    throat.voice.response_done("r1")
    throat.voice.finished({"a1": 1000.0})
    assert not throat.voice.sounding
    assert [entry.heard_ms for entry in throat.items] == [1000.0, None]


def test_progress_is_noted_but_cuts_no_text(throat: Throat) -> None:
    throat.delta()
    throat.voice.progress({"a1": 400.0, "nobody": 5.0})
    entry = throat.items.get("a1")
    assert entry is not None
    assert (entry.heard_ms, entry.text) == (400.0, "one two three four")


# -- stopping -----------------------------------------------------------------------------------------


def test_late_audio_of_a_stopped_response_is_dropped_and_counted(throat: Throat) -> None:
    throat.delta()
    throat.voice.stop("r1", "speech")
    throat.delta("a2")
    assert throat.told()[1:] == [StopDue("speech")]
    assert throat.voice.dropped_ms == 1000.0
    assert throat.voice.is_silenced("r1")
    assert not throat.voice.is_silenced("r2")
    assert not throat.voice.is_silenced(None)
    throat.voice.response_done("r1")
    assert throat.told() == []


def test_stopping_without_a_running_response_silences_nobody(throat: Throat) -> None:
    throat.voice.stop(None, "program")
    assert throat.told() == [StopDue("program")]
    throat.delta()
    assert len(throat.told()) == 1


def test_the_item_being_heard_is_cut_where_it_was_heard(throat: Throat) -> None:
    throat.delta("a1")
    throat.delta("a2")
    throat.voice.response_done("r1")
    throat.told()
    throat.voice.stopped({"a1": 1000.0, "a2": 500.7}, None)
    assert throat.told() == [VoiceCut("a2", 500.7, "r1")]
    assert truncations(throat.sent()) == [("a2", 500)]
    entry = throat.items.get("a2")
    assert entry is not None
    assert (entry.text, entry.status, entry.heard_ms) == ("one two", "incomplete", 500.7)
    assert not throat.voice.sounding


def test_what_nobody_heard_is_deleted_at_once_when_the_server_has_finished_it(throat: Throat) -> None:
    throat.delta("a1")
    throat.voice.response_done("r1")
    throat.voice.stopped({}, None)
    assert deletions(throat.sent()) == ["a1"]
    assert "a1" not in throat.items


def test_what_nobody_heard_is_deleted_after_its_response_when_that_still_runs(throat: Throat) -> None:
    throat.delta("a1")
    throat.delta("a2")
    throat.voice.stop("r1", "speech")
    throat.voice.stopped({"a1": 250.0}, "r1")
    sent = throat.sent()
    assert (truncations(sent), deletions(sent)) == ([("a1", 250)], [])
    throat.voice.response_done("r1")
    assert deletions(throat.sent()) == ["a2"]
    throat.voice.response_done("r1")
    assert throat.sent() == []


def test_without_a_sink_nothing_is_corrected_because_nothing_is_known(throat: Throat) -> None:
    throat.delta("a1")
    throat.told()
    throat.voice.stopped(None, "r1")
    assert throat.told() == [VoiceCut(None, 0.0, "r1")]
    assert throat.sent() == []
    assert not throat.voice.sounding


def test_stopping_silence_is_no_cut(throat: Throat) -> None:
    throat.voice.stopped({}, None)
    assert throat.told() == []


def test_stopping_a_response_that_has_not_spoken_is_one(throat: Throat) -> None:
    throat.voice.stopped({}, "r1")
    assert throat.told() == [VoiceCut(None, 0.0, "r1")]


def test_a_voice_beside_the_conversation_is_never_corrected(throat: Throat) -> None:
    throat.delta("b1", "beside", beside=True)
    throat.voice.response_done("beside")
    throat.voice.stopped({"b1": 100.0}, None)
    assert throat.sent() == []


def test_a_deleted_item_is_not_truncated(throat: Throat) -> None:
    throat.delta("a1")
    throat.voice.forget("a1")
    throat.voice.stopped({"a1": 100.0}, None)
    assert throat.sent() == []


def test_silenced_responses_are_not_remembered_for_ever(throat: Throat) -> None:
    for number in range(KEPT_SILENCED + 1):
        throat.voice.silence(f"r{number}")
    assert not throat.voice.is_silenced("r0")
    assert throat.voice.is_silenced("r1")


def played(throat: Throat) -> list[tuple[str, bytes]]:
    return [(due.item.item_id, due.pcm) for due in throat.told() if isinstance(due, PlayDue)]


def test_half_a_sample_waits_for_its_other_half(throat: Throat) -> None:
    throat.delta(pcm=b"\x01\x02\x03")
    throat.delta(pcm=b"\x04\x05")
    throat.delta(pcm=b"\x06")
    assert played(throat) == [("a1", b"\x01\x02"), ("a1", b"\x03\x04"), ("a1", b"\x05\x06")]


def test_half_a_sample_of_one_item_is_no_part_of_another(throat: Throat) -> None:
    throat.delta("a1", pcm=b"\x01\x02\x03")
    throat.delta("a2", pcm=b"\x04\x05")
    assert played(throat) == [("a1", b"\x01\x02"), ("a2", b"\x04\x05")]


def test_telephony_has_no_halves(throat: Throat) -> None:
    throat.voice.format = AudioFormat.pcmu()
    throat.delta(pcm=b"\x01\x02\x03")
    assert played(throat) == [("a1", b"\x01\x02\x03")]


def cut_in_the_middle(throat: Throat) -> list[events.ClientEvent]:
    """Half of the first item was heard and nothing of the second."""
    throat.hears_of("a1", "a2")
    throat.delta("a1")
    throat.delta("a2")
    throat.voice.response_done("r1")
    throat.voice.stop(None, "speech")
    throat.voice.stopped({"a1": 500.0}, None)
    return throat.sent()


def test_a_server_that_takes_no_corrections_gets_none() -> None:
    throat = Throat(events.PROFILES["qwen-omni"])
    assert cut_in_the_middle(throat) == []
    heard = {entry.id: (entry.heard_ms, entry.status) for entry in throat.items}
    assert heard == {"a1": (500.0, "incomplete"), "a2": (0.0, "incomplete")}


def test_a_server_that_deletes_nothing_is_asked_to_truncate_alone() -> None:
    throat = Throat(events.PROFILES["hf-speech-to-speech"])
    (truncate,) = cut_in_the_middle(throat)
    assert isinstance(truncate, events.ConversationItemTruncate)
    assert (truncate.item_id, truncate.audio_end_ms) == ("a1", 500)
    assert [entry.id for entry in throat.items] == ["a1", "a2"]


def test_on_another_connection_a_cut_is_noted_and_told_to_nobody(throat: Throat) -> None:
    throat.delta("a1")
    throat.delta("a2")
    throat.voice.move_on()
    throat.voice.response_done("r1")
    throat.voice.stopped({"a1": 500.0}, None)
    assert throat.sent() == []
    assert [(entry.text, entry.status, entry.heard_ms) for entry in throat.items] == [
        ("one two", "incomplete", 500.0),
        ("", "incomplete", 0.0),
    ]


def test_what_was_to_be_deleted_later_is_not_on_another_connection(throat: Throat) -> None:
    throat.delta("a1", pcm=SECOND + b"\1")
    throat.voice.stop("r1", "speech")
    throat.voice.stopped({}, "r1")
    throat.voice.move_on()
    throat.voice.response_done("r1")
    assert throat.sent() == []
    throat.delta("a1", "r2", pcm=b"\2\3")
    assert played(throat)[-1] == ("a1", b"\2\3")


def test_the_voice_of_the_next_connection_is_corrected_there(throat: Throat) -> None:
    throat.delta("a1")
    throat.voice.response_done("r1")
    throat.voice.move_on()
    throat.voice.finished({"a1": 1000.0})
    throat.delta("a2", "r2")
    throat.voice.stopped({"a2": 250.0}, "r2")
    assert truncations(throat.sent()) == [("a2", 250)]


def test_no_more_audio_of_a_lost_connection_comes_and_its_ids_mean_nothing(throat: Throat) -> None:
    throat.delta("a1", "r1")
    throat.voice.silence("r2")
    throat.told()
    throat.voice.move_on()
    assert throat.told() == [VoiceEnded("r1")]
    throat.voice.finished({"a1": 1000.0})
    assert not throat.voice.sounding
    throat.delta("a2", "r2")
    assert [item_id for item_id, _ in played(throat)] == ["a2"]


def test_a_voice_that_gives_way_is_heard_until_another_one_speaks(throat: Throat) -> None:
    throat.delta("a1", "r1")
    throat.voice.give_way("r1")
    throat.delta("a1", "r1")
    throat.delta("a2", "r2")
    throat.delta("a1", "r1")
    throat.delta("a2", "r2")
    played = [happening.item.item_id for happening in throat.told() if isinstance(happening, PlayDue)]
    assert played == ["a1", "a1", "a2", "a2"]
    assert throat.voice.dropped_ms == 1_000.0


def test_a_voice_that_has_ended_gives_no_way(throat: Throat) -> None:
    throat.delta("a1", "r1")
    throat.voice.give_way("r1")
    throat.voice.response_done("r1")
    throat.delta("a2", "r2")
    assert not throat.voice.is_silenced("r1")


def test_a_response_is_audible_from_its_first_audio_to_its_end(throat: Throat) -> None:
    seen = [throat.voice.is_audible("r1")]
    throat.delta("a1")
    seen.append(throat.voice.is_audible("r1"))
    throat.voice.response_done("r1")
    seen.append(throat.voice.is_audible("r1"))
    assert seen == [False, True, False]
