"""When has everything that was said been answered, and the answer been heard to its end?"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from .. import events
from ..errors import ServerError, Timeout
from ..events.lifecycle import LifecycleEvent, StateChanged
from ..session import Session, Subscription

__all__ = ("Answers", "answers_of", "failed")

WITHIN_S = 60.0
SETTLE_S = 1.0
"""Long enough for a server to say that it goes on: a tool's follow-up, a turn that it just heard."""

Progress = events.ServerEvent | LifecycleEvent


class Answers:
    """Reads off the events of a session whether an answer is still to come.

    Args:
        session: the session.
        stream: its events, from before anything was said.
        within_s: how long nothing may happen while an answer is awaited.
        settle_s: how long the conversation has to rest before it counts as over.
    """

    def __init__(
        self, session: Session, stream: Subscription[Progress], *, within_s: float, settle_s: float
    ) -> None:
        self._session = session
        self._stream = stream
        self._within_s = within_s
        self._settle_s = settle_s
        self._answered = False

    async def wait_complete(self) -> None:
        """Return when the last turn has been answered, nothing plays, and nothing more is on its way.

        Raises:
            Timeout: no answer came.
            ServerError: a response failed.
        """
        while True:
            resting = self._answered and self._session.state == "listening"
            with anyio.move_on_after(self._patience_s(resting=resting)) as pause:
                self._note(await anext(self._stream))
            if pause.cancelled_caught and resting:
                return
            if pause.cancelled_caught:
                raise Timeout("an answer", waited_s=self._within_s)

    def _patience_s(self, *, resting: bool) -> float | None:
        if self._session.state == "speaking":
            return None  # it takes as long as the voice takes
        return self._settle_s if resting else self._within_s

    def _note(self, event: Progress) -> None:
        match event:
            case events.InputAudioBufferSpeechStarted() | events.InputAudioBufferCommitted():
                self._answered = False
            case events.ResponseDone(response=response):
                if response.status == "failed":
                    raise failed(response.status_details.error if response.status_details else None)
                self._answered = True
            case _:
                pass  # that something happened is what counts


@asynccontextmanager
async def answers_of(
    session: Session, *, within_s: float = WITHIN_S, settle_s: float = SETTLE_S
) -> AsyncGenerator[Answers]:
    """Watch a session's answers; enter it before anything is said."""
    async with session.subscribe(
        StateChanged,
        events.ResponseDone,
        events.InputAudioBufferSpeechStarted,
        events.InputAudioBufferSpeechStopped,
        events.InputAudioBufferCommitted,
    ) as stream:
        yield Answers(session, stream, within_s=within_s, settle_s=settle_s)


def failed(error: events.ErrorDetail | None) -> ServerError:
    """The exception for a response that failed."""
    told = error.message if error is not None and error.message else "no reason was given"
    return ServerError(f"the response failed: {told}", code=error.code if error is not None else None)
