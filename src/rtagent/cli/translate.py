"""``rtagent translate``: what is said in a file or into a microphone, in another language."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING

from ._arguments import (
    CommandParsers,
    add_command,
    add_endpoint,
    add_profile,
    device_of,
    endpoint_of,
    language_of,
)

if TYPE_CHECKING:
    from ..session import Translator
    from ..transport import Endpoint
    from ._scribe_words import PassageWords

__all__ = ("add_parser", "run")

_EXAMPLES = """\
  rtagent translate talk.wav --to es --endpoint openai     say it in Spanish, and write it
  rtagent translate mic --to en                            until Ctrl-C; what was said last is still said
  rtagent translate talk.wav --to de --out german.wav      the voice into a file, in real time
  rtagent translate talk.wav --to fr --out none --show both

A language is written as its tag: en, es, pt-BR. The embedded engine has no language model and cannot
translate, so this needs an endpoint that can."""

FINISH_WITHIN_S = 60.0
"""How long the translation may go on after the last audio."""


def add_parser(subparsers: CommandParsers[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = add_command(
        subparsers, "translate", "say what is spoken in another language, aloud and in writing",
        examples=_EXAMPLES,
    )  # fmt: skip
    parser.add_argument("input", metavar="FILE|mic", help="what to listen to")
    parser.add_argument("--to", type=language_of, required=True, metavar="TAG", help="into which language")
    add_endpoint(parser)
    add_profile(parser)
    parser.add_argument(
        "--out", dest="output", default="speaker", metavar="speaker|FILE.wav|none",
        help="where the voice goes (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--show", choices=("source", "translation", "both"), default="translation",
        help="which words are written (%(default)s)",
    )  # fmt: skip
    for flag, what in (("--input-device", "microphone"), ("--output-device", "speaker")):
        parser.add_argument(flag, type=device_of, metavar="NAME|INDEX", help=f"{what}; see: rtagent devices")


def run(options: argparse.Namespace) -> int:
    """Translate to the end; the exit code."""
    from ._run import run as run_async
    from ._scribe_words import PassageWords

    endpoint = endpoint_of(options.endpoint, profile=options.profile)
    _require_translation(endpoint)
    words = PassageWords(sys.stdout, options.show)
    try:
        run_async(partial(_translate, options, endpoint, words))
    finally:
        words.end()
    return 0


def _require_translation(endpoint: Endpoint) -> None:
    from ..errors import ConfigurationError

    if endpoint.kind == "local":
        message = "the embedded engine cannot translate; use --endpoint openai"
        raise ConfigurationError(message)


async def _translate(options: argparse.Namespace, endpoint: Endpoint, words: PassageWords) -> None:
    from contextlib import nullcontext

    from anyio import create_task_group, to_thread

    from .._connect import connect
    from ..session._surface import TappedSource
    from ._scribe_ears import MIC, ears, mouth
    from ._scribe_stop import first_interrupt

    sink = await to_thread.run_sync(mouth, options.output, options.output_device)
    listen = partial(ears, options.input, device=options.input_device, pace=1.0, beside=sink)
    source = TappedSource(await to_thread.run_sync(listen), lambda _ms: None)
    opening = connect(mode="translation", endpoint=endpoint, model=options.model, to=options.to)
    async with opening as translator, create_task_group() as group:
        group.start_soon(_show, translator, words)
        attachment = translator.attach(source, sink)
        await attachment.wait_open()
        with first_interrupt(source.end) if options.input == MIC else nullcontext():
            await attachment.wait_source_ended()
        await translator.finish(timeout=FINISH_WITHIN_S)


async def _show(translator: Translator, words: PassageWords) -> None:
    async for passage in translator:
        await words.show(passage)
