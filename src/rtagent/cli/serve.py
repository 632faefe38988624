"""``rtagent serve``: the embedded engine as a Realtime server."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from ._arguments import CommandParsers, add_agent, add_command, port_of

if TYPE_CHECKING:
    from ..agent import Agent
    from ..engine import EngineServer, EngineSettings

__all__ = ("add_parser", "run")

_EXAMPLES = """\
  rtagent serve                              at ws://127.0.0.1:8765/v1/realtime
  rtagent serve lights.py --port 0           any free port, said on the first line
  rtagent talk --endpoint ws://127.0.0.1:8765/v1/realtime"""

POLL_S = 0.2
"""How often it is looked who came and who went."""


def add_parser(subparsers: CommandParsers[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = add_command(
        subparsers, "serve", "run the embedded engine as a Realtime server, until Ctrl-C", examples=_EXAMPLES
    )
    add_agent(parser)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=port_of, default=8765, help="0 takes any free one (default: %(default)s)"
    )
    parser.add_argument(
        "--api-key-env",
        metavar="NAME",
        help="clients must present the key that this environment variable holds",
    )
    parser.add_argument("--max-clients", type=int, metavar="N", help="clients at the same time (default: 64)")


def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; the exit code."""
    from ._agent_file import load_agent
    from ._run import Terminated
    from ._run import run as run_async

    agent = load_agent(options.agent)
    settings = _settings(options)
    try:
        run_async(partial(_serve, agent, options.host, options.port, settings))
    except Terminated:
        return 0  # a server that is told to end has done its work
    return 0


def _settings(options: argparse.Namespace) -> EngineSettings:
    from ..engine import EngineSettings

    wishes = {} if options.max_clients is None else {"max_clients": options.max_clients}
    key = None
    if options.api_key_env is not None:
        key = os.environ.get(options.api_key_env)
        if not key:
            message = f"the environment variable {options.api_key_env} holds no key"
            raise ConfigurationError(message)
    return EngineSettings(api_key=key, **wishes)


async def _serve(agent: Agent, host: str, port: int, settings: EngineSettings) -> None:
    from ..engine import serve

    async with serve(agent, host, port, settings=settings) as server:
        print(f"ready {server.url}", flush=True)
        await _tell(server)


async def _tell(server: EngineServer) -> None:
    """Say on stderr who comes and who goes, for ever."""
    import anyio

    before = server.statistics()
    while True:
        await anyio.sleep(POLL_S)
        now = server.statistics()
        came = now.served - before.served
        gone = before.connections + came - now.connections
        turned_away = now.turned_away - before.turned_away
        changes = ((came, "connected"), (gone, "left"), (turned_away, "turned away, the server is full"))
        for count, what in changes:
            if count:
                clients = "a client" if count == 1 else f"{count} clients"
                print(f"{clients} {what}; {now.connections} connected now", file=sys.stderr, flush=True)
        before = now
