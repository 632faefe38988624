"""Replacing a connection before its known end, at a moment when nobody notices (protocol document, rule K6).

Theory of operation. A server ends a session when its time is over, in mid-word if need be. Some minutes before
that another connection is opened and told the conversation, while the old one still talks. When nobody speaks and
nothing is under way, it is told what is new since then, and if it is still quiet the session changes over, all at
once: what the microphone brings goes to the new one from then on, after the last moment of what went to the old
one. Should the old one end before such a moment comes, the new one stands ready for that too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from .. import events
from ..errors import RtagentError
from ..protocol import Loss, Resumable, verdict_on
from ._approach import Approach, Dial, Standby, close
from ._policy import GiveUp, Outage, ReconnectPolicy
from ._pump import Pump

__all__ = ("Renewal", "lifetime_s")

DIAL_WITHIN_S = 30.0
BACKLOG_MS = 500.0
"""With more audio waiting than this the old connection is not left: the new one would miss it."""
SHORTEST_LIFE_S = 1.0
"""An end that is nearer than this is no end, but a clock that is wrong."""

logger = logging.getLogger(__name__)


def lifetime_s(config: events.WireModel | None, longest_s: int | None, wall_now: float) -> float | None:
    """How long a session that was just opened will last, in seconds; None when nobody knows.

    Args:
        config: the server's snapshot, whose ``expires_at`` counts seconds since 1970.
        longest_s: what is known of this kind of server.
        wall_now: seconds since 1970.
    """
    said = getattr(config, "expires_at", None)
    left = [float(longest_s)] if longest_s is not None else []
    if isinstance(said, int | float) and said - wall_now >= SHORTEST_LIFE_S:
        left.append(float(said) - wall_now)
    return min(left, default=None)


class Renewal:
    """Owns the connection that stands ready.

    Args:
        pump: of the session.
        approach: opens connections.
        dial: gives one.
        policy: when, and what to tell.
        resumption: of the conversation.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        pump: Pump,
        approach: Approach,
        dial: Dial,
        policy: ReconnectPolicy,
        resumption: Resumable,
        wall: Callable[[], float] = lambda: datetime.now(UTC).timestamp(),
    ) -> None:
        self._pump = pump
        self._approach = approach
        self._dial = dial
        self._policy = policy
        self._resumption = resumption
        self._wall = wall
        self._standby: Standby | None = None

    def take(self) -> Standby | None:
        """The connection that stands ready, if one does; it is the caller's from now on."""
        standby, self._standby = self._standby, None
        return standby

    async def aclose(self) -> None:
        """Close what stands ready."""
        standby = self.take()
        if standby is not None:
            await close(standby.transport)

    async def run(self, change_over: Callable[[Standby], None]) -> None:
        """Wait until the connection that was just opened nears its end, and change over to another one.

        Args:
            change_over: leaves the old connection for that one; must not wait.
        """
        lifetime = lifetime_s(self._pump.core.config, self._pump.core.dialect.max_session_s, self._wall())
        if lifetime is None or self._policy.renew_before_s <= 0.0 or self._policy.max_attempts == 0:
            return
        opened_at = self._pump.clock.now()
        ends_at = opened_at + lifetime
        await self._pump.clock.sleep_until(ends_at - min(self._policy.renew_before_s, lifetime / 2))
        self._standby = await self._stand_by(ends_at)
        if self._standby is None:
            return
        await self._until_quiet(self._standby)
        standby = self.take()
        if standby is not None:
            change_over(standby)

    async def _stand_by(self, ends_at: float) -> Standby | None:
        """Another connection; None when none came about before the end of the old one."""
        clock, policy = self._pump.clock, self._policy
        outage = Outage()
        while clock.now() < ends_at:
            try:
                return await self._approach.another(
                    self._dial, policy, self._resumption, within_s=DIAL_WITHIN_S, aside=True
                )
            except RtagentError as failure:
                loss = Loss.of(failure)
                logger.warning("no second connection to go on with came about: %s", loss.description)
                outage = Outage(attempts=min(outage.attempts + 1, policy.max_attempts - 1))
                step = policy.next_step(outage, verdict_on(loss), loss, 1.0)
                if isinstance(step, GiveUp):
                    return None
                await clock.sleep_until(clock.now() + step.delay_s)
        return None

    async def _until_quiet(self, standby: Standby) -> None:
        """Return at a silent moment at which that connection knows everything."""
        while True:
            await self._pump.wait_until(lambda: self._resumption.quiet)
            await self._pump.wire.wait_room(BACKLOG_MS)
            try:
                await self._approach.catch_up(standby, self._policy, self._resumption)
            except RtagentError as failure:  # it is gone: the end of the old one finds another
                logger.warning("the second connection was lost while it waited: %s", failure)
                await self.aclose()
                return
            backlog_ms = self._pump.wire.statistics().audio_waiting_ms
            if self._resumption.quiet and backlog_ms <= BACKLOG_MS and self._knows_all(standby):
                return

    def _knows_all(self, standby: Standby) -> bool:
        return self._approach.has_caught_up(standby, self._policy, self._resumption)
