from __future__ import annotations

import json

from rtagent.cli._probe_facts import Finding, Is, nearest
from rtagent.cli._probe_table import as_json, conclusion, table

FINDINGS = [
    Finding("greets first", "yes", "session.created", (Is("greeting", ("session.created",)),)),
    Finding("formats", "not known", "", (Is("telephony", value=False), Is("idle_cancel", "error"))),
]


def test_columns_are_aligned():
    assert table(FINDINGS).splitlines() == [
        "topic         finding    evidence",
        "greets first  yes        session.created",
        "formats       not known",
    ]


def test_the_nearest_profile_its_twins_and_the_differences():
    ranking = nearest(FINDINGS)
    openai = next(each for each in ranking if each.name == "openai")
    lines = conclusion(FINDINGS, ranking, openai).splitlines()
    assert lines[0].startswith("nearest profile: openai (as near: ")
    assert lines[0].endswith("which agrees in 2 of 3")
    assert lines[1:] == ["  differs in telephony: here False, there True"]


def test_a_profile_without_twins():
    facts = (Is("greeting", ()), Is("protocol", "live"))
    ranking = nearest([Finding("greets first", "no", "", facts)])
    alone = ranking[0]._replace(name="live", disagreements=("only this one",))
    assert conclusion([], [alone], alone) == "nearest profile: live, which agrees in 2 of 3"


def test_json_for_programs():
    ranking = nearest(FINDINGS)
    told = json.loads(json.dumps(as_json("ws://here", FINDINGS, ranking, ranking[0])))
    assert told["url"] == "ws://here"
    assert told["findings"][0] == {"topic": "greets first", "answer": "yes", "evidence": "session.created"}
    assert told["nearest"] == ranking[0].name == told["ranking"][0]["name"]
    assert told["ranking"][-1].keys() == {"name", "agreements", "disagreements"}
    assert told["differences"] == []
