"""Who may speak: what ears that hear turns by themselves ask of the conversation."""

from __future__ import annotations

from .. import events
from ..errors import ConfigurationError
from ..events.lifecycle import LifecycleEvent
from ._pump import Pump

__all__ = ("Floor",)

COMMIT, CLEAR = "input_audio_buffer.commit", "input_audio_buffer.clear"


class Floor:
    """Takes the floor for the user, and hands it back. Nothing happens once the session has ended.

    Args:
        pump: moves the conversation.
    """

    def __init__(self, pump: Pump) -> None:
        self._pump = pump

    @property
    def is_ours(self) -> bool:
        """Whether the server leaves it to us to interrupt the voice."""
        return not self._pump.core.effective.server_interrupts

    def check_turns(self) -> None:
        """Raise ``ConfigurationError`` where turns cannot be handed over from this side."""
        if self._pump.core.effective.detects_turns:
            message = "the server detects turns already"
            raise ConfigurationError(message, hint='Agent(turn_taking="manual") leaves them to this side')
        if not self._pump.core.dialect.takes(COMMIT):
            raise self._pump.core.dialect.unsupported("turns that end on this side")

    def interrupt(self, since: float) -> None:
        """The user has interrupted the voice, which has been silent since then."""
        if self._pump.closed is None:
            self._pump.interrupt(since)

    def end_turn(self) -> None:
        """The user has finished: hand over what was said and ask for the answer."""
        if self._pump.closed is None:
            self._pump.post(events.InputAudioBufferCommit())
            self._pump.post(events.ResponseCreate())

    def take_back(self) -> None:
        """What was said since the last turn was none."""
        if self._pump.closed is None and self._pump.core.dialect.takes(CLEAR):
            self._pump.post(events.InputAudioBufferClear())

    def publish(self, event: LifecycleEvent) -> None:
        """Tell everybody who wants to know."""
        self._pump.publish(event)
