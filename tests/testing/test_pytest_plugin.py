"""The fixture, as a project that uses rtagent has it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import rtagent

pytestmark = pytest.mark.timeout(60)

AUTO = "asyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
IMPORTS = """
import pytest
from rtagent.session import Session
from rtagent.testing import Drop, End, Expect, RealtimeServer, Send
"""


class Results:
    """What came of the tests of a run."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []
        self.text = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.failed:
            self.outcomes.append(report.outcome if report.when == "call" else f"error in {report.when}")
            self.text += report.longreprtext


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run pytest in this process with the plugin, and with pytest-asyncio or anyio's own."""

    def runs(body: str, *, ini: str = AUTO, plugin: str = "pytest_asyncio.plugin") -> Results:
        settings, tests = tmp_path / "pytest.ini", tmp_path / f"test_{tmp_path.name}.py"
        settings.write_text(f"[pytest]\nfilterwarnings = error\naddopts = --strict-markers\n{ini}")
        tests.write_text(IMPORTS + body)
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        loaded = ("-p", plugin, "-p", "rtagent.testing._pytest_plugin")
        kept_out = ("-p", "no:cacheprovider", "-p", "no:faulthandler", "--import-mode=importlib")
        results = Results()
        pytest.main(["-c", str(settings), *loaded, *kept_out, str(tests)], plugins=[results])
        return results

    return runs


def test_a_server_that_is_started_for_a_test(run) -> None:
    results = run("""
async def test_it(realtime_server):
    assert isinstance(realtime_server, RealtimeServer)
    assert realtime_server.url.startswith("ws://127.0.0.1:")
""")
    assert results.outcomes == ["passed"], results.text


def test_the_marker_says_what_it_is_made_with(run) -> None:
    results = run("""
@pytest.mark.realtime_server("xai", transcripts=["good morning"], faults=[Drop(on="x")], over="memory")
async def test_it(realtime_server):
    assert realtime_server.profile == "xai"
    assert realtime_server.undone == [Drop(on="x")]
    transport = await realtime_server.dial()
    assert "session.created" in await transport.receive()
""")
    assert results.outcomes == ["passed"], results.text


SCRIPTED = """
@pytest.mark.realtime_server(over="memory", script=[Expect("response.create"), End()])
async def test_it(realtime_server):
    transport = await realtime_server.dial()
"""


def test_a_script_that_is_not_finished_is_an_error_of_a_test_that_passed(run) -> None:
    results = run(SCRIPTED)
    assert results.outcomes == ["passed", "error in teardown"]
    assert "UnexpectedFrame: connection 1: step 1 of 2, Expect" in results.text


def test_a_test_that_failed_has_said_what_there_is_to_say(run) -> None:
    results = run(SCRIPTED + "    assert not 'this'")
    assert results.outcomes == ["failed"]
    assert "UnexpectedFrame" not in results.text


def test_a_script_that_was_finished(run) -> None:
    results = run(
        SCRIPTED
        + """
    await transport.send('{"type": "response.create"}')
    assert await realtime_server.current.wait_ended() == (1000, "")
"""
    )
    assert results.outcomes == ["passed"], results.text


def test_arguments_that_make_no_server(run) -> None:
    results = run("""
@pytest.mark.realtime_server("nobody")
async def test_it(realtime_server):
    pass
""")
    assert results.outcomes == ["error in setup"]
    assert "no server of 'nobody' is known" in results.text


def test_a_server_that_cannot_start_says_why(run) -> None:
    results = run("""
@pytest.fixture(autouse=True)
def no_port(monkeypatch):
    def listening(*_):
        raise OSError("no port is left")
    monkeypatch.setattr("rtagent.testing._realtime_server.listening", listening)

async def test_it(realtime_server):
    pass
""")
    assert results.outcomes == ["error in setup"]
    assert "no port is left" in results.text


def test_anyios_plugin_runs_it_too(run) -> None:
    results = run(
        """
@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
@pytest.mark.realtime_server(over="memory")
async def test_it(realtime_server):
    async with Session(await realtime_server.dial()) as session:
        assert (await session.respond(timeout=5)).status == "completed"
""",
        ini="",
        plugin="anyio.pytest_plugin",
    )
    assert results.outcomes == ["passed"], results.text


def test_loading_it_loads_no_room() -> None:
    program = """
import sys, rtagent.testing._pytest_plugin
rooms = {name for name in sys.modules if name.startswith("rtagent.") and "testing" not in name}
print(sorted(rooms))
print(sorted({"anyio", "numpy", "pydantic", "websockets"} & set(sys.modules)))
"""
    source = str(Path(rtagent.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": source}
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment
    )
    assert finished.stdout.splitlines() == ["['rtagent._lazy']", "[]"], finished.stderr
