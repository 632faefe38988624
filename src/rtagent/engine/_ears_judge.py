"""Two opinions about one utterance: is what the grammar heard what was really said?

A decoder with a grammar bends every sound into the grammar; a decoder with an open vocabulary hears
anything, and mistakes single words for words that sound like them ("light" becomes "like", "set a" becomes
"shitty"). Where both tell the truth their *sounds* agree although their words differ. So both word
sequences are turned into phones, the phones are aligned, and each word is judged by the phones that the
other opinion has in its place. A stranger anywhere, on either side, means that the sentence was another one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ._brain_words import LEAD_INS
from ._numbers import read_number

__all__ = ("Verdict", "judge")

_VOWELS = frozenset(
    ["AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"]
)
_NEAR = {
    frozenset(pair.split())
    for pair in [
        "AA AO",
        "AA AH",
        "AE EH",
        "AH IH",
        "AH EH",
        "AH UH",
        "EH IH",
        "EH EY",
        "IH IY",
        "UH UW",
        "AO OW",
        "AA AW",
        "AE AY",
        "AA AY",
        "ER AH",
        "EY IY",
        "B P",
        "D T",
        "G K",
        "V F",
        "Z S",
        "ZH SH",
        "DH TH",
        "JH CH",
        "M N",
        "N NG",
        "D DH",
        "T TH",
        "S SH",
        "Z ZH",
        "T CH",
        "D JH",
        "S TH",
        "F TH",
        "V DH",
        "L R",
        "L W",
        "Z DH",
    ]
}
_MANNERS = (
    frozenset(["B", "P", "D", "T", "G", "K"]),
    frozenset(["F", "V", "TH", "DH", "S", "Z", "SH", "ZH", "HH", "CH", "JH"]),
    frozenset(["M", "N", "NG"]),
    frozenset(["L", "R", "W", "Y"]),
)
_NEAR_COST, _SAME_KIND_COST, _GAP_COST = 0.3, 0.6, 0.8

_MOST_OVERALL = 0.22
"""Cost per phone above which two sentences are different ones (measured: below 0.2 and above 0.25)."""
_MOST_OF_A_WORD, _MOST_OF_A_SHORT_WORD = 0.55, 0.7
"""Cost per phone above which a word was not said; a short one is smeared more by its neighbours."""
_SHORT_WORD = 3
"""Phones; words with fewer are judged only when they decide something."""
_DECISIVE = frozenset({"on", "off", "up", "no", "not"})
_UNSURE = 0.4
"""Confidence in a sentence for which there is one opinion only."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was said, as far as two opinions tell."""

    text: str
    confidence: float
    """0.0 (the opinions have nothing in common) to 1.0 (they sound the same)."""
    by_grammar: bool
    """True when the grammar's sentence stands."""


@dataclass(slots=True)
class _Word:
    text: str
    """A word, or the words of one number: "fifty eight" and "fifteen" differ less than "eight" and nothing."""
    phones: list[str]
    cost: float = 0.0

    @property
    def strange(self) -> bool:
        """True when the other opinion has other sounds in its place, and that matters."""
        size = len(self.phones)
        if (self.text in LEAD_INS and self.text not in _DECISIVE) or (
            size < _SHORT_WORD and self.text not in _DECISIVE
        ):
            return False
        short = size <= _SHORT_WORD and self.text not in _DECISIVE
        return self.cost > (_MOST_OF_A_SHORT_WORD if short else _MOST_OF_A_WORD) * size


def judge(grammar_text: str, open_text: str, phones_of: Callable[[str], str | None]) -> Verdict:
    """Weigh the grammar's sentence against the open decoder's.

    Args:
        grammar_text: what the grammar heard, "" for nothing.
        open_text: what the open decoder heard, "" for nothing.
        phones_of: the pronunciation of a word in ARPAbet, or None.
    """
    heard, free = _words(grammar_text, phones_of), _words(open_text, phones_of)
    if not heard or not free:
        return Verdict(open_text, _UNSURE if free else 0.0, by_grammar=False)
    total = _align(heard, free)
    cost = total / max(sum(len(word.phones) for word in heard), sum(len(word.phones) for word in free))
    if cost > _MOST_OVERALL or any(word.strange for word in (*heard, *free)):
        return Verdict(open_text, _UNSURE, by_grammar=False)
    return Verdict(grammar_text, 1.0 - cost, by_grammar=True)


def _words(text: str, phones_of: Callable[[str], str | None]) -> list[_Word]:
    words = text.split()
    found: list[_Word] = []
    at = 0
    while at < len(words):
        number = read_number(words, at)
        end = number[1] if number is not None else at + 1
        phones = [
            phone for word in words[at:end] for phone in (phones_of(word) or " ".join(word.upper())).split()
        ]
        found.append(_Word(" ".join(words[at:end]), phones))
        at = end
    return found


def _cost(one: str, other: str) -> float:
    if one == other:
        return 0.0
    if frozenset((one, other)) in _NEAR:
        return _NEAR_COST
    if one in _VOWELS and other in _VOWELS:
        return _SAME_KIND_COST
    return _SAME_KIND_COST if any(one in kind and other in kind for kind in _MANNERS) else 1.0


def _align(heard: Sequence[_Word], free: Sequence[_Word]) -> float:
    """Align the phones of both sentences (weighted edit distance); spread the cost over the words."""
    a = [(index, phone) for index, word in enumerate(heard) for phone in word.phones]
    b = [(index, phone) for index, word in enumerate(free) for phone in word.phones]
    table = [[_GAP_COST * column for column in range(len(b) + 1)]]
    for row, (_, phone) in enumerate(a, start=1):
        line = [_GAP_COST * row]
        above = table[-1]
        for column, (_, other) in enumerate(b, start=1):
            line.append(
                min(
                    above[column - 1] + _cost(phone, other),
                    above[column] + _GAP_COST,
                    line[column - 1] + _GAP_COST,
                )
            )
        table.append(line)
    _trace(table, a, b, heard, free)
    return table[-1][-1]


def _trace(
    table: list[list[float]],
    a: list[tuple[int, str]],
    b: list[tuple[int, str]],
    heard: Sequence[_Word],
    free: Sequence[_Word],
) -> None:
    row, column = len(a), len(b)
    while row or column:
        if row and column:
            (word, phone), (other, sound) = a[row - 1], b[column - 1]
            cost = _cost(phone, sound)
            if abs(table[row][column] - table[row - 1][column - 1] - cost) < 1e-9:
                heard[word].cost += cost
                free[other].cost += cost
                row, column = row - 1, column - 1
                continue
        if row and abs(table[row][column] - table[row - 1][column] - _GAP_COST) < 1e-9:
            heard[a[row - 1][0]].cost += _GAP_COST
            row -= 1
        else:
            free[b[column - 1][0]].cost += _GAP_COST
            column -= 1
