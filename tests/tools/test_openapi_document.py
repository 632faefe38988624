from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from rtagent.errors import ConfigurationError
from rtagent.tools._openapi_document import OpenApiDocument


def document(**more: Any) -> OpenApiDocument:
    return OpenApiDocument({"openapi": "3.1.0", **more})


@pytest.mark.parametrize("version", ["3.0.0", "3.0.4", "3.1.1", "3.1"])
def test_versions_that_are_read(version: str) -> None:
    read = OpenApiDocument.load({"openapi": version, "paths": {"/a": {}}})
    assert (read.version, read.paths) == (version, {"/a": {}})


@pytest.mark.parametrize(
    "root",
    [{}, {"openapi": "2.0"}, {"openapi": "3.2.0"}, {"openapi": 3.1}, {"swagger": "2.0"}, {"openapi": "3.10"}],
)
def test_versions_that_are_not(root: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"not OpenAPI 3\.0 or 3\.1"):
        OpenApiDocument.load(root)


def test_paths_that_are_none_are_empty() -> None:
    assert document(paths=None).paths == {}


def test_a_document_is_text_or_a_file(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    as_json = json.dumps({"openapi": "3.1.0", "paths": {}})
    as_yaml = "openapi: 3.1.0\npaths: {}\n"
    files = {"a.json": as_json, "a.yaml": as_yaml}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    for spec in (
        as_json,
        f"  {as_json}",
        as_yaml,
        tmp_path / "a.json",
        tmp_path / "a.yaml",
        str(tmp_path / "a.yaml"),
    ):
        assert OpenApiDocument.load(spec).version == "3.1.0"


def test_yaml_makes_no_objects() -> None:
    pytest.importorskip("yaml")
    with pytest.raises(ConfigurationError, match="no valid YAML"):
        OpenApiDocument.load("openapi: 3.1.0\nx: !!python/object/apply:os.system ['true']\n")


def test_without_the_package_yaml_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(
        ConfigurationError, match=r'pip install "rtagent\[openapi\]", or give the document as JSON'
    ):
        OpenApiDocument.load("openapi: 3.1.0\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no valid JSON"),
        ("{" * 100_000, "no valid JSON"),
        ("a: [\n", "no valid YAML"),
        ("- a\n", "is no object"),
    ],
)
def test_text_that_is_no_document(text: str, words: str) -> None:
    pytest.importorskip("yaml")
    with pytest.raises(ConfigurationError, match=words):
        OpenApiDocument.load(text)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with (tmp_path / "huge").open("wb") as huge:
        huge.truncate(20_000_001)
    for name in ("missing", "binary", "huge"):
        with pytest.raises(ConfigurationError, match=r"cannot be read|is longer than"):
            OpenApiDocument.load(tmp_path / name)


def test_references_are_followed() -> None:
    parts = document(components={"a/b": {"~x": [{"deep": 1}]}, "to": {"$ref": "#/components/a~1b/~0x/0"}})
    assert parts.at("#/components/a~1b/~0x/0/deep") == 1
    assert parts.follow({"$ref": "#/components/to"}) == {"deep": 1}
    assert parts.follow({"plain": 1}) == {"plain": 1}
    assert parts.at("#/components/a%7E1b/%7E0x/0") == {"deep": 1}


@pytest.mark.parametrize(
    "reference",
    [
        "#/missing",
        "#/list/9",
        "#/list/x",
        "#/text/a",
        "#/number/a",
        "other.yaml#/a",
        "https://evil.example/a",
        "#",
        "",
        None,
        7,
    ],
)
def test_references_that_lead_nowhere_or_out(reference: Any) -> None:
    parts = document(list=[1], text="abc", number=1)
    with pytest.raises(ConfigurationError, match=r"leads (nowhere|out of)"):
        parts.follow({"$ref": reference})


def test_references_in_circles_and_to_no_object() -> None:
    parts = document(a={"$ref": "#/b"}, b={"$ref": "#/a"}, text="abc")
    with pytest.raises(ConfigurationError, match="round in circles"):
        parts.follow({"$ref": "#/a"})
    with pytest.raises(ConfigurationError, match="where an object should be"):
        parts.follow({"$ref": "#/text"})


def test_the_server_is_the_first_with_its_defaults() -> None:
    server = {
        "url": "https://{region}.example/{v}",
        "variables": {"region": {"default": "eu"}, "v": {"default": 2}, "x": 1},
    }
    assert document(servers=[server, {"url": "https://other"}]).server() == "https://eu.example/2"


@pytest.mark.parametrize(
    "servers", [None, [], [{}], [{"url": "/v1"}], ["https://a"], [{"url": "ftp://a"}], {}]
)
def test_no_server_with_an_absolute_url(servers: Any) -> None:
    with pytest.raises(ConfigurationError, match="give base_url="):
        document(servers=servers).server()
