from __future__ import annotations

import pytest

from rtagent.errors import ConfigurationError, ConnectionFailed
from rtagent.tools._mcp_connection import LocalServer, RemoteServer
from rtagent.tools._mcp_words import McpState, McpWords

WORDS = McpWords(LocalServer("files", "x"), within_s=2.5)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (
            "connecting",
            "the MCP server files is being started again; nothing was done, try again in a moment",
        ),
        ("lost", "the MCP server files is being started again; nothing was done, try again in a moment"),
        ("failed", "the MCP server files is not available any more; nothing was done"),
        ("closed", "the MCP server files is closed; nothing was done"),
    ],
)
def test_a_server_that_cannot_be_reached(state: McpState, words: str) -> None:
    assert WORDS.unreachable(state) == words


def test_the_model_is_told_whether_anything_was_done() -> None:
    assert "may have been carried out; it is not repeated" in WORDS.lost_in_call()
    assert "did not take the call; try again" in WORDS.forgotten()
    assert WORDS.refused("no such tool") == "the MCP server files refused the call: no such tool"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError("no such program"), "OSError: no such program"),
        (ValueError(), "ValueError"),
        (TimeoutError(), "it did not answer within 2.5 s"),
        (ExceptionGroup("g", [ExceptionGroup("h", [OSError("deep")]), ValueError("late")]), "OSError: deep"),
        (ValueError("two\nlines"), "ValueError: two lines"),
    ],
)
def test_the_reason_of_a_failure_is_one_line(error: Exception, words: str) -> None:
    assert WORDS.reason_of(error) == words
    failure = WORDS.first_failure(error)
    assert isinstance(failure, ConnectionFailed)
    assert str(failure) == f"the MCP server files cannot be used: {words}"


def test_a_long_reason_is_cut() -> None:
    assert len(WORDS.reason_of(ValueError("x" * 9000))) == 400


def test_an_error_of_ours_is_told_as_it_is() -> None:
    error = ConfigurationError("only names what is not there")
    assert WORDS.first_failure(ExceptionGroup("g", [error])) is error


def test_what_the_server_said_goes_with_it() -> None:
    assert WORDS.ended() == "it has ended"
    refusing = RemoteServer("remote", "https://a.example")
    refusing._bad_status = 401
    said = McpWords(refusing, within_s=1).ended()
    assert said == "it has ended; it answered with the HTTP status 401"
