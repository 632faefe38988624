"""Ids that both sides can live with: at most 32 characters of ``[a-z0-9_]``."""

from __future__ import annotations

import secrets

__all__ = ("new_id",)


def new_id(prefix: str) -> str:
    """A fresh id with that prefix (at most seven characters)."""
    return f"{prefix}_{secrets.token_hex(12)}"
