"""The catalogue walk: every event, item and session object of the protocol, minimal and full, both ways."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from rtagent import events

OWN_COPY = Path(__file__).with_name("catalogue.json")
REFERENCE = Path(__file__).parents[3] / "shared/reference/realtime_events.json"
ITEM_EVENT = "conversation.item.added"
FIELDS_OF_PARTS = {
    "input_text": {"text"},
    "input_audio": {"audio", "transcript"},
    "input_image": {"image_url", "detail"},
    "output_text": {"text"},
    "output_audio": {"audio", "transcript"},
    "text": {"text"},
    "audio": {"audio", "transcript"},
}
"""Which fields belong together; the published models have one class for all parts of a message."""


@cache
def catalogue(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def fields_of(entry: dict[str, Any]) -> dict[str, Any]:
    """The reference wraps the fields of an entry, our own copy does not."""
    fields: dict[str, Any] = entry.get("fields", entry)
    return fields


class Sampler:
    """Builds wire objects from catalogue fields; ``full`` fills every field and every list."""

    def __init__(self, definitions: dict[str, Any], *, full: bool) -> None:
        self._definitions = definitions
        self._full = full

    def build(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {name: self.value(field) for name, field in fields.items() if self._full or field["required"]}

    def value(self, field: dict[str, Any]) -> Any:
        kind = field["type"]
        if kind.startswith("map<"):
            return {"key": "x"} if self._full else {}
        if kind.startswith("array<"):
            members = kind.removeprefix("array<").split(">")[0].split(" | ")
            return [one for member in members for one in self.every(member, field)] if self._full else []
        return self.one(kind.split(" | ")[0], field)

    def every(self, kind: str, field: dict[str, Any]) -> list[Any]:
        """One object of each kind that there is."""
        fields = fields_of(self._definitions[kind]) if kind.endswith("#Content") else {}
        kinds = fields.get("type", {}).get("enum", [])
        return [self.part(fields, kind) for kind in kinds] or [self.one(kind, field)]

    def part(self, fields: dict[str, Any], kind: str) -> dict[str, Any]:
        return {"type": kind, **{name: self.value(fields[name]) for name in FIELDS_OF_PARTS[kind]}}

    def one(self, kind: str, field: dict[str, Any]) -> Any:
        if "#" in kind:
            fields = fields_of(self._definitions[kind])
            return self.part(fields, "audio") if kind.endswith("#Part") and self._full else self.build(fields)
        if kind == "string" and "enum" in field:
            return field["enum"][0]
        return {"integer": 24_000, "number": 0.5, "boolean": True, "any": {"a": 1}}.get(kind, "x")


def class_name(kind: str) -> str:
    return "".join(word.capitalize() for word in re.split(r"[._]", kind))


def entries(group: str) -> list[Any]:
    return [pytest.param(name, id=name) for name in catalogue(OWN_COPY)[group]]


@pytest.fixture(params=[OWN_COPY, REFERENCE], ids=["own copy", "reference"])
def source(request: pytest.FixtureRequest) -> dict[str, Any]:
    path: Path = request.param
    if not path.exists():
        pytest.skip("the machine-readable reference is not on this machine")
    return catalogue(path)


@pytest.fixture(params=[False, True], ids=["minimal", "full"])
def sampler(request: pytest.FixtureRequest, source: dict[str, Any]) -> Sampler:
    return Sampler(source["definitions"], full=request.param)


def unknown_in(value: Any) -> list[str]:
    """Fields and objects, at any depth, that no model knows."""
    if isinstance(value, (list, tuple)):
        return [found for one in value for found in unknown_in(one)]
    if not isinstance(value, BaseModel):
        return []
    name = type(value).__name__
    found = [f"{name}.{extra}" for extra in value.model_extra or ()]
    if name.startswith("Unknown") and name != "UnknownPart":
        found.append(name)
    return found + [
        deeper for field in type(value).model_fields for deeper in unknown_in(getattr(value, field))
    ]


def test_the_catalogue_and_the_registries_hold_the_same_events(source):
    assert set(source["server"]) == set(events.SERVER_EVENTS)
    assert set(source["client"]) == set(events.CLIENT_EVENTS)
    assert (len(events.CLIENT_EVENTS), len(events.SERVER_EVENTS)) == (11, 46)


@pytest.mark.parametrize("kind", [*events.SERVER_EVENTS, *events.CLIENT_EVENTS])
def test_classes_are_named_after_the_wire_type(kind):
    model = {**events.SERVER_EVENTS, **events.CLIENT_EVENTS}[kind]
    assert model is getattr(events, class_name(kind))
    assert model.model_fields["type"].default == kind
    assert model.__doc__


@pytest.mark.parametrize("kind", entries("server"))
def test_server_events_round_trip(kind, source, sampler):
    wire = sampler.build(fields_of(source["server"][kind]))
    event = events.decode(json.dumps(wire))
    assert type(event) is events.SERVER_EVENTS[kind]
    assert json.loads(events.encode(event)) == wire
    assert unknown_in(event) == []
    reported = [defect for defect in event.defects if defect != "delta: not base64"]
    assert reported == []


@pytest.mark.parametrize("kind", entries("client"))
def test_client_events_round_trip(kind, source, sampler):
    wire = sampler.build(fields_of(source["client"][kind]))
    if "audio" in wire:
        wire["audio"] = "AAAA"
    event = events.decode_client(json.dumps(wire))
    assert type(event) is events.CLIENT_EVENTS[kind]
    assert json.loads(events.encode(event)) == wire
    assert unknown_in(event) == []


@pytest.mark.parametrize("kind", entries("items"))
def test_items_round_trip(kind, source, sampler):
    item = sampler.build(fields_of(source["items"][kind]))
    wire = {"type": ITEM_EVENT, "item": item}
    event = events.decode(json.dumps(wire))
    assert isinstance(event, events.ConversationItemAdded)
    assert type(event.item).__name__ == class_name("_".join(reversed(kind.split(":"))))
    assert json.loads(events.encode(event)) == wire
    assert unknown_in(event) == []


@pytest.mark.parametrize("kind", ["realtime", "realtime_response", "transcription", "transcription_response"])
def test_sessions_round_trip(kind, source, sampler):
    wire = {"type": "session.updated", "session": sampler.build(fields_of(source["session"][kind]))}
    detection = wire["session"].get("audio", {}).get("input", {}).get("turn_detection", {})
    if detection.get("type") == "x":  # the flat object of transcription snapshots names no values
        detection["type"] = "server_vad"
    event = events.decode(json.dumps(wire))
    assert isinstance(event, events.SessionUpdated)
    assert json.loads(events.encode(event)) == wire
    assert unknown_in(event) == []
    assert event.defects == ()


def test_the_registries_cannot_be_changed():
    with pytest.raises(TypeError):
        events.SERVER_EVENTS["error"] = events.Error  # type: ignore[index]
