"""Numbers of things, as a sentence has them."""

from __future__ import annotations


def counted(number: int, thing: str = "cell") -> str:
    """``1 cell``, ``2,000 cells``: of things whose plural ends with an s."""
    return f"{number:,} {thing}{'s' if number != 1 else ''}"
