from __future__ import annotations

import threading
from typing import Any

import anyio
import pytest

from rtagent import events
from rtagent.errors import ConfigurationError
from rtagent.tools import McpAnswer, McpQuestion, McpServer, answer_question

QUESTION = McpQuestion("mcpr_1", "files", "read", {"path": "/notes"})


def hosted(**more: Any) -> McpServer:
    return McpServer("files", url="https://mcp.example/sse", **more)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, {"require_approval": "always"}),
        (
            {"authorization": "token", "headers": {"X": "1"}, "description": "My files."},
            {
                "authorization": "token",
                "headers": {"X": "1"},
                "server_description": "My files.",
                "require_approval": "always",
            },
        ),
        (
            {"authorization": lambda: "fresh", "allowed_tools": ("read",), "require_approval": "never"},
            {"authorization": "fresh", "allowed_tools": ["read"], "require_approval": "never"},
        ),
        (
            {"read_only": True, "require_approval": {"never": ("read",), "always": ["write"]}},
            {
                "allowed_tools": {"read_only": True},
                "require_approval": {"never": {"tool_names": ["read"]}, "always": {"tool_names": ["write"]}},
            },
        ),
        (
            {"read_only": False, "allowed_tools": ["read"]},
            {
                "allowed_tools": {"read_only": False, "tool_names": ["read"]},
                "require_approval": "always",
            },
        ),
    ],
)
def test_a_session_is_told_about_it(more: dict[str, Any], told: dict[str, Any]) -> None:
    definition = hosted(**more).definition()
    base = {"type": "mcp", "server_label": "files", "server_url": "https://mcp.example/sse"}
    assert definition == {**base, **told}
    wire = events.McpServerTool.model_validate(definition).model_dump(exclude_unset=True)
    assert wire.keys() == definition.keys()


def test_a_connector_needs_no_url() -> None:
    definition = McpServer("calendar", connector="connector_googlecalendar").definition()
    assert definition["connector_id"] == "connector_googlecalendar"
    assert "server_url" not in definition


def test_secrets_are_not_shown() -> None:
    server = McpServer("a", url="https://me:sesame@x", authorization="sesame", headers={"K": "sesame"})
    assert "sesame" not in repr(server)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"label": "", "url": "https://x"}, "its label is not"),
        ({"label": "a b", "url": "https://x"}, "its label is not"),
        ({"label": "a"}, "either a url or a connector"),
        ({"label": "a", "url": "https://x", "connector": "connector_gmail"}, "either a url or a connector"),
        ({"label": "a", "url": "file:///etc/passwd"}, "its url is not"),
        ({"label": "a", "url": "https://x", "allowed_tools": "read"}, "allowed_tools is a list"),
        ({"label": "a", "url": "https://x", "require_approval": "maybe"}, "require_approval is"),
        ({"label": "a", "url": "https://x", "require_approval": {"often": []}}, "require_approval is"),
        ({"label": "a", "url": "https://x", "approve": "maybe"}, "approve is"),
    ],
)
def test_what_cannot_be_offered_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        McpServer(**given)


def test_a_question_is_read() -> None:
    assert McpQuestion.read("mcpr_1", "files", "read", '{"path": "/notes"}') == QUESTION
    empty = McpQuestion.read("mcpr_1", "files", "read", " ")
    assert empty is not None
    assert empty.arguments == {}


@pytest.mark.parametrize("arguments", ["{", "[1]", '"x"', "null", "[" * 100_000])
async def test_arguments_that_nobody_can_judge_are_no_question(arguments: str) -> None:
    question = McpQuestion.read("mcpr_1", "files", "read", arguments)
    assert question is None
    answer = await answer_question([hosted(approve="always")], question)
    assert (answer.approve, answer.reason) == (False, "the arguments are no JSON object")


def test_an_answer_is_an_item_of_its_own() -> None:
    yes = McpAnswer(approve=True).item("mcpr_1", item_id="item_9")
    assert yes == {
        "type": "mcp_approval_response",
        "id": "item_9",
        "approval_request_id": "mcpr_1",
        "approve": True,
    }
    no = McpAnswer(approve=False, reason="not now").item("mcpr_1", item_id="item_9")
    item = events.McpApprovalResponse.model_validate(no)
    assert (item.id, item.approve, item.reason) == ("item_9", False, "not now")


@pytest.mark.parametrize(
    ("server", "approve"),
    [
        (hosted(approve="always"), True),
        (hosted(approve="never"), False),
        (hosted(), False),
        (hosted(approve="always", allowed_tools=["write"]), False),
        (hosted(approve="always", allowed_tools=["read"]), True),
        (McpServer("other", url="https://x", approve="always"), False),
    ],
)
async def test_an_answer_without_asking(server: McpServer, approve: bool) -> None:
    answer = await answer_question([server], QUESTION)
    assert answer.approve is approve
    assert (answer.reason is None) is approve


@pytest.mark.parametrize(
    ("said", "approve"), [(True, True), (False, False), (1, False), ("yes", False), (None, False)]
)
async def test_only_true_is_a_yes(said: Any, approve: bool) -> None:
    asked: list[McpQuestion] = []
    threads: list[int] = []

    def ask(question: McpQuestion) -> Any:
        asked.append(question)
        threads.append(threading.get_ident())
        return said

    async def ask_async(question: McpQuestion) -> Any:
        return ask(question)

    def ask_later(question: McpQuestion) -> Any:
        return ask_async(question)

    answers = [await answer_question([hosted(approve=way)], QUESTION) for way in (ask, ask_async, ask_later)]
    assert [answer.approve for answer in answers] == [approve] * 3
    assert asked == [QUESTION] * 3
    assert threads[0] != threading.get_ident() == threads[1]


async def test_an_approver_that_fails_has_not_approved(caplog: pytest.LogCaptureFixture) -> None:
    def ask(_: McpQuestion) -> bool:
        raise ValueError("mine")

    answer = await answer_question([hosted(approve=ask)], QUESTION)
    assert (answer.approve, answer.reason) == (False, "approval is not given: asking for it failed")
    assert "the approver of MCP server files failed" in caplog.text


async def test_an_approver_that_does_not_answer_has_not_approved() -> None:
    async def ask(_: McpQuestion) -> bool:
        await anyio.sleep_forever()
        return True

    answer = await answer_question([hosted(approve=ask)], QUESTION, within_s=0.01)
    assert (answer.approve, answer.reason) == (False, "approval is not given: nobody answered in time")
