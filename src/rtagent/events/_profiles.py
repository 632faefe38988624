"""The servers that are known: one dialect each, as their differences from OpenAI's Realtime GA.

Sources: protocol document, sections 2 and 7 to 10, and the vendors' own pages. A trap that a server is
known for is a field here and a scene in ``tests/dialects``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ._dialect import Dialect

__all__ = ("BETA", "GA", "LIVE", "LIVE_FORK", "LIVE_SIDEBAND", "PROFILES", "TRANSLATION")

_BETA_ALIASES = {
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
    # ``conversation.item.created`` keeps its name: it says "added" and "done" at once.
    "transcription_session.created": "session.created",
    "transcription_session.updated": "session.updated",
}
_NO_MCP_TOOLS: dict[str, Any] = {"mcp": False}
_ITEM_EDITING = ("conversation.item.delete", "conversation.item.retrieve")
_SPOKEN = (
    "conversation.item.create",
    "conversation.item.delete",
    "conversation.item.retrieve",
    "conversation.item.truncate",
    "response.create",
    "response.cancel",
    "output_audio_buffer.clear",
)
"""What a server that only writes speech down has no use for."""
_WEBRTC = "output_audio_buffer.clear"

GA = Dialect(
    name="openai",
    title="OpenAI Realtime",
    modes=frozenset({"conversation", "transcription", "translation"}),
    url="wss://api.openai.com/v1/realtime?model=…",
    default_model="gpt-realtime-2.1",
    max_session_s=3_600,
    max_message_bytes=15 * 1024 * 1024,
)
"""The protocol as OpenAI speaks it."""

BETA = Dialect(
    name="beta",
    title="Realtime beta",
    aliases=_BETA_ALIASES,
    spellings={ga: beta for beta, ga in _BETA_ALIASES.items() if ga.startswith("response.")},
    missing_fields=frozenset({"name"}),
    session_shape="flat",
    assistant_text="text",
    announces_items="created",
    url="wss://host/v1/realtime?model=…",
    transcription_model="whisper-1",
    **_NO_MCP_TOOLS,
    notes=("the names before GA; switched off at OpenAI since May 2026",),
)
"""The protocol before GA, which Azure's preview and several compatible servers still speak."""

LIVE = Dialect(
    name="live",
    title="GPT-Live",
    protocol="live",
    modes=frozenset({"conversation"}),
    url="wss://api.openai.com/v1/live/sessions",
    model_parameter=None,
    default_model="gpt-live-1",
    transcription_model=None,
    missing_fields=frozenset({"event_id"}),
    input_rates=(24_000, 16_000),
    output_rates=(24_000, 16_000),
    turn_detections=(),
    default_turn_detection=None,
    manual_turns=False,
    out_of_band=False,
    echoes_metadata=False,
    images=False,
    mcp=False,
    text_answers=False,
    overlapping_speech=True,
    input_must_flow=True,
    greeting=(),
    farewell="session.close",
    farewell_answer="session.closed",
    max_session_s=7_200,
    notes=("turn-less and full duplex: the model decides when it speaks and when it stops",),
)
"""OpenAI's full-duplex protocol, ``gpt-live-1``."""

LIVE_SIDEBAND = LIVE.model_copy(
    update={
        "name": "live-sideband",
        "title": "a GPT-Live session that is attached to",
        "url": "wss://api.openai.com/v1/live/sessions/<session>/attach",
        "refused_events": frozenset({"session.start", "session.input_audio.append"}),
        "input_must_flow": False,
        "farewell": None,
        "farewell_answer": None,
        "notes": ("hears what is said on both sides; the sound itself is carried elsewhere",),
    }
)
"""Beside a running GPT-Live session, whose sound goes over WebRTC, SIP or another socket."""

LIVE_FORK = LIVE.model_copy(
    update={
        "name": "live-fork",
        "title": "a fork of a GPT-Live session",
        "url": "wss://api.openai.com/v1/live/sessions/<session>/fork",
        "default_model": None,
        "notes": ("begins where a stored session ended; only format and delegation can be new",),
    }
)
"""A new GPT-Live session that begins where a stored one ended."""

TRANSLATION = Dialect(
    name="translation",
    title="OpenAI Realtime translation",
    protocol="translation",
    modes=frozenset({"translation"}),
    url="wss://api.openai.com/v1/realtime/translations?model=…",
    default_model="gpt-realtime-translate",
    transcription_model="gpt-realtime-whisper",
    telephony=False,
    turn_detections=(),
    default_turn_detection=None,
    manual_turns=False,
    out_of_band=False,
    echoes_metadata=False,
    functions=False,
    images=False,
    mcp=False,
    text_answers=False,
    overlapping_speech=True,
    input_must_flow=True,
    farewell="session.close",
    farewell_answer="session.closed",
)
"""Speech in, the same speech in another language out, without turns."""

_OTHERS = (
    GA.model_copy(
        update={
            "name": "azure",
            "title": "Azure OpenAI GA",
            "modes": frozenset({"conversation", "transcription"}),
            "url": "wss://<resource>.openai.azure.com/openai/v1/realtime?model=<deployment>",
            "auth": "api-key",
            "default_model": None,
            "max_session_s": 1_800,
            "notes": ("the transcription model is the name of a deployment",),
        }
    ),
    BETA.model_copy(
        update={
            "name": "azure-preview",
            "title": "Azure OpenAI preview",
            "url": "wss://<resource>.openai.azure.com/openai/realtime?api-version=…&deployment=<deployment>",
            "auth": "api-key",
            "model_parameter": "deployment",
            "max_session_s": 1_800,
            "notes": ("deprecated by Azure since April 2026",),
        }
    ),
    BETA.model_copy(
        update={
            "name": "azure-voice-live",
            "title": "Azure Voice Live",
            "modes": frozenset({"conversation"}),
            "url": "wss://<resource>.services.ai.azure.com/voice-live/realtime?api-version=2026-07-15&model=…",
            "auth": "api-key",
            "default_model": "gpt-realtime-2.1",
            "transcription_model": "azure-speech",
            "turn_detections": (
                "server_vad",
                "semantic_vad",
                "azure_semantic_vad",
                "azure_semantic_vad_multilingual",
            ),
            "extra_events": frozenset(
                {
                    "response.animation_blendshapes.delta",
                    "response.animation_blendshapes.done",
                    "response.animation_viseme.delta",
                    "response.animation_viseme.done",
                    "response.audio_timestamp.delta",
                    "response.audio_timestamp.done",
                    "response.audio_transcript.annotation.added",
                    "response.video.delta",
                    "session.avatar.connecting",
                    "session.avatar.switch_to_idle",
                    "session.avatar.switch_to_speaking",
                }
            ),
            "notes": ("turn detection, avatars and animation of Azure's own",),
        }
    ),
    Dialect(
        name="xai",
        title="xAI Grok Voice",
        modes=frozenset({"conversation"}),
        url="wss://api.x.ai/v1/realtime?model=grok-voice-latest",
        default_model="grok-voice-latest",
        transcription_model=None,
        renamed_fields={"input_audio_buffer.dtmf_event_received": {"digit": "event"}},
        missing_fields=frozenset({"event_id", "response_id", "item_id", "audio_start_ms", "audio_end_ms"}),
        session_shape="voice_on_top",
        input_rates=(24_000, 8_000, 16_000, 22_050, 32_000, 44_100, 48_000),
        output_rates=(24_000, 8_000, 16_000, 22_050, 32_000, 44_100, 48_000),
        turn_detections=("server_vad",),
        greeting=("session.created", "conversation.created"),
        resumes=True,
        max_session_s=7_200,
        notes=(
            "transcripts of the user are cumulative and may rewrite what was there",
            "turns ended by the program are unstable",
        ),
    ),
    BETA.model_copy(
        update={
            "name": "qwen-omni",
            "title": "Qwen-Omni-Realtime",
            "modes": frozenset({"conversation"}),
            "url": "wss://<workspace>.<region>.maas.aliyuncs.com/api-ws/v1/realtime?model=…",
            "default_model": "qwen3.8-omni-flash-realtime",
            "transcription_model": None,
            "pcm_name": "pcm",
            "input_rates": (16_000,),
            "telephony": False,
            "turn_detections": ("server_vad", "semantic_vad"),
            "refused_events": frozenset({*_ITEM_EDITING, "conversation.item.truncate", _WEBRTC}),
            "out_of_band": False,
            "echoes_metadata": False,
            "farewell": "session.finish",
            "farewell_answer": "session.finished",
            "extra_events": frozenset({"session.finished"}),
            "notes": ("hears 16 kHz and speaks 24 kHz",),
        }
    ),
    BETA.model_copy(
        update={
            "name": "stepfun",
            "title": "StepFun",
            "modes": frozenset({"conversation"}),
            "url": "wss://api.stepfun.com/v1/realtime?model=step-audio-2",
            "default_model": "step-audio-2",
            "transcription_model": None,
            "telephony": False,
            "turn_detections": ("server_vad",),
            "default_turn_detection": None,
            "out_of_band": False,
            "echoes_metadata": False,
            "text_answers": False,
            "notes": ("turns are the program's unless turn detection is asked for",),
        }
    ),
    BETA.model_copy(
        update={
            "name": "glm",
            "title": "Zhipu GLM-Realtime",
            "modes": frozenset({"conversation"}),
            "url": "wss://open.bigmodel.cn/api/paas/v4/realtime",
            "model_parameter": None,
            "transcription_model": None,
            "pcm_name": "pcm",
            "telephony": False,
            "turn_detections": ("server_vad", "client_vad"),
            "manual_by": "client_vad",
            "extra_events": frozenset({"heartbeat"}),
            "missing_fields": frozenset({"event_id", "name"}),
            "out_of_band": False,
            "echoes_metadata": False,
            "notes": ("remembers about two minutes",),
        }
    ),
    Dialect(
        name="inworld",
        title="Inworld",
        modes=frozenset({"conversation"}),
        url="wss://api.inworld.ai/api/v1/realtime/session?key=<session>&protocol=realtime",
        auth="basic",
        model_parameter=None,
        missing_fields=frozenset({"name"}),
        **_NO_MCP_TOOLS,
        notes=("the name of a finished function call stands in its item only",),
    ),
    Dialect(
        name="vllm",
        title="vLLM",
        modes=frozenset({"transcription"}),
        url="ws://host:8000/v1/realtime",
        model_parameter=None,
        transcription_query="none",
        transcription_model=None,
        aliases={
            "transcription.delta": "conversation.item.input_audio_transcription.delta",
            "transcription.done": "conversation.item.input_audio_transcription.completed",
        },
        renamed_fields={
            "conversation.item.input_audio_transcription.completed": {"text": "transcript"},
        },
        missing_fields=frozenset({"event_id", "item_id", "content_index", "session"}),
        session_shape="model_on_top",
        error_shape="string",
        input_rates=(16_000,),
        telephony=False,
        turn_detections=(),
        default_turn_detection=None,
        commits="stream",
        farewell="input_audio_buffer.commit",
        farewell_answer="conversation.item.input_audio_transcription.completed",
        refused_events=frozenset({*_SPOKEN, "input_audio_buffer.clear"}),
        unanswered_events=frozenset({"session.update", "input_audio_buffer.commit"}),
        out_of_band=False,
        echoes_metadata=False,
        functions=False,
        images=False,
        mcp=False,
        text_answers=False,
        notes=("writes down speech and nothing else; the format is not negotiated",),
    ),
    Dialect(
        name="vllm-omni",
        title="vLLM-Omni",
        modes=frozenset({"conversation"}),
        url="ws://host:8000/v1/realtime?model=…",
        transcription_model=None,
        telephony=False,
        turn_detections=("server_vad",),
        max_message_bytes=15 * 1024 * 1024,
        **_NO_MCP_TOOLS,
        notes=("transcription, noise reduction, speed and MCP are accepted and ignored",),
    ),
    Dialect(
        name="localai",
        title="LocalAI",
        modes=frozenset({"conversation", "transcription"}),
        url="ws://host:8080/v1/realtime?model=<pipeline>",
        transcription_model="whisper-1",
        extra_events=frozenset(
            {
                "conversation.item.sound_detection",
                "conversation.item.speaker",
                "localai.classifier.result",
            }
        ),
        missing_fields=frozenset({"previous_item_id"}),
        turn_detections=("server_vad",),
        refused_events=frozenset({_WEBRTC}),
        **_NO_MCP_TOOLS,
    ),
    BETA.model_copy(
        update={
            "name": "speaches",
            "title": "speaches",
            "modes": frozenset({"conversation", "transcription"}),
            "url": "ws://host:8000/v1/realtime?model=…",
            "transcription_query": "intent_and_model",
            "transcription_model": "Systran/faster-whisper-small",
            "turn_detections": ("server_vad",),
            "telephony": False,
            "images": False,
            "extra_events": frozenset({"partial_message", "full_message"}),
            "notes": ("in a transcription session `model` is the one that writes speech down",),
        }
    ),
    Dialect(
        name="hf-speech-to-speech",
        title="Hugging Face speech-to-speech",
        modes=frozenset({"conversation"}),
        url="ws://host:8765/v1/realtime",
        auth="none",
        model_parameter=None,
        transcription_model=None,
        telephony=False,
        turn_detections=("server_vad",),
        manual_turns=False,
        missing_fields=frozenset({"event_id", "previous_item_id", "output_index", "content_index"}),
        refused_events=frozenset(
            {*_ITEM_EDITING, "input_audio_buffer.commit", "input_audio_buffer.clear", _WEBRTC}
        ),
        unanswered_events=frozenset({"conversation.item.truncate"}),
        announces_items="created",
        idle_cancel="silent",
        out_of_band=False,
        echoes_metadata=False,
        mcp=False,
        images=False,
        notes=("function calls arrive before the response that makes them is done",),
    ),
    GA.model_copy(
        update={
            "name": "local",
            "title": "the embedded engine",
            "modes": frozenset({"conversation", "transcription"}),
            "url": "rtagent serve",
            "auth": "none",
            "default_model": None,
            "max_session_s": None,
            "images": False,
            "mcp": False,
        }
    ),
)

PROFILES: Mapping[str, Dialect] = MappingProxyType(
    {dialect.name: dialect for dialect in (GA, *_OTHERS, BETA, LIVE, LIVE_SIDEBAND, LIVE_FORK, TRANSLATION)}
)
"""Every dialect that is known, by its name."""
