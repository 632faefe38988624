"""Every error that rtagent raises.

The tree, with what each one carries::

    RtagentError
    ├── ConfigurationError            a setting, flag or agent that cannot work   (hint)
    │   └── Unsupported               this dialect or machine cannot do that      (feature, dialect)
    ├── ConnectionFailed              no session could be opened                  (url, status, retryable,
    │                                                                              code, retry_after_s)
    ├── ConnectionLost                the other side vanished                     (code, reason)
    ├── SessionClosed                 we closed it, and it was used afterwards
    ├── EndOfStream                   the other side ended cleanly                (code, reason)
    ├── ServerError                   the server refused one of our events       (code, event_id, param)
    ├── ProtocolError
    │   ├── LocalProtocolError        the program asked for what cannot be done now
    │   └── RemoteProtocolError       the server sent what cannot be              (head)
    ├── Timeout                       an answer did not come in time              (waited_s)
    ├── AudioUnavailable              no device, no library, no sound server      (reason, hint)
    ├── AudioFileError                an audio file that cannot be read           (path, reason)
    └── ToolError                     a tool that failed
        └── ToolDefinitionError       a function that cannot become a tool        (tool, problems)

The words: *closed* is our doing, *lost* is theirs, *end of stream* is a clean end. Text is
built from the data an error carries, and no secret is ever part of that data.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath

__all__ = (
    "AudioFileError",
    "AudioUnavailable",
    "ConfigurationError",
    "ConnectionFailed",
    "ConnectionLost",
    "EndOfStream",
    "LocalProtocolError",
    "ProtocolError",
    "RemoteProtocolError",
    "RtagentError",
    "ServerError",
    "SessionClosed",
    "Timeout",
    "ToolDefinitionError",
    "ToolError",
    "Unsupported",
)


class RtagentError(Exception):
    """The root: catch this to catch whatever rtagent raises."""


class ConfigurationError(RtagentError):
    """A setting, flag, credential or agent that cannot work, found before anything started."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message if hint is None else f"{message} ({hint})")
        self.hint = hint


class Unsupported(ConfigurationError):
    """The chosen dialect, server or machine cannot do what was asked."""

    def __init__(self, feature: str, *, dialect: str, hint: str | None = None) -> None:
        super().__init__(f"{dialect} does not support {feature}", hint=hint)
        self.feature = feature
        self.dialect = dialect


class ConnectionFailed(RtagentError):
    """No session could be opened: refused, unreachable, or the handshake was rejected."""

    def __init__(
        self,
        message: str,
        *,
        url: str | None = None,
        status: int | None = None,
        retryable: bool = False,
        code: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.url = url
        self.status = status
        """The HTTP status of a rejected handshake."""
        self.retryable = retryable
        self.code = code
        """The API's error code in the answer to the handshake, such as ``insufficient_quota``."""
        self.retry_after_s = retry_after_s
        """How long the server asks to wait before the next dial."""


class ConnectionLost(RtagentError):
    """The connection ended without our doing."""

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        self.code = code
        """The WebSocket close code (RFC 6455, section 7.4), or None when the socket just vanished."""
        self.reason = reason
        text = "the connection was lost" if code is None else f"the connection was lost (code {code})"
        super().__init__(f"{text}: {reason}" if reason else text)


class EndOfStream(RtagentError):
    """The other side closed cleanly; there is nothing more to read."""

    def __init__(self, code: int = 1000, reason: str = "") -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"the other side closed (code {code})" + (f": {reason}" if reason else ""))


class SessionClosed(RtagentError):
    """The session was used after its end."""

    def __init__(self, message: str = "the session is closed") -> None:
        super().__init__(message)


class ServerError(RtagentError):
    """The server refused one of our events, or reported a failure of its own."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        event_id: str | None = None,
        param: str | None = None,
        kind: str | None = None,
    ) -> None:
        self.message = message
        self.code = code
        self.event_id = event_id
        """The id of the client event that the server names as the cause, if it names one."""
        self.param = param
        self.kind = kind
        """The error's ``type`` on the wire, such as ``invalid_request_error``."""
        text = f"{code}: {message}" if code else message
        super().__init__(f"{text} (param {param})" if param else text)


class ProtocolError(RtagentError):
    """One side did what the protocol does not allow."""


class LocalProtocolError(ProtocolError):
    """The program asked for something that the state of the conversation does not allow."""


class RemoteProtocolError(ProtocolError):
    """The other side sent something that is not the protocol."""

    def __init__(self, message: str, *, head: str | None = None) -> None:
        super().__init__(f"{message}: {head}" if head else message)
        self.head = head
        """The first characters of the offending frame."""


class Timeout(RtagentError):
    """An answer did not come within its time."""

    def __init__(self, what: str, *, waited_s: float) -> None:
        super().__init__(f"{what} did not come within {waited_s:g} s")
        self.waited_s = waited_s


class AudioUnavailable(RtagentError):
    """Sound cannot be captured or played on this machine as it is.

    ``reason`` is one of ``package_missing``, ``portaudio_missing``, ``no_input_device``,
    ``no_output_device``, ``device_not_found``, ``device_busy_or_lost``, ``format_refused``.
    """

    def __init__(self, reason: str, hint: str, *, detail: str | None = None) -> None:
        text = reason.replace("_", " ")
        super().__init__(f"{text}: {detail}. {hint}" if detail else f"{text}. {hint}")
        self.reason = reason
        self.hint = hint
        self.detail = detail


class AudioFileError(RtagentError):
    """An audio file that is missing, broken, empty or of a kind that is not read."""

    def __init__(self, path: str | PathLike[str], reason: str) -> None:
        self.path = fspath(path)
        self.reason = reason
        super().__init__(f"{self.path}: {reason}")


class ToolError(RtagentError):
    """A tool failed in a way that the model should be told about, in these words."""


class ToolDefinitionError(ToolError):
    """A function that cannot become a tool; every problem found is listed."""

    def __init__(self, tool: str, problems: Sequence[str]) -> None:
        self.tool = tool
        self.problems = tuple(problems)
        super().__init__(f"{tool} cannot become a tool: " + "; ".join(self.problems))
