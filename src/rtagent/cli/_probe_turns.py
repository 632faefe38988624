"""Questions about turns in writing: an item and its answer, two responses at a time, cancelling."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ._probe_facts import Answered, Contains, Fact, Finding, Is
from ._probe_shape import response
from ._probe_wire import Frame, Wire

__all__ = ("Turn", "cancelling", "out_of_band", "respond", "say", "two_at_once", "written_turn")

MAX_TOKENS = 32
MARK = {"probe": "rtagent"}
"""Metadata to look for in the answer."""
_CREATED = ("conversation.item.added", "conversation.item.created")


@dataclass(frozen=True, slots=True)
class Turn:
    """One response, as its frames tell it."""

    frames: Sequence[Frame]
    """Everything that came from the request to the end."""
    refusal: Frame | None = None

    @property
    def done(self) -> Frame | None:
        """Its end."""
        return self.first("response.done")

    def first(self, *kinds: str) -> Frame | None:
        """The first frame of one of these kinds."""
        return next((frame for frame in self.frames if frame.kind in kinds), None)

    @property
    def told(self) -> str:
        """How it ended, in words."""
        if self.refusal is not None:
            return self.refusal.complaint
        return "no response.done came" if self.done is None else f"status {_status(self.done)}"


async def say(wire: Wire, text: str, *, item_id: str | None = None) -> None:
    """Put a message of the user into the conversation, without looking at the answer."""
    await wire.send("conversation.item.create", item=_message(text, item_id))


async def respond(wire: Wire, **settings: Any) -> Turn:
    """Ask for a response and read until it is over.

    Raises:
        Ended: the server ended the connection.
    """
    begin = len(wire.frames)
    fields = {"response": response(wire.manner.shape, **settings)} if settings else {}
    event_id = await wire.send("response.create", **fields)

    def ours(frame: Frame) -> bool:
        return frame.kind != "error" or frame.blames in (None, event_id)

    end = await wire.until("response.done", "error", within_s=wire.times.answer_s, where=ours)
    refusal = end if end is not None and end.kind == "error" else None
    return Turn(wire.frames[begin:], refusal)


async def written_turn(wire: Wire) -> AsyncGenerator[Finding]:
    """An item of ours and a written answer: how both are announced."""
    begin = len(wire.frames)
    ours = "probe_message_1"
    reply = await wire.ask("conversation.item.create", *_CREATED, item=_message("Say yes.", ours))
    fact = Answered("conversation.item.create", reply.reaction)
    if reply.frame is None or reply.reaction != "acknowledged":
        yield Finding("takes items", "no" if reply.frame else "not known", reply.told, (fact,))
    else:
        await wire.until("conversation.item.done", within_s=wire.times.quiet_s)
        yield Finding("takes items", "yes", f"answered by {reply.told}", (fact,))
        yield _announced(wire.frames[begin:])
        kept = reply.frame.part("item").get("id") == ours
        evidence = "the item has the id that was asked for" if kept else "the item got another id"
        yield Finding("keeps item ids", "yes" if kept else "no", evidence)
    async for finding in _written_answer(wire):
        yield finding


async def _written_answer(wire: Wire) -> AsyncGenerator[Finding]:
    wishes = {"modalities": ["text"], "max_tokens": MAX_TOKENS, "metadata": MARK}
    full = await respond(wire, **wishes)
    turn = full
    if turn.refusal is not None:
        turn = await respond(wire, max_tokens=MAX_TOKENS, metadata=MARK)
    if turn.refusal is not None:
        turn = await respond(wire)
    if turn.refusal is not None:
        fact = Answered("response.create", "refused")
        yield Finding("responds", "no", turn.told, (fact,))
        return
    if turn.done is None:
        yield Finding("responds", "not known", turn.told)
        return
    yield Finding("responds", "yes", turn.told, (Answered("response.create", "acknowledged"),))
    yield _written(full, turn)
    metadata = turn.done.part("response").get("metadata")
    if "rtagent" in str(metadata):
        yield Finding("metadata comes back", "yes", "in response.done", (Is("echoes_metadata", True),))
    else:
        evidence = "response.done has " + ("none" if metadata is None else str(metadata))
        yield Finding("metadata comes back", "no", evidence, (Is("echoes_metadata", False),))
    spelled = _text_part(turn.done)
    if spelled in ("text", "output_text"):
        evidence = f"a written part has the type {spelled}"
        fact_of_text = Is("assistant_text", spelled)
        yield Finding("GA spelling of parts", "yes" if spelled == "output_text" else "no", evidence, (fact_of_text,))


def _written(full: Turn, turn: Turn) -> Finding:
    text = turn.first("response.output_text.delta", "response.output_text.done")
    voice = turn.first("response.output_audio.delta", "response.output_audio_transcript.delta")
    if full.refusal is not None:
        return Finding("answers in writing", "no", full.told, (Is("text_answers", False),))
    if text is not None:
        return Finding("answers in writing", "yes", text.type, (Is("text_answers", True),))
    if voice is not None:
        evidence = f"text was asked for, {voice.type} came"
        return Finding("answers in writing", "no", evidence, (Is("text_answers", False),))
    return Finding("answers in writing", "not known", f"neither text nor voice came: {turn.told}")


def _announced(frames: Sequence[Frame]) -> Finding:
    kinds = {frame.kind for frame in frames}
    both = "conversation.item.added" in kinds and "conversation.item.done" in kinds
    if both or "conversation.item.created" in kinds:
        value = "added_done" if both else "created"
        evidence = "item.added and item.done" if both else "item.created only"
        fact = Is("announces_items", value)
        return Finding("announces items in two steps", "yes" if both else "no", evidence, (fact,))
    return Finding("announces items in two steps", "not known", "item.added without item.done")


async def two_at_once(wire: Wire) -> AsyncGenerator[Finding]:
    """A second response.create while the first runs; then the first is cancelled."""
    await say(wire, "Count slowly from one to fifty.")
    begin = len(wire.frames)
    text = response(wire.manner.shape, modalities=["text"])
    await wire.send("response.create", response=text)
    second = await wire.send("response.create", response=text)
    created = await wire.until("response.created", within_s=wire.times.answer_s)
    cancel = await wire.send("response.cancel")
    done = await wire.until("response.done", within_s=wire.times.answer_s) if created else None
    await wire.rest()
    frames = wire.frames[begin:]
    yield _second(frames, second, cancel)
    yield _cancelled(frames, done, cancel)
    if done is not None and sum(frame.kind == "response.created" for frame in frames) > 1:
        await wire.send("response.cancel")
        await wire.until("response.done", within_s=wire.times.answer_s)


def _second(frames: Sequence[Frame], second: str, cancel: str) -> Finding:
    topic = "one response at a time"
    errors = [frame for frame in frames if frame.kind == "error" and frame.blames != cancel]
    named = [frame for frame in errors if frame.blames == second or "active" in frame.complaint]
    if named:
        return Finding(topic, "yes", f"the second is refused: {named[0].complaint}")
    order = [frame.kind for frame in frames if frame.kind in ("response.created", "response.done")]
    if order[:2] == ["response.created", "response.created"]:
        return Finding(topic, "no", "the second began while the first ran")
    if order.count("response.created") > 1:
        return Finding(topic, "yes", "the second waited until the first was over")
    return Finding(topic, "not known", "nothing was heard of the second")


def _cancelled(frames: Sequence[Frame], done: Frame | None, cancel: str) -> Finding:
    topic = "cancels a response"
    if done is None:
        return Finding(topic, "not known", "no response began or ended")
    status, details = _status(done), done.part("response").get("status_details")
    if status == "cancelled":
        reason = cast("Mapping[str, Any]", details).get("reason") if isinstance(details, Mapping) else None
        return Finding(topic, "yes", f"status cancelled, reason {reason or 'not said'}")
    complaint = next((frame.complaint for frame in frames if frame.blames == cancel), None)
    evidence = f"it ended with status {status}" + (f"; {complaint}" if complaint else "")
    return Finding(topic, "not known", f"{evidence}: perhaps it was over before")


async def cancelling(wire: Wire) -> AsyncGenerator[Finding]:
    """A response.cancel when nothing runs."""
    reply = await wire.ask("response.cancel", "response.done")
    topic = "complains of an idle cancel"
    if reply.reaction == "refused":
        yield Finding(topic, "yes", reply.told, (Is("idle_cancel", "error"),))
    elif reply.reaction == "silent":
        yield Finding(topic, "no", "nothing came", (Is("idle_cancel", "silent"),))
    else:
        yield Finding(topic, "not known", f"{reply.told} came although nothing ran")


async def out_of_band(wire: Wire) -> AsyncGenerator[Finding]:
    """A response outside the conversation while another one runs in it."""
    topic = "responds out of band"
    await say(wire, "Say yes.")
    begin = len(wire.frames)
    shape = wire.manner.shape
    wishes = {"modalities": ["text"], "max_tokens": MAX_TOKENS}
    await wire.send("response.create", response=response(shape, **wishes))
    aside = {"conversation": "none", "metadata": MARK, "input": [_message("Say no.")]}
    second = await wire.send("response.create", response=response(shape, **wishes, **aside))
    ended = 0
    while ended < 2:
        frame = await wire.until("response.done", "error", within_s=wire.times.answer_s)
        if frame is None:
            break
        if frame.kind == "error" and (frame.blames in (None, second)):
            yield Finding(topic, "no", frame.complaint, (Is("out_of_band", False),))
            return
        ended += frame.kind == "response.done"
    created = [frame.part("response") for frame in wire.frames[begin:] if frame.kind == "response.created"]
    where = [each.get("conversation_id") for each in created]
    if len(created) < 2:
        yield Finding(topic, "not known", f"{len(created)} of two responses began")
    elif where[0] is not None and where[0] == where[1]:
        evidence = "the second response belongs to the conversation too"
        yield Finding(topic, "no", evidence, (Is("out_of_band", False),))
    else:
        yield Finding(topic, "yes", "it ran beside the conversation's", (Is("out_of_band", True),))


def _message(text: str, item_id: str | None = None) -> dict[str, Any]:
    named = {"id": item_id} if item_id is not None else {}
    return {**named, "type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def _status(done: Frame) -> str:
    return str(done.part("response").get("status", "not said"))


def _text_part(done: Frame) -> str | None:
    """How the first part of the first message is spelled."""
    output: Any = done.part("response").get("output")
    for item in cast("list[Any]", output) if isinstance(output, list) else []:
        content: Any = item.get("content") if isinstance(item, dict) else None
        for part in cast("list[Any]", content) if isinstance(content, list) else []:
            if isinstance(part, dict):
                return str(cast("dict[str, Any]", part).get("type"))
    return None
