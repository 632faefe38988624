"""Responses and the calls they make: who asked, what came, which one follows.

Joins the gate and the call ledger. A response that makes calls serves the same requests as the
follow-up that speaks about their outputs, so a program that asked for an answer gets the spoken one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from .. import events
from ._calls import Call, CallLedger
from ._gate import REQUEST_KEY, Gate, ResponseRequest
from ._happenings import Answered, CallDue, Refused, ResponseFinished, Undelivered
from ._items import HistoryEntry, ItemLedger
from ._mail import Mail
from ._outbox import Outbox
from ._response import Response, Usage

__all__ = ("Responses",)

OCCUPIED = "conversation_already_has_active_response"
BROKEN_OFF = "connection_lost"
"""Why a response is incomplete whose connection was lost; our own word beside those of the wire."""
KEPT_EXPIRED = 64
KEPT_OPEN = 64
"""Responses that may be open at once; a server that never ends them cannot fill the memory."""

ValueT = TypeVar("ValueT")


class Responses:
    """Owns the gate, the call ledger and the totals of usage."""

    def __init__(
        self,
        outbox: Outbox,
        mail: Mail,
        items: ItemLedger,
        received_ms: Callable[[str], float],
        gate: Gate,
    ) -> None:
        self.gate = gate
        self.calls = CallLedger()
        self.usage = Usage()
        self.untold: set[str] = set()
        """The ids of the calls that the server's conversation does not hold, since they were made in another."""
        self._outbox = outbox
        self._mail = mail
        self._items = items
        self._received_ms = received_ms
        self._serves: dict[str, tuple[str, ...]] = {}
        self._beside: set[str] = set()
        self._waiting: dict[str, Response] = {}
        self._expired: dict[str, None] = {}
        self._dropped: set[str] = set()
        self._touched: dict[str, dict[str, None]] = {}
        self._argued: dict[str, dict[str, events.FunctionCall]] = {}

    def ask(self, params: events.ResponseParams | None, request_id: str) -> None:
        """Somebody wants a response."""
        self.gate.request(ResponseRequest(request_id, params, serves=(request_id,)))

    @property
    def beside(self) -> bool:
        """Whether anything is asked for or runs outside the default conversation."""
        return bool(self._beside) or self.gate.asked_beside

    def is_beside(self, response_id: str | None) -> bool:
        """Whether that response runs outside the default conversation."""
        return response_id in self._beside

    def created(self, event: events.ResponseCreated) -> bool:
        """A response began. False when nobody wants it any more (its request ran out of time)."""
        response_id = event.response.id or ""
        request = self.gate.created(event.response)
        if request is None:
            echoed = (event.response.metadata or {}).get(REQUEST_KEY)
            if echoed not in self._expired:
                return True
            self.cancel(response_id)
            return False
        if request.out_of_band:
            self._beside.add(response_id)
        if self.forget_dropped(request.request_id):
            self.cancel(response_id)
            return False
        # A server that gives one id to two responses must not leave anybody waiting.
        served = self._serves.get(response_id, ())
        self._serves[response_id] = tuple(dict.fromkeys((*served, *request.serves)))
        self._outbox.tell(Answered(request.request_id, event))
        return True

    def touched(self, response_id: str, item_id: str) -> None:
        """Something of that item came in: it belongs to that response, should nothing else say so."""
        self._of(self._touched, response_id)[item_id] = None

    def arguments_done(self, event: events.ResponseFunctionCallArgumentsDone) -> None:
        """The arguments of a call are complete. Its item says so too, except at servers that send none (F1)."""
        if event.call_id is not None and event.name:
            call = events.FunctionCall(
                id=event.item_id, call_id=event.call_id, name=event.name, arguments=event.arguments
            )
            response_id = event.response_id or self.gate.active_id or ""
            self._of(self._argued, response_id)[event.call_id] = call

    def item_done(self, event: events.ResponseOutputItemDone, *, wanted: bool) -> None:
        """An output item is finished; a finished call starts now if its response is still wanted."""
        if isinstance(event.item, events.FunctionCall) and wanted:
            self._announce(event.item, event.response_id or self.gate.active_id or "", event.output_index)

    def done(self, event: events.ResponseDone, *, wanted: bool) -> None:
        """A response ended."""
        wire = event.response
        response_id = wire.id or self.gate.active_id or ""
        completed = wire.status == "completed"
        if completed and wanted:
            for index, item in enumerate(wire.output or ()):
                if isinstance(item, events.FunctionCall):
                    self._announce(item, response_id, index)
            listed = {item.call_id for item in wire.output or () if isinstance(item, events.FunctionCall)}
            for index, (call_id, call) in enumerate(self._argued.get(response_id, {}).items()):
                if call_id not in listed:
                    self._announce(call, response_id, index)
        self._argued.pop(response_id, None)
        self.calls.response_done(response_id, completed=completed)
        self.gate.done(response_id)
        self._beside.discard(response_id)
        response = self._finished(wire, response_id)
        self.usage = self.usage + response.usage
        self._end(response)

    def tool_finished(self, call_id: str, output: str, *, follow_up: bool) -> None:
        """A call ended; its output is sent when its turn has come."""
        self.calls.finish(call_id, output, follow_up=follow_up)

    def refused(self, error: events.ErrorDetail, now: float) -> bool:
        """An error came in; True when it was about a ``response.create`` and is dealt with."""
        occupied = error.code == OCCUPIED
        request_id = error.event_id or (self.gate.asked_id if occupied else None)
        if request_id is None or not self.gate.is_asked(request_id):
            return occupied
        failed = self.gate.refused(request_id, now, occupied=occupied)
        if self.forget_dropped(request_id):
            self.gate.withdraw(request_id)
        if failed is not None:
            self._fail(failed, error)
        return True

    def ask_for_turn(self) -> None:
        """A turn was handed over and its answer is owed."""
        self.gate.request(ResponseRequest(self._outbox.new_id("evt"), origin="tools"))

    def text_so_far(self, response_id: str) -> bool:
        """Whether a running response has said anything yet."""
        known = (self._items.get(item_id) for item_id in self._touched.get(response_id, ()))
        return any(entry is not None and entry.text for entry in known)

    def broken_off(self, response_id: str, *, again: bool, wanted: bool = True) -> tuple[str, ...]:
        """The connection was lost in the middle of a response.

        One that has made calls counts as complete: they run on, and what follows them serves the same requests.
        Any other is asked for again, or ends as it is. Nothing follows one that was not wanted any more.

        Returns:
            With ``again``: the requests that the next one must serve.
        """
        self._argued.pop(response_id, None)
        self._beside.discard(response_id)
        if again:
            self._touched.pop(response_id, None)
            return self._serves.pop(response_id, ())
        self.calls.response_done(response_id, completed=wanted)
        wire = events.RealtimeResponse(id=response_id, status="incomplete")
        self._end(replace(self._finished(wire, response_id), reason=BROKEN_OFF))
        return ()

    def undelivered(self, request: ResponseRequest) -> None:
        """The connections were lost, one after the other, before a request was answered."""
        for event_id in dict.fromkeys((request.request_id, *request.serves)):
            self._outbox.tell(Undelivered(event_id, "response.create"))

    def tell_call(self, call_id: str) -> None:
        """Before its output: the call itself, where the server's conversation does not hold it (rule F8)."""
        if call_id not in self.untold:
            return
        self.untold.discard(call_id)
        for entry in self._items:
            if entry.type == "function_call" and entry.call is not None and entry.call.call_id == call_id:
                call = events.FunctionCall(
                    id=entry.id, call_id=call_id, name=entry.call.name, arguments=entry.call.arguments
                )
                self._mail.send(events.ConversationItemCreate(item=call))
                return

    def is_untold(self, event: events.ClientEvent) -> bool:
        """Whether an event tells a call that is told before its output."""
        match event:
            case events.ConversationItemCreate(item=events.FunctionCall(call_id=call_id)):
                return call_id in self.untold
            case _:
                return False

    def give_up(self, request_id: str) -> None:
        """Nobody waits for this request any more: it is not sent if it was not yet."""
        self.gate.withdraw(request_id)

    def drop(self, request_id: str) -> str | None:
        """Nobody wants that response any more: it is not asked for, or cancelled when it begins.

        Returns:
            The id of the one that runs already, which the caller may cancel.
        """
        self.gate.withdraw(request_id)
        if self.gate.is_asked(request_id):
            self._dropped.add(request_id)
        return self.gate.running_for(request_id)

    def forget_dropped(self, request_id: str) -> bool:
        """That request has met its end; True when nobody wanted it any more."""
        dropped = request_id in self._dropped
        self._dropped.discard(request_id)
        return dropped

    def cancel(self, response_id: str) -> None:
        """Ask the server to end one response, which may run beside the conversation's."""
        self._outbox.send(events.ResponseCancel(response_id=response_id))

    def handle_timeout(self, now: float) -> None:
        """Fail the creates that were not answered in time."""
        for request in self.gate.expired(now):
            self.forget_dropped(request.request_id)
            self._expired[request.request_id] = None
            while len(self._expired) > KEPT_EXPIRED:
                del self._expired[next(iter(self._expired))]
            self._fail(request, None)

    def flush(self, now: float) -> None:
        """Send what is due: outputs in their order, then the follow-ups, then what the gate lets through."""
        if not self._mail.online:
            return
        for finished in self.calls.take_outputs():
            self.tell_call(finished.call.call_id)
            item = events.FunctionCallOutput(
                id=self._outbox.new_id("item"), call_id=finished.call.call_id, output=finished.output
            )
            self._mail.send(events.ConversationItemCreate(item=item))
        for group in self.calls.take_settled():
            response = self._waiting.pop(group.response_id)
            serves = self._serves.pop(group.response_id, ())
            if group.follow_up:
                request_id = self._outbox.new_id("evt")
                self.gate.request(ResponseRequest(request_id, origin="tools", serves=serves))
            else:
                self._outbox.tell(ResponseFinished(response, serves, final=True))
        for request in self.gate.take(now):
            self._outbox.send(request.event(marked=self.gate.marks))

    def _end(self, response: Response) -> None:
        open_calls = self.calls.open_for(response.id)
        if open_calls:
            self._waiting[response.id] = response
        serves = self._serves.get(response.id, ()) if open_calls else self._serves.pop(response.id, ())
        self._outbox.tell(ResponseFinished(response, serves, final=not open_calls))

    def _announce(self, item: events.FunctionCall, response_id: str, output_index: int) -> None:
        if item.status == "incomplete":
            return
        item_id = item.id or item.call_id or ""
        call = Call(
            call_id=item.call_id or item_id,
            name=item.name or self._items.call_named(item_id),
            arguments=item.arguments,
            response_id=response_id,
            item_id=item_id,
            output_index=output_index,
        )
        if self.calls.announce(call):
            if item_id and not self.is_beside(response_id):
                self._items.put(item.model_copy(update={"id": item_id, "status": "completed"}))
            self._outbox.tell(CallDue(call))

    def _of(self, kept: dict[str, dict[str, ValueT]], response_id: str) -> dict[str, ValueT]:
        known = kept.get(response_id)
        if known is None:
            known = kept[response_id] = {}
            while len(kept) > KEPT_OPEN:
                del kept[next(iter(kept))]
        return known

    def _fail(self, request: ResponseRequest, error: events.ErrorDetail | None) -> None:
        for event_id in dict.fromkeys((request.request_id, *request.serves)):
            self._outbox.tell(Refused(event_id, error))

    def _finished(self, wire: events.RealtimeResponse, response_id: str) -> Response:
        entries: list[HistoryEntry] = []
        touched = self._touched.pop(response_id, {})
        if not wire.output:
            entries.extend(entry for item_id in touched if (entry := self._items.get(item_id)) is not None)
        for item in wire.output or ():
            known = self._items.get(item.id or "")
            if known is None:
                alone = ItemLedger()
                alone.put(item)
                entries.extend(alone)
            else:
                entries.append(known)
        details = wire.status_details
        return Response(
            id=response_id,
            status=wire.status or "completed",
            text=" ".join(entry.text for entry in entries if entry.type == "message" and entry.text),
            items=tuple(entries),
            audio_ms=sum(self._received_ms(entry.id) for entry in entries),
            usage=Usage.of(wire.usage),
            metadata={key: value for key, value in (wire.metadata or {}).items() if key != REQUEST_KEY},
            reason=details.reason if details is not None else None,
            error=details.error if details is not None else None,
        )
