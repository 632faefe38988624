"""One response from its creation to `response.done`: which event follows which (O1, S8, S9, S16).

A response is ``waiting`` for the words of its context, then ``deciding``, then ``speaking`` if it has a voice
part, and ``over`` after ``response.done``. Whatever arrives when it is over is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal, TypedDict

from .. import events
from ._brain import BrainInput, Decision, PlannedCall
from ._config import ResponseSettings
from ._conversation_entry import Entry, Sound, utterances
from ._conversation_items import ItemLedger
from ._conversation_work import Decide, Outlet, PartKey, Speak, Stop
from ._response_usage import cut_to_tokens, usage_of

__all__ = ("CancelReason", "Response")

CancelReason = Literal["client_cancelled", "turn_detected"]


class _Place(TypedDict):
    response_id: str
    item_id: str
    output_index: int
    content_index: int


class _CallPlace(TypedDict):
    response_id: str
    item_id: str
    output_index: int
    call_id: str


class Response:
    """Owns the state and the output items of one response.

    Args:
        out: where events and work go.
        settings: what the response is made with.
        context: the items that it answers, in order.
        ledger: the conversation that its items become part of; None for an out-of-band response.
        conversation_id: that conversation's id.
    """

    def __init__(
        self,
        out: Outlet,
        settings: ResponseSettings,
        context: Sequence[Entry],
        *,
        ledger: ItemLedger | None,
        conversation_id: str | None,
    ) -> None:
        self.id = out.new_id("resp")
        self._out = out
        self._settings = settings
        self._context = tuple(context)
        self._ledger = ledger
        self._conversation_id = conversation_id
        self._unheard = {part for entry in context for part in entry.unheard()}
        self._state: Literal["waiting", "deciding", "speaking", "over"] = "waiting"
        self._output: list[Entry] = []
        self._calls: Sequence[PlannedCall] = ()
        self._too_long = False

    @property
    def over(self) -> bool:
        """Whether ``response.done`` was sent."""
        return self._state == "over"

    @property
    def in_conversation(self) -> bool:
        """Whether its items become part of the conversation."""
        return self._ledger is not None

    @property
    def voice_ms(self) -> float:
        """The duration of the voice that was sent."""
        return sum(sound.ms for entry in self._output for sound in entry.sounds.values())

    def begin(self) -> None:
        """Announce the response, and go on as soon as its context is known in words."""
        self._out.send(events.ResponseCreated(response=self._object("in_progress")))
        self._decide_when_heard()

    def heard(self, part: PartKey) -> None:
        """The words of a part are known now, or will never be."""
        self._unheard.discard(part)
        if self._state == "waiting":
            self._decide_when_heard()

    def decided(self, decision: Decision) -> None:
        """Carry out what the brain decided: say something, call functions, both or neither."""
        if self._state != "deciding":
            return
        self._calls = decision.calls
        say = self._within_limit(decision.say)
        if not say:
            self._complete()
        elif self._settings.spoken:
            self._begin_speaking(say)
        else:
            self._write(say)
            self._complete()

    def spoken(self, audio: bytes, text: str) -> None:
        """A piece of the voice, in the response's format, with the text that begins in it."""
        if self._state != "speaking":
            return
        entry = self._output[0]
        entry.sounds[0].extend(audio, text)
        place = self._place(entry)
        if text:
            self._out.send(events.ResponseOutputAudioTranscriptDelta(**place, delta=text))
        if audio:
            self._out.send(events.ResponseOutputAudioDelta.of(pcm=audio, **place))

    def spoken_out(self) -> None:
        """The voice has said everything."""
        if self._state == "speaking":
            self._close_voice("incomplete" if self._too_long else "completed")
            self._complete()

    def cancel(self, reason: CancelReason) -> None:
        """Stop: what is open becomes incomplete."""
        self._stop(events.ResponseStatusDetails(type="cancelled", reason=reason), "cancelled")

    def fail(self, message: str) -> None:
        """Something of the server broke while the response was made."""
        error = {"type": "server_error", "code": "server_error", "message": message}
        self._stop(events.ResponseStatusDetails.model_validate({"type": "failed", "error": error}), "failed")

    def _decide_when_heard(self) -> None:
        if self._unheard:
            return
        self._state = "deciding"
        settings = self._settings
        question = BrainInput(
            history=tuple(utterances(self._context)),
            tools=settings.tools,
            instructions=settings.instructions,
            tool_choice=settings.tool_choice,
        )
        self._out.order(Decide(self.id, question))

    def _within_limit(self, say: str) -> str:
        """What of the text fits into ``max_output_tokens``; calls behind what does not fit are not made."""
        limit = self._settings.max_output_tokens
        fits = say if limit is None else cut_to_tokens(say, limit)
        if fits != say:
            self._too_long = True
            self._calls = ()
        return fits

    def _begin_speaking(self, say: str) -> None:
        entry = self._new_message()
        entry.sounds[0] = Sound(self._settings.format, text="")
        self._open(entry)
        self._out.send(
            events.ResponseContentPartAdded(**self._place(entry), part=events.OutputAudio(transcript=""))
        )
        entry.replace(content=(events.OutputAudio(),))
        self._state = "speaking"
        settings = self._settings
        self._out.order(Speak(self.id, say, settings.voice, settings.speed, settings.format))

    def _close_voice(self, status: Literal["completed", "incomplete"]) -> None:
        entry = self._output[0]
        sound, place = entry.sounds[0], self._place(entry)
        said = "".join(text for text, _ in sound.pieces)
        self._out.send(events.ResponseOutputAudioDone(**place))
        self._out.send(events.ResponseOutputAudioTranscriptDone(**place, transcript=said))
        self._out.send(events.ResponseContentPartDone(**place, part=events.OutputAudio(transcript=said)))
        part = events.OutputAudio() if sound.cut else events.OutputAudio(transcript=said)
        entry.replace(content=(part,))
        self._close(entry, status)

    def _write(self, say: str) -> None:
        entry = self._new_message()
        self._open(entry)
        place = self._place(entry)
        self._out.send(events.ResponseContentPartAdded(**place, part=events.OutputText(text="")))
        for word in _with_spaces(say):
            self._out.send(events.ResponseOutputTextDelta(**place, delta=word))
        self._out.send(events.ResponseOutputTextDone(**place, text=say))
        self._out.send(events.ResponseContentPartDone(**place, part=events.OutputText(text=say)))
        entry.replace(content=(events.OutputText(text=say),))
        self._close(entry, "incomplete" if self._too_long else "completed")

    def _call(self, call: PlannedCall) -> None:
        call_id = self._out.new_id("call")
        item = events.FunctionCall(
            id=self._out.new_id("item"),
            object="realtime.item",
            status="in_progress",
            name=call.name,
            call_id=call_id,
            arguments="",
        )
        entry = Entry(item)
        self._open(entry)
        place = _CallPlace(
            response_id=self.id,
            item_id=entry.id,
            output_index=self._output.index(entry),
            call_id=call_id,
        )
        arguments = json.dumps(call.arguments, ensure_ascii=False)
        self._out.send(events.ResponseFunctionCallArgumentsDelta(**place, delta=arguments))
        self._out.send(events.ResponseFunctionCallArgumentsDone(**place, name=call.name, arguments=arguments))
        entry.replace(arguments=arguments)
        self._close(entry, "completed")

    def _new_message(self) -> Entry:
        return Entry(
            events.AssistantMessage(
                id=self._out.new_id("item"), object="realtime.item", status="in_progress", content=[]
            )
        )

    def _open(self, entry: Entry) -> None:
        self._output.append(entry)
        self._out.send(
            events.ResponseOutputItemAdded(
                response_id=self.id, output_index=len(self._output) - 1, item=entry.item
            )
        )
        if self._ledger is not None:
            self._ledger.announce(entry)

    def _close(self, entry: Entry, status: Literal["completed", "incomplete"]) -> None:
        entry.replace(status=status)
        self._out.send(
            events.ResponseOutputItemDone(
                response_id=self.id, output_index=self._output.index(entry), item=entry.item
            )
        )
        if self._ledger is not None:
            self._ledger.finish(entry)

    def _place(self, entry: Entry) -> _Place:
        return _Place(
            response_id=self.id,
            item_id=entry.id,
            output_index=self._output.index(entry),
            content_index=0,
        )

    def _complete(self) -> None:
        for call in self._calls:
            self._call(call)
        if self._too_long:
            details = events.ResponseStatusDetails(type="incomplete", reason="max_output_tokens")
            self._finish("incomplete", details)
        else:
            self._finish("completed", None)

    def _stop(self, details: events.ResponseStatusDetails, status: Literal["cancelled", "failed"]) -> None:
        self._out.order(Stop(self.id))
        if self._state == "speaking":
            self._close_voice("incomplete")
        self._finish(status, details)

    def _finish(self, status: str, details: events.ResponseStatusDetails | None) -> None:
        self._state = "over"
        self._out.send(events.ResponseDone(response=self._object(status, details)))

    def _object(
        self, status: str, details: events.ResponseStatusDetails | None = None
    ) -> events.RealtimeResponse:
        settings = self._settings
        usage = None
        if status != "in_progress":
            usage = usage_of(settings.instructions, self._context, self._output)
        return events.RealtimeResponse.model_validate(
            {
                "id": self.id,
                "object": "realtime.response",
                "status": status,
                "status_details": details,
                "output": [entry.item for entry in self._output],
                "conversation_id": self._conversation_id,
                "output_modalities": ["audio" if settings.spoken else "text"],
                "max_output_tokens": settings.max_output_tokens or "inf",
                "audio": {"output": settings.output},
                "metadata": settings.metadata,
                "usage": usage,
            }
        )


def _with_spaces(text: str) -> list[str]:
    """The words, each with the space before it, so that they join to the text."""
    first, *rest = text.split(" ")
    return [first, *(f" {word}" for word in rest)]
