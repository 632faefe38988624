"""How long a conversation is without ears and mouth when a sound device goes away.

Run with ``python -m benchmarks.device_loss --times 10``. Holds a conversation with the embedded engine on the
virtual sound card, with ``Microphone()`` and ``Speaker()`` in one session, and does to the devices what people do:

* *pulled out*: the card is gone, and is put back after half a second or six seconds. Counted from the moment it
  is there again.
* *headset in, headset out*: another device becomes the default one, then vanishes while the first one remains.
  Counted from the moment it happens.

Prints for each the longest silence of the microphone and of the speaker. Ends with status 1 when one took longer
than 2 s, or when the conversation did not go on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
import numpy as np

import rtagent
from benchmarks._echo_call import AnyWords, Ear, Storyteller
from rtagent import Agent, Endpoint
from rtagent.audio import Microphone, Speaker
from rtagent.engine import EngineSettings, serve
from rtagent.events.lifecycle import PlaybackStarted
from rtagent.testing import VirtualSoundCard

WITHIN_MS = 2_000
AFTERWARDS_S = 3.0


async def converse() -> None:
    """The child: talk on, and tell for each line that comes when ears and mouth last came back."""
    speaker = Speaker()
    ear = Ear(Microphone(echo_cancel="none"))
    moved: dict[str, list[float]] = {"microphone": [], "speaker": []}
    speaker.tap = lambda _: moved["speaker"].append(time.monotonic())
    ear.told = lambda _: moved["microphone"].append(time.monotonic())
    settings = EngineSettings(recognizer=AnyWords, brain=Storyteller())
    async with (
        serve(port=0, settings=settings) as server,
        rtagent.connect(Agent(instructions="Tell stories."), endpoint=Endpoint.url(server.url)) as session,
    ):
        await session.attach(ear, speaker).wait_open()
        session.post(rtagent.events.ResponseCreate())
        await session.wait_for(PlaybackStarted, timeout=10)
        tell(ready=True)
        while await anyio.to_thread.run_sync(sys.stdin.readline):
            went_on = True
            await session.interrupt()
            session.post(rtagent.events.ResponseCreate())
            try:
                await session.wait_for(PlaybackStarted, timeout=10)
            except rtagent.RtagentError:
                went_on = False
            tell(
                moved=moved,
                went_on=went_on,
                state=session.state,
                losses=[ear.microphone.statistics().losses, speaker.statistics().losses],
            )
            for times in moved.values():
                times.clear()


def tell(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def longest_silence_ms(times: list[float], since: float) -> float:
    """Of a device, from that moment on."""
    late = [since, *(at for at in times if at > since)]
    return float(np.max(np.diff(late))) * 1000 if len(late) > 1 else float("inf")


def pulled_out(card: VirtualSoundCard, gone_s: float) -> float:
    card.kill()
    time.sleep(gone_s)
    card.plug_in()
    return time.monotonic()


def headset_in(card: VirtualSoundCard) -> float:
    at = time.monotonic()
    card.connect_headset()
    return at


def headset_out(card: VirtualSoundCard) -> float:
    at = time.monotonic()
    card.disconnect_headset()
    return at


def measure(times: int) -> list[tuple[str, list[float], list[float], bool, list[int]]]:
    found = []
    cases: list[tuple[str, list[Callable[[VirtualSoundCard], float]]]] = [
        ("pulled out for 0.5 s", [partial(pulled_out, gone_s=0.5)]),
        ("pulled out for 6 s", [partial(pulled_out, gone_s=6)]),
        ("headset in, headset out", [headset_in, headset_out]),
    ]
    for name, deeds in cases:
        with VirtualSoundCard() as card:
            child = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.device_loss", "--inside"],
                env=card.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            with child:
                assert child.stdin is not None
                assert child.stdout is not None
                child.stdout.readline()
                ears: list[float] = []
                mouths: list[float] = []
                went_on, losses = True, [0, 0]
                for turn in range(times):
                    since = deeds[turn % len(deeds)](card)
                    time.sleep(AFTERWARDS_S)
                    child.stdin.write("\n")
                    child.stdin.flush()
                    facts: dict[str, Any] = json.loads(child.stdout.readline() or "{}")
                    if not facts:
                        went_on = False
                        break
                    ears.append(longest_silence_ms(facts["moved"]["microphone"], since))
                    mouths.append(longest_silence_ms(facts["moved"]["speaker"], since))
                    went_on &= facts["went_on"]
                    losses = facts["losses"]
                child.kill()
            found.append((name, ears, mouths, went_on, losses))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        anyio.run(converse)
        return 0
    missed = False
    for name, ears, mouths, went_on, losses in measure(options.times):
        print(
            f"{name:<24} {len(ears)} times | microphone: median {np.median(ears):.0f} max {max(ears):.0f} ms"
            f" | speaker: median {np.median(mouths):.0f} max {max(mouths):.0f} ms"
            f" | losses noticed {losses} | the conversation {'went on' if went_on else 'ENDED'}",
            flush=True,
        )
        missed |= not went_on or max(ears + mouths) > WITHIN_MS
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
