from __future__ import annotations

import base64

import pytest

from rtagent.errors import ToolError
from rtagent.tools import Image
from rtagent.tools._images import media_type_of

PNG = b"\x89PNG\r\n\x1a\n rest"
JPEG = b"\xff\xd8\xff\xe0 rest"


@pytest.mark.parametrize(("data", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg")])
def test_a_picture_knows_what_it_is(data, kind):
    image = Image(data)
    assert (image.media_type, image.data) == (kind, data)
    assert image.uri == f"data:{kind};base64,{base64.b64encode(data).decode()}"
    assert repr(image) == f"Image({kind}, {len(data)} bytes)"


@pytest.mark.parametrize("wrapped", ["{}", "data:image/png;base64,{}", "data:;base64,{}\n"])
def test_a_picture_may_be_text(wrapped):
    text = wrapped.format(base64.b64encode(PNG).decode())
    assert Image(text, "image/png").data == PNG


@pytest.mark.parametrize(
    ("data", "media_type", "words"),
    [
        (b"GIF89a", None, "a picture is PNG or JPEG, but these 6 bytes are image/gif"),
        (b"", None, "these 0 bytes are application/octet-stream"),
        (PNG, "image/jpeg", "the picture is image/png, not image/jpeg"),
        ("photo.png", None, "base64 or a data: URI"),
        ("äöü", None, "base64 or a data: URI"),
    ],
)
def test_what_is_no_picture_is_refused(data, media_type, words):
    with pytest.raises(ToolError, match=words):
        Image(data, media_type)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00????", "application/octet-stream"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\x00\x01", "application/octet-stream"),
    ],
)
def test_media_types_by_their_first_bytes(data, kind):
    assert media_type_of(data) == kind
