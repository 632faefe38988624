"""Decisions: questions that small models answer about the running conversation, and their answers."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator, Tag

from .._model import Many, WireModel, tag_by_type
from ._parts import Content

__all__ = (
    "Answer",
    "ChoiceAnswer",
    "ChoiceOption",
    "ChoiceProbability",
    "ChoiceQuestion",
    "Decision",
    "DecisionOutcome",
    "DecisionTrigger",
    "DecisionUsage",
    "InputTokensDetails",
    "OutputTokensDetails",
    "PredicateAnswer",
    "PredicateQuestion",
    "Question",
    "RefusalAnswer",
    "ScoreAnswer",
    "ScoreLevel",
    "ScoreProbability",
    "ScoreQuestion",
    "TriggerDecisions",
    "UnknownAnswer",
    "UnknownQuestion",
)


class _Question(WireModel, frozen=True):
    """What every question has."""

    name: str | None = None
    """Comes back in the answer."""
    instructions: Content


class PredicateQuestion(_Question, frozen=True):
    """Is this so?"""

    type: Literal["predicate"] = "predicate"


class ChoiceOption(WireModel, frozen=True):
    """One of the answers that a choice question allows."""

    value: str | bool
    description: str | None = None


class ChoiceQuestion(_Question, frozen=True):
    """Which of these is it?"""

    type: Literal["choice"] = "choice"
    choices: Many[ChoiceOption]


class ScoreLevel(WireModel, frozen=True):
    """One step of a scale."""

    label: str
    description: str | None = None


class ScoreQuestion(_Question, frozen=True):
    """How much is it so?"""

    type: Literal["score"] = "score"
    levels: Many[ScoreLevel]
    """The scale, from its lowest step."""


class UnknownQuestion(WireModel, frozen=True):
    """A question of a kind that this version does not know; its other fields are in ``model_extra``."""

    type: str = ""
    name: str | None = None


Question: TypeAlias = Annotated[
    Annotated[PredicateQuestion, Tag("PredicateQuestion")]
    | Annotated[ChoiceQuestion, Tag("ChoiceQuestion")]
    | Annotated[ScoreQuestion, Tag("ScoreQuestion")]
    | Annotated[UnknownQuestion, Tag("UnknownQuestion")],
    Discriminator(
        tag_by_type(
            {"predicate": "PredicateQuestion", "choice": "ChoiceQuestion", "score": "ScoreQuestion"},
            otherwise="UnknownQuestion",
        )
    ),
]
"""One thing to be decided."""


class TriggerDecisions(WireModel, frozen=True):
    """What a trigger asks."""

    questions: Many[Question] = ()


class DecisionTrigger(WireModel, frozen=True):
    """Questions that are asked again whenever more of the transcript is there."""

    type: Literal["decisions"] | str = "decisions"
    event_type: Literal["session.input_transcript.delta", "session.output_transcript.delta"] | str
    decisions: TriggerDecisions


class _Answer(WireModel, frozen=True):
    """What every answer has."""

    name: str | None = None
    """The question's."""


class PredicateAnswer(_Answer, frozen=True):
    """How likely it is so."""

    type: Literal["predicate"] = "predicate"
    probability: float | None = None
    """0 to 1."""


class ChoiceProbability(WireModel, frozen=True):
    """How likely one of the choices is."""

    value: str | bool | None = None
    probability: float | None = None


class ChoiceAnswer(_Answer, frozen=True):
    """The choice that was made."""

    type: Literal["choice"] = "choice"
    choice: str | bool | None = None
    confidence: float | None = None
    probabilities: Many[ChoiceProbability] = ()


class ScoreProbability(WireModel, frozen=True):
    """How likely one step of the scale is."""

    label: str | None = None
    value: int | None = None
    probability: float | None = None


class ScoreAnswer(_Answer, frozen=True):
    """Where on the scale it is."""

    type: Literal["score"] = "score"
    score: float | None = None
    confidence: float | None = None
    probabilities: Many[ScoreProbability] = ()


class RefusalAnswer(_Answer, frozen=True):
    """The model would not decide this."""

    type: Literal["refusal"] = "refusal"


class UnknownAnswer(_Answer, frozen=True):
    """An answer of a kind that this version does not know; its other fields are in ``model_extra``."""

    type: str = ""


Answer: TypeAlias = Annotated[
    Annotated[PredicateAnswer, Tag("PredicateAnswer")]
    | Annotated[ChoiceAnswer, Tag("ChoiceAnswer")]
    | Annotated[ScoreAnswer, Tag("ScoreAnswer")]
    | Annotated[RefusalAnswer, Tag("RefusalAnswer")]
    | Annotated[UnknownAnswer, Tag("UnknownAnswer")],
    Discriminator(
        tag_by_type(
            {
                "predicate": "PredicateAnswer",
                "choice": "ChoiceAnswer",
                "score": "ScoreAnswer",
                "refusal": "RefusalAnswer",
            },
            otherwise="UnknownAnswer",
        )
    ),
]
"""What was decided about one question."""


class InputTokensDetails(WireModel, frozen=True):
    """Parts of the input that are priced apart."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class OutputTokensDetails(WireModel, frozen=True):
    """Parts of the output that nobody sees."""

    reasoning_tokens: int | None = None


class DecisionUsage(WireModel, frozen=True):
    """What a decision cost, in tokens of its model."""

    input_tokens: int | None = None
    input_tokens_details: InputTokensDetails | None = None
    output_tokens: int | None = None
    output_tokens_details: OutputTokensDetails | None = None
    total_tokens: int | None = None


class Decision(WireModel, frozen=True):
    """The answers of one round of questions."""

    model: str | None = None
    answers: Many[Answer] = ()
    usage: DecisionUsage | None = None


class DecisionOutcome(WireModel, frozen=True):
    """How a round of questions ended."""

    type: Literal["decision.completed"] | str = "decision.completed"
    decision: Decision | None = None
