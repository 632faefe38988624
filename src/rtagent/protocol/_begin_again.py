"""What becomes of a session without items when its connection is lost: another one begins, with the same wishes.

GPT-Live and translation have no conversation that could be told item by item. A new session is asked for the same
things; what it is to know of the old one must be part of that. Audio of the time without a connection is counted
and dropped: these models answer while they listen, and would answer too late.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import events
from ._replay import REPLAY_TOKENS, ReplayPlan
from ._resumable import Opened
from ._speech import Repeat

__all__ = ("BeginAgain",)

Wishes = Callable[[events.WireModel | None, int], tuple[events.WireModel | None, int]]


class BeginAgain:
    """Owns whether there is a connection, and how much was said meanwhile.

    Args:
        break_off: what ran on the old connection ends.
        take: reads a server event.
        quiet: whether nobody speaks and nothing runs.
        wishes: what the new session is asked for, and how many entries of the history are told with that;
            from what was wanted at first and the tokens that may be used.
        tell_the_rest: tells the new session what it does not know yet.
    """

    def __init__(
        self,
        break_off: Callable[[], None],
        take: Callable[[events.ServerEvent, float], None],
        quiet: Callable[[], bool],
        wishes: Wishes = lambda wanted, _max_tokens: (wanted, 0),
        tell_the_rest: Callable[[], None] = lambda: None,
    ) -> None:
        self.away = False
        """Whether there is no connection."""
        self.retold = 0
        """Entries of the history that were told with the last configuration."""
        self._break_off = break_off
        self._take = take
        self._quiet = quiet
        self._wishes = wishes
        self._tell_the_rest = tell_the_rest
        self._missed_ms = 0.0

    @property
    def quiet(self) -> bool:
        """Whether nobody speaks and nothing runs: the moment to change the connection."""
        return not self.away and self._quiet()

    def wrote(self, ms: float) -> None:
        """Input audio goes out, or would if there were a connection."""
        if self.away:
            self._missed_ms += ms

    def keep_speech(self, keep_ms: float, deaf_ms: float) -> None:
        """Nothing is kept."""

    def lost(
        self,
        now: float,
        *,
        unsent: Sequence[events.ClientEvent] = (),
        resend: bool = True,
        resume: bool = True,
        deaf: bool = False,
    ) -> None:
        """The connection is gone."""
        self.away, self._missed_ms = True, 0.0
        self._break_off()

    def configuration(
        self, wanted: events.WireModel | None, *, max_tokens: int = REPLAY_TOKENS
    ) -> events.WireModel | None:
        """What the next session is asked for."""
        configuration, self.retold = self._wishes(wanted, max_tokens)
        return configuration

    def plan(
        self, now: float, *, max_tokens: int = REPLAY_TOKENS, max_age_s: float | None = None
    ) -> ReplayPlan:
        """Nothing: there are no items."""
        return ReplayPlan((), ())

    def connected(self, opened: Opened, now: float, *, seamless: bool = False) -> Repeat:
        """Another session has begun."""
        self.away = False
        for event in opened.events:
            self._take(event, now)
        missed_ms, self._missed_ms = self._missed_ms, 0.0
        return Repeat(dropped_ms=missed_ms)

    def go_on(self, now: float) -> None:
        """What the new session does not know yet, it is told."""
        self._tell_the_rest()
