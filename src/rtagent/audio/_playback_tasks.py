"""The tasks that an open sink owns."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import anyio
from anyio.abc import TaskGroup

__all__ = ("OwnedTasks",)


class OwnedTasks:
    """Background tasks of one ``async with`` block, ended by ``stop`` and never later.

    A plain task group would wrap the block's own exception into a group; this one is left before the
    exception goes on its way.
    """

    def __init__(self) -> None:
        self._group: TaskGroup | None = None

    @property
    def running(self) -> bool:
        return self._group is not None

    async def start(self, *tasks: Callable[[], Coroutine[Any, Any, None]]) -> None:
        group = anyio.create_task_group()
        await group.__aenter__()
        self._group = group
        for task in tasks:
            group.start_soon(task)

    async def stop(self) -> None:
        """Cancel the tasks and wait for their end."""
        group, self._group = self._group, None
        if group is not None:
            group.cancel_scope.cancel()
            await group.__aexit__(None, None, None)
