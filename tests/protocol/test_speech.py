"""The user's speech, as long as only one server knows of it."""

from __future__ import annotations

import numpy as np
import pytest

from rtagent.audio import AudioFormat, g711
from rtagent.protocol import Repeat
from rtagent.protocol._speech import MOMENT_MS, KeptSpeech, SpokenTurn

PCM = AudioFormat.pcm16(8_000)
BLOCK_MS = 100.0
QUIET = bytes(1_600)
LOUD = (np.sin(np.arange(800) * 0.3) * 9_000).astype("<i2").tobytes()


class Ear:
    """Speech in blocks of 100 ms: ``.`` is quiet and ``#`` is loud."""

    def __init__(self, keep_ms: float = 10_000.0, input_format: AudioFormat = PCM) -> None:
        self.speech = KeptSpeech(keep_ms)
        self.format = input_format
        self.blocks = 0

    def hears(self, sound: str) -> None:
        for sign in sound:
            pcm = LOUD if sign == "#" else QUIET
            if self.format.encoding == "pcmu":
                pcm = g711.encode_ulaw(pcm)
            elif self.format.encoding == "pcma":
                pcm = g711.encode_alaw(pcm)
            self.speech.wrote(pcm, BLOCK_MS, 50.0 + self.blocks * BLOCK_MS / 1000)
            self.blocks += 1

    def again(self, *, seamless: bool = False) -> tuple[float, int]:
        """When the repeated audio was captured (seconds), and how many blocks of it there are."""
        repeat = self.repeat(seamless=seamless)
        return (round(repeat.blocks[0].at, 3) if repeat.blocks else 0.0, len(repeat.blocks))

    def repeat(self, *, seamless: bool = False) -> Repeat:
        return self.speech.take(self.format, seamless=seamless)


def test_nothing_is_kept_unless_somebody_wants_it() -> None:
    ear = Ear(keep_ms=0.0)
    ear.speech.started(0.0)
    ear.hears("###")
    ear.speech.committed("u1")
    assert ear.speech.turn("u1") is None
    assert ear.repeat() == Repeat()


def test_what_was_said_without_a_connection_and_is_not_kept_is_counted() -> None:
    ear = Ear(keep_ms=0.0)
    ear.hears("##")
    ear.speech.lost()
    ear.hears("###")
    assert ear.repeat() == Repeat((), 300.0)
    assert ear.repeat() == Repeat()


# -- turns --------------------------------------------------------------------------------------------


def test_a_turn_has_its_sound_until_it_is_written_down() -> None:
    ear = Ear()
    ear.hears("..")
    ear.speech.started(200.0)
    ear.hears("###..")
    ear.speech.stopped(600.0)
    ear.speech.committed("u1")
    assert ear.speech.turn("u1") == SpokenTurn(LOUD * 3 + QUIET, 400.0)
    assert ear.speech.turn("u2") is None
    ear.speech.written("u1")
    ear.speech.written("u1")
    assert ear.speech.turn("u1") is None


def test_a_server_that_tells_no_positions_hands_over_all_of_it() -> None:
    ear = Ear()
    ear.speech.started(None)
    ear.hears("##")
    ear.speech.stopped(None)
    ear.speech.committed("u1")
    assert ear.speech.turn("u1") == SpokenTurn(LOUD * 2, 200.0)


def test_a_turn_without_a_name_or_a_sound_is_not_kept() -> None:
    ear = Ear()
    ear.speech.committed("u1")
    assert ear.speech.turn("u1") is None
    ear.hears("##")
    ear.speech.committed("")
    assert ear.again() == (0.0, 0)


def test_the_oldest_turns_give_way() -> None:
    ear = Ear(keep_ms=500.0)
    for turn in ("u1", "u2", "u3"):
        ear.speech.started(None)
        ear.hears("##")
        ear.speech.committed(turn)
    assert [ear.speech.turn(turn) is not None for turn in ("u1", "u2", "u3")] == [False, True, True]


def test_where_the_program_ends_the_turn_it_holds_what_was_said_until_then() -> None:
    ear = Ear()
    ear.speech.manual = True
    ear.hears("##")
    ear.speech.committing()
    ear.hears("#")
    ear.speech.committing()
    ear.speech.committed("u1")
    ear.speech.committed("u2")
    assert ear.speech.turn("u1") == SpokenTurn(LOUD * 2, 200.0)
    assert ear.speech.turn("u2") == SpokenTurn(LOUD, 100.0)


def test_what_was_thrown_away_is_not_said_again() -> None:
    ear = Ear()
    ear.speech.manual = True
    ear.hears("##")
    ear.speech.committing()
    ear.speech.clearing()
    ear.hears("#")
    ear.speech.lost()
    assert ear.again() == (50.2, 1)


def test_who_is_speaking_is_known() -> None:
    ear = Ear()
    assert not ear.speech.speaking
    ear.speech.started(0.0)
    assert ear.speech.speaking
    ear.speech.stopped(100.0)
    assert ear.speech.speaking
    ear.speech.committed("u1")
    assert not ear.speech.speaking
    ear.speech.started(0.0)
    ear.speech.clearing()
    assert not ear.speech.speaking


def test_what_will_be_said_again_has_its_item() -> None:
    ear = Ear()
    ear.speech.started(0.0, "u1")
    assert ear.speech.said_again is None
    ear.hears("#")
    assert ear.speech.said_again == "u1"
    ear.speech.committed("u1")
    assert ear.speech.said_again is None


# -- what is said again ----------------------------------------------------------------------------------


def test_a_turn_that_is_being_spoken_is_said_again_from_its_beginning() -> None:
    ear = Ear()
    ear.hears("....")
    ear.hears("##")
    ear.speech.started(300.0)
    ear.speech.lost()
    ear.hears("#.")
    repeat = ear.repeat()
    assert [block.start_ms for block in repeat.blocks] == [300.0, 400.0, 500.0, 600.0, 700.0]
    assert repeat.dropped_ms == 0.0


def test_positions_count_anew_on_the_next_connection() -> None:
    ear = Ear()
    ear.hears("....")
    ear.speech.lost()
    ear.repeat()
    ear.hears("..")
    ear.speech.started(100.0)
    ear.speech.lost()
    assert [block.start_ms for block in ear.repeat().blocks] == [100.0]


def test_silence_without_a_connection_is_dropped_and_counted() -> None:
    ear = Ear()
    ear.hears("..")
    ear.speech.lost()
    ear.hears("...")
    assert ear.repeat() == Repeat((), 300.0)


def test_who_begins_without_a_connection_is_heard_from_shortly_before() -> None:
    ear = Ear()
    ear.hears("..")
    ear.speech.lost()
    ear.hears("......##.")
    repeat = ear.repeat()
    assert [block.start_ms for block in repeat.blocks] == [500.0, 600.0, 700.0, 800.0, 900.0, 1000.0]
    assert repeat.dropped_ms == 300.0


def test_who_had_just_begun_when_it_broke_is_heard_from_before_that() -> None:
    ear = Ear()
    ear.hears(".....##")
    ear.speech.lost()
    ear.hears("##.")
    assert ear.again() == (50.2, 8)


def test_what_was_said_and_over_before_the_loss_is_left_alone() -> None:
    ear = Ear()
    ear.hears("##......")
    ear.speech.lost()
    ear.hears("...")
    assert ear.again() == (0.0, 0)
    ear.hears("##......")
    ear.speech.lost()
    ear.hears("##.")
    assert ear.repeat().blocks[0].start_ms == 500.0


def test_what_was_said_while_the_connection_may_have_been_dead_is_said_again() -> None:
    ear = Ear()
    ear.speech.deaf_ms = 3_000.0
    ear.hears("....")
    ear.speech.alive()
    ear.hears("..........##..........##......")
    ear.speech.lost(deaf=True)
    ear.hears("..")
    repeat = ear.repeat()
    assert [block.start_ms for block in repeat.blocks] == [1_100.0 + 100.0 * n for n in range(25)]
    assert repeat.dropped_ms == 0.0


def test_what_the_server_had_time_to_take_for_speech_and_did_not_is_left_alone() -> None:
    ear = Ear()
    ear.speech.deaf_ms = 3_000.0
    ear.hears("##........")
    ear.speech.alive()
    ear.hears("........")
    ear.speech.lost(deaf=True)
    assert ear.again() == (0.0, 0)
    ear.hears(".##....")
    ear.speech.alive()
    ear.hears("...")
    ear.speech.lost(deaf=True)
    assert ear.repeat().blocks, "it was over half a second before: the server may not have come to say so"


def test_what_is_kept_while_nobody_speaks_is_what_a_dead_connection_may_have_swallowed() -> None:
    ear = Ear(keep_ms=20_000.0)
    ear.speech.deaf_ms = 3_000.0
    ear.hears("." * 200)
    ear.speech.started(0.0)
    assert sum(block.ms for block in ear.repeat().blocks) == MOMENT_MS + 3_000.0
    ear.hears("." * 200)
    ear.speech.alive()
    ear.hears("." * 10)
    ear.speech.started(0.0)
    assert sum(block.ms for block in ear.repeat().blocks) == MOMENT_MS + 1_000.0


def test_a_click_is_no_word() -> None:
    ear = Ear()
    ear.speech.lost()
    click = LOUD[:640] + QUIET[640:]
    ear.hears("...")
    ear.speech.wrote(click, BLOCK_MS, 50.3)
    assert ear.again() == (0.0, 0)


@pytest.mark.parametrize("input_format", [AudioFormat.pcmu(), AudioFormat.pcma()], ids=["mu-law", "A-law"])
def test_telephone_audio_is_understood(input_format: AudioFormat) -> None:
    ear = Ear(input_format=input_format)
    ear.speech.lost()
    ear.hears(".....##.")
    assert ear.again() == (50.2, 6)


def test_where_one_connection_follows_another_the_last_moment_is_said_again() -> None:
    ear = Ear()
    ear.hears("." * 30)
    repeat = ear.repeat(seamless=True)
    assert (repeat.blocks[0].start_ms, len(repeat.blocks), repeat.dropped_ms) == (2_000.0, 10, 0.0)


def test_while_nobody_speaks_a_moment_is_kept() -> None:
    ear = Ear()
    ear.hears("." * 50)
    ear.speech.started(0.0)
    assert sum(block.ms for block in ear.repeat().blocks) == MOMENT_MS


def test_the_oldest_gives_way_and_what_was_never_sent_is_counted() -> None:
    ear = Ear(keep_ms=500.0)
    ear.speech.started(0.0)
    ear.hears("###")
    ear.speech.lost()
    ear.hears("#######")
    repeat = ear.repeat()
    assert [block.start_ms for block in repeat.blocks] == [500.0, 600.0, 700.0, 800.0, 900.0]
    assert repeat.dropped_ms == 200.0


def test_a_block_longer_than_what_is_kept_is_kept_alone() -> None:
    ear = Ear(keep_ms=50.0)
    ear.speech.started(0.0)
    ear.hears("##")
    assert ear.again() == (50.1, 1)


def test_where_the_program_ends_turns_all_since_the_last_is_said_again() -> None:
    ear = Ear()
    ear.speech.manual = True
    ear.hears("##")
    ear.speech.committing()
    ear.speech.committed("u1")
    ear.hears("..#")
    ear.speech.committing()
    ear.speech.lost()
    ear.hears(".")
    repeat = ear.repeat()
    assert [block.at for block in repeat.blocks] == pytest.approx([50.2, 50.3, 50.4, 50.5])
    assert repeat.dropped_ms == 0.0
    ear.hears("#")
    ear.speech.committing()
    ear.speech.committed("u2")
    assert ear.speech.turn("u2") == SpokenTurn(LOUD, 100.0)


def test_an_answer_ends_a_turn_that_nobody_handed_over() -> None:
    ear = Ear()
    ear.speech.started(0.0)
    ear.hears("##..")
    ear.speech.answered()
    assert ear.speech.speaking, "its end was not heard"
    ear.speech.stopped(200.0)
    ear.speech.answered()
    assert not ear.speech.speaking
    ear.speech.lost()
    assert ear.again() == (0.0, 0)
    ear.speech.answered()
    assert not ear.speech.speaking


def test_a_turn_is_unwritten_until_its_words_are_known() -> None:
    ear = Ear()
    ear.hears("##")
    ear.speech.started(0.0)
    ear.speech.stopped(200.0)
    assert not ear.speech.unwritten
    ear.speech.committed("u1")
    assert ear.speech.unwritten
    ear.speech.written("u1")
    assert not ear.speech.unwritten
