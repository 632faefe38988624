"""``rtagent doctor``: what works on this machine, and what to install for what does not."""

from __future__ import annotations

import argparse
import dataclasses
import json

from ._arguments import CommandParsers, add_command

__all__ = ("add_parser", "run")

_EXAMPLES = """\
  rtagent doctor            one line for each part: ok, missing or broken, and what to do
  rtagent doctor --json     the same for programs"""


def add_parser(subparsers: CommandParsers[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "doctor",
        "say what works on this machine, and what to install for what does not (no network)",
        examples=_EXAMPLES,
    )
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def run(options: argparse.Namespace) -> int:
    """Examine the machine; 1 if a part without which nothing works does not work."""
    from ._checks import Check, examine

    checks: list[Check] = []
    for check in examine():
        checks.append(check)
        if not options.json:
            print(check, flush=True)
    if options.json:
        print(json.dumps([dataclasses.asdict(check) for check in checks], indent=2))
    return 1 if any(check.core and check.status != "ok" for check in checks) else 0
