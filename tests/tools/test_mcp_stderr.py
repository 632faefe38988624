from __future__ import annotations

import asyncio
import sys

import pytest

from rtagent.tools._mcp_stderr import StderrTail


async def written_by_a_process(tail: StderrTail, program: str) -> None:
    with tail.receiving() as file:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stderr=file)
        await process.wait()


async def test_what_a_process_writes_is_kept() -> None:
    tail = StderrTail()
    await written_by_a_process(tail, "import sys; sys.stderr.write('over here\\n')")
    assert tail.text() == "over here"
    await written_by_a_process(tail, "import sys; sys.stderr.write('again\\n')")
    assert tail.text() == "over here\nagain"


async def test_the_newest_whole_lines_are_kept() -> None:
    tail = StderrTail()
    program = "import sys; [sys.stderr.write(f'line {n}\\n') for n in range(20000)]"
    await written_by_a_process(tail, program)
    lines = tail.text().splitlines()
    assert 1000 < len(lines) <= 16 * 1024 // len("line 10000\n")
    assert lines == [f"line {n}" for n in range(20000 - len(lines), 20000)]


async def test_bytes_that_are_no_text_do_no_harm() -> None:
    tail = StderrTail()
    await written_by_a_process(tail, r"import os; os.write(2, b'\xff\xfe broken')")
    assert tail.text().endswith("broken")


async def test_nothing_said_is_no_text() -> None:
    tail = StderrTail()
    await written_by_a_process(tail, "")
    assert tail.text() == ""


async def test_a_loop_that_cannot_watch_pipes_leaves_it_to_our_own_standard_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def add_reader(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(asyncio.get_running_loop(), "add_reader", add_reader)
    with StderrTail().receiving() as file:
        assert file is sys.stderr


async def test_a_descendant_that_lives_on_holds_nothing_up() -> None:
    tail = StderrTail()
    with tail.receiving() as file:
        program = "import sys; sys.stderr.write('hi'); sys.stderr.flush(); sys.stdin.read()"
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdin=asyncio.subprocess.PIPE, stderr=file
        )
        while tail.text() != "hi":  # noqa: ASYNC110 - the tail tells nobody
            await asyncio.sleep(0)
    assert child.returncode is None
    await child.communicate(b"")
    assert tail.text() == "hi"
