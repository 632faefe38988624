"""The configuration of a vendor's session, in the vendor's own shape: checked, merged, read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, cast

from ._vendor_traits import Vendor

__all__ = ("Refusal", "VendorSession")

DESCRIPTION_LIMIT = 1_024
_DETECTION_FIELDS = frozenset(
    "type threshold prefix_padding_ms silence_duration_ms create_response interrupt_response "
    "idle_timeout_ms eagerness remove_filler_words languages".split()
)
_KINDS = ("realtime", "transcription")
_TELEPHONY = ("audio/pcmu", "audio/pcma")
_NESTED = frozenset(
    "type model instructions output_modalities audio tools tool_choice parallel_tool_calls reasoning "
    "max_output_tokens truncation tracing prompt include".split()
)
_FLAT = frozenset(
    "model modalities instructions voice input_audio_format output_audio_format input_audio_transcription "
    "input_audio_noise_reduction turn_detection tools tool_choice temperature max_response_output_tokens "
    "speed tracing".split()
)
_EARS = frozenset({"format", "transcription", "noise_reduction", "turn_detection"})
_MOUTH = frozenset({"format", "voice", "speed"})
_LISTENING: dict[str, Any] = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 200,
}


class Refusal(Exception):
    """The vendor does not take what the client sent."""

    def __init__(self, message: str, code: str = "invalid_value", param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param


class VendorSession:
    """What is in force; the only owner of the snapshot."""

    def __init__(
        self, vendor: Vendor, *, session_id: str = "sess_vendor", expires_at: int = 1_900_000_000
    ) -> None:
        self._vendor = vendor
        self.flat = vendor.shape == "flat"
        self.snapshot: dict[str, Any] = {
            "id": session_id,
            "object": "realtime.session",
            "model": "some-model",
            "expires_at": expires_at,
            "instructions": "You are the vendor's own assistant.",
            "tools": [],
            "tool_choice": "auto",
            **(self._flat_defaults() if self.flat else self._nested_defaults()),
        }
        self.voice_is_fixed = False
        """Set once audio was sent: from then on the voice cannot be changed."""

    # -- what is in force ----------------------------------------------------------------------------

    @property
    def detection(self) -> Mapping[str, Any] | None:
        """The turn detection; None where the client ends its turns itself."""
        if self.flat or self._vendor.shape == "voice_on_top":
            found = self.snapshot["turn_detection"]
        else:
            found = self.snapshot["audio"]["input"]["turn_detection"]
        return None if found is None or found["type"] == "client_vad" else found

    @property
    def transcribes(self) -> bool:
        """Whether the user's words are asked for; some vendors write them down in any case."""
        if self._vendor.transcription != "plain":
            return True
        if self.flat:
            return self.snapshot["input_audio_transcription"] is not None
        return self.snapshot["audio"]["input"].get("transcription") is not None

    @property
    def answers(self) -> bool:
        """Whether there is somebody who answers, and speech is not only written down."""
        return self.snapshot.get("type") != "transcription"

    @property
    def speaks(self) -> bool:
        """Whether answers are spoken."""
        return "audio" in self.snapshot["modalities" if self.flat else "output_modalities"]

    @property
    def functions(self) -> list[dict[str, Any]]:
        """The functions that the model may call."""
        return [tool for tool in self.snapshot["tools"] if tool["type"] == "function"]

    def sound(self, side: str) -> tuple[str, int]:
        """Encoding (``pcm``, ``pcmu``, ``pcma``) and rate of ``input`` or ``output``."""
        rates = self._vendor.input_rates if side == "input" else self._vendor.output_rates
        if self.flat:
            name = self.snapshot[f"{side}_audio_format"]
            known = {"g711_ulaw": ("pcmu", 8_000), "g711_alaw": ("pcma", 8_000)}
            return known.get(name, ("pcm", rates[0]))
        chosen = self.snapshot["audio"][side]["format"]
        if chosen["type"] in _TELEPHONY:
            return chosen["type"].removeprefix("audio/"), 8_000
        return "pcm", chosen.get("rate", rates[0])

    # -- changes -------------------------------------------------------------------------------------

    def update(self, changes: Any) -> None:
        """Take a ``session.update`` whole or not at all.

        Raises:
            Refusal: the vendor would answer ``error``.
        """
        if not isinstance(changes, dict):
            raise Refusal("session is not an object", "invalid_type", "session")
        wanted = cast("dict[str, Any]", changes)
        self._check(wanted)
        merged = _merge(self.snapshot, wanted, deep=self._vendor.deep_merge)
        for name in self._vendor.ignored_settings:
            for side in merged["audio"].values():
                side.pop(name, None)
        if self._vendor.voice_object and isinstance(merged["voice"], str):
            merged["voice"] = {"name": merged["voice"], "type": "azure-standard"}
        self.snapshot = merged

    def check_tools(self, tools: Any, path: str) -> None:
        """One tool that is not understood refuses the whole update."""
        allowed = frozenset({"type", "name", "description", "parameters"})
        for index, tool in enumerate(_list(tools, path)):
            where = f"{path}[{index}]"
            if tool.get("type") != "function":
                if self.flat and self._vendor.name != "azure-voice-live":
                    raise Refusal(f"{where} is of an unknown kind", "invalid_value", f"{where}.type")
                continue
            _only(tool, allowed, where)
            if len(tool.get("description") or "") > DESCRIPTION_LIMIT:
                raise Refusal(f"{where}.description is too long", "string_above_max_length", where)

    def check_modalities(self, value: Any, path: str) -> None:
        """The combinations differ: the older form has both together, GA one at a time."""
        if not isinstance(value, list) or frozenset(cast("list[str]", value)) not in self._vendor.modalities:
            raise Refusal(f"{path} cannot be {value!r}", "invalid_value", path)

    def _check(self, wanted: dict[str, Any]) -> None:
        vendor = self._vendor
        if self.flat:
            known: set[str] = set(_FLAT)
            checks = self._flat_checks()
        else:
            known = set(_NESTED)
            if vendor.shape == "voice_on_top":
                known |= {"voice", "turn_detection"}
            checks = self._nested_checks()
        if not self.flat and vendor.needs_session_type and wanted.get("type") not in _KINDS:
            raise Refusal("session.type is missing", "missing_required_parameter", "session.type")
        _only(wanted, known | vendor.extra_settings, "session")
        if "model" in wanted and wanted["model"] != self.snapshot["model"]:
            raise Refusal("the model of a session cannot be changed", "invalid_value", "session.model")
        for name, check in checks.items():
            if name in wanted:
                check(wanted[name], f"session.{name}")

    def _flat_checks(self) -> Mapping[str, Callable[[Any, str], None]]:
        return {
            "modalities": self.check_modalities,
            "input_audio_format": self._check_flat_format,
            "output_audio_format": self._check_flat_format,
            "turn_detection": self._check_detection,
            "voice": self._check_voice,
            "tools": self.check_tools,
        }

    def _nested_checks(self) -> Mapping[str, Callable[[Any, str], None]]:
        return {
            "output_modalities": self.check_modalities,
            "audio": self._check_audio,
            "turn_detection": self._check_detection,
            "voice": self._check_voice,
            "tools": self.check_tools,
        }

    def _check_audio(self, audio: Any, path: str) -> None:
        on_top = {"voice", "turn_detection"} if self._vendor.shape == "voice_on_top" else frozenset[str]()
        model = {"model"} if self._vendor.name == "inworld" else frozenset[str]()
        _only(audio, frozenset({"input", "output"}), path)
        ears, mouth = audio.get("input", {}), audio.get("output", {})
        _only(ears, _EARS - on_top, f"{path}.input")
        _only(mouth, (_MOUTH - on_top) | model, f"{path}.output")
        if "turn_detection" in ears:
            self._check_detection(ears["turn_detection"], f"{path}.input.turn_detection")
        if "voice" in mouth:
            self._check_voice(mouth["voice"], f"{path}.output.voice")
        for side, rates, where in (
            (ears, self._vendor.input_rates, "input"),
            (mouth, self._vendor.output_rates, "output"),
        ):
            if "format" in side:
                self._check_format(side["format"], rates, f"{path}.{where}.format")

    def _check_format(self, chosen: Any, rates: tuple[int, ...], path: str) -> None:
        if not isinstance(chosen, dict):
            raise Refusal(f"{path} is not an object", "invalid_type", path)
        value = cast("dict[str, Any]", chosen)
        kind = value.get("type")
        telephony = kind in _TELEPHONY and len(self._vendor.formats) > 1
        if not telephony and not (kind == "audio/pcm" and value.get("rate", rates[0]) in rates):
            raise Refusal(f"{path} cannot be {value!r}", "invalid_value", path)

    def _check_flat_format(self, chosen: Any, path: str) -> None:
        if chosen not in self._vendor.formats:
            raise Refusal(f"{path} cannot be {chosen!r}", "invalid_value", path)

    def _check_detection(self, chosen: Any, path: str) -> None:
        if chosen is None:
            if not self._vendor.detection_can_be_off:
                raise Refusal(f"{path} cannot be null", "invalid_value", path)
            return
        _only(chosen, _DETECTION_FIELDS, path)
        if chosen.get("type") not in self._vendor.detections:
            raise Refusal(f"{path}.type cannot be {chosen.get('type')!r}", "invalid_value", f"{path}.type")

    def _check_voice(self, chosen: Any, path: str) -> None:
        if self.voice_is_fixed and chosen != self._voice():
            raise Refusal("the voice was heard already", "cannot_update_voice", path)

    def _voice(self) -> Any:
        if self.flat or self._vendor.shape == "voice_on_top":
            return self.snapshot["voice"]
        return self.snapshot["audio"]["output"]["voice"]

    # -- the beginning -------------------------------------------------------------------------------

    def _default_detection(self) -> dict[str, Any] | None:
        return dict(_LISTENING) if self._vendor.detects_by_default else None

    def _flat_defaults(self) -> dict[str, Any]:
        voice: Any = "alloy"
        return {
            "modalities": ["text", "audio"],
            "voice": {"name": voice, "type": "azure-standard"} if self._vendor.voice_object else voice,
            "input_audio_format": self._vendor.formats[0],
            "output_audio_format": self._vendor.formats[0],
            "input_audio_transcription": None,
            "turn_detection": self._default_detection(),
            "temperature": 0.8,
            "max_response_output_tokens": "inf",
        }

    def _nested_defaults(self) -> dict[str, Any]:
        ears: dict[str, Any] = {"format": {"type": "audio/pcm", "rate": self._vendor.input_rates[0]}}
        mouth: dict[str, Any] = {"format": {"type": "audio/pcm", "rate": self._vendor.output_rates[0]}}
        defaults: dict[str, Any] = {
            "type": "realtime",
            "output_modalities": ["audio"],
            "audio": {"input": ears, "output": mouth},
            "max_output_tokens": "inf",
        }
        if self._vendor.shape == "voice_on_top":
            return defaults | {"voice": "Ara", "turn_detection": self._default_detection()}
        ears |= {"transcription": None, "noise_reduction": None, "turn_detection": self._default_detection()}
        mouth |= {"voice": "marin", "speed": 1.0}
        return defaults


def _only(value: Any, known: frozenset[str] | set[str], path: str) -> None:
    if not isinstance(value, dict):
        raise Refusal(f"{path} is not an object", "invalid_type", path)
    for name in cast("dict[str, Any]", value):
        if name not in known:
            raise Refusal(f"Unknown parameter: '{path}.{name}'.", "unknown_parameter", f"{path}.{name}")


def _list(value: Any, path: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise Refusal(f"{path} is not a list", "invalid_type", path)
    return cast("list[dict[str, Any]]", value)


def _merge(current: Mapping[str, Any], changes: Mapping[str, Any], *, deep: bool) -> dict[str, Any]:
    """Objects with a ``type`` of their own replace each other whole, unless the vendor merges all the way."""
    merged = deepcopy(dict(current))
    for name, value in changes.items():
        known, new = _object(merged.get(name)), _object(value)
        if known is not None and new is not None and (deep or "type" not in new):
            merged[name] = _merge(known, new, deep=deep)
        elif name == "turn_detection" and new is not None:
            merged[name] = {**_LISTENING, **new}
        else:
            merged[name] = deepcopy(value)
    return merged


def _object(value: Any) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
