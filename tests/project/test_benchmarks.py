from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_codec_is_compared_also_where_no_peer_is_installed(tmp_path):
    pytest.importorskip("orjson")
    program = ROOT / "benchmarks" / "events_codec.py"
    options = ["--rounds=1", "--largest-burst=1000", "--types", f"--peers={tmp_path}"]
    finished = subprocess.run([sys.executable, program, *options], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.count("not run") == 5  # the peers, and their two rows each for reading and writing
    assert "rtagent / orjson + pybase64 " in finished.stdout
    assert "burst of 100 / burst of 1000" in finished.stdout
    assert "response.output_audio.delta with an unknown field" in finished.stdout
