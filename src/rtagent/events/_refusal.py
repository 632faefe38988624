"""Why a server cannot take a client's event, in the words of an ``error`` reply."""

from __future__ import annotations

from ..errors import RemoteProtocolError

__all__ = ("ClientEventError",)


class ClientEventError(RemoteProtocolError):
    """A client sent what is no event; the fields are those of the ``error`` event that answers it."""

    def __init__(
        self, message: str, *, code: str, param: str | None = None, event_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        """``invalid_json``, ``invalid_value``, ``missing_required_parameter`` or ``unknown_parameter``."""
        self.param = param
        """The path of the offending field, such as ``session.tools[0].name``."""
        self.event_id = event_id
        """The client event's own id, if it could be read."""
