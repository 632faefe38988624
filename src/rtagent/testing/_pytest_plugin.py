"""The pytest plugin: a ``realtime_server`` fixture, and a marker for its arguments.

It is loaded by every pytest run where rtagent is installed, so it loads nothing itself: the server comes
with the first test that asks for it. The fixture is an ordinary async one. Whoever runs async fixtures
runs it: pytest-asyncio in auto mode, or anyio's plugin with its asyncio backend.

PYTEST_DONT_REWRITE (it asserts nothing, and may have been imported before)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from . import RealtimeServer

__all__ = ("pytest_configure", "pytest_runtest_makereport", "realtime_server")

MARKER = "realtime_server(**arguments): what the fixture realtime_server is made with; see RealtimeServer"
_PASSED = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember which tests have passed."""
    report = yield
    if call.when == "call":
        item.stash[_PASSED] = report.passed
    return report


@pytest.fixture
async def realtime_server(request: pytest.FixtureRequest) -> AsyncGenerator[RealtimeServer]:
    """A ``rtagent.testing.RealtimeServer`` that has been started.

    ``@pytest.mark.realtime_server(transcripts=[...], faults=[...])`` says what it is made with. After a
    test that passed, what its script did not expect, or what is left of it, is an error of the test.
    """
    from . import RealtimeServer, UnexpectedFrame

    marker = cast("pytest.Item", request.node).get_closest_marker("realtime_server")
    server = RealtimeServer() if marker is None else RealtimeServer(*marker.args, **marker.kwargs)
    started, over = asyncio.Event(), asyncio.Event()

    async def run() -> None:
        async with server:
            started.set()
            await over.wait()

    # A block has to be entered and left by one task, and pytest-asyncio sets up and tears down in two.
    running = asyncio.get_running_loop().create_task(run())
    waiting = asyncio.get_running_loop().create_task(started.wait())
    await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        waiting.cancel()
        await running  # raises why it could not start
    yield server
    over.set()
    try:
        await running
    except UnexpectedFrame:
        if cast("pytest.Item", request.node).stash.get(_PASSED, False):
            raise
