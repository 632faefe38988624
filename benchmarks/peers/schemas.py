"""Write down what other libraries make of the signatures in ``tests/tools/signatures.py``.

Runs in an environment of its own, where they are installed::

    python -m venv /tmp/peers && /tmp/peers/bin/pip install fastmcp openai-agents pydantic-ai-slim
    /tmp/peers/bin/python benchmarks/peers/schemas.py

For each library and signature the file has the parameters' schema and the description that a model gets, or
the error. The libraries are used as their own documentation shows it; openai-agents in its default, strict mode.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from agents import function_tool
from fastmcp.tools import Tool as FastMcpTool
from pydantic_ai import Tool as PydanticAiTool

ROOT = Path(__file__).resolve().parents[2]
FACTS = ROOT / "tests" / "tools" / "peer_schemas.json"
ERROR_CHARS = 160

Told = tuple[dict[str, Any], str | None]


def pydantic_ai(fn: Callable[..., Any]) -> Told:
    definition = PydanticAiTool(fn, takes_ctx=False).tool_def
    return definition.parameters_json_schema, definition.description


def fastmcp(fn: Callable[..., Any]) -> Told:
    tool = FastMcpTool.from_function(fn)
    return tool.parameters, tool.description


def openai_agents(fn: Callable[..., Any]) -> Told:
    tool = function_tool(fn)
    return tool.params_json_schema, tool.description


PEERS: dict[str, Callable[[Callable[..., Any]], Told]] = {
    "pydantic-ai-slim": pydantic_ai,
    "fastmcp": fastmcp,
    "openai-agents": openai_agents,
}


def told(peer: Callable[[Callable[..., Any]], Told], fn: Callable[..., Any]) -> dict[str, Any]:
    try:
        schema, description = peer(fn)
    except Exception as error:  # noqa: BLE001 - whatever a library raises is what its user gets
        first = str(error).partition("\n")[0][:ERROR_CHARS]
        return {"error": f"{type(error).__name__}: {first}"}
    return {"description": description, "schema": schema}


def main() -> None:
    sys.path.insert(0, str(ROOT))
    found: dict[str, Callable[..., Any]] = import_module("tests.tools.signatures").SIGNATURES
    facts = {
        "versions": {name: version(name) for name in (*PEERS, "pydantic")},
        "schemas": {name: {key: told(peer, fn) for key, fn in found.items()} for name, peer in PEERS.items()},
    }
    FACTS.write_text(json.dumps(facts, separators=(",", ":")) + "\n", encoding="utf-8")
    print(FACTS, FACTS.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
