from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.events._sound import from_base64, once, to_base64


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


class Box:
    opened = 0

    @once
    def content(self) -> int:
        self.opened += 1
        return self.opened


def test_a_value_is_worked_out_once_for_each_instance():
    box = Box()
    assert (box.content, box.content, box.opened) == (1, 1, 1)
    assert isinstance(Box.content, once)
    assert Box().content == 1
