from __future__ import annotations

import subprocess
import sys

import pytest

from rtagent import audio


def test_importing_the_door_loads_no_heavy_package() -> None:
    program = (
        "import sys, rtagent.audio as a; a.AudioFormat.pcm16(); a.g711; "
        "print(sorted({'numpy', 'sounddevice', 'anyio'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("name", audio.__all__)
def test_every_public_name_leads_somewhere(name: str) -> None:
    assert getattr(audio, name) is not None


def test_names_are_sorted_and_listed() -> None:
    assert list(audio.__all__) == sorted(audio.__all__)
    assert set(audio.__all__) <= set(dir(audio))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Gramophone'"):
        audio.Gramophone  # noqa: B018
