from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.events._sound import from_base64, to_base64


@given(st.binary())
def test_round_trip(pcm):
    text = to_base64(pcm)
    assert text == base64.b64encode(pcm).decode()
    assert from_base64(text) == pcm


@given(st.binary())
def test_the_alphabet_of_urls_and_missing_padding_are_read_too(pcm):
    assert from_base64(base64.urlsafe_b64encode(pcm).decode().rstrip("=")) == pcm


@pytest.mark.parametrize("text", ["A", "AA=A", "AA AA", "AAAA\n", "ÄÄÄÄ", "====", "%%%"])
def test_what_is_no_base64(text):
    assert from_base64(text) is None


def test_bits_left_over_before_the_padding_are_ignored():
    assert from_base64("AB==") == from_base64("AA==")
