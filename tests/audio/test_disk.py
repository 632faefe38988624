from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rtagent.audio import _disk as module
from rtagent.audio._disk import errors_of, read_whole
from rtagent.errors import AudioFileError


def test_all_bytes_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert read_whole(tmp_path / "x") == read_whole(str(tmp_path / "x")) == b"abc"


def test_all_bytes_of_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    program = f"open({str(tmp_path / 'pipe')!r}, 'wb').write(bytes(3_000_000))"
    with subprocess.Popen([sys.executable, "-c", program]):
        assert read_whole(tmp_path / "pipe") == bytes(3_000_000)


def test_the_systems_errors_are_told_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    cases: list[tuple[str | Path, str]] = [
        (tmp_path / "none", "no such file"),
        (tmp_path, "directory, not a file"),
        (tmp_path / "loop", os.strerror(40)),
        ("a\0b", "no file has such a name"),
    ]
    for path, reason in cases:
        with pytest.raises(AudioFileError, match=reason) as caught:
            read_whole(path)
        assert caught.value.path == str(path)
    with pytest.raises(AudioFileError, match="made up"), errors_of("x"):
        raise OSError("made up")


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(2**33)
    with pytest.raises(AudioFileError, match="larger than the 4 GiB"):
        read_whole(tmp_path / "huge")


def test_what_has_no_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 2**22)
    with pytest.raises(AudioFileError, match="larger than"):
        read_whole("/dev/zero")
