from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from rtagent.audio import list_devices, write_wav
from rtagent.audio._device_backend import SoundBackend, StreamTimes
from rtagent.audio._device_hints import unavailable
from rtagent.audio._device_line import DeviceLine, Patience
from rtagent.audio._device_ring import DeviceRing, LoopBell
from rtagent.audio._device_stderr import quiet_alsa, quiet_stderr
from rtagent.audio._devices import PortAudio, _load, library_of, load_portaudio
from rtagent.audio._format import AudioBlock
from rtagent.errors import AudioUnavailable
from rtagent.testing._clock import FakeClock
from rtagent.testing._devices import FakeDevice, FakePortAudioError, FakeSoundBackend
from rtagent.testing._sound_card import VirtualSoundCard

USB_AND_HDMI = [
    FakeDevice("Monitor HDMI", inputs=0, outputs=2),
    FakeDevice("USB headset", inputs=1, outputs=2, default_rate=44_100),
    FakeDevice("USB microphone", inputs=1, outputs=0),
    FakeDevice("USB headset", inputs=1, outputs=2, host_api=1),
    FakeDevice("headset, old", inputs=0, outputs=1),
]


def library_with(*devices: FakeDevice, default: tuple[int, int] = (1, 0)) -> PortAudio:
    return PortAudio(FakeSoundBackend(devices, default=default, now=lambda: 0.0))


# -- the library itself


@pytest.mark.parametrize(
    ("problem", "reason", "hint"),
    [
        ("ImportError('no such package')", "package_missing", "rtagent[audio]"),
        ("OSError('PortAudio library not found')", "portaudio_missing", "ortAudio"),
    ],
)
def test_a_missing_library_is_explained(
    problem: str, reason: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sounddevice.py").write_text(f"raise {problem}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    with pytest.raises(AudioUnavailable) as caught:
        _load()
    assert caught.value.reason == reason
    assert hint in caught.value.hint
    assert str(caught.value.detail) in problem
    assert repr(caught.value.__cause__) == problem


def test_a_program_without_the_package_gets_the_same_words() -> None:
    program = (
        "import sys; sys.modules['sounddevice'] = None\n"
        "import rtagent.audio\n"
        "try: rtagent.audio.list_devices()\n"
        "except rtagent.errors.AudioUnavailable as error: print(error.reason)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", "import rtagent.errors\n" + program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout == "package_missing\n"


def test_nothing_is_loaded_before_a_device_is_asked_for() -> None:
    program = (
        "import sys, rtagent.audio\n"
        "rtagent.audio.Speaker(); rtagent.audio.Microphone()\n"
        "print(*sorted({'sounddevice', 'numpy'} & set(sys.modules)))"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout == "\n"


def test_there_is_one_library_per_process_unless_a_test_brings_its_own(library: FakeSoundBackend) -> None:
    assert library_of(None) is load_portaudio
    own = library_of(library)
    assert own() is own()


@pytest.mark.device
def test_a_machine_without_a_card_has_no_devices(tmp_path: Path) -> None:
    if VirtualSoundCard.missing():
        pytest.skip("needs the PortAudio library")
    if list(Path("/proc/asound").glob("card*")):
        pytest.skip("this machine has a card")
    (tmp_path / "asound.conf").write_text("</usr/share/alsa/alsa.conf>\n")
    program = (
        "import anyio, rtagent.audio as audio, rtagent.errors as errors\n"
        "print(len(audio.list_devices()))\n"
        "async def speak():\n"
        "    async with audio.Speaker(): pass\n"
        "async def listen():\n"
        "    async for block in audio.Microphone().blocks(): pass\n"
        "for way in (speak, listen):\n"
        "    try: anyio.run(way)\n"
        "    except errors.AudioUnavailable as error: print(error.reason)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"ALSA_CONFIG_PATH": str(tmp_path / "asound.conf")},
        capture_output=True,
        text=True,
    )
    assert finished.stdout.split() == ["0", "no_output_device", "no_input_device"], finished.stderr


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32", "freebsd14"])
@pytest.mark.parametrize(
    "reason",
    [
        "package_missing",
        "portaudio_missing",
        "no_input_device",
        "no_output_device",
        "device_not_found",
        "device_busy_or_lost",
        "format_refused",
    ],
)
def test_every_reason_has_a_hint_on_every_system(reason: str, platform: str) -> None:
    error = unavailable(reason, platform=platform)
    assert error.reason == reason
    assert error.hint


def test_hints_differ_where_the_systems_do() -> None:
    hints = {
        unavailable("portaudio_missing", platform=system).hint for system in ("linux", "darwin", "win32")
    }
    assert len(hints) == 3
    assert "apt-get install libportaudio2" in unavailable("portaudio_missing", platform="linux").hint


# -- listing and choosing


def test_devices_are_listed_with_their_host_api_and_defaults() -> None:
    devices = library_with(*USB_AND_HDMI).devices()
    assert [(d.index, d.name, d.host_api, d.inputs, d.outputs) for d in devices[:2]] == [
        (0, "Monitor HDMI", "Fake API", 0, 2),
        (1, "USB headset", "Fake API", 1, 2),
    ]
    assert devices[1].default_rate == 44_100
    assert [d.index for d in devices if d.is_default_input] == [1]
    assert [d.index for d in devices if d.is_default_output] == [0]


@pytest.mark.parametrize(
    ("device", "direction", "index"),
    [
        (None, "input", 1),
        (None, "output", 0),
        (3, "output", 3),
        ("Monitor HDMI", "output", 0),
        ("hdmi", "output", 0),
        ("USB microphone", "input", 2),
        ("usb headset, other api", "output", 3),
        ("old", "output", 4),
        ("micro", "input", 2),
    ],
)
def test_a_device_is_chosen_by_index_exact_name_or_unique_part(
    device: int | str | None, direction: Any, index: int
) -> None:
    assert library_with(*USB_AND_HDMI).choose(device, direction).index == index


@pytest.mark.parametrize(
    ("device", "direction", "problem", "candidates"),
    [
        (
            "USB headset",
            "output",
            "fits several",
            ["1 'USB headset' (Fake API)", "3 'USB headset' (Other API)"],
        ),
        ("usb", "input", "fits several", ["1 'USB headset'", "2 'USB microphone'"]),
        ("gramophone", "input", "no input device is 'gramophone'", ["2 'USB microphone'"]),
        (0, "input", "no input device is 0", ["1 'USB headset'"]),
        (99, "output", "no output device is 99", ["0 'Monitor HDMI'"]),
    ],
)
def test_what_fits_no_device_or_several_lists_the_candidates(
    device: int | str, direction: Any, problem: str, candidates: list[str]
) -> None:
    with pytest.raises(AudioUnavailable, match="device not found") as caught:
        library_with(*USB_AND_HDMI).choose(device, direction)
    assert problem in str(caught.value)
    assert all(candidate in caught.value.hint for candidate in candidates)


@pytest.mark.parametrize("direction", ["input", "output"])
def test_no_device_and_no_default_device(direction: Any) -> None:
    for library in (library_with(default=(-1, -1)), library_with(FakeDevice("card"), default=(-1, -1))):
        with pytest.raises(AudioUnavailable) as caught:
            library.choose(None, direction)
        assert caught.value.reason == f"no_{direction}_device"


# -- formats and failures


@pytest.mark.parametrize(
    ("rates", "wanted", "usable"),
    [(None, 24_000, 24_000), ({44_100, 48_000}, 24_000, 48_000), ({48_000}, 48_000, 48_000)],
)
def test_the_wanted_rate_is_used_where_the_device_takes_it(
    rates: set[int] | None, wanted: int, usable: int
) -> None:
    device = FakeDevice("card", default_rate=48_000, rates=None if rates is None else frozenset(rates))
    library = library_with(device, default=(0, 0))
    for direction in ("input", "output"):
        assert library.usable_rate(library.choose(None, direction), direction, wanted) == usable


def test_a_device_that_takes_no_rate_refuses_the_format() -> None:
    library = library_with(FakeDevice("card", rates=frozenset({96_000})), default=(0, 0))
    with pytest.raises(AudioUnavailable, match="Invalid sample rate") as caught:
        library.usable_rate(library.choose(None, "output"), "output", 24_000)
    assert caught.value.reason == "format_refused"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("Invalid number of channels", -9998), "format_refused"),
        (("Invalid device", -9996), "device_not_found"),
        (("Device unavailable", -9985), "device_busy_or_lost"),
        (("Illegal combination of I/O devices", -9993), "device_busy_or_lost"),
        (("Could not obtain stream info",), "device_busy_or_lost"),
        ((), "device_busy_or_lost"),
    ],
)
def test_the_librarys_errors_become_ours(
    arguments: tuple[Any, ...], reason: str, library: FakeSoundBackend
) -> None:
    sound = PortAudio(library)
    card = sound.choose(None, "output")
    problem = FakePortAudioError(*arguments)
    library.open_failures.append(problem)
    with pytest.raises(AudioUnavailable) as caught:
        sound.open_stream(card, "output", 24_000, print, print)
    assert caught.value.reason == reason
    assert caught.value.__cause__ is problem
    stream = sound.open_stream(card, "output", 24_000, print, print)
    library.start_failures.append(problem)
    with pytest.raises(AudioUnavailable) as caught:
        sound.start_stream(stream, card)
    assert caught.value.reason == reason


def test_the_library_is_not_started_anew_under_an_open_stream(library: FakeSoundBackend) -> None:
    sound = PortAudio(library)
    card = sound.choose(None, "output")
    streams = [sound.open_stream(card, "output", 24_000, print, print) for _ in range(2)]
    sound.refresh()
    sound.close_stream(streams[0])
    sound.refresh()
    assert library.refreshes == 0
    sound.close_stream(streams[1])
    sound.refresh()
    assert library.refreshes == 1


def test_the_devices_are_looked_for_anew_when_streams_came_and_went(library: FakeSoundBackend) -> None:
    sound = PortAudio(library)
    sound.look_anew()
    assert library.refreshes == 0, "it has just been loaded"
    card = sound.choose(None, "output")
    stream = sound.open_stream(card, "output", 24_000, print, print)
    sound.look_anew()
    assert library.refreshes == 0, "it would end the stream"
    sound.close_stream(stream)
    sound.look_anew()
    sound.look_anew()
    assert library.refreshes == 1


def test_a_restart_is_wanted_only_while_others_are_open(library: FakeSoundBackend) -> None:
    sound = PortAudio(library)
    sound.want_restart()
    assert sound.restart_wishes == 0
    stream = sound.open_stream(sound.choose(None, "output"), "output", 24_000, print, print)
    sound.want_restart()
    assert sound.restart_wishes == 1
    sound.close_stream(stream)


def test_busy_threads_are_switched_more_often_while_a_stream_is_open(library: FakeSoundBackend) -> None:
    sound = PortAudio(library)
    card = sound.choose(None, "output")
    usual = sys.getswitchinterval()
    streams = [sound.open_stream(card, "output", 24_000, print, print) for _ in range(2)]
    assert sys.getswitchinterval() == pytest.approx(0.0005)
    sound.close_stream(streams[0])
    assert sys.getswitchinterval() == pytest.approx(0.0005)
    sound.close_stream(streams[1])
    assert sys.getswitchinterval() == usual


# -- the terminal


def test_what_the_library_prints_does_not_reach_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_stderr():
        os.write(2, b"ALSA lib pcm.c: underrun occurred\n")
    os.write(2, b"ours\n")
    assert capfd.readouterr().err == "ours\n"


@pytest.mark.skipif(sys.platform != "linux", reason="ALSA is Linux's")
def test_alsa_prints_nothing_in_this_process_any_more() -> None:
    if VirtualSoundCard.missing():
        pytest.skip("needs ALSA")
    complain = "ctypes.CDLL('libasound.so.2').snd_pcm_open(ctypes.byref(ctypes.c_void_p()), b'nowhere', 0, 0)"
    quiet = "from rtagent.audio._device_stderr import quiet_alsa; quiet_alsa()"
    loud, silent = (
        subprocess.run(
            [sys.executable, "-c", f"import ctypes\n{before}\nassert {complain} < 0"],
            capture_output=True,
            text=True,
            check=True,
        ).stderr
        for before in ("", quiet)
    )
    assert "nowhere" in loud, "unasked it does"
    assert silent == ""


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_where_there_is_no_alsa_nothing_happens(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    quiet_alsa("libnowhere.so.2")


def test_stderr_comes_back_after_a_failure(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), quiet_stderr():
        raise ZeroDivisionError
    os.write(2, b"ours\n")
    assert capfd.readouterr().err == "ours\n"


def test_a_process_without_stderr_can_open_devices() -> None:
    own = os.dup(2)
    os.close(2)
    try:
        with quiet_stderr():
            opened = True
    finally:
        os.dup2(own, 2)
        os.close(own)
    assert opened


# -- from the device's thread to the loop


async def test_the_bell_wakes_the_loop_from_another_thread() -> None:
    bell = LoopBell()
    await anyio.to_thread.run_sync(bell.ring)
    assert await bell.wait(5)
    assert not await bell.wait(0)


async def test_ringing_twice_before_anybody_woke_is_ringing_once() -> None:
    bell = LoopBell()
    bell.ring()
    bell.ring()
    assert await bell.wait(5)
    assert not await bell.wait(0)
    bell.ring()
    assert await bell.wait(5)


def test_a_bell_that_rings_after_the_loop_has_ended_is_not_heard() -> None:
    async def make() -> LoopBell:
        return LoopBell()

    bell = anyio.run(make)
    bell.ring()


def test_a_full_ring_drops_the_oldest_and_counts_it() -> None:
    ring = DeviceRing(capacity_bytes=10, wake_bytes=1, ring=lambda: None)
    for number in range(5):
        ring.put(AudioBlock(bytes([number] * 4), at=number))
    assert ring.dropped_bytes == 12
    assert [block.at for block in iter(ring.take, None)] == [3, 4]
    ring.put(AudioBlock(b"abcd", at=9))
    assert ring.take() == AudioBlock(b"abcd", at=9)
    assert ring.dropped_bytes == 12


def test_one_block_that_is_larger_than_the_ring_is_dropped() -> None:
    ring = DeviceRing(capacity_bytes=10, wake_bytes=1, ring=lambda: None)
    ring.put(AudioBlock(bytes(12), at=0))
    assert ring.take() is None
    assert ring.dropped_bytes == 12


def test_a_block_that_the_loop_takes_first_is_not_dropped() -> None:
    class Snatched(deque[AudioBlock]):
        def popleft(self) -> AudioBlock:  # as if the loop emptied it between the look and the grasp
            self.clear()
            return super().popleft()

    ring = DeviceRing(capacity_bytes=4, wake_bytes=1_000, ring=lambda: None)
    ring._blocks = Snatched()
    ring.put(AudioBlock(bytes(6), at=1))
    assert ring.dropped_bytes == 0
    assert ring.take() is None


def test_the_loop_is_woken_about_once_per_block() -> None:
    rung: list[int] = []
    ring = DeviceRing(capacity_bytes=1_000, wake_bytes=20, ring=lambda: rung.append(1))
    for _ in range(50):
        ring.put(AudioBlock(bytes(4), at=0))
    assert len(rung) == 10


def test_two_threads_lose_no_block_without_counting_it() -> None:
    ring = DeviceRing(capacity_bytes=64, wake_bytes=10_000, ring=lambda: None)

    def produce() -> None:
        for number in range(20_000):
            ring.put(AudioBlock(bytes(4), at=number))

    producer = threading.Thread(target=produce)
    producer.start()
    taken: list[AudioBlock] = []
    while producer.is_alive():
        taken.extend(iter(ring.take, None))
    taken.extend(iter(ring.take, None))
    times = [block.at for block in taken]
    assert times == sorted(set(times))
    assert 4 * len(taken) + ring.dropped_bytes == 80_000


def test_blocks_without_samples_do_not_fill_the_ring() -> None:
    rung: list[bool] = []
    ring = DeviceRing(capacity_bytes=100, wake_bytes=10, ring=lambda: rung.append(True))
    for _ in range(1_000):
        ring.put(AudioBlock(b"", 0.0))
    assert ring.take() is None
    assert not rung


# -- a line that stays open


class Recorded:
    """A callback that notes what it was given."""

    def __init__(self) -> None:
        self.blocks: list[tuple[int, float]] = []
        self.prepared = 0
        self.error: Exception | None = None

    def __call__(self, data: Any, frames: int, times: StreamTimes, now: float) -> None:
        if self.error is not None:
            raise self.error
        self.blocks.append((frames, now))
        data[:] = b"\x01" * len(data)

    def prepare(self) -> None:
        self.prepared += 1


QUICK = Patience(
    silence_s=0.001, first_callback_s=0.001, attempts=3, first_pause_s=0.001, longest_pause_s=0.002
)
PATIENT = Patience(silence_s=60, first_callback_s=60, attempts=3, first_pause_s=0.001, longest_pause_s=0.002)


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def make_line(library: FakeSoundBackend, clock: FakeClock, recorded: Recorded) -> Callable[..., DeviceLine]:
    sound = PortAudio(library)

    def make(patience: Patience = PATIENT, device: int | str | None = None) -> DeviceLine:
        return DeviceLine(
            lambda: sound, "output", device, 24_000, callback=recorded, now=clock.now, patience=patience
        )

    return make


async def test_a_line_passes_blocks_with_the_monotonic_time(
    make_line: Callable[..., DeviceLine], library: FakeSoundBackend, recorded: Recorded, clock: FakeClock
) -> None:
    library.first_block_frames = 208
    line = make_line()
    await line.open(recorded.prepare)
    assert recorded.prepared == 1
    assert recorded.blocks == [(208, 100.0)], "the first block comes before start() returns"
    await clock.advance(1)
    assert library.output.run(3, flags=4) == b"\x01" * 6
    assert recorded.blocks[-1] == (3, 101.0)
    assert (line.flags, line.last_beat_at, line.rate) == (1, 101.0, 24_000)
    assert line.device is not None
    assert line.device.name == "card"
    await line.close()
    await line.close()
    assert library.output.closed


async def test_a_line_with_callbacks_is_alive_and_one_without_is_lost(
    make_line: Callable[..., DeviceLine], library: FakeSoundBackend, recorded: Recorded
) -> None:
    line = make_line(QUICK)
    await line.open(recorded.prepare)
    library.output.latency = 0.0
    line.latency_s = 0.0
    assert not await line.alive(), "the first callback never came"
    library.output.run(10)
    assert not await line.alive(), "and no second one"
    line.ring()
    assert await line.alive()
    await line.close()


async def test_callbacks_without_the_bell_keep_a_line_alive(
    make_line: Callable[..., DeviceLine], library: FakeSoundBackend, recorded: Recorded
) -> None:
    line = make_line(QUICK)
    await line.open(recorded.prepare)
    async with anyio.create_task_group() as tasks:

        async def beat() -> None:
            library.output.run(10)

        tasks.start_soon(beat)
        assert await line.alive()
    await line.close()


async def test_a_stream_that_finishes_by_itself_is_lost_at_once(
    make_line: Callable[..., DeviceLine], library: FakeSoundBackend, recorded: Recorded, clock: FakeClock
) -> None:
    line = make_line()
    await line.open(recorded.prepare)
    library.output.run(10)
    library.output.lose()
    assert not await line.alive()
    await clock.advance(0.5)
    await line.reopen(recorded.prepare)
    assert len(library.streams) == 2
    assert library.streams[0].closed
    assert library.refreshes == 1
    assert (line.losses, line.away_s) == (1, 0.5)
    library.streams[0].finished_callback()  # late news of the old stream
    line.ring()
    assert await line.alive()
    await line.close()


async def test_a_callback_of_a_closed_stream_gets_silence_and_ends(
    make_line: Callable[..., DeviceLine], library: FakeSoundBackend, recorded: Recorded
) -> None:
    line = make_line()
    await line.open(recorded.prepare)
    await line.close()
    assert library.output.run(4) == bytes(8)
    assert recorded.blocks == []
    assert not library.output.started


async def test_a_failing_callback_gives_silence_and_is_reported(
    make_line: Callable[..., DeviceLine], library: FakeSoundBackend, recorded: Recorded
) -> None:
    line = make_line()
    await line.open(recorded.prepare)
    recorded.error = ZeroDivisionError("oops")
    assert library.output.run(4) == bytes(8)
    assert not await line.alive()
    with pytest.raises(AudioUnavailable, match=r"callback failed: ZeroDivisionError\('oops'\)") as caught:
        await line.reopen(recorded.prepare)
    assert caught.value.__cause__ is recorded.error
    assert library.output.closed


async def test_a_line_is_tried_again_and_given_up(
    make_line: Callable[..., DeviceLine], library: FakeSoundBackend, recorded: Recorded
) -> None:
    line = make_line()
    await line.open(recorded.prepare)
    library.open_failures = [library.busy(), library.busy()]
    await line.reopen(recorded.prepare)
    assert line.losses == 1
    assert line.away_s == 0.0, "no callback had come yet"
    library.open_failures = [library.busy(), library.busy(), library.busy()]
    with pytest.raises(AudioUnavailable, match="stayed lost") as caught:
        await line.reopen(recorded.prepare)
    assert caught.value.reason == "device_busy_or_lost"
    assert line.losses == 1


async def test_a_device_that_has_gone_is_replaced_by_the_default_one(
    make_line: Callable[..., DeviceLine], library: FakeSoundBackend, recorded: Recorded
) -> None:
    library.devices = [FakeDevice("built-in"), FakeDevice("headset")]
    line = make_line(device="headset")
    await line.open(recorded.prepare)
    assert library.output.device == 1
    library.devices = [FakeDevice("built-in")]
    await line.reopen(recorded.prepare)
    assert library.output.device == 0
    assert line.device is not None
    assert line.device.name == "built-in"
    await line.close()


async def test_a_named_device_that_cannot_be_opened_any_more_is_replaced_and_taken_back(
    make_line: Callable[..., DeviceLine], library: FakeSoundBackend, recorded: Recorded
) -> None:
    """A bridge to a sound server goes on listing what the server has no more."""
    library.devices = [FakeDevice("built-in"), FakeDevice("headset")]
    line = make_line(device="headset")
    await line.open(recorded.prepare)
    library.open_failures = [library.busy()]
    await line.reopen(recorded.prepare)
    assert library.output.device == 0
    await line.reopen(recorded.prepare)
    assert library.output.device == 1, "it was what somebody asked for"
    await line.close()


async def test_without_a_name_the_default_device_of_the_day_is_taken(
    make_line: Callable[..., DeviceLine], library: FakeSoundBackend, recorded: Recorded
) -> None:
    library.devices = [FakeDevice("built-in"), FakeDevice("headset")]
    line = make_line()
    await line.open(recorded.prepare)
    assert library.output.device == 0
    library.default.device = (1, 1)
    await line.reopen(recorded.prepare)
    assert library.output.device == 1
    await line.close()
    library.default.device = (0, 0)
    await line.open(recorded.prepare)
    assert library.output.device == 0
    assert library.refreshes == 2, "it looked anew each time"
    await line.close()


class SeesOnlyWhenItStarts(FakeSoundBackend):
    """As the real library does: it knows of devices what there was when it started."""

    def __init__(self, devices: list[FakeDevice], *, now: Callable[[], float]) -> None:
        super().__init__(devices, now=now)
        self.plugged = devices

    def _initialize(self) -> None:
        super()._initialize()
        self.devices = list(self.plugged)

    def RawOutputStream(self, **settings: Any) -> Any:  # noqa: N802 - sounddevice's name
        if self.devices[settings["device"]] not in self.plugged:
            raise self.busy()
        return super().RawOutputStream(**settings)


async def test_a_lost_device_is_replaced_although_the_library_must_be_restarted_under_another_stream(
    clock: FakeClock,
) -> None:
    speakers, built_in = FakeDevice("usb speakers", inputs=0), FakeDevice("built-in")
    library = SeesOnlyWhenItStarts([speakers, FakeDevice("microphone", outputs=0)], now=clock.now)
    library.default.device = (1, 0)
    sound, long = PortAudio(library), Patience(silence_s=60, first_callback_s=60, first_pause_s=0.005)
    heard, told = Recorded(), Recorded()
    ear = DeviceLine(lambda: sound, "input", None, 24_000, callback=heard, now=clock.now, patience=long)
    mouth = DeviceLine(lambda: sound, "output", None, 24_000, callback=told, now=clock.now, patience=long)
    await ear.open(heard.prepare)
    await mouth.open(told.prepare)
    library.input.feed(bytes(2))
    library.output.run(10)
    library.plugged = [FakeDevice("microphone", outputs=0), built_in]
    library.default.device = (0, 1)
    library.output.lose()
    assert not await mouth.alive()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(mouth.reopen, told.prepare)
        while not sound.restart_wishes:
            await anyio.lowlevel.checkpoint()
        ear.ring()
        assert not await ear.alive(), "it is to be left for a moment"
        await ear.reopen(heard.prepare)
    assert library.refreshes == 1
    assert (ear.device, mouth.device) != (None, None)
    assert [line.device.name for line in (ear, mouth) if line.device] == ["microphone", "built-in"]
    ear.ring()
    assert await ear.alive(), "once is enough"
    await ear.close()
    await mouth.close()


async def test_a_line_keeps_the_rate_that_it_began_with(
    make_line: Callable[..., DeviceLine], library: FakeSoundBackend, recorded: Recorded
) -> None:
    library.devices = [FakeDevice("card", rates=frozenset({48_000}))]
    line = make_line()
    await line.open(recorded.prepare)
    assert line.rate == 48_000
    library.devices = [FakeDevice("card", rates=None, default_rate=44_100)]
    await line.reopen(recorded.prepare)
    assert line.rate == 48_000
    await line.close()


async def test_a_stream_that_does_not_start_is_closed(
    make_line: Callable[..., DeviceLine], library: FakeSoundBackend, recorded: Recorded
) -> None:
    library.start_failures = [library.busy()]
    line = make_line()
    with pytest.raises(AudioUnavailable, match="Device unavailable"):
        await line.open(recorded.prepare)
    assert library.output.closed


def test_an_input_callback_that_fails_only_ends_the_stream(
    library: FakeSoundBackend, clock: FakeClock
) -> None:
    recorded = Recorded()
    recorded.error = ZeroDivisionError()
    sound = PortAudio(library)

    async def capture() -> None:
        line = DeviceLine(
            lambda: sound, "input", None, 24_000, callback=recorded, now=clock.now, patience=PATIENT
        )
        await line.open(recorded.prepare)
        library.input.feed(b"\x07\x00")
        assert not await line.alive()
        await line.close()

    anyio.run(capture)


# -- the real library


@pytest.mark.device
def test_the_virtual_card_is_listed(sound_card: VirtualSoundCard, start_program: Callable[..., Any]) -> None:
    facts = start_program(sound_card, "devices").next_report()
    assert {"speaker", "micfeed", "mic"} <= set(facts["names"])
    assert facts["default"] == ["default"]


@pytest.mark.device
@pytest.mark.slow
def test_ears_and_mouth_come_back_with_their_card(
    own_card: VirtualSoundCard, start_program: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "long.wav"
    write_wav(path, b"\0\x10" * 24_000 * 15, 24_000)
    program = start_program(own_card, "both_through_loss", path)
    assert program.next_report() == {"working": True}
    own_card.kill()
    own_card.plug_in()
    assert all(away_ms > 0 for away_ms in program.next_report()["away_ms"])


@pytest.mark.device
@pytest.mark.slow
def test_an_underrun_does_not_write_into_a_terminal(own_card: VirtualSoundCard, tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    write_wav(path, b"\0\x10" * 24_000 * 3, 24_000)
    ours, terminal = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("card_program.py")), "play", str(path)],
        env=own_card.env,
        stdout=subprocess.PIPE,
        stderr=terminal,
    )
    with program:
        time.sleep(1.5)
        program.send_signal(signal.SIGSTOP)  # as long as this, the device gets nothing
        time.sleep(0.6)
        program.send_signal(signal.SIGCONT)
        assert program.wait(15) == 0
    os.write(terminal, b"end")
    assert os.read(ours, 1_000) == b"end"
    os.close(ours)
    os.close(terminal)


@pytest.mark.device
def test_this_process_can_list_its_devices() -> None:
    if VirtualSoundCard.missing():
        pytest.skip("needs the PortAudio library")
    assert all(device.name for device in list_devices())


def test_the_fake_has_the_shape_of_the_real_library() -> None:
    sounddevice = pytest.importorskip("sounddevice", exc_type=(ImportError, OSError))  # type: ignore[arg-type]
    used = {name for name in SoundBackend.__dict__ if name in FakeSoundBackend.__dict__ or name == "default"}
    assert {"RawOutputStream", "query_devices", "_terminate", "default"} <= used
    assert [name for name in sorted(used) if name[:2] != "__" and not hasattr(sounddevice, name)] == []
