"""What a program has changed in its session since it began: another connection must be told it again (rule K2)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from .. import events

__all__ = ("Agreed", "merged")

ModelT = TypeVar("ModelT", bound=events.WireModel)

KEPT_UPDATES = 64
"""Updates without an answer that are remembered; older ones count as taken."""


class Agreed:
    """Owns the changes that the server has taken, and those that it has not answered yet."""

    def __init__(self) -> None:
        self._taken: dict[str, Any] = {}
        self._asked: deque[tuple[str, dict[str, Any]]] = deque()

    def asked(self, event_id: str, session: events.WireModel) -> None:
        """A change was sent. Updates are answered in their order (rule C2)."""
        self._asked = deque(one for one in self._asked if one[0] != event_id)
        self._asked.append((event_id, session.model_dump(exclude_unset=True)))
        if len(self._asked) > KEPT_UPDATES:
            self.updated()

    def updated(self) -> None:
        """The server has taken the oldest change."""
        if self._asked:
            _, changes = self._asked.popleft()
            self._taken = merged(self._taken, changes)

    def lost(self) -> None:
        """The connection is gone: what it had not answered is asked again, or was never taken."""
        self._asked.clear()

    def refused(self, event_id: str) -> None:
        """The server did not take that change."""
        self._asked = deque(one for one in self._asked if one[0] != event_id)

    def over(self, wanted: ModelT | None, kind: type[ModelT]) -> ModelT | None:
        """The whole configuration: what was wanted at the beginning with all changes since; None for nothing."""
        base = {} if wanted is None else wanted.model_dump(exclude_unset=True)
        whole = merged(base, self._taken)
        return kind.model_validate(whole) if whole else wanted


def merged(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """One configuration on top of another, as the wire has them.

    Objects that carry a ``type`` of their own (a format, a turn detection) replace each other whole (rule U3).
    """
    result = dict(base)
    for name, value in top.items():
        known, new = _object(result.get(name)), _object(value)
        if known is not None and new is not None and "type" not in new:
            result[name] = merged(known, new)
        else:
            result[name] = value
    return result


def _object(value: object) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
