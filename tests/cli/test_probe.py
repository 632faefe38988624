"""The command over real sockets: servers in other threads and processes, and whatever else listens on ports."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from rtagent.cli import main
from rtagent.cli import probe as probe_command
from rtagent.events import PROFILES
from rtagent.testing import VendorServer
from rtagent.transport import Endpoint
from rtagent.transport._profile_file import load_profile


@pytest.fixture
def vendor_url() -> Iterator[Callable[[str], str]]:
    """Start a vendor's double in a thread; its URL."""
    with start_blocking_portal() as portal:
        running = []

        def start(name: str) -> str:
            server = portal.wrap_async_context_manager(VendorServer(name).run_websocket())
            running.append(server)
            return server.__enter__()

        yield start
        for server in running:
            server.__exit__(None, None, None)


@pytest.fixture
def listen() -> Iterator[Callable[..., str]]:
    """Start a WebSocket server that is played by a function; its URL."""
    running: list[Server] = []

    def start(play: Callable[[ServerConnection], None], status: HTTPStatus | None = None) -> str:
        def admit(connection, request):
            return None if status is None else connection.respond(status, "no")

        def handle(connection: ServerConnection) -> None:
            try:
                play(connection)
                for _ in connection:
                    pass
            except ConnectionClosed:
                pass

        server = serve(handle, "127.0.0.1", 0, process_request=admit)
        running.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"ws://127.0.0.1:{server.socket.getsockname()[1]}/v1/realtime"

    yield start
    for server in running:
        server.shutdown()


def rows(out: str) -> dict[str, str]:
    """The table: answers by topics."""
    lines = out.split("\n\n", maxsplit=1)[0].splitlines()[1:]
    return {match[1]: match[2] for line in lines if (match := re.match(r"(.+?)  +(yes|no|not known)", line))}


def test_a_table_and_the_nearest_profile(vendor_url, capsys):
    assert main(["probe", vendor_url("xai")]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("topic ")
    assert "\x1b" not in out
    found = rows(out)
    assert found["greets first"] == "yes"
    assert found["turn detection semantic_vad"] == "no"
    assert "\n\nnearest profile: xai, which agrees in " in out
    assert err.startswith("asking about the greeting\nasking about the session's shape\n")


def test_json_for_programs(vendor_url, capsys):
    assert main(["probe", vendor_url("inworld"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["nearest"] == "inworld"
    assert "some-session" not in told["url"], "what stands in the query may be secret"
    assert told["differences"] == []
    assert {finding["answer"] for finding in told["findings"]} <= {"yes", "no", "not known"}


def test_a_profile_is_written_and_can_be_dialled_with(vendor_url, tmp_path, capsys):
    file = tmp_path / "ours.json"
    url = vendor_url("inworld")
    assert main(["probe", url, "--write", str(file)]) == 0
    assert capsys.readouterr().err.endswith(f"wrote {file}: Endpoint.url(…, profile={str(file)!r})\n")
    assert json.loads(file.read_text())["base"] == "inworld"
    profile = load_profile(file)
    assert (profile.name, profile.title) == ("ours", "ours, as probed")
    shared = {"name": "ours", "title": profile.title, "url": profile.url}
    assert profile == PROFILES["inworld"].model_copy(update=shared)
    assert Endpoint.url(url, profile=str(file)).dialect == profile


def test_of_several_as_near_the_one_to_start_from_is_chosen(vendor_url, capsys):
    assert main(["probe", vendor_url("azure"), "--profile", "azure", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["nearest"] == "azure"


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_the_embedded_engine_as_it_is_served(start_rtagent, capsys):
    process = start_rtagent("serve", "--port", "0")
    assert process.stdout is not None
    url = process.stdout.readline().split()[1]
    assert main(["probe", url, "--profile", "local"]) == 0
    out = capsys.readouterr().out
    found = rows(out)
    nos = {topic for topic, answer in found.items() if answer == "no"}
    assert "nearest profile: local (as near: openai, azure), which agrees in " in out
    assert "differs in" not in out
    assert {topic for topic, answer in found.items() if answer == "not known"} <= {
        "writes down what was said"
    }
    assert nos == {
        *(f"PCM {rate} kHz {way}" for rate in (8, 16, 48) for way in ("in", "out")),
        "turn detection azure_semantic_vad",
        "turn detection azure_semantic_vad_multilingual",
        "turn detection client_vad",
        "says goodbye",
        "events of its own",
        "states rate limits",
    }


def say_nothing(connection: ServerConnection) -> None:
    """Leave it to the client."""


def close_at_once(connection: ServerConnection) -> None:
    connection.close(1008, "no key, no session")


def send_garbage(connection: ServerConnection) -> None:
    connection.send("<html>good day</html>")


def refuse(connection: ServerConnection) -> None:
    error = {"code": "model_not_found", "message": "no such model"}
    connection.send(json.dumps({"type": "error", "error": error}))


@pytest.mark.parametrize(
    ("play", "status", "said"),
    [
        (say_nothing, None, "the WebSocket opened, but this is no Realtime server: it said nothing"),
        (close_at_once, None, "no Realtime session: the server closed with 1008: no key, no session"),
        (send_garbage, None, "this is no Realtime server: it began with '<html>good day</html>'"),
        (refuse, None, "the server refused the session: model_not_found: no such model"),
        (say_nothing, HTTPStatus.NOT_FOUND, "answered 404: there is no realtime endpoint at this address"),
        (say_nothing, HTTPStatus.UNAUTHORIZED, "answered 401: the key is missing or wrong"),
    ],
)
def test_no_realtime_server_is_one_clear_line(play, status, said, listen, capsys):
    assert main(["probe", listen(play, status), "--timeout", "0.3"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    lines = [line for line in err.splitlines() if not line.startswith("asking about ")]
    assert len(lines) == 1
    assert lines[0].startswith("rtagent: ")
    assert said in lines[0]


def test_nobody_there(capsys):
    assert main(["probe", "ws://127.0.0.1:9"]) == 1
    assert capsys.readouterr().err.startswith("rtagent: ws://127.0.0.1:9/v1/realtime cannot be reached")


def test_the_key_is_taken_from_the_environment(listen, monkeypatch, capsys):
    seen = []

    def look(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.append(connection.request.headers["Authorization"])
        connection.close()

    url = listen(look)
    monkeypatch.setenv("PROBE_KEY", "sesame")
    assert main(["probe", url, "--api-key-env", "PROBE_KEY", "--timeout", "1"]) == 1
    assert seen == ["Bearer sesame"]
    assert "sesame" not in capsys.readouterr().err


def test_a_key_that_is_not_there(monkeypatch, capsys):
    monkeypatch.delenv("PROBE_KEY", raising=False)
    assert main(["probe", "ws://127.0.0.1:9", "--api-key-env", "PROBE_KEY"]) == 1
    assert "the environment variable PROBE_KEY holds no key" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: URL"),
        (["ftp://here"], "is not the address of a server"),
        (["ws://here", "--timeout", "0"], "is not a time"),
        (["ws://here", "--timeout", "soon"], "'soon' is not a time"),
        (["ws://here", "--profile", "nobody"], "unknown profile 'nobody': one of azure, "),
    ],
)
def test_wrong_usage(arguments, said, capsys):
    assert main(["probe", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_the_help_says_what_it_costs(capsys):
    assert main(["probe", "--help"]) == 0
    out = capsys.readouterr().out
    assert "a few cents" in out
    assert 'profile="ours.json"' in out


@pytest.mark.parametrize(
    ("url", "name", "expected"),
    [
        ("wss://api.openai.com/v1/realtime", None, "openai"),
        ("wss://api.openai.com/v1/live/sessions", None, "live"),
        ("wss://api.openai.com/v1/realtime/translations?model=m", None, "translation"),
        ("wss://api.openai.com/v1/live/sessions", "xai", "xai"),
    ],
)
def test_where_it_starts_from(url: str, name: str | None, expected: str):
    assert probe_command._starting_profile(url, name) is PROFILES[expected]


def test_a_profile_that_cannot_be_written_is_told_after_the_table(vendor_url, tmp_path: Path, capsys):
    place = tmp_path / "no" / "ours.json"
    assert main(["probe", vendor_url("openai"), "--write", str(place)]) == 1
    out, err = capsys.readouterr()
    assert "nearest profile: openai" in out
    assert err.splitlines()[-1].startswith(f"rtagent: {place}: the profile cannot be written")
