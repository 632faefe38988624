"""What a transcription and a translation session ask for: a few words of the program as configuration."""

from __future__ import annotations

import re
from typing import Any

from .. import events
from ..errors import ConfigurationError
from ..events import translation

__all__ = ("transcription_config", "translation_config")

SOURCE_MODEL = "gpt-realtime-whisper"
"""What writes down the speech that is translated, where the program names nothing else."""
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
"""A language tag, checked loosely (BCP 47 has many more rules): ``es``, ``pt-BR``, ``zh-Hans``."""


def transcription_config(
    language: str | None = None,
    model: str | None = None,
    config: events.WireModel | None = None,
    *,
    dialect: events.Dialect = events.GA,
) -> events.TranscriptionSession:
    """A session that writes speech down.

    Args:
        language: what is spoken, such as ``en``; None: the model finds out.
        model: what writes it down; None: what the dialect has for it.
        config: everything else, as an ``events.TranscriptionSession``; where it names language or model
            itself, these must not name another.
        dialect: what the server speaks.

    Raises:
        ConfigurationError: something is said twice, is no language, or a model must be named.
    """
    wanted = config if config is not None else events.TranscriptionSession()
    if not isinstance(wanted, events.TranscriptionSession):
        raise _of_another_kind("transcription", "events.TranscriptionSession", wanted)
    ear = wanted.audio.input if wanted.audio is not None else None
    own = ear.transcription if ear is not None else None
    given: dict[str, Any] = {} if own is None else own.model_dump(exclude_unset=True)
    if language is not None:
        _once("language", _tag(language), given.get("language"))
        given["language"] = language
    if model is not None:
        _once("model", model, given.get("model"))
        given["model"] = model
    elif given.get("model") is None:
        default = _default_model(dialect)
        if default is not None:
            given["model"] = default
    if not given:
        return wanted
    transcription = events.InputTranscription.model_validate(given)
    ear = (ear or events.AudioInput()).model_copy(update={"transcription": transcription})
    audio = (wanted.audio or events.SessionAudio()).model_copy(update={"input": ear})
    return wanted.model_copy(update={"audio": audio})


def translation_config(
    to: str | None = None,
    model: str | None = None,
    config: events.WireModel | None = None,
) -> translation.TranslationSession:
    """A session that speaks what it hears in another language, and writes down both.

    Args:
        to: the language to translate into, such as ``es``.
        model: what translates; it is part of the address and not of what is asked for.
        config: everything else, as an ``events.translation.TranslationSession``; where it names the language
            itself, ``to`` must not name another. An input transcription of None switches the source text off.

    Raises:
        ConfigurationError: no language is named, or two are, or what is named is none.
    """
    wanted = config if config is not None else translation.TranslationSession()
    if not isinstance(wanted, translation.TranslationSession):
        raise _of_another_kind("translation", "events.translation.TranslationSession", wanted)
    audio = wanted.audio or translation.TranslationAudio()
    ear = audio.input or translation.TranslationInput()
    mouth = audio.output or translation.TranslationOutput()
    if to is not None:
        _once("to", _tag(to), mouth.language)
        mouth = mouth.model_copy(update={"language": to})
    elif mouth.language is None:
        message = "a translation needs the language to translate into"
        raise ConfigurationError(message, hint='pass to="es"')
    else:
        _tag(mouth.language)
    if "transcription" not in ear.model_fields_set:
        source = translation.SourceTranscription(model=SOURCE_MODEL)
        ear = ear.model_copy(update={"transcription": source})
    audio = audio.model_copy(update={"input": ear, "output": mouth})
    named: dict[str, Any] = {} if model is None else {"model": model}
    return wanted.model_copy(update={"audio": audio, **named})


def _default_model(dialect: events.Dialect) -> str | None:
    if dialect.session_shape != "model_on_top":
        return dialect.transcription_model
    if dialect.default_model is None:
        message = f"{dialect.title or dialect.name} has to be told which model writes speech down"
        raise ConfigurationError(message, hint="pass model=…, the name that it serves")
    return dialect.default_model


def _of_another_kind(mode: str, own: str, config: events.WireModel) -> ConfigurationError:
    message = f"a {mode} is configured by {own}, not by {type(config).__qualname__}"
    return ConfigurationError(message)


def _tag(language: str) -> str:
    if _TAG.fullmatch(language) is None:
        message = f"{language!r} is not a language"
        raise ConfigurationError(message, hint="a tag such as en, es or pt-BR")
    return language


def _once(name: str, given: str, configured: str | None) -> None:
    if configured is not None and configured != given:
        message = f"{name} is {given!r}, and {configured!r} in the configuration"
        raise ConfigurationError(message, hint="say it in one place")
