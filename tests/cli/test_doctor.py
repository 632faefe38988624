from __future__ import annotations

import json

import pytest

from rtagent.cli import _checks, main
from rtagent.cli._checks import Check

FINE = Check(name="python", status="ok", detail="3.13", core=True)
NO_EARS = Check(name="ears", status="missing", detail="no pocketsphinx", remedy="install it")
NO_NUMPY = Check(name="numpy", status="missing", detail="no numpy", remedy="reinstall", core=True)


@pytest.fixture
def found(monkeypatch):
    """Let a machine be in this state."""
    return lambda *checks: monkeypatch.setattr(_checks, "examine", lambda: iter(checks))


def test_a_line_for_each_part(found, capsys):
    found(FINE, NO_EARS)
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.splitlines() == [str(FINE), str(NO_EARS)]


@pytest.mark.parametrize(("checks", "code"), [((FINE,), 0), ((FINE, NO_EARS), 0), ((FINE, NO_NUMPY), 1)])
def test_only_the_core_decides(checks, code, found):
    found(*checks)
    assert main(["doctor"]) == code


def test_json_for_programs(found, capsys):
    found(FINE, NO_EARS)
    assert main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[1] == {
        "name": "ears",
        "status": "missing",
        "detail": "no pocketsphinx",
        "remedy": "install it",
        "core": False,
    }
