"""Asking the user aloud whether a tool may run: the words of the next turn are the answer.

While the question is open, the server does not answer turns by itself, where it can be told so; otherwise it
would answer the "yes", knowing nothing of what it allows.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import anyio

from .. import events
from ..errors import RtagentError
from ._fanout import Subscription
from ._pump import Pump
from ._tool_voice import ToolVoice

__all__ = ("Questions", "Updating")

RESTORE_WITHIN_S = 2.0
logger = logging.getLogger(__name__)


class Updating(Protocol):
    """A session, as far as questions change it."""

    async def update(self, **changes: Any) -> object:
        """Change the configuration."""
        ...


class Questions:
    """Asks one question at a time; others wait within their time.

    Args:
        pump: moves the conversation.
        session: whose server is told not to answer.
        voice: says the question.
    """

    def __init__(self, pump: Pump, session: Updating, voice: ToolVoice) -> None:
        self._pump = pump
        self._session = session
        self._voice = voice
        self._turn = anyio.Lock()

    async def ask(self, call_id: str, question: str, within_s: float) -> str | None:
        """The words of the user's next turn; None when there was none in time."""
        with anyio.move_on_after(within_s):
            async with self._turn, self._answers_left_to_us():
                await self._pump.wait_until(lambda: self._pump.core.quiet)
                stream: Subscription[events.ServerEvent] = self._pump.fanout.subscribe()
                async with stream:
                    if self._voice.heard:
                        await self._voice.say(call_id, question)
                    try:
                        return await _next_words(stream)
                    finally:
                        self._voice.ended(call_id)
        return None

    @asynccontextmanager
    async def _answers_left_to_us(self) -> AsyncGenerator[None]:
        detection = self._detection()
        if detection is None:
            yield
            return
        try:
            await self._detect({**detection, "create_response": False})
            yield
        finally:
            with anyio.move_on_after(RESTORE_WITHIN_S, shield=True):
                # said, even where it was unsaid before: a server may keep what an update leaves out
                await self._detect({**detection, "create_response": True})

    def _detection(self) -> dict[str, Any] | None:
        """The turn detection in force, if the server answers the turns that it hears."""
        audio = getattr(self._pump.core.config, "audio", None)
        detection = getattr(getattr(audio, "input", None), "turn_detection", None)
        if detection is None or not self._pump.core.effective.server_answers:
            return None
        told: dict[str, Any] = detection.model_dump(exclude_none=True)
        return told

    async def _detect(self, detection: dict[str, Any]) -> None:
        try:
            await self._session.update(audio={"input": {"turn_detection": detection}})
        except RtagentError as refused:
            logger.info("the server answers turns as before: %s", refused)


async def _next_words(stream: Subscription[events.ServerEvent]) -> str | None:
    """What the user says or writes next; the empty text when nobody could write it down."""
    turn_id: str | None = None
    async for event in stream:
        match event:
            case events.InputAudioBufferSpeechStarted(item_id=item_id) if turn_id is None and item_id:
                turn_id = item_id
            case events.InputAudioBufferCommitted(item_id=item_id) if turn_id is None:
                turn_id = item_id
            case events.ConversationItemInputAudioTranscriptionCompleted(item_id=item_id, transcript=words):
                if item_id == turn_id:
                    return words
            case events.ConversationItemInputAudioTranscriptionFailed(item_id=item_id) if item_id == turn_id:
                return ""
            case events.ConversationItemAdded(item=item) | events.ConversationItemCreated(item=item):
                written = _written(item)
                if written is not None:
                    return written
            case _:
                pass
    return None


def _written(item: object) -> str | None:
    """The text of a user's message that is text alone."""
    if not isinstance(item, events.UserMessage):
        return None
    texts = [part.text for part in item.content or () if isinstance(part, events.InputText)]
    return " ".join(text or "" for text in texts) if texts and len(texts) == len(item.content or ()) else None
