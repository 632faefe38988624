"""A session without items: another one begins, with the same wishes."""

from __future__ import annotations

from rtagent import events
from rtagent.events import translation
from rtagent.protocol import Opened, Repeat, ReplayPlan
from rtagent.protocol._begin_again import BeginAgain

CREATED = translation.SessionCreated(session=translation.TranslationSession())


class Machine:
    """What a core does, as notes."""

    def __init__(self, *, quiet: bool = True) -> None:
        self.notes: list[object] = []
        self.again = BeginAgain(
            lambda: self.notes.append("broken off"),
            lambda event, now: self.notes.append((event, now)),
            lambda: quiet,
        )


def test_what_ran_breaks_off_and_what_the_new_session_says_is_read() -> None:
    machine = Machine()
    machine.again.lost(1.0, unsent=[events.ClientEvent(type="session.close")], resend=False, resume=False)
    assert machine.notes == ["broken off"]
    assert machine.again.connected(Opened((CREATED,)), 2.0) == Repeat()
    machine.again.go_on(2.0)
    assert machine.notes == ["broken off", (CREATED, 2.0)]


def test_sound_is_counted_while_there_is_no_connection() -> None:
    again = Machine().again
    again.keep_speech(30_000.0, 0.0)
    again.wrote(20.0)
    again.lost(0.0)
    again.wrote(20.0)
    again.wrote(40.0)
    assert again.connected(Opened(), 1.0) == Repeat(dropped_ms=60.0)
    again.wrote(20.0)
    again.lost(2.0)
    assert again.connected(Opened(), 3.0) == Repeat()


def test_it_is_quiet_when_nothing_runs_and_there_is_a_connection() -> None:
    assert not Machine(quiet=False).again.quiet
    again = Machine().again
    assert again.quiet
    again.lost(0.0)
    assert not again.quiet
    assert again.away
    again.connected(Opened(), 1.0)
    assert again.quiet


def test_nothing_is_told_in_items_and_the_wishes_are_those_of_the_beginning() -> None:
    again = Machine().again
    wanted = translation.TranslationSession()
    assert again.configuration(wanted) is wanted
    assert again.retold == 0
    assert again.plan(1.0) == ReplayPlan((), ())


def test_wishes_can_hold_what_was_said() -> None:
    other = translation.TranslationSession(model="m")
    again = BeginAgain(
        lambda: None,
        lambda event, now: None,
        lambda: True,
        lambda wanted, max_tokens: (other if max_tokens == 7 else wanted, 3),
    )
    assert again.configuration(None, max_tokens=7) is other
    assert again.retold == 3
