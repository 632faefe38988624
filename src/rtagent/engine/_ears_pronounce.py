"""A guess at how a word sounds that no dictionary knows: names of rooms, products and people in tools."""

from __future__ import annotations

__all__ = ("guess_phones",)

_SOUNDS: dict[str, str] = {
    "tion": "SH AH N", "sion": "ZH AH N", "ough": "AO", "augh": "AO", "eigh": "EY", "tch": "CH",
    "sch": "SH", "igh": "AY", "air": "EH R", "ear": "IH R", "eer": "IH R", "oor": "AO R", "our": "AW ER",
    "qu": "K W", "ch": "CH", "sh": "SH", "th": "TH", "ph": "F", "ck": "K", "ng": "NG", "wh": "W", "wr": "R",
    "kn": "N", "gh": "G", "dg": "JH", "oo": "UW", "ee": "IY", "ea": "IY", "ai": "EY", "ay": "EY",
    "oa": "OW", "ow": "OW", "ou": "AW", "oi": "OY", "oy": "OY", "au": "AO", "aw": "AO", "ie": "IY",
    "ei": "AY", "eu": "Y UW", "ew": "UW", "ue": "UW", "ui": "UW", "ar": "AA R", "er": "ER", "ir": "ER",
    "or": "AO R", "ur": "ER", "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G",
    "h": "HH", "i": "IH", "j": "JH", "k": "K", "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K",
    "r": "R", "s": "S", "t": "T", "u": "AH", "v": "V", "w": "W", "x": "K S", "y": "IY", "z": "Z",
}  # fmt: skip
"""Spellings and their commonest sounds in ARPAbet, as the en-us acoustic model names them."""
_LONGEST = max(map(len, _SOUNDS))
_LONG_VOWELS = {"a": "EY", "e": "IY", "i": "AY", "o": "OW", "u": "UW"}
_FINAL_VOWELS = {"a": "AH", "e": "IY", "i": "IY", "o": "OW", "u": "UW"}
_VOWEL_LETTERS = "aeiou"


def guess_phones(word: str) -> str:
    """ARPAbet phones for a word by its spelling, "" when it has no letters a to z."""
    letters = "".join(letter for letter in word.lower() if "a" <= letter <= "z")
    phones: list[str] = []
    at = 0
    while at < len(letters):
        sound, size = _sound_at(letters, at)
        phones += sound.split()
        at += size
    return " ".join(phones)


def _sound_at(letters: str, at: int) -> tuple[str, int]:
    """The sound that begins at a letter and the number of letters that it takes."""
    letter, rest = letters[at], letters[at + 1 :]
    if not rest and len(letters) > 2:
        if letter == "e" and any(other in _VOWEL_LETTERS + "y" for other in letters[:-1]):
            return "", 1  # the silent e of "lane"
        if letter in _FINAL_VOWELS:
            return _FINAL_VOWELS[letter], 1
    if rest.startswith(letter) and letter not in _VOWEL_LETTERS:
        return _SOUNDS[letter], 2
    if (
        letter in _LONG_VOWELS
        and len(rest) == 2
        and rest[0] not in _VOWEL_LETTERS + "rwyx"
        and rest[1] == "e"
    ):
        return _LONG_VOWELS[letter], 1
    if letter == "c" and rest[:1] in ("e", "i", "y"):
        return "S", 1
    if letter == "y" and at == 0:
        return "Y", 1
    sizes = range(min(_LONGEST, len(letters) - at), 0, -1)
    size = next(size for size in sizes if letters[at : at + size] in _SOUNDS)  # each single letter is there
    return _SOUNDS[letters[at : at + size]], size
