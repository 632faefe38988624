"""`rtagent demo`: a whole spoken conversation without key, network or sound card."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from ._arguments import CommandParsers

__all__ = ("add_parser", "run")

EXAMPLES = """\
examples:
  rtagent demo                   in real time; the files go to demo-output/
  rtagent demo --fast            the same conversation without waiting for the clock
  rtagent demo --out /tmp/talk   somewhere else
"""


def add_parser(subparsers: CommandParsers[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "demo",
        help="hold a spoken conversation with the embedded engine; no key, no network, no sound card",
        description=(
            "A recorded caller asks aloud, tools run, the assistant answers aloud, the caller talks over it. "
            "Speech goes through a real session, a real WebSocket on loopback and the embedded engine's real "
            "voice activity detection, recognition and voice. Writes conversation.wav (caller left, "
            "assistant right), events.jsonl, transcript.txt and timeline.html."
        ),
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out", metavar="DIR", default="demo-output", help="where the files go (%(default)s)"
    )
    parser.add_argument("--fast", action="store_true", help="do not wait for the clock")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Hold the conversation, write the files, report; the exit code."""
    from ._demo_caller import recorded_lines
    from ._demo_run import hold
    from ._run import run as run_async

    run_async(partial(hold, recorded_lines(), Path(options.out), fast=options.fast))
    return 0
