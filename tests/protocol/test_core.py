"""Which core speaks which vocabulary, and what all of them are to a session."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rtagent import events
from rtagent.protocol import Conversation, Interpretation, LiveConversation, core_for


@pytest.mark.parametrize("dialect", events.PROFILES.values(), ids=lambda dialect: dialect.name)
def test_every_dialect_has_a_core_that_is_at_rest(dialect: events.Dialect) -> None:
    core = core_for(dialect, new_id=lambda prefix: f"{prefix}_1")
    expected = {"realtime": Conversation, "live": LiveConversation, "translation": Interpretation}
    assert type(core) is expected[dialect.protocol]
    assert core.dialect is dialect
    assert (core.happenings(), core.events_to_send(), core.next_deadline()) == ([], [], None)
    assert (core.config, core.history, core.close_reason, core.late_audio_ms) == (None, (), None, 0.0)
    assert core.greeted is (not dialect.greeting)
    assert core.effective.input_format.rate == dialect.input_rates[0]
    assert core.effective.output_format.rate == dialect.output_rates[0]


def test_a_conversation_loads_no_other_vocabulary() -> None:
    program = (
        "import sys; from rtagent import events; from rtagent.protocol import core_for;"
        "core_for(events.GA, new_id=str); events.decode('{}');"
        "print(*sorted(name for name in sys.modules if name.startswith('rtagent.events.live')"
        " or name.startswith('rtagent.events.translation')))"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == []
