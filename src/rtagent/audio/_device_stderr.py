"""Keeping the sound library's own messages off the terminal."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress

__all__ = ("quiet_alsa", "quiet_stderr")

_STDERR = 2
_ALSA = "libasound.so.2"


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


def quiet_alsa(library: str = _ALSA) -> None:
    """Let ALSA keep to itself what it would print in this process, such as each underrun of a running stream.

    Nothing happens where there is no ALSA.

    Args:
        library: ALSA's own library, which PortAudio has loaded.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        # The handler is called from the device's thread, also while the interpreter ends. So it is no function
        # of Python's but one of the C library that does nothing, and whose caller passes its arguments
        # in registers and removes them itself, however many there are.
        does_nothing = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p)
        ctypes.CDLL(library).snd_lib_error_set_handler(does_nothing)
