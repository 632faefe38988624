"""Why there is no connection, and what that means: the tables of the protocol document, section 14."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent import events
from rtagent.errors import (
    ConfigurationError,
    ConnectionFailed,
    ConnectionLost,
    EndOfStream,
    RtagentError,
    ServerError,
    Timeout,
)
from rtagent.protocol import Loss, Verdict, verdict_on
from rtagent.protocol._loss import CLOSE_CODES, ERROR_CODES, STATUSES

KEY = "sk-proj-abcdefgh12345678"


def said(code: str | None, kind: str = "unknown_error") -> events.ErrorDetail:
    return events.ErrorDetail(code=code, type=kind, message="words")


# -- close codes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "outlook"),
    [
        (None, "again"),
        (1000, "again"),
        (1001, "again"),
        (1002, "once"),
        (1003, "once"),
        (1005, "again"),
        (1006, "again"),
        (1007, "once"),
        (1008, "stop"),
        (1009, "again"),
        (1010, "again"),
        (1011, "again"),
        (1012, "again"),
        (1013, "later"),
        (1014, "again"),
        (1015, "once"),
        (2999, "again"),
        (3000, "stop"),
        (3999, "stop"),
        (4000, "stop"),
        (4001, "stop"),
        (4999, "stop"),
    ],
)
def test_a_close_code(code: int | None, outlook: str) -> None:
    verdict = verdict_on(Loss(code))
    assert verdict.outlook == outlook
    assert verdict.why
    assert verdict.resend is (code != 1009)


@pytest.mark.parametrize(
    ("reason", "outlook"),
    [
        ("", "stop"),
        ("session_limit_reached", "stop"),
        ("You exceeded your current quota, please check your plan", "stop"),
        ("This model does not operate here", "stop"),
        ("corporate accounts only", "stop"),
        ("insufficient_quota: try again after you paid", "stop"),
        ("The server is at capacity", "later"),
        ("model overloaded", "later"),
        ("Busy.", "later"),
        ("rate_limit_exceeded", "later"),
        ("Rate limit reached", "later"),
        ("please Try Again", "later"),
        ("Service Unavailable", "later"),
    ],
)
def test_a_close_for_a_reason_of_policy_stops_unless_the_server_is_only_full(
    reason: str, outlook: str
) -> None:
    assert verdict_on(Loss(1008, reason)).outlook == outlook


def test_a_private_close_whose_reason_names_the_cause() -> None:
    refused = verdict_on(Loss(4000, "invalid_request_error.beta_api_shape_disabled"))
    assert refused == Verdict("stop", ERROR_CODES["beta_api_shape_disabled"][1])
    assert verdict_on(Loss(4003, "insufficient_quota")).why == "the account has no quota left"
    assert verdict_on(Loss(4003, "session_expired")).outlook == "stop"


def test_a_reason_is_no_error_code_where_the_close_code_has_a_meaning_of_its_own() -> None:
    assert verdict_on(Loss(1011, "insufficient_quota of buffers")).outlook == "again"


def test_a_call_that_was_hung_up_is_over() -> None:
    assert verdict_on(Loss(1000), sideband=True) == Verdict("stop", "the call has ended")
    assert verdict_on(Loss(1000, error=said("rate_limit_exceeded")), sideband=True).outlook == "stop"
    assert verdict_on(Loss(1006), sideband=True).outlook == "again"


# -- error codes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "outlook"),
    [
        ("session_expired", "again"),
        ("rate_limit_exceeded", "later"),
        ("server_error", "later"),
        ("insufficient_quota", "stop"),
        ("invalid_api_key", "stop"),
        ("account_deactivated", "stop"),
        ("billing_hard_limit_reached", "stop"),
        ("invalid_organization", "stop"),
        ("beta_api_shape_disabled", "stop"),
        ("invalid_request_error.beta_api_shape_disabled", "stop"),
    ],
)
@pytest.mark.parametrize("end", [None, 1000, 1008, 1013, 4000])
def test_an_error_code_goes_before_the_close_code(end: int | None, code: str, outlook: str) -> None:
    assert verdict_on(Loss(end, error=said(code))).outlook == outlook
    assert verdict_on(Loss(end, error_code=code)).outlook == outlook


def test_an_error_without_a_code_has_a_type() -> None:
    assert verdict_on(Loss(1011, error=said(None, "server_error"))).outlook == "later"
    assert verdict_on(Loss(1006, error=said("no_such_item", "invalid_request_error"))).outlook == "again"


@pytest.mark.parametrize(("end", "outlook"), [(None, "again"), (1013, "later"), (1008, "stop")])
def test_other_error_codes_say_nothing_about_the_next_connection(end: int | None, outlook: str) -> None:
    assert verdict_on(Loss(end, error=said("response_cancel_not_active"))).outlook == outlook


def test_the_code_in_the_answer_to_a_handshake_goes_before_an_earlier_error() -> None:
    assert Loss(error_code="server_error", error=said("session_expired")).decisive_code == "server_error"
    assert Loss(error_code="of_no_matter", error=said("session_expired")).decisive_code == "session_expired"


def test_what_was_too_large_is_not_sent_again_whatever_else_was_said() -> None:
    assert not verdict_on(Loss(1009, error=said("session_expired"))).resend


# -- handshakes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outlook"),
    [
        (200, "stop"),
        (301, "stop"),
        (400, "stop"),
        (401, "once"),
        (403, "stop"),
        (404, "stop"),
        (408, "later"),
        (413, "stop"),
        (425, "later"),
        (429, "later"),
        (500, "again"),
        (502, "again"),
        (503, "later"),
        (504, "again"),
    ],
)
@pytest.mark.parametrize("retryable", [True, False])
def test_the_status_of_a_refused_handshake(status: int, outlook: str, retryable: bool) -> None:
    verdict = verdict_on(Loss(status=status, retryable=retryable, by_handshake=True))
    assert (verdict.outlook, verdict.resend) == (outlook, True)


def test_a_fresh_call_is_not_known_at_once() -> None:
    assert verdict_on(Loss(status=404, by_handshake=True), sideband=True).outlook == "again"
    assert verdict_on(Loss(status=403, by_handshake=True), sideband=True).outlook == "stop"


def test_too_many_requests_and_no_quota_left_are_two_things() -> None:
    assert verdict_on(Loss(status=429)).outlook == "later"
    assert verdict_on(Loss(status=429, error_code="insufficient_quota")) == Verdict(
        "stop", "the account has no quota left"
    )


def test_a_key_that_is_refused_may_have_run_out_and_is_asked_for_once_more() -> None:
    assert verdict_on(Loss(status=401, error_code="invalid_api_key")).outlook == "once"
    assert verdict_on(Loss(status=401, error_code="account_deactivated")).outlook == "stop"


def test_a_failure_of_the_network_says_itself_whether_a_dial_may_help() -> None:
    assert verdict_on(Loss(reason="no route", by_handshake=True)).outlook == "again"
    verdict = verdict_on(Loss(reason="wss://h: no TLS", retryable=False, by_handshake=True))
    assert verdict == Verdict("stop", "another dial would fail in the same way: wss://h: no TLS")


STOPS = [
    Loss(1000),
    Loss(1008),
    Loss(3001),
    Loss(4000),
    Loss(4001),
    *(Loss(error_code=code) for code, (outlook, _) in ERROR_CODES.items() if outlook == "stop"),
    *(Loss(status=status) for status in (302, 400, 403, 404, 410)),
    Loss(retryable=False, by_handshake=True),
]


def test_every_stop_has_a_reason_of_its_own() -> None:
    verdicts = [verdict_on(loss, sideband=loss.code == 1000) for loss in STOPS]
    assert {verdict.outlook for verdict in verdicts} == {"stop"}
    assert len({verdict.why for verdict in verdicts}) == len(STOPS)


# -- the page -----------------------------------------------------------------------------------------

PAGE = Path(__file__).parents[2] / "docs" / "topics" / "reconnect.md"


def rows(head: str) -> dict[str, str]:
    """What a table of the page says: each name in its first column, and the answer in its last."""
    table = PAGE.read_text(encoding="utf-8").partition(f"| {head} |")[2].partition("\n\n")[0]
    cells = [line.strip("| ").split(" | ") for line in table.splitlines()]
    return {name: row[-1] for row in cells for name in re.findall(r"`(\w+)`", row[0])}


def test_the_page_says_what_is_done() -> None:
    closes, codes, statuses = rows("close code"), rows("error code"), rows("status")
    assert closes == {code: verdict_on(Loss(int(code))).outlook for code in closes}
    assert codes == {code: verdict_on(Loss(error_code=code)).outlook for code in codes}
    assert statuses == {status: verdict_on(Loss(status=int(status))).outlook for status in statuses}
    assert set(codes) == set(ERROR_CODES)
    assert {*map(str, CLOSE_CODES), "1008"} == set(closes)
    assert set(map(str, STATUSES)) <= set(statuses)


# -- in words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        (Loss(1011, "keepalive ping timeout"), "code 1011: keepalive ping timeout"),
        (Loss(1006), "code 1006"),
        (Loss(1001, "60 minutes", error=said("session_expired")), "session_expired"),
        (Loss(1001, "bye", error=said("no_such_item")), "code 1001: bye"),
        (Loss(status=401, reason="long"), "the handshake was answered 401"),
        (
            Loss(status=429, error_code="insufficient_quota"),
            "the handshake was answered 429: insufficient_quota",
        ),
        (Loss(), "the socket vanished"),
        (Loss(by_handshake=True), "no session could be opened"),
        (Loss(reason="ws://h cannot be reached", by_handshake=True), "ws://h cannot be reached"),
        (Loss(1008, f"bad\n\tkey {KEY}\x1b[0m"), "code 1008: bad key <hidden> [0m"),
        (Loss(1008, "Authorization: Bearer abc"), "code 1008: Authorization: <hidden>"),
    ],
)
def test_a_loss_in_one_line(loss: Loss, text: str) -> None:
    assert loss.description == text


def lost_before_the_session_began(
    end: ConnectionLost | EndOfStream, code: str | None = None
) -> ConnectionFailed:
    failed = ConnectionFailed("the server ended the session before it began", code=code)
    failed.__cause__ = end
    return failed


@pytest.mark.parametrize(
    ("error", "loss"),
    [
        (ConnectionLost(1011, "r"), Loss(1011, "r")),
        (ConnectionLost(None, "reset"), Loss(None, "reset")),
        (EndOfStream(1001, "60 minutes"), Loss(1001, "60 minutes")),
        (ConnectionFailed("no", retryable=True), Loss(reason="no", by_handshake=True)),
        (ConnectionFailed("no"), Loss(reason="no", retryable=False, by_handshake=True)),
        (
            ConnectionFailed("no", status=429, retryable=True, code="slow_down", retry_after_s=2.0),
            Loss(reason="no", status=429, error_code="slow_down", retry_after_s=2.0, by_handshake=True),
        ),
        (lost_before_the_session_began(ConnectionLost(4000, "r")), Loss(4000, "r", by_handshake=True)),
        (lost_before_the_session_began(ConnectionLost()), Loss(by_handshake=True)),
        (
            lost_before_the_session_began(EndOfStream(), "insufficient_quota"),
            Loss(1000, error_code="insufficient_quota", by_handshake=True),
        ),
        (
            ServerError("no", code="bad"),
            Loss(reason="bad: no", retryable=False, error_code="bad", by_handshake=True),
        ),
        (
            Timeout("session.created", waited_s=1),
            Loss(reason="session.created did not come within 1 s", by_handshake=True),
        ),
        (ConfigurationError("no key"), Loss(reason="no key", retryable=False, by_handshake=True)),
    ],
)
def test_what_a_transport_raised(error: RtagentError, loss: Loss) -> None:
    assert Loss.of(error) == loss


def test_what_the_server_said_last_goes_with_it() -> None:
    last = said("session_expired")
    for error in (EndOfStream(1001), ConnectionFailed("no"), ServerError("no"), Timeout("it", waited_s=1)):
        assert Loss.of(error, said=last).error is last
    assert Loss.of(lost_before_the_session_began(ConnectionLost(4000)), said=last).error is last


# -- whatever comes -----------------------------------------------------------------------------------

losses = st.builds(
    Loss,
    code=st.none() | st.integers(0, 70_000),
    reason=st.text() | st.sampled_from(sorted(ERROR_CODES)),
    error=st.none()
    | st.builds(said, st.none() | st.text() | st.sampled_from(sorted(ERROR_CODES)), st.text()),
    status=st.none() | st.integers(100, 599),
    retryable=st.booleans(),
    error_code=st.none() | st.text() | st.sampled_from(sorted(ERROR_CODES)),
    by_handshake=st.booleans(),
)


@given(losses, st.booleans())
def test_every_loss_means_something_and_always_the_same(loss: Loss, sideband: bool) -> None:
    verdict = verdict_on(loss, sideband=sideband)
    assert verdict == verdict_on(loss, sideband=sideband)
    assert verdict.outlook in {"again", "later", "once", "stop"}
    assert verdict.why
    assert loss.description.isprintable()


@given(st.text(), st.text())
def test_no_key_is_ever_shown(before: str, after: str) -> None:
    loss = Loss(1008, f"{before} {KEY} {after}")
    shown = loss.description + verdict_on(loss).why
    assert not re.search(r"abcdefgh", shown)


@pytest.mark.parametrize(
    ("loss", "deaf"),
    [
        (Loss(), True),
        (Loss(code=1006), True),
        (Loss(code=1011, reason="keepalive ping timeout"), True),
        (Loss(code=1001), False),
        (Loss(code=1012), False),
        (Loss(by_handshake=True), False),
    ],
)
def test_only_a_connection_that_broke_off_may_have_been_dead_for_a_while(loss: Loss, deaf: bool) -> None:
    assert loss.deaf is deaf
