"""The user's audio on its way out: encoded, measured, dropped with a word, and kept flowing where time needs it."""

from __future__ import annotations

from itertools import count

import anyio
import pytest

from rtagent import events
from rtagent.errors import Unsupported
from rtagent.events.lifecycle import AudioDropped, LifecycleEvent
from rtagent.protocol import Opened, Resumable, SpokenBlock, core_for
from rtagent.session._input import InputAudio
from rtagent.session._wire import Wire
from rtagent.testing import FakeClock
from rtagent.transport import memory_pair

SECOND = bytes(48_000)


class Bench:
    """The input of a session of a dialect, and all that it touches."""

    def __init__(self, dialect: events.Dialect = events.GA) -> None:
        numbers = count(1)
        self.near, self.far = memory_pair()
        self.clock = FakeClock(50.0)
        self.wire = Wire()
        self.wire.connect()
        self.told: list[LifecycleEvent] = []
        core = core_for(dialect, new_id=lambda prefix: f"{prefix}_{next(numbers)}")
        self.core = core
        self.input = InputAudio(core, self.wire, self.clock, self.told.append)

    @property
    def resumption(self) -> Resumable:
        assert self.core.resumption is not None
        return self.core.resumption

    async def sent(self) -> list[bytes]:
        """What went out, as sound, once the wire has written what it has."""
        async with anyio.create_task_group() as group:
            group.start_soon(self.wire.run, self.near)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        frames = [events.decode_client(frame) for frame in self.far.waiting()]
        return [frame.pcm for frame in frames if isinstance(frame, events.InputAudioBufferAppend)]


async def test_sound_goes_out_and_nothing_is_sent_for_nothing() -> None:
    bench = Bench()
    assert bench.input.append(b"", 1.0) == 0.0
    assert bench.input.append(b"\1\0" * 480, 1.0) == 0.0
    assert bench.wire.statistics().audio_waiting_ms == 20.0
    assert await bench.sent() == [b"\1\0" * 480]


def test_what_the_network_cannot_take_is_dropped_and_told() -> None:
    bench = Bench()
    assert [bench.input.append(SECOND, 0.0) for _ in range(6)] == [0.0] * 5 + [1000.0]
    assert bench.told == [AudioDropped(at=50.0, ms=1000.0, reason="the network is too slow")]


async def test_after_the_end_nothing_goes_out() -> None:
    bench = Bench()
    bench.input.end()
    assert bench.input.append(SECOND, 0.0) == 0.0
    assert await bench.sent() == []


def test_where_the_sound_is_carried_elsewhere_it_is_refused() -> None:
    bench = Bench(events.LIVE_SIDEBAND)
    with pytest.raises(Unsupported, match="input audio"):
        bench.input.check_taken()
    with pytest.raises(Unsupported, match="carried elsewhere"):
        bench.input.append(SECOND, 0.0)


@pytest.mark.parametrize(("dialect", "blocks"), [(events.GA, 0), (events.LIVE, 5)])
async def test_silence_flows_only_where_time_stands_still_without_it(
    dialect: events.Dialect, blocks: int
) -> None:
    bench = Bench(dialect)
    async with anyio.create_task_group() as group:
        bench.input.keep_flowing(group)
        await bench.clock.advance(0.55)
        group.cancel_scope.cancel()
    assert bench.wire.statistics().audio_waiting_ms == blocks * 100.0


async def test_sound_of_the_program_takes_the_place_of_silence() -> None:
    bench = Bench(events.LIVE)
    async with anyio.create_task_group() as group:
        bench.input.keep_flowing(group)
        for _ in range(10):
            bench.input.append(SECOND[:4_800], bench.clock.now())
            await bench.clock.advance(0.05)
        group.cancel_scope.cancel()
    assert bench.wire.statistics().audio_waiting_ms == 1_000.0


async def test_what_is_said_again_is_never_dropped_and_counts_as_said() -> None:
    bench = Bench()
    bench.resumption.keep_speech(30_000.0, 0.0)
    for number in range(10):
        bench.input.repeat(SpokenBlock(SECOND, at=float(number), start_ms=number * 1_000.0, ms=1_000.0))
    assert bench.told == []
    assert len(await bench.sent()) == 10
    bench.resumption.lost(10.0)
    # Nobody is known to speak: of all that was written only the last moment is kept.
    again = bench.resumption.connected(Opened(), 10.0, seamless=True)
    assert [block.at for block in again.blocks] == [9.0]
    assert again.blocks[0].pcm == SECOND


async def test_without_a_connection_sound_is_kept_and_not_queued() -> None:
    bench = Bench()
    bench.resumption.keep_speech(30_000.0, 0.0)
    bench.wire.disconnect()
    bench.resumption.lost(50.0)
    assert [bench.input.append(SECOND, 0.0) for _ in range(10)] == [0.0] * 10
    assert bench.told == []
    assert await bench.sent() == []
