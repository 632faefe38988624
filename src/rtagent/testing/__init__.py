"""Doubles for programs built on rtagent: a scripted server, clocks, devices, a virtual sound card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from ._clock import FakeClock, LockstepClock
    from ._devices import FakeDevice, FakeSoundBackend, FakeStream
    from ._scripted import ScriptedServer, UnexpectedFrame, default_session
    from ._sound_card import VirtualSoundCard
    from ._vendors import VendorServer

__all__ = (
    "FakeClock",
    "FakeDevice",
    "FakeSoundBackend",
    "FakeStream",
    "LockstepClock",
    "ScriptedServer",
    "UnexpectedFrame",
    "VendorServer",
    "VirtualSoundCard",
    "default_session",
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "FakeClock": "._clock",
        "FakeDevice": "._devices",
        "FakeSoundBackend": "._devices",
        "FakeStream": "._devices",
        "LockstepClock": "._clock",
        "ScriptedServer": "._scripted",
        "UnexpectedFrame": "._scripted",
        "VendorServer": "._vendors",
        "VirtualSoundCard": "._sound_card",
        "default_session": "._scripted",
    },
)
