"""``rtagent transcribe``: write down what is said in a file or into a microphone."""

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
    from ..session import Transcriber
    from ._scribe_lines import TranscriptLines

__all__ = ("add_parser", "run")

_EXAMPLES = """\
  rtagent transcribe meeting.wav                       a line for each thing that was said
  rtagent transcribe meeting.wav --timestamps          with its place in the file
  rtagent transcribe meeting.wav --json | jq .text     a JSON object on each line, for programs
  rtagent transcribe mic --language en                 until Ctrl-C; what was said last is still written
  rtagent transcribe call.wav --endpoint openai --model gpt-transcribe
  rtagent transcribe call.wav --endpoint ws://host:8000/v1/realtime --profile vllm --model NAME

A file is sent as fast as the server takes it; --pace real sends it as it was spoken."""

FINISH_WITHIN_S = 120.0
"""How long the last words may take after the last audio; a file that came at once may wait in the server."""
PACES = {"fast": None, "real": 1.0}


def add_parser(subparsers: CommandParsers[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = add_command(
        subparsers, "transcribe", "write down what is said in a WAV file or into the microphone",
        examples=_EXAMPLES,
    )  # fmt: skip
    parser.add_argument("input", metavar="FILE|mic", help="what to listen to")
    add_endpoint(parser)
    add_profile(parser)
    parser.add_argument("--language", type=language_of, metavar="TAG", help="what is spoken, such as en")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a JSON object on each line")
    form.add_argument("--timestamps", action="store_true", help="begin each line with its place in the audio")
    parser.add_argument(
        "--pace", choices=tuple(PACES), default="fast", help="how a file is sent (%(default)s)"
    )
    parser.add_argument(
        "--device", type=device_of, metavar="NAME|INDEX", help="microphone; see: rtagent devices"
    )


def run(options: argparse.Namespace) -> int:
    """Write down to the end; the exit code."""
    from ._run import run as run_async
    from ._scribe_lines import TranscriptLines

    lines = TranscriptLines(sys.stdout, sys.stderr, as_json=options.json, timestamps=options.timestamps)
    try:
        run_async(partial(_transcribe, options, lines))
    finally:
        lines.end()
    return 1 if lines.failures else 0


async def _transcribe(options: argparse.Namespace, lines: TranscriptLines) -> None:
    from anyio import create_task_group, to_thread

    from .._connect import connect
    from ._scribe_ears import MIC, ears
    from ._scribe_stop import first_interrupt

    endpoint = endpoint_of(options.endpoint, profile=options.profile)
    pace = PACES[options.pace]
    source = await to_thread.run_sync(partial(ears, options.input, device=options.device, pace=pace))
    opening = connect(mode="transcription", endpoint=endpoint, model=options.model, language=options.language)
    async with opening as transcriber, create_task_group() as group:
        group.start_soon(_show, transcriber, lines)
        if options.input == MIC:
            attachment = transcriber.attach(source)
            await lines.hint("listening: Ctrl-C ends it")
            with first_interrupt(attachment.detach):
                await attachment.wait_source_ended()
        else:
            await transcriber.attach(source).wait_source_ended()
        await transcriber.finish(timeout=FINISH_WITHIN_S)


async def _show(transcriber: Transcriber, lines: TranscriptLines) -> None:
    async for transcript in transcriber:
        await lines.show(transcript)
