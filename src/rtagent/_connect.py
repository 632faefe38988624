"""The composition root: where an endpoint, a session and the embedded engine meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast, overload

import anyio

from . import events
from .agent import Agent
from .audio import Clock
from .errors import ConfigurationError
from .session import Dial, Observer, ReconnectPolicy, Session
from .transport import Endpoint, Transport, connect_websocket, memory_pair

if TYPE_CHECKING:
    from .protocol import HistoryEntry
    from .session import SyncConnecting, Transcriber, Translator
    from .tools import Approver

__all__ = ("Connecting", "connect", "connect_sync")

OpenT = TypeVar("OpenT")

_RECONNECT = ReconnectPolicy()
_MODES: Mapping[str, events.Mode] = {
    "agent": "conversation",
    "history": "conversation",
    "state": "conversation",
    "caller": "conversation",
    "approver": "conversation",
    "language": "transcription",
    "to": "translation",
}
"""Arguments of ``connect`` that mean something in one mode only."""


class Connecting(Generic[OpenT]):
    """A session that is not open yet: ``async with`` it.

    Args:
        mode: what the session is for.
        surface: makes what the program gets of the session: a smaller surface, or (None) the session itself.
        endpoint: where to.
        model: the model that was asked for.
        options: what else ``Session`` takes.
    """

    def __init__(
        self,
        mode: events.Mode,
        surface: Callable[[Session], AbstractAsyncContextManager[OpenT]] | None,
        endpoint: Endpoint,
        model: str | None,
        options: dict[str, Any],
    ) -> None:
        self.endpoint = endpoint.for_session(mode, model)
        self._mode = mode
        self._surface = surface
        self._model = model
        self._options = options
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> OpenT:
        async with AsyncExitStack() as stack:
            dial = await self._dialler(stack)
            transport = await dial()
            stack.push_async_callback(transport.aclose)
            session = Session(
                transport,
                endpoint=str(self.endpoint),
                model=self._model,
                dialect=self.endpoint.dialect,
                dial=dial,
                sideband=self.endpoint.sideband,
                **self._options,
            )
            opened: Any = await stack.enter_async_context(session)
            if self._surface is not None:
                opened = await stack.enter_async_context(self._surface(session))
            self._stack = stack.pop_all()
        return cast("OpenT", opened)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return await self._stack.__aexit__(kind, error, traceback)

    async def _dialler(self, stack: AsyncExitStack) -> Dial:
        """What gives a connection, and another one each time it is called; the secret is asked for each time."""
        policy: ReconnectPolicy = self._options["reconnect"] or ReconnectPolicy()
        if self.endpoint.kind == "websocket":
            return partial(
                connect_websocket,
                self.endpoint,
                self._model,
                open_timeout_s=self._options["timeout"],
                ping_interval_s=policy.ping_interval_s,
                ping_timeout_s=policy.ping_timeout_s,
            )
        from .engine import EngineSettings, run_connection  # only who talks to it loads it

        try:
            settings = EngineSettings(**self.endpoint.options)
        except TypeError as error:
            message = f"Endpoint.local() was given what the engine does not know: {error}"
            raise ConfigurationError(message) from error
        engine = await stack.enter_async_context(_Engine())
        intent = "transcription" if self._mode == "transcription" else None

        async def dial() -> Transport:
            ours, theirs = memory_pair()
            engine.start_soon(partial(run_connection, theirs, settings, model=self._model, intent=intent))
            return ours

        return dial


class _Engine:
    """The embedded engine's task group: it ends when our side of the connection has closed."""

    def __init__(self) -> None:
        self._group = anyio.create_task_group()

    async def __aenter__(self) -> anyio.abc.TaskGroup:
        return await self._group.__aenter__()

    async def __aexit__(self, *exc_info: object) -> None:
        self._group.cancel_scope.cancel()
        await self._group.__aexit__(None, None, None)


@overload
def connect(
    agent: Agent | None = ...,
    *,
    mode: Literal["conversation"] = ...,
    endpoint: Endpoint | None = ...,
    model: str | None = ...,
    config: events.WireModel | None = ...,
    history: Sequence[HistoryEntry] | Mapping[str, Any] = ...,
    state: Any = ...,
    caller: Any = ...,
    approver: Approver | None = ...,
    reconnect: ReconnectPolicy | None = ...,
    clock: Clock | None = ...,
    observer: Observer | None = ...,
    timeout: float = ...,
) -> Connecting[Session]: ...
@overload
def connect(
    *,
    mode: Literal["transcription"],
    language: str | None = ...,
    endpoint: Endpoint | None = ...,
    model: str | None = ...,
    config: events.WireModel | None = ...,
    reconnect: ReconnectPolicy | None = ...,
    clock: Clock | None = ...,
    observer: Observer | None = ...,
    timeout: float = ...,
) -> Connecting[Transcriber]: ...
@overload
def connect(
    *,
    mode: Literal["translation"],
    to: str | None = ...,
    endpoint: Endpoint | None = ...,
    model: str | None = ...,
    config: events.WireModel | None = ...,
    reconnect: ReconnectPolicy | None = ...,
    clock: Clock | None = ...,
    observer: Observer | None = ...,
    timeout: float = ...,
) -> Connecting[Translator]: ...
def connect(
    agent: Agent | None = None,
    *,
    mode: events.Mode = "conversation",
    endpoint: Endpoint | None = None,
    model: str | None = None,
    config: events.WireModel | None = None,
    history: Sequence[HistoryEntry] | Mapping[str, Any] = (),
    state: Any = None,
    caller: Any = None,
    approver: Approver | None = None,
    language: str | None = None,
    to: str | None = None,
    reconnect: ReconnectPolicy | None = _RECONNECT,
    clock: Clock | None = None,
    observer: Observer | None = None,
    timeout: float = 10.0,
) -> Connecting[Any]:
    """Open a session: ``async with rtagent.connect(agent) as session: …``.

    Args:
        agent: instructions, tools, voice and turn taking; without one the server's defaults hold.
        mode: ``conversation`` gives a `Session`, ``transcription`` a `Transcriber` (speech is written down,
            nothing answers), ``translation`` a `Translator` (the same speech in another language).
        endpoint: where to; by default ``Endpoint.auto()``.
        model: the model, unless the endpoint's URL names it; of a transcription the one that writes.
        config: more configuration; what it sets goes before what the agent says.
        history: of a conversation: an earlier one to go on with, as ``session.history`` or its ``snapshot()``.
            The server is told its newest part (about 16,000 tokens) as text; nothing is said on that.
        state: anything that the program keeps for this session; tools find it as ``context.state``.
        caller: who is on the other side, as the program knows it; tools find it as ``context.caller``.
        approver: asked before each call of a tool that needs approval (docs/topics/tools.md).
        language: of a transcription: what is spoken, such as ``"en"``.
        to: of a translation: what it is to become, such as ``"es"``.
        reconnect: what happens when the connection is lost: by default another one is dialled, and the
            conversation goes on there. None: the session ends with its connection.
        clock: what measures turns, for programs that do not run in real time.
        observer: is told of every event in both directions, such as ``SessionRecording(…).record_event``.
        timeout: how long dialling, and then opening the session, may each take, in seconds.

    Raises:
        Unsupported: that kind of server has no such sessions.
        ConfigurationError: no credentials, an argument of another mode, or a configuration that cannot work.
        ConnectionFailed: (on entering) no session could be opened.
        ServerError: (on entering) the server refused the configuration.
    """
    tooling = {"state": state, "caller": caller, "approver": approver}
    _check_arguments(mode, agent=agent, history=history or None, language=language, to=to, **tooling)
    chosen = endpoint if endpoint is not None else Endpoint.auto()
    options: dict[str, Any] = {
        "reconnect": reconnect,
        "clock": clock,
        "observer": observer,
        "timeout": timeout,
    }
    match mode:
        case "conversation":
            options |= {"agent": agent, "config": config, "history": history, **tooling}
            return Connecting(mode, None, chosen, model, options)
        case "transcription":
            from .session import Transcriber, transcription_config

            options["config"] = transcription_config(language, model, config, dialect=chosen.dialect)
            return Connecting(
                mode, lambda session: Transcriber(session, session.dialect), chosen, model, options
            )
        case "translation":
            from .session import Translator, translation_config

            options["config"] = translation_config(to, model, config)
            return Connecting(mode, Translator, chosen, model, options)


def _check_arguments(mode: events.Mode, **given: object) -> None:
    for name, value in given.items():
        if value is not None and _MODES[name] != mode:
            message = f"{name} is for mode={_MODES[name]!r}, not for {mode!r}"
            raise ConfigurationError(message)


def connect_sync(
    agent: Agent | None = None,
    *,
    endpoint: Endpoint | None = None,
    model: str | None = None,
    config: events.WireModel | None = None,
    history: Sequence[HistoryEntry] | Mapping[str, Any] = (),
    state: Any = None,
    caller: Any = None,
    approver: Approver | None = None,
    reconnect: ReconnectPolicy | None = _RECONNECT,
    clock: Clock | None = None,
    observer: Observer | None = None,
    timeout: float = 10.0,
) -> SyncConnecting:
    """Open a session without ``await``: ``with rtagent.connect_sync(agent) as session: …``.

    The same session as ``connect`` opens, run by one thread in the background; for scripts and notebooks,
    also where an event loop runs already. Arguments and errors are those of ``connect``; an observer is
    called in that thread.
    """
    from .session import SyncConnecting

    return SyncConnecting(
        connect(
            agent,
            endpoint=endpoint,
            model=model,
            config=config,
            history=history,
            state=state,
            caller=caller,
            approver=approver,
            reconnect=reconnect,
            clock=clock,
            observer=observer,
            timeout=timeout,
        )
    )
