"""Files of others, read whole: a file, and no longer than one of its kind can be.

To open a pipe would wait for who writes into it, and a device has no end.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from multifd.errors import InputError


def whole(path: Path, most: int) -> bytes:
    """All of a file. Raises OSError, and :class:`InputError`, which has not the path, for more than ``most`` bytes."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123  (a descriptor)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InputError("is no regular file")
        read = file.read(most + 1)
    if len(read) > most:
        raise InputError(f"has more than {most >> 10} KiB")
    return read
