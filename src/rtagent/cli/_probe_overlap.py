"""Questions about responses that meet: two at a time, one out of band, one that is cancelled."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from ._probe_facts import Finding, Is
from ._probe_frame import Frame
from ._probe_shape import as_mapping, response
from ._probe_turns import MARK, MAX_TOKENS, message, say, status_of
from ._probe_wire import Wire, concerning

__all__ = ("cancelling", "out_of_band", "two_at_once")


async def two_at_once(wire: Wire) -> AsyncGenerator[Finding]:
    """A second response.create while the first runs; then the first is cancelled."""
    await say(wire, "Count slowly from one to fifty.")
    begin = len(wire.frames)
    # Spoken: a written answer may be over before the second request is read.
    await wire.send("response.create")
    second = await wire.send("response.create")
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
    # Where errors name no event, that of a cancel which came too late must not be taken for this one.
    unnamed = [frame for frame in errors if frame.blames is None and "cancel" not in frame.complaint.lower()]
    named = [frame for frame in errors if frame.blames == second] or unnamed
    if named:
        return Finding(topic, "yes", f"the second is refused: {named[0].complaint}")
    order = [frame.kind for frame in frames if frame.kind in ("response.created", "response.done")]
    if order[:2] == ["response.created", "response.created"]:
        return Finding(topic, "no", "the second began while the first ran")
    if order.count("response.created") > 1:
        return Finding(topic, "not known", "the second began when the first was over")
    return Finding(topic, "not known", "nothing was heard of the second")


def _cancelled(frames: Sequence[Frame], done: Frame | None, cancel: str) -> Finding:
    topic = "cancels a response"
    if done is None:
        return Finding(topic, "not known", "no response began or ended")
    status, details = status_of(done), done.part("response").get("status_details")
    if status == "cancelled":
        reason = as_mapping(details).get("reason")
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
    await wire.send("response.create", response=response(shape, max_tokens=MAX_TOKENS))
    wishes = {"modalities": ["text"], "max_tokens": MAX_TOKENS, "metadata": MARK}
    aside = response(shape, **wishes, conversation="none", input=[message("Say no.")])
    second = await wire.send("response.create", response=aside)
    ours = concerning(second)
    for _ in range(2):
        frame = await wire.until("response.done", "error", within_s=wire.times.answer_s, where=ours)
        if frame is not None and frame.kind == "error":
            yield Finding(topic, "no", frame.complaint, (Is("out_of_band", False),))
            return
    yield _beside(wire.frames[begin:])


def _beside(frames: Sequence[Frame]) -> Finding:
    topic = "responds out of band"
    order = [frame for frame in frames if frame.kind in ("response.created", "response.done")]
    created = [frame.part("response") for frame in order if frame.kind == "response.created"]
    if len(created) < 2:
        return Finding(topic, "not known", f"{len(created)} of two responses began")
    where = [each.get("conversation_id") for each in created]
    if where[0] is not None and where[0] == where[1]:
        evidence = "the second response belongs to the conversation too"
        return Finding(topic, "no", evidence, (Is("out_of_band", False),))
    if [frame.kind for frame in order[:2]] == ["response.created", "response.created"]:
        return Finding(topic, "yes", "it ran beside the conversation's", (Is("out_of_band", True),))
    if None in where and where != [None, None]:
        evidence = "it belongs to no conversation; the other one was over"
        return Finding(topic, "yes", evidence, (Is("out_of_band", True),))
    return Finding(topic, "not known", "it began when the other one was over")
