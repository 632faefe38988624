from __future__ import annotations

from typing import Any

import pytest

from rtagent.errors import ConfigurationError
from rtagent.tools._openapi_document import OpenApiDocument
from rtagent.tools._openapi_operation import Operation, chosen_operations, operations

PATHS = {
    "/pets": {
        "get": {"operationId": "listPets", "summary": " List. ", "description": "All of them."},
        "post": {"summary": "Add."},
        "x-note": {},
    },
    "/pets/{id}": {"delete": {"operationId": "drop.pet"}, "head": "nonsense", "parameters": []},
    7: {"get": {}},
    "/more": {"$ref": "#/paths/~1pets~1{id}"},
}


def document(paths: Any = PATHS, **more: Any) -> OpenApiDocument:
    return OpenApiDocument({"openapi": "3.1.0", "paths": paths, **more})


def one(item: dict[str, Any], shared: Any = (), **more: Any) -> tuple[Operation, OpenApiDocument]:
    whole = document({"/a/{id}": {"get": item, "parameters": shared}}, **more)
    (operation,) = operations(whole)
    return operation, whole


def test_operations_are_found_and_named() -> None:
    found = list(operations(document(), prefix="zoo"))
    assert [(each.method, each.path, each.name) for each in found] == [
        ("GET", "/pets", "zoo_listPets"),
        ("POST", "/pets", "zoo_post_pets"),
        ("DELETE", "/pets/{id}", "zoo_drop_pet"),
        ("DELETE", "/more", "zoo_drop_pet"),
    ]
    assert found[0].description == "List.\nAll of them."
    assert found[0].names == ("listPets", "zoo_listPets", "GET /pets")
    assert found[1].names == ("zoo_post_pets", "POST /pets")


def test_only_what_reads_is_chosen_unless_it_is_named() -> None:
    every = list(operations(document()))
    assert [each.name for each in chosen_operations(every, None)] == ["listPets"]
    assert [each.path for each in chosen_operations(every, ["DELETE /more", "POST /pets"])] == [
        "/pets",
        "/more",
    ]
    assert [each.path for each in chosen_operations(every, ["drop.pet", "drop_pet"])] == ["/pets/{id}"]
    assert chosen_operations(every, []) == []


def test_what_is_not_there_is_named_with_what_is() -> None:
    every = list(operations(document()))
    with pytest.raises(
        ConfigurationError, match=r"no operation 'fly', 'swim' .*listPets, post_pets, drop\.pet"
    ):
        chosen_operations(every, ["fly", "listPets", "swim"])
    with pytest.raises(ConfigurationError, match="its operations are: none"):
        chosen_operations([], ["fly"])
    many = document({f"/{n}": {"get": {}} for n in range(30)})
    with pytest.raises(ConfigurationError, match=r"get_19, …\)$"):
        chosen_operations(list(operations(many)), ["fly"])
    with pytest.raises(ConfigurationError, match=r'only=\["listPets"\]'):
        chosen_operations(every, "listPets")


def test_parameters_are_read() -> None:
    shared = [
        {"name": "id", "in": "path", "schema": {"type": "string"}},
        {"name": "q", "in": "query", "schema": {}},
    ]
    item = {
        "parameters": [
            {"$ref": "#/components/parameters/q"},
            {"name": "id", "in": "query", "schema": {"type": "integer"}, "explode": False},
            {"name": "body", "in": "cookie"},
            {
                "name": "filter",
                "in": "query",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            {"name": "odd", "in": "query", "content": {}},
        ]
    }
    q = {"name": "q", "in": "query", "required": True, "description": "Words.", "schema": {"type": "string"}}
    operation, whole = one(item, shared, components={"parameters": {"q": q}})
    found = {each.argument: each for each in operation.parameters(whole)}
    assert list(found) == ["id", "q", "id_query", "body_cookie", "filter", "odd"]
    assert (found["id"].place, found["id"].required, found["id"].style) == ("path", True, "simple")
    assert found["q"].schema == {"type": "string", "description": "Words."}
    assert (found["q"].required, found["q"].style, found["q"].explode) == (True, "form", True)
    assert (found["id_query"].name, found["id_query"].explode) == ("id", False)
    assert (found["filter"].as_json, found["filter"].schema) == (True, {"type": "object"})
    assert found["odd"].schema == {}


def test_some_headers_are_not_the_model_s() -> None:
    names = ["Authorization", "Cookie", "HOST", "Content-Type", "X-Key", "X-Trace", "a: b\r\nEvil"]
    operation, whole = one({"parameters": [{"name": name, "in": "header", "schema": {}} for name in names]})
    assert [each.name for each in operation.parameters(whole, ["x-key"])] == ["X-Trace"]


def test_a_parameter_in_no_place_is_refused() -> None:
    operation, whole = one({"parameters": [{"name": "a", "in": "body"}]})
    with pytest.raises(ConfigurationError, match="'a' is in no place"):
        operation.parameters(whole)


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (
            {"application/json": {"schema": {"type": "object"}}},
            ({"type": "object"}, "application/json", True),
        ),
        ({"text/plain": {}, "Application/Vnd.X+JSON; v=1": {}}, ({}, "application/vnd.x+json", True)),
        ({"application/json": None}, ({}, "application/json", True)),
    ],
)
def test_a_json_body_is_read(content: Any, body: Any) -> None:
    operation, whole = one({"requestBody": {"$ref": "#/b"}}, b={"content": content, "required": True})
    assert operation.body(whole) == body


def test_without_a_body_there_is_none() -> None:
    operation, whole = one({})
    assert operation.body(whole) is None


@pytest.mark.parametrize("content", [{"text/plain": {}}, {}, None])
def test_another_body_is_refused(content: Any) -> None:
    operation, whole = one({"requestBody": {"content": content}})
    with pytest.raises(ConfigurationError, match="its body is not JSON"):
        operation.body(whole)


def test_the_schema_has_parameters_and_body() -> None:
    item = {
        "parameters": [
            {"name": "id", "in": "path", "schema": {"type": "string"}},
            {"name": "n", "in": "query"},
        ],
        "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}, "required": True},
    }
    operation, whole = one(item)
    assert operation.schema(whole, operation.parameters(whole)) == {
        "type": "object",
        "properties": {"id": {"type": "string"}, "n": {}, "body": {"type": "object"}},
        "additionalProperties": False,
        "required": ["id", "body"],
    }
    operation, whole = one({"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}})
    assert operation.schema(whole, [])["properties"] == {"body": {"type": "object"}}
    assert "required" not in operation.schema(whole, [])
