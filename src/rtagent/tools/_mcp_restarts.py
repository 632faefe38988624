"""When a server that was lost is started again."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ConfigurationError

__all__ = ("McpRestarts",)


@dataclass(frozen=True, slots=True)
class McpRestarts:
    """How often and when a lost MCP server is started, or dialled, again."""

    attempts: int = 5
    """Attempts in a row before it is given up; 0 is never."""
    first_s: float = 0.5
    """The wait before the first attempt; each further one is twice as long (seconds)."""
    longest_s: float = 30.0
    stable_after_s: float = 10.0
    """A connection that held for so long is a success: the count begins anew (seconds)."""

    def __post_init__(self) -> None:
        if self.attempts < 0 or not 0 <= self.first_s <= self.longest_s:
            message = "restarts need attempts of 0 or more, and 0 <= first_s <= longest_s"
            raise ConfigurationError(message)

    def delay_s(self, failures: int, chance: float) -> float | None:
        """The wait before the next attempt, or None to give up.

        Args:
            failures: how often it was lost in a row, from 1.
            chance: a random number from 0 to 1; waits are spread over their upper half, so that many programs
                do not dial at the same moment.
        """
        if failures > self.attempts:
            return None
        whole = min(self.longest_s, self.first_s * float(1 << min(failures - 1, 32)))
        return whole * (0.5 + chance / 2)
