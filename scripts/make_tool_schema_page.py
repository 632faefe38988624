"""Make ``docs/tool-schema-table.md``: what a model is told about sixty functions, here and by other libraries.

Run ``python -m scripts.make_tool_schema_page``. What the others say is read from
``tests/tools/peer_schemas.json``, which ``benchmarks/peers/schemas.py`` writes; ours is made now. A test holds
page, facts and code together.
"""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from rtagent.errors import ToolDefinitionError
from rtagent.tools import Tool
from tests.tools.signatures import SIGNATURES

from .tool_schema_differences import CLASSES, Difference, Told, classes_of, differences

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "tool-schema-table.md"
FACTS = ROOT / "tests" / "tools" / "peer_schemas.json"
STRICT_PEERS = {"openai-agents"}
"""Compared with our strict form, because theirs is the default."""

INTRODUCTION = """# What a model is told about sixty functions

Each row is a function of `tests/tools/signatures.py`, with the schema that `rtagent` makes of its parameters. The
last columns say how three other libraries differ: {versions}, all with pydantic {pydantic}. openai-agents makes
strict schemas by default and is compared with `strict=True`, the others with the plain form. A dash
means that the model is told the same. How schemas come about is explained in [tool schemas](topics/tool-schemas.md).

This page is made by `python -m scripts.make_tool_schema_page`.
"""


_STARS: Mapping[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


@cache
def facts() -> dict[str, Any]:
    """What other libraries made of the signatures, and their versions."""
    found: dict[str, Any] = json.loads(FACTS.read_text(encoding="utf-8"))
    return found


def ours(fn: Callable[..., Any], *, strict: bool = False) -> Told:
    """What we tell a model about a function."""
    try:
        tool = Tool.from_function(fn, strict=strict)
    except ToolDefinitionError as error:
        return Told(error="; ".join(error.problems))
    return Told(tool.parameters, tool.description)


def compared(peer: str, name: str) -> Iterator[Difference]:
    """The differences of one signature."""
    mine = ours(SIGNATURES[name], strict=peer in STRICT_PEERS)
    return differences(mine, Told(**facts()["schemas"][peer][name]))


def page() -> str:
    """The whole page."""
    versions: Mapping[str, str] = facts()["versions"]
    peers = list(facts()["schemas"])
    counts = {peer: Counter[str]() for peer in peers}
    rows = [_row(["Function", "Parameters", *peers]), _row(["---"] * (2 + len(peers)))]
    for name, fn in SIGNATURES.items():
        cells: list[str] = []
        for peer in peers:
            kinds = [kind.name for kind in classes_of(compared(peer, name))[0]]
            counts[peer].update(kinds or ["same"])
            cells.append(", ".join(kinds) or "—")
        rows.append(_row([f"`{_signature(name, fn)}`", _told(ours(fn)), *cells]))
    legend = [_row(["Difference", "What it means", *peers]), _row(["---"] * (2 + len(peers)))]
    legend += [_row([c.name, c.text, *(str(counts[peer][c.name]) for peer in peers)]) for c in CLASSES]
    legend.append(_row(["—", "The same.", *(str(counts[peer]["same"]) for peer in peers)]))
    named = ", ".join(f"{peer} {versions[peer]}" for peer in peers)
    lines = [INTRODUCTION.format(versions=named, pydantic=versions["pydantic"]), "## The differences", ""]
    return "\n".join([*lines, *legend, "", "## The functions", "", *rows]) + "\n"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _signature(name: str, fn: Callable[..., Any]) -> str:
    """A signature as it is written."""
    parts: list[str] = []
    for parameter in inspect.signature(fn).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not any(part[0] == "*" for part in parts):
            parts.append("*")
        mark = _STARS.get(parameter.kind, "")
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!s}"
        if isinstance(parameter.default, str) and type(parameter.default) is str:
            default = f' = "{parameter.default}"'
        parts.append(f"{mark}{parameter.name}: {parameter.annotation}{default}")
    return f"{name}({', '.join(parts)})"


def _told(told: Told) -> str:
    """The properties as compact JSON, with a star for what is required; or why there are none."""
    if told.schema is None:
        return f"refused: {told.error}"
    required = told.schema.get("required", ())
    parts = [
        f"{name}{'*' if name in required else ''}: `{json.dumps(inner, ensure_ascii=False)}`"
        for name, inner in told.schema["properties"].items()
    ]
    if told.schema["additionalProperties"] is not False:
        parts.append(f"others: `{json.dumps(told.schema['additionalProperties'])}`")
    parts += [f"{name}: `{json.dumps(inner)}`" for name, inner in told.schema.get("$defs", {}).items()]
    return "<br>".join(parts) or "none"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
