from __future__ import annotations

import pytest

from rtagent.events import live


@pytest.mark.parametrize(
    ("wire", "model"),
    [
        ({"text": "x"}, live.InputText),
        ({"type": "input_text", "text": "x"}, live.InputText),
        ({"type": "output_text", "text": "x"}, live.OutputText),
        ({"type": "text", "text": "x"}, live.OutputText),
        ({"type": "input_image", "image_url": "data:", "detail": "original"}, live.InputImage),
        ({"type": "input_json", "data": {"a": 1}}, live.InputJson),
        ({"type": "refusal", "refusal": "no"}, live.Refusal),
        ({"type": "input_smell", "of": "roses"}, live.UnknownPart),
    ],
)
def test_kinds_of_part(read_item, wire, model):
    (part,) = read_item({"role": "user", "content": [wire]}).content
    assert type(part) is model
    assert part.model_dump(exclude_unset=True) == wire


def test_parts_that_a_program_builds_say_their_type():
    assert live.Refusal(refusal="no").model_dump(exclude_unset=True) == {"type": "refusal", "refusal": "no"}
    assert live.InputJson(data=[]).model_dump(exclude_unset=True) == {"type": "input_json", "data": []}
