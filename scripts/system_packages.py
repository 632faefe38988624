"""The programs and libraries outside Python that sound tests need, and how they get here.

Nothing of this is needed to hold a conversation: rtagent and its demo run without it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from ctypes.util import find_library
from pathlib import Path

APT_GET = (
    "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq",
    "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20",
)  # fmt: skip
"""A machine without a network learns that within a minute instead of within ten."""


def _has_alsa_to_pulse() -> bool:
    """PortAudio reaches PulseAudio and PipeWire through this ALSA plug-in alone."""
    plug_in = "alsa-lib/libasound_module_pcm_pulse.so"
    homes = (*Path("/usr/lib").glob("*-linux-gnu*"), Path("/usr/lib"), Path("/usr/lib64"))
    return any((home / plug_in).exists() for home in homes)


PRESENT: dict[str, Callable[[], bool]] = {
    "libportaudio2": lambda: find_library("portaudio") is not None,
    "pulseaudio": lambda: shutil.which("pulseaudio") is not None,
    "pulseaudio-utils": lambda: shutil.which("pactl") is not None,
    "libasound2-plugins": _has_alsa_to_pulse,
    "flite": lambda: shutil.which("flite") is not None,
}
"""Debian's name of each package, and whether what it brings is here, whoever brought it."""


def missing_packages() -> list[str]:
    """What the sound tests would miss on this machine; they are written for Linux."""
    if sys.platform != "linux":
        return []
    return [package for package, is_present in PRESENT.items() if not is_present()]


def how_to_install(packages: Sequence[str]) -> str:
    """The command for the reader to type."""
    return f"apt-get install --no-install-recommends {' '.join(packages)}"


def can_install() -> bool:
    """Whether packages can be installed here without asking anybody."""
    return shutil.which("apt-get") is not None and _become_root() is not None


def install(packages: Sequence[str]) -> None:
    """Install with apt-get; ask ``missing_packages`` afterwards whether it worked."""
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        _succeeds([*(_become_root() or ()), *APT_GET, *arguments])


def _become_root() -> list[str] | None:
    """What to put before a command that needs root, or None where that takes a password."""
    if os.geteuid() == 0:
        return []
    passwordless = shutil.which("sudo") is not None and _succeeds(["sudo", "-n", "true"])
    return ["sudo", "-n"] if passwordless else None


def _succeeds(command: Sequence[str]) -> bool:
    finished = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return finished.returncode == 0
