"""Scratch directories: room for images, which are mapped, and short paths for sockets.

Whoever makes one removes it, and holds a file in it locked until then. What a killed process has left, whose lock the
kernel has let go (flock(2)), its warden removes (:mod:`multifd.process.kin`), and where that was killed too, the next
process that makes one: first the owner's kin, whose mark is in that file, then the directory.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from multifd.errors import EnvironmentBroke, InputError
from multifd.process.kin import end_kin, mark

_NAMED: Final = "MULTIFD_SHM"
_SHARED_MEMORY: Final = Path(os.environ.get(_NAMED) or "/dev/shm")
"""Where files are memory: a file system of that kind (tmpfs(5))."""
_PREFIX: Final = "multifd-"
_OWNED: Final = ".owned"
"""The file that is locked; it holds the owner's mark."""
_LOCKS: Final[dict[Path, int]] = {}
"""Descriptors of the locks that this process holds, by scratch directory."""
SOCKET_PATH: Final = 107
"""Bytes of a socket's path (unix(7): 108 with the zero byte that ends it)."""
_LONGEST: Final = SOCKET_PATH - len("/multifd-12345678/gw123/cell-1234567/migration")
"""Bytes of the path of a directory whose scratch space can have sockets."""


def make_scratch(need: int, *, sockets: bool = False) -> Path:
    """A new scratch directory with room for ``need`` bytes: in shared memory, or where temporary files go.

    Others may use the room up all the same: who stores into a mapping reserves it first. Where it will have
    ``sockets``, its path must be short. Raises EnvironmentBroke where no directory will do, InputError where the one
    that somebody has named is none.
    """
    if _NAMED in os.environ and not _SHARED_MEMORY.is_dir():
        raise InputError(f"{_NAMED}: {str(_SHARED_MEMORY)!r} is no directory, expected one, on a file system in memory")
    reclaim()
    for parent in _parents():
        short = not sockets or len(os.fsencode(parent)) <= _LONGEST
        if short and os.access(parent, os.W_OK):
            space = os.statvfs(parent)
            if space.f_bavail * space.f_frsize >= need:
                with suppress(OSError):  # full of files, if not of bytes
                    return _owned(Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent)))
    limit = f" below a path of at most {_LONGEST} bytes, as sockets want it," if sockets else ""
    raise EnvironmentBroke(
        f"no scratch space: {-(-need >> 20)} MiB{limit} are needed in {' or '.join(places())}; set TMPDIR"
    )


def places() -> tuple[str, str]:
    """Where scratch space is made: in shared memory, and where temporary files go."""
    return str(_SHARED_MEMORY), tempfile.gettempdir()


def remove_scratch(scratch: Path) -> None:
    """Remove it with all that is in it, as far as that goes, and let go of its lock; it may be gone already."""
    shutil.rmtree(scratch, ignore_errors=True)
    lock = _LOCKS.pop(scratch, None)
    if lock is not None:
        os.close(lock)


def reclaim() -> None:
    """Remove the scratch directories of this user whose owner has died, and end the owner's kin."""
    for parent in _parents():
        for scratch in parent.glob(f"{_PREFIX}*"):
            with suppress(OSError):  # it has an owner, or none that can be known, or somebody else is removing it
                if scratch.lstat().st_uid == os.getuid():
                    with (scratch / _OWNED).open("rb") as lock:
                        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        end_kin(lock.read().decode(errors="replace"))
                        shutil.rmtree(scratch)


def _parents() -> Iterator[Path]:
    """Where scratch space may be."""
    return (parent for parent in (_SHARED_MEMORY, Path(tempfile.gettempdir())) if parent.is_dir())


def _owned(scratch: Path) -> Path:
    """It is ours until it is removed, or this process ends: no program that we start inherits the lock."""
    # Locked before it has its name: one that has it and is not locked belongs to nobody.
    unnamed = scratch / f"{_OWNED}-"
    with suppress(OSError):  # where nothing can be locked, nothing is reclaimed
        lock = _LOCKS[scratch] = os.open(unnamed, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.write(lock, mark().encode())
        unnamed.rename(scratch / _OWNED)
    return scratch
