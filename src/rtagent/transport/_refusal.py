"""What the answer to a refused handshake says: the API's error code, its words, and how long to wait."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

__all__ = ("Refusal", "read_refusal", "secrets_of")

MAX_BODY_BYTES = 64 * 1024
MAX_MESSAGE_CHARACTERS = 200
MAX_RETRY_AFTER_S = 3_600.0
SHORTEST_SECRET = 6
"""What is shorter cannot be told from an ordinary word, and is no secret either."""

_SECRET_NAME = re.compile(r"auth|cookie|credential|key|password|secret|signature|token", re.IGNORECASE)
_SCHEMES = ("bearer", "basic")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The useful part of an answer; None where it says nothing."""

    code: str | None = None
    message: str | None = None
    """In one line, and without the secrets of the request should the server repeat them."""
    retry_after_s: float | None = None


def read_refusal(
    headers: Iterable[tuple[str, str]], body: bytes, *, now: datetime, secrets: Iterable[str] = ()
) -> Refusal:
    """Read an answer; what is not understood is left out.

    Args:
        headers: its headers.
        body: its body: JSON such as ``{"error": {"code": "insufficient_quota", "message": "…"}}``.
        now: the time here, for a date in ``Retry-After`` where the answer itself has none.
        secrets: what must not be shown.
    """
    code, message = _said(body)
    named = {name.lower(): value for name, value in headers}
    return Refusal(
        None if code is None else _line(code, secrets),
        None if message is None else _line(message, secrets),
        _retry_after_s(named, now),
    )


def secrets_of(url: str, headers: Mapping[str, str]) -> tuple[str, ...]:
    """The secrets in a request, so that no answer can bring them into a message; the longest first."""
    parts = urlsplit(url)
    named = [*headers.items(), *parse_qsl(parts.query)]
    texts = [value for name, value in named if _SECRET_NAME.search(name)]
    pieces = [piece for text in texts for piece in (text, *re.split(r"[\s;,]+", text))]
    values = {*pieces, *(piece.partition("=")[2] for piece in pieces)}
    secrets = [v for v in values if len(v) >= SHORTEST_SECRET and v.lower() not in _SCHEMES]
    return tuple(sorted(secrets, key=len, reverse=True))


def _said(body: bytes) -> tuple[str | None, str | None]:
    if len(body) > MAX_BODY_BYTES:
        return None, None
    try:
        said: object = json.loads(body)
    except (ValueError, RecursionError):
        return None, None
    whole = _object(said)
    detail = _object(whole.get("error"))
    if detail:
        return _text(detail, "code", "type"), _text(detail, "message")
    return _text(whole, "code"), _text(whole, "error", "message", "detail")


def _object(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _text(source: Mapping[str, Any], *names: str) -> str | None:
    values = (source.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value.strip()), None)


def _line(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "<hidden>")
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= MAX_MESSAGE_CHARACTERS else f"{line[: MAX_MESSAGE_CHARACTERS - 1]}…"


def _retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    wait_ms = _number(headers.get("retry-after-ms", ""))
    if wait_ms is not None:
        return min(wait_ms / 1000, MAX_RETRY_AFTER_S)
    text = headers.get("retry-after", "")
    wait_s = _number(text)
    if wait_s is None:
        until = _date(text)
        if until is None:
            return None
        # The server's own clock, where it shows it: ours may be wrong.
        wait_s = max(0.0, (until - (_date(headers.get("date", "")) or now)).total_seconds())
    return min(wait_s, MAX_RETRY_AFTER_S)


def _number(text: str) -> float | None:
    text = text.strip()
    return float(text) if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{0,9})?", text) else None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
