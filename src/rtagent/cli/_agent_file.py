"""Agents named on the command line: ``file.py``, ``file.py:name``, ``module:name``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from ..agent import Agent

__all__ = ("default_agent", "load_agent")

FILE_MODULE = "__rtagent_agent__"
"""The name of a file's module while it is an agent file: not ``__main__``, and nobody else's."""


def load_agent(named: str | None) -> Agent:
    """The agent that is named, or the built-in one when none is.

    The code of a file or module runs, as by an import, with the file's (or the working) directory on
    ``sys.path``; what stands below ``if __name__ == "__main__"`` does not.

    Raises:
        ConfigurationError: there is no such file, it cannot be loaded, or it is not clear which agent
            is meant.
    """
    if named is None:
        return default_agent()
    place, name = _split(named)
    module = _load_file(Path(place)) if place.endswith(".py") else _load_module(place)
    return _agent_in(module, place, name)


def default_agent() -> Agent:
    """A small friendly agent with two harmless tools."""
    import random
    from datetime import datetime

    from ..agent import Agent

    def time_of_day() -> str:
        """Tell what time it is now."""
        return f"It is {datetime.now().astimezone():%H:%M}."

    def roll_die(sides: int = 6) -> str:
        """Roll a die.

        Args:
            sides: how many sides it has.
        """
        return f"The die shows {random.randint(1, max(1, sides))}."  # noqa: S311 - a game

    return Agent(
        instructions="You are a friendly assistant in a voice conversation. Answer in one or two sentences.",
        tools=[time_of_day, roll_die],
    )


def _split(named: str) -> tuple[str, str | None]:
    place, colon, name = named.rpartition(":")
    if not colon or not place or not name.isidentifier():  # C:\lights.py has a colon, and no name behind it
        return named, None
    return place, name


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        message = f"there is no agent file {path}"
        raise ConfigurationError(message)
    path = path.resolve()

    def load() -> ModuleType:
        spec = importlib.util.spec_from_file_location(FILE_MODULE, path)
        assert spec is not None  # noqa: S101 - a name that ends in .py has a loader
        assert spec.loader is not None  # noqa: S101
        module = importlib.util.module_from_spec(spec)
        sys.modules[FILE_MODULE] = module  # dataclasses and type hints look their module up there
        spec.loader.exec_module(module)
        return module

    return _loaded(load, path.name, path.parent)


def _load_module(name: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        message = f"{name!r} is neither a file that ends in .py nor the name of a module"
        raise ConfigurationError(message, hint="file.py, file.py:name or module:name")
    return _loaded(lambda: importlib.import_module(name), name, Path.cwd())


def _loaded(load: Callable[[], ModuleType], what: str, directory: Path) -> ModuleType:
    with _on_path(directory):
        try:
            return load()
        except SystemExit as end:
            message = f"{what} ended the program while it was loaded"
            raise ConfigurationError(message, hint='put that below: if __name__ == "__main__":') from end
        except Exception as error:  # the boundary to the user's own code
            told = error.msg if isinstance(error, SyntaxError) else str(error)
            message = f"{what} cannot be loaded: {_where(error, directory)}{type(error).__name__}: {told}"
            raise ConfigurationError(message) from error


def _where(error: Exception, directory: Path) -> str:
    """The last line of the user's own code that the error came through, as ``file:line:``."""
    if isinstance(error, SyntaxError):
        return f"{Path(error.filename).name}:{error.lineno}: " if error.filename else ""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(directory)]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}: " if own else ""


@contextmanager
def _on_path(directory: Path) -> Generator[None]:
    entry = str(directory)
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        if entry in sys.path:
            sys.path.remove(entry)


def _agent_in(module: ModuleType, place: str, name: str | None) -> Agent:
    from ..agent import Agent

    agents = {key: value for key, value in vars(module).items() if isinstance(value, Agent)}
    if name is not None:
        return _named(module, place, name, agents)
    if len({id(agent) for agent in agents.values()}) == 1:
        return next(iter(agents.values()))
    if "agent" in agents:
        return agents["agent"]
    if not agents:
        message = f"there is no Agent in {place}"
        raise ConfigurationError(message, hint="such as: agent = Agent(instructions=…)")
    message = f"there are several agents in {place}: {', '.join(sorted(agents))}"
    raise ConfigurationError(message, hint=f"name one, such as {place}:{min(agents)}")


def _named(module: ModuleType, place: str, name: str, agents: dict[str, Agent]) -> Agent:
    if name in agents:
        return agents[name]
    known = f"its agents: {', '.join(sorted(agents))}" if agents else "it has no Agent at all"
    if not hasattr(module, name):
        message = f"there is no {name!r} in {place}"
    else:
        message = f"{name!r} in {place} is not an Agent but {type(getattr(module, name)).__name__}"
    raise ConfigurationError(message, hint=known)
