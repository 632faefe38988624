"""The composition root: where an endpoint, a session and the embedded engine meet."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType

import anyio

from . import events
from .agent import Agent
from .audio import Clock
from .errors import ConfigurationError
from .session import Observer, Session
from .transport import Endpoint, Transport, connect_websocket, memory_pair

__all__ = ("Connecting", "connect")


class Connecting:
    """A session that is not open yet: ``async with`` it."""

    def __init__(
        self,
        agent: Agent | None,
        endpoint: Endpoint,
        model: str | None,
        config: events.RealtimeSession | None,
        clock: Clock | None,
        observer: Observer | None,
        timeout: float,
    ) -> None:
        self.endpoint = endpoint
        self._agent = agent
        self._model = model
        self._config = config
        self._clock = clock
        self._observer = observer
        self._timeout = timeout
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Session:
        async with AsyncExitStack() as stack:
            transport = await self._dial(stack)
            session = Session(
                transport,
                self._agent,
                config=self._config,
                endpoint=str(self.endpoint),
                model=self._model,
                dialect=self.endpoint.dialect,
                clock=self._clock,
                observer=self._observer,
                timeout=self._timeout,
            )
            await stack.enter_async_context(session)
            self._stack = stack.pop_all()
        return session

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return await self._stack.__aexit__(kind, error, traceback)

    async def _dial(self, stack: AsyncExitStack) -> Transport:
        if self.endpoint.kind == "websocket":
            transport = await connect_websocket(self.endpoint, self._model, open_timeout_s=self._timeout)
            stack.push_async_callback(transport.aclose)
            return transport
        from .engine import EngineSettings, run_connection  # only who talks to it loads it

        try:
            settings = EngineSettings(**self.endpoint.options)
        except TypeError as error:
            message = f"Endpoint.local() was given what the engine does not know: {error}"
            raise ConfigurationError(message) from error
        ours, theirs = memory_pair()
        engine = await stack.enter_async_context(_Engine())
        engine.start_soon(partial(run_connection, theirs, settings, model=self._model))
        stack.push_async_callback(ours.aclose)
        return ours


class _Engine:
    """The embedded engine's task group: it ends when our side of the connection has closed."""

    def __init__(self) -> None:
        self._group = anyio.create_task_group()

    async def __aenter__(self) -> anyio.abc.TaskGroup:
        return await self._group.__aenter__()

    async def __aexit__(self, *exc_info: object) -> None:
        self._group.cancel_scope.cancel()
        await self._group.__aexit__(None, None, None)


def connect(
    agent: Agent | None = None,
    *,
    endpoint: Endpoint | None = None,
    model: str | None = None,
    config: events.RealtimeSession | None = None,
    clock: Clock | None = None,
    observer: Observer | None = None,
    timeout: float = 10.0,
) -> Connecting:
    """Open a session: ``async with rtagent.connect(agent) as session: …``.

    Args:
        agent: instructions, tools, voice and turn taking; without one the server's defaults hold.
        endpoint: where to; by default ``Endpoint.auto()``.
        model: the model, unless the endpoint's URL names it.
        config: more configuration; what it sets goes before what the agent says.
        clock: what measures turns, for programs that do not run in real time.
        observer: is told of every event in both directions, such as ``SessionRecording(…).record_event``.
        timeout: how long dialling, and then opening the session, may each take, in seconds.

    Raises (on entering):
        ConnectionFailed: no session could be opened.
        ConfigurationError: no credentials, or a configuration that cannot work.
        ServerError: the server refused the configuration.
    """
    chosen = endpoint if endpoint is not None else Endpoint.auto()
    return Connecting(agent, chosen, model, config, clock, observer, timeout)
