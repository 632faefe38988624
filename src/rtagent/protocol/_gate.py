"""The response gate: at most one response of the default conversation is asked for at a time.

Theory of operation. The server allows one running response per conversation, and its own voice
activity detection may start one at any moment (protocol document, 15.4). Two things can therefore
be under way at once: a ``response.create`` of ours that has no answer yet, and a running response
that may or may not be ours. Their combinations are the states; the moves are what the program, the
server and the clock do. A pair that is absent from the table is not possible, and asking for it
is the caller's error. Requests wait in a queue: automatic ones (after tool outputs) melt into one,
the program's own keep their order. Out-of-band requests (``conversation="none"``) never pass here
as far as the slot goes; they are only kept to be matched with their answers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal

from .. import events
from ..errors import LocalProtocolError

__all__ = ("REQUEST_KEY", "Gate", "GateMove", "GateState", "InFlight", "LostResponse", "ResponseRequest")

REQUEST_KEY = "rtagent_request"
"""The key in ``response.metadata`` that ties a ``response.created`` to its request (rule C3)."""

ANSWER_WITHIN_S = 10.0
"""How long ``response.created`` may take."""
METADATA_PAIRS = 16
"""The most pairs that ``response.metadata`` may hold."""


class GateState(Enum):
    """What is under way in the default conversation."""

    FREE = "free"
    ASKED = "asked"
    """Our create is on its way, nothing runs."""
    CROSSED = "crossed"
    """Our create is on its way and a response of the server's own has begun."""
    ACTIVE = "active"
    CANCELLING = "cancelling"
    BLOCKED = "blocked"
    """The server says that something runs which it has not announced to us yet."""


class GateMove(Enum):
    """What can happen to the slot."""

    ASK = "ask"
    CREATED_OURS = "created ours"
    CREATED_OTHER = "created other"
    REFUSED = "refused"
    """An error names our create, or it was not answered in time."""
    OCCUPIED = "occupied"
    """Our create was refused because another response is running."""
    LAPSED = "lapsed"
    """What was said to be running never showed up."""
    CANCEL = "cancel"
    DONE = "done"
    LOST = "lost"
    """The connection is gone, and with it whatever ran."""


_S, _M = GateState, GateMove
MOVES: dict[tuple[GateState, GateMove], GateState] = {
    (_S.FREE, _M.ASK): _S.ASKED,
    (_S.FREE, _M.CREATED_OTHER): _S.ACTIVE,
    (_S.ASKED, _M.CREATED_OURS): _S.ACTIVE,
    (_S.ASKED, _M.CREATED_OTHER): _S.CROSSED,
    (_S.ASKED, _M.REFUSED): _S.FREE,
    (_S.ASKED, _M.OCCUPIED): _S.BLOCKED,
    (_S.CROSSED, _M.CREATED_OURS): _S.ACTIVE,
    (_S.CROSSED, _M.CREATED_OTHER): _S.CROSSED,
    (_S.CROSSED, _M.REFUSED): _S.ACTIVE,
    (_S.CROSSED, _M.OCCUPIED): _S.ACTIVE,
    (_S.CROSSED, _M.DONE): _S.ASKED,
    (_S.ACTIVE, _M.CANCEL): _S.CANCELLING,
    (_S.ACTIVE, _M.CREATED_OTHER): _S.ACTIVE,
    (_S.ACTIVE, _M.DONE): _S.FREE,
    (_S.CANCELLING, _M.CREATED_OTHER): _S.ACTIVE,
    (_S.CANCELLING, _M.DONE): _S.FREE,
    (_S.BLOCKED, _M.CREATED_OTHER): _S.ACTIVE,
    (_S.BLOCKED, _M.DONE): _S.FREE,
    (_S.BLOCKED, _M.LAPSED): _S.FREE,
    **{(state, _M.LOST): _S.FREE for state in _S},
}


@dataclass(frozen=True, slots=True)
class ResponseRequest:
    """A response that somebody wants."""

    request_id: str
    """The ``event_id`` of its ``response.create``, and the value in its metadata."""
    params: events.ResponseParams | None = None
    origin: Literal["program", "tools"] = "program"
    serves: tuple[str, ...] = ()
    """The program's requests that this response answers: after tool calls these are earlier ones."""
    deadline: float | None = None
    """Once it is sent: when ``response.created`` must have come."""
    repeated: int = 0
    """How often it was asked again because a connection was lost."""

    @property
    def out_of_band(self) -> bool:
        """Whether it runs beside the default conversation."""
        return self.params is not None and self.params.conversation == "none"

    def event(self, *, marked: bool = True) -> events.ResponseCreate:
        """Its ``response.create``, with the private id in the metadata where there is room for it."""
        if not marked:
            return events.ResponseCreate(event_id=self.request_id, response=self.params)
        params = self.params if self.params is not None else events.ResponseParams()
        metadata = dict(params.metadata or {})
        if len(metadata) < METADATA_PAIRS:
            metadata[REQUEST_KEY] = self.request_id
        params = params.model_copy(update={"metadata": metadata})
        return events.ResponseCreate(event_id=self.request_id, response=params)


@dataclass(frozen=True, slots=True)
class LostResponse:
    """A response that ran when the connection was lost."""

    response_id: str
    request: ResponseRequest | None
    """Who asked for it; None: the server began it by itself."""
    cancelling: bool = False


@dataclass(frozen=True, slots=True)
class InFlight:
    """What a lost connection took with it; the queue is not part of it."""

    asked: tuple[ResponseRequest, ...]
    """Requests without an answer, in the order of sending."""
    running: tuple[LostResponse, ...]


class Gate:
    """Owns the slot of the default conversation and the queue before it.

    Every method is synchronous and returns what must be done; the caller sends it.
    """

    def __init__(
        self, *, answer_within_s: float = ANSWER_WITHIN_S, blocked_for_s: float = 2.0, marks: bool = True
    ) -> None:
        self.marks = marks
        """Whether requests carry a private id in their metadata; False where the server does not echo it."""
        self.state = GateState.FREE
        self.active_id: str | None = None
        """The running response of the default conversation."""
        self._answer_within_s = answer_within_s
        self._blocked_for_s = blocked_for_s
        self._blocked_until: float | None = None
        self._queue: deque[ResponseRequest] = deque()
        self._asked: ResponseRequest | None = None
        self._beside: dict[str, ResponseRequest] = {}
        self._owners: dict[str, ResponseRequest] = {}
        self._echoes: bool = False
        """Whether the server is known to echo ``response.metadata``."""

    def request(self, request: ResponseRequest) -> None:
        """Put a request into the queue; ``take`` hands it out when its time has come."""
        for index, waiting in enumerate(self._queue):
            if request.origin == "tools" and waiting.origin == "tools":
                self._queue[index] = replace(waiting, serves=(*waiting.serves, *request.serves))
                return
        self._queue.append(request)

    def take(self, now: float) -> list[ResponseRequest]:
        """The requests whose ``response.create`` must be sent now."""
        ready = [waiting for waiting in self._queue if waiting.out_of_band]
        for request in ready:
            self._queue.remove(request)
            self._beside[request.request_id] = replace(request, deadline=now + self._answer_within_s)
        if self._queue and self.state is GateState.FREE:
            request = replace(self._queue.popleft(), deadline=now + self._answer_within_s)
            self._move(GateMove.ASK)
            self._asked = request
            ready.append(request)
        return ready

    def created(self, response: events.RealtimeResponse) -> ResponseRequest | None:
        """A response began: whose is it? None means the server's own."""
        response_id = response.id or ""
        request = self._match(response)
        if request is not None:
            self._owners[response_id] = request
        if request is not None and request.out_of_band:
            self._beside.pop(request.request_id, None)
            return request
        if request is not None and request is self._asked:
            self._move(GateMove.CREATED_OURS)
            self._asked = None
        else:
            self._move(GateMove.CREATED_OTHER)
        self.active_id = response_id
        return request

    def done(self, response_id: str) -> ResponseRequest | None:
        """A response ended; the request that it belonged to, if any."""
        request = self._owners.pop(response_id, None)
        if response_id == self.active_id or (self.state is GateState.BLOCKED and request is None):
            self.active_id = None
            self._move(GateMove.DONE)
        return request

    def refused(self, request_id: str, now: float, *, occupied: bool) -> ResponseRequest | None:
        """An error names a create of ours. One refused as occupied goes back to the head of the queue.

        Returns:
            The request that failed for good, or None when it will be asked again.
        """
        beside = self._beside.pop(request_id, None)
        if beside is not None:
            return beside
        request = self._asked
        if request is None or request.request_id != request_id:
            return None
        self._asked = None
        if not occupied:
            self._move(GateMove.REFUSED)
            return request
        self._move(GateMove.OCCUPIED)
        self._blocked_until = now + self._blocked_for_s
        self._queue.appendleft(replace(request, deadline=None))
        return None

    def cancel(self) -> bool:
        """Ask for the running response to end; False when none runs or it is already ending."""
        if self.state is not GateState.ACTIVE:
            return False
        self._move(GateMove.CANCEL)
        return True

    def lost(self) -> InFlight:
        """The connection is gone: nothing is asked for and nothing runs any more. The queue stays."""
        asked = (*self._beside.values(), *([self._asked] if self._asked is not None else []))
        running: list[LostResponse] = []
        if self.active_id is not None:
            cancelling = self.state is GateState.CANCELLING
            running.append(LostResponse(self.active_id, self._owners.get(self.active_id), cancelling))
        running += [
            LostResponse(response_id, request)
            for response_id, request in self._owners.items()
            if response_id != self.active_id
        ]
        self._move(GateMove.LOST)
        self.active_id, self._asked, self._blocked_until = None, None, None
        self._beside.clear()
        self._owners.clear()
        return InFlight(tuple(replace(request, deadline=None) for request in asked), tuple(running))

    def ask_again(self, requests: Sequence[ResponseRequest]) -> None:
        """Put requests that were lost back before all others, in their order."""
        waiting, self._queue = self._queue, deque[ResponseRequest]()
        for request in (*requests, *waiting):
            self.request(replace(request, deadline=None))

    def drop_owed(self) -> None:
        """Forget what nobody asked for: the next answer comes by itself."""
        self._queue = deque(one for one in self._queue if one.origin == "program" or one.serves)

    def withdraw(self, request_id: str) -> None:
        """Forget a request that still waits in the queue."""
        self._queue = deque(waiting for waiting in self._queue if waiting.request_id != request_id)

    def running_for(self, request_id: str) -> str | None:
        """The id of the running response that belongs to a request."""
        for response_id, request in self._owners.items():
            if request.request_id == request_id:
                return response_id
        return None

    def next_deadline(self) -> float | None:
        """When the oldest unanswered create, or the wait for an unannounced response, runs out."""
        waiting = [*self._beside.values(), *([self._asked] if self._asked else [])]
        deadlines = [request.deadline for request in waiting if request.deadline is not None]
        if self.state is GateState.BLOCKED and self._blocked_until is not None:
            deadlines.append(self._blocked_until)
        return min(deadlines, default=None)

    def expired(self, now: float) -> list[ResponseRequest]:
        """The creates that were not answered in time; their slot is free again."""
        late = [
            request
            for request in self._beside.values()
            if request.deadline is not None and request.deadline <= now
        ]
        for request in late:
            del self._beside[request.request_id]
        asked = self._asked
        if asked is not None and asked.deadline is not None and asked.deadline <= now:
            self._move(GateMove.REFUSED)
            self._asked = None
            late.append(asked)
        if self.state is GateState.BLOCKED and self._blocked_until is not None and self._blocked_until <= now:
            self._move(GateMove.LAPSED)
        return late

    @property
    def asked_id(self) -> str | None:
        """The request whose create is on its way in the default conversation."""
        return None if self._asked is None else self._asked.request_id

    @property
    def asked_beside(self) -> bool:
        """Whether a create is on its way outside the default conversation."""
        return bool(self._beside)

    def is_asked(self, request_id: str) -> bool:
        """Whether that request's create is on its way."""
        return request_id in self._beside or request_id == self.asked_id

    @property
    def busy(self) -> bool:
        """Whether anything is asked for, queued or running in the default conversation."""
        return self.state is not GateState.FREE or bool(self._queue)

    def _match(self, response: events.RealtimeResponse) -> ResponseRequest | None:
        echoed = (response.metadata or {}).get(REQUEST_KEY)
        if echoed is not None:
            self._echoes = True
            known = [*self._beside.values(), *self._owners.values(), *([self._asked] if self._asked else [])]
            return next((request for request in known if request.request_id == echoed), None)
        if self._echoes or response.metadata:
            return None
        # No echo: the order of sending decides (rule C3), so a response that begins while ours is
        # asked for is taken for ours; should an echo come later after all, it corrects the match.
        out_of_band = "conversation_id" in response.model_fields_set and response.conversation_id is None
        if out_of_band and self._beside:
            return next(iter(self._beside.values()))
        return self._asked if self.state is GateState.ASKED else None

    def _move(self, move: GateMove) -> None:
        state = MOVES.get((self.state, move))
        if state is None:
            message = f"a response cannot be {move.value} while the conversation is {self.state.value}"
            raise LocalProtocolError(message)
        self.state = state
