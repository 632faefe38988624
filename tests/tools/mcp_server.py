"""An MCP server for tests, written with the server side of the package ``mcp``.

``python mcp_server.py`` speaks over standard input and output; ``python mcp_server.py PORT`` over streamable
HTTP on loopback, and answers 401 without the header ``Authorization: Bearer sesame``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import (
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

TOKEN = "Bearer sesame"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

server = MCPServer("test", instructions="Ask for the weather first.")


@server.tool()
def add(a: int, b: int = 1) -> str:
    """Add two numbers."""
    return str(a + b)


@server.tool()
def weather(city: str) -> dict[str, Any]:
    """The weather of a city."""
    return {"city": city, "degrees": 21}


@server.tool()
def fail(why: str) -> str:
    """Fail."""
    raise ToolError(why)


@server.tool()
def picture() -> CallToolResult:
    """A picture."""
    image = ImageContent(data=PIXEL, mime_type="image/png")
    return CallToolResult(content=[TextContent(text="a red dot"), image])


@server.tool()
def files() -> CallToolResult:
    """A resource and a link."""
    text = TextResourceContents(uri="file:///notes.txt", text="remember the milk")
    link = ResourceLink(name="big", uri="file:///big.txt")
    parts = [EmbeddedResource(resource=text), link, TextContent(text="that is all")]
    return CallToolResult(content=parts)


@server.tool()
def environment(name: str) -> str:
    """A variable of the environment."""
    return os.environ.get(name, "not set")


@server.tool()
async def wait(log: str, context: Context) -> str:
    """Wait until cancelled, and write down what happens."""
    await context.report_progress(1, 4, "waiting")
    try:
        note(log, "started")
        await anyio.sleep_forever()
    except anyio.get_cancelled_exc_class():
        note(log, "cancelled")
        raise
    return ""


@server.tool()
def die(log: str) -> str:
    """End the server in the middle of a call."""
    note(log, "died")
    say("going down")
    os._exit(3)


@server.tool()
async def learn(name: str, context: Context) -> str:
    """Have a new tool."""

    def learned() -> str:
        return name

    server.add_tool(learned, name=name, description="Just learned.")
    await context.notify_tools_changed()
    return "learned"


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def note(log: str, what: str) -> None:
    with Path(log).open("a") as file:
        file.write(f"{what}\n")


class Door:
    """Lets nobody in who does not know the word."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and dict(scope["headers"]).get(b"authorization") != TOKEN.encode():
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await self.app(scope, receive, send)


def serve(port: int) -> None:
    import uvicorn

    app = Door(server.streamable_http_app())
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    say("a line on standard error")
    if len(sys.argv) > 1:
        serve(int(sys.argv[1]))
    else:
        server.run("stdio")
