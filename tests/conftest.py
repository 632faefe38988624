"""Settings that every test shares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """No code of ours may block the event loop: a blocking call in a coroutine raises."""
    with blockbuster_ctx("rtagent") as watch:
        yield watch
