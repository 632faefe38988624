"""The pure core of a conversation: no I/O, no clock, no tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from ._agreed import merged
    from ._answers import has_answer
    from ._calls import Call
    from ._conversation import Conversation
    from ._core import Core, core_for
    from ._formats import Effective, audio_format, wire_format
    from ._happenings import (
        Answered,
        CallDue,
        CallsInterrupted,
        Happening,
        InputTurn,
        PlayDue,
        Refused,
        ResponseFinished,
        StopDue,
        Undelivered,
        VoiceCut,
        VoiceEnded,
    )
    from ._heard import heard_text
    from ._history import History
    from ._interpretation import Interpretation
    from ._items import CallEntry, HistoryEntry
    from ._live import LiveConversation
    from ._loss import Loss, Outlook, Verdict, verdict_on
    from ._replay import ReplayPlan, replay_plan
    from ._response import Response, Usage
    from ._resumable import Opened, Resumable
    from ._speech import Repeat, SpokenBlock
    from ._transcripts import Transcript

__all__ = (
    "Answered",
    "Call",
    "CallDue",
    "CallEntry",
    "CallsInterrupted",
    "Conversation",
    "Core",
    "Effective",
    "Happening",
    "History",
    "HistoryEntry",
    "InputTurn",
    "Interpretation",
    "LiveConversation",
    "Loss",
    "Opened",
    "Outlook",
    "PlayDue",
    "Refused",
    "Repeat",
    "ReplayPlan",
    "Response",
    "ResponseFinished",
    "Resumable",
    "SpokenBlock",
    "StopDue",
    "Transcript",
    "Undelivered",
    "Usage",
    "Verdict",
    "VoiceCut",
    "VoiceEnded",
    "audio_format",
    "core_for",
    "has_answer",
    "heard_text",
    "merged",
    "replay_plan",
    "verdict_on",
    "wire_format",
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Answered": "._happenings",
        "Call": "._calls",
        "CallDue": "._happenings",
        "CallEntry": "._items",
        "CallsInterrupted": "._happenings",
        "Conversation": "._conversation",
        "Core": "._core",
        "Effective": "._formats",
        "Happening": "._happenings",
        "History": "._history",
        "HistoryEntry": "._items",
        "InputTurn": "._happenings",
        "Interpretation": "._interpretation",
        "LiveConversation": "._live",
        "Loss": "._loss",
        "Opened": "._resumable",
        "Outlook": "._loss",
        "PlayDue": "._happenings",
        "Refused": "._happenings",
        "Repeat": "._speech",
        "ReplayPlan": "._replay",
        "Response": "._response",
        "ResponseFinished": "._happenings",
        "Resumable": "._resumable",
        "SpokenBlock": "._speech",
        "StopDue": "._happenings",
        "Transcript": "._transcripts",
        "Undelivered": "._happenings",
        "Usage": "._response",
        "Verdict": "._loss",
        "VoiceCut": "._happenings",
        "VoiceEnded": "._happenings",
        "audio_format": "._formats",
        "core_for": "._core",
        "has_answer": "._answers",
        "heard_text": "._heard",
        "merged": "._agreed",
        "replay_plan": "._replay",
        "verdict_on": "._loss",
        "wire_format": "._formats",
    },
)
