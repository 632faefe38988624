from __future__ import annotations

import json
from pathlib import Path

import pytest

from rtagent.errors import ConfigurationError
from rtagent.events import PROFILES, Dialect
from rtagent.transport._profile_file import load_profile, write_profile


def file_of(directory: Path, content: object) -> Path:
    path = directory / "ours.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize("name", PROFILES)
def test_every_known_profile_goes_through_a_file(name: str, tmp_path: Path):
    path = tmp_path / "ours.json"
    write_profile(path, PROFILES[name], "openai")
    assert load_profile(path) == PROFILES[name]


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_that_is_its_base_is_two_lines(name: str, tmp_path: Path):
    path = tmp_path / "ours.json"
    write_profile(path, PROFILES[name], name)
    assert json.loads(path.read_text()) == {"base": name, "name": name}


def test_only_what_differs_is_written_and_sets_are_sorted(tmp_path: Path):
    changed = PROFILES["xai"].model_copy(
        update={"name": "mine", "missing_fields": frozenset({"b", "a"}), "telephony": False}
    )
    path = tmp_path / "mine.json"
    write_profile(path, changed, "xai")
    assert json.loads(path.read_text()) == {
        "base": "xai",
        "name": "mine",
        "missing_fields": ["a", "b"],
        "telephony": False,
    }


def test_without_base_and_name_the_defaults_and_the_file_name_hold(tmp_path: Path):
    assert load_profile(file_of(tmp_path, {"manual_turns": False})) == Dialect(
        name="ours", manual_turns=False
    )


def test_the_base_gives_what_the_file_does_not_say(tmp_path: Path):
    profile = load_profile(file_of(tmp_path, {"base": "beta", "input_rates": [16000, 8000]}))
    assert profile == PROFILES["beta"].model_copy(update={"name": "ours", "input_rates": (16_000, 8_000)})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"base": "nobody"}, "base: unknown profile 'nobody' .*openai"),
        ({"base": ["openai"]}, "base: unknown profile"),
        ({"colour": "red"}, "colour: Extra inputs"),
        (
            {"base": "xai", "session_shape": "round", "input_rates": ["fast"]},
            "session_shape.*; input_rates.0",
        ),
        (["openai"], "a profile is a JSON object"),
        ("{", "is not JSON"),
    ],
)
def test_what_cannot_be_is_said_with_the_file_and_the_field(content: object, said: str, tmp_path: Path):
    path = file_of(tmp_path, content)
    with pytest.raises(ConfigurationError, match=f"ours.json: .*{said}"):
        load_profile(path)


def test_bytes_that_are_no_text(tmp_path: Path):
    path = tmp_path / "ours.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="is not JSON"):
        load_profile(path)


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"none\.json: the profile cannot be read: No such file"):
        load_profile(tmp_path / "none.json")


def test_a_place_that_cannot_be_written(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_profile(tmp_path / "no" / "ours.json", PROFILES["openai"], "openai")


def test_an_unknown_base_is_not_written(tmp_path: Path):
    path = tmp_path / "ours.json"
    with pytest.raises(ConfigurationError, match="unknown profile"):
        write_profile(path, PROFILES["openai"], "nobody")
    assert not path.exists()
