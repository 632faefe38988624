"""Delegations of GPT-Live: work that the speaking model hands over, and the function calls in it.

Theory of operation. A delegation goes to the program (``client``), to decision models, or to a backing
model, whose Responses stream then comes wrapped in ``response.event``. A finished call in that stream is
run at once. Its output goes back as an item; when all calls of one wrapped response have theirs and the
response is complete, one ``response.create`` lets the backing model go on. The events within the stream do
not name their response, except those that begin and end one, so each delegation has a current response.
Of one that has ended nothing is run any more. A delegation is open until its last response has ended, its
decisions came, or the program answered it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .. import events
from ..events import live
from ._calls import Call, CallLedger
from ._happenings import CallDue
from ._live_memory import LONGEST_APPEND
from ._outbox import Outbox

__all__ = ("Delegations",)

KEPT_DELEGATIONS = 64
"""Open ones; a server that never ends them loses the oldest."""
KEPT_RESPONSES = 256
"""Ids of ended responses remembered, so that nothing late of theirs is run."""

_ENDINGS: Mapping[str, bool] = {
    "response.completed": True,
    "response.failed": False,
    "response.incomplete": False,
    "response.cancelled": False,
    "error": False,  # the stream itself broke
}
"""What ends a wrapped response, and whether it is complete then."""


@dataclass(slots=True)
class _Open:
    target: str | None
    response_id: str | None


class Delegations:
    """Owns the open delegations and the calls in them.

    Args:
        outbox: takes ``CallDue`` for each call.
        send: sends a client event.
    """

    def __init__(self, outbox: Outbox, send: Callable[[events.ClientEvent], object]) -> None:
        self.calls = CallLedger()
        self._outbox = outbox
        self._send = send
        self._open: dict[str, _Open] = {}
        self._current: dict[str, str] = {}
        self._ended: dict[str, None] = {}
        self._nameless: dict[str, None] = {}
        self._count = 0
        self._orphans: dict[str, Call] = {}
        """Calls whose session is gone."""

    @property
    def open(self) -> tuple[str, ...]:
        """The ids of the delegations that are not done."""
        return tuple(self._open)

    def created(self, delegation: live.Delegation) -> None:
        """The speaking model wants something done."""
        self._open[delegation.id] = _Open(delegation.target, delegation.response_id)
        if delegation.response_id is not None:
            self._current[delegation.id] = delegation.response_id
        _forget_oldest(self._open, KEPT_DELEGATIONS)
        _forget_oldest(self._current, KEPT_DELEGATIONS)

    def answered(self, delegation_id: str | None) -> None:
        """Somebody answered a delegation: the program, or a decision."""
        if delegation_id is not None:
            self._open.pop(delegation_id, None)

    def wrapped(self, event: live.ResponseEvent) -> None:
        """An event of a backing model's stream."""
        stream = event.delegation_id or ""
        response_id = self._response_of(event, stream)
        call = event.function_call
        if (
            call is not None
            and call.call_id
            and call.status != "incomplete"
            and response_id not in self._ended
        ):
            self._announce(call, response_id, event.event.get("output_index"))
        delegation = self._open.get(stream)
        if delegation is not None and response_id not in self._ended:
            delegation.response_id = response_id
        complete = _ENDINGS.get(event.kind)
        if complete is None:
            self._current[stream] = response_id
            _forget_oldest(self._current, KEPT_DELEGATIONS)
        else:
            self._current.pop(stream, None)
            self._end(response_id, completed=complete)
            self._ended[_name_of(event) or response_id] = None
            _forget_oldest(self._ended, KEPT_RESPONSES)
        self._flush()

    def tool_finished(self, call_id: str, output: str, *, follow_up: bool) -> None:
        """A call ended; its output is sent when its turn has come.

        Raises:
            LocalProtocolError: no such call runs.
        """
        self.calls.finish(call_id, output, follow_up=follow_up)
        self._flush()

    def lost(self) -> None:
        """The connection is gone: what runs comes to its end, but nobody on the other side waits for it."""
        for call in self.calls.unsent_calls:
            self._orphans[call.call_id] = call
            self.calls.response_done(call.response_id, completed=False)
        self._open.clear()
        self._current.clear()

    def end(self) -> None:
        """The session is closed: nothing is being worked on."""
        self._open.clear()

    def _response_of(self, event: live.ResponseEvent, stream: str) -> str:
        named, current = _name_of(event), self._current.get(stream)
        if named is not None:
            midway = event.kind != "response.created" and named not in self._ended
            # A stream that was joined midway tells its name too late: it keeps the one that we gave it.
            return current if midway and current is not None and current in self._nameless else named
        if current is None:
            self._count += 1
            current = f"response_{self._count}"
            self._nameless[current] = None
            _forget_oldest(self._nameless, KEPT_DELEGATIONS)
        return current

    def _announce(self, item: live.FunctionCallItem, response_id: str, output_index: object) -> None:
        call = Call(
            call_id=item.call_id,
            name=item.name,
            arguments=item.arguments,
            response_id=response_id,
            item_id=item.id or item.call_id,
            output_index=output_index if isinstance(output_index, int) else 0,
        )
        if self.calls.announce(call):
            self._outbox.tell(CallDue(call))

    def _end(self, response_id: str, *, completed: bool) -> None:
        if response_id in self._ended:
            return
        self._ended[response_id] = None
        self.calls.response_done(response_id, completed=completed)
        if not self.calls.open_for(response_id):
            self._close(response_id)

    def _flush(self) -> None:
        for finished in self.calls.take_outputs():
            orphan = self._orphans.pop(finished.call.call_id, None)
            if orphan is not None:
                said = f"{orphan.name}({orphan.arguments}), called before the connection was lost, has returned: "
                self._send(live.SessionCommentaryAppend(content=(said + finished.output)[:LONGEST_APPEND]))
                continue
            item = live.FunctionCallOutputItem(call_id=finished.call.call_id, output=finished.output)
            self._send(live.ResponseItemCreate(item=item))
        for group in self.calls.take_settled():
            if group.follow_up:
                self._send(live.ResponseCreate())
                self._await_next(group.response_id)
            else:
                self._close(group.response_id)

    def _of_response(self, response_id: str) -> str | None:
        """The delegation that a response works for; the oldest without one where none names it."""
        for delegation_id, delegation in self._open.items():
            if delegation.response_id == response_id:
                return delegation_id
        backing = (
            delegation_id
            for delegation_id, delegation in self._open.items()
            if delegation.target == "responses" and delegation.response_id is None
        )
        return next(backing, None)

    def _await_next(self, response_id: str) -> None:
        delegation_id = self._of_response(response_id)
        if delegation_id is not None:
            self._open[delegation_id].response_id = None

    def _close(self, response_id: str) -> None:
        self.answered(self._of_response(response_id))


def _name_of(event: live.ResponseEvent) -> str | None:
    name = event.response.get("id")
    return name if isinstance(name, str) and name else None


def _forget_oldest(kept: dict[str, _Open] | dict[str, str] | dict[str, None], bound: int) -> None:
    while len(kept) > bound:
        del kept[next(iter(kept))]
