from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from rtagent.tools import shown_arguments
from rtagent.tools._secrets import excerpt, is_secret, mentions_secret, secret_names, shortened

HIDDEN_ACCOUNT = '{"user":"eve","code":"**********","password":"<hidden>"}'
PASSWORD = {"type": "string", "format": "password"}


class Account(BaseModel):
    user: str
    code: SecretStr
    password: str = "x"


@pytest.mark.parametrize(
    "name",
    ["password", "Password", "wifi_password", "wifiPassword", "API_KEY", "apiKey", "api-key", "token", "accessToken",
     "client_secret", "PIN", "authorization", "private_key", "pass_word", "credentials", "OTP", "cvv2"],
)  # fmt: skip
def test_names_of_secrets(name):
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["max_tokens", "key", "monkey", "author", "pinned", "keyboard", "room", "", "compass", "x"]
)
def test_names_of_other_things(name):
    assert not is_secret(name)


def test_a_name_may_be_secret_by_its_type():
    assert is_secret("door", {"door"})
    assert mentions_secret('{"door": 1', {"door"})
    assert not mentions_secret('{"door": 1')


def test_secrets_by_type_are_found_anywhere():
    schema = {
        "properties": {
            "plain": {"type": "string"},
            "direct": PASSWORD,
            "maybe": {"anyOf": [PASSWORD, {"type": "null"}]},
            "many": {"type": "array", "items": PASSWORD},
            "named": {"type": "object", "additionalProperties": PASSWORD},
            "pair": {"prefixItems": [{"type": "string"}, PASSWORD]},
            "referred": {"$ref": "#/$defs/Secret"},
            "account": {"type": "object", "properties": {"code": PASSWORD, "open": True}},
            "tree": {"$ref": "#/$defs/Tree"},
        },
        "$defs": {"Secret": PASSWORD, "Tree": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}},
    }
    assert secret_names(schema) == {"direct", "maybe", "many", "named", "pair", "referred", "code"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, None]}, '{"a":[1,null]}'),
        ("é", '"é"'),
        (b"raw", '"raw"'),
        (b"\xff", "\"b'\\\\xff'\""),
        (date(2026, 8, 1), '"2026-08-01"'),
        (Account(user="eve", code=SecretStr("4711"), password="x"), HIDDEN_ACCOUNT),
        ((1, Account(user="eve", code=SecretStr("4711"))), f"[1,{HIDDEN_ACCOUNT}]"),
        ("x" * 200, '"' + "x" * 78 + "…"),
        ("\ud800", '"?"'),
        ([[[[[1]]]]], '[[[["…"]]]]'),
        (10**80, '"an integer of 266 bits"'),
        ({"user": "eve", "password": "x"}, '{"user":"eve","password":"<hidden>"}'),
        ([{"api_key": {"deep": "x"}}], '[{"api_key":"<hidden>"}]'),
        (list(range(1000)), "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]"),
    ],
)
def test_an_excerpt_is_short_json_without_secrets(value, text):
    assert excerpt(value) == text


def test_short_text_is_left_alone():
    assert shortened("x" * 80) == "x" * 80
    assert len(shortened("x" * 81)) == 80


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('{"room": "x", "pin": 4711}', '{"room":"x","pin":"<hidden>"}'),
        ('{"room": "x", "door": 4711}', '{"room":"x","door":"<hidden>"}'),
        ('{"pin": 4711', "<hidden>"),
        ('{"room": "x"', '{"room": "x"'),
        ('"\ud800"', '"?"'),
        ("x" * 2_000, "x" * 999 + "…"),
        (
            {"room": "x", "token": 4711, "door": SecretStr("4711"), "more": object},
            '{"room":"x","token":"<hidden>","door":"<hidden>","more":"<class \'object\'>"}',
        ),
        (
            {"account": Account(user="eve", code=SecretStr("4711"))},
            f'{{"account":{HIDDEN_ACCOUNT}}}',
        ),
    ],
)
def test_arguments_are_shown_without_secrets(arguments: Any, text: str):
    assert shown_arguments(arguments, {"door"}) == text


values = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(values)
def test_whatever_is_shown_is_short_and_can_be_sent(value):
    shown = excerpt({"value": value, "password": "correct horse"})
    assert len(shown.encode("utf-8")) <= 4 * 80
    assert "correct horse" not in shown
    assert len(shown_arguments(json.dumps({"value": value}))) <= 1_000
