from __future__ import annotations

import os
import struct
import wave
from pathlib import Path

import pytest

from rtagent.audio import WavWriter, read_wav, write_wav
from rtagent.errors import AudioFileError

RAMP = struct.pack("<256h", *range(-32768, 32768, 256))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "ramp.wav"
    write_wav(path, RAMP, 22_050)
    wav = read_wav(path)
    assert (wav.rate, wav.channels, wav.duration_s) == (22_050, 1, 256 / 22_050)
    assert wav.mono_pcm16() == RAMP


def test_others_can_read_it(tmp_path: Path) -> None:
    write_wav(str(tmp_path / "stereo.wav"), RAMP, 8_000, channels=2)
    with wave.open(str(tmp_path / "stereo.wav")) as reader:
        assert reader.getparams()[:4] == (2, 2, 8_000, 128)
        assert reader.readframes(1000) == RAMP


def test_channels_are_mixed_by_their_mean(tmp_path: Path) -> None:
    write_wav(tmp_path / "stereo.wav", struct.pack("<4h", 1000, 3000, -30_000, -20_000), 8_000, 2)
    wav = read_wav(tmp_path / "stereo.wav")
    assert wav.samples.shape == (2, 2)
    assert struct.unpack("<2h", wav.mono_pcm16()) == (2000, -25_000)


def test_reading_names_the_file_and_the_reason(tmp_path: Path) -> None:
    secret = tmp_path / "song.mp3"
    secret.write_bytes(b"ID3" + bytes(40))
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF\0\0\0\0WAVE")
    loop = tmp_path / "loop.wav"
    loop.symlink_to(loop)
    for path, reason in [
        (tmp_path / "none.wav", "no such file"),
        (tmp_path, "directory"),
        (broken, "no fmt chunk"),
        (secret, "this is an MP3 file, not a WAV file"),
        (loop, os.strerror(40)),
    ]:
        with pytest.raises(AudioFileError, match=reason) as caught:
            read_wav(path)
        assert caught.value.path == str(path)


def test_the_file_can_be_read_while_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "growing.wav"
    with WavWriter(path, 8_000) as writer:
        writer.write(bytes(2 * 4_000))
        assert len(read_wav(path).samples) == 4_000  # the header tells nothing yet: all there is
        writer.write(bytes(2 * 5_000))
        assert path.read_bytes()[40:44] == struct.pack("<I", 18_000)
        writer.write(bytes(2 * 100))
        assert len(read_wav(path).samples) == 9_000
        assert writer.frames == 9_100
    assert len(read_wav(path).samples) == 9_100
    assert path.read_bytes()[4:8] == struct.pack("<I", path.stat().st_size - 8)


def test_silence_costs_no_writing(tmp_path: Path) -> None:
    path = tmp_path / "night.wav"
    with WavWriter(path, 8_000, channels=2) as writer:
        writer.write(RAMP)
        writer.write_silence(20_000_000)
        writer.write(RAMP)
    assert path.stat().st_size == 44 + 2 * len(RAMP) + 80_000_000
    assert path.stat().st_blocks * 512 < 1_000_000
    with path.open("rb") as file:
        assert file.read(44 + len(RAMP))[44:] == RAMP
        assert not any(file.read(1000))
        file.seek(-len(RAMP), os.SEEK_END)
        assert file.read() == RAMP


def test_a_writer_keeps_to_whole_frames(tmp_path: Path) -> None:
    with (
        WavWriter(tmp_path / "stereo.wav", 8_000, 2) as writer,
        pytest.raises(ValueError, match="6 bytes are not whole frames of 2 channels"),
    ):
        writer.write(bytes(6))


def test_a_closed_writer_says_so(tmp_path: Path) -> None:
    writer = WavWriter(tmp_path / "short.wav", 8_000)
    writer.close()
    writer.close()
    with pytest.raises(AudioFileError, match="after it had been closed"):
        writer.write(b"ab")
    with pytest.raises(AudioFileError, match="after it had been closed"):
        writer.write_silence(1)


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="no such file or directory"):
        WavWriter(tmp_path / "missing" / "x.wav", 8_000)
    with pytest.raises(AudioFileError, match="directory, not a file"):
        WavWriter(tmp_path, 8_000)
    if Path("/dev/full").exists():
        with pytest.raises(AudioFileError, match=os.strerror(28)):
            WavWriter("/dev/full", 8_000)


def test_a_pipe_cannot_take_a_file_with_silence(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        writer = WavWriter(pipe, 8_000)
        with pytest.raises(AudioFileError, match=os.strerror(29)):
            writer.write_silence(1)
        with pytest.raises(AudioFileError, match=os.strerror(29)):
            writer.close()
    finally:
        os.close(reader)


def test_a_header_beyond_four_gigabytes_still_means_all_there_is(tmp_path: Path) -> None:
    path = tmp_path / "week.wav"
    with WavWriter(path, 48_000) as writer:
        writer.write_silence(2_200_000_000)
    with path.open("rb") as file:
        assert file.read(44)[40:] == b"\xff\xff\xff\xff"
