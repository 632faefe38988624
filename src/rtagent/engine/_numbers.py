"""Numbers as people say them: "twenty five", "two and a half", "half an hour", and back to words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ("Quantity", "find_quantities", "number_words", "read_number")

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = {word: value for value, word in enumerate(_ONES)} | {"oh": 0}
_TY = {word: 10 * value for value, word in enumerate(_TENS, start=2)} | {"fourty": 40}
_SCALES = {"thousand": 1_000, "million": 1_000_000}
_FRACTIONS = {"half": 0.5, "quarter": 0.25}
_DIGITS = re.compile(r"[+-]?\d{1,15}(\.\d+)?")
_ARTICLES = ("a", "an")

SECONDS_OF = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
"""Time units, singular, in seconds."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number found in a sentence, with the word that it counts."""

    value: float
    unit: str
    """The word behind the number in its singular form, "" at the end of the sentence."""
    start: int
    """Index of its first word."""
    end: int
    """Index behind its last word; the unit is included only when it is one of time."""


def number_words(value: int) -> str:
    """The words of a whole number below one billion: 25 is ``twenty five``."""
    if value < 0:
        return f"minus {number_words(-value)}"
    if value < 20:
        return _ONES[value]
    if value < 100:
        tens, rest = divmod(value, 10)
        return _TENS[tens - 2] + (f" {_ONES[rest]}" if rest else "")
    sizes = ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred"))
    size, name = next((size, name) for size, name in sizes if value >= size)
    count, rest = divmod(value, size)
    return f"{number_words(count)} {name}" + (f" {number_words(rest)}" if rest else "")


def read_number(words: Sequence[str], start: int = 0) -> tuple[float, int] | None:
    """The number that begins at ``words[start]`` and the index behind it, or None.

    Understands digits ("10", "2.5"), words ("twenty five", "a hundred and one"), decimals
    ("one point five") and halves ("two and a half", "half a", "a quarter").
    """
    if start >= len(words):
        return None
    negative = words[start] == "minus"
    found = _read_fraction(words, start) or _read_plain(words, start + negative)
    if found is None:
        return None
    value, at = found
    if at + 1 < len(words) and words[at] == "point" and words[at + 1] in _SMALL:
        value, at = _read_decimals(words, value, at + 1)
    elif tuple(words[at : at + 3]) == ("and", "a", "half"):
        value, at = value + 0.5, at + 3
    return (-value if negative else value), at


def _read_fraction(words: Sequence[str], start: int) -> tuple[float, int] | None:
    at = start + (words[start] in _ARTICLES)
    if at >= len(words) or words[at] not in _FRACTIONS:
        return None
    value = _FRACTIONS[words[at]]
    at += 1
    if words[at : at + 1] == ["of"]:
        at += 1
    if at < len(words) and words[at] in _ARTICLES:
        at += 1
    return value, at


def _read_plain(words: Sequence[str], start: int) -> tuple[float, int] | None:
    if start >= len(words):
        return None
    if _DIGITS.fullmatch(words[start]):
        return float(words[start]), start + 1
    total, group, at = 0, None, start
    if words[start] in _ARTICLES and words[start + 1 : start + 2] in (["hundred"], ["thousand"]):
        group, at = 1, start + 1
    while at < len(words):
        word = words[at]
        if group is not None and word in _SCALES:
            total, group = total + group * _SCALES[word], 0
        elif word == "and" and group is not None and words[at - 1] in (*_SCALES, "hundred"):
            if at + 1 >= len(words) or words[at + 1] not in (*_SMALL, *_TY):
                break
        else:
            longer = _extend(group, words[at - 1] if at > start else "", word)
            if longer is None:
                break
            group = longer
        at += 1
    return None if group is None else (float(total + group), at)


def _extend(group: int | None, previous: str, word: str) -> int | None:
    """The value below one thousand with one more word, or None when the word does not continue it."""
    if word == "hundred":
        return group * 100 if group is not None and 0 < group < 10 else None
    if word in _TY:
        fits = group is None or (group % 100 == 0 and previous not in _SMALL)
        return (group or 0) + _TY[word] if fits else None
    if word in _SMALL:
        fits = group is None or (group % 100 == 0 and previous not in _SMALL)
        fits = fits or (previous in _TY and 0 < _SMALL[word] < 10)
        return (group or 0) + _SMALL[word] if fits else None
    return None


def _read_decimals(words: Sequence[str], whole: float, at: int) -> tuple[float, int]:
    digits = ""
    while at < len(words) and _SMALL.get(words[at], 10) < 10:
        digits += str(_SMALL[words[at]])
        at += 1
    return float(f"{int(whole)}.{digits or 0}"), at


def singular(word: str) -> str:
    """A unit without its plural ending: ``minutes`` is ``minute``, ``people`` stays."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def find_quantities(words: Sequence[str]) -> list[Quantity]:
    """Every number in a sentence; spans of time that belong together ("one hour and ten minutes") are added up."""
    found: list[Quantity] = []
    at = 0
    while at < len(words):
        quantity = _quantity_at(words, at)
        if quantity is None:
            at += 1
            continue
        if found and _continues(words, found[-1], quantity):
            quantity = _joined(found.pop(), quantity)
        found.append(quantity)
        at = quantity.end
    return found


def _quantity_at(words: Sequence[str], start: int) -> Quantity | None:
    number = read_number(words, start)
    if number is None and words[start] in _ARTICLES and singular(_at(words, start + 1)) in SECONDS_OF:
        number = (1.0, start + 1)  # "an hour"
    if number is None:
        return None
    value, end = number
    unit = singular(_at(words, end))
    if unit in SECONDS_OF:
        end += 1
        if tuple(words[end : end + 3]) == ("and", "a", "half"):  # "an hour and a half"
            value, end = value + 0.5, end + 3
    return Quantity(value, unit, start, end)


def _at(words: Sequence[str], index: int) -> str:
    return words[index] if index < len(words) else ""


def _continues(words: Sequence[str], first: Quantity, second: Quantity) -> bool:
    between = list(words[first.end : second.start])
    sizes = SECONDS_OF.get(first.unit, 0), SECONDS_OF.get(second.unit, 0)
    return between in ([], ["and"]) and sizes[0] > sizes[1] > 0


def _joined(first: Quantity, second: Quantity) -> Quantity:
    ratio = SECONDS_OF[first.unit] / SECONDS_OF[second.unit]
    return Quantity(first.value * ratio + second.value, second.unit, first.start, second.end)
