"""Make ``tests/events/catalogue.json`` and ``live_catalogue.json``: the fields of all that goes over the wire.

Run ``python scripts/make_event_catalogue.py REFERENCE.json [OUT.json]`` with a machine-readable protocol
reference, of Realtime or of GPT-Live; which of them it is can be seen from its keys. Only what the tests walk is
kept: of each field its type, whether the published models require it, and its closed or open list of values.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GROUPS = ("client", "server", "items", "session")
OTHER_PROTOCOLS = ("translation",)
LIVE_GROUPS = ("client", "server", "sideband_client")
LIVE_OBJECTS = ("session_config", "session_resource", "session_update_config", "error", "usage")
OTHER_API = "responses/"
"""Definitions that GPT-Live borrows from the Responses API, whose bulk the tests do not need."""
KEPT = ("required", "enum")
REFERENCE = re.compile(r"[\w/.]+#\w+")
TESTS = Path(__file__).parents[1] / "tests" / "events"


def compact(fields: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Of each field only its type and what is in ``KEPT``."""
    return {
        name: {"type": field["type"], **{key: field[key] for key in KEPT if key in field}}
        for name, field in fields.items()
    }


def catalogue(reference: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the reference that the tests walk, with the definitions that it names."""
    made: dict[str, Any] = {
        group: {
            name: compact(entry["fields"])
            for name, entry in reference[group].items()
            if "fields" in entry and not name.startswith(OTHER_PROTOCOLS)
        }
        for group in GROUPS
    }
    return {**made, "definitions": definitions_named_in(made, reference["definitions"])}


def live_catalogue(reference: Mapping[str, Any]) -> dict[str, Any]:
    """The same of the reference of GPT-Live; of ``sideband_server`` there are the names alone."""
    made: dict[str, Any] = {
        group: {name: compact(entry["fields"]) for name, entry in reference[group].items()}
        for group in LIVE_GROUPS
    }
    made["sideband_server"] = {name: {} for name in reference["sideband_server_types"]}
    made["session"] = {name: compact(reference[name]["fields"]) for name in LIVE_OBJECTS}
    own = {name: entry for name, entry in reference["definitions"].items() if not name.startswith(OTHER_API)}
    return {**made, "definitions": definitions_named_in(made, own)}


def definitions_named_in(made: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """The known definitions that the entries name, and those that these name, in alphabetical order."""

    def named_in(entries: Mapping[str, Any]) -> set[str]:
        return known.keys() & REFERENCE.findall(json.dumps(entries))

    definitions: dict[str, Any] = {}
    wanted = named_in(made)
    while wanted:
        name = wanted.pop()
        definitions[name] = compact(known[name]["fields"])
        wanted |= named_in(definitions[name]) - definitions.keys()
    return dict(sorted(definitions.items()))


def rendered(made: Mapping[str, Mapping[str, Any]]) -> str:
    """JSON with one entry on each line, so that a change of the protocol is easy to see."""
    groups: list[str] = []
    for group, entries in made.items():
        lines = (
            f"{json.dumps(name)}: {json.dumps(entry, sort_keys=True)}" for name, entry in entries.items()
        )
        groups.append(f"{json.dumps(group)}: {{\n" + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(groups) + "\n}\n"


def main() -> int:
    """Write the catalogue and say what it holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reference", type=Path)
    parser.add_argument("out", type=Path, nargs="?")
    arguments = parser.parse_args()
    reference = json.loads(arguments.reference.read_text(encoding="utf-8"))
    live = "session_config" in reference
    made = live_catalogue(reference) if live else catalogue(reference)
    out = arguments.out or TESTS / ("live_catalogue.json" if live else "catalogue.json")
    out.write_text(rendered(made), encoding="utf-8")
    print(", ".join(f"{len(entries)} {group}" for group, entries in made.items()), "->", out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
