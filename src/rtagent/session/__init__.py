"""The session: one realtime conversation and everything that belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from ..protocol import Transcript
    from ._approach import Dial
    from ._attachment import Attachment
    from ._barge_in import BargeIn
    from ._blocking import SyncAttachment, SyncConnecting, SyncSession, SyncSubscription
    from ._callbacks import Callback
    from ._fanout import Observer, Subscription
    from ._local_turns import LocalTurns
    from ._measure import Metrics, SessionStatistics
    from ._modes import transcription_config, translation_config
    from ._policy import Again, GiveUp, Outage, ReconnectPolicy
    from ._session import Session
    from ._sounds import Sounds
    from ._transcriber import Transcriber
    from ._translator import Passage, Translator

__all__ = (
    "Again",
    "Attachment",
    "BargeIn",
    "Callback",
    "Dial",
    "GiveUp",
    "LocalTurns",
    "Metrics",
    "Observer",
    "Outage",
    "Passage",
    "ReconnectPolicy",
    "Session",
    "SessionStatistics",
    "Sounds",
    "Subscription",
    "SyncAttachment",
    "SyncConnecting",
    "SyncSession",
    "SyncSubscription",
    "Transcriber",
    "Transcript",
    "Translator",
    "transcription_config",
    "translation_config",
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Again": "._policy",
        "Attachment": "._attachment",
        "BargeIn": "._barge_in",
        "Callback": "._callbacks",
        "Dial": "._approach",
        "GiveUp": "._policy",
        "LocalTurns": "._local_turns",
        "Metrics": "._measure",
        "Observer": "._fanout",
        "Outage": "._policy",
        "Passage": "._translator",
        "ReconnectPolicy": "._policy",
        "Session": "._session",
        "SessionStatistics": "._measure",
        "Sounds": "._sounds",
        "Subscription": "._fanout",
        "SyncAttachment": "._blocking",
        "SyncConnecting": "._blocking",
        "SyncSession": "._blocking",
        "SyncSubscription": "._blocking",
        "Transcriber": "._transcriber",
        "Transcript": "..protocol",
        "Translator": "._translator",
        "transcription_config": "._modes",
        "translation_config": "._modes",
    },
)
