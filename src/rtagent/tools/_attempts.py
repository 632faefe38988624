"""Making a call again that failed in a way that may pass."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from ._tool import Tool

__all__ = ("FIRST_DELAY_S", "LONGEST_DELAY_S", "attempt")

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 2.0
_log = logging.getLogger("rtagent.tools")


async def attempt(tool: Tool[..., Any], run: Callable[[], Awaitable[Any]]) -> Any:
    """Run a call, and again after failures of the kinds that its tool names, waiting twice as long each time.

    A wait that would pass the deadline is not begun: the failure itself says more than that time ran out.
    """
    delay_s = FIRST_DELAY_S
    for number in range(1, tool.retries + 1):
        try:
            return await run()
        except tool.retry_on as error:
            if anyio.current_time() + delay_s >= anyio.current_effective_deadline():
                raise
            _log.info(
                "attempt %d of tool %s failed (%s); again in %g s",
                number,
                tool.name,
                type(error).__name__,
                delay_s,
            )
        await anyio.sleep(delay_s)
        delay_s = min(2 * delay_s, LONGEST_DELAY_S)
    return await run()
