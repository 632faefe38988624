"""The program ``rtagent``: finds the command, loads it and nothing else, and runs it."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from collections.abc import Mapping, Sequence
from functools import partial

from ._failures import guarded

__all__ = ("main",)

PROGRAM = "rtagent"
COMMANDS: Mapping[str, str] = {
    "demo": "hold a whole spoken conversation offline: no key, no network, no sound card",
    "talk": "talk to an agent: with microphone and speaker, with WAV files, or in writing",
    "transcribe": "write down what is said in a WAV file or into the microphone",
    "translate": "say what is spoken in another language, aloud and in writing",
    "serve": "run the embedded engine as a Realtime server",
    "probe": "ask a Realtime server what it really does; find its profile, or write one",
    "devices": "list the sound devices; test a microphone",
    "doctor": "say what works on this machine, and what to install for what does not",
}
"""Each is a module beside this one, with ``add_parser(subparsers)`` and ``run(options)``."""

EPILOG = """\
examples:
  rtagent demo                                  see and hear what this is, offline
  rtagent talk                                  microphone and speaker, with a small built-in agent
  rtagent talk lights.py --endpoint openai      your own agent, with a model of OpenAI
  rtagent talk lights.py --in question.wav --out answer.wav
  rtagent transcribe meeting.wav --timestamps   what was said, a line for each turn
  rtagent serve lights.py --port 8765           a server for any Realtime client
  rtagent probe ws://host:8000/v1/realtime      what a server speaks, and what it leaves out

rtagent COMMAND --help says more about one command.
Exit codes: 0 done, 1 failed (with the reason in one line), 2 wrong usage, 130 interrupted."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the program's exit code.

    Args:
        argv: the arguments without the program's name; those of this process by default.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    if not debug:
        _leave_telling_to_us()
    return guarded(partial(_dispatch, arguments), debug=debug)


def _leave_telling_to_us() -> None:
    """What the commands print is the whole story: without a handler warnings would be on stderr once more."""
    log = logging.getLogger("rtagent")
    if not log.handlers:
        log.addHandler(logging.NullHandler())


def _dispatch(arguments: Sequence[str]) -> int:
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    parser = _parser(chosen)
    try:
        options = parser.parse_args(arguments)
    except SystemExit as end:  # argparse has said what is to be said
        return end.code if isinstance(end.code, int) else 2
    if chosen is None:
        parser.print_help(sys.stderr)
        return 2
    command = importlib.import_module(f".{chosen}", __package__)
    code: int = command.run(options)
    return code


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    """The parser, in which only the chosen command is there in full: the others are not even loaded."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage=f"{PROGRAM} [-h] [--version] [--debug] COMMAND ...",
        description="Realtime voice agents over WebSockets.",
        epilog=f"{_table_of_commands()}\n{EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="say the version and end")
    parser.add_argument("--debug", action="store_true", help="show the whole traceback of a failure")
    subparsers = parser.add_subparsers(prog=PROGRAM, metavar="COMMAND", help=argparse.SUPPRESS)
    for name in COMMANDS:
        if name == chosen:
            importlib.import_module(f".{name}", __package__).add_parser(subparsers)
            subparsers.choices[name].add_argument(
                "--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks"
            )
        else:
            subparsers.add_parser(name)
    return parser


def _table_of_commands() -> str:
    """Ours, since argparse breaks the lines of names that are longer than its options."""
    return "commands:\n" + "".join(f"    {name:<11} {purpose}\n" for name, purpose in COMMANDS.items())


class _Version(argparse.Action):
    """Says the version, which is looked up only now."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: object, values: object, option_string: object = None
    ) -> None:
        from .. import __version__

        print(f"rtagent {__version__}")
        parser.exit()
