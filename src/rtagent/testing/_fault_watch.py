"""Which faults are due: decided from the events that pass, and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from ._faults import Fault, Refuse

__all__ = ("Doorkeeper", "FaultWatch")


class FaultWatch:
    """The faults of one connection; each is given out once."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._waiting: list[tuple[Fault, int]] = []
        """Each with the number of events that it still waits for."""
        self.done: list[Fault] = []
        """What was given out."""
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        """Wait for one more; its events are counted from now on."""
        self._waiting.append((fault, fault.nth))

    def at_once(self) -> list[Fault]:
        """Those that wait for no event."""
        return self._give_out([fault for fault, _ in self._waiting if not fault.on])

    def due(self, by: Literal["server", "client"], *names: str) -> list[Fault]:
        """Those that an event makes due.

        Args:
            by: who sends it.
            names: its type, and the other names that it has.
        """
        counted = [
            (fault, left - 1 if fault.by == by and fault.on in names else left)
            for fault, left in self._waiting
        ]
        self._waiting = counted
        return self._give_out([fault for fault, left in counted if left == 0])

    def _give_out(self, due: list[Fault]) -> list[Fault]:
        self._waiting = [
            (fault, left) for fault, left in self._waiting if not any(fault is one for one in due)
        ]
        self.done += due
        return due


class Doorkeeper:
    """The handshakes that a server refuses."""

    def __init__(self) -> None:
        self._orders: list[list[Refuse]] = []
        self.done: list[Refuse] = []
        """What was carried out to its last time."""
        self.refused = 0
        """Handshakes that were refused so far."""

    def add(self, order: Refuse) -> None:
        """Refuse more of them."""
        self._orders.append([order] * order.times)

    def answer(self, number: int) -> Refuse | None:
        """What to answer a handshake that would make connection ``number``; None lets it in."""
        for order in self._orders:
            if order and order[0].connection in (None, number):
                self.refused += 1
                found = order.pop()
                if not order:
                    self.done.append(found)
                return found
        return None
