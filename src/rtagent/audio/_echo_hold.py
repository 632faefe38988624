"""Silence that is told late, so that a word's beginning can still take its place.

A gate knows only after some frames that somebody talks over the assistant. What it silences is therefore held
back for a moment; when it opens, what was heard since the word began is told instead, at once, and from then on
nothing is late. Each block is told once, in its order and with its own time. The delay is built up by telling one
block for two that come, because some servers take a stream that pauses for one that has ended.
"""

from __future__ import annotations

import math
from collections import deque

from ._echo import HalfDuplexGate, ramped
from ._format import AudioBlock

__all__ = ("HeldBack",)

_HOLD_MS = 240.0
"""The most that is held back. It costs nothing but memory: silence that comes later is still silence."""


class HeldBack:
    """Between the gate and whoever reads the microphone.

    Args:
        gate: what decides.
        block_ms: audio in each block.
        hold_ms: the most that is held back.
    """

    def __init__(self, gate: HalfDuplexGate, block_ms: float, *, hold_ms: float = _HOLD_MS) -> None:
        self._gate = gate
        self._block_ms = block_ms
        self._most = math.floor(hold_ms / block_ms)
        self._held: deque[tuple[AudioBlock, AudioBlock]] = deque()
        """As it was heard, and as the gate has left it."""
        self._grows = False
        self.recalled_ms = 0.0
        """What was told after all although the gate had silenced it."""

    @property
    def held_ms(self) -> float:
        """What is held back at the moment."""
        return len(self._held) * self._block_ms

    def reset(self) -> None:
        """Forget what is held back: a new stream begins."""
        self._held.clear()

    def take(self, heard: AudioBlock, passed: AudioBlock) -> list[AudioBlock]:
        """What is to be told now that the gate has decided about the next block.

        Args:
            heard: the block as the microphone heard it.
            passed: the block as the gate has left it.
        """
        if self._gate.is_open:
            return self._release(heard, passed)
        self._held.append((heard, passed))
        self._grows = not self._grows and len(self._held) <= self._most
        return [] if self._grows else [self._held.popleft()[1]]

    def _release(self, heard: AudioBlock, passed: AudioBlock) -> list[AudioBlock]:
        if not self._held:
            return [passed]
        recalled = min(math.ceil(self._gate.recalled_ms / self._block_ms), len(self._held))
        told = [silenced for _, silenced in self._held]
        if recalled:
            late = [sound for sound, _ in list(self._held)[-recalled:]]
            late[0] = AudioBlock(ramped(late[0].pcm, rising=True), late[0].at)
            told[-recalled:] = late
            self.recalled_ms += recalled * self._block_ms
        self._held.clear()
        return [*told, heard if recalled else passed]
