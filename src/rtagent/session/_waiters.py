"""People who wait for an answer, by the id of what they asked."""

from __future__ import annotations

from typing import Any

import anyio

from ..errors import Timeout

__all__ = ("Waiters",)


class _Slot:
    __slots__ = ("done", "error", "value")

    def __init__(self) -> None:
        self.done = anyio.Event()
        self.value: Any = None
        self.error: BaseException | None = None


class Waiters:
    """Owns the open waits; closing fails them all, so nobody waits for ever."""

    def __init__(self) -> None:
        self._slots: dict[str, _Slot] = {}
        self._closed: BaseException | None = None

    def open(self, key: str) -> None:
        """Somebody is going to wait for that answer; must come before it can arrive."""
        self._slots[key] = _Slot()

    async def wait(self, key: str, timeout: float | None, what: str) -> Any:
        """The answer.

        Raises:
            Timeout: it did not come in ``timeout`` seconds; nothing is waited for any more.
        """
        slot = self._slots[key]
        if self._closed is not None:
            del self._slots[key]
            raise self._closed
        try:
            with anyio.move_on_after(timeout):
                await slot.done.wait()
        finally:
            self._slots.pop(key, None)
        if not slot.done.is_set():
            raise Timeout(what, waited_s=timeout or 0.0)
        if slot.error is not None:
            raise slot.error
        return slot.value

    def resolve(self, key: str, value: Any) -> bool:
        """The answer is here; False when nobody waits for it."""
        slot = self._slots.get(key)
        if slot is None or slot.done.is_set():
            return False
        slot.value = value
        slot.done.set()
        return True

    def fail(self, key: str, error: BaseException) -> bool:
        """There will be no answer; False when nobody waits for it."""
        slot = self._slots.get(key)
        if slot is None or slot.done.is_set():
            return False
        slot.error = error
        slot.done.set()
        return True

    def close(self, error: BaseException) -> None:
        """Fail everybody who waits, now and from now on."""
        self._closed = error
        for key in list(self._slots):
            self.fail(key, error)
