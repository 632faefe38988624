from __future__ import annotations

import io
from typing import Any

import pytest

from rtagent.tools import Tool, ToolContext, ask_aloud, ask_on_terminal, tool
from rtagent.tools._ask import _shown, _spoken, is_yes


@tool
def send_money(amount: int, to_whom: str = "") -> None: ...


CONTEXT: ToolContext[Any] = ToolContext(session=None, call_id="c1", name="send_money")


class Terminal(io.StringIO):
    def __init__(self, typed: str, *, tty: bool = True) -> None:
        super().__init__(typed)
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty


class Desk:
    """Gives this answer."""

    def __init__(self, answer: str | None) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    async def ask(self, *about: Any) -> str | None:
        self.asked.append(about)
        return self.answer


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("Yes.", True),
        ("yes please", True),
        ("Yeah, sure, go ahead!", True),
        ("OK, do it", True),
        ("Ja, bitte.", True),
        ("¡Sí, claro!", True),
        ("No.", False),
        ("", False),
        ("…", False),
        ("please", False),
        ("Yes?", False),
        ("yes no", False),
        ("Yes, but not now.", False),
        ("yes I think so maybe", False),
        ("Sure, tell me first what it costs", False),
        ("yes yes yes yes yes yes yes", False),
        ("eyes", False),
    ],
)
def test_only_a_clear_yes_is_one(text, yes):
    assert is_yes(text) is yes


@pytest.mark.parametrize(
    ("typed", "tty", "approved"),
    [
        ("y\n", True, True),
        ("Yes\n", True, True),
        ("\n", True, False),
        ("n\n", True, False),
        ("y\n", False, False),
    ],
)
def test_on_the_terminal_it_is_asked_by_its_name_and_arguments(typed, tty, approved, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", Terminal(typed, tty=tty))
    assert ask_on_terminal(send_money, {"amount": 5, "to_whom": "Ada"}, CONTEXT) is approved
    asked = 'send_money(amount=5, to_whom="Ada") asks for approval [y/N] '
    assert capsys.readouterr().err == (asked if tty else "")


@pytest.mark.parametrize(
    ("arguments", "options", "asked"),
    [
        ({"amount": 5, "to_whom": "Ada"}, {}, "Shall I send money, amount 5, to whom Ada?"),
        ({}, {"within_s": 3.0}, "Shall I send money?"),
        ({}, {"question": "Really?"}, "Really?"),
    ],
)
async def test_aloud_the_next_turn_decides(arguments, options, asked):
    desk: Any = Desk("Yes, please.")
    context: ToolContext[Any] = ToolContext(session=None, call_id="c1", name="n", desk=desk)
    assert await ask_aloud(send_money, arguments, context, **options)
    assert desk.asked == [("c1", asked, options.get("within_s", 20.0))]


@pytest.mark.parametrize("answer", [None, "Well."])
async def test_aloud_everything_else_is_a_no(answer):
    desk: Any = Desk(answer)
    context: ToolContext[Any] = ToolContext(session=None, call_id="c1", name="n", desk=desk)
    assert not await ask_aloud(send_money, {}, context)
    assert not await ask_aloud(send_money, {}, CONTEXT)


def unlock(door: str, pin: str) -> None:
    """Unlock a door."""


def test_what_is_secret_is_not_asked_about() -> None:
    locked = Tool.from_function(unlock)
    arguments = {"door": "front", "pin": "4711"}
    assert _spoken(locked, arguments) == "Shall I unlock, door front?"
    assert _shown(locked, arguments) == 'door="front", pin=<hidden>'
