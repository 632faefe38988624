from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.errors import ToolError
from rtagent.tools._openapi_operation import Parameter, Place
from rtagent.tools._openapi_request import cookie_header, filled_path, header_values, path_problem, query_text


def parameter(place: Place, name: str = "p", **more: Any) -> Parameter:
    style = "form" if place in {"query", "cookie"} else "simple"
    return Parameter(name, name, place, {}, **{"style": style, "explode": style == "form", **more})


def path_of(value: Any, **more: Any) -> str:
    return filled_path("/a/{p}/b", [parameter("path", **more)], {"p": value})


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("cat", "/a/cat/b"),
        (7, "/a/7/b"),
        (True, "/a/true/b"),
        (None, "/a/null/b"),
        ("a b", "/a/a%20b/b"),
        ("a?b#c", "/a/a%3Fb%23c/b"),
        ("a;b=c", "/a/a%3Bb%3Dc/b"),
        ("100%", "/a/100%25/b"),
        ("a%20b", "/a/a%2520b/b"),
        ("größe", "/a/gr%C3%B6%C3%9Fe/b"),
        ("...", "/a/.../b"),
        ("..a", "/a/..a/b"),
        ("@", "/a/%40/b"),
        ("\ud800", "/a/%3F/b"),
        ([1, "x"], "/a/1%2Cx/b"),
        ({"k": 1}, "/a/k%2C1/b"),
    ],
)
def test_a_value_is_encoded_into_its_segment(value: Any, path: str) -> None:
    assert path_of(value) == path


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "..",
        "../admin",
        "..\\admin",
        "a/b",
        "/",
        "a\\b",
        "%2e%2e",
        "%2E%2E",
        ".%2e",
        "%252e%252e",
        "%25252e%25252e",
        "%2e%2e%2fadmin",
        "a%2fb",
        "a%5cb",
        "a%252fb",
        "a%25252fb",
        "a\x00b",
        "a%00b",
        "a\r\nb",
        "a%0d%0ab",
        "\x7f",
        ["..", "/"],
        ["/"],
        {"/": 1},
        "%" + "25" * 12 + "41",
    ],
)
def test_a_value_that_could_leave_its_segment_is_refused(value: Any) -> None:
    with pytest.raises(ToolError, match=r"^p: "):
        path_of(value)


@given(st.text(min_size=1))
def test_whatever_is_sent_stays_in_its_segment(value: str) -> None:
    try:
        path = path_of(value)
    except ToolError:
        return
    split = urlsplit(f"https://a.example{path}?q")
    assert split.path == path
    assert (split.query, split.fragment) == ("q", "")
    segment = path.removeprefix("/a/").removesuffix("/b")
    for _ in range(4):
        assert "/" not in segment
        assert segment not in {"", ".", ".."}
        segment = unquote(segment)


def test_an_object_in_a_path_can_be_spread() -> None:
    assert path_of({"k": 1, "l": "x"}, explode=True) == "/a/k%3D1%2Cl%3Dx/b"


def test_several_values_in_one_path() -> None:
    parameters = [parameter("path", "x"), parameter("path", "y"), parameter("query", "q")]
    assert filled_path("/{x}/{y}.json", parameters, {"x": "{y}", "y": 2, "q": 3}) == "/%7By%7D/2.json"


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/a/{p}", None),
        ("/", None),
        ("/a/{x}/{y}", "its path has no parameter 'x', 'y'"),
        ("a/{p}", "its path 'a/{p}' is none"),
        ("/a?x={p}", "its path '/a?x={p}' is none"),
        ("/a#b", "its path '/a#b' is none"),
        ("/a b", "its path '/a b' is none"),
    ],
)
def test_paths_that_can_be_filled(path: str, problem: str | None) -> None:
    assert path_problem(path, [parameter("path"), parameter("query", "x")]) == problem


@pytest.mark.parametrize(
    ("value", "more", "query"),
    [
        ("a b&c=d", {}, "p=a%20b%26c%3Dd"),
        (1.5, {}, "p=1.5"),
        (False, {}, "p=false"),
        (None, {}, ""),
        ([1, "a&b"], {}, "p=1&p=a%26b"),
        ([1, "a,b"], {"explode": False}, "p=1,a%2Cb"),
        ([1, 2], {"explode": False, "style": "pipeDelimited"}, "p=1%7C2"),
        ([1, 2], {"explode": False, "style": "spaceDelimited"}, "p=1%202"),
        ({"k": "a&b", "l&m": 2}, {}, "k=a%26b&l%26m=2"),
        ({"k": 1, "l": 2}, {"explode": False}, "p=k,1,l,2"),
        ({"k": 1, "x]": 2}, {"style": "deepObject"}, "p%5Bk%5D=1&p%5Bx%5D%5D=2"),
        ({"k": [1]}, {"as_json": True}, "p=%7B%22k%22%3A%5B1%5D%7D"),
        ("x", {"as_json": True}, "p=%22x%22"),
        ([], {}, ""),
    ],
)
def test_a_query_is_written(value: Any, more: dict[str, Any], query: str) -> None:
    assert query_text([parameter("query", **more)], {"p": value}) == query


def test_what_is_not_given_is_not_in_the_query() -> None:
    assert (
        query_text(
            [parameter("query"), parameter("query", "a&b"), parameter("path", "x")], {"a&b": 1, "x": 2}
        )
        == "a%26b=1"
    )


@given(st.text())
def test_a_value_adds_no_further_pair(value: str) -> None:
    query = query_text([parameter("query")], {"p": value})
    sent = value.encode("utf-8", "replace").decode()
    assert parse_qsl(query, keep_blank_values=True) == [("p", sent)]


def test_headers_are_written() -> None:
    parameters = [
        parameter("header", "X-A"),
        parameter("header", "X-B"),
        parameter("header", "X-C"),
        parameter("query", "q"),
    ]
    arguments = {"X-A": " yes ", "X-B": [1, 2], "q": "no"}
    assert header_values(parameters, arguments) == {"X-A": "yes", "X-B": "1,2"}


@pytest.mark.parametrize("value", ["a\r\nEvil: 1", "a\nb", "a\x00", "ä", "\u2028", ["a", "b\r\n"]])
def test_a_value_that_could_end_its_header_is_refused(value: Any) -> None:
    with pytest.raises(ToolError, match="X-A: only printable ASCII"):
        header_values([parameter("header", "X-A")], {"X-A": value})


def test_cookies_are_written_and_add_no_other() -> None:
    parameters = [parameter("cookie", "a"), parameter("cookie", "b c"), parameter("cookie", "d")]
    assert cookie_header(parameters, {"a": "1; admin=1", "b c": [1, 2]}) == "a=1%3B%20admin%3D1; b%20c=1%2C2"
    assert cookie_header(parameters, {}) is None
