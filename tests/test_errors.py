"""Errors: their text is built from the data they carry."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from rtagent import errors
from rtagent.errors import (
    AudioFileError,
    AudioUnavailable,
    ConfigurationError,
    ConnectionFailed,
    ConnectionLost,
    EndOfStream,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    RtagentError,
    ServerError,
    SessionClosed,
    Timeout,
    ToolDefinitionError,
    ToolError,
    Unsupported,
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConfigurationError("no key"), "no key"),
        (ConfigurationError("no key", hint="set one"), "no key (set one)"),
        (Unsupported("images", dialect="beta"), "beta does not support images"),
        (Unsupported("images", dialect="beta", hint="use ga"), "beta does not support images (use ga)"),
        (ConnectionFailed("refused"), "refused"),
        (ConnectionLost(), "the connection was lost"),
        (ConnectionLost(None, "reset"), "the connection was lost: reset"),
        (ConnectionLost(1011), "the connection was lost (code 1011)"),
        (ConnectionLost(1011, "oops"), "the connection was lost (code 1011): oops"),
        (SessionClosed(), "the session is closed"),
        (SessionClosed("not open"), "not open"),
        (EndOfStream(), "the other side closed (code 1000)"),
        (EndOfStream(1001, "60 minutes"), "the other side closed (code 1001): 60 minutes"),
        (ServerError("no such voice"), "no such voice"),
        (ServerError("no", code="bad"), "bad: no"),
        (ServerError("no", code="bad", param="voice"), "bad: no (param voice)"),
        (LocalProtocolError("not now"), "not now"),
        (RemoteProtocolError("not JSON"), "not JSON"),
        (RemoteProtocolError("not JSON", head="<html>"), "not JSON: <html>"),
        (Timeout("an answer", waited_s=0.5), "an answer did not come within 0.5 s"),
        (AudioUnavailable("no_input_device", "Connect one."), "no input device. Connect one."),
        (
            AudioUnavailable("device_not_found", "Choose another.", detail="'USB'"),
            "device not found: 'USB'. Choose another.",
        ),
        (AudioFileError("a.wav", "is empty"), "a.wav: is empty"),
        (AudioFileError(Path("b.wav"), "is no WAV file"), "b.wav: is no WAV file"),
        (ToolError("the fuse is blown"), "the fuse is blown"),
        (ToolDefinitionError("add", ["a", "b"]), "add cannot become a tool: a; b"),
    ],
)
def test_the_text_says_what_the_data_say(error: RtagentError, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize(
    ("error", "data"),
    [
        (ConfigurationError("x", hint="h"), {"hint": "h"}),
        (Unsupported("f", dialect="d"), {"feature": "f", "dialect": "d", "hint": None}),
        (
            ConnectionFailed(
                "x", url="ws://h", status=503, retryable=True, code="server_error", retry_after_s=2.5
            ),
            {
                "url": "ws://h",
                "status": 503,
                "retryable": True,
                "code": "server_error",
                "retry_after_s": 2.5,
            },
        ),
        (
            ConnectionFailed("x"),
            {"url": None, "status": None, "retryable": False, "code": None, "retry_after_s": None},
        ),
        (ConnectionLost(1006, "r"), {"code": 1006, "reason": "r"}),
        (EndOfStream(1001, "r"), {"code": 1001, "reason": "r"}),
        (
            ServerError("m", code="c", event_id="e", param="p", kind="k"),
            {"message": "m", "code": "c", "event_id": "e", "param": "p", "kind": "k"},
        ),
        (RemoteProtocolError("x", head="h"), {"head": "h"}),
        (Timeout("x", waited_s=2.0), {"waited_s": 2.0}),
        (AudioUnavailable("r", "h", detail="d"), {"reason": "r", "hint": "h", "detail": "d"}),
        (AudioFileError(Path("a.wav"), "r"), {"path": "a.wav", "reason": "r"}),
        (ToolDefinitionError("t", ["p"]), {"tool": "t", "problems": ("p",)}),
    ],
)
def test_the_data_can_be_read(error: RtagentError, data: dict[str, object]) -> None:
    assert {name: getattr(error, name) for name in data} == data


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (Unsupported, ConfigurationError),
        (LocalProtocolError, ProtocolError),
        (RemoteProtocolError, ProtocolError),
        (ToolDefinitionError, ToolError),
    ],
)
def test_the_tree_is_the_one_in_the_documentation(narrow: type[Exception], wide: type[Exception]) -> None:
    assert issubclass(narrow, wide)


def test_the_root_catches_them_all_and_the_documentation_names_them_all() -> None:
    assert errors.__doc__ is not None
    for name in errors.__all__:
        kind = getattr(errors, name)
        assert inspect.isclass(kind)
        assert issubclass(kind, RtagentError)
        assert name in errors.__doc__
    assert list(errors.__all__) == sorted(errors.__all__)
