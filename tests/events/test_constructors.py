from __future__ import annotations

import pytest

from rtagent import events
from rtagent.errors import LocalProtocolError

PNG = b"\x89PNG\r\n\x1a\n\x00"
JPEG = b"\xff\xd8\xff\xe0"


@pytest.mark.parametrize(
    ("item", "wire"),
    [
        (
            events.user_message("a", id="item_1"),
            {
                "type": "message",
                "role": "user",
                "id": "item_1",
                "content": [{"type": "input_text", "text": "a"}],
            },
        ),
        (
            events.system_message("a"),
            {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "a"}]},
        ),
        (
            events.assistant_message("a"),
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
        ),
        (
            events.function_call_output("call_1", ""),
            {"type": "function_call_output", "call_id": "call_1", "output": ""},
        ),
    ],
)
def test_items(item, wire):
    assert item.model_dump(exclude_unset=True, mode="json") == wire


@pytest.mark.parametrize(
    ("data", "url"),
    [
        (PNG, "data:image/png;base64,iVBORw0KGgoA"),
        (JPEG, "data:image/jpeg;base64,/9j/4A=="),
        ("data:image/png;base64,AAAA", "data:image/png;base64,AAAA"),
    ],
)
def test_images(data, url):
    assert events.user_image(data).content == (events.InputImage(image_url=url),)


def test_an_image_with_words():
    message = events.user_image(PNG, text="What is this?", detail="low", id="item_1")
    words, image = message.content
    assert words == events.InputText(text="What is this?")
    assert isinstance(image, events.InputImage)
    assert (image.detail, message.id) == ("low", "item_1")


@pytest.mark.parametrize("data", [b"GIF89a", b"", "https://example.org/a.png"])
def test_what_is_no_image_is_refused(data):
    with pytest.raises(LocalProtocolError, match="PNG or JPEG"):
        events.user_image(data)
