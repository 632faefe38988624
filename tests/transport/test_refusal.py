"""What the answer to a refused handshake says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.transport._refusal import MAX_BODY_BYTES, Refusal, read_refusal, secrets_of

NOW = datetime(2026, 11, 3, 12, 0, 0, tzinfo=UTC)
KEY = "sk-very-secret"


def read(body: Any = b"", *secrets: str, **headers: str) -> Refusal:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return read_refusal(named, raw, now=NOW, secrets=secrets)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error": {"code": "insufficient_quota", "message": "Pay"}}, "insufficient_quota", "Pay"),
        ({"error": {"code": None, "type": "insufficient_quota"}}, "insufficient_quota", None),
        ({"error": {"code": 401, "message": "Denied"}}, None, "Denied"),
        ({"error": {"code": " ", "message": ""}}, None, None),
        ({"error": "no such model"}, None, "no such model"),
        ({"error": "no", "code": "gone"}, "gone", "no"),
        ({"code": "gone", "message": "no"}, "gone", "no"),
        ({"detail": "Not Found"}, None, "Not Found"),
        ({"error": None}, None, None),
        ([], None, None),
        ("text", None, None),
        (b"<html>", None, None),
        (b"\xff\xfe\xfa", None, None),
        (b"[" * MAX_BODY_BYTES, None, None),
    ],
)
def test_the_code_and_the_words(body: Any, code: str | None, message: str | None) -> None:
    assert read(body) == Refusal(code, message)


def test_a_body_that_is_too_long_is_not_read() -> None:
    body = json.dumps({"error": {"code": "c", "message": "m"}}).encode()
    assert read(body + b" " * (MAX_BODY_BYTES - len(body))) == Refusal("c", "m")
    assert read(body + b" " * (MAX_BODY_BYTES - len(body) + 1)) == Refusal()


def test_the_words_are_one_short_line() -> None:
    assert read({"error": "one\r\ntwo\tthree\x1b[31m "}).message == "one two three [31m"
    assert read({"error": "x" * 200}).message == "x" * 200
    assert read({"error": "x" * 201}).message == "x" * 199 + "…"


def test_a_server_that_repeats_the_key_does_not_show_it() -> None:
    refused = read({"error": {"code": KEY, "message": f"no: {KEY} {KEY}"}}, KEY)
    assert refused == Refusal("<hidden>", "no: <hidden> <hidden>")


def test_the_secrets_of_a_request() -> None:
    found = secrets_of(
        "wss://h/v1?model=gpt-realtime&api-key=k%2Dabcdef&token=short",
        {"Authorization": f"Bearer {KEY}", "X-Api-Key": "0123456789", "OpenAI-Project": "proj_1234"},
    )
    assert found == (f"Bearer {KEY}", KEY, "0123456789", "k-abcdef")
    found = secrets_of("wss://h/v1", {"Cookie": "session=abcdefgh; a=b"})
    assert found[-1] == "abcdefgh"
    assert "session" not in found


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": " 1.5 "}, 1.5),
        ({"Retry_After": "0"}, 0.0),
        ({"Retry_After": "86400"}, 3600.0),
        ({"retry_after_ms": "250"}, 0.25),
        ({"retry_after_ms": "250", "Retry_After": "7"}, 0.25),
        ({"retry_after_ms": "soon", "Retry_After": "7"}, 7.0),
        ({"retry_after_ms": "99999999"}, 3600.0),
        ({"Retry_After": "Tue, 03 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"Retry_After": "Tue, 03 Nov 2026 11:59:30 GMT"}, 0.0),
        ({"Retry_After": "Tue, 03 Nov 2026 12:00:30 -0000"}, 30.0),
        ({"Retry_After": "Wed, 04 Nov 2026 12:00:30 GMT"}, 3600.0),
        (
            {"Retry_After": "Tue, 03 Nov 2026 10:00:30 GMT", "Date": "Tue, 03 Nov 2026 10:00:00 GMT"},
            30.0,
        ),
        ({"Retry_After": "Tue, 03 Nov 2026 12:00:30 GMT", "Date": "today"}, 30.0),
        *(({"Retry_After": bad}, None) for bad in ("-1", "nan", "inf", "1e9", "soon", "", "٣", "9" * 400)),
        *(({"retry_after_ms": bad}, None) for bad in ("-1", "nan", "soon")),
        ({"Retry_After": "Tue, 99 Nov 2026 12:00:30 GMT"}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], wait_s: float | None) -> None:
    assert read(**headers).retry_after_s == wait_s


@given(st.binary() | st.text().map(str.encode), st.text(), st.text())
def test_nothing_in_an_answer_breaks_it(body: bytes, wait: str, date: str) -> None:
    refused = read(body, Retry_After=wait, retry_after_ms=date, Date=date)
    assert refused.retry_after_s is None or 0 <= refused.retry_after_s <= 3600
    assert refused.message is None or len(refused.message) <= 200
