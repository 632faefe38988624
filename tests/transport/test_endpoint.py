"""Endpoints: URLs, headers, dialects, and what they show of themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from rtagent import Endpoint
from rtagent.errors import ConfigurationError, Unsupported
from rtagent.events import BETA, GA, LIVE, LIVE_FORK, LIVE_SIDEBAND, PROFILES, TRANSLATION, Mode
from rtagent.transport import write_profile

DEFAULT_MODEL = GA.default_model

KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory and a home in which no credentials lie."""
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_ORGANIZATION", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("RTAGENT_ENDPOINT", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def headers_of(endpoint: Endpoint) -> dict[str, str]:
    """For tests in which files are read: they have no event loop that this could block."""
    return anyio.run(endpoint.authorization)


# -- OpenAI -------------------------------------------------------------------------------------------


def test_openai_with_a_key_of_the_program() -> None:
    endpoint = Endpoint.openai(KEY, organization="org-1", project="proj_1")
    assert endpoint.address_for(None) == f"wss://api.openai.com/v1/realtime?model={DEFAULT_MODEL}"
    assert endpoint.address_for("other") == "wss://api.openai.com/v1/realtime?model=other"
    assert endpoint.dialect is GA
    assert headers_of(endpoint) == {
        "Authorization": f"Bearer {KEY}",
        "OpenAI-Organization": "org-1",
        "OpenAI-Project": "proj_1",
    }
    assert endpoint.chosen_because == "the API key of the program"


def test_openai_finds_what_is_not_given(nowhere: Path) -> None:
    (nowhere / ".openai").write_text(json.dumps({"api_key": KEY, "organization": "org-file", "project": "p"}))
    endpoint = Endpoint.openai(project="mine")
    assert headers_of(endpoint) == {
        "Authorization": f"Bearer {KEY}",
        "OpenAI-Organization": "org-file",
        "OpenAI-Project": "mine",
    }
    assert endpoint.chosen_because == f"the API key of the file {nowhere / '.openai'}"


def test_openai_without_a_key_says_where_one_can_come_from() -> None:
    with pytest.raises(ConfigurationError, match=r"no OpenAI API key was given or found .*OPENAI_API_KEY"):
        Endpoint.openai()


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("https://eu.api.openai.com/v1", "wss://eu.api.openai.com/v1/realtime"),
        ("http://127.0.0.1:9/v1/", "ws://127.0.0.1:9/v1/realtime"),
        ("HTTPS://Host/v1?region=eu", "wss://Host/v1/realtime?region=eu"),
        ("ws://[::1]:8/v1", "ws://[::1]:8/v1/realtime"),
    ],
)
def test_a_base_url_of_any_web_scheme_leads_to_its_websocket(base_url: str, address: str) -> None:
    assert Endpoint.openai(KEY, base_url=base_url).address == address


# -- others -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "resource",
    ["maple", "maple.openai.azure.com", "https://maple.openai.azure.com", "maple.openai.azure.com/x"],
)
async def test_azure_in_its_ga_form(resource: str) -> None:
    endpoint = Endpoint.azure(resource, "my deployment", api_key=KEY)
    expected = "wss://maple.openai.azure.com/openai/v1/realtime?model=my%20deployment"
    assert endpoint.address_for("ignored") == expected
    assert endpoint.dialect is PROFILES["azure"]
    assert await endpoint.authorization() == {"api-key": KEY}


async def test_azure_in_its_preview_form_with_a_token() -> None:
    tokens = iter(["token-1", "token-2"])

    async def provide() -> str:
        return next(tokens)

    endpoint = Endpoint.azure("maple", "dep", token_provider=provide, api_version="2025-04-01-preview")
    expected = "wss://maple.openai.azure.com/openai/realtime?api-version=2025-04-01-preview&deployment=dep"
    assert endpoint.address_for(None) == expected
    assert endpoint.dialect is PROFILES["azure-preview"]
    dials = [await endpoint.authorization() for _ in range(2)]
    assert dials == [{"Authorization": "Bearer token-1"}, {"Authorization": "Bearer token-2"}]


@pytest.mark.parametrize("given", [{}, {"api_key": KEY, "token_provider": KEY}])
def test_azure_takes_one_credential(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="either api_key or token_provider"):
        Endpoint.azure("maple", "dep", **given)


def test_azure_takes_no_credentials_in_the_resource() -> None:
    with pytest.raises(ConfigurationError, match="must not hold credentials"):
        Endpoint.azure(f"https://user:{KEY}@maple.openai.azure.com", "dep", api_key=KEY)


@pytest.mark.parametrize(
    ("url", "model", "address"),
    [
        ("ws://h:1/v1/realtime", None, f"ws://h:1/v1/realtime?model={DEFAULT_MODEL}"),
        ("ws://h:1/v1/realtime", "mine", "ws://h:1/v1/realtime?model=mine"),
        ("ws://h:1/v1/realtime?model=theirs", "mine", "ws://h:1/v1/realtime?model=theirs"),
        ("ws://h:1/v1/realtime?model=", "mine", "ws://h:1/v1/realtime?model="),
        ("https://h/x/?a=1&b=#frag", "my model", "wss://h/x?a=1&b=&model=my+model"),
    ],
)
def test_a_model_in_the_url_goes_before_any_other(url: str, model: str | None, address: str) -> None:
    assert Endpoint.url(url).address_for(model) == address


async def test_a_compatible_server_needs_no_key() -> None:
    assert await Endpoint.url("ws://h").authorization() == {}
    assert await Endpoint.url("ws://h", api_key=lambda: KEY).authorization() == {
        "Authorization": f"Bearer {KEY}"
    }


def test_profiles_name_dialects() -> None:
    assert Endpoint.url("ws://h", profile="beta").dialect is BETA
    with pytest.raises(
        ConfigurationError, match=r"unknown profile 'gamma' \(a file .* or one of azure, .*beta, .*xai"
    ):
        Endpoint.url("ws://h", profile="gamma")


def test_a_profile_may_be_a_value_or_a_file(tmp_path: Path) -> None:
    own = GA.model_copy(update={"name": "own", "session_shape": "flat"})
    assert Endpoint.url("ws://h", profile=own).dialect is own
    file = tmp_path / "own.json"
    write_profile(file, own, "openai")
    assert Endpoint.url("ws://h", profile=file).dialect == own
    assert Endpoint.url("ws://h", profile=str(file)).dialect == own


async def test_a_profile_says_how_to_show_who_we_are() -> None:
    inworld = Endpoint.url("wss://h/v1", api_key=KEY, profile="inworld")
    assert await inworld.authorization() == {"Authorization": f"Basic {KEY}"}
    assert inworld.address_for("any") == "wss://h/v1"
    azure = Endpoint.url("wss://h/v1", api_key=KEY, profile="azure")
    assert await azure.authorization() == {"api-key": KEY}


def test_azure_voice_live() -> None:
    endpoint = Endpoint.azure("maple", "gpt-realtime-2.1", api_key=KEY, voice_live=True)
    expected = (
        "wss://maple.services.ai.azure.com/voice-live/realtime?api-version=2026-07-15&model=gpt-realtime-2.1"
    )
    assert endpoint.address_for(None) == expected
    assert endpoint.dialect is PROFILES["azure-voice-live"]
    older = Endpoint.azure("maple", "m", api_key=KEY, voice_live=True, api_version="2025-10-01")
    assert "api-version=2025-10-01" in older.address


def test_gpt_live_by_word_or_by_model() -> None:
    live = Endpoint.openai(KEY, live=True)
    assert (live.address_for("gpt-live-1"), live.dialect) == ("wss://api.openai.com/v1/live/sessions", LIVE)
    by_model = Endpoint.openai(KEY).for_session("conversation", "gpt-live-1")
    assert (by_model.address_for("gpt-live-1"), by_model.dialect) == (live.address, LIVE)
    stays = Endpoint.openai(KEY)
    assert stays.for_session("conversation", "gpt-realtime-2.1") is stays
    elsewhere = Endpoint.url("ws://h/v1/realtime", profile="vllm-omni")
    assert elsewhere.for_session("conversation", "gpt-live-1") is elsewhere


def test_beside_a_live_session_and_from_where_one_ended() -> None:
    attached = Endpoint.attach("sess_1/2", api_key=KEY)
    assert attached.address_for(None) == "wss://api.openai.com/v1/live/sessions/sess_1%2F2/attach"
    assert attached.dialect is LIVE_SIDEBAND
    fork = Endpoint.fork("sess_1", api_key=KEY, base_url="http://127.0.0.1:9/v1")
    assert fork.address_for(None) == "ws://127.0.0.1:9/v1/live/sessions/sess_1/fork"
    assert fork.dialect is LIVE_FORK


@pytest.mark.parametrize(
    ("endpoint", "model", "address"),
    [
        (
            Endpoint.openai(KEY),
            "gpt-transcribe",
            "wss://api.openai.com/v1/realtime?intent=transcription",
        ),
        (Endpoint.url("ws://h/v1/realtime?model=x"), None, "ws://h/v1/realtime?intent=transcription"),
        (
            Endpoint.url("ws://h/v1/realtime", profile="speaches"),
            "whisper",
            "ws://h/v1/realtime?intent=transcription&model=whisper",
        ),
        (Endpoint.url("ws://h/v1/realtime", profile="vllm"), "voxtral", "ws://h/v1/realtime"),
        (Endpoint.local(), None, "local"),
    ],
)
def test_a_transcription_has_an_address_of_its_own(
    endpoint: Endpoint, model: str | None, address: str
) -> None:
    assert endpoint.for_session("transcription", model).address_for(model) == address


def test_a_translation_has_an_address_and_a_dialect_of_its_own() -> None:
    endpoint = Endpoint.openai(KEY).for_session("translation", None)
    expected = "wss://api.openai.com/v1/realtime/translations?model=gpt-realtime-translate"
    assert (endpoint.address_for(None), endpoint.dialect) == (expected, TRANSLATION)


@pytest.mark.parametrize(
    ("profile", "mode", "words"),
    [
        ("vllm", "conversation", "vLLM does not support conversation sessions"),
        ("xai", "translation", "xAI Grok Voice does not support translation sessions"),
        ("qwen-omni", "transcription", "Qwen-Omni-Realtime does not support transcription sessions"),
    ],
)
def test_sessions_that_a_server_does_not_have_are_refused_at_once(
    profile: str, mode: Mode, words: str
) -> None:
    with pytest.raises(Unsupported, match=words):
        Endpoint.url("ws://h", profile=profile).for_session(mode, None)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8765",
        "/v1/realtime",
        "ftp://h/x",
        "ws://",
        "ws://:8080/x",
        "ws://h:port/x",
        "ws://h:99999/x",
        "ws://h:0/x",
        "ws://[::1/x",
    ],
)
def test_what_is_no_address_is_refused_when_it_is_given(url: str) -> None:
    with pytest.raises(ConfigurationError, match="is not the address of a server"):
        Endpoint.url(f"{url}?key={KEY}" if url else url)


@pytest.mark.parametrize("url", [f"wss://user:{KEY}@h/v1", f"wss://{KEY}@h:port", f"ftp://{KEY}@h"])
def test_credentials_in_an_address_are_refused_unseen(url: str) -> None:
    with pytest.raises(ConfigurationError, match="must not hold credentials") as caught:
        Endpoint.url(url)
    assert KEY not in str(caught.value)


def test_a_bad_address_is_shown_without_its_query() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Endpoint.url(f"ftp://h/x?key={KEY}")
    assert KEY not in str(caught.value)


def test_an_at_sign_in_the_path_is_none_of_our_business() -> None:
    assert Endpoint.url("ws://h/@me").address == "ws://h/@me"


def test_a_call_is_attached_by_its_id() -> None:
    endpoint = Endpoint.call("rtc_a&b", api_key=KEY, base_url="http://h:1/v1")
    assert endpoint.address_for("ignored") == "ws://h:1/v1/realtime?call_id=rtc_a%26b"
    assert headers_of(endpoint) == {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("endpoint", "sideband"),
    [
        (Endpoint.call("rtc_1", api_key=KEY), True),
        (Endpoint.attach("sess_1", api_key=KEY), True),
        (Endpoint.fork("sess_1", api_key=KEY), False),
        (Endpoint.openai(KEY), False),
        (Endpoint.openai(KEY, live=True), False),
        (Endpoint.url("ws://h/v1/realtime?call_id=x"), False),
        (Endpoint.local(), False),
    ],
)
def test_a_session_beside_a_call_ends_with_it(endpoint: Endpoint, sideband: bool) -> None:
    assert endpoint.sideband is sideband
    assert endpoint.for_session("conversation", None).sideband is sideband


async def test_the_embedded_engine_has_no_address() -> None:
    endpoint = Endpoint.local(model="x", api_key=KEY)
    assert (endpoint.kind, dict(endpoint.options)) == ("local", {"model": "x", "api_key": KEY})
    assert str(endpoint) == "the embedded engine"
    assert await endpoint.authorization() == {}


# -- the default --------------------------------------------------------------------------------------


async def test_auto_takes_a_named_endpoint_first() -> None:
    environment = {"RTAGENT_ENDPOINT": "ws://h:1/v1", "RTAGENT_API_KEY": KEY, "OPENAI_API_KEY": "other"}
    endpoint = Endpoint.auto(environment)
    assert endpoint.address == "ws://h:1/v1"
    assert await endpoint.authorization() == {"Authorization": f"Bearer {KEY}"}
    assert endpoint.chosen_because == "RTAGENT_ENDPOINT is set"


def test_auto_then_takes_a_key_with_what_belongs_to_it() -> None:
    endpoint = Endpoint.auto({"OPENAI_API_KEY": KEY, "OPENAI_ORG_ID": "org-1", "OPENAI_PROJECT_ID": "p"})
    assert endpoint.address.startswith("wss://api.openai.com/")
    headers = headers_of(endpoint)
    assert (headers["OpenAI-Organization"], headers["OpenAI-Project"]) == ("org-1", "p")
    expected = "an API key was found in the environment variable OPENAI_API_KEY"
    assert endpoint.chosen_because == expected


def test_auto_otherwise_stays_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Endpoint.auto({}).chosen_because == "no endpoint and no API key is configured"
    assert Endpoint.auto().kind == "local"
    monkeypatch.setenv("RTAGENT_ENDPOINT", "ws://h")
    assert Endpoint.auto().address == "ws://h"


# -- secrets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint.url(f"ws://h/v1?api-key={KEY}", api_key=KEY),
        Endpoint.azure("maple", "dep", api_key=KEY),
        Endpoint.azure("maple", "dep", token_provider=KEY),
        Endpoint.local(api_key=KEY),
        Endpoint(kind="websocket", address=f"ws://user:{KEY}@h/v1", _secret=KEY),
    ],
    ids=["url", "azure key", "azure token", "local", "by hand"],
)
def test_no_secret_is_shown(endpoint: Endpoint) -> None:
    assert KEY not in f"{endpoint} {endpoint!r}"


def test_what_is_shown_says_where_it_leads() -> None:
    assert repr(Endpoint.url("ws://h:1/v1?model=m")) == "Endpoint(websocket, 'ws://h:1/v1', openai, '')"
