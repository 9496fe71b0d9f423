"""Recorded trees: the part of a host's sysfs, procfs and /dev that detection reads, one file per line.

::

    /path = content        a file; ``\\n`` in it is a new line
    /path -> target        a symbolic link, as sysfs has them; its target need not be in the tree
    /path 0660             a device node or socket with its mode; its group is the tests' own, ``qat`` so to say
    - /path                nothing any more: of what an earlier tree had, this and all below
"""

from __future__ import annotations

from pathlib import Path

from multifd.device.facts import User
from multifd.device.recorded_host import RecordedHost
from multifd.device.sysfs import Host

MIB = 1 << 20
GROUP = 0
"""Of every node that is not said to be another's, and ``qat`` so to say."""


def alice(memlock: int | None = 512 * MIB, member: bool = True) -> User:
    """A user who owns no file of the tree, and is a member of its files' group or not."""
    return User("alice", 1000, frozenset({GROUP}) if member else frozenset({1000}), memlock)


def host(root: Path, *trees: str, user: User | None = None) -> Host:
    """The host that has these trees, later ones changing earlier ones."""
    RecordedHost.parse("\n".join(trees)).plant(root)
    return Host(root, user or alice())
