"""Scratch directories: room for images, which are mapped, and short paths for sockets."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

from multifd.errors import EnvironmentBroke

_SHARED_MEMORY: Final = Path("/dev/shm")
_ENOUGH: Final = 1 << 30
"""Bytes that a run of the default size may need."""
SOCKET_PATH: Final = 107
"""Bytes of a socket's path (unix(7): 108 with the zero byte that ends it)."""
_LONGEST: Final = SOCKET_PATH - len("/multifd-12345678/gw123/cell-1234567/migration")
"""Bytes of the path of a directory whose scratch space can have sockets."""


def make_scratch(need: int = _ENOUGH, *, sockets: bool = False) -> Path:
    """A new scratch directory with room for ``need`` bytes: in shared memory, or where temporary files go.

    Images are mapped, and a store into a mapping of a full file system kills the process: so look before. Where it
    will have ``sockets``, its path must be short. Raises EnvironmentBroke where no directory will do.
    """
    for parent in (_SHARED_MEMORY, Path(tempfile.gettempdir())):
        short = not sockets or len(os.fsencode(parent)) <= _LONGEST
        if short and parent.is_dir() and os.access(parent, os.W_OK):
            space = os.statvfs(parent)
            if space.f_bavail * space.f_frsize >= need:
                return Path(tempfile.mkdtemp(prefix="multifd-", dir=parent))
    limit = f" below a path of at most {_LONGEST} bytes, as sockets want it," if sockets else ""
    raise EnvironmentBroke(
        f"no scratch space: {need >> 20} MiB{limit} are needed in {_SHARED_MEMORY} or {tempfile.gettempdir()};"
        " set TMPDIR"
    )
