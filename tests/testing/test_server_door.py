"""Where clients come in."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from rtagent.testing import Refuse
from rtagent.testing._server_door import listening, refusal
from rtagent.testing._server_link import SocketLink

Came = list[tuple[str, Mapping[str, str]]]


async def test_a_client_is_let_in_by_any_path() -> None:
    came: Came = []

    async def play(link: SocketLink, path: str, headers: Mapping[str, str]) -> None:
        came.append((path, headers))
        await link.send("hello")

    async with listening(lambda: None, play) as address:
        async with connect(f"{address}/some/realtime?model=x", additional_headers={"X-Y": "z"}) as client:
            assert await client.recv() == "hello"
            assert client.subprotocol is None
            assert client.protocol.extensions == []
    ((path, headers),) = came
    assert path == "/some/realtime?model=x"
    assert headers["x-y"] == "z"


@pytest.mark.parametrize(
    ("offered", "chosen"), [(["realtime", "openai-insecure-api-key.k"], "realtime"), (["other"], None)]
)
async def test_the_subprotocol_of_browsers_is_chosen(offered: list[str], chosen: str | None) -> None:
    async def play(link: SocketLink, path: str, headers: Mapping[str, str]) -> None:
        await link.send(path)

    async with listening(lambda: None, play) as address:
        async with connect(address, subprotocols=[Subprotocol(name) for name in offered]) as client:
            assert client.subprotocol == chosen


@pytest.mark.parametrize(
    "order", [Refuse(429, {"Retry-After": "7"}, "later"), Refuse(401), Refuse(599, body="é")]
)
async def test_a_client_is_refused(order: Refuse) -> None:
    async def play(link: SocketLink, path: str, headers: Mapping[str, str]) -> None:
        raise AssertionError

    async with listening(lambda: order, play) as address:
        with pytest.raises(InvalidStatus) as caught:
            await connect(address)
    response = caught.value.response
    assert response.status_code == order.status
    assert response.body == order.body.encode()
    assert {name: response.headers[name] for name in order.headers} == order.headers


@pytest.mark.parametrize(("status", "retryable"), [(503, True), (429, True), (401, False), (404, False)])
def test_in_memory_the_refusal_is_what_dialling_raises(status: int, retryable: bool) -> None:
    error = refusal(Refuse(status))
    assert (error.status, error.retryable) == (status, retryable)


def test_in_memory_too_the_answer_says_why_and_for_how_long() -> None:
    body = '{"error": {"code": "insufficient_quota", "message": "no"}}'
    error = refusal(Refuse(429, {"Retry-After": "7"}, body))
    assert (error.code, error.retry_after_s) == ("insufficient_quota", 7.0)
