"""What is wrong with the arguments of a call, in words that let the model repair them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import ToolError
from ._secrets import HIDDEN, excerpt, mentions_secret, shortened

__all__ = ("MOST_EXAMINED", "ArgumentsRefused", "Fault", "bad_json", "excerpt", "shortened")

_REASON_CHARS = 300
_MOST_FAULTS = 16
MOST_EXAMINED = 500
"""How many faults are looked at: a list of a hundred thousand wrong numbers would take a second."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One argument that cannot be used."""

    field: str
    """The way to the value, such as ``rooms[2].name``; empty for the arguments as a whole."""
    reason: str
    """What was expected."""
    got: str | None = None
    """The head of what came, as JSON; None when nothing came."""

    def __str__(self) -> str:
        text = f"{self.field}: {self.reason}" if self.field else self.reason
        return text if self.got is None else f"{text} (got {self.got})"

    def to_dict(self) -> dict[str, str]:
        """The fault as the model reads it."""
        said = {"field": self.field, "reason": self.reason}
        return said if self.got is None else {**said, "got": self.got}


class ArgumentsRefused(ToolError):
    """The arguments of a call cannot be used."""

    def __init__(
        self, kind: Literal["bad_json", "bad_arguments"], message: str, faults: Sequence[Fault] = ()
    ) -> None:
        self.kind: Literal["bad_json", "bad_arguments"] = kind
        self.message = message
        self.faults = tuple(faults)
        super().__init__("; ".join([message, *map(str, self.faults)]))

    @classmethod
    def because(cls, faults: Sequence[Fault]) -> ArgumentsRefused:
        """The refusal of one or more arguments."""
        count = len(faults)
        message = "1 argument cannot be used" if count == 1 else f"{count} arguments cannot be used"
        if count >= MOST_EXAMINED:
            message = f"at least {message}"
        if count > _MOST_FAULTS:
            message = f"{message}, the first {_MOST_FAULTS} are listed"
        return cls("bad_arguments", message, [_bounded(fault) for fault in faults[:_MOST_FAULTS]])


def bad_json(arguments: str, reason: str, hidden: Collection[str] = ()) -> ArgumentsRefused:
    """The refusal of text that is no JSON; the reason says where it goes wrong."""
    got = HIDDEN if mentions_secret(shortened(arguments), hidden) else shortened(arguments)
    message = f"the arguments are not valid JSON: {reason} (got {got})"
    return ArgumentsRefused("bad_json", message)


def _bounded(fault: Fault) -> Fault:
    return Fault(shortened(fault.field, _REASON_CHARS), shortened(fault.reason, _REASON_CHARS), fault.got)
