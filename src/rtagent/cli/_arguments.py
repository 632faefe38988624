"""Arguments that several commands share: their flags, and what the words given to them mean."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from ..transport import Endpoint

__all__ = (
    "CommandParsers",
    "add_agent",
    "add_command",
    "add_endpoint",
    "add_profile",
    "device_of",
    "endpoint_of",
    "language_of",
    "port_of",
)

CommandParsers = argparse._SubParsersAction  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - no public name

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
"""The form of a language tag (BCP 47); which languages there are is the model's to say."""

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


def add_profile(parser: argparse.ArgumentParser) -> None:
    """What is spoken at an endpoint that is a URL."""
    parser.add_argument(
        "--profile",
        metavar="NAME|FILE",
        help="the kind of server behind a URL, such as vllm or speaches, or a file that describes one",
    )


def endpoint_of(
    name: str, environment: Mapping[str, str] | None = None, *, profile: str | None = None
) -> Endpoint:
    """The endpoint that a word on the command line, or a URL, means.

    Args:
        name: ``openai``, ``azure``, ``local``, ``auto`` or a URL; the key for a URL is RTAGENT_API_KEY.
        environment: the environment variables; this process's by default.
        profile: for a URL, the name of the kind of server that is there, or a file that describes it.

    Raises:
        ConfigurationError: no such endpoint or profile, or something that it needs is not configured.
    """
    from ..transport import Endpoint

    values = os.environ if environment is None else environment
    if profile is not None and "://" not in name:
        message = f"--profile says what is spoken at a URL, and the endpoint {name!r} is none"
        raise ConfigurationError(message)
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
            spoken = "openai" if profile is None else Path(profile) if os.sep in profile else profile
            return Endpoint.url(name, api_key=values.get("RTAGENT_API_KEY"), profile=spoken)
        case _:
            message = f"unknown endpoint {name!r}"
            raise ConfigurationError(message, hint="openai, azure, local, auto, or a URL such as ws://…")


def device_of(text: str) -> int | str:
    """A sound device: a number is its index, anything else its name or a part of it."""
    return int(text) if text.isdecimal() else text


def language_of(text: str) -> str:
    """A language by its tag, such as ``en`` or ``pt-BR``."""
    if _LANGUAGE.fullmatch(text) is None:
        message = f"{text!r} is not the tag of a language, such as en, es or pt-BR"
        raise argparse.ArgumentTypeError(message)
    return text


def port_of(text: str) -> int:
    """A TCP port; 0 takes any free one."""
    if not text.isdecimal() or int(text) > 65535:
        message = f"{text!r} is not a port: 0 to 65535"
        raise argparse.ArgumentTypeError(message)
    return int(text)
