"""Files that are written into a results directory, which may be a stranger's: whole, and through no symbolic link.

What a link leads to is not the run's: a ``report.md`` that leads to somebody's file is replaced, and that file stays.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from multifd.errors import InputError


def check_directory(given: Path, what: str) -> None:
    """Raises :class:`InputError`, which begins with ``what``, where no directory is and none can be made.

    Whether the host lets it be made is seen when it is.
    """
    there = next((place for place in (given, *given.absolute().parents) if os.path.lexists(place)), None)
    if there is not None and not os.path.isdir(there):  # noqa: PTH112  (whatever the name: no error)
        raise InputError(
            f"{what} {str(given)!r}: {there} is no directory, expected one, or a path where there is none yet"
        )


def check_file(given: Path, what: str) -> None:
    """Likewise where no file is and none can be made: its directory must be there."""
    if os.path.isdir(given):  # noqa: PTH112
        raise InputError(f"{what} {str(given)!r}: is a directory, expected a file, or a path where there is none yet")
    if not os.path.isdir(given.absolute().parent):  # noqa: PTH112
        raise InputError(f"{what} {str(given)!r}: there is no directory {given.parent}, expected one")


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
