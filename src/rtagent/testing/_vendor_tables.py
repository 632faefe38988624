"""The vendors, written by hand from the protocol document (sections 8 to 10) and their public code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from ._vendor_traits import ALL_EVENTS, Vendor

__all__ = ("VENDORS", "XAI_OLDER")

_TEXT, _AUDIO, _BOTH = frozenset({"text"}), frozenset({"audio"}), frozenset({"text", "audio"})
_NO_EDITING = frozenset(
    {"conversation.item.retrieve", "conversation.item.delete", "conversation.item.truncate"}
)

_OPENAI = Vendor(name="openai", modalities=(_TEXT, _AUDIO))

_BETA = Vendor(
    name="beta",
    names={
        "response.output_text.delta": "response.text.delta",
        "response.output_text.done": "response.text.done",
        "response.output_audio.delta": "response.audio.delta",
        "response.output_audio.done": "response.audio.done",
        "response.output_audio_transcript.delta": "response.audio_transcript.delta",
        "response.output_audio_transcript.done": "response.audio_transcript.done",
    },
    greeting=("session.created", "conversation.created"),
    assistant_parts=("text", "audio"),
    shape="flat",
    modalities=(_TEXT, _BOTH),
    announces="created",
)

_VOICE_LIVE = replace(
    _BETA,
    name="azure-voice-live",
    address="/voice-live/realtime?api-version=2026-07-15&model=gpt-realtime",
    greeting=("session.created",),
    takes=ALL_EVENTS | {"input_audio.turn.start", "input_audio.turn.end", "input_audio.clear"},
    swallows=frozenset({"input_audio.turn.start", "input_audio.turn.end", "input_audio.clear"}),
    extra_settings=frozenset(
        {"input_audio_sampling_rate", "input_audio_echo_cancellation", "animation", "avatar"}
    ),
    voice_object=True,
    detections=frozenset(
        {"server_vad", "semantic_vad", "azure_semantic_vad", "azure_semantic_vad_multilingual"}
    ),
    strangers={
        "response.output_audio.delta": (
            {
                "type": "response.audio_timestamp.delta",
                "audio_offset_ms": 0,
                "audio_duration_ms": 50,
                "text": "You",
                "timestamp_type": "word",
            },
            {"type": "response.animation_viseme.delta", "audio_offset_ms": 0, "viseme_id": 7},
        ),
        "response.output_audio.done": (
            {"type": "response.audio_timestamp.done"},
            {"type": "response.animation_viseme.done"},
        ),
    },
)

_XAI = Vendor(
    name="xai",
    address="/v1/realtime?model=grok-voice-latest",
    greeting=("session.created", "conversation.created"),
    shape="voice_on_top",
    needs_session_type=False,
    extra_settings=frozenset({"resumption"}),
    modalities=(_TEXT, _AUDIO),
    input_rates=(24_000, 8_000, 16_000, 22_050, 32_000, 44_100, 48_000),
    output_rates=(24_000, 8_000, 16_000, 22_050, 32_000, 44_100, 48_000),
    detections=frozenset({"server_vad"}),
    leaves_out={
        "input_audio_buffer.speech_started": frozenset({"event_id", "audio_start_ms"}),
        "input_audio_buffer.speech_stopped": frozenset({"event_id", "audio_end_ms"}),
        "response.function_call_arguments.done": frozenset({"response_id", "item_id"}),
    },
    transcription="cumulative",
)
XAI_OLDER = replace(_XAI, greeting=("conversation.created",))
"""Builds that open with the conversation and say nothing of the session until it is updated."""

_QWEN = replace(
    _BETA,
    name="qwen-omni",
    address="/api-ws/v1/realtime?model=qwen3.8-omni-flash-realtime",
    greeting=("session.created",),
    takes=(ALL_EVENTS - _NO_EDITING) | {"input_image_buffer.append"},
    swallows=frozenset({"input_image_buffer.append"}),
    input_rates=(16_000,),
    formats=("pcm",),
    update_before_audio=True,
    out_of_band=False,
    echoes_metadata=False,
    farewell=("session.finish", "session.finished"),
)

_STEPFUN = replace(
    _BETA,
    name="stepfun",
    address="/v1/realtime?model=step-audio-2",
    greeting=("session.created",),
    formats=("pcm16",),
    modalities=(_BOTH,),
    detections=frozenset({"server_vad"}),
    detects_by_default=False,
    out_of_band=False,
    echoes_metadata=False,
)

_GLM = replace(
    _BETA,
    name="glm",
    address="/api/paas/v4/realtime",
    greeting=("session.created",),
    extra_fields=frozenset({"client_timestamp"}),
    leaves_out={"*": frozenset({"event_id"})},
    strangers={
        "response.created": ({"type": "heartbeat"},),
        "response.output_audio.delta": ({"type": "heartbeat"},),
    },
    formats=("pcm",),
    detections=frozenset({"server_vad", "client_vad"}),
    detection_can_be_off=False,  # its own kind, client_vad, is what switches it off
    out_of_band=False,
    echoes_metadata=False,
    lingers_after_calls=True,
)

_INWORLD = replace(
    _OPENAI,
    name="inworld",
    address="/api/v1/realtime/session?key=some-session&protocol=realtime",
    leaves_out={"response.function_call_arguments.done": frozenset({"name"})},
    extra_settings=frozenset({"provider_data"}),
    usage_twice=True,
)

_VLLM = Vendor(
    name="vllm",
    address="/v1/realtime",
    shape="model_only",
    takes=frozenset({"session.update", "input_audio_buffer.append", "input_audio_buffer.commit"}),
    input_rates=(16_000,),
)

_VLLM_OMNI = replace(
    _OPENAI,
    name="vllm-omni",
    greeting=("session.created", "conversation.created"),
    formats=(),
    ignored_settings=frozenset({"transcription", "noise_reduction", "speed"}),
    detections=frozenset({"server_vad"}),
)

_LOCALAI = replace(
    _OPENAI,
    name="localai",
    address="/v1/realtime?model=some-pipeline",
    omits_null_predecessor=True,
    detections=frozenset({"server_vad"}),
    strangers={
        "input_audio_buffer.committed": (
            {"type": "conversation.item.speaker", "speaker": "speaker_0"},
            {"type": "conversation.item.sound_detection", "label": "Speech", "score": 0.9},
        ),
        "response.created": ({"type": "localai.classifier.result", "label": "question"},),
    },
)

_SPEACHES = replace(
    _BETA,
    name="speaches",
    address="/v1/realtime?model=some-model&transcription_model=Systran/faster-whisper-small",
    greeting=("session.created",),
    formats=("pcm16",),
    detections=frozenset({"server_vad"}),
    strangers={
        "response.output_audio_transcript.delta": ({"type": "partial_message", "text": "You"},),
        "response.output_audio_transcript.done": ({"type": "full_message", "text": "You said"},),
    },
)

_SPEECH_TO_SPEECH = Vendor(
    name="hf-speech-to-speech",
    address="/v1/realtime",
    takes=frozenset(
        {
            "input_audio_buffer.append",
            "session.update",
            "conversation.item.create",
            "conversation.item.truncate",
            "response.create",
            "response.cancel",
        }
    ),
    swallows=frozenset({"conversation.item.truncate"}),
    never_sends=frozenset(
        {
            "rate_limits.updated",
            "response.output_item.added",
            "response.output_item.done",
            "response.content_part.added",
            "response.content_part.done",
            "response.function_call_arguments.delta",
            "response.output_audio_transcript.delta",
        }
    ),
    code_is_type=True,
    deep_merge=True,
    formats=(),
    modalities=(_TEXT, _AUDIO),
    detections=frozenset({"server_vad"}),
    detection_can_be_off=False,
    announces="created",
    transcription="replaced",
    idle_cancel="silent",
    out_of_band=False,
    empty_output=True,
    lingers_after_calls=True,
)

VENDORS: Mapping[str, Vendor] = MappingProxyType(
    {
        vendor.name: vendor
        for vendor in (
            _OPENAI,
            replace(_OPENAI, name="azure", address="/openai/v1/realtime?model=some-deployment"),
            replace(
                _BETA,
                name="azure-preview",
                address="/openai/realtime?api-version=2025-04-01-preview&deployment=some-deployment",
                greeting=("session.created",),
            ),
            _VOICE_LIVE,
            _XAI,
            _QWEN,
            _STEPFUN,
            _GLM,
            _INWORLD,
            _VLLM,
            _VLLM_OMNI,
            _LOCALAI,
            _SPEACHES,
            _SPEECH_TO_SPEECH,
            _BETA,
        )
    }
)
"""Every vendor, by the name of its profile."""
