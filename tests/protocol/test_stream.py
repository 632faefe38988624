"""A voice without ids and words without turns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.audio import AudioFormat
from rtagent.protocol import HistoryEntry, PlayDue, VoiceEnded
from rtagent.protocol._outbox import Outbox
from rtagent.protocol._stream import (
    KEPT_CHARACTERS,
    KEPT_ENTRIES,
    UTTERANCE_GAP_S,
    StreamVoice,
    TranscriptLedger,
)

PCM_24K = AudioFormat.pcm16(24_000)
TENTH = 4_800  # bytes of 100 ms
LOUD = b"\x00\x20" * (TENTH // 2)
QUIET = b"\x10\x00\xf0\xff" * (TENTH // 4)


class Ear:
    """A stream of voice with a clock."""

    def __init__(self, layout: AudioFormat = PCM_24K) -> None:
        self.outbox = Outbox(lambda prefix: prefix)
        self.voice = StreamVoice(self.outbox)
        self.layout = layout
        self.now = 50.0

    def hear(self, *deltas: bytes, every: float = 0.1) -> list[Any]:
        for delta in deltas:
            self.voice.delta(delta, self.now, self.layout)
            self.now += every
        return self.outbox.take_happenings()

    def wait(self, seconds: float) -> list[Any]:
        self.now += seconds
        self.voice.handle_timeout(self.now)
        return self.outbox.take_happenings()


def played(happenings: list[Any]) -> list[tuple[str, int]]:
    return [(one.item.item_id, len(one.pcm)) for one in happenings if isinstance(one, PlayDue)]


# -- the voice ------------------------------------------------------------------------------------


def test_an_utterance_ends_when_nothing_comes_and_the_next_delta_begins_another() -> None:
    ear = Ear()
    assert ear.voice.next_deadline() is None
    first = ear.hear(LOUD, LOUD)
    assert played(first) == [("voice_1", TENTH)] * 2
    assert first[0].item.response_id == "voice_1"
    assert ear.voice.running_id == "voice_1"
    assert ear.voice.next_deadline() == pytest.approx(ear.now - 0.1 + UTTERANCE_GAP_S)
    assert ear.wait(0.2) == []
    assert ear.wait(0.2) == [VoiceEnded("voice_1")]
    assert ear.voice.next_deadline() is None
    assert ear.wait(5.0) == []
    assert played(ear.hear(LOUD)) == [("voice_2", TENTH)]


def test_a_pause_ends_an_utterance_even_where_no_timer_ran() -> None:
    ear = Ear()
    ear.hear(LOUD)
    ear.now += 10.0
    assert [type(one) for one in ear.hear(LOUD)] == [VoiceEnded, PlayDue]


def test_a_stream_that_goes_on_with_silence_has_ended_too() -> None:
    ear = Ear()
    happened = ear.hear(QUIET, LOUD, *[QUIET] * 50, every=0.01)
    assert played(happened) == [("voice_1", TENTH)] * 5, "the silence before and after is not played"
    assert happened[-1] == VoiceEnded("voice_1")
    assert ear.voice.running_id is None


def test_a_short_pause_is_part_of_the_utterance_and_is_played() -> None:
    ear = Ear()
    short = [LOUD, QUIET, QUIET]
    assert played(ear.hear(*short, *short, *short, LOUD)) == [("voice_1", TENTH)] * 10


@pytest.mark.parametrize(
    ("layout", "loud", "quiet"),
    [
        (AudioFormat.pcm16(16_000), b"\x00\x01" * 80, b"\xff\x00" * 80),
        (AudioFormat.pcm16(16_000), b"\xff\xfe" * 80, b"\x00\xff" * 80),
        (AudioFormat.pcmu(), b"\xff" * 79 + b"\x80", b"\xff\x7f" * 40),
        (AudioFormat.pcma(), b"\xd5" * 79 + b"\xaa", b"\xd5\x55" * 40),
    ],
)
def test_silence_is_known_in_every_format(layout: AudioFormat, loud: bytes, quiet: bytes) -> None:
    assert played(Ear(layout).hear(quiet)) == []
    assert played(Ear(layout).hear(loud)) == [("voice_1", len(loud))]


def test_a_sample_that_is_cut_in_two_is_put_together() -> None:
    ear = Ear()
    happened = ear.hear(LOUD[:3], b"", LOUD[3:10], every=0.01)
    assert b"".join(one.pcm for one in happened) == LOUD[:10]
    assert [len(one.pcm) for one in happened] == [2, 8]


def test_half_a_sample_is_kept_through_silence_but_not_through_a_pause() -> None:
    ear = Ear()
    ear.hear(QUIET + b"\x10")
    assert b"".join(one.pcm for one in ear.hear(b"\x20" + LOUD)) == b"\x10\x20" + LOUD
    ear.hear(b"\x10")
    ear.wait(1.0)
    assert [one.pcm for one in ear.hear(LOUD)] == [LOUD]


@given(st.lists(st.integers(0, 9), max_size=30))
def test_however_it_is_cut_the_samples_are_the_same(sizes: list[int]) -> None:
    ear = Ear()
    sound = bytes(range(1, 241)) * 2
    cuts = [sum(sizes[: index + 1]) for index in range(len(sizes))]
    pieces = [sound[start:end] for start, end in zip([0, *cuts], [*cuts, len(sound)], strict=True)]
    happened = ear.hear(*pieces, every=0.0)
    assert b"".join(one.pcm for one in happened) == sound


def test_what_was_heard_is_told_per_utterance_and_settles() -> None:
    ear = Ear()
    assert (ear.voice.sounding, ear.voice.last_id, ear.voice.next_id) == (False, "voice_0", "voice_1")
    assert ear.voice.heard_ms("voice_1") is None
    assert ear.voice.received_ms("voice_1") == 0.0
    ear.voice.end()
    assert ear.outbox.take_happenings() == [], "nothing ran"
    ear.hear(LOUD, LOUD)
    assert ear.voice.sounding
    ear.voice.progress({"voice_1": 150.0, "other": 9.0})
    assert (ear.voice.heard_ms("voice_1"), ear.voice.received_ms("voice_1")) == (150.0, 200.0)
    ear.voice.finished({"voice_1": 200.0})
    assert ear.voice.sounding, "more of it may come"
    ear.voice.end()
    ear.voice.end()
    assert ear.outbox.take_happenings() == [VoiceEnded("voice_1")], "once"
    ear.voice.finished({"voice_1": 500.0})
    assert not ear.voice.sounding
    assert ear.voice.heard_ms("voice_1") == 200.0
    assert ear.voice.last_id == "voice_1"


# -- the words ------------------------------------------------------------------------------------

Said = tuple[str, str, float | None, float | None]


def joined(*said: Said) -> list[tuple[str, str]]:
    ledger = TranscriptLedger()
    for role, text, start_ms, end_ms in said:
        ledger.add(role, text, start_ms, end_ms)  # type: ignore[arg-type]
    return [(entry.role, entry.text) for entry in ledger.entries]


@pytest.mark.parametrize(
    ("said", "entries"),
    [
        pytest.param(
            [("user", "Good ", 0, 300), ("user", "morning.", 300, 700)],
            [("user", "Good morning.")],
            id="deltas are joined",
        ),
        pytest.param(
            [("user", "One.", 0, 300), ("user", "Two.", 1301, 1500)],
            [("user", "One."), ("user", "Two.")],
            id="a pause of more than a second parts them",
        ),
        pytest.param(
            [("user", "One.", 0, 300), ("user", "Two.", 1300, 1500)],
            [("user", "One.Two.")],
            id="a pause of a second does not",
        ),
        pytest.param(
            [("user", "Hi.", 0, 300), ("assistant", "Yes?", 400, 600), ("user", "Go on.", 700, 900)],
            [("user", "Hi."), ("assistant", "Yes?"), ("user", "Go on.")],
            id="the other side spoke in between",
        ),
        pytest.param(
            [
                ("user", "Eins, ", 0, 500),
                ("assistant", "One, ", 200, 700),
                ("user", "zwei, ", 500, 1000),
                ("assistant", "two, ", 700, 1200),
                ("user", "drei.", 1000, 1500),
            ],
            [("user", "Eins, zwei, drei."), ("assistant", "One, two, ")],
            id="both speak at once",
        ),
        pytest.param(
            [
                ("assistant", "Well, ", 900, 1200),
                ("user", "late", 300, 600),
                ("assistant", "so.", 1200, 1400),
            ],
            [("assistant", "Well, so."), ("user", "late")],
            id="delivered late, said before",
        ),
        pytest.param(
            [("user", "Well ", 0, 300), ("assistant", "Yes.", 900, 1200), ("user", "then.", 400, 600)],
            [("user", "Well then."), ("assistant", "Yes.")],
            id="the other side spoke after it",
        ),
        pytest.param(
            [
                ("user", "a", None, None),
                ("user", "b", None, None),
                ("assistant", "c", None, None),
                ("user", "d", None, None),
            ],
            [("user", "ab"), ("assistant", "c"), ("user", "d")],
            id="without times the order of delivery counts",
        ),
        pytest.param(
            [("user", "a", 0, 0), ("assistant", "b", 0, 0), ("user", "c", 0, 0)],
            [("user", "a"), ("assistant", "b"), ("user", "c")],
            id="and so it does where all times are the same",
        ),
        pytest.param(
            [("user", "a", 0, 100), ("assistant", "b", None, None), ("user", "c", 100, 200)],
            [("user", "a"), ("assistant", "b"), ("user", "c")],
            id="and where only the other side has none",
        ),
        pytest.param(
            [("assistant", "b", None, None), ("user", "a", 0, 100), ("user", "c", 100, 200)],
            [("assistant", "b"), ("user", "ac")],
            id="what came before is not in between",
        ),
        pytest.param([("user", "", 0, 100)], [], id="nothing said"),
    ],
)
def test_words_become_entries(said: list[Said], entries: list[tuple[str, str]]) -> None:
    assert joined(*said) == entries


def test_only_what_may_go_on_is_in_progress() -> None:
    ledger = TranscriptLedger()
    ledger.add("user", "Hi.")
    ledger.add("assistant", "Yes?")
    assert [entry.status for entry in ledger.entries] == ["completed", "in_progress"]
    assert len({entry.id for entry in ledger.entries}) == 2
    ids = [entry.id for entry in ledger.entries]
    ledger.add("assistant", " Tell me.")
    ledger.end()
    assert [entry.status for entry in ledger.entries] == ["completed", "completed"]
    assert [entry.id for entry in ledger.entries] == ids
    assert ledger.entries[0] == HistoryEntry(ids[0], "user", "message", "Hi.", "completed")


def test_the_oldest_entries_make_room() -> None:
    ledger = TranscriptLedger()
    ledger.add("user", "first", 0, 10)
    for number in range(KEPT_ENTRIES):
        ledger.add("assistant", str(number), number * 5_000.0, number * 5_000.0)
    assert (len(ledger.entries), ledger.dropped) == (KEPT_ENTRIES, 1)
    ledger.add("user", "again", 20, 30)
    assert ledger.entries[-1].text == "again", "it does not go on with what was dropped"
    assert ledger.dropped == 2


def test_a_long_entry_goes_on_in_another() -> None:
    ledger = TranscriptLedger()
    ledger.add("user", "x" * KEPT_CHARACTERS, 0, 10)
    ledger.add("user", "y", 10, 20)
    assert [len(entry.text) for entry in ledger.entries] == [KEPT_CHARACTERS, 1]


# -- how much of the words was heard ----------------------------------------------------------------


class Talker(Ear):
    """Voice and words together."""

    def __init__(self) -> None:
        super().__init__()
        self.words = TranscriptLedger(self.voice)

    def heard(self, **heard_ms: float) -> list[float | None]:
        self.voice.progress(heard_ms)
        return [entry.heard_ms for entry in self.words.entries]


def test_entries_share_the_utterance_that_carries_them() -> None:
    talker = Talker()
    talker.hear(LOUD, LOUD)
    talker.words.add("assistant", "One,")
    talker.words.add("user", "yes")
    talker.hear(LOUD, LOUD)
    talker.words.add("assistant", "two.")
    assert talker.heard(voice_1=300.0) == [300.0, None, 0.0], "the second began with what came by then"
    talker.hear(LOUD)
    assert talker.heard(voice_1=500.0) == [400.0, None, 100.0]


def test_an_entry_that_is_carried_by_two_utterances_counts_both() -> None:
    talker = Talker()
    talker.hear(LOUD)
    talker.words.add("assistant", "One ")
    talker.words.add("assistant", "and ")
    talker.wait(0.5)
    talker.words.add("assistant", "then ")
    talker.hear(LOUD)
    talker.words.add("assistant", "two.")
    assert talker.heard(voice_1=100.0, voice_2=50.0) == [150.0]


def test_words_may_be_ahead_of_their_sound() -> None:
    talker = Talker()
    talker.words.add("assistant", "Hello.")
    assert talker.heard() == [None]
    talker.hear(LOUD)
    talker.words.add("assistant", " You.")
    assert talker.heard(voice_1=100.0) == [100.0]


def test_words_may_be_behind_their_sound() -> None:
    talker = Talker()
    talker.hear(LOUD)
    talker.wait(1.0)
    talker.words.add("assistant", "Yes.")
    assert talker.heard(voice_1=100.0) == [100.0]


def test_words_without_a_voice_were_not_heard() -> None:
    ledger = TranscriptLedger()
    ledger.add("assistant", "Yes.")
    assert ledger.entries[0].heard_ms is None


def test_nobody_hears_the_user() -> None:
    talker = Talker()
    talker.hear(LOUD)
    talker.words.add("user", "Yes.")
    assert talker.heard(voice_1=100.0) == [None]


def test_another_session_begins_its_words_anew() -> None:
    ledger = TranscriptLedger()
    ledger.add("user", "One", 0, 400)
    ledger.end()
    ledger.restart()
    assert [entry.status for entry in ledger.entries] == ["completed"]
    ledger.add("user", "Two", 0, 400)
    assert [(entry.text, entry.status) for entry in ledger.entries] == [
        ("One", "completed"),
        ("Two", "in_progress"),
    ]
