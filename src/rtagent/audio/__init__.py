"""Audio parts: formats, signal parts, sources, sinks and devices. Nothing is loaded until it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from . import g711 as g711
    from ._clock import MonotonicClock as MonotonicClock
    from ._clock import Pacer as Pacer
    from ._devices import DeviceInfo as DeviceInfo
    from ._devices import list_devices as list_devices
    from ._echo import EchoCanceller as EchoCanceller
    from ._echo import HalfDuplexGate as HalfDuplexGate
    from ._echo_far import FarEnd as FarEnd
    from ._echo_livekit import LiveKitCanceller as LiveKitCanceller
    from ._echo_path import FarSide as FarSide
    from ._format import AudioBlock as AudioBlock
    from ._format import AudioFormat as AudioFormat
    from ._format import AudioSink as AudioSink
    from ._format import AudioSource as AudioSource
    from ._format import Clock as Clock
    from ._format import Heard as Heard
    from ._format import PlaybackItem as PlaybackItem
    from ._microphone import Microphone as Microphone
    from ._microphone import PushToTalk as PushToTalk
    from ._playback import PlaybackQueue as PlaybackQueue
    from ._recorder import Recorder as Recorder
    from ._resample import Resampler as Resampler
    from ._sources import ArraySource as ArraySource
    from ._sources import Silence as Silence
    from ._sources import WavSource as WavSource
    from ._speaker import Speaker as Speaker
    from ._vad import Vad as Vad
    from ._vad import level_dbfs as level_dbfs
    from ._wav import WavWriter as WavWriter
    from ._wav import read_wav as read_wav
    from ._wav import write_wav as write_wav
    from ._wav_sink import NullSink as NullSink
    from ._wav_sink import WavSink as WavSink

__all__ = (
    "ArraySource",
    "AudioBlock",
    "AudioFormat",
    "AudioSink",
    "AudioSource",
    "Clock",
    "DeviceInfo",
    "EchoCanceller",
    "FarEnd",
    "FarSide",
    "HalfDuplexGate",
    "Heard",
    "LiveKitCanceller",
    "Microphone",
    "MonotonicClock",
    "NullSink",
    "Pacer",
    "PlaybackItem",
    "PlaybackQueue",
    "PushToTalk",
    "Recorder",
    "Resampler",
    "Silence",
    "Speaker",
    "Vad",
    "WavSink",
    "WavSource",
    "WavWriter",
    "g711",
    "level_dbfs",
    "list_devices",
    "read_wav",
    "write_wav",
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "ArraySource": "._sources",
        "AudioBlock": "._format",
        "AudioFormat": "._format",
        "AudioSink": "._format",
        "AudioSource": "._format",
        "Clock": "._format",
        "DeviceInfo": "._devices",
        "EchoCanceller": "._echo",
        "FarEnd": "._echo_far",
        "FarSide": "._echo_path",
        "HalfDuplexGate": "._echo",
        "Heard": "._format",
        "LiveKitCanceller": "._echo_livekit",
        "Microphone": "._microphone",
        "MonotonicClock": "._clock",
        "NullSink": "._wav_sink",
        "Pacer": "._clock",
        "PlaybackItem": "._format",
        "PlaybackQueue": "._playback",
        "PushToTalk": "._microphone",
        "Recorder": "._recorder",
        "Resampler": "._resample",
        "Silence": "._sources",
        "Speaker": "._speaker",
        "Vad": "._vad",
        "WavSink": "._wav_sink",
        "WavSource": "._sources",
        "WavWriter": "._wav",
        "g711": ".g711",
        "level_dbfs": "._vad",
        "list_devices": "._devices",
        "read_wav": "._wav",
        "write_wav": "._wav",
    },
)
