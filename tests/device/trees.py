"""Recorded trees: the part of a host's sysfs, procfs and /dev that detection reads, one file per line.

::

    /path = content        a file; ``\\n`` in it is a new line
    /path -> target        a symbolic link, as sysfs has them; its target need not be in the tree
    /path 0660             a device node or socket with its mode; its group is the tests' own, ``qat`` so to say
    - /path                nothing any more: of what an earlier tree had, this and all below
"""

from __future__ import annotations

import os
from pathlib import Path

from multifd.device.sysfs import Host, User

MIB = 1 << 20


def alice(memlock: int | None = 512 * MIB, member: bool = True) -> User:
    """A user who owns no file of the tree, and is a member of its files' group or not."""
    groups = frozenset({os.getegid()}) if member else frozenset[int]()
    return User("alice", os.geteuid() + 1, groups, memlock)


def host(root: Path, *trees: str, user: User | None = None) -> Host:
    """The host that has these trees, later ones changing earlier ones."""
    lines: dict[str, str] = {}
    for line in (line for tree in trees for line in tree.strip().splitlines()):
        if line.startswith("- "):
            gone = line.removeprefix("- ").strip()
            lines = {path: entry for path, entry in lines.items() if path != gone and not path.startswith(f"{gone}/")}
        else:
            path, _, entry = line.strip().partition(" ")
            lines[path] = entry.strip()
    for path, entry in lines.items():
        _plant(root / path.lstrip("/"), entry)
    return Host(root, user or alice())


def _plant(path: Path, entry: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sign, _, rest = entry.partition(" ")
    match sign:
        case "=":
            path.write_text(rest.replace("\\n", "\n") + "\n")
        case "->":
            path.symlink_to(rest)
        case mode:
            path.touch()
            path.chmod(int(mode, 8))
