"""What every core can say about its connections: how the session around it takes it from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .. import events
from ._replay import REPLAY_TOKENS, ReplayPlan
from ._speech import Repeat

__all__ = ("Opened", "Resumable")


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection that was opened, configured and told the conversation."""

    events: tuple[events.ServerEvent, ...] = ()
    """What its server said meanwhile, in order."""
    told: frozenset[str] = frozenset()
    """The ids of the items that it holds."""
    lost: int = 0
    """Items that it was not told, or refused."""


class Resumable(Protocol):
    """A conversation that outlives its connection. First ``lost``, then ``connected`` and ``go_on``."""

    @property
    def quiet(self) -> bool:
        """Whether nobody speaks, nothing is asked for and nothing runs: the moment to change the connection."""
        ...

    @property
    def retold(self) -> int:
        """What was told of the history within the last configuration, in entries."""
        ...

    def keep_speech(self, keep_ms: float, deaf_ms: float) -> None:
        """Keep the user's speech, to say it again.

        Args:
            keep_ms: how much at most, in milliseconds.
            deaf_ms: for how long a connection may be dead before that is noticed, in milliseconds.
        """
        ...

    def lost(
        self,
        now: float,
        *,
        unsent: Sequence[events.ClientEvent] = (),
        resend: bool = True,
        resume: bool = True,
        deaf: bool = False,
    ) -> None:
        """The connection is gone; what the program wants from now on waits for the next one.

        Args:
            now: monotonic seconds.
            unsent: events of ours that had not been handed to the network, in their order.
            resend: whether what was not answered may be sent again as it is.
            resume: whether an answer that broke off is asked for again.
            deaf: whether the connection may have been dead for a while: nobody has heard what came last then.
        """
        ...

    def configuration(
        self, wanted: events.WireModel | None, *, max_tokens: int = REPLAY_TOKENS
    ) -> events.WireModel | None:
        """What the next connection must be asked for, whole: what was wanted at first, and all changes since.

        Args:
            wanted: what was wanted at first.
            max_tokens: how much of the history may be told with it, where it is not told in items.
        """
        ...

    def plan(
        self, now: float, *, max_tokens: int = REPLAY_TOKENS, max_age_s: float | None = None
    ) -> ReplayPlan:
        """The items that another connection must be told before it can take over."""
        ...

    def connected(self, opened: Opened, now: float, *, seamless: bool = False) -> Repeat:
        """Another connection is open. The shell then writes the audio that is returned, and calls ``go_on``.

        Args:
            opened: what was done and said to open it.
            now: monotonic seconds.
            seamless: whether it takes over from one that was well.
        """
        ...

    def go_on(self, now: float) -> None:
        """The conversation goes on where it was: what is owed is sent."""
        ...
