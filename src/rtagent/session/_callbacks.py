"""Callbacks of the program, each in a task and with a buffer of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

import anyio

from ..audio import Clock
from ..errors import RtagentError
from ..events.lifecycle import CallbackFailed, LifecycleEvent
from ._fanout import Subscription

__all__ = ("Callback", "run_callback")

logger = logging.getLogger(__name__)


class Callback:
    """The handle of ``session.on``."""

    def __init__(self) -> None:
        self.scope = anyio.CancelScope()

    def cancel(self) -> None:
        """Do not call it any more."""
        self.scope.cancel()


async def run_callback(
    handle: Callback,
    subscription: Subscription[Any],
    function: Callable[[Any], object],
    publish: Callable[[LifecycleEvent], None],
    clock: Clock,
) -> None:
    """Call a function for each event until the session ends; a failure is reported and survived."""
    name = getattr(function, "__qualname__", repr(function))
    with handle.scope:
        async with subscription:
            try:
                async for event in subscription:
                    try:
                        result = function(event)
                        if isawaitable(result):
                            await result
                    except Exception as error:
                        logger.warning("callback %s failed", name, exc_info=error)
                        publish(CallbackFailed(at=clock.now(), callback=name, error=error))
            except RtagentError as ended:
                logger.debug("callback %s ended: %s", name, ended)
