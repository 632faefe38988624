"""When to dial again, and when to give a session up (protocol document, rules K1 and K8).

Theory of operation. An *outage* begins when a connection is lost and ends when a later one has proved
itself by living for ``proven_after_s``: a handshake that succeeds and dies at once is one more failure
of the same outage. Everything here is a value: the shell measures the time, draws the random number,
keeps the ``Outage`` and asks ``next_step`` after each failure. Per outage, the shell

1. asks ``next_step(outage, verdict, loss, draw)`` and stops on ``GiveUp``;
2. on ``Again`` keeps its ``outage``, sleeps ``delay_s`` and dials for at most ``within_s``;
3. after a failed dial goes on with ``outage.failed(elapsed_s)``; after a connection that was lost, with
   ``policy.after_connection(outage, ...)``, which also tells an old outage from a new one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from math import inf

from ..errors import ConfigurationError
from ..protocol import Loss, Verdict

__all__ = ("Again", "GiveUp", "Outage", "ReconnectPolicy")

_LATER_AT_LEAST_S = 1.0
_CLOSING_S = 2.0
"""What closing a connection may take whose other end is gone."""
_DOUBLINGS = 64
"""More would leave the range of a float and change nothing."""


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage so far."""

    attempts: int = 0
    """Dials that failed, and connections that died before they had proved themselves."""
    once_used: bool = False
    """Whether the one more try is spent that some causes allow."""
    elapsed_s: float = 0.0
    """How long it has lasted."""

    def failed(self, elapsed_s: float) -> Outage:
        """The outage after one more attempt that failed.

        Args:
            elapsed_s: how long the outage has lasted now; it never gets shorter.
        """
        return replace(self, attempts=self.attempts + 1, elapsed_s=max(elapsed_s, self.elapsed_s))


@dataclass(frozen=True, slots=True)
class Again:
    """Dial once more."""

    delay_s: float
    """How long to wait before it."""
    within_s: float
    """How long the dial may take: then the outage has used up its time."""
    outage: Outage
    """To be kept for the next question."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Dial no more."""

    why: str
    """For the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconnectPolicy:
    """How a session behaves when its connection is lost.

    Raises:
        ConfigurationError: a value that cannot work; all of them are named together.
    """

    max_attempts: int = 8
    """How many attempts in a row may fail before the session is given up (K1); 0 never dials again."""
    budget_s: float = 60.0
    """How long one outage may last, in seconds (K1)."""
    first_delay_s: float = 0.25
    """The longest wait before the first dial, in seconds; it doubles with each failure."""
    max_delay_s: float = 8.0
    """The longest wait before any dial, in seconds, unless the server asks for a longer one."""
    jitter: float = 1.0
    """How much of a wait is drawn at random: 0 always waits the longest, 1 anything from 0 up to that."""
    proven_after_s: float = 5.0
    """How long a connection must live to end the outage, in seconds (K8); one that dies earlier has failed."""
    keep_speech_s: float = 30.0
    """How much of the user's speech is kept to be said again, in seconds (K4); 0 keeps none."""
    replay_tokens: int = 16_000
    """How much of the history a new connection is told, in estimated tokens (K3); 0 tells nothing."""
    replay_age_s: float | None = 3_600.0
    """How old what it is told may be, in seconds (K3); None sets no limit."""
    resume_answers: bool = True
    """Whether an answer that was cut off is asked for again (K5)."""
    renew_before_s: float = 300.0
    """How long before its known end a connection is replaced, in seconds (K6); 0 waits for the end."""
    ping_interval_s: float = 10.0
    """Time between keepalive pings, in seconds."""
    ping_timeout_s: float = 10.0
    """How long a pong may take before the connection counts as lost (1011), in seconds."""

    def __post_init__(self) -> None:
        """Check every field, and name all problems together."""
        problems = [
            f"{field.name} is {value!r}, and must be {_ALLOWED[field.name]}"
            for field in fields(self)
            if not _is(value := getattr(self, field.name), _ALLOWED[field.name])
        ]
        if problems:
            raise ConfigurationError("ReconnectPolicy: " + "; ".join(problems))

    @property
    def deaf_s(self) -> float:
        """For how long a connection may be dead before that is noticed, in seconds."""
        return self.ping_interval_s + self.ping_timeout_s + _CLOSING_S

    def after_connection(self, outage: Outage, *, lived_s: float, elapsed_s: float) -> Outage:
        """The outage after a connection was lost: a new one, if that connection had ended the old one.

        Args:
            outage: the one before, or ``Outage()`` when there was none.
            lived_s: how long the connection lived after its session was open.
            elapsed_s: how long the outage has lasted if the connection did not end it.
        """
        return Outage() if lived_s >= self.proven_after_s else outage.failed(elapsed_s)

    def next_step(self, outage: Outage, verdict: Verdict, loss: Loss, draw: float) -> Again | GiveUp:
        """What to do after a loss.

        The wait is drawn from all of ``0 .. ceiling`` (full jitter), so that the clients of a server that
        restarts do not come back together. It takes at most half of the time that is left, to leave the
        other half for the dial; what the server asks for goes before that.

        Args:
            outage: what failed before, this loss included.
            verdict: what the loss means.
            loss: the loss itself, for its ``retry_after_s`` and its words.
            draw: a random number, 0 <= draw < 1.
        """
        left_s = self.budget_s - outage.elapsed_s
        if verdict.outlook == "stop" or (verdict.outlook == "once" and outage.once_used):
            return GiveUp(verdict.why)
        if outage.attempts >= self.max_attempts:
            return GiveUp(self._too_often(outage, loss))
        if left_s <= 0:
            return GiveUp(
                f"no connection came about within {self.budget_s:g} s; the last: {loss.description}"
            )
        asked_s = max(0.0, loss.retry_after_s or 0.0)
        if asked_s >= left_s:
            return GiveUp(
                f"{verdict.why}: the server asks to wait for {asked_s:g} s, and of the {self.budget_s:g} s that"
                f" an outage may last only {left_s:.3g} s are left"
            )
        ceiling_s = min(self.max_delay_s, self.first_delay_s * 2.0 ** min(outage.attempts, _DOUBLINGS))
        least_s = asked_s
        if verdict.outlook == "later":
            ceiling_s = max(ceiling_s, self.max_delay_s / 2)
            least_s = max(asked_s, min(_LATER_AT_LEAST_S, self.max_delay_s, left_s / 2))
        share = 1.0 - self.jitter * (1.0 - draw)
        delay_s = max(least_s, share * min(ceiling_s, left_s / 2))
        once_used = outage.once_used or verdict.outlook == "once"
        return Again(delay_s, left_s - delay_s, replace(outage, once_used=once_used))

    def _too_often(self, outage: Outage, loss: Loss) -> str:
        if self.max_attempts == 0:
            return f"the policy allows no reconnection: {loss.description}"
        return f"{outage.attempts} attempts failed in a row; the last: {loss.description}"


_MORE_THAN_0, _NOT_NEGATIVE = "a finite number above 0", "a finite number, 0 or more"
_SHARE = "a number from 0 to 1"
_ABOVE_0_OR_NONE, _COUNT, _SWITCH = "a finite number above 0, or None", "a whole number, 0 or more", "a bool"
_ALLOWED = {
    "max_attempts": _COUNT,
    "budget_s": _MORE_THAN_0,
    "first_delay_s": _NOT_NEGATIVE,
    "max_delay_s": _NOT_NEGATIVE,
    "jitter": _SHARE,
    "proven_after_s": _NOT_NEGATIVE,
    "keep_speech_s": _NOT_NEGATIVE,
    "replay_tokens": _COUNT,
    "replay_age_s": _ABOVE_0_OR_NONE,
    "resume_answers": _SWITCH,
    "renew_before_s": _NOT_NEGATIVE,
    "ping_interval_s": _MORE_THAN_0,
    "ping_timeout_s": _MORE_THAN_0,
}


def _is(value: object, allowed: str) -> bool:
    match value:
        case bool():
            return allowed == _SWITCH
        case None:
            return allowed == _ABOVE_0_OR_NONE
        case int() if allowed == _COUNT:
            return value >= 0
        case int() | float() if allowed in (_MORE_THAN_0, _ABOVE_0_OR_NONE):
            return 0 < value < inf
        case int() | float() if allowed == _NOT_NEGATIVE:
            return 0 <= value < inf
        case int() | float() if allowed == _SHARE:
            return 0 <= value <= 1
        case _:
            return False
