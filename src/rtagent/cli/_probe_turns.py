"""Questions about a turn in writing: an item and its answer, and how both are announced."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

from ._probe_facts import Answer, Answered, Fact, Finding, Is
from ._probe_frame import Frame
from ._probe_shape import as_list, as_mapping, response
from ._probe_wire import Wire, concerning

__all__ = ("MARK", "MAX_TOKENS", "Turn", "message", "respond", "say", "status_of", "written_turn")

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
        return "no response.done came" if self.done is None else f"status {status_of(self.done)}"


async def say(wire: Wire, text: str, *, item_id: str | None = None) -> None:
    """Put a message of the user into the conversation, without looking at the answer."""
    await wire.send("conversation.item.create", item=message(text, item_id))


async def respond(wire: Wire, **settings: Any) -> Turn:
    """Ask for a response and read until it is over.

    Raises:
        Ended: the server ended the connection.
    """
    begin = len(wire.frames)
    fields = {"response": response(wire.manner.shape, **settings)} if settings else {}
    event_id = await wire.send("response.create", **fields)
    awaited = ("response.done", "error")
    end = await wire.until(*awaited, within_s=wire.times.answer_s, where=concerning(event_id))
    refusal = end if end is not None and end.kind == "error" else None
    return Turn(wire.frames[begin:], refusal)


async def written_turn(wire: Wire) -> AsyncGenerator[Finding]:
    """An item of ours and a written answer: how both are announced."""
    begin = len(wire.frames)
    ours = "probe_message_1"
    reply = await wire.ask("conversation.item.create", *_CREATED, item=message("Say yes.", ours))
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
    """Ask for a response with all wishes, then with fewer, until one is made."""
    limited = {"max_tokens": MAX_TOKENS, "metadata": MARK}
    full = turn = await respond(wire, modalities=["text"], **limited)
    if turn.refusal is not None:
        turn = await respond(wire, **limited)
    overridden = turn.refusal is None
    if not overridden:
        turn = await respond(wire)
    if turn.refusal is not None or turn.done is None:
        refused = turn.refusal is not None
        fact: tuple[Fact, ...] = (Answered("response.create", "refused"),) if refused else ()
        yield Finding("responds", "no" if refused else "not known", turn.told, fact)
        return
    yield Finding("responds", "yes", turn.told, (Answered("response.create", "acknowledged"),))
    evidence = "max_output_tokens and metadata were taken" if overridden else full.told
    overrides = Is("response_overrides", overridden)
    yield Finding("responses have settings", "yes" if overridden else "no", evidence, (overrides,))
    if overridden:
        yield _writes(full, turn)
        yield _metadata(turn.done)
    spelled = _text_part(turn.done)
    if spelled in ("text", "output_text"):
        answer: Answer = "yes" if spelled == "output_text" else "no"
        evidence = f"a written part has the type {spelled}"
        yield Finding("GA spelling of parts", answer, evidence, (Is("assistant_text", spelled),))


def _writes(full: Turn, turn: Turn) -> Finding:
    topic = "answers in writing"
    text = turn.first("response.output_text.delta", "response.output_text.done")
    voice = turn.first("response.output_audio.delta", "response.output_audio_transcript.delta")
    if full.refusal is not None:
        return Finding(topic, "no", full.told, (Is("text_answers", False),))
    if text is not None:
        return Finding(topic, "yes", text.type, (Is("text_answers", True),))
    if voice is not None:
        evidence = f"text was asked for, {voice.type} came"
        return Finding(topic, "no", evidence, (Is("text_answers", False),))
    return Finding(topic, "not known", f"neither text nor voice came: {turn.told}")


def _metadata(done: Frame) -> Finding:
    metadata = done.part("response").get("metadata")
    came = as_mapping(metadata).get("probe") == MARK["probe"]
    evidence = "in response.done" if came else f"response.done has {metadata or 'none'}"
    return Finding("metadata comes back", "yes" if came else "no", evidence, (Is("echoes_metadata", came),))


def _announced(frames: Sequence[Frame]) -> Finding:
    kinds = {frame.kind for frame in frames}
    both = "conversation.item.added" in kinds and "conversation.item.done" in kinds
    if both or "conversation.item.created" in kinds:
        value = "added_done" if both else "created"
        evidence = "item.added and item.done" if both else "item.created only"
        fact = Is("announces_items", value)
        return Finding("announces items in two steps", "yes" if both else "no", evidence, (fact,))
    return Finding("announces items in two steps", "not known", "item.added without item.done")


def message(text: str, item_id: str | None = None) -> dict[str, Any]:
    """A message of the user."""
    named = {"id": item_id} if item_id is not None else {}
    return {**named, "type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def status_of(done: Frame) -> str:
    """The status with which a response ended."""
    return str(done.part("response").get("status", "not said"))


def _text_part(done: Frame) -> str | None:
    """How the first part of the first message is spelled."""
    for item in as_list(done.part("response").get("output")):
        for part in as_list(as_mapping(item).get("content")):
            return str(as_mapping(part).get("type"))
    return None
