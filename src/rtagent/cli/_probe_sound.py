"""Questions about sound: formats, turn detection, and what is made of a second of something like speech."""

from __future__ import annotations

import base64
import math
from array import array
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ..events import PROFILES
from ._probe_facts import Answered, Contains, Fact, Finding, Is
from ._probe_items import met
from ._probe_shape import ABSENT, as_mapping, read
from ._probe_wire import Reply, Wire

__all__ = ("buffers", "formats", "hearing", "speech_like", "streaming", "turn_detections")

RATE_HZ: Final = 24_000
CHUNK_MS: Final = 100
_VOICE_HZ: Final = 120
_WRITTEN: Final[Sequence[str]] = tuple(
    f"conversation.item.input_audio_transcription.{what}" for what in ("completed", "delta", "failed")
)
_HEARD: Final[Mapping[str, str]] = {
    "notices the start of speech": "input_audio_buffer.speech_started",
    "notices the end of speech": "input_audio_buffer.speech_stopped",
    "commits what was said": "input_audio_buffer.committed",
}
_PCM_RATES: Final = (8_000, 16_000, 24_000, 48_000)
_G711: Final = {"audio/pcmu": "g711_ulaw", "audio/pcma": "g711_alaw"}


async def formats(wire: Wire) -> AsyncGenerator[Finding]:
    """Which audio formats can be asked for, and whether they are then in force."""
    flat = wire.manner.shape == "flat"
    before = await wire.update()
    if flat:
        yield _pcm_name(_shown(wire, before, "input_format"))
    else:
        for rate in _PCM_RATES:
            for side, way in (("input", "in"), ("output", "out")):
                wish = {"type": "audio/pcm", "rate": rate}
                fact = Contains(f"{side}_rates", rate, present=True)
                yield await _format(wire, f"PCM {rate // 1000} kHz {way}", side, wish, fact)
    # Both have to be there to count as telephony, so only the last one says that they are.
    ulaw, alaw = (old_name if flat else {"type": name} for name, old_name in _G711.items())
    telephony = Is("telephony", value=True)
    first = await _format(wire, "audio/pcmu in", "input", ulaw, telephony)
    yield replace(first, facts=()) if first.answer == "yes" else first
    second = await _format(wire, "audio/pcma in", "input", alaw, telephony)
    yield second if first.answer == "yes" else replace(second, facts=())
    kept = {name: _shown(wire, before, name) for name in ("input_format", "output_format")}
    await wire.update(**{name: shown for name, shown in kept.items() if shown is not ABSENT})


def _pcm_name(shown: Any) -> Finding:
    """The older sessions name no rate, but they have several names for PCM."""
    topic, evidence = "calls PCM pcm16", f"the session shows {_told(shown)}"
    if shown not in ("pcm16", "pcm"):
        return Finding(topic, "not known", evidence)
    return Finding(topic, "yes" if shown == "pcm16" else "no", evidence, (Is("pcm_name", shown),))


async def _format(wire: Wire, topic: str, side: str, wish: Any, fact: Contains | Is) -> Finding:
    reply = await wire.update(**{f"{side}_format": wish})
    shown = _shown(wire, reply, f"{side}_format")
    if reply.reaction == "refused":
        return Finding(topic, "no", reply.told, (_denied(fact),))
    if reply.reaction == "silent" or shown is ABSENT:
        return Finding(topic, "not known", "the session does not show its format")
    if _same(shown, wish):
        return Finding(topic, "yes", "accepted and shown", (fact,))
    return Finding(topic, "no", f"accepted, but {_told(shown)} is in force", (_denied(fact),))


def _denied(fact: Contains | Is) -> Fact:
    return Contains(fact.field, fact.element, False) if isinstance(fact, Contains) else Is(fact.field, False)


def _same(shown: Any, wish: Any) -> bool:
    wanted = as_mapping(wish)
    if wanted:
        return all(as_mapping(shown).get(name) == value for name, value in wanted.items())
    return bool(shown == wish)


async def turn_detections(wire: Wire) -> AsyncGenerator[Finding]:
    """Which kinds of turn detection there are, what holds from the start, and whether it can be off."""
    created = next((frame for frame in wire.frames if frame.kind == "session.created"), None)
    start = read(wire.manner.shape, created.part("session"), "detection") if created is not None else ABSENT
    if start is ABSENT:
        yield Finding("detects turns from the start", "not known", "the first session does not say")
    else:
        kind = as_mapping(start).get("type")
        fact = Is("default_turn_detection", kind)
        yield Finding("detects turns from the start", "yes" if kind else "no", f"{kind or 'null'}", (fact,))
    kinds = dict.fromkeys(kind for each in PROFILES.values() for kind in each.turn_detections)
    clients_own = {each.manual_by for each in PROFILES.values()}
    off_by: str | None = None
    for kind in kinds:
        reply = await wire.update(detection={"type": kind})
        shown = _shown(wire, reply, "detection")
        in_force = shown if shown is ABSENT else as_mapping(shown).get("type")
        accepted = _accepted(f"turn detection {kind}", reply, in_force, kind, "turn_detections")
        if accepted.answer == "yes" and kind in clients_own:
            off_by = kind
        yield accepted
    reply = await wire.update(detection=None)
    shown = _shown(wire, reply, "detection")
    off = _accepted("turn detection off", reply, shown, None, "manual_turns")
    if off.answer == "no" and off_by is not None:
        facts = (Is("manual_turns", value=True), Is("manual_by", off_by))
        off = Finding(off.topic, "yes", f"null is refused, {off_by} does it", facts)
    yield off


def _accepted(topic: str, reply: Reply, shown: Any, wish: str | None, field: str) -> Finding:
    def fact(present: bool) -> Fact:
        return Is(field, present) if wish is None else Contains(field, wish, present)

    if reply.reaction == "refused":
        return Finding(topic, "no", reply.told, (fact(False),))
    if reply.reaction == "silent" or shown is ABSENT:
        return Finding(topic, "not known", "the session does not show its turn detection")
    if shown == wish:
        return Finding(topic, "yes", "accepted and shown", (fact(True),))
    return Finding(topic, "no", f"accepted, but {_told(shown)} is in force", (fact(False),))


async def hearing(wire: Wire) -> AsyncGenerator[Finding]:
    """A second of something like speech, then silence: is it noticed, committed, written down?"""
    quietly = {"type": "server_vad", "create_response": False, "interrupt_response": False}
    if (await wire.update(detection=quietly)).reaction == "refused":
        await wire.update(detection={"type": "server_vad"})
    transcribes = await _ask_for_transcripts(wire)
    begin = len(wire.frames)
    await _append(wire, speech_like(1_000) + bytes(2 * RATE_HZ * 3 // 2))
    committed = await wire.until("input_audio_buffer.committed", within_s=wire.times.answer_s)
    if committed is not None and transcribes:
        await wire.until(*_WRITTEN, within_s=wire.times.acknowledgement_s)
    heard = {frame.kind: frame for frame in wire.frames[begin:]}
    for topic, kind in _HEARD.items():
        came = heard.get(kind)
        # What was sent sounds like speech to energy, and perhaps not to a model of speech.
        yield Finding(topic, "yes" if came else "not known", came.type if came else "it did not come")
    written = next((heard[kind] for kind in _WRITTEN if kind in heard), None)
    if written is not None:
        yield Finding("writes down what was said", "yes", written.type)
    elif transcribes:
        yield Finding("writes down what was said", "not known", "nothing came, which a hum deserves")
    else:
        yield Finding("writes down what was said", "no", "no update puts a transcription in force")


async def _ask_for_transcripts(wire: Wire) -> bool:
    """Whether transcription is in force: with a model that some known server has by default."""
    for model in dict.fromkeys(each.transcription_model for each in PROFILES.values()):
        if model is None:
            continue
        reply = await wire.update(transcription={"model": model})
        if as_mapping(_shown(wire, reply, "transcription")):
            return True
    return False


async def streaming(wire: Wire) -> AsyncGenerator[Finding]:
    """Speech for a server that only writes down: a commit begins the hearing, a final one ends it."""
    model = wire.manner.model or "default"
    reply = await wire.ask("session.update", "session.updated", model=model)
    fact = Answered("session.update", reply.reaction)
    answered = reply.reaction == "acknowledged"
    yield Finding("answers updates", "yes" if answered else "no", reply.told, (fact,))
    await _append(wire, speech_like(500))
    begun = await wire.ask("input_audio_buffer.commit", *_WRITTEN)
    await _append(wire, speech_like(500))
    ended = await wire.ask("input_audio_buffer.commit", *_WRITTEN, final=True)
    for reply in (begun, ended):
        if reply.reaction == "acknowledged":
            commits = Is("commits", "stream" if reply is ended else "turn")
            yield Finding("writes down what was said", "yes", reply.told, (commits,))
            break
    else:
        refused = any(reply.reaction == "refused" for reply in (begun, ended))
        yield Finding("writes down what was said", "no" if refused else "not known", ended.told)
    reply = await wire.ask("input_audio_buffer.clear", "input_audio_buffer.cleared")
    yield met("clears input audio", "input_audio_buffer.clear", reply)


async def buffers(wire: Wire) -> AsyncGenerator[Finding]:
    """A turn that the program ends, and one that it throws away."""
    await wire.update(detection=None)
    for what, answer in (("commit", "committed"), ("clear", "cleared")):
        await _append(wire, speech_like(200))
        event = f"input_audio_buffer.{what}"
        reply = await wire.ask(event, f"input_audio_buffer.{answer}")
        yield met(f"{what}s input audio", event, reply)


async def _append(wire: Wire, pcm: bytes) -> None:
    chunk = 2 * RATE_HZ * CHUNK_MS // 1000
    for begin in range(0, len(pcm), chunk):
        audio = base64.b64encode(pcm[begin : begin + chunk]).decode()
        await wire.send("input_audio_buffer.append", audio=audio)


def speech_like(ms: int) -> bytes:
    """Syllables of a low voice: harmonics of 120 Hz under a formant, four syllables a second (PCM16)."""
    period = RATE_HZ // _VOICE_HZ  # a whole number of samples, so that one period makes the whole sound
    harmonics = [(n, math.exp(-(((_VOICE_HZ * n - 600) / 400) ** 2)) + 0.4 / n) for n in range(1, 16)]
    wave = [
        sum(weight * math.sin(2 * math.pi * n * index / period) for n, weight in harmonics)
        for index in range(period)
    ]
    loudest = max(map(abs, wave))
    samples = array("h")
    for index in range(RATE_HZ * ms // 1000):
        loudness = 0.35 + 0.65 * math.sin(math.pi * 4 * index / RATE_HZ) ** 2
        samples.append(int(20_000 * loudness * wave[index % period] / loudest))
    return samples.tobytes()


def _shown(wire: Wire, reply: Reply, name: str) -> Any:
    return read(wire.manner.shape, reply.frame.part("session"), name) if reply.frame is not None else ABSENT


def _told(shown: Any) -> str:
    parts = as_mapping(shown)
    if parts:
        return " ".join(str(value) for value in parts.values())
    return "null" if shown is None else str(shown)
