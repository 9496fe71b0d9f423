"""The user's own content in words: how much of what was taken, and what it is."""

from __future__ import annotations

from typing import Final

from multifd.result.counted import counted
from multifd.result.record import UserContent

_UNITS: Final = ((30, "GiB"), (20, "MiB"), (10, "KiB"))


def in_words(content: UserContent) -> str:
    """One sentence without its full stop, such as ``2 MiB of 256 MiB in 3 files (0.8%): 31.2% zero pages, ...``."""
    there, taken = _size(content.bytes_there), _size(content.bytes_taken)
    files = f"{counted(content.files, 'file')}"
    kinds = f"{content.zero_share:.1%} zero pages, {content.duplicate_share:.1%} equal to one before"
    if content.bytes_taken < content.bytes_there:
        return f"{taken} of {there} in {files} ({_share(content.bytes_taken / content.bytes_there)}): {kinds}"
    again = (
        f", again and again up to {_size(content.bytes_memory)}" if content.bytes_memory > content.bytes_taken else ""
    )
    return f"all {there} in {files}{again}: {kinds}"


def _share(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "less than 0.1%"


def _size(count: int) -> str:
    for shift, unit in _UNITS:
        if count >= 1 << shift:
            return f"{count / (1 << shift):,.1f}".removesuffix(".0") + f" {unit}"
    return f"{count} B"
