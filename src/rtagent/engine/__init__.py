"""The embedded engine: a Realtime server over ears, brain and voice that needs no network and no key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from ._brain import Brain as Brain
    from ._brain import BrainInput as BrainInput
    from ._brain import Decision as Decision
    from ._brain import PlannedCall as PlannedCall
    from ._brain import RuleBrain as RuleBrain
    from ._brain import Utterance as Utterance
    from ._connection import ConnectionStatistics as ConnectionStatistics
    from ._connection import EngineConnection as EngineConnection
    from ._connection import run_connection as run_connection
    from ._connection_settings import EngineSettings as EngineSettings
    from ._ears import PocketsphinxRecognizer as PocketsphinxRecognizer
    from ._ears import Recognition as Recognition
    from ._ears import Recognizer as Recognizer
    from ._espeak import EspeakVoice as EspeakVoice
    from ._serve import EngineServer as EngineServer
    from ._serve import EngineStatistics as EngineStatistics
    from ._serve import serve as serve
    from ._voice import Voice as Voice

__all__ = (
    "Brain",
    "BrainInput",
    "ConnectionStatistics",
    "Decision",
    "EngineConnection",
    "EngineServer",
    "EngineSettings",
    "EngineStatistics",
    "EspeakVoice",
    "PlannedCall",
    "PocketsphinxRecognizer",
    "Recognition",
    "Recognizer",
    "RuleBrain",
    "Utterance",
    "Voice",
    "run_connection",
    "serve",
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Brain": "._brain",
        "BrainInput": "._brain",
        "ConnectionStatistics": "._connection",
        "Decision": "._brain",
        "EngineConnection": "._connection",
        "EngineServer": "._serve",
        "EngineSettings": "._connection_settings",
        "EngineStatistics": "._serve",
        "EspeakVoice": "._espeak",
        "PlannedCall": "._brain",
        "PocketsphinxRecognizer": "._ears",
        "Recognition": "._ears",
        "Recognizer": "._ears",
        "RuleBrain": "._brain",
        "Utterance": "._brain",
        "Voice": "._voice",
        "run_connection": "._connection",
        "serve": "._serve",
    },
)
