"""Where a key comes from, and that nobody sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rtagent.errors import ConfigurationError
from rtagent.transport import Credentials, find_credentials
from rtagent.transport._credentials import Secret, reveal

KEY = "sk-very-secret"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def work(tmp_path: Path) -> Path:
    work = tmp_path / "work" / "project" / "src"
    work.mkdir(parents=True)
    return work


def found(work: Path, home: Path, **environment: str) -> Credentials:
    return find_credentials(directory=work, home=home, environment=environment)


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / ".openai"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# -- what a file may look like ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"api_key": KEY, "organization": "org-1", "project": "proj_1"}),
        json.dumps({"apiKey": KEY, "organizationId": "org-1", "projectId": "proj_1", "api_key": "", "n": 1}),
        f"\n  {json.dumps({'OPENAI_API_KEY': KEY, 'OPENAI_ORG_ID': 'org-1', 'OPENAI_PROJECT_ID': 'proj_1'})}",
        f"OPENAI_API_KEY={KEY}\nOPENAI_ORGANIZATION=org-1\nOPENAI_PROJECT_ID=proj_1\n",
        f"# OPENAI_API_KEY=old\r\n OPENAI_KEY = '{KEY}' \r\nORGANIZATION=\"org-1\"\r\nproject=proj_1\r\nx",
        f"\ufeffOPENAI_API_KEY={KEY}\nORGANIZATION=org-1\nproject=proj_1",
        "\ufeff" + json.dumps({"api_key": KEY, "organization": "org-1", "project": "proj_1"}),
    ],
)
def test_a_file_is_json_or_lines(text: str, work: Path, home: Path) -> None:
    path = write(work, text)
    credentials = found(work, home)
    assert (credentials.api_key, credentials.organization, credentials.project) == (KEY, "org-1", "proj_1")
    assert credentials.source == f"the file {path}"


def test_a_key_may_hold_an_equals_sign(work: Path, home: Path) -> None:
    write(work, "OPENAI_API_KEY=abc==")
    assert found(work, home).api_key == "abc=="


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (f'{{\n  "api_key": "{KEY}",\n}}', r"not valid JSON \(line 3\)"),
        (f'["{KEY}"]', "must hold a JSON object"),
        (b'{"api_key": "\xff\xfe"}', "cannot be read: UnicodeDecodeError"),
    ],
)
def test_a_broken_file_is_named_and_its_content_is_not(
    content: str | bytes, complaint: str, work: Path, home: Path
) -> None:
    path = write(work, content)
    with pytest.raises(ConfigurationError, match=complaint) as caught:
        found(work, home, OPENAI_API_KEY="other")
    assert str(path) in str(caught.value)
    assert KEY not in f"{caught.value} {caught.value.__cause__}"


# -- where it is looked for ---------------------------------------------------------------------------


def test_the_nearest_file_wins_and_the_environment_comes_last(work: Path, home: Path) -> None:
    environment = {"OPENAI_API_KEY": "environment"}
    order = []
    places = [work, work.parent, work.parent.parent, home]
    for place in reversed(places):
        order.append(found(work, home, **environment).api_key)
        write(place, json.dumps({"api_key": place.name}))
    order.append(found(work, home, **environment).api_key)
    assert order == ["environment", "home", "work", "project", "src"]


def test_a_file_without_a_key_is_passed_over(work: Path, home: Path) -> None:
    write(work, json.dumps({"organization": "org-1"}))
    write(work.parent, "# nothing here")
    (work.parent.parent / ".openai").mkdir()
    write(home, json.dumps({"api_key": KEY}))
    credentials = found(work, home)
    assert (credentials.api_key, credentials.organization) == (KEY, None)


def test_the_environment_names_organization_and_project_too(work: Path, home: Path) -> None:
    credentials = found(
        work, home, OPENAI_API_KEY=KEY, OPENAI_ORGANIZATION="org-2", OPENAI_PROJECT_ID="proj_2"
    )
    assert (credentials.organization, credentials.project) == ("org-2", "proj_2")
    assert credentials.source == "the environment variable OPENAI_API_KEY"


def test_nothing_is_found_nowhere(work: Path, home: Path) -> None:
    assert found(work, home, OPENAI_API_KEY="", OPENAI_ORG_ID="org-1") == Credentials()
    assert Credentials().source == "nowhere"


def test_without_arguments_it_looks_at_this_process(
    work: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("OPENAI_API_KEY", "environment")
    assert find_credentials().api_key == "environment"
    write(home, f"api_key={KEY}")
    assert find_credentials().api_key == KEY


def test_the_value_is_not_shown() -> None:
    shown = repr(Credentials(KEY, "org-1", "proj_1", "the file x"))
    assert shown == "Credentials(source='the file x')"


# -- the value itself ---------------------------------------------------------------------------------


async def later() -> str:
    return f" {KEY}\n"


@pytest.mark.parametrize("secret", [KEY, f"{KEY}\n", lambda: KEY, later])
async def test_a_secret_is_a_text_or_whoever_knows_it(secret: Secret) -> None:
    assert await reveal(secret) == KEY


async def test_a_callable_is_asked_every_time() -> None:
    tokens = iter(["one", "two"])
    secret: Callable[[], str] = lambda: next(tokens)  # noqa: E731
    assert [await reveal(secret), await reveal(secret)] == ["one", "two"]


async def test_no_secret_stays_none() -> None:
    assert await reveal(None) is None


@pytest.mark.parametrize("secret", ["", "  \n", "sk-ü", "sk-a\r\nX-Evil: 1", lambda: ""])
async def test_what_cannot_go_into_a_header_is_refused_unseen(secret: Secret) -> None:
    with pytest.raises(ConfigurationError, match="empty or holds characters") as caught:
        await reveal(secret)
    assert "sk-" not in str(caught.value)
