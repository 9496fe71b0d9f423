"""The host as files: sysfs, procfs and device nodes below a root that tests replace by a recorded tree.

A file that is absent, that the kernel refuses to read (sysfs attributes may answer ENODEV or EINVAL) or that
this user may not read gives None: all three mean that the fact is not known.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from multifd.device import installed
from multifd.device.facts import Facts, Owner, User
from multifd.device.recorded_host import FACTS, RELEASE, RecordedHost

Distribution = Literal["debian", "fedora", "suse"]
LIVE: Final = Path("/")
DISTRIBUTION: Final = "/etc/os-release"
_RELEASE: Final = re.compile(r"(\d+)\.(\d+)")
_ENTERPRISE: Final = re.compile(r"\.el\d|-1[5-9]0\d00\.|\.amzn\d")
"""In the release of a kernel that carries drivers of newer ones: RHEL and its kin, SLES, Amazon Linux."""
_FAMILIES: Final[dict[str, Distribution]] = {
    "debian": "debian",
    "ubuntu": "debian",
    "fedora": "fedora",
    "rhel": "fedora",
    "centos": "fedora",
    "suse": "suse",
    "sles": "suse",
    "opensuse": "suse",
}
_ANSWER: Final = 1.0
"""Seconds in which a local socket takes a connection."""


class Host:
    """A host's files, by their absolute path on that host; with a ``root`` other than / it is a recorded one.

    A recorded host has its :class:`Facts` from the file :data:`FACTS` in its root, if there is one. Raises
    :class:`~multifd.errors.InputError` where that is damaged.
    """

    def __init__(self, root: Path = LIVE, user: User | None = None) -> None:
        self.root = root
        recorded = not self.live and (root / FACTS).exists()
        self.facts = RecordedHost.read(root / FACTS).facts if recorded else Facts()
        self._libraries: dict[str, str | None] = {}
        self._ourselves = user is None and self.facts.user is None
        self.user = user or self.facts.user or User.current()

    @property
    def live(self) -> bool:
        """Whether it is the host that we run on."""
        return self.root == LIVE

    def text(self, path: str) -> str | None:
        """The content without white space at its ends."""
        owner = self.facts.owners.get(path)
        if self.facts.closed(path, self.user) or (owner is not None and not self.user.may_read(owner)):
            return None
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
        if self.facts.closed(path, self.user):
            return True
        try:
            return self._at(path).exists()
        except PermissionError:
            return True

    def link(self, path: str) -> str | None:
        """The last part of a symbolic link's target: sysfs names drivers, groups and functions that way."""
        if self.facts.closed(path, self.user):
            return None
        try:
            return self._at(path).readlink().name
        except OSError:
            return None

    def find(self, pattern: str) -> Iterator[str]:
        """Absolute paths that match a glob pattern, in the order of their names."""
        for found in sorted(self.root.glob(pattern.lstrip("/"))):
            path = f"/{found.relative_to(self.root)}"
            if not self.facts.closed(path, self.user):
                yield path

    def permits(self, path: str) -> bool:
        """Whether the user may open this node for reading and writing.

        Of the user of this process the kernel is asked, which knows of access lists, device cgroups and SELinux, too
        (access(2)); of any other user, mode and owner speak.
        """
        if self.live and self._ourselves:
            return os.access(path, os.R_OK | os.W_OK, effective_ids=True)
        owner = self.owner(path)
        return owner is not None and self.user.may_open(owner)

    def owner(self, path: str) -> Owner | None:
        """Who may do what with a file; None where there is none, or where this user may not look."""
        if self.facts.closed(path, self.user):
            return None
        try:
            return self.facts.owners.get(path) or Owner.of(self._at(path).stat())
        except OSError:
            return None

    def free(self, path: str) -> int | None:
        """Free bytes of the file system that holds this directory."""
        try:
            space = os.statvfs(self._at(path))
        except OSError:
            return None
        return space.f_bavail * space.f_frsize

    def listening(self, path: str) -> bool | None:
        """Whether somebody answers on a Unix socket; None where this user may not ask."""
        if self.facts.closed(path, self.user):
            return None
        if path in self.facts.listening:
            owner = self.facts.owners.get(path)
            return True if owner is None or self.user.may_open(owner) else None
        with socket.socket(socket.AF_UNIX) as ours:
            ours.settimeout(_ANSWER)
            try:
                ours.connect(str(self._at(path)))
            except PermissionError:
                return None
            except (BlockingIOError, TimeoutError):
                # Its queue is full of others who wait for an answer (connect(2), EAGAIN).
                return True
            except OSError:
                return False
        return True

    def library(self, soname: str) -> str | None:
        """Version of a shared library that the loader finds, ``unknown`` where nothing tells; None if there is none."""
        if not self.live:
            return self.facts.libraries.get(soname)
        if soname not in self._libraries:
            # It asks the loader and the package manager, which takes a while.
            self._libraries[soname] = installed.version(soname)
        return self._libraries[soname]

    @property
    def release(self) -> str:
        """Of the kernel, as ``uname -r`` prints it; empty where it is not known."""
        return self.text(RELEASE) or ""

    @property
    def kernel(self) -> tuple[int, int] | None:
        """Major and minor version of the kernel."""
        found = _RELEASE.match(self.release)
        return (int(found[1]), int(found[2])) if found else None

    def kernel_at_least(self, major: int, minor: int) -> bool | None:
        """Whether the kernel has what came with a version; None where that cannot be known.

        Older kernels of RHEL, SLES and Amazon Linux carry drivers of newer ones, so of them a version says nothing.
        """
        if self.kernel is None:
            return None
        if self.kernel >= (major, minor):
            return True
        return None if _ENTERPRISE.search(self.release) else False

    @property
    def command_line(self) -> tuple[str, ...]:
        """The kernel's own options."""
        return tuple((self.text("/proc/cmdline") or "").split())

    @property
    def cpu_flags(self) -> frozenset[str]:
        """What the first processor can do."""
        lines = (self.text("/proc/cpuinfo") or "").splitlines()
        return frozenset(next((line for line in lines if line.startswith("flags")), "").partition(":")[2].split())

    @property
    def distribution(self) -> Distribution | None:
        """The family whose commands fit (os-release(5), ID and ID_LIKE)."""
        lines = (line.partition("=") for line in (self.text(DISTRIBUTION) or "").splitlines())
        said = {key: value.strip("\"'") for key, _, value in lines}
        names = (part for key in ("ID", "ID_LIKE") for part in re.split(r"[\s-]+", said.get(key, "")))
        return next((_FAMILIES[name] for name in names if name in _FAMILIES), None)

    def _at(self, path: str) -> Path:
        return self.root / path.lstrip("/")
