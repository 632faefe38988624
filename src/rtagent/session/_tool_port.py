"""What the shell around the core needs of whoever runs its tools."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import anyio.abc

from ..protocol import Call

__all__ = ("CallRunner",)


class CallRunner(Protocol):
    """Runs calls, each of which ends in one ``Pump.tool_finished``."""

    @property
    def idle(self) -> bool:
        """Whether no call runs."""
        ...

    def start(self, call: Call, group: anyio.abc.TaskGroup) -> None:
        """Run a call in the group."""
        ...

    def interrupt(self, call_ids: Iterable[str]) -> None:
        """The user took the floor while these calls run."""
        ...

    def hush(self) -> None:
        """The voice falls silent: nothing more is said about what runs now."""
        ...
