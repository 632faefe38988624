"""Ids within the limits of the protocol."""

from __future__ import annotations

import re

import pytest

from rtagent.session._ids import new_id


@pytest.mark.parametrize("prefix", ["evt", "item", "seven77"])
def test_an_id_is_short_and_plain_and_carries_its_prefix(prefix: str) -> None:
    made = new_id(prefix)
    assert made.startswith(f"{prefix}_")
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,32}", made)


def test_ids_differ() -> None:
    assert len({new_id("evt") for _ in range(1000)}) == 1000
