"""``rtagent probe``: what a Realtime server really does, as a table and as a profile."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from ..errors import ConfigurationError
from ._arguments import CommandParsers, add_command

if TYPE_CHECKING:
    from ..events import Dialect
    from ..transport import Endpoint
    from ._probe_facts import Finding, Nearness
    from ._probe_wire import Manner, Wire

__all__ = ("add_parser", "run")

_EXAMPLES = """\
  rtagent probe ws://127.0.0.1:8765/v1/realtime
  rtagent probe https://api.example.com/v1/realtime?model=m --api-key-env EXAMPLE_KEY
  rtagent probe ws://127.0.0.1:8000 --write ours.json
                              then: Endpoint.url("ws://127.0.0.1:8000", profile="ours.json")

Every row of the table is a question that was asked, its answer (yes, no, not known), and what was
seen. The nearest of the known profiles follows, and where the server differs from it.
It takes about ten seconds and five connections. At a paid server it costs a few cents: seven short
answers, most of them in writing, and two seconds of audio.
Exit codes: 0 done, 1 no Realtime server there, 2 wrong usage, 130 interrupted."""
_DEFAULT_PATH = "/v1/realtime"


def add_parser(subparsers: CommandParsers[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "probe",
        "ask a Realtime server what it really does; find its profile, or write one",
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "url", metavar="URL", type=_url_of, help="ws, wss, http or https; without a path: /v1/realtime"
    )
    parser.add_argument("--api-key-env", metavar="NAME", help="the environment variable that holds the key")
    parser.add_argument("--model", metavar="NAME", help="the model, where the URL does not name it")
    parser.add_argument(
        "--profile",
        type=_profile_name_of,
        metavar="NAME",
        help="the known profile to start from, such as azure, live, xai; by default as the URL looks",
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="write a profile of this server, as JSON")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument(
        "--timeout",
        type=_seconds_of,
        default=10.0,
        metavar="SECONDS",
        help="how long one answer is waited for (default: %(default)g)",
    )


def run(options: argparse.Namespace) -> int:
    """Probe; the exit code."""
    from ._probe_facts import nearest, profile_of
    from ._probe_table import as_json, conclusion, table
    from ._run import run as run_async

    start = _starting_profile(options.url, options.profile)
    endpoint = _endpoint(options.url, start, options.api_key_env)
    findings = run_async(partial(_probe, endpoint, start, options.model, options.timeout))
    ranking = nearest(findings)
    chosen = _chosen(ranking, start)
    if options.json:
        print(json.dumps(as_json(str(endpoint), findings, ranking, chosen), indent=2, ensure_ascii=False))
    else:
        print(table(findings), conclusion(findings, ranking, chosen), sep="\n\n")
    if options.write is not None:
        _write(options.write, chosen, partial(profile_of, findings, url=str(endpoint)))
    return 0


def _url_of(text: str) -> str:
    """The address of a server, with a path."""
    from ..transport import Endpoint

    try:
        Endpoint.url(text)
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    parts = urlsplit(text)
    return urlunsplit(parts._replace(path=_DEFAULT_PATH)) if parts.path in ("", "/") else text


def _profile_name_of(text: str) -> str:
    from ..events import PROFILES

    if text not in PROFILES:
        message = f"unknown profile {text!r}: one of {', '.join(sorted(PROFILES))}"
        raise argparse.ArgumentTypeError(message)
    return text


def _seconds_of(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < 600:
        message = f"{text!r} is not a time: seconds, more than 0 and less than 600"
        raise argparse.ArgumentTypeError(message)
    return seconds


def _starting_profile(url: str, name: str | None) -> Dialect:
    """The profile that was named, or else one whose protocol the path names."""
    from ..events import PROFILES

    if name is not None:
        return PROFILES[name]
    path = urlsplit(url).path
    if path.rstrip("/").endswith("/live/sessions"):
        return PROFILES["live"]
    return PROFILES["translation" if path.rstrip("/").endswith("/realtime/translations") else "openai"]


def _endpoint(url: str, start: Dialect, key_variable: str | None) -> Endpoint:
    from ..transport import Endpoint

    key = None
    if key_variable is not None:
        key = os.environ.get(key_variable)
        if not key:
            message = f"the environment variable {key_variable} holds no key"
            raise ConfigurationError(message)
    return Endpoint.url(url, api_key=key, profile=start.name)


async def _probe(endpoint: Endpoint, start: Dialect, model: str | None, timeout_s: float) -> list[Finding]:
    import anyio

    from ..transport import connect_websocket
    from ._probe_run import probe
    from ._probe_wire import Manner, Times, Wire

    async def dial(manner: Manner) -> Wire:
        dialled_s = anyio.current_time()
        transport = await connect_websocket(endpoint, model, open_timeout_s=timeout_s)
        return Wire(transport, manner, dialled_s=dialled_s)

    manner = Manner(Times(timeout_s), model, start.protocol, start.session_shape)
    return await probe(
        dial, manner, lambda about: print(f"asking about {about}", file=sys.stderr, flush=True)
    )


def _chosen(ranking: list[Nearness], start: Dialect) -> Nearness:
    """The nearest profile; where several are as near, the one that was started from."""
    first = ranking[0]
    as_near = (each for each in ranking if each.disagreements == first.disagreements)
    return next((each for each in as_near if each.name == start.name), first)


def _write(file: Path, chosen: Nearness, profile_of: Callable[..., Dialect]) -> None:
    from ..events import PROFILES
    from ..transport._profile_file import write_profile

    write_profile(file, profile_of(PROFILES[chosen.name], name=file.stem), chosen.name)
    print(f"wrote {file}: Endpoint.url(…, profile={str(file)!r})", file=sys.stderr)
