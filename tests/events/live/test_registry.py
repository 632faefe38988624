"""The catalogue walk: every event of GPT-Live with all alternatives of all that it holds, both ways."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from rtagent import events
from rtagent.events import live

CATALOGUE: dict[str, Any] = json.loads(
    Path(__file__).parents[1].joinpath("live_catalogue.json").read_text(encoding="utf-8")
)
CLIENT = CATALOGUE["client"] | CATALOGUE["sideband_client"]
SERVER = CATALOGUE["server"]
VARIANTS = 42
"""Fourteen ways to choose a tool, in one of three kinds of delegation."""
RENAMED = {
    "session.input_audio.append": "SessionInputAudioReflected",
    "transport.dtmf.send": "TransportDtmfSending",
}
"""Server events whose own names the client events have."""
WITHOUT_EVENT_ID = {"session.input_audio.append", "session.output_audio.delta"}
INDISPENSABLE = {
    ("session.delegation.created", "delegation"),
    ("decision.item.deleted", "item_id"),
}
BACKING_ITEM = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "so"}]}
"""Stands for the items of the Responses API, which are not in the catalogue."""
OBJECTS: dict[str, type[events.WireModel]] = {
    "session_config": live.SessionConfig,
    "session_resource": live.SessionResource,
    "session_update_config": live.SessionUpdateConfig,
    "error": live.ErrorDetail,
    "usage": live.SessionUsage,
}
WRONG: tuple[Any, ...] = (None, 5, "x", [], {}, [5], {"type": 5}, {"type": "novel", "x": 1})


def alternatives(kind: str) -> list[str]:
    """The members of a union that stand side by side, not within an array."""
    return re.split(r" \| (?![^<]*>)", kind)


class Sampler:
    """Builds wire objects from catalogue fields.

    ``variant`` None builds what is required alone; a number fills everything, and says which of its
    alternatives each union takes.
    """

    def __init__(self, variant: int | None) -> None:
        self._variant = variant

    def build(self, fields: dict[str, Any]) -> dict[str, Any]:
        full = self._variant is not None
        return {name: self._value(field) for name, field in fields.items() if full or field["required"]}

    def _value(self, field: dict[str, Any]) -> Any:
        kinds = alternatives(field["type"])
        kind = kinds[(self._variant or 0) % len(kinds)]
        if kind.startswith("map<"):
            return {} if self._variant is None else {"key": "x"}
        if kind.startswith("array<"):
            members = [] if self._variant is None else alternatives(kind.removeprefix("array<")[:-1])
            return [self._value({"type": member}) for member in members]
        return self._one(kind, field)

    def _one(self, kind: str, field: dict[str, Any]) -> Any:
        if "#" in kind:
            definition = CATALOGUE["definitions"].get(kind)
            return BACKING_ITEM if definition is None else self.build(definition)
        if kind in ("string", "integer") and "enum" in field:
            return field["enum"][0]
        return {"integer": 8_000, "number": 0.5, "boolean": True, "any": {"a": 1}}.get(kind, "AAAA")


@cache
def samples(direction: str, kind: str) -> list[dict[str, Any]]:
    """The minimal object of a kind, then full ones until each alternative was there."""
    fields = (CLIENT if direction == "client" else SERVER)[kind]
    found = [Sampler(variant).build(fields) for variant in (None, *range(VARIANTS))]
    return list({json.dumps(wire): wire for wire in found}.values())


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where anything lies in a JSON value."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*path, step)
        yield from places(inner, (*path, step))


def changed(wire: Any, path: tuple[Any, ...], *put: Any) -> Any:
    """A copy in which what lies at the path is replaced, or taken out."""
    copy = json.loads(json.dumps(wire))
    owner = copy
    for step in path[:-1]:
        owner = owner[step]
    if put:
        owner[path[-1]] = put[0]
    else:
        del owner[path[-1]]
    return copy


def unknown_in(value: Any) -> list[str]:
    """Fields and objects, at any depth, that no model knows."""
    if isinstance(value, (list, tuple)):
        return [found for one in value for found in unknown_in(one)]
    if not isinstance(value, BaseModel) or isinstance(value, live.ResponsesItem):
        return []
    name = type(value).__name__
    found = [f"{name}.{extra}" for extra in value.model_extra or ()]
    if name.startswith("Unknown"):
        found.append(name)
    return found + [
        deeper for field in type(value).model_fields for deeper in unknown_in(getattr(value, field))
    ]


def class_name(kind: str) -> str:
    return "".join(word.capitalize() for word in re.split(r"[._]", kind))


def test_the_catalogue_and_the_registries_hold_the_same_events():
    assert set(live.CLIENT_EVENTS) == set(CLIENT)
    assert set(live.SERVER_EVENTS) == set(SERVER)
    assert (len(CATALOGUE["client"]), len(CLIENT), len(SERVER)) == (15, 16, 28)


def test_what_an_attached_socket_may_carry():
    assert set(CATALOGUE["sideband_client"]) == live.SIDEBAND_CLIENT_EVENTS
    assert set(CATALOGUE["sideband_server"]) == live.SIDEBAND_SERVER_EVENTS


@pytest.mark.parametrize("kind", CLIENT)
def test_client_classes_have_the_names_and_fields_of_the_wire(kind):
    model = live.CLIENT_EVENTS[kind]
    assert model is getattr(live, class_name(kind))
    assert set(model.model_fields) == set(CLIENT[kind]) | {"event_id"}
    assert model.__doc__


@pytest.mark.parametrize("kind", SERVER)
def test_server_classes_have_the_names_and_fields_of_the_wire(kind):
    model = live.SERVER_EVENTS[kind]
    assert model is getattr(live, RENAMED.get(kind, class_name(kind)))
    assert set(model.model_fields) == set(SERVER[kind]) | {"event_id"}
    assert model.__doc__


@pytest.mark.parametrize("name", OBJECTS)
def test_session_objects_have_the_fields_of_the_wire(name):
    ours = {"event_id"} if name == "error" else set()
    assert set(OBJECTS[name].model_fields) - ours == set(CATALOGUE["session"][name])


@pytest.mark.parametrize("kind", SERVER)
def test_server_events_round_trip(kind, read, written):
    for wire in samples("server", kind):
        event = read(wire)
        assert type(event) is live.SERVER_EVENTS[kind]
        assert written(event) == wire
        assert unknown_in(event) == []
        assert event.defects == ()
        assert kind in WITHOUT_EVENT_ID or event.departures == ()


@pytest.mark.parametrize("kind", CLIENT)
def test_client_events_round_trip(kind, written):
    for wire in samples("client", kind):
        event = live.CLIENT_EVENTS[kind].model_validate(wire)
        assert written(event) == wire
        assert unknown_in(event) == []


@pytest.mark.parametrize("kind", CLIENT)
def test_client_events_take_no_other_fields(kind):
    with pytest.raises(ValidationError, match="novel"):
        live.CLIENT_EVENTS[kind].model_validate({**samples("client", kind)[0], "novel": 1})


@pytest.mark.parametrize("kind", SERVER)
def test_whatever_a_server_leaves_out_the_event_is_read(kind, read):
    for wire in samples("server", kind)[:4]:
        for path in places(wire):
            event = read(changed(wire, path))
            needed = path == ("type",) or any(path[: len(one)] == one for one in indispensable(kind))
            assert needed or type(event) is live.SERVER_EVENTS[kind], path


def indispensable(kind: str) -> list[tuple[str]]:
    return [(field,) for name, field in INDISPENSABLE if name == kind]


@pytest.mark.parametrize("kind", SERVER)
def test_whatever_a_server_writes_into_a_field_nothing_is_raised(kind, read, written):
    wire = samples("server", kind)[2 % len(samples("server", kind))]
    for path in places(wire):
        for wrong in WRONG:
            event = read(changed(wire, path, wrong))
            if not isinstance(event, events.MalformedFrame):
                written(event)


@pytest.mark.parametrize("kind", SERVER)
def test_unknown_fields_survive(kind, read, written):
    wire = {**samples("server", kind)[0], "novel": {"a": 1}}
    assert written(read(wire)) == wire


def test_the_registries_cannot_be_changed():
    with pytest.raises(TypeError):
        live.SERVER_EVENTS["error"] = live.Error  # type: ignore[index]
