"""The session that a program holds: one conversation over one connection, and all that belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

import anyio
import anyio.abc

from .. import events
from ..agent import Agent
from ..audio import AudioSink, AudioSource, Clock, MonotonicClock
from ..errors import ConfigurationError, ConnectionFailed, ConnectionLost, SessionClosed, Timeout
from ..events.lifecycle import Closed, Connected, SessionState
from ..protocol import Conversation, HistoryEntry, Response, Usage, has_answer
from ..transport import Transport
from ._attachment import Attachment
from ._callbacks import Callback, run_callback
from ._configuration import configuration, wanted_changes
from ._fanout import Observer, SessionEvent, Subscription
from ._ids import new_id
from ._measure import Metrics, SessionStatistics
from ._pump import Pump, refusal
from ._tools import ToolRunner

__all__ = ("Session",)

EventT = TypeVar("EventT", bound=SessionEvent)
OtherT = TypeVar("OtherT", bound=SessionEvent)
ThirdT = TypeVar("ThirdT", bound=SessionEvent)

DEFAULT_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0


class Session:
    """One realtime conversation: ``async with`` it, and everything it started ends with the block.

    ``rtagent.connect`` makes it; given an open transport it also stands alone.

    Args:
        transport: an open connection, on which nothing was read yet.
        agent: instructions, tools, voice and turn taking.
        config: more configuration; what it sets goes before what the agent says.
        endpoint: where the connection leads, for messages.
        model: the model that was asked for, for messages.
        dialect: how the other side spells its events.
        clock: what measures turns; sources and sinks should use the same one.
        observer: is told of every event in both directions, from the first one on, except for input audio.
        timeout: how long the server may take to open and configure the session, in seconds.
    """

    def __init__(
        self,
        transport: Transport,
        agent: Agent | None = None,
        *,
        config: events.RealtimeSession | None = None,
        endpoint: str = "",
        model: str | None = None,
        dialect: events.Dialect = events.GA,
        clock: Clock | None = None,
        observer: Observer | None = None,
        timeout: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        self.agent = agent if agent is not None else Agent()
        self._config = configuration(agent, config)
        self._endpoint = endpoint
        self._model = model
        self._transport = transport
        self._timeout = timeout
        self._group: anyio.abc.TaskGroup | None = None
        own_clock = clock if clock is not None else MonotonicClock()
        self._pump = Pump(transport, Conversation(new_id=new_id), own_clock, dialect, observer)
        self._tools = ToolRunner(
            self.agent.registry,
            self,
            self._pump.clock,
            publish=self._pump.publish,
            finished=self._pump.tool_finished,
        )

    # -- the block ---------------------------------------------------------------------------------

    async def __aenter__(self) -> Session:
        group = anyio.create_task_group()
        self._group = await group.__aenter__()
        self._pump.start(self._group, self._tools)
        try:
            await self._open()
        except BaseException as error:
            await self.__aexit__(type(error), error, None)
            raise
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        group = self._group
        if group is None:
            return
        self._group = None
        self._pump.end(None, 1000, "closed by us")
        with anyio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
            await self._transport.aclose()
        group.cancel_scope.cancel()
        # The program's own exception goes on as it is, not inside a group of ours: the tasks here
        # report their failures as the end of the session and never raise them.
        await group.__aexit__(None, None, None)

    async def wait_closed(self) -> Closed:
        """Return when the session has ended, with how it ended."""
        await self._pump.ended.wait()
        if self._pump.closed is None:
            raise SessionClosed
        return self._pump.closed

    # -- events ------------------------------------------------------------------------------------

    async def send(
        self, event: events.ClientEvent, timeout: float | None = DEFAULT_TIMEOUT_S
    ) -> events.ServerEvent | None:
        """Send an event and return the server event that answers it.

        Args:
            event: what to send. A ``response.create`` waits until the conversation is free.
            timeout: how long to wait for the answer, in seconds; None waits for ever.

        Returns:
            The answer; None for an event that has none.

        Raises:
            ServerError: the server refused this event.
            Timeout: no answer came in time.
            SessionClosed: the session has ended; ``ConnectionLost`` when that was not our doing.
        """
        if not has_answer(event):
            self._pump.post(event)
            return None
        event_id = self._pump.post(event, awaited=True)
        try:
            answer: events.ServerEvent | None = await self._pump.waiters.wait(
                event_id, timeout, f"an answer to {event.type}"
            )
        except BaseException:
            self._pump.core.give_up(event_id)
            raise
        return answer

    def post(self, event: events.ClientEvent) -> str:
        """Send an event without waiting; returns the id it is sent with."""
        return self._pump.post(event)

    def append_audio(self, pcm: bytes) -> float:
        """Send input audio in the session's input format; never waits.

        Returns:
            Milliseconds of older audio that were dropped because the network is too slow; usually 0.
        """
        return self._pump.append_audio(pcm, self._pump.clock.now())

    @overload
    def subscribe(self, *, buffer: int = ...) -> Subscription[events.ServerEvent]: ...
    @overload
    def subscribe(self, one: type[EventT], /, *, buffer: int = ...) -> Subscription[EventT]: ...
    @overload
    def subscribe(
        self, one: type[EventT], other: type[OtherT], /, *, buffer: int = ...
    ) -> Subscription[EventT | OtherT]: ...
    @overload
    def subscribe(
        self, one: type[EventT], other: type[OtherT], third: type[ThirdT], /, *, buffer: int = ...
    ) -> Subscription[EventT | OtherT | ThirdT]: ...
    @overload
    def subscribe(
        self,
        one: type[SessionEvent],
        other: type[SessionEvent],
        third: type[SessionEvent],
        fourth: type[SessionEvent],
        /,
        *more: type[SessionEvent],
        buffer: int = ...,
    ) -> Subscription[SessionEvent]: ...
    def subscribe(self, *types: type[Any], buffer: int = 256) -> Subscription[Any]:
        """An ordered stream of the given event classes (every server event when none is given).

        Use it as ``async with session.subscribe(…) as stream: async for event in stream: …``. Each
        stream has its own buffer of ``buffer`` events; one that is not read loses its oldest deltas
        and is then ended with an error, without slowing anybody else.
        """
        return self._pump.fanout.subscribe(*types, buffer=buffer)

    @overload
    def on(self, kind: type[EventT], callback: Callable[[EventT], object]) -> Callback: ...
    @overload
    def on(
        self, kind: type[EventT]
    ) -> Callable[[Callable[[EventT], object]], Callable[[EventT], object]]: ...
    def on(self, kind: type[EventT], callback: Callable[[EventT], object] | None = None) -> Any:
        """Call a function, sync or async, for each event of a class; also as a decorator.

        The function runs in a task of its own: a slow one delays only itself, a failing one is
        reported as ``CallbackFailed`` and called again for the next event.
        """
        if callback is None:

            def decorate(function: Callable[[EventT], object]) -> Callable[[EventT], object]:
                self.on(kind, function)
                return function

            return decorate
        registered = Callback()
        subscription = self.subscribe(kind)
        self._pump.fanout.add(subscription)
        self._running().start_soon(
            run_callback, registered, subscription, callback, self._pump.publish, self._pump.clock
        )
        return registered

    async def wait_for(
        self,
        kind: type[EventT],
        where: Callable[[EventT], bool] | None = None,
        timeout: float | None = None,
    ) -> EventT:
        """The next event of a class for which ``where`` is true.

        Raises:
            Timeout: none came in ``timeout`` seconds.
            SessionClosed: the session ended first; ``ConnectionLost`` when that was not our doing.
        """
        self._pump.check_open()
        with anyio.move_on_after(timeout):
            async with self.subscribe(kind) as stream:
                async for event in stream:
                    if where is None or where(event):
                        return event
            raise SessionClosed
        raise Timeout(f"a {kind.__name__} event", waited_s=timeout or 0.0)

    # -- turns -------------------------------------------------------------------------------------

    async def say(
        self, text: str, role: Literal["user", "system", "assistant"] = "user"
    ) -> events.ServerEvent | None:
        """Add a text turn to the conversation; ``respond`` asks for the answer."""
        make = {
            "user": events.user_message,
            "system": events.system_message,
            "assistant": events.assistant_message,
        }
        return await self.send(events.ConversationItemCreate(item=make[role](text)))

    async def show(self, image: bytes | str | Path) -> events.ServerEvent | None:
        """Add an image (PNG or JPEG: bytes, a file, or a ``data:`` URI) to the conversation."""
        if isinstance(image, Path):
            path = anyio.Path(image)
            try:
                image = await path.read_bytes()
            except OSError as error:
                message = f"the image {path} cannot be read: {error.strerror}"
                raise ConfigurationError(message) from error
        return await self.send(events.ConversationItemCreate(item=events.user_image(image)))

    async def respond(
        self,
        instructions: str | None = None,
        *,
        modalities: Sequence[Literal["audio", "text"]] | None = None,
        conversation: Literal["auto", "none"] = "auto",
        input: Sequence[events.Item] | None = None,  # noqa: A002 (the wire's word)
        metadata: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Response:
        """Ask for a response when the conversation is free, run its tools, return the finished one.

        Args:
            instructions: for this response only, instead of the session's.
            modalities: ``["audio"]`` or ``["text"]``.
            conversation: ``"none"`` runs beside the conversation and leaves no trace in it.
            input: the context to use instead of the conversation.
            metadata: up to 15 pairs that come back with the response.
            timeout: how long all of it may take, in seconds.

        Raises:
            ServerError: the server refused the request.
            Timeout: it did not finish in time.
        """
        given: dict[str, Any] = {
            "instructions": instructions,
            "output_modalities": list(modalities) if modalities is not None else None,
            "conversation": conversation if conversation != "auto" else None,
            "input": list(input) if input is not None else None,
            "metadata": dict(metadata) if metadata is not None else None,
        }
        params = events.ResponseParams(**{name: value for name, value in given.items() if value is not None})
        return await self._pump.respond(params, timeout)

    async def interrupt(self) -> None:
        """Stop the voice now: silence, cancel what runs, truncate at what was heard."""
        self._pump.interrupt()

    async def update(self, **changes: Any) -> events.RealtimeSession:
        """Change the configuration; what is not named stays, ``None`` is sent as null.

        ``await session.update(instructions="…")``; nested objects as on the wire, such as
        ``audio={"input": {"turn_detection": None}}``.

        Returns:
            The configuration that is now in force, as the server says it.

        Raises:
            ConfigurationError: a name or value that no session has.
            ServerError: the server refused the change; nothing has changed then.
        """
        wanted = wanted_changes(changes)
        await self.send(events.SessionUpdate(session=wanted))
        effective = self._pump.core.config
        return effective if isinstance(effective, events.RealtimeSession) else wanted

    # -- ears and mouth ----------------------------------------------------------------------------

    def attach(self, source: AudioSource | None = None, sink: AudioSink | None = None) -> Attachment:
        """Connect ears and mouth; they are opened, carried and closed by the session.

        Raises:
            ConfigurationError: others are attached already.
        """
        current = self._pump.attachment
        if current is not None and not current.ended:
            message = "a source and a sink are attached already"
            raise ConfigurationError(message, hint="detach them first")
        attachment = Attachment(source, sink, self._pump.clock, append=self._pump.append_audio)
        effective = self._pump.core.effective
        attachment.set_formats(effective.input_format, effective.output_format)
        self._pump.attachment = attachment
        self._running().start_soon(self._pump.carry_audio, attachment, name="session audio")
        return attachment

    # -- state -------------------------------------------------------------------------------------

    @property
    def history(self) -> tuple[HistoryEntry, ...]:
        """The items in the order of the conversation, with transcripts and the part that was heard."""
        return self._pump.history()

    @property
    def config(self) -> events.SessionConfig | None:
        """The configuration in force, as the server last said it."""
        return self._pump.core.config

    @property
    def usage(self) -> Usage:
        """The tokens of all responses so far."""
        return self._pump.core.usage

    @property
    def metrics(self) -> Metrics:
        """Latencies per turn, and what was dropped."""
        return self._pump.metrics()

    @property
    def state(self) -> SessionState:
        """What the session is doing now; each change is a ``StateChanged`` event."""
        return self._pump.state

    def statistics(self) -> SessionStatistics:
        """What went over the wire so far, and whether anything is still under way from here."""
        return self._pump.statistics()

    # -- opening -----------------------------------------------------------------------------------

    async def _open(self) -> None:
        created: events.SessionCreated | None = None
        try:
            with anyio.fail_after(self._timeout):
                created = await self._first_snapshot()
                if self._config is not None:
                    await self.send(events.SessionUpdate(session=self._config), timeout=None)
        except TimeoutError:
            what = "configure the session" if created is not None else "greet us with session.created"
            message = f"{self._endpoint or 'the server'} did not {what} within {self._timeout:g} s"
            raise ConnectionFailed(message, url=self._endpoint, retryable=True) from None
        except ConnectionLost as lost:
            message = f"{self._endpoint or 'the server'} ended the session before it began: {lost}"
            raise ConnectionFailed(message, url=self._endpoint) from lost
        self._pump.set_state("listening")
        session = self._pump.core.config
        self._pump.publish(
            Connected(
                at=self._pump.clock.now(),
                endpoint=self._endpoint,
                session_id=getattr(session, "id", None),
                model=getattr(session, "model", None) or self._model,
            )
        )

    async def _first_snapshot(self) -> events.SessionCreated:
        async with self.subscribe(events.SessionCreated, events.Error) as stream:
            async for event in stream:
                if isinstance(event, events.SessionCreated):
                    return event
                raise refusal(event.error)
        raise SessionClosed

    def _running(self) -> anyio.abc.TaskGroup:
        self._pump.check_open()
        if self._group is None:
            message = "the session is not open"
            raise SessionClosed(message)
        return self._group
