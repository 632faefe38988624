"""Short texts that are said while tools run: "one moment", how far a tool is, a question.

Theory of operation. A text is a response beside the conversation (``conversation="none"``, an empty context, the
text as its instructions), so the conversation does not hold it and no other response waits for it. It is asked
for when nobody speaks and nothing else is under way, so at most one sounds at a time. When its call ends first,
it is taken back unless it sounds already; then it goes on until the answer has a voice too, and what has come
of it is heard before the answer. An interruption takes back all of them.
"""

from __future__ import annotations

from .. import events
from ._pump import Pump

__all__ = ("ToolVoice", "verbatim")


def verbatim(text: str) -> events.ResponseParams:
    """A response beside the conversation that says this text, word for word."""
    return events.ResponseParams(
        conversation="none",
        instructions=f'Say exactly this and nothing else, in its own language: "{text}"',
        input=[],
        tools=[],
        tool_choice="none",
        output_modalities=["audio"],
    )


class ToolVoice:
    """Owns what was said of calls and may still have to be taken back."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        self._said: dict[str, str] = {}

    @property
    def heard(self) -> bool:
        """Whether anything can be said here at all."""
        dialect = self._pump.core.dialect
        able = not dialect.turnless and dialect.out_of_band and dialect.response_overrides
        return able and self._pump.deeds.has_mouth

    async def say(self, call_id: str, text: str, *, after_s: float = 0.0) -> None:
        """Say a text as soon as nobody has spoken for so long."""
        while True:
            await self._pump.clock.sleep_until(self._pump.clock.now() + after_s)
            if self._pump.core.quiet:
                break
            await self._pump.wait_until(lambda: self._pump.core.quiet)
        if self._pump.closed is None and self.heard:
            self._said[call_id] = self._pump.post(events.ResponseCreate(response=verbatim(text)))

    def ended(self, call_id: str) -> None:
        """The call has ended: what does not sound yet is not said any more."""
        request_id = self._said.pop(call_id, None)
        if request_id is not None:
            self._pump.drop_response(request_id, spare_voice=True)

    def hush(self) -> None:
        """Say nothing more of what was asked for."""
        said, self._said = self._said, {}
        for request_id in said.values():
            self._pump.drop_response(request_id)
