from __future__ import annotations

import pytest

from rtagent import events
from rtagent.events._dialect import Dialect
from rtagent.events._profiles import PROFILES

EVERY = [pytest.param(dialect, id=name) for name, dialect in PROFILES.items()]
FIELDS = {name for model in events.SERVER_EVENTS.values() for name in model.model_fields}


def client_types(dialect: Dialect) -> set[str]:
    return {*events.vocabulary(dialect.protocol).client, "transcription_session.update"}


def test_profiles_are_found_by_their_own_names_and_titles_are_unique():
    assert all(dialect.name == name for name, dialect in PROFILES.items())
    assert len({dialect.title for dialect in PROFILES.values()}) == len(PROFILES)
    assert {"openai", "azure", "beta", "xai", "vllm", "live", "translation"} <= PROFILES.keys()


def test_the_table_of_profiles_cannot_be_changed():
    with pytest.raises(TypeError):
        PROFILES["own"] = events.GA  # type: ignore[index]


@pytest.mark.parametrize("dialect", EVERY)
def test_a_profile_survives_json(dialect):
    assert Dialect.model_validate_json(dialect.model_dump_json()) == dialect


@pytest.mark.parametrize("dialect", EVERY)
def test_incoming_names_lead_to_known_types(dialect):
    known = events.vocabulary(dialect.protocol).server
    assert set(dialect.aliases.values()) <= known.keys()
    assert not dialect.aliases.keys() & known.keys(), "an alias for what is known already does nothing"
    for kind, renamed in dialect.renamed_fields.items():
        assert set(renamed.values()) <= known[kind].model_fields.keys()
    assert not dialect.extra_events & known.keys()
    assert set(dialect.greeting) <= known.keys()
    assert dialect.missing_fields <= FIELDS


@pytest.mark.parametrize("dialect", EVERY)
def test_outgoing_names_are_spelled_right(dialect):
    known = client_types(dialect)
    assert dialect.spellings.keys() <= known | events.vocabulary(dialect.protocol).server.keys()
    assert dialect.refused_events <= known
    assert dialect.unanswered_events <= known
    assert not dialect.refused_events & dialect.unanswered_events


@pytest.mark.parametrize("dialect", EVERY)
def test_capabilities_do_not_contradict_each_other(dialect):
    assert dialect.modes
    assert all(rate > 0 for rate in (dialect.input_rates[0], dialect.output_rates[0]))
    assert dialect.default_turn_detection is None or dialect.default_turn_detection in dialect.turn_detections
    assert dialect.turnless == (not dialect.turn_detections) or dialect.modes == {"transcription"}
    assert (dialect.farewell is None) == (dialect.farewell_answer is None)
    assert dialect.url
    assert dialect.title
