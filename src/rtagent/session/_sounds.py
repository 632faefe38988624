"""What is heard beside the voice: the room that the assistant seems to sit in, its thinking, music on hold."""

from __future__ import annotations

from dataclasses import dataclass

from ..audio import AudioClip, AudioSink, Background
from ..errors import ConfigurationError
from ..events.lifecycle import SessionState

__all__ = ("Backdrop", "Sounds")

AMBIENT, THINKING, HOLD = "ambient", "thinking", "hold"
THINKING_FADE_MS = 500.0
"""A thought that is over soon is hardly heard."""
BUSY: frozenset[SessionState] = frozenset({"thinking", "tool_running"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sounds:
    """Sounds beside the voice: ``session.attach(…, sounds=Sounds(thinking=read_audio("typing.wav")))``.

    Each goes round until it is over. They are turned down while the voice sounds.
    """

    ambient: AudioClip | None = None
    """Heard all the time."""
    thinking: AudioClip | None = None
    """Heard while an answer is awaited or a tool runs, and nothing is said."""
    hold: AudioClip | None = None
    """Heard while the conversation is on hold, instead of the others."""
    volume: float = 0.3
    """Of all of them, 0.0 to 4.0."""


class Backdrop:
    """Owns which of the sounds are heard.

    Args:
        sink: mixes them in.
        sounds: what there is.

    Raises:
        ConfigurationError: the sink mixes nothing in.
    """

    def __init__(self, sink: AudioSink | None, sounds: Sounds) -> None:
        background: Background | None = getattr(sink, "background", None)
        if background is None:
            message = f"{type(sink).__name__} has no background" if sink is not None else "there is no sink"
            raise ConfigurationError(message, hint="sounds are heard beside a voice, such as a Speaker's")
        self._background = background
        self._sounds = sounds
        self._open = False
        self._busy = self._held = False
        self._heard: set[str] = set()

    def begin(self) -> None:
        """The sink is open."""
        self._open = True
        self._settle()

    def end(self) -> None:
        """The sink is closed."""
        self._open = False

    def follow(self, state: SessionState) -> None:
        """The session does something else now."""
        self._busy = state in BUSY
        self._settle()

    def hold(self, *, held: bool) -> None:
        """The conversation is on hold, or goes on."""
        self._held = held
        self._settle()

    def _settle(self) -> None:
        if self._open:
            self._let(AMBIENT, self._sounds.ambient, heard=not self._held, fade_ms=200.0)
            self._let(
                THINKING,
                self._sounds.thinking,
                heard=self._busy and not self._held,
                fade_ms=THINKING_FADE_MS,
            )
            self._let(HOLD, self._sounds.hold, heard=self._held, fade_ms=200.0)

    def _let(self, name: str, clip: AudioClip | None, *, heard: bool, fade_ms: float) -> None:
        if clip is None or heard == (name in self._heard):
            return
        if heard:
            self._background.play(name, clip, volume=self._sounds.volume, fade_ms=fade_ms)
            self._heard.add(name)
        else:
            self._background.stop(name)
            self._heard.discard(name)
