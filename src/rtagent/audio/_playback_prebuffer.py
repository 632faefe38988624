"""How much of a reply is held back before it sounds: as little as this connection allows."""

from __future__ import annotations

__all__ = ("Prebuffer",)


class Prebuffer:
    """Twice as much with each reply that ran dry, half as much after a calm time. In frames; pure.

    Audio usually comes faster than it sounds, so that the least is enough. Where it comes in bursts, each
    underrun teaches that more is needed, and the same connection is not believed again for a while.

    Args:
        least: where it starts, and where it returns to; 0 for never holding back.
        most: where doubling ends.
        calm: how much has to sound without an underrun before it is halved.
    """

    __slots__ = ("_calm", "_least", "_most", "_sounded", "frames")

    def __init__(self, *, least: int, most: int, calm: int) -> None:
        self._least = least
        self._most = max(least, most)
        self._calm = calm
        self._sounded = 0
        self.frames = least
        """What must be queued now."""

    def ran_dry(self, gap: int) -> None:
        """A reply broke off in its middle for so many frames.

        A gap that the most would not have bridged is none of the network's, as where somebody thinks before
        speaking on; it teaches nothing.
        """
        if gap <= self._most:
            self.frames = min(2 * self.frames, self._most)
            self._sounded = 0

    def sounded(self, frames: int) -> None:
        """So much was played without running dry."""
        if self.frames == self._least:
            return
        self._sounded += frames
        if self._sounded >= self._calm:
            self.frames = max(self.frames // 2, self._least)
            self._sounded = 0
