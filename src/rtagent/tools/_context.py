"""What a tool may know about the call it serves, what it may ask for, and how a parameter asks for that."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Generic, Protocol, Union, get_args, get_origin

from anyio import from_thread

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    StateT = TypeVar("StateT", default=Any)
else:
    from typing import TypeVar

    StateT = TypeVar("StateT")

__all__ = ("CallDesk", "RunningCall", "ToolContext", "asks_for_context")


@dataclass(frozen=True, slots=True)
class RunningCall:
    """A call that has not ended."""

    call_id: str
    name: str
    arguments: str
    """JSON text, as the model wrote it."""
    running_s: float
    background: bool = False
    """Whether the model has been answered already, and the result follows."""


class CallDesk(Protocol):
    """What a session does for the calls that it runs."""

    async def progress(self, call_id: str, text: str, *, speak: bool) -> None:
        """Tell how far a call is, to the program and (``speak``) to the user."""
        ...

    async def ask(self, call_id: str, question: str, within_s: float) -> str | None:
        """Ask the user aloud; the words of the next turn, None when none came in time."""
        ...

    def running(self) -> tuple[RunningCall, ...]:
        """The calls that run now, in the order of their start."""
        ...

    def cancel(self, call_id: str) -> bool:
        """Cancel a call; False when no such call runs."""
        ...


@dataclass(frozen=True, slots=True)
class ToolContext(Generic[StateT]):
    """The call that a tool serves.

    A parameter annotated with this class receives it, wherever it stands, and is hidden from the model.
    ``ToolContext[MyState]`` says what ``state`` is, for type checkers alone.
    """

    session: Any
    """The session that the call came from; None outside of one."""
    call_id: str
    """The wire's id of this call."""
    name: str
    """The tool's name, as the model called it."""
    state: StateT = None  # type: ignore[assignment]
    """What the program keeps for this session: ``connect(state=…)``."""
    caller: Any = None
    """Who is on the other side, as the program knows it: ``connect(caller=…)``."""
    arguments: str = ""
    """JSON text, as the model wrote it."""
    desk: CallDesk | None = field(default=None, repr=False, compare=False)
    """What the session does for the call; None outside of one."""

    @property
    def history(self) -> Sequence[Any]:
        """The conversation as it is now; empty outside of a session. May be read on any thread."""
        session = self.session
        if session is None:
            return ()
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # a worker thread: the session belongs to the event loop
            return from_thread.run_sync(_history_of, session)
        return _history_of(session)

    async def progress(self, text: str, *, speak: bool = False) -> None:
        """Tell how far the call is; the program sees a ``ToolProgress`` event.

        A synchronous tool calls it as ``anyio.from_thread.run(context.progress, "half done")``.

        Args:
            text: what to tell.
            speak: whether the assistant says it too, as soon as nobody else speaks; if the call ends first, it
                is not said.
        """
        if self.desk is not None:
            await self.desk.progress(self.call_id, text, speak=speak)


def asks_for_context(annotation: Any) -> bool:
    """Whether an annotation is `ToolContext`, also optional, with the type of its state, or ``Annotated``."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return asks_for_context(get_args(annotation)[0])
    if origin is Union or origin is UnionType:
        members = [member for member in get_args(annotation) if member is not NoneType]
        return all(asks_for_context(member) for member in members)
    return annotation is ToolContext or origin is ToolContext


def _history_of(session: Any) -> Sequence[Any]:
    history: Sequence[Any] = session.history
    return history
