from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.errors import ConfigurationError, ToolDefinitionError, ToolError
from rtagent.tools import Tool, ToolOutcome, ToolRegistry, WebGuard, openapi_tools
from tests.tools.web_server import WebServer, answer, json_answer, web_server

pytest.importorskip("httpx")


def spec(**more: Any) -> dict[str, Any]:
    pet = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    by_id = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    limit = {"name": "limit", "in": "query", "description": "How many.", "schema": {"type": "integer"}}
    body = {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
    }
    key = {"name": "X-Api-Key", "in": "header", "required": True, "schema": {"type": "string"}}
    session = {"name": "session", "in": "cookie", "schema": {"type": "string"}}
    return {
        "openapi": "3.1.0",
        "servers": [{"url": "https://pets.example/v1/"}],
        "paths": {
            "/pets": {
                "get": {"operationId": "listPets", "summary": "List pets.", "parameters": [limit, key]},
                "post": {"operationId": "addPet", "summary": "Add a pet.", "requestBody": body},
            },
            "/pets/{id}": {
                "parameters": [by_id, session],
                "get": {"operationId": "getPet", "description": "x" * 2000},
                "delete": {},
            },
        },
        "components": {"schemas": {"Pet": pet}},
        **more,
    }


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    async with web_server() as running:
        yield running


def tools_of(server: WebServer, **more: Any) -> tuple[Tool[..., Any], ...]:
    guard = WebGuard([server.host], allow_private=True)
    return openapi_tools(spec(), **{"base_url": f"{server.url}/v1", "guard": guard, **more})


async def call(tools: Sequence[Tool[..., Any]], name: str, /, **arguments: Any) -> ToolOutcome:
    return await ToolRegistry(tools).call(name, json.dumps(arguments), call_id="call_1")


def test_what_only_reads_is_a_tool() -> None:
    tools = openapi_tools(spec())
    assert [tool.name for tool in tools] == ["listPets", "getPet"]
    assert tools[0].description == "List pets."
    assert len(tools[1].description) == 1024
    assert tools[0].parameters == {
        "type": "object",
        "properties": {
            "limit": {"type": "integer", "description": "How many."},
            "X-Api-Key": {"type": "string"},
        },
        "additionalProperties": False,
        "required": ["X-Api-Key"],
    }


def test_what_changes_something_must_be_named() -> None:
    tools = openapi_tools(
        spec(), only=["addPet", "DELETE /pets/{id}"], prefix="zoo", approval=["zoo_delete_pets_id"], timeout=7
    )
    assert [tool.name for tool in tools] == ["zoo_addPet", "zoo_delete_pets_id"]
    assert [tool.approval for tool in tools] == [False, True]
    assert {tool.timeout for tool in tools} == {7}
    assert tools[0].parameters["properties"]["body"]["required"] == ["name"]
    assert all(tool.approval for tool in openapi_tools(spec(), approval=True))


def test_a_header_that_the_program_sends_is_not_asked_for() -> None:
    tools = openapi_tools(spec(), headers={"x-api-key": "sesame"})
    assert list(tools[0].parameters["properties"]) == ["limit"]
    assert "sesame" not in repr(tools)


@pytest.mark.parametrize(
    ("document", "more", "words"),
    [
        (spec(), {"only": ["fly"]}, "no operation 'fly'"),
        (spec(servers=[]), {}, "give base_url="),
        (spec(), {"base_url": "ftp://a"}, "no plain http or https URL"),
        (spec(), {"base_url": "https://a.example/?x=1"}, "neither query nor fragment"),
        (spec(), {"base_url": "https://me:sesame@a.example"}, "no plain http or https URL"),
        (spec(), {"base_url": "http://127.0.0.1:8080"}, r"in a private network .*allow_private=True"),
        (spec(), {"base_url": "http://169.254.169.254"}, "clouds hand out credentials"),
        (spec(), {"guard": WebGuard(["other.example"])}, "is not allowed"),
        ({"swagger": "2.0"}, {}, "not OpenAPI 3"),
    ],
)
def test_what_cannot_work_is_refused(document: Any, more: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as refused:
        openapi_tools(document, **more)
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        ({"/{id}": {"get": {"operationId": "a"}}}, "a cannot become a tool: its path has no parameter 'id'"),
        ({"/a": {"get": {"parameters": [{"$ref": "x.yaml"}]}}}, "get_a cannot become a tool: the reference"),
        (
            {"/a": {"get": {"operationId": "x.y"}}, "/b": {"get": {"operationId": "x/y"}}},
            "x_y cannot become a tool: two operations would have this name",
        ),
    ],
)
def test_an_operation_that_cannot_be_a_tool_is_named(paths: Any, words: str) -> None:
    with pytest.raises(ToolDefinitionError, match=words):
        openapi_tools(spec(paths=paths))


def places(part: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to all parts of a document."""
    yield way
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in inner:
        yield from places(value, (*way, key))


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["#/paths", "#/components", "path"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | st.just("$ref"), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.sampled_from([way for way in places(spec()) if way]), ANYTHING)
def test_a_document_with_anything_anywhere_gives_tools_or_an_error_of_ours(
    way: tuple[Any, ...], anything: Any
) -> None:
    document = spec()
    part: Any = document
    for key in way[:-1]:
        part = part[key]
    part[way[-1]] = anything
    with suppress(ConfigurationError, ToolDefinitionError):
        for tool in openapi_tools(document, only=["listPets", "addPet", "getPet"]):
            json.dumps(tool.definition())
            with suppress(ToolError):
                tool.arguments.read('{"limit": 1, "X-Api-Key": "k", "id": "x", "body": {"name": [1]}}')


@pytest.mark.network
async def test_a_call_is_a_request(server: WebServer) -> None:
    server.answers["/v1/pets"] = json_answer([{"name": "Tom"}])
    outcome = await call(tools_of(server), "listPets", limit=2, **{"X-Api-Key": "k"})
    assert (outcome.output, outcome.value) == ('[{"name":"Tom"}]', [{"name": "Tom"}])
    (asked,) = server.asked
    assert (asked.method, asked.target, asked.headers["x-api-key"]) == ("GET", "/v1/pets?limit=2", "k")


@pytest.mark.network
async def test_a_body_and_a_cookie_are_sent(server: WebServer) -> None:
    server.answers["/v1/pets"] = answer(204)
    outcome = await call(tools_of(server, only=["addPet"]), "addPet", body={"name": "Tom"})
    assert (outcome.ok, outcome.output) == (True, "done")
    assert server.asked[0].body == b'{"name":"Tom"}'
    assert server.asked[0].headers["content-type"] == "application/json"
    server.answers["/v1/pets/Tom%20%26%20Co"] = answer(body=b"found")
    found = await call(tools_of(server), "getPet", id="Tom & Co", session="a;b")
    assert found.output == "found"
    assert server.asked[1].headers["cookie"] == "session=a%3Bb"


@pytest.mark.network
async def test_a_body_that_json_does_not_have_is_not_sent(server: WebServer) -> None:
    (add,) = tools_of(server, only=["addPet"])
    body = {"name": "Tom", "age": float("nan")}
    with pytest.raises(ToolError, match="body: holds a number that JSON does not have"):
        await add(body=body)
    assert not (await call([add], "addPet", body=body)).ok
    assert server.asked == []


@pytest.mark.network
async def test_headers_of_the_program_go_before_those_of_the_model(server: WebServer) -> None:
    asked: list[int] = []

    async def fresh() -> dict[str, str]:
        asked.append(1)
        return {"X-API-KEY": f"ours {len(asked)}", "Authorization": "Bearer sesame"}

    server.answers["/v1/pets"] = answer(body=b"ok")
    tools = tools_of(server, headers=fresh)
    for _ in range(2):
        await call(tools, "listPets", **{"X-Api-Key": "the model's"})
    assert [each.headers["x-api-key"] for each in server.asked] == ["ours 1", "ours 2"]
    assert server.asked[0].headers["authorization"] == "Bearer sesame"


@pytest.mark.network
@pytest.mark.parametrize("value", ["../admin", "..%2fadmin", "%2e%2e", "a/b", "..", "a\r\nX: y"])
async def test_no_value_leads_out_of_its_place(server: WebServer, value: str) -> None:
    outcome = await call(tools_of(server), "getPet", id=value)
    assert outcome.kind == "failed"
    assert "may not be empty" in outcome.output
    assert server.asked == []


@pytest.mark.network
async def test_unknown_and_wrong_arguments_are_refused(server: WebServer) -> None:
    assert (await call(tools_of(server), "getPet")).kind == "bad_arguments"
    assert (await call(tools_of(server), "getPet", id="a", url="http://evil")).kind == "bad_arguments"
    assert (await call(tools_of(server), "listPets", limit="many")).kind == "bad_arguments"
    assert server.asked == []


@pytest.mark.network
async def test_what_the_server_refuses_is_told_in_its_words(server: WebServer) -> None:
    server.answers["/v1/pets/1"] = json_answer({"detail": "too old"}, 422)
    outcome = await call(tools_of(server), "getPet", id="1")
    assert (outcome.kind, outcome.error) == ("failed", 'the server answers 422: {"detail": "too old"}')
    assert (await call(tools_of(server), "getPet", id="2")).error == "the server answers 404: no such thing"
    server.answers["/v1/pets/3"] = answer(500, b"x" * 5000)
    assert len((await call(tools_of(server), "getPet", id="3")).output) < 500


@pytest.mark.network
async def test_a_long_answer_is_refused(server: WebServer) -> None:
    server.answers["/v1/pets/1"] = answer(body=b"x" * 100)
    outcome = await call(tools_of(server, max_bytes=99), "getPet", id="1")
    assert outcome.error == "the answer is longer than 99 bytes"


@pytest.mark.network
async def test_a_redirect_to_elsewhere_is_refused(server: WebServer) -> None:
    server.answers["/v1/pets/1"] = answer(302, Location="http://169.254.169.254/latest/meta-data/")
    outcome = await call(tools_of(server, headers={"Authorization": "Bearer sesame"}), "getPet", id="1")
    assert outcome.kind == "failed"
    assert "is not allowed" in outcome.output


async def test_a_default_guard_lets_nothing_inside() -> None:
    """The document names a public host; its name server leads to this machine."""
    guard = WebGuard(["pets.example"], resolve=inside)
    outcome = await call(openapi_tools(spec(), guard=guard), "getPet", id="1")
    assert (
        outcome.error
        == "the host pets.example is not allowed: 127.0.0.1 is on this machine or in a private network"
    )


async def inside(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def test_an_address_of_ipv6_is_a_host_too() -> None:
    tools = openapi_tools(spec(), base_url="https://[2606:4700::1111]:8443/v1")
    assert len(tools) == 2
