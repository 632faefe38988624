from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rtagent import Agent
from rtagent.cli._agent_file import FILE_MODULE, default_agent, load_agent
from rtagent.errors import ConfigurationError

ONE = "from rtagent import Agent\nlights = Agent(instructions='one')\n"
TWO = ONE + "heating = Agent(instructions='two')\n"


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, FILE_MODULE, raising=False)


def write(text: str, name: str = "home.py") -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")
    return name


@pytest.mark.parametrize(
    ("text", "named", "instructions"),
    [
        (ONE, "home.py", "one"),
        (ONE, "home.py:lights", "one"),
        (ONE + "same = lights\n", "home.py", "one"),
        (TWO, "home.py:heating", "two"),
        (TWO + "agent = Agent(instructions='three')\n", "home.py", "three"),
        (ONE, "home", "one"),
        (ONE, "home:lights", "one"),
    ],
)
def test_the_agent_that_is_meant(text, named, instructions, monkeypatch):
    monkeypatch.delitem(sys.modules, "home", raising=False)
    write(text)
    assert load_agent(named).instructions == instructions
    monkeypatch.delitem(sys.modules, "home", raising=False)


@pytest.mark.parametrize(
    ("text", "named", "told"),
    [
        (None, "home.py", "there is no agent file home.py"),
        (None, "no_such_module:agent", "no_such_module cannot be loaded: ModuleNotFoundError"),
        (None, "what is this", "neither a file that ends in .py nor the name of a module"),
        ("x = 1\nx = = 2\n", "home.py", "home.py cannot be loaded: home.py:2: SyntaxError: invalid syntax"),
        ("def f():\n    return y\n\nf()\n", "home.py", "home.py:2: NameError: name 'y' is not defined"),
        ("import no_such_module\n", "home.py", "home.py:1: ModuleNotFoundError: No module named"),
        ("raise SystemExit(3)\n", "home.py", "home.py ended the program while it was loaded"),
        ("import json\njson.loads('{')\n", "home.py", "home.py:2: JSONDecodeError"),
        ("x = 1\n", "home.py", "there is no Agent in home.py (such as: agent = Agent(instructions=…))"),
        (TWO, "home.py", "several agents in home.py: heating, lights (name one, such as home.py:heating)"),
        (TWO, "home.py:cooling", "there is no 'cooling' in home.py (its agents: heating, lights)"),
        ("x = 1\n", "home.py:agent", "there is no 'agent' in home.py (it has no Agent at all)"),
        (ONE + "x = 1\n", "home.py:x", "'x' in home.py is not an Agent but int (its agents: lights)"),
    ],
)
def test_what_cannot_be_meant_is_said_in_one_line(text, named, told):
    if text is not None:
        write(text)
    with pytest.raises(ConfigurationError) as caught:
        load_agent(named)
    assert told in str(caught.value)


def test_a_file_finds_its_neighbours_and_the_path_stays_as_it_was(monkeypatch):
    monkeypatch.delitem(sys.modules, "neighbour", raising=False)
    write("WORDS = 'from next door'\n", "deep/neighbour.py")
    write(
        "from rtagent import Agent\nimport neighbour\na = Agent(instructions=neighbour.WORDS)\n",
        "deep/home.py",
    )
    before = list(sys.path)

    assert load_agent("deep/home.py").instructions == "from next door"

    assert sys.path == before
    monkeypatch.delitem(sys.modules, "neighbour")


def test_a_file_may_change_the_path_itself():
    write("import sys\nsys.path[:] = sys.path[1:]\n" + ONE)
    assert load_agent("home.py").instructions == "one"


def test_what_is_for_running_it_alone_does_not_run():
    write(ONE + "if __name__ == '__main__':\n    raise RuntimeError\n")
    assert load_agent("home.py").instructions == "one"


def test_dataclasses_and_tools_of_the_file_work():
    write(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "from rtagent import Agent, tool\n"
        "@dataclass\nclass Lamp:\n    on: bool = False\nlamp = Lamp()\n"
        "@tool\ndef switch(on: bool) -> str:\n    'Switch it.'\n    return 'ok'\n"
        "agent = Agent(tools=[switch])\n"
    )
    assert load_agent("home.py").registry.names() == ("switch",)


async def test_the_built_in_agent_tells_the_time_and_rolls_a_die():
    agent = load_agent(None)
    assert isinstance(agent, Agent)
    assert agent.instructions == default_agent().instructions
    assert agent.registry.names() == ("time_of_day", "roll_die")
    told = await agent.registry.call("time_of_day", "{}", call_id="1")
    rolled = await agent.registry.call("roll_die", '{"sides": 1}', call_id="2")
    assert told.output.startswith("It is ")
    assert rolled.output == "The die shows 1."
