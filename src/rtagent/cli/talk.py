"""``rtagent talk``: a conversation with an agent in the terminal."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Literal

from ._arguments import (
    CommandParsers,
    add_agent,
    add_command,
    add_endpoint,
    add_profile,
    device_of,
    endpoint_of,
)

if TYPE_CHECKING:
    from ..agent import Agent
    from ..transport import Endpoint

__all__ = ("add_parser", "run", "talk_with")

_EXAMPLES = """\
  rtagent talk                                       microphone and speaker, until Ctrl-C
  rtagent talk lights.py --endpoint openai           your agent, a model of OpenAI
  rtagent talk lights.py --in ask.wav --out said.wav ends by itself when the file is answered
  echo "What time is it?" | rtagent talk --text      in writing"""


def add_parser(subparsers: CommandParsers[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = add_command(
        subparsers, "talk", "talk to an agent: states, transcripts, tool calls and latencies, live",
        examples=_EXAMPLES,
    )  # fmt: skip
    add_agent(parser)
    add_endpoint(parser)
    add_profile(parser)
    parser.add_argument(
        "--in", dest="input", default="mic", metavar="mic|FILE",
        help="what is said; with a file the conversation ends when it is spoken and answered",
    )  # fmt: skip
    parser.add_argument(
        "--out", dest="output", default="speaker", metavar="speaker|FILE.wav|none",
        help="where the voice goes; a file holds what was heard, in real time",
    )  # fmt: skip
    devices = (
        ("--device", "sound device for both"),
        ("--input-device", "microphone"),
        ("--output-device", "speaker"),
    )
    for flag, what in devices:
        parser.add_argument(flag, type=device_of, metavar="NAME|INDEX", help=f"{what}; see: rtagent devices")
    parser.add_argument(
        "--interrupt-on", choices=("server", "local"), default="server",
        help="whose ear silences the voice: local is faster, and lets it go on after a cough (default: server)",
    )  # fmt: skip
    parser.add_argument("--record", metavar="DIR", help="record events and sound into a directory")
    manner = parser.add_mutually_exclusive_group()
    manner.add_argument("--text", action="store_true", help="type instead of speaking; stdin may be a pipe")
    manner.add_argument(
        "--push-to-talk", action="store_true", help="be heard between two presses of the space bar only"
    )


def run(options: argparse.Namespace) -> int:
    """Hold the conversation; the exit code."""
    from ._agent_file import load_agent

    _talk(
        load_agent(options.agent),
        endpoint=options.endpoint,
        profile=options.profile,
        model=options.model,
        input=options.input,
        output=options.output,
        device=options.device,
        input_device=options.input_device,
        output_device=options.output_device,
        text=options.text,
        push_to_talk=options.push_to_talk,
        interrupt_on=options.interrupt_on,
        record=options.record,
    )
    return 0


def talk_with(
    agent: Agent,
    *,
    endpoint: Endpoint | str | None = None,
    profile: str | None = None,
    model: str | None = None,
    input: str = "mic",  # noqa: A002 - as the flag is called
    output: str = "speaker",
    device: int | str | None = None,
    input_device: int | str | None = None,
    output_device: int | str | None = None,
    text: bool = False,
    push_to_talk: bool = False,
    interrupt_on: Literal["server", "local"] = "server",
    record: str | None = None,
) -> None:
    """Hold a conversation in the terminal until Ctrl-C, or until the input file is answered; blocking.

    Args:
        agent: who to talk to.
        endpoint: where; ``openai``, ``azure``, ``local``, ``auto`` or a URL as a string; ``auto`` if absent.
        profile: for a URL, the kind of server that is there: a name, or a file that describes it.
        model: the model, unless the endpoint settles it.
        input: ``mic`` or a WAV file.
        output: ``speaker``, ``none`` or a WAV file.
        device: index or name of the sound device for both ways.
        input_device: the microphone, instead of ``device``.
        output_device: the speaker, instead of ``device``.
        text: type instead of speaking.
        push_to_talk: be heard between two presses of the space bar only.
        interrupt_on: whose ear silences the voice; ``local`` is faster, and lets it go on after a cough.
        record: a directory for events and sound.

    Raises:
        RtagentError: the conversation could not be held, with what to do about it.
    """
    try:
        _talk(
            agent,
            endpoint=endpoint,
            profile=profile,
            model=model,
            input=input,
            output=output,
            device=device,
            input_device=input_device,
            output_device=output_device,
            text=text,
            push_to_talk=push_to_talk,
            interrupt_on=interrupt_on,
            record=record,
        )
    except KeyboardInterrupt:
        return  # that is how a conversation ends


def _talk(
    agent: Agent,
    *,
    endpoint: Endpoint | str | None,
    profile: str | None,
    device: int | str | None,
    input_device: int | str | None,
    output_device: int | str | None,
    **wishes: object,
) -> None:
    from ._conversation import Plan, hold
    from ._run import run as run_async

    chosen = (
        endpoint_of(endpoint or "auto", profile=profile) if isinstance(endpoint, str | None) else endpoint
    )
    plan = Plan(
        agent=agent,
        endpoint=chosen,
        input_device=input_device if input_device is not None else device,
        output_device=output_device if output_device is not None else device,
        **wishes,  # type: ignore[arg-type]  # the keywords of talk_with, passed on as they are
    )
    run_async(partial(hold, plan))
