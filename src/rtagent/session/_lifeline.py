"""From one connection to the next: what happens when a connection ends, and how the session gets another.

Theory of operation. ``run`` uses a connection until it ends, or until its renewal has found a better one. When it
ends, the evidence is judged (``protocol.Loss``), the core is told that the connection is gone, and the policy says
whether and when to dial again. Every attempt dials, which asks for the credentials anew, opens the session there
and tells it the conversation; only when all of that is done does the core go on. An attempt that fails at any step
is a loss like any other.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from math import inf

import anyio
import anyio.abc

from .. import events
from ..errors import ConnectionLost, EndOfStream, RtagentError, SessionClosed
from ..events.lifecycle import Reconnected, Reconnecting, Renewed
from ..protocol import Loss, Opened, Resumable, verdict_on
from ..transport import Transport
from ._approach import Approach, Dial, Standby, Target, close
from ._link import Link, LinkEnd
from ._policy import GiveUp, Outage, ReconnectPolicy
from ._pump import Pump
from ._renewal import Renewal

__all__ = ("Lifeline",)

LAST_WORDS_S = 5.0
"""An error that came as long before the end, and named no event of ours, was not about the end."""

logger = logging.getLogger(__name__)


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
        self._approach = Approach(pump, target)
        self._draw = draw
        self._dialect = pump.core.dialect
        self._link = Link(transport, self._dialect, pump.wire)
        self._outage = Outage()
        self._said: events.ErrorDetail | None = None
        self._said_at = 0.0
        self._opened_at = 0.0
        self._proved = False
        """Whether the connection has brought an answer: then its end begins a new outage."""
        resumption = pump.core.resumption
        self._again: tuple[Dial, ReconnectPolicy, Resumable] | None = None
        self._renewal: Renewal | None = None
        if dial is not None and policy is not None:
            self._again = (dial, policy, resumption)
            self._renewal = Renewal(pump, self._approach, dial, policy, resumption)
            resumption.keep_speech(policy.keep_speech_s * 1000, policy.deaf_s * 1000)

    async def open(self) -> Opened:
        """Open the session on the first connection; errors are those of `Approach.first`."""
        opened = await self._approach.first(self._link.transport)
        self._pump.connect(opened)
        self._opened_at = self._pump.clock.now()
        return opened

    async def aclose(self) -> None:
        """Close what is open, also what has taken over meanwhile; bounded in time."""
        closed: Link | None = None
        while closed is not self._link:
            closed = self._link
            await close(closed.transport)
            if self._renewal is not None:
                await self._renewal.aclose()

    async def run(self) -> None:
        """Carry the conversation over one connection after the other until the session ends."""
        async with anyio.create_task_group() as group:
            while True:
                end = await self._use_link(group)
                if end is not None and not await self._goes_on(end):
                    group.cancel_scope.cancel()
                    return

    async def _use_link(self, group: anyio.abc.TaskGroup) -> LinkEnd | None:
        """Use the connection until its end; None when it was left for another one."""
        link = self._link

        def change_over(standby: Standby) -> None:
            link.leave()
            group.start_soon(close, link.transport, name="session farewell")
            self._change_over(standby)

        end: LinkEnd | None = None
        async with anyio.create_task_group() as renewing:
            if self._renewal is not None:
                renewing.start_soon(self._renewal.run, change_over, name="session renewal")
            end = await link.run(self._take)
            renewing.cancel_scope.cancel()
        return end if link is self._link else None

    def _take(self, event: events.ServerEvent) -> bool:
        if isinstance(event, events.Error) and event.error.event_id is None:
            self._said, self._said_at = event.error, self._pump.clock.now()
        elif isinstance(event, events.ResponseDone):
            self._proved = self._proved or event.response.status == "completed"
        return self._pump.take(event)

    def _change_over(self, standby: Standby) -> None:
        assert self._again is not None  # whoever has a renewal can connect again  # noqa: S101
        _, _, resumption = self._again
        opened = standby.opening.opened()
        self._pump.disconnect(resumption)
        self._go_on(standby, opened, resumption, seamless=True)
        self._outage = Outage()
        self._pump.publish(Renewed(at=self._pump.clock.now(), restored=len(opened.told) + resumption.retold))
        logger.info("%s: the connection was renewed", self._target.endpoint)

    async def _goes_on(self, end: LinkEnd) -> bool:
        """The connection has ended; whether there is another one now."""
        pump = self._pump
        if isinstance(end, SessionClosed):
            pump.end(None, 1000, "closed by us")
            return False
        said = pump.core.close_reason
        if isinstance(end, EndOfStream) and pump.farewell_said and (said or not self._dialect.turnless):
            # Where sessions end with a word of the server's, an end without it is none in good order (L1).
            pump.end(None, end.code, said or end.reason, silence=False)
            return False
        lost = end if isinstance(end, ConnectionLost) else ConnectionLost(end.code, said or end.reason)
        if self._again is None or pump.farewell_said:
            pump.end(lost, lost.code, lost.reason)
            return False
        dial, policy, resumption = self._again
        last_words = self._said if pump.clock.now() - self._said_at <= LAST_WORDS_S else None
        loss = replace(Loss.of(end, said=last_words), error_code=said)
        verdict = verdict_on(loss, sideband=self._target.sideband)
        pump.disconnect(resumption, lost, resend=verdict.resend, resume=policy.resume_answers, deaf=loss.deaf)
        return await self._restore(dial, policy, resumption, loss)

    async def _restore(self, dial: Dial, policy: ReconnectPolicy, resumption: Resumable, loss: Loss) -> bool:
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
                code = loss.code if loss.code is not None else cause.code
                pump.end(ConnectionLost(code, step.why), code, step.why)
                return False
            outage = step.outage
            pump.publish(
                Reconnecting(at=clock.now(), attempt=attempt, delay_s=step.delay_s, reason=loss.description)
            )
            logger.info("%s: %s; dialling in %.2f s", self._target.endpoint, loss.description, step.delay_s)
            await clock.sleep_until(clock.now() + step.delay_s)
            try:
                standby = await self._stand_in(dial, policy, resumption, within_s=step.within_s)
                opened = standby.opening.opened()
            except RtagentError as failure:
                loss = Loss.of(failure)
                outage = outage.failed(before_s + clock.now() - began)
                continue
            self._outage = replace(outage, elapsed_s=before_s + clock.now() - began)
            self._go_on(standby, opened, resumption)
            pump.publish(
                Reconnected(at=clock.now(), restored=len(opened.told) + resumption.retold, lost=opened.lost)
            )
            return True
        return False

    async def _stand_in(
        self, dial: Dial, policy: ReconnectPolicy, resumption: Resumable, *, within_s: float
    ) -> Standby:
        """A connection that knows everything: the one that stands ready, or a new one."""
        standby = None if self._renewal is None else self._renewal.take()
        if standby is not None:
            within_s /= 2  # the other half is for a new one
            try:
                with anyio.fail_after(within_s):
                    await self._approach.catch_up(standby, policy, resumption)
                    return standby
            except BaseException as failure:
                await close(standby.transport)
                if not isinstance(failure, RtagentError | TimeoutError):
                    raise
                logger.info("the connection that stood ready is gone: %s", failure)
        return await self._approach.another(dial, policy, resumption, within_s=within_s)

    def _go_on(
        self, standby: Standby, opened: Opened, resumption: Resumable, *, seamless: bool = False
    ) -> None:
        self._link = Link(standby.transport, self._dialect, self._pump.wire)
        self._said, self._proved, self._opened_at = None, False, self._pump.clock.now()
        self._pump.reconnect(resumption, opened, seamless=seamless)
