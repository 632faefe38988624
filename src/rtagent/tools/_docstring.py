"""What a docstring tells about a function and each of its parameters, in Google, NumPy or Sphinx style."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ("Docstring", "parse_docstring")

_PARAMETER_SECTIONS = {
    "args",
    "arguments",
    "keyword args",
    "keyword arguments",
    "other parameters",
    "parameters",
    "params",
}
_OTHER_SECTIONS = {
    "attributes",
    "example",
    "examples",
    "note",
    "notes",
    "raises",
    "references",
    "return",
    "returns",
    "see also",
    "todo",
    "warning",
    "warnings",
    "warns",
    "yields",
}
_SECTIONS = _PARAMETER_SECTIONS | _OTHER_SECTIONS

_UNDERLINE = re.compile(r"-{3,}\s*$")
_SPHINX_FIELD = re.compile(r":(?P<field>\w+)(?:\s+(?P<subject>[^:]+))?:\s*(?P<text>.*)")
_SPHINX_PARAMETER = {"arg", "argument", "key", "keyword", "param", "parameter"}
_GOOGLE_ENTRY = re.compile(r"\*{0,2}(?P<names>\w+)\s*(?:\(.*?\))?\s*:(?:\s+(?P<text>.*))?$")
_NUMPY_ENTRY = re.compile(r"(?P<names>\*{0,2}\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?::.*)?$")


@dataclass(frozen=True, slots=True)
class Docstring:
    """A docstring, taken apart."""

    description: str
    """Everything before the first section."""
    parameters: Mapping[str, str]
    """The text of each parameter, on one line."""


def parse_docstring(text: str | None) -> Docstring:
    """Take a docstring apart; what is not understood stays part of the description or is left out."""
    lines = inspect.cleandoc(text or "").splitlines()
    start = next((at for at in range(len(lines)) if _starts_section(lines, at)), len(lines))
    parameters: dict[str, str] = {}
    at = start
    while at < len(lines):
        end = next(
            (later for later in range(at + 1, len(lines)) if _starts_section(lines, later)), len(lines)
        )
        parameters.update(_section_parameters(lines[at:end]))
        at = end
    return Docstring("\n".join(lines[:start]).strip(), parameters)


def _starts_section(lines: list[str], at: int) -> bool:
    line = lines[at].rstrip()
    if not line or line[0].isspace():
        return False
    if line[0] == ":":
        return _SPHINX_FIELD.match(line) is not None
    if _is_underlined(lines, at):
        return line.lower() in _SECTIONS
    return line[-1] == ":" and line[:-1].strip().lower() in _SECTIONS


def _is_underlined(lines: list[str], at: int) -> bool:
    return at + 1 < len(lines) and lines[at + 1][:1] == "-" and _UNDERLINE.match(lines[at + 1]) is not None


def _section_parameters(section: list[str]) -> dict[str, str]:
    head = section[0].strip()
    field = _SPHINX_FIELD.match(head)
    if field is not None:
        return _sphinx_parameter(field, section[1:])
    if head.rstrip(":").strip().lower() not in _PARAMETER_SECTIONS:
        return {}
    if _is_underlined(section, 0):
        return _entries(section[2:], _NUMPY_ENTRY)
    return _entries(section[1:], _GOOGLE_ENTRY)


def _sphinx_parameter(field: re.Match[str], continuation: list[str]) -> dict[str, str]:
    subject = (field["subject"] or "").split()
    if field["field"] not in _SPHINX_PARAMETER or not subject:
        return {}
    # ":param int count:" may carry the type before the name
    return {subject[-1].lstrip("*"): _joined([field["text"], *continuation])}


def _entries(body: list[str], entry: re.Pattern[str]) -> dict[str, str]:
    """The entries at the body's own indentation; lines that stand deeper continue the entry above."""
    parts: dict[str, list[str]] = {}
    current: list[str] = []
    margin = next((_indentation(line) for line in body if line.strip()), 0)
    for line in body:
        text = line.strip()
        found = entry.match(text) if text and _indentation(line) <= margin else None
        if found is None:
            current.append(line)
            continue
        current = [found.groupdict().get("text") or ""]
        parts.update({name.strip().lstrip("*"): current for name in found["names"].split(",")})
    return {name: _joined(lines) for name, lines in parts.items()}


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _joined(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())
