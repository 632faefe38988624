"""Questions about items, calls and mistakes: what the server does with them and what it answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Final

from ..events import PROFILES, vocabulary
from ._probe_facts import Answer, Answered, Fact, Finding, Is
from ._probe_frame import Frame
from ._probe_turns import Turn, respond, say
from ._probe_wire import Ended, Reply, Wire

__all__ = ("editing", "farewell", "function_call", "mistakes", "truncating")

_ADDED = ("conversation.item.added", "conversation.item.created")
_ANSWERS: dict[str, Answer] = {"acknowledged": "yes", "refused": "no", "silent": "not known"}
_TOOL: Final = {
    "type": "function",
    "name": "set_light",
    "description": "Switches the light on or off.",
    "parameters": {
        "type": "object",
        "properties": {"on": {"type": "boolean"}},
        "required": ["on"],
        "additionalProperties": False,
    },
}
_MAX_CALL_TOKENS = 64


def met(topic: str, event: str, reply: Reply) -> Finding:
    """The finding about an event that could have been obeyed."""
    return Finding(topic, _ANSWERS[reply.reaction], reply.told, (Answered(event, reply.reaction),))


async def editing(wire: Wire) -> AsyncGenerator[Finding]:
    """Long ids; an item is looked at and taken out again."""
    long_id = "probe_" + "x" * 27
    long = await wire.ask("conversation.item.create", *_ADDED, item=_item("One.", long_id))
    yield Finding("refuses item ids of 33 characters", _REFUSES[long.reaction], long.told)
    item_id = "probe_message_2"
    await wire.ask("conversation.item.create", *_ADDED, item=_item("Two.", item_id))
    for what in ("retrieve", "delete"):
        event = f"conversation.item.{what}"
        reply = await wire.ask(event, f"{event}d", item_id=item_id)
        yield met(f"{what}s items", event, reply)


_REFUSES: dict[str, Answer] = {"acknowledged": "no", "refused": "yes", "silent": "not known"}


async def truncating(wire: Wire) -> AsyncGenerator[Finding]:
    """A spoken answer that is cut to what was heard."""
    topic = "truncates spoken items"
    await say(wire, "Say: one, two, three.")
    turn = await respond(wire)
    voice = turn.first("response.output_audio.delta")
    if voice is None:
        yield Finding(topic, "not known", f"no voice came to be cut: {turn.told}")
        return
    item_id = voice.raw.get("item_id") or _item_id(turn)
    event = "conversation.item.truncate"
    cut = {"item_id": item_id, "content_index": 0, "audio_end_ms": 100}
    reply = await wire.ask(event, "conversation.item.truncated", **cut)
    yield met(topic, event, reply)


async def function_call(wire: Wire) -> AsyncGenerator[Finding]:
    """A tool that has to be called."""
    topic = "calls functions"
    choice = "required"
    reply = await wire.update(tools=[_TOOL], tool_choice=choice)
    if reply.reaction == "refused":
        choice = "auto"
        reply = await wire.update(tools=[_TOOL], tool_choice=choice)
    if reply.reaction == "refused":
        yield Finding(topic, "no", reply.told, (Is("functions", False),))
        return
    await say(wire, "Switch the light on with your tool.")
    turn = await respond(wire, max_tokens=_MAX_CALL_TOKENS)
    calls = [frame for frame in turn.frames if _is_call(frame)]
    ended = turn.first("response.function_call_arguments.done")
    if not calls and ended is None:
        yield Finding(topic, "not known", f"none was made, tool_choice {choice}: {turn.told}")
        return
    source = calls[-1].type if calls else "response.function_call_arguments.done"
    yield Finding(topic, "yes", f"by {source}", (Is("functions", True),))
    if ended is None:
        yield Finding("says a call's arguments are done", "no", "no response.function_call_arguments.done")
        return
    missing = [name for name in ("call_id", "name", "arguments") if not ended.raw.get(name)]
    evidence = f"without {', '.join(missing)}" if missing else "with call_id, name and arguments"
    yield Finding("says a call's arguments are done", "no" if missing else "yes", evidence)


async def mistakes(wire: Wire) -> AsyncGenerator[Finding]:
    """An event that does not exist, then a frame that is no JSON."""
    try:
        reply = await wire.ask("rtagent.probe")
    except Ended as end:
        yield Finding("survives an unknown event", "no", str(end))
        return
    yield Finding("survives an unknown event", "yes", reply.told)
    if reply.frame is not None:
        yield _error_shape(reply.frame)
        named = reply.frame.blames is not None
        evidence = "error.event_id names the event" if named else "the error names no event"
        yield Finding("errors name their cause", "yes" if named else "no", evidence)
    sent = len(wire.frames)
    try:
        await wire.send_text('{"type": ')
        await wire.ask("rtagent.probe")
    except Ended as end:
        yield Finding("survives bad JSON", "no", str(end))
        return
    errors = [frame for frame in wire.frames[sent:] if frame.kind == "error"]
    yield Finding("survives bad JSON", "yes", errors[0].complaint if errors else "nothing came")


def _error_shape(error: Frame) -> Finding:
    shape = "object" if error.part("error") else "string"
    facts: tuple[Fact, ...] = (Is("error_shape", shape),)
    return Finding("errors are objects", "yes" if shape == "object" else "no", error.complaint, facts)


async def farewell(wire: Wire) -> AsyncGenerator[Finding]:
    """The events with which other servers want to be left; asked last."""
    partings = {
        dialect.farewell: dialect.farewell_answer
        for dialect in PROFILES.values()
        if dialect.farewell is not None and dialect.farewell_answer is not None
        # What is an event of the protocol as well says goodbye only to the server that means it so.
        if dialect.farewell not in vocabulary("realtime").client
    }
    replies: list[Reply] = []
    for goodbye, answer in partings.items():
        reply = await wire.ask(goodbye, answer)
        if reply.reaction == "acknowledged":
            facts = (Is("farewell", goodbye), Is("farewell_answer", answer))
            yield Finding("says goodbye", "yes", f"{goodbye} is answered by {answer}", facts)
            return
        replies.append(reply)
    refused = all(reply.reaction == "refused" for reply in replies)
    none: tuple[Fact, ...] = (Is("farewell", None),) if refused else ()
    yield Finding("says goodbye", "no" if refused else "not known", replies[0].told, none)


def _is_call(frame: Frame) -> bool:
    about_response = frame.kind in ("response.output_item.added", "response.output_item.done")
    return about_response and frame.part("item").get("type") == "function_call"


def _item(text: str, item_id: str) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"id": item_id, "type": "message", "role": "user", "content": content}


def _item_id(turn: Turn) -> Any:
    added = turn.first("response.output_item.added", "response.output_item.done")
    return added.part("item").get("id") if added is not None else None
