"""Talk for a very long time over connections that do not last.

Run ``make soak``: ten thousand turns on virtual time, then ten minutes of real time over real sockets with sound
both ways, while task count and resident memory are looked at. The tests hold a shorter one of the first kind.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import sys
import time
from functools import partial
from pathlib import Path

import anyio

import rtagent
from rtagent import Agent, Endpoint, events
from rtagent.audio import MonotonicClock, NullSink
from rtagent.session import ReconnectPolicy
from rtagent.testing import Drop, RealtimeServer
from tests.reliability.long_talk import Tally, forget, soak_turns
from tests.reliability.story import Caller

SESSION_S = 8.0
"""How long the sessions of the bad server last."""


async def soak_sockets(url: str, seconds: float, seed: int, *, every_s: float = 10.0) -> Tally:
    """Talk for so long over real sockets, in real time, while connections are dropped and renewed.

    Args:
        url: of a server that drops them.
        seconds: how long.
        seed: of the pauses between turns.
        every_s: how often memory and tasks are looked at.
    """
    draw, tally, clock = random.Random(seed), Tally(), MonotonicClock()  # noqa: S311 - as above
    ends = time.monotonic() + seconds
    policy = ReconnectPolicy(replay_tokens=300, max_attempts=50, renew_before_s=SESSION_S / 2)
    async with (
        rtagent.connect(
            Agent(instructions="Be brief."),
            endpoint=Endpoint.url(url, api_key="test-key"),
            reconnect=policy,
            observer=tally.see,
        ) as session,
        anyio.create_task_group() as group,
    ):
        caller = Caller(clock)
        session.attach(caller, NullSink(clock=clock))
        group.start_soon(partial(_look, tally, every_s))
        while time.monotonic() < ends:
            async with session.subscribe(events.ResponseDone) as answers:
                caller.speak(0.3)
                with anyio.fail_after(60):
                    async for answer in answers:
                        if answer.response.status == "completed":
                            break
            tally.turns += 1
            del caller.words[:-1]
            await anyio.sleep(draw.random())
        group.cancel_scope.cancel()
        tally.history = [entry.text for entry in session.history if entry.role == "user"]
    return tally


async def serve_badly(seed: int) -> None:
    """Serve on a port of this machine until cancelled, and drop the connections now and then."""
    draw = random.Random(seed)  # noqa: S311 - as above
    async with RealtimeServer(session_seconds=SESSION_S) as server:
        print(server.url, flush=True)
        while True:
            await anyio.sleep(draw.uniform(1.0, SESSION_S))
            forget(server)
            if any(connection.ended is None for connection in server.connections):
                server.current.inject(Drop(connection=None))


async def _look(tally: Tally, every_s: float) -> None:
    while True:
        await anyio.sleep(every_s)
        gc.collect()
        tally.tasks.append(len(asyncio.all_tasks()))
        tally.resident_kib.append(await anyio.to_thread.run_sync(_resident_kib))
        print(
            f"{tally.turns} turns, {tally.reconnected} reconnections, {tally.renewed} renewals, "
            f"{tally.tasks[-1]} tasks, {tally.resident_kib[-1]} KiB",
            flush=True,
        )


def _resident_kib() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])


async def _soak(seconds: float, seed: int) -> Tally:
    """The server has a process of its own: what it remembers is not weighed."""
    command = [sys.executable, "-m", "scripts.soak", "--serve", "--seed", str(seed)]
    async with await anyio.open_process(command, stderr=None) as process:
        try:
            if process.stdout is None:
                raise RuntimeError(command)
            url = (await process.stdout.receive()).decode().strip()
            return await soak_sockets(url, seconds, seed)
        finally:
            process.terminate()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="soak", description="talk for a long time over bad connections")
    parser.add_argument("--minutes", type=float, default=10.0, help="real time over sockets (10)")
    parser.add_argument("--turns", type=int, default=0, help="first, so many turns on virtual time (0)")
    parser.add_argument("--seed", type=int, default=1, help="of the faults (1)")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        anyio.run(serve_badly, options.seed)
        return 0
    if options.turns:
        tally, left = anyio.run(soak_turns, options.turns, options.seed)
        print(
            f"{tally.turns} turns on virtual time, {tally.reconnected} reconnections, {tally.tool_runs} tools run, "
            f"still held: {sum(left.values())}"
        )
        if tally.history != tally.said or tally.refusals or tally.tool_runs != tally.tool_calls:
            print("turns were lost or done twice", tally.refusals)
            return 1
    tally = anyio.run(_soak, options.minutes * 60, options.seed)
    settled = tally.resident_kib[len(tally.resident_kib) // 5 :]
    grown = settled[-1] - settled[0] if settled else 0
    print(
        f"{tally.turns} turns, {tally.reconnected} reconnections, {tally.renewed} renewals; "
        f"after the first fifth of the time resident memory grew by {grown} KiB"
    )
    return 0 if len(tally.history) == tally.turns else 1


if __name__ == "__main__":
    sys.exit(main())
