"""Make ``tests/events/catalogue.json``: the fields of every event, item and session object.

Run ``python scripts/make_event_catalogue.py REFERENCE.json [OUT.json]`` with the machine-readable protocol
reference. Only what the tests walk is kept: the GA protocol, and of each field its type, whether the
published models require it, and its closed or open list of values.
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
KEPT = ("required", "enum")
REFERENCE = re.compile(r"[\w/.]+#\w+")
DEFAULT_OUT = Path(__file__).parents[1] / "tests" / "events" / "catalogue.json"


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
    definitions: dict[str, Any] = {}
    wanted = set(REFERENCE.findall(json.dumps(made)))
    while wanted:
        name = wanted.pop()
        definitions[name] = compact(reference["definitions"][name]["fields"])
        wanted |= set(REFERENCE.findall(json.dumps(definitions[name]))) - definitions.keys()
    return {**made, "definitions": dict(sorted(definitions.items()))}


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
    parser.add_argument("out", type=Path, nargs="?", default=DEFAULT_OUT)
    arguments = parser.parse_args()
    made = catalogue(json.loads(arguments.reference.read_text(encoding="utf-8")))
    arguments.out.write_text(rendered(made), encoding="utf-8")
    print(", ".join(f"{len(entries)} {group}" for group, entries in made.items()), "->", arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
