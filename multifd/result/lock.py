"""One run at a time writes into a results directory."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import Final, Self

from multifd.errors import EnvironmentBroke, InputError

LOCK: Final = ".lock"
"""Holds the process id of the last run; it stays where it is, for who removes a lock's file lets two in."""

NOT_THERE: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR})
"""Nothing can be written to such a path, however well the host is: another one has to be given."""


class Lock:
    """The right to write into a directory, until :meth:`release`, the end of the block or that of the process.

    Raises :class:`InputError` while another process has it and where nothing can be written,
    :class:`EnvironmentBroke` where there are no locks.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / LOCK
        try:
            self._file: Final = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        except OSError as problem:
            link = "is a symbolic link, which is not followed; remedy: remove it"
            why = link if path.is_symlink() else f"cannot write: {problem.strerror}"
            raise (InputError if problem.errno in NOT_THERE else EnvironmentBroke)(f"{path}: {why}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._file, 0)
            os.write(self._file, b"%d\n" % os.getpid())
        except BlockingIOError:
            holder = os.read(self._file, 20).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise InputError(
                f"{directory}: a run is going on there (process {holder}), and makes its reports when it ends;"
                " remedy: wait for it, or run with --results OTHER"
            ) from None
        except OSError as problem:
            os.close(self._file)
            raise EnvironmentBroke(f"{path}: cannot lock: {problem.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let others write, whatever was forked meanwhile."""
        fcntl.flock(self._file, fcntl.LOCK_UN)
        os.close(self._file)
