from __future__ import annotations

import io

import pytest

from rtagent.cli._meter import Terminal, bar, dbfs


@pytest.mark.parametrize(
    ("amplitude", "level"), [(1.0, 0.0), (0.5, -6.02), (0.001, -60.0), (0.0, -100.0), (1e-9, -100.0)]
)
def test_decibels(amplitude, level):
    assert dbfs(amplitude) == pytest.approx(level, abs=0.01)


@pytest.mark.parametrize(
    ("amplitude", "drawn"),
    [
        (0.0, "[          ]"),
        (0.001, "[          ]"),
        (0.0317, "[#####     ]"),
        (1.0, "[##########]"),
        (2.0, "[##########]"),
    ],
)
def test_bar(amplitude, drawn):
    assert bar(amplitude, 10) == drawn


def shown(written: str) -> list[str]:
    """What stands on the screen after that was written to it: carriage returns go back, spaces overwrite."""
    lines = []
    for line in written.split("\n"):
        cells: list[str] = []
        for part in line.split("\r"):
            cells[: len(part)] = part
        lines.append("".join(cells).rstrip())
    return lines


async def test_the_status_line_stays_below_the_lines():
    out = io.StringIO()
    terminal = Terminal(out, live=True, width=lambda: 80)

    await terminal.status("[##] a long status")
    await terminal.line("one")
    await terminal.status("[# ] short")
    await terminal.line("two")

    assert shown(out.getvalue()) == ["one", "two", "[# ] short"]
    terminal.clear()
    assert shown(out.getvalue()) == ["one", "two", ""]


async def test_the_status_line_never_wraps():
    out = io.StringIO()
    terminal = Terminal(out, live=True, width=lambda: 10)
    await terminal.status("0123456789abc")
    assert out.getvalue() == "012345678"


async def test_an_unchanged_status_is_not_drawn_again():
    out = io.StringIO()
    terminal = Terminal(out, live=True, width=lambda: 80)
    await terminal.status("same")
    await terminal.status("same")
    assert out.getvalue() == "same"


async def test_without_somebody_who_watches_there_are_only_lines():
    out = io.StringIO()
    terminal = Terminal(out, live=False)
    await terminal.status("[##]")
    await terminal.line("one")
    terminal.clear()
    assert out.getvalue() == "one\n"
