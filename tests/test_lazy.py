"""Packages whose names are loaded when they are first used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

PACKAGE = "lazily_made_for_a_test"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A package with a class in one module, a whole submodule, and a home that lacks its name."""
    folder = tmp_path / PACKAGE
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from rtagent._lazy import lazily\n"
        "here = 1\n"
        "homes = {'Thing': '._thing', 'tools': '.tools', 'Missing': '._thing'}\n"
        "__getattr__, __dir__ = lazily(__name__, homes)\n"
    )
    (folder / "_thing.py").write_text("class Thing: ...\n")
    (folder / "tools.py").write_text("tools = 'not the module'\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module(PACKAGE)
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def loaded(package: ModuleType) -> set[str]:
    return {name.removeprefix(f"{PACKAGE}.") for name in sys.modules if name.startswith(f"{PACKAGE}.")}


def test_nothing_is_loaded_before_it_is_used(package: ModuleType) -> None:
    assert loaded(package) == set()
    assert package.Thing.__name__ == "Thing"
    assert loaded(package) == {"_thing"}


def test_a_name_is_looked_up_once(package: ModuleType) -> None:
    assert "Thing" not in vars(package)
    assert package.Thing is vars(package)["Thing"]


def test_a_home_of_the_same_name_is_the_submodule_itself(package: ModuleType) -> None:
    assert package.tools is sys.modules[f"{PACKAGE}.tools"]


def test_a_name_without_a_home_is_no_attribute(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match=f"module '{PACKAGE}' has no attribute 'nothing'"):
        _ = package.nothing
    with pytest.raises(AttributeError):
        _ = package.Missing


def test_all_names_are_listed_whether_loaded_or_not(package: ModuleType) -> None:
    assert {"Thing", "tools", "here", "__name__"} <= set(dir(package))
    assert dir(package) == sorted(dir(package))
    assert loaded(package) == set()
