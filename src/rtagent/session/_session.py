"""The session that a program holds: one conversation over one connection, and all that belongs to it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import anyio

from .. import events
from ..agent import Agent
from ..audio import AudioFormat, AudioSink, AudioSource, Clock, MonotonicClock
from ..errors import ConfigurationError, RtagentError, SessionClosed
from ..events.lifecycle import AgentChanged, Closed, Connected, SessionState
from ..protocol import Core, History, HistoryEntry, Response, Usage, core_for
from ..tools import Approver
from ..transport import Transport
from ._approach import Dial, Target
from ._attachment import Attachment
from ._barge_in import BargeIn
from ._configuration import configuration
from ._earlier import history_of
from ._fanout import Observer
from ._floor import Floor
from ._handover import Handover
from ._hosted import HostedServers
from ._ids import new_id
from ._lifeline import Lifeline
from ._listening import Listening
from ._local_turns import LocalTurns
from ._measure import Metrics, SessionStatistics
from ._policy import ReconnectPolicy
from ._pump import Pump
from ._sounds import Sounds
from ._tools import ToolRunner

__all__ = ("Session",)

logger = logging.getLogger(__name__)

DEFAULT_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0


class Session(Listening):
    """One realtime conversation: ``async with`` it, and everything it started ends with the block.

    ``rtagent.connect`` makes it; given an open transport it also stands alone.

    Args:
        transport: an open connection, on which nothing was read yet.
        agent: instructions, tools, voice and turn taking.
        config: more configuration, in the session object of the dialect's vocabulary; what it sets goes
            before what the agent says.
        history: an earlier conversation that the server is told of: a snapshot, or entries.
        endpoint: where the connection leads, for messages.
        model: the model that was asked for.
        dialect: what the other side speaks.
        dial: gives another open connection to the same place, for when this one is lost; None: there is none.
        reconnect: when to dial, and what to take along; None: the session ends with its connection.
        sideband: whether the session goes with a call, and ends with it.
        state: anything that the program keeps for this session; tools find it in their context.
        caller: who is on the other side, as the program knows it; tools find it in their context.
        approver: asked before each call of a tool that needs approval, such as ``rtagent.tools.ask_aloud``.
        clock: what measures turns; sources and sinks should use the same one.
        observer: is told of every event in both directions, from the first one on, except for input audio.
        timeout: how long the server may take to open and configure the session, in seconds.
    """

    def __init__(
        self,
        transport: Transport,
        agent: Agent | None = None,
        *,
        config: events.WireModel | None = None,
        history: Sequence[HistoryEntry] | Mapping[str, Any] = (),
        endpoint: str = "",
        model: str | None = None,
        dialect: events.Dialect = events.GA,
        dial: Dial | None = None,
        reconnect: ReconnectPolicy | None = None,
        sideband: bool = False,
        state: Any = None,
        caller: Any = None,
        approver: Approver | None = None,
        clock: Clock | None = None,
        observer: Observer | None = None,
        timeout: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        self.dialect = dialect
        self._endpoint = endpoint
        self._model = model
        own_clock = clock if clock is not None else MonotonicClock()
        super().__init__(Pump(core_for(dialect, new_id=new_id), own_clock, observer))
        target = Target(
            wanted=configuration(agent, config, dialect, model),
            earlier=history_of(history),
            endpoint=endpoint,
            sideband=sideband,
            timeout_s=timeout,
        )
        self._lifeline = Lifeline(self._pump, transport, target, dial=dial, policy=reconnect)
        first = agent if agent is not None else Agent()
        self._tools = ToolRunner(
            first.registry, self, self._pump, state=state, caller=caller, approver=approver
        )
        self._handover = Handover(
            first, dialect, self.send, serve=self._tools.serve, changed=self._agent_changed
        )
        self._tools.after_call = self._handover.after_call
        self._hosted = HostedServers(lambda: self.agent.hosted, self._pump)

    # -- the block ---------------------------------------------------------------------------------

    async def __aenter__(self) -> Session:
        group = anyio.create_task_group()
        self._group = await group.__aenter__()
        self._pump.start(self._group, self._tools)
        self._handover.begin()
        try:
            await self._open()
            self._group.start_soon(self._lifeline.run, name="session connection")
            self._pump.input.keep_flowing(self._group)
            self._hosted.start(self._group)
        except BaseException as error:
            await self.__aexit__(type(error), error, None)
            raise
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        group = self._group
        if group is None:
            return
        with anyio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
            if error is None:
                await self.finish(CLOSE_TIMEOUT_S)
        self._group = None
        self._pump.end(None, 1000, "closed by us")
        await self._lifeline.aclose()
        group.cancel_scope.cancel()
        # The program's own exception goes on as it is, not inside a group of ours: the tasks here
        # report their failures as the end of the session and never raise them.
        try:
            await group.__aexit__(None, None, None)
        finally:
            await self._handover.end()

    async def finish(self, timeout: float | None = DEFAULT_TIMEOUT_S) -> bool:
        """Tell the server that no more input will come, where it wants to be told, and wait for its word.

        Leaving the block does this too. What the server still has to say comes before its word.

        Returns:
            Whether the server said that it is finished; True also where it wants no such goodbye.
        """
        farewell = self._core.phrases.farewell()
        if farewell is None or self._pump.farewell_said:
            return self._pump.closed is None or self._pump.closed.error is None
        self._pump.farewell_said = True
        try:
            await self.send(farewell, timeout)
        except RtagentError as unheard:
            logger.info("the server did not take leave: %s", unheard)
            return False
        return True

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
            Unsupported: this kind of server does not take that event.
        """
        return await self._answer(self._pump.post(event, awaited=True), event.type, timeout)

    async def _answer(
        self, event_id: str, kind: str, timeout: float | None = None
    ) -> events.ServerEvent | None:
        try:
            answer: events.ServerEvent | None = await self._pump.waiters.wait(
                event_id, timeout, f"an answer to {kind}"
            )
        except BaseException:
            self._core.give_up(event_id)
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
        return self._pump.input.append(pcm, self._pump.clock.now())

    # -- turns -------------------------------------------------------------------------------------

    async def say(
        self, text: str, role: Literal["user", "system", "assistant"] = "user"
    ) -> events.ServerEvent | None:
        """Add a text turn to the conversation; ``respond`` asks for the answer."""
        return await self.send(self._core.phrases.words(text, role))

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

    async def update(self, **changes: Any) -> events.WireModel | None:
        """Change the configuration; what is not named stays, ``None`` is sent as null.

        ``await session.update(instructions="…")``; nested objects as on the wire, such as
        ``audio={"input": {"turn_detection": None}}``.

        Returns:
            The configuration that is now in force, as the server says it.

        Raises:
            ConfigurationError: a name or value that no session has.
            ServerError: the server refused the change; nothing has changed then.
            Unsupported: this kind of server cannot change that.
        """
        await self.send(self._core.phrases.change(changes))
        return self._core.config

    @property
    def agent(self) -> Agent:
        """Who speaks now."""
        return self._handover.agent

    async def hand_over(self, agent: Agent) -> None:
        """Let another agent go on with this conversation: its instructions, its tools, its voice if that can change.

        A tool that returns an `Agent` does the same (``rtagent.handoff``); an `AgentChanged` event tells of it.

        Raises:
            ServerError: the server refused it; the agent stays.
            Unsupported: this kind of server cannot change its instructions.
        """
        await self._handover.hand_over(agent)

    # -- ears and mouth ----------------------------------------------------------------------------

    def attach(
        self,
        source: AudioSource | None = None,
        sink: AudioSink | None = None,
        *,
        interrupt_on: Literal["server", "local"] | BargeIn = "server",
        turns: Literal["server", "local"] | LocalTurns = "server",
        sounds: Sounds | None = None,
    ) -> Attachment:
        """Connect ears and mouth; they are opened, carried and closed by the session.

        A `Microphone` learns of the `Speaker` beside it and does not hear it (docs/topics/echo.md).

        Args:
            source: ears.
            sink: a mouth.
            interrupt_on: whose ear makes the voice fall silent. ``local`` is a round trip faster: the voice pauses
                when speech is heard on this side, and goes on if it was no interruption (docs/topics/barge-in.md).
            turns: who hears where a turn of the user ends. ``local`` is for ``Agent(turn_taking="manual")``: only
                speech is sent, and each turn is handed over and answered (docs/topics/voice-activity.md).
            sounds: what is heard beside the voice: a room, thinking, music on hold (docs/topics/playback.md).

        Raises:
            ConfigurationError: others are attached already, or these cannot do what is asked of them.
            Unsupported: a source, where the sound of the session is carried elsewhere.
        """
        if source is not None:
            self._pump.input.check_taken()
        current = self._pump.deeds.attachment
        if current is not None and not current.ended:
            message = "a source and a sink are attached already"
            raise ConfigurationError(message, hint="detach them first")
        beside: Callable[[AudioSink], None] | None = getattr(source, "beside", None)
        if beside is not None and sink is not None and hasattr(sink, "add_tap"):
            beside(sink)  # a microphone that stands beside a speaker hears it
        attachment = Attachment(
            source,
            sink,
            self._pump.clock,
            append=self._pump.input.append,
            muted=self._pump.input_muted,
            wait_room=self._pump.wire.wait_room,
            publish=self._pump.publish,
        )
        floor = Floor(self._pump)
        if turns != "server":
            floor.check_turns()
            attachment.hear_turns(LocalTurns() if turns == "local" else turns, floor)
        elif interrupt_on != "server":
            attachment.hear_turns(BargeIn() if interrupt_on == "local" else interrupt_on, floor)
        if sounds is not None:
            attachment.add_sounds(sounds, self.state)
        effective = self._core.effective
        attachment.set_formats(effective.input_format, effective.output_format)
        self._pump.deeds.attachment = attachment
        self._running().start_soon(self._pump.carry_audio, attachment, name="session audio")
        return attachment

    # -- state -------------------------------------------------------------------------------------

    @property
    def history(self) -> History:
        """The items in the order of the conversation, with transcripts and the part that was heard.

        ``snapshot()`` of it can be kept as JSON; ``connect(history=…)`` begins another session with it.
        """
        return self._pump.history()

    @property
    def config(self) -> events.WireModel | None:
        """The configuration in force, as the server last said it."""
        return self._core.config

    @property
    def input_format(self) -> AudioFormat:
        """What ``append_audio`` takes, as the server said."""
        return self._core.effective.input_format

    @property
    def usage(self) -> Usage:
        """The tokens of all responses so far."""
        return self._core.usage

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

    def _agent_changed(self, agent: Agent, previous: Agent) -> None:
        now = self._pump.clock.now()
        self._pump.publish(AgentChanged(at=now, name=agent.name, previous=previous.name))
        if self._group is not None:
            self._hosted.start(self._group)

    # -- opening -----------------------------------------------------------------------------------

    async def _open(self) -> None:
        opened = await self._lifeline.open()
        self._pump.set_state("listening")
        session = self._core.config
        self._pump.publish(
            Connected(
                at=self._pump.clock.now(),
                endpoint=self._endpoint,
                session_id=getattr(session, "id", None),
                model=getattr(session, "model", None) or self._model,
                restored=len(opened.told),
                lost=opened.lost,
            )
        )

    @property
    def _core(self) -> Core:
        return self._pump.core
