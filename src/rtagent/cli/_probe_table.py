"""What a probe found, as people and as programs read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..events import PROFILES
from ._probe_facts import Finding, Nearness, differences

__all__ = ("as_json", "conclusion", "table")

_HEADINGS = ("topic", "finding", "evidence")


def table(findings: Sequence[Finding]) -> str:
    """The findings as aligned plain text."""
    rows = [_HEADINGS, *((finding.topic, finding.answer, finding.evidence) for finding in findings)]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}".rstrip() for row in rows)


def conclusion(findings: Sequence[Finding], ranking: Sequence[Nearness], chosen: Nearness) -> str:
    """The nearest profile, in how much it agrees, and where the server differs from it."""
    twins = [
        other.name for other in ranking if other != chosen and other.disagreements == chosen.disagreements
    ]
    near = f" (as near: {', '.join(twins)})" if twins else ""
    known = len(chosen.agreements) + len(chosen.disagreements)
    lines = [f"nearest profile: {chosen.name}{near}, which agrees in {len(chosen.agreements)} of {known}"]
    lines += [f"  differs in {told}" for told in differences(findings, PROFILES[chosen.name])]
    return "\n".join(lines)


def as_json(
    url: str, findings: Sequence[Finding], ranking: Sequence[Nearness], chosen: Nearness
) -> dict[str, Any]:
    """The same for programs."""
    return {
        "url": url,
        "findings": [
            {"topic": finding.topic, "answer": finding.answer, "evidence": finding.evidence}
            for finding in findings
        ],
        "nearest": chosen.name,
        "differences": differences(findings, PROFILES[chosen.name]),
        "ranking": [nearness._asdict() for nearness in ranking],
    }
