from __future__ import annotations

from base64 import b64encode
from types import SimpleNamespace
from typing import Any

import pytest

from rtagent.errors import ToolError
from rtagent.tools import McpResult, ToolOutcome
from rtagent.tools._mcp_result import result_of


def part(kind: str, **fields: Any) -> Any:
    return SimpleNamespace(type=kind, **fields)


def answer(*content: Any, structured: Any = None, is_error: bool = False) -> Any:
    return SimpleNamespace(content=list(content), structured_content=structured, is_error=is_error)


def test_text_is_joined_by_lines() -> None:
    result = result_of(answer(part("text", text="one"), part("text", text="two")))
    assert isinstance(result, McpResult)
    assert (result, result.structured) == ("one\ntwo", None)


PNG = b"\x89PNG\r\n\x1a\nrest"


def test_pictures_stay_where_they_were() -> None:
    picture = part("image", mime_type="image/png", data=b64encode(PNG).decode())
    assert result_of(answer(part("text", text="a dot"), picture)) == ["a dot", PNG]
    assert result_of(answer(picture, structured={"n": 1})) == [PNG]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (part("audio", mime_type="audio/wav", data="QUJD"), "[audio: audio/wav, 3 bytes]"),
        (part("resource", resource=SimpleNamespace(uri="file:///a", text="inside")), "inside"),
        (part("image", mime_type="image/gif", data="R0lGODlh"), "[image: image/gif, 6 bytes]"),
        (part("image", mime_type="image/png", data="QQ"), "[image: image/png, which is not valid base64]"),
        (
            part("image", mime_type="image/png", data="\u00e4"),
            "[image: image/png, which is not valid base64]",
        ),
        (part("resource", resource=SimpleNamespace(uri="file:///a", blob="QUI=")), "[resource: file:///a]"),
        (part("resource_link", uri="file:///big"), "[resource: file:///big]"),
        (part("hologram"), "[hologram]"),
    ],
)
def test_what_is_no_text_is_said_in_text(content: Any, text: str) -> None:
    assert result_of(answer(content)) == text


def test_structured_content_stands_for_missing_text() -> None:
    alone = result_of(answer(structured={"degrees": 21}))
    assert isinstance(alone, McpResult)
    assert alone == '{"degrees":21}'
    assert alone.structured == {"degrees": 21}
    assert result_of(answer(part("text", text="mild"), structured={"degrees": 21})) == "mild"


def test_an_answer_of_nothing_is_empty_text() -> None:
    assert result_of(answer()) == ""


def test_a_failure_is_an_error_in_the_server_s_words() -> None:
    with pytest.raises(ToolError, match=r"^no such city$"):
        result_of(answer(part("text", text="no such city"), is_error=True))
    with pytest.raises(ToolError, match="did not say why"):
        result_of(answer(is_error=True))


def test_the_outcome_of_a_call_has_the_text_and_keeps_the_rest_as_its_value() -> None:
    outcome = ToolOutcome.success(McpResult("mild", structured=[1]))
    assert outcome.output == "mild"
    assert outcome.value.structured == [1]
