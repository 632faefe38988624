"""Make ``docs/servers.md``: which servers are known, and what each of them can do.

Run ``python scripts/make_servers_page.py``. Everything on the page is read from ``rtagent.events.PROFILES``,
so the page says what the code does; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rtagent.events import PROFILES, Dialect

PAGE = Path(__file__).parents[1] / "docs" / "servers.md"

INTRODUCTION = """# Servers

`rtagent` speaks to any server of the table. A profile is a value (`rtagent.events.Dialect`): the names that
the server uses, the shapes that it wants, and what it can do. Choose it by name:

```python
from rtagent import Endpoint

Endpoint.url("ws://localhost:8080/v1/realtime?model=my-pipeline", profile="localai")
Endpoint.openai()  # also Endpoint.azure(…), with voice_live=True for Voice Live
Endpoint.openai(live=True)  # GPT-Live; so does the model's name "gpt-live-1"
```

What a server cannot do is refused when the program asks for it, with `rtagent.Unsupported`, which names the
server. Where a server is not what its profile says, nothing is lost: the difference is told once
(`DialectDeparted`) and counted (`session.metrics.departures`).

**A server that is not here:** `rtagent probe URL --write mine.json` asks it what it does, and
`Endpoint.url(URL, profile="mine.json")` uses the answer. A profile file names its base and what is
different: `{"base": "openai", "session_shape": "flat", "input_rates": [16000]}`.

This page is made from the profiles by `python scripts/make_servers_page.py`.
"""

Column = tuple[str, Callable[[Dialect], str]]


def yes(value: bool) -> str:
    """A word for a table."""
    return "yes" if value else "no"


def rates(dialect: Dialect) -> str:
    """PCM rates in kHz, and G.711."""
    heard, spoken = (", ".join(f"{rate / 1000:g}" for rate in sorted(own)) for own in _rates(dialect))
    pcm = (
        heard
        if heard == spoken or "response.create" in dialect.refused_events
        else f"hears {heard}, speaks {spoken}"
    )
    return f"{pcm}; G.711" if dialect.telephony else pcm


def _rates(dialect: Dialect) -> tuple[Sequence[int], Sequence[int]]:
    return dialect.input_rates, dialect.output_rates


def generation(dialect: Dialect) -> str:
    """Which names and which shape of the session."""
    if dialect.protocol != "realtime":
        return "its own"
    names = "beta" if dialect.spellings else "GA"
    shapes = {
        "nested": "",
        "flat": ", flat session",
        "voice_on_top": ", voice on top",
        "model_on_top": ", model only",
    }
    return names + shapes[dialect.session_shape]


def turns(dialect: Dialect) -> str:
    """What ends a turn."""
    if dialect.turnless:
        return "none: both may speak"
    kinds = [*dialect.turn_detections, *(["manual"] if dialect.manual_turns else [])]
    marked = [
        f"**{kind}**" if kind == (dialect.default_turn_detection or "manual") else kind for kind in kinds
    ]
    return ", ".join(marked)


def limit(dialect: Dialect) -> str:
    """The longest session."""
    return "" if dialect.max_session_s is None else f"{dialect.max_session_s // 60} min"


FEATURES: Sequence[Column] = (
    ("Server", lambda d: d.title),
    ("`profile`", lambda d: f"`{d.name}`"),
    ("Sessions", lambda d: ", ".join(sorted(d.modes))),
    ("Names and shape", generation),
    ("PCM in kHz", rates),
    ("Turns end by (**default**)", turns),
    ("Longest session", limit),
)
ABILITIES: Sequence[Column] = (
    ("`profile`", lambda d: f"`{d.name}`"),
    ("Tools", lambda d: yes(d.functions)),
    ("Truncate", lambda d: {"acknowledged": "yes", "silent": "no answer", "none": "no"}[d.truncates]),
    ("Delete items", lambda d: yes(d.mutable_context)),
    ("Items announced by", lambda d: "" if d.turnless else d.announces_items.replace("_", " and ")),
    ("Cancel while idle", lambda d: "" if d.turnless else d.idle_cancel),
    ("Responses beside", lambda d: yes(d.out_of_band)),
    ("Metadata comes back", lambda d: yes(d.echoes_metadata)),
    ("Written answers", lambda d: yes(d.text_answers)),
    ("Images", lambda d: yes(d.images)),
    ("MCP", lambda d: yes(d.mcp)),
    ("Goodbye", lambda d: f"`{d.farewell}`" if d.farewell else ""),
)


def table(columns: Sequence[Column], dialects: Iterable[Dialect]) -> list[str]:
    """Lines of a Markdown table."""
    heads = [head for head, _ in columns]
    rows = [[cell(dialect) for _, cell in columns] for dialect in dialects]
    return [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)]


def page() -> str:
    """The whole page."""
    dialects = list(PROFILES.values())
    addresses = [
        f"- `{d.name}`: `{d.url}`{''.join(f'; {note}' for note in d.notes)}" for d in dialects if d.url
    ]
    lines = [
        INTRODUCTION,
        "## What is spoken",
        "",
        *table(FEATURES, dialects),
        "",
        "## What can be done",
        "",
        *table(ABILITIES, dialects),
        "",
        "## Addresses, and what else to know",
        "",
        *addresses,
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
