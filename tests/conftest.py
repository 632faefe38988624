"""Settings that every test shares."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import HealthCheck, settings

# A busy machine is no fault of an example. CI repeats its examples; every other run looks for new ones.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """No code of ours may block the event loop: a blocking call in a coroutine raises."""
    with blockbuster_ctx("rtagent") as watch:
        for name in ("threading.Lock.acquire", "threading.Lock.acquire_lock"):
            # Where coverage traces several threads it guards its own record; that lock is not ours.
            watch.functions[name].can_block_in("coverage/collector.py", "lock_data")
        yield watch
