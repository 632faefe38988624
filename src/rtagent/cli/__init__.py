"""The command line: one module for each command of ``rtagent``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from ._main import main as main

__all__ = ("main",)

__getattr__, __dir__ = lazily(__name__, {"main": "._main"})
