"""A source that is heard only while a key is held."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

from ._format import AudioBlock, AudioFormat, AudioSource

__all__ = ("PushToTalk",)


class PushToTalk:
    """Lets a source through from ``press()`` to ``release()``, and yields nothing in between.

    People speak before their finger is down, so what was captured up to 300 ms before the press is
    delivered with it. Reading the keyboard is the program's part; ``key`` only names the key.

    Args:
        source: what to listen to; it captures all the time.
        key: the name of the key, for whoever reads the keyboard.
        pre_roll_ms: how much from before the press is delivered.
    """

    def __init__(self, source: AudioSource, key: str = "space", *, pre_roll_ms: float = 300) -> None:
        self.source = source
        self.key = key
        self.pressed = False
        self._pre_roll_bytes = source.format.bytes_of(pre_roll_ms)
        self._held: deque[AudioBlock] = deque()
        self._held_bytes = 0

    @property
    def format(self) -> AudioFormat:
        """The source's format."""
        return self.source.format

    def press(self) -> None:
        """Open the gate."""
        self.pressed = True

    def release(self) -> None:
        """Close the gate."""
        self.pressed = False

    async def blocks(self) -> AsyncGenerator[AudioBlock, None]:
        """Capture until the iteration ends; yields what lies within a press."""
        async with AsyncExitStack() as stack:
            captured = self.source.blocks()
            if (end := getattr(captured, "aclose", None)) is not None:  # a generator, such as a microphone's
                stack.push_async_callback(end)
            async for block in captured:
                self._hold(block)
                while self.pressed and self._held:
                    held = self._held.popleft()
                    self._held_bytes -= len(held.pcm)
                    yield held

    def _hold(self, block: AudioBlock) -> None:
        if not block.pcm:  # a pause of the source's: nothing to keep, and no end to keeping it
            return
        self._held.append(block)
        self._held_bytes += len(block.pcm)
        # The newest block is what is heard now, the pre-roll is what lies before it.
        while self._held_bytes - len(block.pcm) > self._pre_roll_bytes:
            self._held_bytes -= len(self._held.popleft().pcm)
