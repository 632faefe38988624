"""Arguments that several commands share: their flags, and what the words given to them mean."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from ..transport import Endpoint

__all__ = (
    "CommandParsers",
    "add_agent",
    "add_command",
    "add_endpoint",
    "device_of",
    "endpoint_of",
    "port_of",
)

CommandParsers = argparse._SubParsersAction  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - no public name

_AZURE = ("AZURE_OPENAI_RESOURCE", "AZURE_OPENAI_DEPLOYMENT", "AZURE_OPENAI_API_KEY")


def add_command(
    subparsers: CommandParsers[argparse.ArgumentParser], name: str, purpose: str, *, examples: str
) -> argparse.ArgumentParser:
    """Add a command whose help ends with examples."""
    return subparsers.add_parser(
        name,
        help=purpose,
        description=f"{purpose[0].upper()}{purpose[1:]}.",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_agent(parser: argparse.ArgumentParser) -> None:
    """The agent of a command, optional."""
    parser.add_argument(
        "agent",
        nargs="?",
        metavar="AGENT",
        help="file.py, file.py:name or module:name; without it a small built-in agent",
    )


def add_endpoint(parser: argparse.ArgumentParser) -> None:
    """Where to connect, and the model there."""
    parser.add_argument(
        "--endpoint",
        default="auto",
        metavar="URL|openai|azure|local|auto",
        help="where to connect; auto, the default: RTAGENT_ENDPOINT, else OpenAI if a key is found, else "
        "the embedded engine (local)",
    )
    parser.add_argument("--model", metavar="NAME", help="the model; the endpoint's own choice by default")


def endpoint_of(name: str, environment: Mapping[str, str] | None = None) -> Endpoint:
    """The endpoint that a word on the command line, or a URL, means.

    Args:
        name: ``openai``, ``azure``, ``local``, ``auto`` or a URL; the key for a URL is RTAGENT_API_KEY.
        environment: the environment variables; this process's by default.

    Raises:
        ConfigurationError: no such endpoint, or something that it needs is not configured.
    """
    from ..transport import Endpoint

    values = os.environ if environment is None else environment
    match name:
        case "auto":
            return Endpoint.auto(environment)
        case "openai":
            return Endpoint.openai()
        case "azure":
            if missing := [variable for variable in _AZURE if not values.get(variable)]:
                message = f"--endpoint azure needs {', '.join(missing)} in the environment"
                raise ConfigurationError(message)
            resource, deployment, key = (values[variable] for variable in _AZURE)
            return Endpoint.azure(resource, deployment, api_key=key)
        case "local":
            return Endpoint.local()
        case _ if "://" in name:
            return Endpoint.url(name, api_key=values.get("RTAGENT_API_KEY"))
        case _:
            message = f"unknown endpoint {name!r}"
            raise ConfigurationError(message, hint="openai, azure, local, auto, or a URL such as ws://…")


def device_of(text: str) -> int | str:
    """A sound device: a number is its index, anything else its name or a part of it."""
    return int(text) if text.isdecimal() else text


def port_of(text: str) -> int:
    """A TCP port; 0 takes any free one."""
    if not text.isdecimal() or int(text) > 65535:
        message = f"{text!r} is not a port: 0 to 65535"
        raise argparse.ArgumentTypeError(message)
    return int(text)
