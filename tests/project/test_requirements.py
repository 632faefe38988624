"""The pins: complete for what pyproject.toml declares, exact, and free of addresses."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.pin_requirements import LAYERS, wanted, with_markers

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PIN = re.compile(r"[a-z0-9.-]+==[0-9][0-9a-z.]*( ; (python_version|sys_platform) .+)?")


def pins(layer: str) -> list[str]:
    lines = (ROOT / "requirements" / f"{layer}.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def versions(layer: str, python: str) -> dict[str, str]:
    """What a layer installs on one Python: the version of each name."""
    requirements = [Requirement(pin) for pin in pins(layer)]
    chosen = [
        requirement
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python})
    ]
    assert len({requirement.name for requirement in chosen}) == len(chosen), "pinned twice"
    return {canonicalize_name(requirement.name): str(requirement.specifier)[2:] for requirement in chosen}


@pytest.mark.parametrize("layer", LAYERS)
def test_every_line_is_a_name_and_a_version(layer: str) -> None:
    assert [line for line in pins(layer) if not PIN.fullmatch(line)] == []


@pytest.mark.parametrize("layer", LAYERS)
def test_no_file_names_an_address(layer: str) -> None:
    text = (ROOT / "requirements" / f"{layer}.txt").read_text()
    assert not re.search(r"://|--|^-|sha256|file:", text, re.MULTILINE)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("layer", LAYERS)
def test_what_is_declared_is_pinned_within_its_bounds(layer: str, python: str) -> None:
    pinned = versions(layer, python)
    for declared in map(Requirement, wanted(layer, PYPROJECT)):
        if declared.marker is not None and not declared.marker.evaluate({"python_version": python}):
            continue
        assert declared.specifier.contains(pinned[canonicalize_name(declared.name)]), declared


@pytest.mark.parametrize("python", PYTHONS)
def test_layers_agree_on_what_they_share(python: str) -> None:
    agreed: dict[str, str] = {}
    for layer in LAYERS:
        for name, version in versions(layer, python).items():
            assert agreed.setdefault(name, version) == version, f"{name} in {layer}"


def test_a_pin_without_wheels_for_one_python_is_split() -> None:
    assert with_markers("pocketsphinx==9.9") == [
        'pocketsphinx==9.9 ; python_version != "3.12"',
        'pocketsphinx==5.0.4 ; python_version == "3.12"',
    ]
    assert with_markers("anyio==4.16.0") == ["anyio==4.16.0"]
