from __future__ import annotations

import argparse

import pytest

from rtagent.cli._arguments import (
    add_agent,
    add_command,
    add_endpoint,
    add_profile,
    device_of,
    endpoint_of,
    language_of,
    port_of,
)
from rtagent.errors import ConfigurationError

AZURE = {
    "AZURE_OPENAI_RESOURCE": "res",
    "AZURE_OPENAI_DEPLOYMENT": "voice",
    "AZURE_OPENAI_API_KEY": "secret",
}


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("OPENAI_API_KEY", "RTAGENT_ENDPOINT", "RTAGENT_API_KEY", *AZURE):
        monkeypatch.delenv(name, raising=False)


def test_auto_says_what_it_chose_and_why():
    endpoint = endpoint_of("auto", {})
    assert endpoint.kind == "local"
    assert endpoint.chosen_because == "no endpoint and no API key is configured"


def test_local():
    assert endpoint_of("local").kind == "local"


def test_openai_takes_the_key_that_is_configured(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    endpoint = endpoint_of("openai")
    assert endpoint.address == "wss://api.openai.com/v1/realtime"
    assert "secret" not in repr(endpoint)


def test_openai_without_a_key_says_so():
    with pytest.raises(ConfigurationError, match="no OpenAI API key"):
        endpoint_of("openai")


async def test_azure_is_read_from_the_environment():
    endpoint = endpoint_of("azure", AZURE)
    assert endpoint.address == "wss://res.openai.azure.com/openai/v1/realtime?model=voice"
    assert await endpoint.authorization() == {"api-key": "secret"}


def test_azure_names_what_is_missing():
    with pytest.raises(ConfigurationError, match="needs AZURE_OPENAI_DEPLOYMENT, AZURE_OPENAI_API_KEY in"):
        endpoint_of("azure", {"AZURE_OPENAI_RESOURCE": "res", "AZURE_OPENAI_API_KEY": ""})


async def test_a_url_gets_its_own_key_and_never_another():
    environment = {"RTAGENT_API_KEY": "own", "OPENAI_API_KEY": "foreign"}
    endpoint = endpoint_of("ws://there:1/v1/realtime", environment)
    assert await endpoint.authorization() == {"Authorization": "Bearer own"}
    assert await endpoint_of("ws://there:1/x", {"OPENAI_API_KEY": "foreign"}).authorization() == {}


def test_an_unknown_endpoint_names_the_known_ones():
    with pytest.raises(ConfigurationError, match=r"unknown endpoint 'cloud' \(openai, azure, local, auto"):
        endpoint_of("cloud")


def test_a_profile_says_what_is_spoken_at_a_url():
    assert endpoint_of("ws://there:1/v1/realtime", {}, profile="vllm").dialect.name == "vllm"


@pytest.mark.parametrize("name", ["ours", "ours.json"])
def test_a_profile_may_be_a_file(name, tmp_path):
    (tmp_path / name).write_text('{"base": "openai", "name": "ours"}')
    assert endpoint_of("ws://there:1/x", {}, profile=str(tmp_path / name)).dialect.name == "ours"


@pytest.mark.parametrize("profile", ["nobody", "no/such/file"])
def test_a_profile_that_is_not_there(profile):
    with pytest.raises(ConfigurationError, match=profile):
        endpoint_of("ws://there:1/x", {}, profile=profile)


@pytest.mark.parametrize("name", ["local", "openai", "azure", "auto"])
def test_a_profile_is_for_urls(name):
    with pytest.raises(ConfigurationError, match="--profile"):
        endpoint_of(name, AZURE, profile="vllm")


@pytest.mark.parametrize("text", ["en", "EN", "pt-BR", "zh-Hant-TW", "yue"])
def test_languages(text):
    assert language_of(text) == text


@pytest.mark.parametrize("text", ["", "e", "english", "en_US", "en-", "en us", "e\n"])
def test_what_is_no_language(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not the tag of a language"):
        language_of(text)


@pytest.mark.parametrize(("text", "device"), [("3", 3), ("USB", "USB"), ("-1", "-1"), ("3 in 1", "3 in 1")])
def test_a_device_is_an_index_or_a_name(text, device):
    assert device_of(text) == device


@pytest.mark.parametrize(("text", "port"), [("0", 0), ("8765", 8765), ("65535", 65535)])
def test_ports(text, port):
    assert port_of(text) == port


@pytest.mark.parametrize("text", ["65536", "-1", "http", ""])
def test_what_is_no_port(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a port"):
        port_of(text)


def test_a_command_with_an_agent_and_an_endpoint():
    root = argparse.ArgumentParser()
    parser = add_command(root.add_subparsers(), "try", "try something", examples="  rtagent try")
    add_agent(parser)
    add_endpoint(parser)
    add_profile(parser)

    given = root.parse_args(["try", "a.py", "--endpoint", "local", "--model", "m", "--profile", "vllm"])
    assert (given.agent, given.endpoint, given.model) == ("a.py", "local", "m")
    assert given.profile == "vllm"
    left_out = root.parse_args(["try"])
    assert (left_out.agent, left_out.endpoint, left_out.model) == (None, "auto", None)
    assert "Try something." in parser.format_help()
    assert parser.format_help().endswith("examples:\n  rtagent try\n")
