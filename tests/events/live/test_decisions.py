from __future__ import annotations

import pytest

from rtagent.events import live

QUESTIONS = [
    ({"type": "predicate", "name": "angry", "instructions": "Is the user angry?"}, live.PredicateQuestion),
    (
        {
            "type": "choice",
            "instructions": [{"type": "input_json", "data": [{"a": 1}]}],
            "choices": [{"value": True}, {"value": "x", "description": "d"}],
        },
        live.ChoiceQuestion,
    ),
    ({"type": "score", "instructions": "How?", "levels": [{"label": "low"}]}, live.ScoreQuestion),
    ({"type": "ranking", "name": "n", "of": 3}, live.UnknownQuestion),
]
ANSWERS = [
    ({"type": "predicate", "name": "angry", "probability": 0.25}, live.PredicateAnswer),
    (
        {
            "type": "choice",
            "choice": True,
            "confidence": 0.5,
            "probabilities": [{"value": "x", "probability": 1.0}],
        },
        live.ChoiceAnswer,
    ),
    (
        {"type": "score", "score": 1.5, "probabilities": [{"label": "low", "value": 0, "probability": 1.0}]},
        live.ScoreAnswer,
    ),
    ({"type": "refusal", "name": "angry"}, live.RefusalAnswer),
    ({"type": "ranking", "order": [2, 1]}, live.UnknownAnswer),
]


@pytest.mark.parametrize(("wire", "model"), QUESTIONS)
def test_questions(read_session, wire, model):
    delegation = {"type": "decisions", "decisions": {"questions": [wire]}}
    (question,) = read_session({"delegation": delegation}).delegation.decisions.questions
    assert type(question) is model
    assert question.model_dump(exclude_unset=True, mode="json") == wire


@pytest.mark.parametrize(("wire", "model"), ANSWERS)
def test_answers(read, wire, model):
    event = read({"type": "decision.event", "event": {"decision": {"answers": [wire]}}})
    assert isinstance(event, live.DecisionEvent)
    assert event.event.decision is not None
    (answer,) = event.event.decision.answers
    assert type(answer) is model
    assert answer.model_dump(exclude_unset=True, mode="json") == wire


def test_truth_and_its_word_are_not_the_same():
    assert live.ChoiceOption(value=True).value is True
    assert live.ChoiceOption(value="true").value == "true"


def test_a_trigger_that_a_program_builds():
    trigger = live.DecisionTrigger(
        event_type="session.input_transcript.delta",
        decisions=live.TriggerDecisions(questions=[live.PredicateQuestion(instructions="Done?")]),
    )
    assert trigger.model_dump(exclude_unset=True, mode="json") == {
        "type": "decisions",
        "event_type": "session.input_transcript.delta",
        "decisions": {"questions": [{"type": "predicate", "instructions": "Done?"}]},
    }


def test_an_outcome_of_another_kind_is_read(read):
    event = read({"type": "decision.event", "event": {"type": "decision.failed", "why": "x"}})
    assert (event.event.type, event.event.decision) == ("decision.failed", None)
