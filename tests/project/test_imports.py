"""The public doors: light to import, and honest about what is behind them."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

import rtagent

HEAVY = ("espeakng_loader", "httpx", "numpy", "pocketsphinx", "sounddevice", "websockets")


def public_modules() -> dict[str, bool]:
    """Every module that a program may import, by name, and whether it is a package.

    Public is what has no underscore at the front of any part of its name.
    """
    found = pkgutil.walk_packages(rtagent.__path__, prefix="rtagent.")
    modules = {"rtagent": True} | {module.name: module.ispkg for module in found}
    return {name: package for name, package in modules.items() if "._" not in name}


DOORS = [name for name, is_package in public_modules().items() if is_package]
"""The doors alone: a single module may load what it is for."""


@pytest.mark.parametrize("door", DOORS)
def test_importing_a_door_loads_nothing_heavy(door: str) -> None:
    program = f"import sys, {door}; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == []


def test_the_core_loads_nothing_heavy() -> None:
    program = (
        "import sys; from rtagent.protocol import Conversation;"
        "Conversation(new_id=lambda prefix: prefix);"
        f"print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == []


@pytest.mark.parametrize("name", public_modules())
def test_a_public_module_lists_its_names_once(name: str) -> None:
    listed = importlib.import_module(name).__all__  # their order is held by the linter
    assert isinstance(listed, tuple)
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("name", public_modules())
def test_every_listed_name_resolves(name: str) -> None:
    module = importlib.import_module(name)
    assert [listed for listed in module.__all__ if not hasattr(module, listed)] == []


@pytest.mark.parametrize("name", public_modules())
def test_a_listed_name_is_seen_by_dir(name: str) -> None:
    module = importlib.import_module(name)
    assert set(module.__all__) <= set(dir(module))
