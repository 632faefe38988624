from __future__ import annotations

import pytest

from rtagent.audio import _echo_livekit
from rtagent.cli._checks import CORE, Check, _echo, _guarded, _package, examine
from rtagent.errors import AudioUnavailable, ConfigurationError


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("RTAGENT_ENDPOINT", raising=False)


def raising(error: Exception):
    def check() -> str:
        raise error

    return check


@pytest.mark.parametrize(
    ("error", "status", "detail", "remedy"),
    [
        (AudioUnavailable("portaudio_missing", "install it"), "missing", "portaudio missing", "install it"),
        (AudioUnavailable("no_input_device", "plug it in"), "missing", "no input device", "plug it in"),
        (AudioUnavailable("device_busy_or_lost", "look"), "broken", "device busy or lost", "look"),
        (
            ImportError("no pocketsphinx", name="pocketsphinx"),
            "missing",
            "no pocketsphinx",
            "pip install 'rtagent[local]'",
        ),
        (
            ImportError("no sounddevice", name="sounddevice"),
            "missing",
            "no sounddevice",
            "pip install 'rtagent[audio]'",
        ),
        (ImportError("no numpy", name="numpy"), "missing", "no numpy", "reinstall rtagent"),
        (ConfigurationError("it is odd", hint="mend it"), "broken", "it is odd", "mend it"),
        (ValueError("bad"), "broken", "ValueError('bad')", None),
    ],
)
def test_what_a_failure_means(error, status, detail, remedy):
    assert _guarded("part", raising(error)) == Check(name="part", status=status, detail=detail, remedy=remedy)


def test_what_works():
    assert _guarded("part", lambda: "fine", core=True) == Check(
        name="part", status="ok", detail="fine", core=True
    )


def test_a_line():
    check = Check(name="ears", status="missing", detail="no pocketsphinx", remedy="install it")
    assert str(check) == "missing  ears               no pocketsphinx  ->  install it"
    assert str(Check(name="ears", status="ok", detail="fine")) == "ok       ears               fine"


def test_packages():
    assert _package("numpy", core=True).status == "ok"
    assert _package("sounddevice").status == "ok", "whether there is a sound library is another question"
    assert _package("no_such_package").status == "missing"


@pytest.mark.parametrize(("works", "told"), [(True, "aec: "), (False, "half_duplex: ")])
def test_what_is_done_about_echo(works, told, monkeypatch):
    monkeypatch.setattr(_echo_livekit, "livekit_works", lambda: works)
    assert _echo().startswith(told)


@pytest.mark.slow
def test_this_machine_is_examined(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")

    checks = {check.name: check for check in examine()}

    assert {name for name, check in checks.items() if check.core} == {
        *CORE, "python", "rtagent", "credentials", "endpoint",
    }  # fmt: skip
    assert all(check.status == "ok" for check in checks.values() if check.core)
    assert "eSpeak NG speaks" in checks["voice"].detail
    assert "kitchen" in checks["ears"].detail
    assert checks["credentials"].detail == "an API key in the environment variable OPENAI_API_KEY"
    assert "api.openai.com" in checks["endpoint"].detail
    assert "secret" not in "".join(map(str, checks.values()))


@pytest.mark.slow
def test_a_credentials_file_that_cannot_be_read_is_the_cores_trouble(tmp_path):
    (tmp_path / ".openai").write_text("{broken")
    checks = {check.name: check for check in examine()}
    assert checks["credentials"].status == checks["endpoint"].status == "broken"
