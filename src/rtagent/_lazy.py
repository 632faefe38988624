"""Packages whose names are loaded when they are first used (PEP 562).

``import rtagent`` must cost nothing that is not needed, so a package lists where its public names
live and loads the module behind a name on first access::

    __getattr__, __dir__ = lazily(__name__, {"Resampler": "._resample"})
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ("lazily",)


def lazily(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the ``__getattr__`` and ``__dir__`` of a package.

    Args:
        package: the package's ``__name__``.
        homes: for each public name the relative module that defines it; a home that ends in the
            name itself after a dot, such as ``{"g711": ".g711"}``, is the submodule.
    """

    def load(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            message = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(message)
        module = importlib.import_module(home, package)
        value = module if home == f".{name}" else getattr(module, name)
        importlib.import_module(package).__dict__[name] = value
        return value

    def names() -> list[str]:
        return sorted({*importlib.import_module(package).__dict__, *homes})

    return load, names
