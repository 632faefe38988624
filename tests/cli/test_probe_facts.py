from __future__ import annotations

import pytest

from rtagent.cli._probe_facts import Answered, Contains, Fact, Finding, Is, differences, nearest, profile_of
from rtagent.events import PROFILES

GA, BETA = PROFILES["openai"], PROFILES["beta"]
TRUNCATE = "conversation.item.truncate"


def finding(*facts: Fact) -> Finding:
    return Finding("topic", "yes", "evidence", facts)


@pytest.mark.parametrize(
    "fact",
    [
        Is("greeting", ("session.created", "conversation.created")),
        Is("default_turn_detection", None),
        Is("idle_cancel", "silent"),
        Contains("turn_detections", "client_vad", present=True),
        Contains("turn_detections", "semantic_vad", present=False),
        Contains("missing_fields", "event_id", present=True),
        Contains("aliases", "response.text.delta", present=True),
        Answered(TRUNCATE, "silent"),
        Answered(TRUNCATE, "refused"),
    ],
)
def test_a_fact_that_does_not_hold_does_once_it_is_applied(fact):
    assert not fact.holds(GA)
    assert fact.against(GA)
    profile = profile_of([finding(fact)], GA, name="ours", url="ws://here")
    assert fact.holds(profile)
    assert (profile.name, profile.url) == ("ours", "ws://here")
    assert fact.applied(profile) == profile


def test_what_is_found_wrong_about_names_and_answers_is_taken_back():
    facts = (
        Contains("aliases", "response.text.delta", present=False),
        Answered("conversation.item.retrieve", "acknowledged"),
    )
    base = PROFILES["qwen-omni"]
    profile = profile_of([finding(*facts)], base, name="ours", url="")
    assert "response.text.delta" not in profile.aliases
    assert profile.takes("conversation.item.retrieve")
    assert profile.aliases.keys() == base.aliases.keys() - {"response.text.delta"}


def test_an_alias_means_what_it_means_elsewhere():
    fact = Contains("aliases", "response.text.delta", present=True)
    assert fact.applied(GA).aliases == {"response.text.delta": "response.output_text.delta"}


def test_silence_contradicts_only_the_promise_of_an_answer():
    silence = Answered(TRUNCATE, "silent")
    assert not silence.holds(GA)
    assert silence.holds(PROFILES["hf-speech-to-speech"])
    assert silence.holds(PROFILES["qwen-omni"]), "refusing may be done silently"


def test_in_words():
    assert Is("greeting", ()).against(GA) == "greeting: here nothing, there session.created"
    assert Is("farewell", None).against(PROFILES["qwen-omni"]) == (
        "farewell: here none, there session.finish"
    )
    lost = Contains("turn_detections", "server_vad", present=False)
    assert lost.against(GA) == "turn_detections: here without server_vad, there with"
    assert Answered(TRUNCATE, "silent").against(GA) == f"{TRUNCATE}: here silent, there acknowledged"
    assert Answered(TRUNCATE, "acknowledged").against(PROFILES["qwen-omni"]).endswith("there refused")


@pytest.mark.parametrize("name", PROFILES)
def test_everything_that_a_profile_says_leads_back_to_it(name):
    dialect = PROFILES[name]
    told_elsewhere = {"name", "title", "url", "notes"}
    mappings = {"aliases", "spellings", "renamed_fields"}  # which have no hash, by which facts are told apart
    fields = set(type(dialect).model_fields) - told_elsewhere - mappings
    facts = [Is(field, getattr(dialect, field)) for field in fields]
    ranking = nearest([finding(*facts)])
    assert ranking[0].disagreements == ()
    assert name in [each.name for each in ranking if not each.disagreements]


def test_only_what_was_found_out_counts():
    assert {each.disagreements for each in nearest([])} == {()}
    assert [each.name for each in nearest([])] == list(PROFILES)


def test_a_field_counts_once_and_its_elements_break_ties():
    facts = (
        Contains("turn_detections", "azure_semantic_vad", present=True),
        Contains("turn_detections", "azure_semantic_vad_multilingual", present=True),
        Is("telephony", value=True),
    )
    known = {"one": BETA, "other": PROFILES["azure-voice-live"], "none": PROFILES["stepfun"]}
    ranking = nearest([finding(*facts)], known)
    assert [each.name for each in ranking] == ["other", "one", "none"]
    assert ranking[1] == ("one", ("telephony",), ("turn_detections",))
    assert ranking[2].disagreements == ("telephony", "turn_detections")


def test_differences_are_told_once():
    fact = Is("telephony", value=False)
    assert differences([finding(fact), finding(fact)], GA) == ["telephony: here False, there True"]
