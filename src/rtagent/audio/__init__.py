"""Audio parts: formats, signal parts, sources, sinks and devices. Nothing is loaded until it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from . import g711 as g711
    from ._background import Background as Background
    from ._clock import MonotonicClock as MonotonicClock
    from ._clock import Pacer as Pacer
    from ._devices import DeviceInfo as DeviceInfo
    from ._devices import list_devices as list_devices
    from ._echo import EchoCanceller as EchoCanceller
    from ._echo import HalfDuplexGate as HalfDuplexGate
    from ._echo_far import FarEnd as FarEnd
    from ._echo_livekit import LiveKitCanceller as LiveKitCanceller
    from ._echo_path import FarSide as FarSide
    from ._end_of_turn import EndOfTurn as EndOfTurn
    from ._end_of_turn import SemanticTurn as SemanticTurn
    from ._files import read_audio as read_audio
    from ._format import AudioBlock as AudioBlock
    from ._format import AudioFormat as AudioFormat
    from ._format import AudioSink as AudioSink
    from ._format import AudioSource as AudioSource
    from ._format import Clock as Clock
    from ._format import Heard as Heard
    from ._format import PlaybackItem as PlaybackItem
    from ._gated_source import GatedSource as GatedSource
    from ._microphone import Microphone as Microphone
    from ._microphone import PushToTalk as PushToTalk
    from ._playback import PlaybackQueue as PlaybackQueue
    from ._recorder import Recorder as Recorder
    from ._resample import Resampler as Resampler
    from ._samples import AudioClip as AudioClip
    from ._silero import SileroVad as SileroVad
    from ._sources import ArraySource as ArraySource
    from ._sources import FileSource as FileSource
    from ._sources import Silence as Silence
    from ._sources import WavSource as WavSource
    from ._speaker import Speaker as Speaker
    from ._speech_detector import EnergyDetector as EnergyDetector
    from ._speech_detector import SpeechDetector as SpeechDetector
    from ._turn_detector import SpeechStarted as SpeechStarted
    from ._turn_detector import SpeechStopped as SpeechStopped
    from ._turn_detector import TurnDetector as TurnDetector
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
    "AudioClip",
    "AudioFormat",
    "AudioSink",
    "AudioSource",
    "Background",
    "Clock",
    "DeviceInfo",
    "EchoCanceller",
    "EndOfTurn",
    "EnergyDetector",
    "FarEnd",
    "FarSide",
    "FileSource",
    "GatedSource",
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
    "SemanticTurn",
    "Silence",
    "SileroVad",
    "Speaker",
    "SpeechDetector",
    "SpeechStarted",
    "SpeechStopped",
    "TurnDetector",
    "Vad",
    "WavSink",
    "WavSource",
    "WavWriter",
    "g711",
    "level_dbfs",
    "list_devices",
    "read_audio",
    "read_wav",
    "write_wav",
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "ArraySource": "._sources",
        "AudioBlock": "._format",
        "AudioClip": "._samples",
        "AudioFormat": "._format",
        "AudioSink": "._format",
        "AudioSource": "._format",
        "Background": "._background",
        "Clock": "._format",
        "DeviceInfo": "._devices",
        "FileSource": "._sources",
        "EndOfTurn": "._end_of_turn",
        "EnergyDetector": "._speech_detector",
        "GatedSource": "._gated_source",
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
        "SemanticTurn": "._end_of_turn",
        "Silence": "._sources",
        "SileroVad": "._silero",
        "Speaker": "._speaker",
        "SpeechDetector": "._speech_detector",
        "SpeechStarted": "._turn_detector",
        "SpeechStopped": "._turn_detector",
        "TurnDetector": "._turn_detector",
        "Vad": "._vad",
        "WavSink": "._wav_sink",
        "WavSource": "._sources",
        "WavWriter": "._wav",
        "g711": ".g711",
        "level_dbfs": "._vad",
        "list_devices": "._devices",
        "read_audio": "._files",
        "read_wav": "._wav",
        "write_wav": "._wav",
    },
)
