"""A Realtime server for tests: it behaves like a vendor's, follows scripts, and fails on demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, cast

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from ..audio import Clock, MonotonicClock
from ..errors import ConfigurationError, SessionClosed, Timeout
from ..transport import MemoryTransport, memory_pair
from ._bell import Bell
from ._fault_watch import Doorkeeper
from ._faults import Fault, Refuse
from ._script import Script, Step
from ._server_connection import ServerConnection, selected
from ._server_door import listening, refusal
from ._server_life import Opening, ServerLife
from ._server_link import Link, MemoryLink
from ._server_play import Common
from ._vendor_tables import VENDORS
from ._verdict import verdict

if TYPE_CHECKING:
    from ..transport import Endpoint

__all__ = ("RealtimeServer",)

SETTLE_TIMEOUT_S = 1.0
SHUT_TIMEOUT_S = 5.0
TURNS = 50
"""Turns of the event loop in which a frame that has come is read: far more than it takes."""


class RealtimeServer:
    """A server to test agents against: any number of connections, one after the other or at the same time.

    Without a script it has a simple mind. A user's text or transcript with the word ``tool`` makes it call
    the first function that it has, with ``story`` in it the answer stops in the middle until it is
    interrupted or ``release`` is called, a function's output is answered by "done", and anything else by
    "You said" and the words. Samples that are not zero are speech, and 200 ms of zeros end a turn.

    Example::

        async with RealtimeServer(transcripts=["what time is it"]) as server:
            async with rtagent.connect(agent, endpoint=server.endpoint) as session:
                ...
        assert server.refusals == []

    Args:
        profile: the vendor that it behaves like, by the name of its profile.
        transcripts: what the user is taken to have said, one for each spoken turn; then "hello there".
        arguments: what functions are called with.
        script: the steps of the first connection, or a list of steps for each; connections without one
            are answered as above.
        faults: what goes wrong, and when.
        over: ``"websocket"`` listens on a port of this machine; ``"memory"`` is reached by ``dial``.
        strict: whether what a script does not expect, or what is left of it, fails the block.
        clock: what delays and pauses are measured by.
        session_seconds: how far ahead the ``expires_at`` of each session is; only ``Expire`` ends one.
    """

    def __init__(
        self,
        profile: str = "openai",
        *,
        transcripts: Iterable[str] = (),
        arguments: Mapping[str, Any] | None = None,
        script: Sequence[Step] | Sequence[Sequence[Step]] | None = None,
        faults: Iterable[Fault] = (),
        over: Literal["websocket", "memory"] = "websocket",
        strict: bool = True,
        clock: Clock | None = None,
        session_seconds: float = 3_600.0,
    ) -> None:
        if profile not in VENDORS:
            message = f"no server of {profile!r} is known"
            raise ConfigurationError(message, hint=f"one of {', '.join(sorted(VENDORS))}")
        self.profile = profile
        self.connections: list[ServerConnection] = []
        """All of them, in the order in which they came."""
        self._lives: list[ServerLife] = []
        self._over = over
        self._common = Common(
            VENDORS[profile],
            clock if clock is not None else MonotonicClock(),
            numbers=count(1),
            transcripts=iter(transcripts),
            arguments=arguments or {},
            session_seconds=session_seconds,
            strict=strict,
        )
        self._scripts = _scripts(script)
        self._faults: list[Fault] = []
        self._doorkeeper = Doorkeeper()
        self._failures: list[Exception] = []
        self._left_over: list[str] = []
        self._given = 0
        self._bell = Bell()
        self._stack = AsyncExitStack()
        self._group: TaskGroup | None = None
        self._address: str | None = None
        for fault in faults:
            self.inject(fault)

    # -- the block -----------------------------------------------------------------------------------

    async def __aenter__(self) -> RealtimeServer:
        async with AsyncExitStack() as stack:
            if self._over == "websocket":
                address = await stack.enter_async_context(listening(self._admit, self._take_in))
                self._address = address + self._common.vendor.address
            self._group = await stack.enter_async_context(anyio.create_task_group())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._shut(settle=error is None or isinstance(error, Exception))
        if error is None or isinstance(error, Exception):
            self._judge(error)

    # -- where it is ---------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Its WebSocket address.

        Raises:
            ConfigurationError: it has none, or has not been started.
        """
        if self._address is None:
            where = "dial() reaches a server in memory" if self._over == "memory" else "async with it first"
            message = "this server listens on no address"
            raise ConfigurationError(message, hint=where)
        return self._address

    @property
    def endpoint(self) -> Endpoint:
        """What ``rtagent.connect`` takes to get here."""
        from ..transport import Endpoint  # loads the events, with which this server has nothing to do

        return Endpoint.url(self.url, api_key="test-key", profile=self.profile)

    async def dial(self) -> MemoryTransport:
        """One more connection in memory: the client's end of it.

        Raises:
            ConnectionFailed: a ``Refuse`` was due.
        """
        if self._group is None:
            message = "async with the server before dialling it"
            raise SessionClosed(message)
        refuse = self._admit()
        if refuse is not None:
            raise refusal(refuse)
        ours, theirs = memory_pair()
        life = self._open(MemoryLink(theirs), self._common.vendor.address, {})
        self._group.start_soon(self._serve, life)
        await checkpoint()
        return ours

    # -- what happened -------------------------------------------------------------------------------

    @property
    def log(self) -> list[dict[str, Any]]:
        """What the clients sent, in order, over all connections; of audio only the length of its base64."""
        return self._common.log

    @property
    def refusals(self) -> list[str]:
        """What a real server would have refused, over all connections.

        Of scripts that are not strict also what they did not expect and, after the block, what is left.
        """
        return [text for connection in self.connections for text in connection.refusals] + self._left_over

    @property
    def refused(self) -> int:
        """Handshakes that were refused."""
        return self._doorkeeper.refused

    @property
    def undone(self) -> list[Fault]:
        """The faults that have not happened, for tests that want to be sure that theirs did."""
        done = [fault for connection in self.connections for fault in connection.faults_done]
        return [fault for fault in self._faults if fault not in (*done, *self._doorkeeper.done)]

    def sent(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The clients' events of that type, or all but the audio, over all connections."""
        return selected(self.log, kind)

    # -- what is to happen ---------------------------------------------------------------------------

    @property
    def current(self) -> ServerConnection:
        """The newest connection that is open.

        Raises:
            SessionClosed: there is none.
        """
        for connection in reversed(self.connections):
            if connection.ended is None:
                return connection
        message = "no connection to this server is open"
        raise SessionClosed(message)

    async def next_connection(self, timeout: float = 5.0) -> ServerConnection:
        """The next connection; each is given out once, also those that came before.

        Raises:
            Timeout: none came.
        """
        with anyio.move_on_after(timeout):
            while len(self.connections) <= self._given:
                await self._bell.wait()
            self._given += 1
            return self.connections[self._given - 1]
        what = f"connection {self._given + 1}"
        raise Timeout(what, waited_s=timeout)

    def inject(self, fault: Fault) -> None:
        """Let something go wrong, in the connection that the fault names; see also its own ``inject``.

        Raises:
            SessionClosed: that connection has ended.
        """
        if isinstance(fault, Refuse):
            self._doorkeeper.add(fault)
        elif fault.connection is None:
            for connection in self.connections:
                if connection.ended is None:
                    connection.inject(fault)
        elif fault.connection <= len(self.connections):
            self.connections[fault.connection - 1].inject(fault)
        self._faults.append(fault)

    # -- connections ---------------------------------------------------------------------------------

    def _admit(self) -> Refuse | None:
        return self._doorkeeper.answer(len(self.connections) + 1)

    def _open(self, link: Link, path: str, headers: Mapping[str, str]) -> ServerLife:
        number = len(self.connections) + 1
        opening = Opening(
            number,
            path,
            headers,
            [f for f in self._faults if not isinstance(f, Refuse) and f.connection in (None, number)],
            self._scripts.get(number),
        )
        life = ServerLife(self._common, opening, link)
        self._lives.append(life)
        self.connections.append(ServerConnection(life))
        self._bell.ring()
        return life

    async def _serve(self, life: ServerLife) -> None:
        try:
            await life.serve()
        except Exception as error:  # noqa: BLE001 - raised at the end of the block
            self._failures.append(error)

    async def _take_in(self, link: Link, path: str, headers: Mapping[str, str]) -> None:
        await self._serve(self._open(link, path, headers))

    async def _shut(self, *, settle: bool) -> None:
        if settle:
            with anyio.move_on_after(SETTLE_TIMEOUT_S):
                await self._settle()
        with anyio.move_on_after(SHUT_TIMEOUT_S, shield=True):
            async with anyio.create_task_group() as group:
                for life in self._lives:
                    group.start_soon(life.go_away)
        await self._stack.aclose()
        self._group = self._address = None

    async def _settle(self) -> None:
        """Return when all is read that has come: that is judged too."""
        taken = -1
        while taken != self._common.taken:
            taken = self._common.taken
            for _ in range(TURNS):
                await checkpoint()

    def _judge(self, error: Exception | None) -> None:
        """Raise what went wrong on this side; what the block itself raised is its cause."""
        scripts = self._scripts.values()
        unexpected = [problem for script in scripts for problem in script.problems]
        self._left_over = [left for script in scripts if (left := script.unfinished()) is not None]
        problem = verdict(
            self._failures, unexpected, self._left_over, strict=self._common.strict, error=error
        )
        if problem is not None:
            raise problem from error


def _scripts(script: Sequence[Step] | Sequence[Sequence[Step]] | None) -> dict[int, Script]:
    """The scripts, by the number of their connection."""
    if not script:
        return {}
    several = isinstance(script[0], Sequence)
    each = cast("Sequence[Sequence[Step]]", script if several else [script])
    return {
        number: Script(steps, f"connection {number}") for number, steps in enumerate(each, start=1) if steps
    }
