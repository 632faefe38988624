"""What to tell a person whose machine cannot hear or speak."""

from __future__ import annotations

import sys

from ..errors import AudioUnavailable

__all__ = ("unavailable",)

_INSTALL = "Install the audio extra: pip install 'rtagent[audio]'"
_PORTAUDIO = {
    "linux": "Install the PortAudio library; on Debian and Ubuntu: apt-get install libportaudio2, "
    "on Fedora: dnf install portaudio",
    "darwin": "Install sounddevice from its wheel, which brings PortAudio (pip install --force-reinstall "
    "sounddevice), or: brew install portaudio",
    "win32": "Install sounddevice from its wheel, which brings PortAudio: pip install --force-reinstall sounddevice",
}
_NO_DEVICE = {
    "linux": "Connect a sound device; if PulseAudio or PipeWire runs, install the ALSA bridge to it "
    "(on Debian and Ubuntu: apt-get install libasound2-plugins)",
    "darwin": "Connect a sound device and allow this program to use it (System Settings, Privacy & Security)",
    "win32": "Connect a sound device and enable it (Settings, System, Sound)",
}
_BUSY = {
    "linux": "Check that the sound server runs (pactl info) and that no other program holds the device",
    "darwin": "Check the device in Audio MIDI Setup, and that this program may use the microphone (System "
    "Settings, Privacy & Security)",
    "win32": "Check that no other program uses the device exclusively (Sound settings, Advanced)",
}
_HINTS: dict[str, dict[str, str]] = {
    "package_missing": {"linux": _INSTALL},
    "portaudio_missing": _PORTAUDIO,
    "no_input_device": _NO_DEVICE,
    "no_output_device": _NO_DEVICE,
    "device_not_found": {"linux": "Run 'rtagent devices' to see what there is"},
    "device_busy_or_lost": _BUSY,
    "format_refused": {
        "linux": "Choose another device, or another rate: 'rtagent devices' shows what there is"
    },
}


def unavailable(
    reason: str, *, detail: str | None = None, hint: str | None = None, platform: str = sys.platform
) -> AudioUnavailable:
    """The error for one of the known reasons, with the hint for this operating system."""
    hints = _HINTS[reason]
    return AudioUnavailable(reason, hint or hints.get(platform, hints["linux"]), detail=detail)
