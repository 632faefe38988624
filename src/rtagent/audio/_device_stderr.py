"""Keeping the sound library's own messages off the terminal."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ("quiet_stderr",)

_STDERR = 2


@contextmanager
def quiet_stderr() -> Generator[None]:
    """Send file descriptor 2 nowhere for a moment.

    ALSA and PortAudio print there when they open and close devices, which ruins a terminal interface. The
    descriptor belongs to the whole process, so this is for these moments only, and for one thread at a time.
    """
    try:
        saved = os.dup(_STDERR)
    except OSError:  # a daemon may have no stderr at all
        yield
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDERR)
        os.close(nowhere)
        yield
    finally:
        os.dup2(saved, _STDERR)
        os.close(saved)
