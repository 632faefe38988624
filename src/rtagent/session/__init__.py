"""The session: one realtime conversation and everything that belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from ._attachment import Attachment
    from ._callbacks import Callback
    from ._fanout import Observer, Subscription
    from ._measure import Metrics, SessionStatistics
    from ._session import Session

__all__ = ("Attachment", "Callback", "Metrics", "Observer", "Session", "SessionStatistics", "Subscription")

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Attachment": "._attachment",
        "Callback": "._callbacks",
        "Metrics": "._measure",
        "Observer": "._fanout",
        "Session": "._session",
        "SessionStatistics": "._measure",
        "Subscription": "._fanout",
    },
)
