"""What the whole record of a probe shows: names, fields that are left out, events of the vendor's own. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..events import BETA, PROFILES, vocabulary
from ._probe_facts import Contains, Fact, Finding
from ._probe_frame import Frame

__all__ = ("from_record",)

_RENAMED = tuple(theirs for theirs in BETA.aliases if theirs.startswith("response."))
_OWN_NAMES = tuple(
    dict.fromkeys(
        theirs for dialect in PROFILES.values() for theirs in dialect.aliases if theirs not in BETA.aliases
    )
)
_REQUIRED = (
    "event_id",
    "response_id",
    "item_id",
    "output_index",
    "content_index",
    "previous_item_id",
    "audio_start_ms",
    "audio_end_ms",
    "call_id",
    "name",
)
"""Fields that the protocol has on every event whose class has them (protocol document, section 3.2)."""


def from_record(frames: Sequence[Frame], protocol: str) -> list[Finding]:
    """The findings that no question of its own is needed for."""
    typed = [frame for frame in frames if frame.kind]
    findings = _names(typed) if protocol == "realtime" else []
    if protocol == "realtime":
        findings += _fields(typed)
    return [*findings, *_additions(typed), _rates(typed)]


def _names(frames: Sequence[Frame]) -> list[Finding]:
    came = {frame.type for frame in frames}
    ours = {BETA.aliases[theirs] for theirs in _RENAMED}
    beta, ga = sorted(came.intersection(_RENAMED)), sorted(came & ours)
    own = sorted(came.intersection(_OWN_NAMES))
    facts: list[Fact] = [Contains("aliases", name, name in came) for name in _OWN_NAMES]
    if beta or ga:
        facts += [Contains("aliases", name, bool(beta)) for name in _RENAMED]
    if beta:
        finding = Finding("GA names", "no", f"beta: {beta[0]}", tuple(facts))
    elif own:
        finding = Finding("GA names", "no", f"its own: {', '.join(own)}", tuple(facts))
    elif ga:
        finding = Finding("GA names", "yes", ga[0], tuple(facts))
    else:
        finding = Finding("GA names", "not known", "no event came whose name tells")
    return [finding]


def _fields(frames: Iterable[Frame]) -> list[Finding]:
    classes = vocabulary("realtime").server
    missing: dict[str, str] = {}
    asked: dict[str, None] = {}
    for frame in frames:
        model = classes.get(frame.kind)
        for name in _REQUIRED if model is not None else ():
            if model is not None and name in model.model_fields:
                asked[name] = None
                if name not in frame.raw:
                    missing.setdefault(name, frame.type)
    if not asked:
        return [Finding("complete events", "not known", "no event of the protocol came")]
    facts = tuple(Contains("missing_fields", name, name in missing) for name in asked)
    if missing:
        evidence = ", ".join(f"{name} ({kind})" for name, kind in missing.items())
        return [Finding("complete events", "no", f"without {evidence}", facts)]
    return [Finding("complete events", "yes", f"{', '.join(asked)}: always there", facts)]


def _additions(frames: Iterable[Frame]) -> list[Finding]:
    known = {name for protocol in ("realtime", "live", "translation") for name in _server_types(protocol)}
    extra = sorted({frame.type for frame in frames if frame.kind not in known})
    if not extra:
        return [Finding("events of its own", "no", "every type is the protocol's")]
    facts = tuple(Contains("extra_events", name, present=True) for name in extra)
    return [Finding("events of its own", "yes", ", ".join(extra), facts)]


def _server_types(protocol: str) -> Iterable[str]:
    match protocol:
        case "live":
            return vocabulary("live").server
        case "translation":
            return vocabulary("translation").server
        case _:
            return vocabulary("realtime").server


def _rates(frames: Iterable[Frame]) -> Finding:
    told = next((frame for frame in frames if frame.kind == "rate_limits.updated"), None)
    if told is None:
        return Finding("states rate limits", "no", "rate_limits.updated did not come")
    return Finding("states rate limits", "yes", told.type)
