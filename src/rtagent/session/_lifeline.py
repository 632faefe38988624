"""From one connection to the next: what happens when a connection ends, and how the session gets another.

Theory of operation. ``run`` uses a connection until it ends. Then the evidence is judged (``protocol.Loss``), the
core is told that the connection is gone, and the policy says whether and when to dial again. Every attempt dials,
which asks for the credentials anew, opens the session there and tells it the conversation; only when all of that
is done does the core go on. An attempt that fails at any step is a loss like any other.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from math import inf

import anyio

from .. import events
from ..errors import (
    ConnectionFailed,
    ConnectionLost,
    EndOfStream,
    RtagentError,
    SessionClosed,
    Timeout,
)
from ..events.lifecycle import Reconnected, Reconnecting
from ..protocol import HistoryEntry, Loss, Opened, ReplayPlan, Resumption, replay_plan, verdict_on
from ..transport import Transport
from ._link import Link, LinkEnd
from ._opening import Opening
from ._policy import GiveUp, Outage, ReconnectPolicy
from ._pump import Pump

__all__ = ("Dial", "Lifeline", "Target")

CLOSE_TIMEOUT_S = 2.0

Dial = Callable[[], Awaitable[Transport]]

logger = logging.getLogger(__name__)


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


class Lifeline:
    """Owns the connection of a session.

    Args:
        pump: moves the conversation.
        transport: the first connection, on which nothing was read yet.
        target: what connections are asked for.
        dial: gives another open connection; None where there is no other.
        policy: when to dial; None for never.
        draw: gives random numbers from 0 to 1.
    """

    def __init__(
        self,
        pump: Pump,
        transport: Transport,
        target: Target,
        *,
        dial: Dial | None = None,
        policy: ReconnectPolicy | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._pump = pump
        self._target = target
        self._dial = dial
        self._policy = policy
        self._draw = draw
        self._dialect = pump.core.dialect
        self._link = Link(transport, self._dialect, pump.wire)
        self._outage = Outage()
        self._said: events.ErrorDetail | None = None
        self._opened_at = 0.0
        self._proved = False
        """Whether the connection has brought an answer: then its end begins a new outage."""

    # -- the first connection ------------------------------------------------------------------------

    async def open(self) -> Opened:
        """Open the session on the first connection.

        Raises:
            ConnectionFailed: the server did not, or ended it before it began.
            ServerError: it refused the session or its configuration.
            Unsupported: an earlier conversation cannot be told to this kind of server.
        """
        plan = replay_plan(self._target.earlier)
        opened = await self._open(self._link.transport, self._target.wanted, plan, self._pump.hear)
        self._pump.connect(opened)
        self._opened_at = self._pump.clock.now()
        return opened

    async def aclose(self) -> None:
        """Close the connection, bounded in time."""
        with anyio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
            await self._link.transport.aclose()

    # -- as long as the session lives ----------------------------------------------------------------

    async def run(self) -> None:
        """Carry the conversation over one connection after the other until the session ends."""
        while True:
            end = await self._link.run(self._take)
            if end is not None and not await self._goes_on(end):
                return

    def _take(self, event: events.ServerEvent) -> bool:
        if isinstance(event, events.Error) and event.error.event_id is None:
            self._said = event.error
        elif isinstance(event, events.ResponseDone):
            self._proved = self._proved or event.response.status == "completed"
        return self._pump.take(event)

    async def _goes_on(self, end: LinkEnd) -> bool:
        """The connection has ended; whether there is another one now."""
        pump, resumption = self._pump, self._pump.core.resumption
        if isinstance(end, SessionClosed):
            pump.end(None, 1000, "closed by us")
            return False
        said = pump.core.close_reason
        if isinstance(end, EndOfStream) and pump.farewell_said and (said or not self._dialect.turnless):
            # Where sessions end with a word of the server's, an end without it is none in good order (L1).
            pump.end(None, end.code, said or end.reason, silence=False)
            return False
        lost = end if isinstance(end, ConnectionLost) else ConnectionLost(end.code, said or end.reason)
        if self._dial is None or self._policy is None or resumption is None or pump.farewell_said:
            pump.end(lost, lost.code, lost.reason)
            return False
        loss = Loss.of(end, said=self._said)
        verdict = verdict_on(loss, sideband=self._target.sideband)
        pump.disconnect(resumption, lost, resend=verdict.resend, resume=self._policy.resume_answers)
        return await self._restore(self._dial, self._policy, resumption, loss)

    async def _restore(self, dial: Dial, policy: ReconnectPolicy, resumption: Resumption, loss: Loss) -> bool:
        """Dial until there is a connection again; False when the session was given up."""
        pump, clock = self._pump, self._pump.clock
        began = clock.now()
        lived_s = inf if self._proved else began - self._opened_at
        outage = policy.after_connection(self._outage, lived_s=lived_s, elapsed_s=self._outage.elapsed_s)
        before_s, cause = outage.elapsed_s, loss
        for attempt in count(1):
            step = policy.next_step(
                outage, verdict_on(loss, sideband=self._target.sideband), loss, self._draw()
            )
            if isinstance(step, GiveUp):
                logger.warning("the session is given up: %s", step.why)
                pump.end(ConnectionLost(cause.code, step.why), cause.code, step.why)
                return False
            outage = step.outage
            pump.publish(
                Reconnecting(
                    at=clock.now(), attempt=attempt, delay_s=step.delay_s, reason=loss.description
                )
            )
            logger.info("%s: %s; dialling in %.2f s", self._target.endpoint, loss.description, step.delay_s)
            await clock.sleep_until(clock.now() + step.delay_s)
            try:
                transport, opened = await self._attempt(dial, policy, resumption, step.within_s)
            except RtagentError as failure:
                loss = Loss.of(failure)
                outage = outage.failed(before_s + clock.now() - began)
                continue
            self._outage = replace(outage, elapsed_s=before_s + clock.now() - began)
            self._use(transport)
            pump.reconnect(resumption, opened)
            pump.publish(Reconnected(at=clock.now(), restored=len(opened.told), lost=opened.lost))
            return True
        return False

    def _use(self, transport: Transport) -> None:
        self._link = Link(transport, self._dialect, self._pump.wire)
        self._said, self._proved, self._opened_at = None, False, self._pump.clock.now()

    async def _attempt(
        self, dial: Dial, policy: ReconnectPolicy, resumption: Resumption, within_s: float
    ) -> tuple[Transport, Opened]:
        transport: Transport | None = None
        try:
            with anyio.fail_after(within_s):
                transport = await dial()
                plan = resumption.plan(
                    self._pump.clock.now(), max_tokens=policy.replay_tokens, max_age_s=policy.replay_age_s
                )
                wanted = resumption.configuration(self._target.wanted)
                return transport, await self._open(transport, wanted, plan, self._hear_again)
        except BaseException as failure:
            if transport is not None:
                with anyio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
                    await transport.aclose()
            if isinstance(failure, TimeoutError):
                raise Timeout("another connection", waited_s=within_s) from None
            raise

    async def _open(
        self,
        transport: Transport,
        wanted: events.WireModel | None,
        plan: ReplayPlan,
        heard: Callable[[events.ServerEvent], None],
    ) -> Opened:
        where = self._target.endpoint or "the server"
        opening = Opening(
            transport, self._dialect, self._pump.clock, heard=heard, sent=self._pump.say
        )
        try:
            with anyio.fail_after(self._target.timeout_s):
                await opening.greet()
                await opening.configure(wanted)
                await opening.tell(plan)
                return await opening.ready()
        except TimeoutError:
            message = f"{where} did not {opening.step} within {self._target.timeout_s:g} s"
            raise ConnectionFailed(message, url=self._target.endpoint, retryable=True) from None
        except (ConnectionLost, EndOfStream) as lost:
            message = f"{where} ended the session before it began: {lost}"
            raise ConnectionFailed(message, url=self._target.endpoint) from lost

    def _hear_again(self, event: events.ServerEvent) -> None:
        """What was told once more is no news; that there is another session, and what went wrong, is."""
        if isinstance(event, events.SessionCreated | events.SessionUpdated | events.Error):
            self._pump.hear(event)
        else:
            self._pump.fanout.observe(event)
