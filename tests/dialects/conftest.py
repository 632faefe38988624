"""Conversations with the vendors' servers: who plays them, and what hears the answers."""

from __future__ import annotations

import math
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol

import anyio
import pytest
from anyio.lowlevel import checkpoint

import rtagent
from rtagent import Agent, Endpoint, events
from rtagent.audio import AudioFormat, Heard, PlaybackItem
from rtagent.session import Session
from rtagent.testing import VendorServer
from rtagent.transport import memory_pair

BOUND_S = 8.0
"""No scene may take longer: what hangs fails here, and says where."""

Way = Literal["memory", "socket"]


class Mouth:
    """A sink that keeps all it is given, and of each item has been heard half until it may go on."""

    format = AudioFormat.pcm16(24_000)

    def __init__(self, *, holds: bool = False) -> None:
        self.played: dict[str, bytearray] = {}
        self.stops = 0
        self._waiting: dict[str, None] = {}
        self._over = anyio.Event()
        if not holds:
            self.let_go()

    @property
    def ms(self) -> float:
        """All that was played so far."""
        return sum(self.format.ms_of(len(pcm)) for pcm in self.played.values())

    def let_go(self) -> None:
        """From now on everything is heard as it is played."""
        self._over.set()

    def play(self, item: PlaybackItem, pcm: bytes) -> None:
        self.played.setdefault(item.item_id, bytearray()).extend(pcm)
        self._waiting[item.item_id] = None

    def stop(self) -> Heard:
        self.stops += 1
        heard = self.heard()
        self._waiting.clear()
        return heard

    def heard(self) -> Heard:
        share = 1.0 if self._over.is_set() else 0.5
        return Heard({name: self.format.ms_of(len(self.played[name])) * share for name in self._waiting})

    async def wait_drained(self) -> None:
        await self._over.wait()


@dataclass
class Scene:
    """One conversation: the vendor's server, and the session with it."""

    server: VendorServer
    session: Session

    def speech(self, ms: int, value: int = 900) -> bytes:
        """That much of somebody's voice, or with ``value=0`` of silence, in the session's own input format."""
        form = self.session._pump.core.effective.input_format
        return value.to_bytes(2, "little") * (form.bytes_of(ms) // 2)

    async def until(self, happened: Callable[[], bool]) -> None:
        """Let everybody go on until it has happened; the scene's own bound ends it."""
        while not happened():
            await checkpoint()


class Talk(Protocol):
    def __call__(
        self, profile: str, agent: Agent | None = ..., *, way: Way = ..., **options: Any
    ) -> AbstractAsyncContextManager[Scene]: ...


@asynccontextmanager
async def _session(
    server: VendorServer, profile: str, agent: Agent | None, way: Way, wishes: dict[str, Any]
) -> AsyncIterator[Session]:
    if way == "socket":
        async with server.run_websocket() as url:
            endpoint = Endpoint.url(url, api_key="a-key", profile=profile)
            async with rtagent.connect(agent, endpoint=endpoint, **wishes) as session:
                yield session
        return
    ours, theirs = memory_pair()
    failure: Exception | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve, theirs)
        try:
            async with Session(ours, agent, dialect=events.PROFILES[profile], **wishes) as session:
                yield session
        except Exception as error:  # noqa: BLE001 - raised below as it is, not inside a group
            failure = error
            group.cancel_scope.cancel()
    if failure is not None:
        raise failure


@asynccontextmanager
async def _talk(
    profile: str,
    agent: Agent | None = None,
    *,
    way: Way = "memory",
    config: events.WireModel | None = None,
    model: str | None = None,
    **options: Any,
) -> AsyncIterator[Scene]:
    server = VendorServer(profile, **options)
    wishes = {"config": config, "model": model}
    with anyio.fail_after(BOUND_S):
        async with _session(server, profile, agent, way, wishes) as session:
            yield Scene(server, session)
    assert server.faults == []
    assert [code for code, _ in server.ends] == [1000]


@pytest.fixture
def talk() -> Talk:
    """Opens a conversation with a vendor's server; at its end the server must have nothing to object to."""
    return partial(_talk)


@pytest.fixture
def mouth() -> Mouth:
    """Hears everything at once."""
    return Mouth()


@pytest.fixture
def slow_mouth() -> Mouth:
    """Has heard half of everything."""
    return Mouth(holds=True)


@pytest.fixture
def voice() -> bytes:
    """600 ms of somebody's voice and 500 ms of silence, PCM16 at 24 kHz."""
    tone = array("h", (round(9_000 * math.sin(0.11 * n)) for n in range(14_400)))
    return tone.tobytes() + bytes(24_000)
