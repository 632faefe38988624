"""A sound card made of software: a private PulseAudio with null sinks, for tests of real device code.

What a program plays into ``speaker`` can be recorded; what a test plays into the microphone is what the
program hears at ``mic``. Needs no hardware, no kernel module, no session bus, and may run as root.

The sinks have ``norewinds``: with rewinding a null sink stalls for more than a second when it is opened and
loses audio afterwards. Shared memory is off because clients that come and go have aborted the server.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from ctypes.util import find_library
from pathlib import Path
from types import TracebackType
from typing import Self

from ..audio._wav import write_wav
from ..errors import AudioUnavailable, ConfigurationError

__all__ = ("VirtualSoundCard",)

_PROGRAMS = ("pulseaudio", "pactl", "paplay", "parec")
_RECORDING_RATE = 24_000
_READY_WITHIN_S = 10.0
_SERVER = """\
load-module module-native-protocol-unix auth-anonymous=1 socket={socket}
load-module module-null-sink sink_name=speaker rate=48000 channels=1 norewinds=1
load-module module-null-sink sink_name=micfeed rate=48000 channels=1 norewinds=1
load-module module-remap-source source_name=mic master=micfeed.monitor
set-default-sink speaker
set-default-source mic
"""
_ALSA = """\
</usr/share/alsa/alsa.conf>
pcm.speaker         { type pulse device "speaker" }
pcm.speaker_monitor { type pulse device "speaker.monitor" }
pcm.micfeed         { type pulse device "micfeed" }
pcm.mic             { type pulse device "mic" }
pcm.headset         { type pulse device "headset" }
pcm.headset_mic     { type pulse device "headset.monitor" }
"""


_OPTIONS = (
    "--daemonize=no",
    "--exit-idle-time=-1",
    "--use-pid-file=no",
    "--disallow-exit",
    "--disable-shm=yes",
    "--realtime=no",
    "--high-priority=no",
    "--log-target=stderr",
)


class VirtualSoundCard:
    """A sound card for the programs that are started with its ``env``; a context manager.

    The environment has to be set before PortAudio starts, so the program under test is a child process.

    Example::

        with VirtualSoundCard() as card, card.record_speaker("heard.wav"):
            subprocess.run([sys.executable, "program.py"], env=card.env, check=True)

    Raises:
        ConfigurationError: programs or libraries are missing on this machine; all are listed.
        AudioUnavailable: the server does not start.
    """

    def __init__(self) -> None:
        self.env: dict[str, str] = {}
        """The environment for child programs."""
        self._directory: Path | None = None
        self._headset: str | None = None
        self._server: subprocess.Popen[bytes] | None = None

    @staticmethod
    def missing() -> tuple[str, ...]:
        """What this machine lacks: names of programs and libraries; empty when all is there."""
        lacking = [program for program in _PROGRAMS if shutil.which(program) is None]
        if find_library("portaudio") is None:
            lacking.append("libportaudio2")
        if not any(_alsa_pulse_plugins()):
            lacking.append("libasound2-plugins")
        return tuple(lacking)

    def __enter__(self) -> Self:
        if lacking := self.missing():
            message = f"a virtual sound card needs {', '.join(lacking)}"
            hint = "apt-get install libportaudio2 pulseaudio pulseaudio-utils libasound2-plugins"
            raise ConfigurationError(message, hint=hint)
        self._directory = Path(tempfile.mkdtemp(prefix="rtagent-card-"))
        try:
            self._start(self._directory)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def play_into_microphone(self, wav: str | os.PathLike[str]) -> None:
        """Play a file to whoever listens at ``mic``; returns when it has been played."""
        subprocess.run(  # noqa: S603 - a program by its bare name, with our own arguments
            ["paplay", "--device=micfeed", "--latency-msec=40", os.fspath(wav)],  # noqa: S607
            env=self.env,
            check=True,
            timeout=120,
        )

    @contextmanager
    def record_speaker(self, path: str | os.PathLike[str]) -> Generator[None]:
        """Record what is played, 24 kHz mono, from before the block's body to its end."""
        raw = Path(f"{os.fspath(path)}.raw")
        command = [
            "parec",
            "--device=speaker.monitor",
            "--format=s16le",
            f"--rate={_RECORDING_RATE}",
            "--channels=1",
            "--latency-msec=20",
        ]
        with raw.open("wb") as out:
            recorder = subprocess.Popen(command, stdout=out, env=self.env)  # noqa: S603
            try:
                _wait_until(lambda: raw.stat().st_size > 0, "the recorder delivers nothing")
                yield
                size = raw.stat().st_size
                _wait_until(lambda: raw.stat().st_size > size, "the recorder stopped")
            finally:
                recorder.terminate()
                recorder.wait(10)
        pcm = raw.read_bytes()
        raw.unlink()
        write_wav(path, pcm[: len(pcm) // 2 * 2], _RECORDING_RATE)

    def kill(self) -> None:
        """The card is pulled out: end the server at once. Only our own process is touched."""
        if self._server is not None:
            self._server.kill()
            self._server.wait(10)

    def plug_in(self) -> None:
        """Start the server again after ``kill``, at the same place."""
        assert self._directory is not None, "the card is used outside its block"  # noqa: S101
        self._serve(self._directory)

    def connect_headset(self) -> None:
        """A headset is plugged in and becomes the default device both ways: ``headset`` and ``headset_mic``.

        What is played into it is what its microphone hears.
        """
        arguments = ("sink_name=headset", "rate=48000", "channels=1", "norewinds=1")
        self._headset = self._ask("load-module", "module-null-sink", *arguments).strip()
        self._ask("set-default-sink", "headset")
        self._ask("set-default-source", "headset.monitor")

    def disconnect_headset(self) -> None:
        """The headset is pulled out; ``speaker`` and ``mic`` are the default devices again."""
        assert self._headset is not None, "no headset is plugged in"  # noqa: S101
        self._ask("unload-module", self._headset)
        self._headset = None
        self._ask("set-default-sink", "speaker")
        self._ask("set-default-source", "mic")

    def _ask(self, *arguments: str) -> str:
        return subprocess.run(  # noqa: S603 - a program by its bare name, our own arguments
            ["pactl", *arguments],  # noqa: S607
            env=self.env,
            check=True,
            timeout=_READY_WITHIN_S,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def _start(self, directory: Path) -> None:
        runtime, home = directory / "run", directory / "home"
        for private in (runtime, home):
            private.mkdir(mode=0o700)
        socket = runtime / "native"
        (directory / "card.pa").write_text(_SERVER.format(socket=socket))
        (directory / "asound.conf").write_text(_ALSA)
        self.env = _inherited() | {
            "XDG_RUNTIME_DIR": str(runtime),
            "PULSE_SERVER": f"unix:{socket}",
            "ALSA_CONFIG_PATH": str(directory / "asound.conf"),
        }
        self._serve(directory)

    def _serve(self, directory: Path) -> None:
        runtime = str(directory / "run")
        own = {"HOME": str(directory / "home"), "XDG_RUNTIME_DIR": runtime, "PULSE_RUNTIME_PATH": runtime}
        with (directory / "server.log").open("ab") as log:
            self._server = subprocess.Popen(  # noqa: S603 - a program by its bare name, our own arguments
                ["pulseaudio", "-n", "-F", str(directory / "card.pa"), *_OPTIONS],  # noqa: S607
                env=_inherited() | own,
                stderr=log,
            )
        _wait_until(self._answers, "the sound server does not start")

    def _answers(self) -> bool:
        assert self._server is not None  # _start has just made it  # noqa: S101
        if self._server.poll() is not None:
            raise _failed(f"the sound server ended with status {self._server.returncode}")
        asked = subprocess.run(
            ["pactl", "info"],  # noqa: S607
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=_READY_WITHIN_S,
        )
        return asked.returncode == 0

    def _end(self) -> None:
        server, self._server = self._server, None
        if server is not None and server.poll() is None:
            server.terminate()
            server.wait(10)
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "DBUS_SESSION_BUS_ADDRESS"}


def _alsa_pulse_plugins() -> Iterator[Path]:
    for root in (Path("/usr/lib"), Path("/usr/lib64"), Path("/usr/local/lib")):
        yield from root.glob("alsa-lib/libasound_module_pcm_pulse.so")
        yield from root.glob("*/alsa-lib/libasound_module_pcm_pulse.so")


def _wait_until(condition: Callable[[], bool], otherwise: str) -> None:
    give_up = time.monotonic() + _READY_WITHIN_S
    while not condition():
        if time.monotonic() > give_up:
            raise _failed(otherwise)
        time.sleep(0.02)


def _failed(detail: str) -> AudioUnavailable:
    return AudioUnavailable("device_busy_or_lost", "See the server's own messages", detail=detail)
