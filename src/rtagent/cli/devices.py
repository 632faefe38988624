"""``rtagent devices``: the sound devices of this machine, and a test of the microphone."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, TextIO

from ._arguments import CommandParsers, add_command, device_of

if TYPE_CHECKING:
    from ..audio import DeviceInfo, Microphone

__all__ = ("add_parser", "level_verdict", "run")

_EXAMPLES = """\
  rtagent devices                     a table; > marks the default input, < the default output
  rtagent devices --test              listen for two seconds and say how loud it was
  rtagent devices --test --device usb the same with another microphone"""

TEST_S = 2.0
_HEADINGS = ("index", "name", "host API", "ins", "outs", "rate", "default")


def add_parser(subparsers: CommandParsers[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = add_command(
        subparsers, "devices", "list the sound devices, and test a microphone", examples=_EXAMPLES
    )
    parser.add_argument("--test", action="store_true", help="record two seconds and judge the level")
    parser.add_argument(
        "--device",
        type=device_of,
        metavar="NAME|INDEX",
        help="the microphone to test; the default one if absent",
    )
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def run(options: argparse.Namespace) -> int:
    """List or test; the exit code."""
    from ..audio import Microphone, list_devices
    from ._run import run as run_async

    if options.test:
        meter = None if options.json else sys.stdout
        peak, rms = run_async(partial(_listen, Microphone(options.device), meter))
        verdict = level_verdict(peak)
        if options.json:
            print(json.dumps({"peak_dbfs": peak, "rms_dbfs": rms, "verdict": verdict}))
        else:
            print(f"peak {peak:.1f} dBFS, mean {rms:.1f} dBFS: {verdict}")
        return 0
    devices = list_devices()
    if options.json:
        print(json.dumps([dataclasses.asdict(device) for device in devices], indent=2))
    else:
        print(_table(devices))
    return 0


def level_verdict(peak_dbfs: float) -> str:
    """What a peak level says about a microphone."""
    if peak_dbfs <= -90:
        return "digital silence: the microphone is muted, not connected, or may not be used by this program"
    if peak_dbfs < -50:
        return "very quiet: nobody spoke, or the input level is too low"
    if peak_dbfs > -1:
        return "too loud: it clips, turn the input level down"
    return "good"


def _table(devices: Sequence[DeviceInfo]) -> str:
    if not devices:
        return "no sound devices"
    rows = [_HEADINGS, *map(_row, devices)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _row(device: DeviceInfo) -> tuple[str, ...]:
    default = (">" if device.is_default_input else "") + ("<" if device.is_default_output else "")
    numbers = (device.inputs, device.outputs, device.default_rate)
    return (str(device.index), device.name, device.host_api, *map(str, numbers), default)


async def _listen(microphone: Microphone, out: TextIO | None) -> tuple[float, float]:
    """Peak and mean level of two seconds, in dBFS; with a meter where somebody watches."""
    from contextlib import aclosing

    from ..audio import level_dbfs
    from ..audio._vad import peak
    from ._meter import Terminal, bar, dbfs

    terminal = Terminal(out if out is not None else sys.stderr, live=out is not None and out.isatty())
    heard = bytearray()
    async with aclosing(microphone.blocks()) as blocks:
        async for block in blocks:
            if not heard and out is not None and microphone.device is not None:
                await terminal.line(f"listening to {microphone.device.name} for {TEST_S:g} s: speak now")
            heard += block.pcm
            await terminal.status(bar(microphone.level, 40))
            if len(heard) >= microphone.format.bytes_of(TEST_S * 1000):
                break
    terminal.clear()
    return round(dbfs(peak(bytes(heard)) / 32768), 1), round(level_dbfs(bytes(heard)), 1)
