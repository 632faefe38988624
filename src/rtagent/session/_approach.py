"""How a session gets a connection that knows the conversation: dial, open, configure, tell."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import anyio

from .. import events
from ..errors import ConnectionFailed, ConnectionLost, EndOfStream, RtagentError, Timeout
from ..protocol import HistoryEntry, Opened, ReplayPlan, Resumable, replay_plan
from ..transport import Transport
from ._opening import Opening
from ._policy import ReconnectPolicy
from ._pump import Pump

__all__ = ("Approach", "Dial", "Standby", "Target", "close")

CLOSE_TIMEOUT_S = 2.0

logger = logging.getLogger(__name__)

Dial = Callable[[], Awaitable[Transport]]
Hear = Callable[[events.ServerEvent], None]


@dataclass(frozen=True, slots=True)
class Target:
    """Where the connections of a session lead, and what each of them is asked for."""

    wanted: events.WireModel | None = None
    """The configuration."""
    earlier: Sequence[HistoryEntry] = ()
    """A conversation that went before this session."""
    endpoint: str = ""
    """Its name, for messages."""
    sideband: bool = False
    """Whether the session goes with a call, and ends with it."""
    timeout_s: float = 10.0
    """How long opening may take."""


@dataclass(frozen=True, slots=True)
class Standby:
    """A connection that is open and was told the conversation."""

    transport: Transport
    opening: Opening


class Approach:
    """Opens connections for a session.

    Args:
        pump: of the session.
        target: what connections are asked for.
    """

    def __init__(self, pump: Pump, target: Target) -> None:
        self._pump = pump
        self._target = target

    async def first(self, transport: Transport) -> Opened:
        """Open the session on its first connection.

        Raises:
            ConnectionFailed: the server did not, or ended it before it began.
            ServerError: it refused the session or its configuration.
            Unsupported: an earlier conversation cannot be told to this kind of server.
        """
        plan = replay_plan(self._target.earlier)
        opening = await self._open(transport, self._target.wanted, plan, self._pump.traffic.hear)
        return opening.opened()

    async def another(
        self,
        dial: Dial,
        policy: ReconnectPolicy,
        resumption: Resumable,
        *,
        within_s: float,
        aside: bool = False,
    ) -> Standby:
        """Dial, and open the session there as it is now.

        Args:
            dial: gives an open connection.
            policy: says how much is told.
            resumption: says what is told.
            within_s: how long all of it may take.
            aside: whether another connection still carries the session, so that this one is no news.

        Raises:
            RtagentError: it did not come about.
        """
        transport: Transport | None = None
        try:
            with anyio.fail_after(within_s):
                transport = await _dialled(dial)
                heard = self._pump.fanout.observe if aside else self._pump.traffic.hear_again
                wanted = self._wanted(policy, resumption)
                opening = await self._open(transport, wanted, self.plan(policy, resumption), heard)
                return Standby(transport, opening)
        except BaseException as failure:
            if transport is not None:
                await close(transport)
            if isinstance(failure, TimeoutError):
                raise Timeout("another connection", waited_s=within_s) from None
            raise

    async def catch_up(self, standby: Standby, policy: ReconnectPolicy, resumption: Resumable) -> None:
        """Bring a connection that was opened a while ago to the state of now.

        Raises:
            RtagentError: it is not there any more.
        """
        await standby.opening.keep_up()
        if not standby.opening.starts_once:
            await standby.opening.configure(self._wanted(policy, resumption))
        await standby.opening.tell(self.plan(policy, resumption))

    def has_caught_up(self, standby: Standby, policy: ReconnectPolicy, resumption: Resumable) -> bool:
        """Whether that connection knows everything."""
        opening = standby.opening
        configured = opening.starts_once or opening.has_configured(self._wanted(policy, resumption))
        return configured and standby.opening.has_told(self.plan(policy, resumption))

    def plan(self, policy: ReconnectPolicy, resumption: Resumable) -> ReplayPlan:
        """What a connection must be told now."""
        now = self._pump.clock.now()
        return resumption.plan(now, max_tokens=policy.replay_tokens, max_age_s=policy.replay_age_s)

    def _wanted(self, policy: ReconnectPolicy, resumption: Resumable) -> events.WireModel | None:
        return resumption.configuration(self._target.wanted, max_tokens=policy.replay_tokens)

    async def _open(
        self, transport: Transport, wanted: events.WireModel | None, plan: ReplayPlan, heard: Hear
    ) -> Opening:
        where = self._target.endpoint or "the server"
        dialect, clock = self._pump.core.dialect, self._pump.clock
        opening = Opening(transport, dialect, clock, heard=heard, sent=self._pump.traffic.say)
        try:
            with anyio.fail_after(self._target.timeout_s):
                await opening.greet()
                await opening.configure(wanted)
                await opening.tell(plan)
                return opening
        except TimeoutError:
            message = f"{where} did not {opening.step} within {self._target.timeout_s:g} s"
            raise ConnectionFailed(message, url=self._target.endpoint, retryable=True) from None
        except (ConnectionLost, EndOfStream) as lost:
            message = f"{where} ended the session before it began: {lost}"
            code = opening.error.code or opening.error.type if opening.error is not None else None
            raise ConnectionFailed(message, url=self._target.endpoint, code=code) from lost


async def _dialled(dial: Dial) -> Transport:
    """What a dial gives; a key that the program could not find out just now is a failure like any other."""
    try:
        return await dial()
    except RtagentError:
        raise
    except Exception as failure:
        logger.warning("dialling failed in a way of its own", exc_info=True)
        message = f"dialling failed: {type(failure).__name__}"  # its text may hold a secret
        raise ConnectionFailed(message, retryable=True) from failure


async def close(transport: Transport) -> None:
    """Close a connection, bounded in time, whatever happens around it."""
    with anyio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
        await transport.aclose()
