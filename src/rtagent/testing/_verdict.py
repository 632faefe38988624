"""What the end of a server's block has to raise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from ._script import UnexpectedFrame

__all__ = ("verdict",)


def verdict(
    failures: Sequence[Exception],
    unexpected: Sequence[str],
    left_over: Sequence[str],
    *,
    strict: bool,
    error: BaseException | None,
) -> Exception | None:
    """The error to raise, if any.

    What the block itself raised is most often a consequence of what the server did not expect, which
    therefore goes before it. Steps that are left over are a consequence of the block's error: a note there.

    Args:
        failures: errors of the server's own, such as of a script's function.
        unexpected: what scripts did not expect.
        left_over: what of the scripts was not done.
        strict: whether scripts can fail the block.
        error: what the block has raised.
    """
    leaves = [leaf for failure in failures for leaf in _leaves(failure)]
    if leaves:
        return leaves[0] if len(leaves) == 1 else ExceptionGroup("the server failed", leaves)
    if not strict:
        return None
    if unexpected:
        return UnexpectedFrame("\n".join(unexpected))
    if error is None:
        return UnexpectedFrame("\n".join(left_over)) if left_over else None
    for left in left_over:
        error.add_note(left)
    return None


def _leaves(error: Exception) -> list[Exception]:
    """The errors in a group of groups."""
    if not isinstance(error, ExceptionGroup):
        return [error]
    inner = cast("tuple[Exception, ...]", error.exceptions)
    return [leaf for one in inner for leaf in _leaves(one)]
