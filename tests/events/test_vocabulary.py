from __future__ import annotations

import pytest

from rtagent import events
from rtagent.events._vocabulary import APPEND_TYPES, vocabulary


@pytest.mark.parametrize("protocol", ["realtime", "live", "translation"])
def test_every_protocol_has_its_words(protocol):
    words = vocabulary(protocol)
    assert words.append_type == APPEND_TYPES[protocol]
    assert words.append_type in words.client
    assert all(cls.model_fields["type"].default == kind for kind, cls in words.server.items())


def test_a_vocabulary_is_made_once():
    assert vocabulary("realtime") is vocabulary("realtime")


def test_events_of_other_vendors_are_read_too():
    assert {**events.SERVER_EVENTS}.keys() < vocabulary("realtime").server.keys()
