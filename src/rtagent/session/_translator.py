"""Speech in another language: the surface of a translation session."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

from .. import events
from ..audio import AudioSink, AudioSource
from ..errors import LocalProtocolError, RtagentError, SessionClosed, Timeout
from ..events import translation
from ._attachment import Attachment
from ._session import DEFAULT_TIMEOUT_S, Session
from ._surface import Feed, Following, TappedSource

__all__ = ("Passage", "Translator")

KEPT_PASSAGES = 4_096
"""Passages that wait for the program; then the oldest is left out, and counted."""
FOLLOWED_EVENTS = 4_096

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text: it follows directly on the last one of its kind, without a space of our own."""

    kind: Literal["source", "translation"]
    text: str
    elapsed_ms: int | None = None
    """Where in the stream it belongs, to align source and translation; several may share one place."""


class Translator:
    """What ``rtagent.connect(mode="translation", to="es")`` opens: speech in, translated speech out.

    ``async for passage in translator`` yields the texts of both languages as they are written, for one
    reader; it ends when the server has said everything, or the session has ended. Leaving the block
    without an error finishes the session first, so that the last words are still heard.

    Args:
        session: an open session.
        dialect: what its server speaks.

    Raises:
        Unsupported: it does not speak the translation vocabulary.
    """

    def __init__(self, session: Session, dialect: events.Dialect = events.TRANSLATION) -> None:
        if dialect.protocol != "translation":
            raise dialect.unsupported("translation sessions")
        self.session = session
        self._feed = Feed[Passage](KEPT_PASSAGES, spare=lambda _: False)
        self._following = Following(
            session.subscribe(
                translation.SessionInputTranscriptDelta,
                translation.SessionOutputTranscriptDelta,
                translation.SessionClosed,
                buffer=FOLLOWED_EVENTS,
            ),
            self._take,
            self._feed.end,
        )
        self._texts: dict[str, list[str]] = {"source": [], "translation": []}
        self._complete = False
        self._ears: TappedSource | None = None
        self._attachment: Attachment | None = None

    async def __aenter__(self) -> Translator:
        await self._following.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None and not self._complete and self.session.state != "closed":
                await self.finish()
        except RtagentError as unclean:
            logger.info("the translation was not finished: %s", unclean)
        finally:
            await self._following.__aexit__(kind, error, traceback)
            self._feed.end()

    # -- speech ------------------------------------------------------------------------------------

    def append_audio(self, pcm: bytes) -> float:
        """Send 24 kHz mono PCM; never waits. The server works on 200 ms at a time.

        Keep sending silence while nobody speaks: what comes after a gap is heard as if there was none.

        Returns:
            Milliseconds of older audio that were dropped because the network is too slow; usually 0.

        Raises:
            LocalProtocolError: ``finish`` was called.
        """
        self._check_wanted()
        return self.session.append_audio(pcm)

    def attach(self, source: AudioSource | None = None, sink: AudioSink | None = None) -> Attachment:
        """Connect ears and mouth; they are opened, carried and closed by the session.

        While the attachment is muted, silence flows instead of what the source hears (rule L4).
        """
        self._check_wanted()
        self._ears = TappedSource(source, _uncounted) if source is not None else None
        self._attachment = self.session.attach(self._ears, sink)
        return self._attachment

    async def finish(self, timeout: float = DEFAULT_TIMEOUT_S) -> None:
        """The input is complete: wait until everything is translated, and until it was heard.

        The source is taken away at once; the sink plays what was still to come.

        Args:
            timeout: how long the server may take for its part, in seconds. What it has sent is then
                played for as long as it lasts.

        Raises:
            Timeout: the server did not say that it has finished.
            ConnectionLost: the session ended before that; ``SessionClosed`` when that was our doing.
            AudioUnavailable: the sink failed.
        """
        self._complete = True
        if self._ears is not None:
            self._ears.end()
        try:
            if not await self.session.finish(timeout):
                raise await self._why_unfinished(timeout)
            await self._heard()
        finally:
            if self.session.state != "closed":  # otherwise its end is the end of the texts too
                self._feed.end()

    # -- texts -------------------------------------------------------------------------------------

    def __aiter__(self) -> Translator:
        return self

    async def __anext__(self) -> Passage:
        return await self._feed.next()

    @property
    def source_text(self) -> str:
        """All that was said, as far as it was written down."""
        return "".join(self._texts["source"])

    @property
    def text(self) -> str:
        """All of the translation so far."""
        return "".join(self._texts["translation"])

    @property
    def config(self) -> events.WireModel | None:
        """The configuration in force, as the server last said it."""
        return self.session.config

    @property
    def dropped(self) -> int:
        """Passages that the iteration left out because it was far behind; the texts have them."""
        return self._feed.dropped

    # -- inside ------------------------------------------------------------------------------------

    def _take(self, event: events.ServerEvent) -> None:
        match event:
            case translation.SessionInputTranscriptDelta():
                self._pass_on(Passage("source", event.delta, event.elapsed_ms))
            case translation.SessionOutputTranscriptDelta():
                self._pass_on(Passage("translation", event.delta, event.elapsed_ms))
            case _:
                self._feed.end()  # closed: nothing follows

    def _pass_on(self, passage: Passage) -> None:
        self._texts[passage.kind].append(passage.text)
        self._feed.put(passage)

    def _check_wanted(self) -> None:
        if self._complete:
            message = "the input is complete: finish() was called"
            raise LocalProtocolError(message)

    async def _why_unfinished(self, timeout: float) -> BaseException:
        if self.session.state != "closed":
            return Timeout("the end of the translation", waited_s=timeout)
        closed = await self.session.wait_closed()
        return closed.error if closed.error is not None else SessionClosed()

    async def _heard(self) -> None:
        attachment = self._attachment
        if attachment is None or attachment.sink is None:
            return
        await attachment.wait_open()
        if not attachment.ended:
            await attachment.sink.wait_drained()


def _uncounted(ms: float) -> None:
    """How much was said does not matter here."""
