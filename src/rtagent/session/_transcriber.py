"""Speech written down: the surface of a transcription session."""

from __future__ import annotations

import logging
from types import TracebackType

import anyio
import anyio.lowlevel

from .. import events
from ..audio import AudioSource
from ..errors import LocalProtocolError, RtagentError, ServerError, SessionClosed, Timeout
from ..events.lifecycle import Reconnected
from ..protocol._transcripts import Transcript, Transcripts
from ._attachment import Attachment
from ._session import DEFAULT_TIMEOUT_S, Session
from ._surface import Feed, Following, TappedSource

__all__ = ("Transcriber", "Transcript")

logger = logging.getLogger(__name__)

KEPT_TRANSCRIPTS = 1_024
"""Transcripts that wait for the program; then partial ones make room, as later ones say it all again."""
FOLLOWED_EVENTS = 4_096
SHORTEST_COMMIT_MS = 100.0
"""Servers refuse to take less as an utterance (rule T5)."""
COMMIT_EMPTY = "input_audio_buffer_commit_empty"
_FOLLOWED = (
    events.InputAudioBufferSpeechStarted,
    events.InputAudioBufferSpeechStopped,
    events.InputAudioBufferCommitted,
    events.InputAudioBufferCleared,
    events.ConversationItemDeleted,
    events.ConversationItemInputAudioTranscriptionDelta,
    events.ConversationItemInputAudioTranscriptionUpdated,
    events.ConversationItemInputAudioTranscriptionSegment,
    events.ConversationItemInputAudioTranscriptionCompleted,
    events.ConversationItemInputAudioTranscriptionFailed,
    events.Error,
    Reconnected,
)


class Transcriber:
    """What ``rtagent.connect(mode="transcription")`` opens: audio in, transcripts out.

    ``async for transcript in transcriber`` yields what is new, for one reader: partial texts of an
    utterance, each of which holds all of it so far, and then its final one. The iteration ends when
    ``finish`` is done or the session has ended::

        async with rtagent.connect(mode="transcription", language="en") as transcriber:
            transcriber.attach(WavSource("meeting.wav"))
            ...

    Args:
        session: an open session.
        dialect: what its server speaks.
    """

    def __init__(self, session: Session, dialect: events.Dialect) -> None:
        self.session = session
        self._dialect = dialect
        self._transcripts = Transcripts()
        self._feed = Feed[Transcript](KEPT_TRANSCRIPTS, spare=lambda transcript: not transcript.final)
        self._following = Following(
            session.subscribe(*_FOLLOWED, buffer=FOLLOWED_EVENTS), self._take, self._ended
        )
        self._changed = anyio.Event()
        self._uncommitted_ms = 0.0
        self._complete = False
        self._over = False
        self._error: RtagentError | None = None
        self._ears: tuple[TappedSource, Attachment] | None = None

    async def __aenter__(self) -> Transcriber:
        await self._following.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._following.__aexit__(kind, error, traceback)
        self._feed.end()

    # -- audio in ----------------------------------------------------------------------------------

    def append_audio(self, pcm: bytes) -> float:
        """Send audio in the session's input format; never waits.

        Returns:
            Milliseconds of older audio that were dropped because the network is too slow; usually 0.

        Raises:
            LocalProtocolError: ``finish`` was called.
        """
        self._check_wanted()
        self._uncommitted_ms += self.session.input_format.ms_of(len(pcm))
        return self.session.append_audio(pcm)

    def attach(self, source: AudioSource) -> Attachment:
        """Connect ears; they are opened, carried and closed by the session."""
        self._check_wanted()
        tapped = TappedSource(source, self._heard)
        attachment = self.session.attach(tapped)
        self._ears = (tapped, attachment)
        return attachment

    async def commit(self, timeout: float | None = DEFAULT_TIMEOUT_S) -> str | None:
        """End the utterance here, where the server does not find its end itself.

        Returns:
            The item that its transcript will have; None when nothing was said, or the server names none.

        Raises:
            Unsupported: this server hears one endless stream, which only ``finish`` ends.
            ServerError: it refused for another reason than that there was nothing.
        """
        if self._dialect.commits == "stream":
            feature = "ending one utterance of several"
            raise self._dialect.unsupported(feature, hint="finish() ends the input as a whole")
        if self._uncommitted_ms < SHORTEST_COMMIT_MS:
            return None
        self._uncommitted_ms = 0.0
        try:
            answer = await self.session.send(events.InputAudioBufferCommit(), timeout)
        except ServerError as refused:
            if refused.code == COMMIT_EMPTY:  # the server's own turn detection took it already
                return None
            raise
        if isinstance(answer, events.InputAudioBufferCommitted):
            self._transcripts.receive(answer)
            return answer.item_id
        self._transcripts.expect()
        return None

    async def finish(self, timeout: float = DEFAULT_TIMEOUT_S) -> None:
        """The input is complete: wait until everything that was said has its final transcript.

        What is not committed yet is committed, unless the server has just found its end itself. An
        attached source is taken away. The iteration ends with this call, however it ends.

        Args:
            timeout: how long all of it may take, in seconds.

        Raises:
            Timeout: some utterances were not written down in time.
            ConnectionLost: the session ended before they were; ``SessionClosed`` when that was our doing.
        """
        self._complete = True
        if self._ears is not None:
            source, attachment = self._ears
            source.end()
            attachment.detach()
        try:
            with anyio.fail_after(timeout):
                await self._hand_over(timeout)
                await self._wait_written()
        except TimeoutError:
            missing = len(self._transcripts.open)
            what = f"the transcript of {missing} utterance{'s' if missing != 1 else ''}"
            raise Timeout(what, waited_s=timeout) from None
        finally:
            if self.session.state != "closed":  # otherwise its end is the end of the transcripts too
                self._feed.end()

    # -- transcripts out ---------------------------------------------------------------------------

    def __aiter__(self) -> Transcriber:
        return self

    async def __anext__(self) -> Transcript:
        return await self._feed.next()

    @property
    def text(self) -> str:
        """All final transcripts so far, in the order in which they were spoken."""
        return self._transcripts.text

    @property
    def config(self) -> events.WireModel | None:
        """The configuration in force, as the server last said it."""
        return self.session.config

    @property
    def dropped(self) -> int:
        """Transcripts that the iteration left out because it was far behind; ``text`` has them."""
        return self._feed.dropped

    # -- inside ------------------------------------------------------------------------------------

    def _take(self, event: events.ServerEvent | Reconnected) -> None:
        if isinstance(event, Reconnected):
            for ended in self._transcripts.lost():
                self._feed.put(ended)
        elif (transcript := self._transcripts.receive(event)) is not None:
            self._feed.put(transcript)
        self._changed.set()

    def _ended(self, error: RtagentError | None) -> None:
        self._over, self._error = True, error
        self._feed.end(error)
        self._changed.set()

    def _heard(self, ms: float) -> None:
        self._uncommitted_ms += ms

    def _check_wanted(self) -> None:
        if self._complete:
            message = "the input is complete: finish() was called"
            raise LocalProtocolError(message)

    async def _hand_over(self, timeout: float) -> None:
        if self._dialect.commits == "stream":
            if self._uncommitted_ms > 0.0:
                self._uncommitted_ms = 0.0
                self._transcripts.expect()
                async with anyio.create_task_group() as group:
                    group.start_soon(self.session.finish, timeout)
                    # An error that names nothing ends the wait too, though it is no answer.
                    await self._wait_written()
                    group.cancel_scope.cancel()
            return
        await self._catch_up()
        if not self._transcripts.ending and self._dialect.takes("input_audio_buffer.commit"):
            await self.commit(timeout=None)
            # What came before the answer is read by the follower, which was woken before us.
            await anyio.lowlevel.checkpoint()

    async def _catch_up(self) -> None:
        """Return when the server has listened to all that was sent.

        A file comes faster than it is heard: what the server has said by now about speech and silence is
        about audio of some time ago. An update that changes nothing is answered in its turn, behind that.
        """
        if self._dialect.answers("session.update"):
            try:
                await self.session.send(events.SessionUpdate(session=events.TranscriptionSession()), None)
            except ServerError as refused:
                logger.debug("an empty update was refused, which tells as much: %s", refused)
            await anyio.lowlevel.checkpoint()

    async def _wait_written(self) -> None:
        while self._transcripts.open:
            if self._over:
                raise self._error if self._error is not None else SessionClosed()
            self._changed = anyio.Event()
            await self._changed.wait()
