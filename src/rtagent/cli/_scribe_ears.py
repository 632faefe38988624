"""What a transcription or translation listens to and speaks with: devices, or files."""

from __future__ import annotations

from ..audio import AudioSource, FileSource, Microphone, NullSink, Speaker, WavSink, list_devices
from ..audio._device_backend import Direction
from ..audio._device_hints import unavailable

__all__ = ("MIC", "ears", "mouth", "require_device")

MIC = "mic"
"""The word for a microphone where a file could stand."""


def ears(
    name: str, *, device: int | str | None, pace: float | None, beside: Speaker | NullSink | None = None
) -> AudioSource:
    """A microphone or a file. Blocks: it reads the file.

    Args:
        name: ``mic`` or an audio file.
        device: which microphone; the default one if absent.
        beside: what speaks meanwhile; a microphone beside a speaker does not hear it.
        pace: of a file; 1.0 is real time, None as fast as it can be sent.

    Raises:
        AudioFileError: the file cannot be read.
        AudioUnavailable: there is no sound library, or no microphone.
    """
    if name != MIC:
        return FileSource(name, pace=pace)
    require_device("input")
    return Microphone(device, far=beside) if isinstance(beside, Speaker) else Microphone(device)


def mouth(name: str, device: int | str | None) -> Speaker | NullSink:
    """What speaks a translation. Blocks.

    Args:
        name: ``speaker``, ``none`` or a WAV file.
        device: which speaker; the default one if absent.

    Raises:
        AudioUnavailable: there is no sound library, or no speaker.
    """
    if name == "none":
        return NullSink()
    if name != "speaker":
        return WavSink(name)
    require_device("output")
    return Speaker(device)


def require_device(direction: Direction) -> None:
    """What is missing shows now, and not when a session has been opened and paid for.

    Raises:
        AudioUnavailable: there is no such device, or no sound library.
    """
    if not any(device.serves(direction) for device in list_devices()):
        raise unavailable(f"no_{direction}_device")
