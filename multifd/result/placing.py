"""Files that are written into a results directory, which may be a stranger's: whole, and through no symbolic link.

What a link leads to is not the run's: a ``report.md`` that leads to somebody's file is replaced, and that file stays.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path


def opened(path: Path) -> int:
    """Descriptor of an empty file there, to write to; a link, a pipe or a device in its place goes. Raises OSError."""
    with suppress(FileNotFoundError):
        kind = path.lstat().st_mode
        if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
            path.unlink()
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)


def put(path: Path, text: str) -> Path:
    """Write a whole file beside its place and rename it, or leave the one that is there. Raises OSError."""
    beside = path.with_name(f".{path.name}.new")
    try:
        with open(opened(beside), "w", encoding="utf-8") as file:
            file.write(text)
        beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
    return path


def unlinked(directory: Path) -> Path:
    """The same directory, which is none yet where a link stood in its place. Raises OSError."""
    if directory.is_symlink():
        directory.unlink()
    return directory
