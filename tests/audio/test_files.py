from __future__ import annotations

import io
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rtagent.audio import _files as module
from rtagent.audio import read_audio, write_wav
from rtagent.errors import AudioFileError

FLAC = b"fLaC" + bytes(40)
MP3 = b"\xff\xfb\x90\x64" + bytes(40)
TONE = (0.3 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)).astype(np.float32)


class FakeError(RuntimeError):
    error_string = "lost sync."


class FakeFile:
    """What ``soundfile.SoundFile`` does, for bytes that are no audio."""

    samplerate = 8_000
    channels = 2
    frames = 5
    content: NDArray[np.float32] = np.full((5, 2), 0.5, np.float32)

    def __init__(self, file: io.BytesIO) -> None:
        self.raw = file.read()
        self.rest = self.content

    def __enter__(self) -> FakeFile:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, frames: int, dtype: str, *, always_2d: bool) -> NDArray[np.float32]:
        assert (dtype, always_2d) == ("float32", True)
        block, self.rest = self.rest[:frames], self.rest[frames:]
        return block


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> type[FakeFile]:
    """The package, whose next file is described by the class's fields."""

    class File(FakeFile):
        pass

    package: Any = ModuleType("soundfile")
    package.SoundFile, package.SoundFileError = File, FakeError
    monkeypatch.setitem(sys.modules, "soundfile", package)
    return File


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "voice.wav"  # whatever it is
    path.write_bytes(FLAC)
    return path


def test_wav_needs_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    write_wav(tmp_path / "x.mp3", b"\0\x40\0\xe0", 8_000)
    clip = read_audio(tmp_path / "x.mp3")
    assert (clip.rate, clip.samples.tolist()) == (8_000, [[0.5], [-0.25]])


@pytest.mark.parametrize(("raw", "kind"), [(FLAC, "a FLAC"), (MP3, "an MP3")])
def test_a_missing_package_is_named_with_the_file_and_its_kind(
    path: Path, monkeypatch: pytest.MonkeyPatch, raw: bytes, kind: str
) -> None:
    path.write_bytes(raw)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(AudioFileError) as caught:
        read_audio(path)
    assert str(caught.value) == (
        f"{path}: this is {kind} file, and reading it needs the package soundfile: pip install 'rtagent[files]'"
    )


def test_a_package_without_its_library(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library(_: str) -> None:
        raise OSError("sndfile library not found")

    monkeypatch.setattr(module, "import_module", no_library)
    with pytest.raises(AudioFileError, match=r"a FLAC file.*libsndfile \(sndfile library not found\)"):
        read_audio(path)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "the file is empty"),
        (b"hello", "does not begin like any file that is read: WAV, FLAC, MP3, Ogg Vorbis, Ogg Opus"),
        (b"\0\0\0\x20ftypM4A " + bytes(40), "an MP4 or M4A file, which is not read: convert it"),
        (b"FORM\0\0\0\0AIFF" + bytes(40), "an AIFF file"),
        (b"RIFF\0\0\0\0WAVE", "no fmt chunk"),
    ],
)
def test_what_is_not_read(path: Path, raw: bytes, reason: str) -> None:
    path.write_bytes(raw)
    with pytest.raises(AudioFileError, match=reason):
        read_audio(path)


@pytest.mark.usefixtures("library")
def test_the_library_decodes_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SAMPLES_AT_ONCE", 6)
    clip = read_audio(path)
    assert (clip.rate, clip.channels, clip.samples.tolist()) == (8_000, 2, [[0.5, 0.5]] * 5)


def test_samples_that_are_not_numbers_are_silent(path: Path, library: type[FakeFile]) -> None:
    library.content = np.array([[np.nan, np.inf], [0.5, 0.5]], np.float32)
    library.frames = 2
    clip = read_audio(path)
    assert clip.samples.tolist() == [[0, 0], [0.5, 0.5]]
    assert clip.repaired_samples == 2


def test_a_file_of_nothing(path: Path, library: type[FakeFile]) -> None:
    library.content = library.content[:0]
    with pytest.raises(AudioFileError, match="holds no audio"):
        read_audio(path)


def test_a_claim_is_not_believed(path: Path, library: type[FakeFile]) -> None:
    library.frames = 2**60
    with pytest.raises(AudioFileError, match="truncated: 5 of 1152921504606846976 frames"):
        read_audio(path)
    path.write_bytes(MP3)
    assert len(read_audio(path).samples) == 5


def test_a_rate_that_makes_no_sense(path: Path, library: type[FakeFile]) -> None:
    library.samplerate = 1
    with pytest.raises(AudioFileError, match="rate of 1 Hz"):
        read_audio(path)


@pytest.mark.usefixtures("library")
def test_a_small_file_may_hold_too_much(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_SAMPLES", 9)
    with pytest.raises(AudioFileError, match="cut it into pieces"):
        read_audio(path)


@pytest.mark.parametrize(
    ("error", "reason"), [(FakeError(), "lost sync"), (ValueError("negative dimensions"), "make no sense")]
)
def test_damage_that_the_library_finds(
    path: Path, library: type[FakeFile], error: Exception, reason: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    library.read = broken  # type: ignore[assignment]
    with pytest.raises(AudioFileError, match=f"its FLAC audio is damaged: .*{reason}"):
        read_audio(path)


@pytest.mark.parametrize(
    ("kind", "codec", "error"),
    [
        ("FLAC", "PCM_16", 1e-4),
        ("MP3", "MPEG_LAYER_III", 0.03),
        ("OGG", "VORBIS", 0.03),
        ("OGG", "OPUS", 0.03),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_the_real_library_reads_them(
    tmp_path: Path, kind: str, codec: str, error: float, channels: int
) -> None:
    soundfile = pytest.importorskip("soundfile", exc_type=ImportError)
    path = tmp_path / "no ending"
    soundfile.write(path, np.stack([TONE] * channels, axis=1), 48_000, format=kind, subtype=codec)
    clip = read_audio(path)
    assert (clip.rate, clip.channels, len(clip.samples)) == (48_000, channels, 48_000)
    assert np.abs(clip.samples[2_000:-2_000, 0] - TONE[2_000:-2_000]).max() < error
    raw = path.read_bytes()
    path.write_bytes(raw[:60])
    with pytest.raises(AudioFileError, match="is damaged"):
        read_audio(path)
