"""The history as a value: to look at, to keep, and to begin another session with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from ..errors import ConfigurationError
from ._items import HistoryEntry

__all__ = ("History",)

VERSION = 1


class History(tuple[HistoryEntry, ...]):
    """The items of a conversation in their order, as they were when it was asked for; a tuple of entries."""

    __slots__ = ()

    def snapshot(self) -> dict[str, Any]:
        """Plain values that ``json.dumps`` takes, for ``load`` or ``connect(history=…)``.

        Fields without a value are left out. Later versions of this library read what this one writes.
        """
        return {
            "version": VERSION,
            "items": _entries().dump_python(tuple(self), mode="json", exclude_none=True),
        }

    @classmethod
    def load(cls, snapshot: object) -> History:
        """The history of which that is the snapshot. Fields that are not known are passed over.

        Raises:
            ConfigurationError: that is no snapshot; the first three problems are named.
        """
        fields = cast("Mapping[str, object]", snapshot if isinstance(snapshot, Mapping) else {})
        if not {"version", "items"} <= set(fields):
            message = "the history is no snapshot of one"
            raise ConfigurationError(message, hint="pass what session.history.snapshot() gave")
        if fields["version"] != VERSION:
            message = f"the history is a snapshot of version {fields['version']!r}, not {VERSION}"
            raise ConfigurationError(message, hint="it may be of a newer release")
        try:
            return cls(_entries().validate_python(fields["items"]))
        except ValidationError as error:
            problems = [
                f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()[:3]
            ]
            message = f"the history cannot be read: items.{'; items.'.join(problems)}"
            raise ConfigurationError(message) from error


@cache
def _entries() -> TypeAdapter[tuple[HistoryEntry, ...]]:
    return TypeAdapter(tuple[HistoryEntry, ...])
