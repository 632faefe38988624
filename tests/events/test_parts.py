from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from rtagent import events

PART: TypeAdapter[events.Part] = TypeAdapter(events.Part)


@pytest.mark.parametrize(
    ("wire", "model"),
    [
        ({"type": "input_text", "text": "a"}, events.InputText),
        ({"type": "input_audio", "audio": "AAAA", "transcript": None}, events.InputAudio),
        (
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "huge"},
            events.InputImage,
        ),
        ({"type": "output_text", "text": "a"}, events.OutputText),
        ({"type": "text", "text": "a"}, events.OutputText),
        ({"type": "output_audio", "transcript": "a"}, events.OutputAudio),
        ({"type": "audio", "transcript": "a"}, events.OutputAudio),
        ({"type": "input_video", "frames": [1]}, events.UnknownPart),
        ({}, events.UnknownPart),
    ],
)
def test_each_spelling_has_its_class_and_survives(wire, model):
    part = PART.validate_python(wire)
    assert type(part) is model
    assert part.model_dump(exclude_unset=True) == wire


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (events.OutputText(type="text", text="a"), events.OutputText(text="a")),
        (events.OutputAudio(type="audio", transcript="a"), events.OutputAudio(transcript="a")),
    ],
)
def test_both_spellings_are_equal(one, other):
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize(
    "other",
    [events.OutputText(text="b"), events.InputText(text="a"), events.OutputAudio(transcript="a"), "a"],
)
def test_other_content_is_not_equal(other):
    assert events.OutputText(text="a") != other
