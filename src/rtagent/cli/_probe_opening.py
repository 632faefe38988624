"""The first questions: how the server greets, which protocol it speaks, what a session looks like there."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from ..errors import ConnectionFailed
from ..events import PROFILES
from ._probe_facts import Answer, Answered, Fact, Finding, Is
from ._probe_frame import Frame
from ._probe_shape import Shape, as_mapping, read
from ._probe_wire import INSTRUCTIONS, Wire

__all__ = ("await_greeting", "greeting", "limits", "shape")

_GREETINGS: Final = ("session.created", "conversation.created", "session.started")
_SHAPES: Final[tuple[Shape, ...]] = ("nested", "voice_on_top", "flat")
_FIRST_SILENCE_MS: Final = 610
"""An unusual length of the silence that ends a turn: who shows it has understood the update."""


async def await_greeting(wire: Wire) -> Frame:
    """The event with which the session begins; a server that does not greet is spoken to first.

    Raises:
        Ended: the server ended the connection.
        ConnectionFailed: there is no session to be had.
    """
    waits_s = wire.times.quiet_s if wire.manner.protocol == "live" else wire.times.acknowledgement_s
    first = await wire.until(*_GREETINGS, "error", within_s=waits_s)
    if first is None and not wire.frames:
        model = wire.manner.model or PROFILES["live"].default_model
        await wire.send("session.start", session={"model": model, "instructions": INSTRUCTIONS})
        first = await wire.until(*_GREETINGS, "error", within_s=wire.times.answer_s)
    if first is None:
        what = f"it began with {wire.frames[0].text!r}" if wire.frames else "it said nothing"
        message = f"the WebSocket opened, but this is no Realtime server: {what}"
        raise ConnectionFailed(message)
    if first.kind == "error":
        message = f"the server refused the session: {first.complaint}"
        raise ConnectionFailed(message)
    return first


async def greeting(wire: Wire) -> AsyncGenerator[Finding]:
    """How the server greets, and by that which protocol it speaks."""
    first = await await_greeting(wire)
    await wire.rest()
    if first.kind == "session.started":
        wire.manner = replace(wire.manner, protocol="live")
        evidence = "session.start was needed; then came session.started"
        yield Finding("greets first", "no", evidence, (Is("greeting", ()),))
    else:
        spoken = [frame for frame in wire.frames if frame.kind in _GREETINGS]
        evidence = f"{', '.join(frame.type for frame in spoken)}, {first.at_s * 1000:.0f} ms after dialling"
        kinds = tuple(frame.kind for frame in spoken)
        yield Finding("greets first", "yes", evidence, (Is("greeting", kinds),))
    if first.part("session").get("type") == "translation":
        wire.manner = replace(wire.manner, protocol="translation")
    protocol = wire.manner.protocol
    evidence = {
        "realtime": f"the session began with {first.type}",
        "live": "GPT-Live: it began with session.started",
        "translation": "Realtime translation: the session has this type",
    }[protocol]
    answer: Answer = "yes" if protocol == "realtime" else "no"
    yield Finding("Realtime protocol", answer, evidence, (Is("protocol", protocol),))


async def shape(wire: Wire) -> AsyncGenerator[Finding]:
    """In which shape a session is changed: each is tried until one shows an effect."""
    created = next((frame for frame in wire.frames if frame.kind == "session.created"), None)
    if created is not None and not created.part("session"):
        wire.manner = replace(wire.manner, shape="model_on_top")
        evidence = "session.created holds no session: all that an update can name is the model"
        yield Finding("nested session", "no", evidence, (Is("session_shape", "model_on_top"),))
        return
    seen = _seen(created.part("session") if created is not None else {})
    met: list[str] = []
    acknowledged = False
    for tried in sorted(_SHAPES, key=lambda each: each != (seen or wire.manner.shape)):
        wire.manner = replace(wire.manner, shape=tried)
        silence_ms = _FIRST_SILENCE_MS + 10 * len(met)
        detection = {"type": "server_vad", "silence_duration_ms": silence_ms}
        reply = await wire.update(instructions=INSTRUCTIONS, detection=detection)
        acknowledged = acknowledged or reply.reaction == "acknowledged"
        if reply.frame is not None and reply.reaction == "acknowledged":
            shown = as_mapping(read(tried, reply.frame.part("session"), "detection"))
            if shown.get("silence_duration_ms") == silence_ms:
                evidence = f"the {_words(tried)} shape took effect in {reply.frame.type}"
                wire.manner = replace(wire.manner, answers_updates=True)
                yield _found(tried, evidence, (Answered("session.update", "acknowledged"),))
                return
        if reply.reaction == "silent":
            yield Finding("answers updates", "no", "nothing came", (Answered("session.update", "silent"),))
            break
        met.append(f"{_words(tried)}: {'no effect' if reply.reaction == 'acknowledged' else reply.told}")
    wire.manner = replace(wire.manner, answers_updates=acknowledged, shape=seen or "nested")
    if seen is None:
        yield Finding("nested session", "not known", "; ".join(met) or "updates are not answered")
    else:
        yield _found(seen, f"session.created shows the {_words(seen)} shape; no update took effect", ())


def _found(found: Shape, evidence: str, more: tuple[Fact, ...]) -> Finding:
    answer: Answer = "yes" if found == "nested" else "no"
    return Finding("nested session", answer, evidence, (Is("session_shape", found), *more))


def _seen(session: Mapping[str, Any]) -> Shape | None:
    """The shape in which the server shows its session."""
    if "audio" in session:
        return "voice_on_top" if "turn_detection" in session or "voice" in session else "nested"
    flat = ("modalities", "input_audio_format", "turn_detection", "voice")
    return "flat" if any(name in session for name in flat) else None


def _words(name: Shape) -> str:
    return name.replace("_", " ")


async def limits(wire: Wire) -> AsyncGenerator[Finding]:
    """How long a session may last, as the server itself says."""
    stated = [
        frame.part("session").get("expires_at")
        for frame in wire.frames
        if frame.kind in _GREETINGS or frame.kind == "session.updated"
    ]
    expires_at = next((moment for moment in stated if isinstance(moment, int) and moment > 0), None)
    if expires_at is None:
        yield Finding("says when it ends", "no", "no expires_at in its sessions")
        return
    lasting_s = expires_at - datetime.now(UTC).timestamp()
    evidence = f"expires_at: after {lasting_s / 60:.0f} min"
    yield Finding("says when it ends", "yes", evidence)
