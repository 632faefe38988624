"""Make the recordings of the caller in ``rtagent demo``: spoken by flite, the same bytes every time.

Needs the command ``flite`` (version 2.2; on Debian and Ubuntu: ``apt install flite``). Each recording
becomes 16 kHz PCM16 mono with at most 50 ms of silence at its ends, at -20 dBFS RMS, over a faint bed of
noise: silence that is digitally perfect occurs in no room and misleads speech recognition.

The wording was chosen by trial. Of "ten minutes" the offline recogniser makes "two minutes", and of
"set a timer" it makes "set the timer"; "set the timer for five minutes" it always gets right.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtagent.audio import read_wav, write_wav

RATE_HZ = 16_000
LEVEL_DBFS = -20.0
NOISE_AMPLITUDE = 45
"""Of evenly distributed noise, in steps of 16 bits: -62 dBFS RMS."""
NOISE_SEED = 1876
EDGE_MS = 50
QUIET = 100
"""Below this amplitude (-50 dBFS, at the level of the recording) the ends count as silent."""

DEFAULT_OUT = Path(__file__).resolve().parent.parent / "src" / "rtagent" / "cli" / "caller"


@dataclass(frozen=True, slots=True)
class Line:
    """What the caller says, and whether it is said while the assistant is still speaking."""

    file: str
    text: str
    over_assistant: bool = False


LINES = (
    Line("01_light.wav", "Please turn on the kitchen light."),
    Line("02_weather.wav", "What is the weather in London?"),
    Line("03_timer.wav", "Stop. Please set the timer for five minutes.", over_assistant=True),
    Line("04_goodnight.wav", "Turn off the bedroom light, thank you."),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the recordings and ``manifest.json``; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, metavar="DIR", help="where to write")
    parser.add_argument("--voice", default="rms", help="a voice of `flite -lv` (default: rms)")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        for line in LINES:
            pcm = finished(said(line.text, options.voice))
            write_wav(options.out / line.file, pcm, RATE_HZ)
            print(f"{line.file}  {len(pcm) / 2 / RATE_HZ:.2f} s  {line.text}")
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        print(f"flite cannot speak: {error}", file=sys.stderr)
        return 1
    manifest = {line.file: {"text": line.text, "over_assistant": line.over_assistant} for line in LINES}
    (options.out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return 0


def said(text: str, voice: str) -> NDArray[np.int16]:
    """One sentence, spoken by a new flite process: only then are its samples the same every time."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "said.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True)
        wav = read_wav(path)
    if wav.rate != RATE_HZ:
        message = f"the voice {voice} speaks at {wav.rate} Hz, not {RATE_HZ} Hz"
        raise SystemExit(message)
    return np.frombuffer(wav.mono_pcm16(), "<i2")


def finished(samples: NDArray[np.int16]) -> bytes:
    """Trimmed, levelled and laid over the noise. All sums are of integers, so no machine rounds otherwise."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int64)) > QUIET)
    edge = EDGE_MS * RATE_HZ // 1000
    kept = samples[max(0, loud[0] - edge) : loud[-1] + 1 + edge].astype(np.int64)
    rms = sqrt(int(np.sum(kept * kept)) / len(kept))
    noise = np.random.RandomState(NOISE_SEED).randint(-NOISE_AMPLITUDE, NOISE_AMPLITUDE + 1, len(kept))
    levelled = np.rint(kept * (32768 * 10 ** (LEVEL_DBFS / 20) / rms)) + noise
    pcm: bytes = np.clip(levelled, -32768, 32767).astype("<i2").tobytes()
    return pcm


if __name__ == "__main__":
    sys.exit(main())
