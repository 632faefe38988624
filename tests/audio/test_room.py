"""A conversation in the simulated room, shortened; ``benchmarks/echo_room.py`` is the whole of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rtagent.audio._echo_livekit import livekit_works
from rtagent.testing._sound_card import VirtualSoundCard

ROOT = Path(__file__).parents[2]


def held(policy: str, out: Path) -> dict[str, Any]:
    """Nine seconds of the assistant with somebody who talks over it after some of them."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.echo_room",
        "--policy",
        policy,
        "--json",
        str(out),
        "--talker",
    ]
    done = subprocess.run(
        [*command, "--minutes", "0.15", "--every-s", "6"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert out.exists(), done.stderr
    facts: dict[str, Any] = json.loads(out.read_text())[0]
    return facts


@pytest.mark.device
@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "policy",
    [
        "half_duplex",
        pytest.param("aec", marks=pytest.mark.skipif(not livekit_works(), reason="needs the extra 'echo'")),
    ],
)
def test_in_a_room_somebody_gets_a_word_in_and_the_assistant_does_not_interrupt_itself(
    policy: str, sound_card: VirtualSoundCard, tmp_path: Path
) -> None:
    facts = held(policy, tmp_path / "facts.json")
    assert facts["call"]["policy"] == policy
    first, *_ = facts["said"]
    interrupted = facts["call"]["interrupted"]
    stumbles = facts["stumbles"]
    assert [at for at in interrupted if first["said_at"] < at < first["said_at"] + 2], "the word interrupts"
    assert first["whole"] > 0.5, "and goes to the server"
    without_reason = [
        at
        for at in interrupted
        if not any(0 < at - said["said_at"] < said["seconds"] + 1 for said in facts["said"])
        and not any(0 < at - stumbled < 2 for stumbled in stumbles)
    ]
    assert not without_reason, "nothing else does"
