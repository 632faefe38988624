from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.errors import ConfigurationError, ToolDefinitionError
from rtagent.tools._mcp_names import OfferedTool, ToolChoice, cut_description, provider_name


def offered(*names: str) -> list[OfferedTool]:
    return [OfferedTool(name, "", {"type": "object"}) for name in names]


@pytest.mark.parametrize(
    ("name", "prefix", "told"),
    [
        ("read", "", "read"),
        ("read", "files", "files_read"),
        ("files/read.all", "", "files_read_all"),
        ("a  b", "x y", "x_y_a_b"),
        ("größe", "", "gr_e"),
        ("", "", "_"),
        ("x" * 64, "", "x" * 64),
    ],
)
def test_a_name_is_made_valid(name: str, prefix: str, told: str) -> None:
    assert provider_name(name, prefix) == told


@given(st.text(), st.text(max_size=80))
def test_every_name_is_valid_and_stays_the_same(name: str, prefix: str) -> None:
    told = provider_name(name, prefix)
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", told)
    assert provider_name(name, prefix) == told


def test_long_names_that_begin_alike_stay_apart() -> None:
    first, second = provider_name("x" * 100 + "1"), provider_name("x" * 100 + "2")
    assert first != second
    assert len(first) == len(second) == 64


def test_the_chosen_tools_are_named() -> None:
    choice = ToolChoice(prefix="p", only=["a", "b"], exclude=["b"])
    assert {name: tool.name for name, tool in choice.named(offered("a", "b", "c")).items()} == {"p_a": "a"}


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(
        ToolDefinitionError, match=r"'a\.b' and 'a/b' .* would both be called 'a_b'; .*exclude="
    ):
        ToolChoice().named(offered("a.b", "a/b"))
    assert list(ToolChoice(exclude=["a/b"]).named(offered("a.b", "a/b"))) == ["a_b"]


def test_what_is_asked_for_and_not_offered_is_named() -> None:
    assert ToolChoice(only=["a", "z"]).missing(offered("a", "b")) == ["z"]
    assert ToolChoice().missing(offered("a")) == []


@pytest.mark.parametrize("option", ["only", "exclude"])
def test_one_name_is_no_list_of_names(option: str) -> None:
    choice = {option: "read"}
    with pytest.raises(ConfigurationError, match=rf'{option}=\["read"\]'):
        ToolChoice(**choice)


def test_a_long_description_is_cut() -> None:
    assert cut_description("x" * 1024) == "x" * 1024
    assert cut_description("x" * 1025) == "x" * 1023 + "…"
