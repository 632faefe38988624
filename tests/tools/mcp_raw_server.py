"""A local MCP server of the year 2025, line by line and without a package: it starts at once and misbehaves.

Its tools: ``echo`` answers its arguments, ``pid`` its process; ``hang`` never answers; ``die`` ends the process
in the middle of a call, ``garbage`` writes what is no JSON first; ``learn`` adds a tool and tells so; ``progress``
reports before it answers; ``refuse`` answers with an error of the protocol; ``lie`` breaks its own output schema.
Each call is noted in the file LOG, as is each cancellation.

Arguments: ``log=FILE``, ``names=a,b`` (further tools), ``pages=N`` (a list in pages of N), ``deaf`` (no answer to the
handshake), ``stubborn`` (does not end with its input, nor when it is told to terminate), ``mortal=N`` (ends by
itself before the Nth start answers), ``lists=N`` (only so many lists), ``say=TEXT`` (on standard error),
``pid=FILE`` (its process is written there).
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, TextIO

OPTIONS = dict(argument.partition("=")[::2] for argument in sys.argv[1:])
NAMES = ["echo", "pid", "hang", "die", "garbage", "learn", "progress", "refuse", "lie"]
NAMES += [name for name in OPTIONS.get("names", "").split(",") if name]


LISTS: list[dict[str, Any]] = []


def write(stream: TextIO, line: str) -> None:
    stream.write(f"{line}\n")
    stream.flush()


def send(**message: Any) -> None:
    write(sys.stdout, json.dumps({"jsonrpc": "2.0", **message}))


def note(line: str) -> None:
    if "log" in OPTIONS:
        with Path(OPTIONS["log"]).open("a") as log:
            log.write(f"{line}\n")


def described(name: str) -> dict[str, Any]:
    tool: dict[str, Any] = {
        "name": name,
        "description": f"{name} it. " * 300,
        "inputSchema": {"type": "object"},
    }
    if name == "lie":
        tool["outputSchema"] = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    return tool


def page(params: dict[str, Any]) -> dict[str, Any]:
    size = int(OPTIONS.get("pages", len(NAMES)))
    start = int(params.get("cursor", 0))
    shown = {"tools": [described(name) for name in NAMES[start : start + size]]}
    return shown if start + size >= len(NAMES) else {**shown, "nextCursor": str(start + size)}


def answer(request: dict[str, Any]) -> dict[str, Any] | None:
    params = request.get("params", {})
    match request["method"]:
        case "initialize":
            if "deaf" in OPTIONS:
                return None
            able = {"tools": {"listChanged": True}}
            info = {"name": "raw", "version": "1"}
            return {"protocolVersion": "2025-06-18", "capabilities": able, "serverInfo": info}
        case "tools/list":
            LISTS.append(params)
            return page(params) if len(LISTS) <= int(OPTIONS.get("lists", 99)) else None
        case "tools/call":
            return called(request["id"], params)
        case _:
            return {"error": {"code": -32601, "message": "no such method"}}


def called(request_id: int, params: dict[str, Any]) -> dict[str, Any] | None:
    name, arguments = params["name"], params.get("arguments") or {}
    note(f"call {name}")
    text = json.dumps(arguments)
    match name:
        case "pid":
            text = str(os.getpid())
        case "hang":
            return None
        case "die":
            write(sys.stderr, "the end")
            os._exit(1)
        case "garbage":
            write(sys.stdout, "this is no JSON")
        case "learn":
            NAMES.append(arguments["name"])
            send(method="notifications/tools/list_changed")
        case "progress":
            told = {"progressToken": params.get("_meta", {}).get("progressToken", "none"), "progress": 1}
            send(method="notifications/progress", params={**told, "total": 4, "message": "reading"})
            send(method="notifications/progress", params={**told, "progress": 2})
        case "refuse":
            return {"error": {"code": -32602, "message": "not like this"}}
        case "lie":
            return {"content": [], "structuredContent": {"n": "one"}}
        case _:
            pass
    return {"content": [{"type": "text", "text": text}]}


def main() -> None:
    if "say" in OPTIONS:
        write(sys.stderr, OPTIONS["say"])
    if "stubborn" in OPTIONS:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note("start")
    if "pid" in OPTIONS:
        Path(OPTIONS["pid"]).write_text(f"{os.getpid()}\n")
    if "mortal" in OPTIONS and Path(OPTIONS["log"]).read_text().count("start\n") >= int(OPTIONS["mortal"]):
        sys.exit(1)
    for line in sys.stdin:
        message = json.loads(line)
        if message["method"] == "notifications/cancelled":
            note("cancelled")
        if "id" not in message:
            continue
        result = answer(message)
        if result is not None:
            send(
                id=message["id"], **({"error": result["error"]} if "error" in result else {"result": result})
            )
    while "stubborn" in OPTIONS:
        signal.pause()


if __name__ == "__main__":
    main()
