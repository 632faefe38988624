from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from rtagent.tools import Image
from rtagent.tools._rendering import Rendering, capped

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
PNG_URI = "data:image/png;base64,iVBORw0KGgo="


class Place(BaseModel):
    name: str
    code: SecretStr = SecretStr("x")


@dataclass
class Reading:
    at: date
    raw: bytes = b"x"


class Colour(Enum):
    RED = "red"


class Mode(str, Enum):  # noqa: UP042 - its str() is "Mode.DAY"
    DAY = "day"


class Opaque:
    def __str__(self) -> str:
        return "an opaque thing"


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "done"),
        ("", ""),
        ('{"kept": "as it is"}', '{"kept": "as it is"}'),
        (True, "true"),
        (3.5, "3.5"),
        (float("nan"), '"NaN"'),
        ([1, "zwei", None], '[1,"zwei",null]'),
        ({"grün": (1, 2)}, '{"grün":[1,2]}'),
        (Place(name="attic"), '{"name":"attic","code":"**********"}'),
        (Reading(date(2026, 8, 1)), '{"at":"2026-08-01","raw":"x"}'),
        (Colour.RED, '"red"'),
        (Mode.DAY, "day"),
        ({Path("a/b")}, '["a/b"]'),
        (Opaque(), "an opaque thing"),
        ({"thing": Opaque()}, '{"thing":"an opaque thing"}'),
        (CIRCLE, "[[...]]"),
        (["\ud800"], "['\\ud800']"),
        (b"plain text", "plain text"),
        (bytearray(b"plain text"), "plain text"),
        (b"\xff", "data:application/octet-stream;base64,/w=="),
        (b"%PDF-\xff", "data:application/pdf;base64,JVBERi3/"),
        ({"a": b"text"}, '{"a":"text"}'),
        ({"a": b"\xff", "b": Opaque()}, '{"a":"_w==","b":"an opaque thing"}'),
    ],
)
def test_what_is_no_picture_is_text(value, text):
    rendering = Rendering()
    written = rendering.text_of(value)
    assert written == text
    assert type(written) is str
    assert rendering.images == []


@pytest.mark.parametrize(
    ("value", "text", "count"),
    [
        (Image(PNG), "[picture 1 follows: image/png, 8 bytes]", 1),
        (PNG, "[picture 1 follows: image/png, 8 bytes]", 1),
        (JPEG, "[picture 1 follows: image/jpeg, 3 bytes]", 1),
        (
            ["front:", Image(PNG), None, {"n": 1}, JPEG],
            'front:\n[picture 1 follows: image/png, 8 bytes]\n{"n":1}\n[picture 2 follows: image/jpeg, 3 bytes]',
            2,
        ),
        ({"door": Image(PNG)}, '{"door":"[picture 1 follows: image/png, 8 bytes]"}', 1),
        ([{"door": Image(PNG), "raw": b"\xff"}, Opaque()], None, 1),
    ],
)
def test_pictures_stand_beside_the_text(value, text, count):
    rendering = Rendering()
    written = rendering.text_of(value)
    assert text in {None, written}
    assert "[picture 1 follows" in written
    assert len(rendering.images) == count
    assert rendering.images[0] in {PNG_URI, "data:image/jpeg;base64,/9j/"}


def test_more_than_four_pictures_are_left_out():
    rendering = Rendering()
    lines = rendering.text_of([PNG] * 6).splitlines()
    assert lines[3:5] == [
        "[picture 4 follows: image/png, 8 bytes]",
        "[a picture is left out: image/png, 8 bytes, at most 4 can be shown]",
    ]
    assert len(rendering.images) == 4


def test_a_large_picture_is_left_out():
    rendering = Rendering()
    text = rendering.text_of(PNG + bytes(3_000_000))
    assert text == "[a picture is left out: image/png, 3000008 bytes, at most 3000000 can be shown]"
    assert rendering.images == []


@pytest.mark.parametrize(
    ("text", "most", "sent"),
    [
        ("x" * 200, 200, "x" * 200),
        ("x" * 201, 200, "x" * 100 + "\n[cut here: 101 of 201 characters are left out]"),
        ("x" * 201, 0, "\n[cut here: 201 of 201 characters are left out]"),
        ("\ud800ä", 200, "?ä"),
    ],
)
def test_what_is_sent_is_bounded_and_valid(text, most, sent):
    assert capped(text, most) == sent
