"""The host as files: sysfs, procfs and device nodes below a root that tests replace by a recorded tree.

A file that is absent, that the kernel refuses to read (sysfs attributes may answer ENODEV or EINVAL) or that
this user may not read gives None: all three mean that the fact is not known.
"""

from __future__ import annotations

import os
import pwd
import resource
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class User:
    """On whose behalf devices are opened."""

    name: str
    uid: int
    groups: frozenset[int]
    memlock: int | None
    """Bytes that a process may lock in memory (RLIMIT_MEMLOCK), None if not limited."""

    @classmethod
    def current(cls) -> User:
        """The user of this process; root is not bound by its own limit (capabilities(7), CAP_IPC_LOCK)."""
        uid = os.geteuid()
        limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
        try:
            name = pwd.getpwuid(uid).pw_name
        except KeyError:
            name = str(uid)
        unlimited = uid == 0 or limit == resource.RLIM_INFINITY
        return cls(name, uid, frozenset({os.getegid(), *os.getgroups()}), None if unlimited else limit)

    def may_open(self, node: os.stat_result) -> bool:
        """Whether mode and owner of a file let this user read and write it."""
        if self.uid == 0:
            return True
        if node.st_uid == self.uid:
            need = stat.S_IRUSR | stat.S_IWUSR
        elif node.st_gid in self.groups:
            need = stat.S_IRGRP | stat.S_IWGRP
        else:
            need = stat.S_IROTH | stat.S_IWOTH
        return node.st_mode & need == need


class Host:
    """A host's files, by their absolute path on that host."""

    def __init__(self, root: Path = Path("/"), user: User | None = None) -> None:
        self.root = root
        self.user = user or User.current()

    def text(self, path: str) -> str | None:
        """The content without white space at its ends."""
        try:
            return self._at(path).read_text(errors="replace").strip()
        except OSError:
            return None

    def number(self, path: str) -> int | None:
        """The content as a number, decimal or with its prefix."""
        text = self.text(path)
        try:
            return None if text is None else int(text, 0)
        except ValueError:
            return None

    def exists(self, path: str) -> bool:
        """Whether there is such a file, directory or node; behind a directory closed to this user, there may be."""
        try:
            return self._at(path).exists()
        except PermissionError:
            return True

    def link(self, path: str) -> str | None:
        """The last part of a symbolic link's target: sysfs names drivers, groups and functions that way."""
        try:
            return self._at(path).readlink().name
        except OSError:
            return None

    def find(self, pattern: str) -> Iterator[str]:
        """Absolute paths that match a glob pattern, in the order of their names."""
        for path in sorted(self.root.glob(pattern.lstrip("/"))):
            yield f"/{path.relative_to(self.root)}"

    def permits(self, path: str) -> bool:
        """Whether the user may open this node for reading and writing."""
        try:
            return self.user.may_open(self._at(path).stat())
        except OSError:
            return False

    def free(self, path: str) -> int | None:
        """Free bytes of the file system that holds this directory."""
        try:
            space = os.statvfs(self._at(path))
        except OSError:
            return None
        return space.f_bavail * space.f_frsize

    def _at(self, path: str) -> Path:
        return self.root / path.lstrip("/")
