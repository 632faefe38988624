"""What is said of an MCP server when something is wrong with it, to the model and to the program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from ..errors import ConnectionFailed, RtagentError
from ._faults import shortened
from ._mcp_connection import McpServerAddress

__all__ = ("McpState", "McpWords")

McpState = Literal["connecting", "ready", "lost", "failed", "closed"]

_SAID_CHARS = 400


@dataclass(frozen=True, slots=True)
class McpWords:
    """Words about one server; each for the model says whether anything was done."""

    address: McpServerAddress
    within_s: float
    """How long the server may take to answer (seconds)."""

    @property
    def name(self) -> str:
        """What the server is called."""
        return f"the MCP server {self.address.label}"

    def unreachable(self, state: McpState) -> str:
        """There is no connection to call it over."""
        match state:
            case "failed":
                return f"{self.name} is not available any more; nothing was done"
            case "closed":
                return f"{self.name} is closed; nothing was done"
            case _:
                return f"{self.name} is being started again; nothing was done, try again in a moment"

    def lost_in_call(self) -> str:
        """The connection ended before the answer came."""
        return f"{self.name} was lost during the call, which may have been carried out; it is not repeated"

    def forgotten(self) -> str:
        """The server does not know our session any more."""
        return f"{self.name} was restarted and did not take the call; try again in a moment"

    def refused(self, message: str) -> str:
        """The server answered with an error of the protocol."""
        return f"{self.name} refused the call: {message}"

    def ended(self) -> str:
        """Why a server that just ended is lost."""
        return self._with_its_own("it has ended")

    def reason_of(self, error: BaseException) -> str:
        """Why a connection failed, in one line."""
        cause = _first_of(error)
        if isinstance(cause, TimeoutError):
            return self._with_its_own(f"it did not answer within {self.within_s:g} s")
        words = f"{type(cause).__name__}: {cause}".removesuffix(": ").replace("\n", " ")
        return self._with_its_own(shortened(words, _SAID_CHARS))

    def first_failure(self, error: Exception) -> RtagentError:
        """What the program is told when there never was a connection; an error of ours as it is."""
        cause = _first_of(error)
        if isinstance(cause, RtagentError):
            return cause
        return ConnectionFailed(f"{self.name} cannot be used: {self.reason_of(cause)}")

    def _with_its_own(self, words: str) -> str:
        said = self.address.said()
        return f"{words}; {said}" if said else words


def _first_of(error: BaseException) -> BaseException:
    """The first exception that is no group; the others are mostly its consequences."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error
