"""What a response would have cost: estimates, in the shape and with the sums of the real thing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from .. import events
from ._conversation_entry import Entry

__all__ = ("cut_to_tokens", "tokens_in", "usage_of")

_CHARACTERS_PER_TOKEN: Final = 4
_INPUT_AUDIO_MS_PER_TOKEN: Final = 100
_OUTPUT_AUDIO_MS_PER_TOKEN: Final = 50


def tokens_in(text: str) -> int:
    """About four characters make a token."""
    return math.ceil(len(text) / _CHARACTERS_PER_TOKEN)


def cut_to_tokens(text: str, limit: int) -> str:
    """As many whole words as make at most so many tokens."""
    if tokens_in(text) <= limit:
        return text
    return text[: limit * _CHARACTERS_PER_TOKEN + 1].rpartition(" ")[0]


def usage_of(instructions: str, context: Sequence[Entry], output: Sequence[Entry]) -> events.ResponseUsage:
    """The tokens of one response; nothing is ever cached."""
    text_in = tokens_in(instructions) + _text_tokens(context)
    text_out = _text_tokens(output)
    audio_in = math.ceil(_sound_ms(context) / _INPUT_AUDIO_MS_PER_TOKEN)
    audio_out = math.ceil(_sound_ms(output) / _OUTPUT_AUDIO_MS_PER_TOKEN)
    return events.ResponseUsage(
        total_tokens=text_in + audio_in + text_out + audio_out,
        input_tokens=text_in + audio_in,
        output_tokens=text_out + audio_out,
        input_token_details=events.InputTokenDetails(
            text_tokens=text_in,
            audio_tokens=audio_in,
            image_tokens=0,
            cached_tokens=0,
            cached_tokens_details=events.CachedTokensDetails(text_tokens=0, audio_tokens=0, image_tokens=0),
        ),
        output_token_details=events.OutputTokenDetails(text_tokens=text_out, audio_tokens=audio_out),
    )


def _text_tokens(entries: Iterable[Entry]) -> int:
    return sum(tokens_in(_readable(entry)) for entry in entries)


def _sound_ms(entries: Iterable[Entry]) -> float:
    return sum(sound.ms for entry in entries for sound in entry.sounds.values())


def _readable(entry: Entry) -> str:
    item = entry.item
    if isinstance(item, events.FunctionCall):
        return item.name + item.arguments
    if isinstance(item, events.FunctionCallOutput):
        return item.output
    return entry.text()
