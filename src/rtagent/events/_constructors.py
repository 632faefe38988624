"""The items that programs write most, in one call each."""

from __future__ import annotations

from typing import Any

from ..errors import LocalProtocolError
from ._items import AssistantMessage, FunctionCallOutput, SystemMessage, UserMessage
from ._parts import InputImage, InputText, OutputText
from ._sound import to_base64

__all__ = (
    "assistant_message",
    "function_call_output",
    "system_message",
    "user_image",
    "user_message",
)

_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def _named(id: str | None) -> dict[str, Any]:  # noqa: A002 - the wire's name
    return {} if id is None else {"id": id}


def user_message(text: str, *, id: str | None = None) -> UserMessage:  # noqa: A002 - the wire's name
    """What a user wrote."""
    return UserMessage(content=[InputText(text=text)], **_named(id))


def system_message(text: str, *, id: str | None = None) -> SystemMessage:  # noqa: A002 - the wire's name
    """Instructions inside the conversation."""
    return SystemMessage(content=[InputText(text=text)], **_named(id))


def assistant_message(text: str, *, id: str | None = None) -> AssistantMessage:  # noqa: A002 - the wire's name
    """What the assistant said earlier; as text, since servers take no assistant audio."""
    return AssistantMessage(content=[OutputText(text=text)], **_named(id))


def function_call_output(
    call_id: str,
    output: str,
    *,
    id: str | None = None,  # noqa: A002 - the wire's name
) -> FunctionCallOutput:
    """The answer to a function call."""
    return FunctionCallOutput(call_id=call_id, output=output, **_named(id))


def user_image(
    data: bytes | str,
    *,
    text: str | None = None,
    detail: str | None = None,
    id: str | None = None,  # noqa: A002 - the wire's name
) -> UserMessage:
    """A picture that a user shows.

    Args:
        data: the bytes of a PNG or JPEG, or a data URI.
        text: what the user says to it.
        detail: ``"auto"``, ``"low"`` or ``"high"``.
        id: the item's id.

    Raises:
        LocalProtocolError: the data is neither.
    """
    url = data if isinstance(data, str) else _data_uri(data)
    if not url.startswith("data:"):
        message = "an image is given as PNG or JPEG bytes or as a data URI"
        raise LocalProtocolError(message)
    image = InputImage(image_url=url) if detail is None else InputImage(image_url=url, detail=detail)
    words = [] if text is None else [InputText(text=text)]
    return UserMessage(content=[*words, image], **_named(id))


def _data_uri(data: bytes) -> str:
    kind = next((kind for signature, kind in _SIGNATURES.items() if data.startswith(signature)), None)
    return "" if kind is None else f"data:{kind};base64,{to_base64(data)}"
