"""Doubles for programs built on rtagent: a Realtime server, faults, scripts, clocks, devices, a sound card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from ._clock import FakeClock, LockstepClock
    from ._devices import FakeDevice, FakeSoundBackend, FakeStream
    from ._faults import (
        Close,
        Delay,
        Drop,
        Duplicate,
        Expire,
        Fault,
        HalfOpen,
        LateCancelError,
        LateTranscripts,
        Malformed,
        RateLimit,
        Refuse,
        Reorder,
        SilentTruncate,
        SlowRead,
        SlowWrite,
        TooBig,
    )
    from ._realtime_server import RealtimeServer
    from ._script import End, Expect, Pause, Send, UnexpectedFrame
    from ._scripted import ScriptedServer, default_session
    from ._server_connection import ServerConnection
    from ._sound_card import VirtualSoundCard
    from ._vendors import VendorServer

__all__ = (
    "Close",
    "Delay",
    "Drop",
    "Duplicate",
    "End",
    "Expect",
    "Expire",
    "FakeClock",
    "FakeDevice",
    "FakeSoundBackend",
    "FakeStream",
    "Fault",
    "HalfOpen",
    "LateCancelError",
    "LateTranscripts",
    "LockstepClock",
    "Malformed",
    "Pause",
    "RateLimit",
    "RealtimeServer",
    "Refuse",
    "Reorder",
    "ScriptedServer",
    "Send",
    "ServerConnection",
    "SilentTruncate",
    "SlowRead",
    "SlowWrite",
    "TooBig",
    "UnexpectedFrame",
    "VendorServer",
    "VirtualSoundCard",
    "default_session",
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Close": "._faults",
        "Delay": "._faults",
        "Drop": "._faults",
        "Duplicate": "._faults",
        "End": "._script",
        "Expect": "._script",
        "Expire": "._faults",
        "FakeClock": "._clock",
        "FakeDevice": "._devices",
        "FakeSoundBackend": "._devices",
        "FakeStream": "._devices",
        "Fault": "._faults",
        "HalfOpen": "._faults",
        "LateCancelError": "._faults",
        "LateTranscripts": "._faults",
        "LockstepClock": "._clock",
        "Malformed": "._faults",
        "Pause": "._script",
        "RateLimit": "._faults",
        "RealtimeServer": "._realtime_server",
        "Refuse": "._faults",
        "Reorder": "._faults",
        "ScriptedServer": "._scripted",
        "Send": "._script",
        "ServerConnection": "._server_connection",
        "SilentTruncate": "._faults",
        "SlowRead": "._faults",
        "SlowWrite": "._faults",
        "TooBig": "._faults",
        "UnexpectedFrame": "._script",
        "VendorServer": "._vendors",
        "VirtualSoundCard": "._sound_card",
        "default_session": "._scripted",
    },
)
