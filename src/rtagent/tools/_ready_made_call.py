"""Tools that many voice agents need: end the call, transfer it, press keys, wait.

Each is made of what acts, such as a method of a telephone line, and checks what the model wrote before
anything happens: whoever talks to the model may have talked it into anything.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

import anyio

from ..errors import ConfigurationError
from ._faults import ArgumentsRefused, Fault, excerpt, shortened
from ._tool import Tool

__all__ = ("end_call", "send_dtmf", "transfer", "wait")

Act: TypeAlias = Callable[[], Awaitable[object] | object]
ActOn: TypeAlias = Callable[[str], Awaitable[object] | object]

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
"""A number with its country code (ITU-T E.164): at most 15 digits, and none shorter than 7 is assigned."""
_NUMBER_SPACING = re.compile(r"[ ().\-/]")
_SIP = re.compile(
    r"(?P<scheme>sips?):(?P<user>[a-z0-9\-_.!~*'()&=+$,%]{1,64})@"
    r"(?P<host>[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?P<port>:[0-9]{1,5})?(?P<transport>;transport=(?:udp|tcp|tls))?",
    re.IGNORECASE | re.ASCII,
)
"""An address of SIP (RFC 3261, section 19.1.1), without headers, passwords and parameters but the transport."""
_DIGITS = "0-9, *, # and A-D"
_NOT_A_DIGIT = re.compile(r"[^0-9*#A-D]")
_MOST_TARGETS = 200
_MARGIN_S = 5.0


def end_call(act: Act, *, name: str = "end_call", description: str | None = None) -> Tool[..., Any]:
    """A tool that ends the call.

    Args:
        act: ends it; it may wait until the goodbye was heard.
        name: what the model calls it.
        description: when it is to be used, instead of the usual words.
    """

    async def end() -> object:
        return await _told(act(), "the call is ended")

    words = (
        "End the call. Use it when the caller has said goodbye or asks to hang up, after you said goodbye."
    )
    return _tool(name, description or words, {}, end)


def transfer(
    act: ActOn,
    *,
    allowed: Sequence[str] | Mapping[str, str],
    name: str = "transfer",
    description: str | None = None,
) -> Tool[..., Any]:
    """A tool that transfers the call, to one of the allowed targets and nowhere else.

    Args:
        act: transfers it; it is given the target as it stands in ``allowed``, never the model's own text.
        allowed: telephone numbers with country code (``+4930123456``) and SIP addresses (``sip:desk@example.com``).
            A mapping names them (``{"sales": "+4930123456"}``): the model then sees the names only.
        name: what the model calls it.
        description: when it is to be used, instead of the usual words.

    Raises:
        ConfigurationError: a target is neither, or there is none.
    """
    targets = _targets(allowed)
    choices = list(targets)

    async def move(to: str) -> object:
        target = targets.get(to) if isinstance(allowed, Mapping) else _among(targets, to)
        if target is None:
            _refuse("to", f"is no allowed target; they are: {', '.join(choices)}", to)
        return await _told(act(target), "the call is transferred")

    words = "Transfer the caller to somebody else. Tell the caller before you do it."
    to = {"type": "string", "description": "Whom to transfer to."}
    # a number may be written with spaces, so only names are a closed choice
    told = {**to, "enum": choices} if isinstance(allowed, Mapping) else {**to, "examples": choices}
    return _tool(name, description or words, {"to": told}, move)


def send_dtmf(
    act: ActOn, *, longest: int = 32, name: str = "send_dtmf", description: str | None = None
) -> Tool[..., Any]:
    """A tool that presses keys, for the menus of other telephone systems.

    Args:
        act: sends the digits (0-9, ``*``, ``#``, A-D).
        longest: how many it may be at once.
        name: what the model calls it.
        description: when it is to be used, instead of the usual words.

    Raises:
        ConfigurationError: ``longest`` is less than 1.
    """
    if longest < 1:
        raise ConfigurationError(f"send_dtmf sends at least one digit, not {longest}")

    async def press(digits: str) -> object:
        if not digits or len(digits) > longest:
            _refuse("digits", f"should be 1 to {longest} of {_DIGITS}", digits)
        if _NOT_A_DIGIT.search(digits):
            _refuse("digits", f"should be only {_DIGITS}", digits)
        return await _told(act(digits), "the keys are pressed")

    words = "Press keys of the telephone, to answer the menu of another telephone system."
    told = {"type": "string", "description": f"The keys: {_DIGITS}.", "minLength": 1, "maxLength": longest}
    return _tool(name, description or words, {"digits": told}, press)


def wait(
    longest_s: float = 60.0,
    *,
    act: Callable[[float], Awaitable[object]] = anyio.sleep,
    name: str = "wait",
    description: str | None = None,
) -> Tool[..., Any]:
    """A tool that waits, for a caller who looks for something. It ends when the caller speaks.

    Args:
        longest_s: how long it may be (seconds).
        act: waits.
        name: what the model calls it.
        description: when it is to be used, instead of the usual words.

    Raises:
        ConfigurationError: ``longest_s`` is no time.
    """
    if not 0 < longest_s < math.inf:
        raise ConfigurationError(f"a wait of at most {longest_s} s is none")

    async def pause(seconds: float) -> str:
        if not 0 < seconds <= longest_s:  # false for what is not a number, too
            _refuse("seconds", f"should be more than 0 and at most {longest_s:g}", seconds)
        await act(seconds)
        return f"{seconds:g} seconds have passed"

    words = "Wait in silence. Use it when the caller asks for a moment."
    told = {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": longest_s,
        "description": "How long, in seconds.",
    }
    return _tool(name, description or words, {"seconds": told}, pause, timeout=longest_s + _MARGIN_S)


def _tool(
    name: str,
    description: str,
    properties: dict[str, Any],
    fn: Callable[..., Awaitable[object]],
    *,
    timeout: float | None = None,
) -> Tool[..., Any]:
    """A tool whose arguments are all required; only a wait, which has a limit of its own, ends early."""
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    if timeout is not None:
        return Tool.from_schema(name, schema, fn, description=description, timeout=timeout)
    return Tool.from_schema(name, schema, fn, description=description, on_interrupt="keep")


def _targets(allowed: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    """The targets by the word that the model uses."""
    if isinstance(allowed, str):
        raise ConfigurationError("the allowed targets are a list", hint=f'allowed=["{allowed}"]')
    named = allowed if isinstance(allowed, Mapping) else {target: target for target in allowed}
    if not 0 < len(named) <= _MOST_TARGETS:
        raise ConfigurationError(f"a transfer has 1 to {_MOST_TARGETS} allowed targets, not {len(named)}")
    targets: dict[str, str] = {}
    for word, target in named.items():
        plain = _plain(target)
        if plain is None:
            message = f"{shortened(target)!r} is neither a number such as +4930123456 nor a SIP address"
            raise ConfigurationError(message)
        targets[word if isinstance(allowed, Mapping) else plain] = plain
    return targets


def _among(targets: Mapping[str, str], asked: str) -> str | None:
    plain = _plain(asked)
    return None if plain is None else targets.get(plain)


def _plain(target: str) -> str | None:
    """A number or an address in its one form; None when it is neither."""
    number = _NUMBER_SPACING.sub("", target)
    if _E164.fullmatch(number):
        return number
    match = _SIP.fullmatch(target)
    if match is None:
        return None
    tail = f"{match['host']}{match['port'] or ''}{match['transport'] or ''}".lower()
    return f"{match['scheme'].lower()}:{match['user']}@{tail}"


def _refuse(field: str, reason: str, got: object) -> NoReturn:
    raise ArgumentsRefused.because([Fault(field, reason, excerpt(got))])


async def _told(result: object, usual: str) -> object:
    """What the model is told: what the act came to, or the usual words when it came to nothing."""
    settled = await result if inspect.isawaitable(result) else result
    return usual if settled is None else settled
