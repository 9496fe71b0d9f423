"""A host that keeps what it was asked: from that, the same questions find the same answers anywhere else.

Only what was looked at is kept, and of files that say more only what matters: no host name, no serial number, no
address but those of PCI.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Final

from multifd.device.facts import Owner, User
from multifd.device.recorded_host import RecordedHost
from multifd.device.sysfs import LIVE, Host

_PROCESSES: Final = tuple(f"/proc/{digit}" for digit in range(1, 10))
_MANAGER: Final = re.compile(r"(\S*/)?qatmgr\b")
_WORDS: Final = re.compile(r"(?:(?:intel_|amd_)?iommu(?:\.\w+)?|no5lvl|(?:idxd|vfio[\w-]*|\w*qat\w*)\.\w+)(?:=\S*)?")
"""Options of the kernel that bear on an accelerator; others name disks and hosts."""
_LINES: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "/proc/cpuinfo": re.compile(r"flags\b.*"),
        "/etc/os-release": re.compile(r"ID(?:_LIKE)?=.*"),
        **dict.fromkeys(("/etc/systemd", "/usr/lib/systemd"), re.compile(r".*(?:accel-config|idxd|iaa).*")),
        **dict.fromkeys(
            ("/etc/udev", "/usr/lib/udev", "/lib/udev"), re.compile(r"[^#]*(?:iax|wq|vfio|usdm|qat|hisi).*")
        ),
        "/boot/config": re.compile(r"(?:# )?CONFIG_\w*(?:IDXD|QAT|IOMMU|VFIO|UACCE|HISI)\w*\b.*"),
    }
)
"""Lines that are kept of a file whose path begins so; the first of those that are the same."""


class TracedHost(Host):
    """A host that keeps what it was asked, in :attr:`record`."""

    def __init__(self, root: Path = LIVE, user: User | None = None) -> None:
        super().__init__(root, user)
        self.record = RecordedHost(user=self.user)
        self._there: set[str] = set()

    def text(self, path: str) -> str | None:
        content = super().text(path)
        real = self._follow(path)
        if content is not None:
            if not _is_strangers(path, content):
                self.record.contents[real] = _told(path, content)
        elif super().exists(path):
            self._own(real)
        return content

    def exists(self, path: str) -> bool:
        there = super().exists(path)
        if there:
            self._there.add(self._follow(path))
        return there

    def link(self, path: str) -> str | None:
        name = super().link(path)
        if name is not None:
            self._follow(path)
        return name

    def find(self, pattern: str) -> Iterator[str]:
        for path in super().find(pattern):
            if not path.startswith(_PROCESSES):
                self._there.add(self._follow(path))
            yield path

    def permits(self, path: str) -> bool:
        permitted = super().permits(path)
        real, owner = self._follow(path), super().owner(path)
        if owner is not None and self.user.may_open(owner) != permitted:
            # The kernel knows more than mode and owner; for a record it must be they that say so.
            owner = Owner(0o600, self.user.uid, owner.gid) if permitted else Owner(0, owner.uid, owner.gid)
        if owner is not None:
            self.record.owners[real] = owner
        return permitted

    def owner(self, path: str) -> Owner | None:
        owner = super().owner(path)
        if owner is not None:
            self.record.owners.setdefault(self._follow(path), owner)
        return owner

    def listening(self, path: str) -> bool | None:
        answered = super().listening(path)
        real = self._follow(path)
        if answered:
            self.record.listening.add(real)
        elif super().exists(path):
            self._own(real)
        return answered

    def library(self, soname: str) -> str | None:
        version = super().library(soname)
        if version is not None:
            self.record.libraries[soname] = version
        return version

    def lines(self) -> Iterator[str]:
        """The record as text, for :meth:`~multifd.device.recorded_host.RecordedHost.parse`."""
        known = {*self.record.contents, *self.record.links, *self.record.owners, *self.record.listening}
        for path in sorted(self._there - known):
            if not any(other.startswith(f"{path}/") for other in known):
                self._own(path)
        return self.record.lines()

    def _own(self, path: str) -> None:
        """Keep who may do what with a path; for one behind a closed directory there is nothing to keep but that."""
        owner = super().owner(path)
        if owner is not None:
            self.record.owners.setdefault(path, owner)

    def _follow(self, path: str) -> str:
        """Where a path really is; links on the way are kept, and a directory that is closed to this user."""
        left, real = path.strip("/").split("/"), ""
        while left:
            here = f"{real}/{left.pop(0)}"
            target = self._target(here)
            if target is None:
                self._own(real)
                return path
            if target:
                self.record.links[here] = target
                joined = os.path.normpath(PurePath(here).parent / target)
                left, real = [*joined.strip("/").split("/"), *left], ""
            else:
                real = here
        return real

    def _target(self, path: str) -> str | None:
        """Where a link points, empty for anything else; None where this user may not look."""
        if self.facts.closed(path, self.user):
            return None
        place = self.root / path.lstrip("/")
        try:
            return str(place.readlink()) if place.is_symlink() else ""
        except PermissionError:
            return None


def _is_strangers(path: str, content: str) -> bool:
    """Whether a file is of a process that is not qatmgr: what else runs on a host is nobody's business."""
    return path.startswith(_PROCESSES) and _MANAGER.match(content) is None


def _told(path: str, content: str) -> str:
    """What is kept of a file's content."""
    if path == "/proc/self/environ":
        return "\0".join(one for one in content.split("\0") if one.startswith("QAT_POLICY="))
    if path == "/proc/cmdline":
        return " ".join(word for word in content.split() if _WORDS.fullmatch(word))
    form = next((form for beginning, form in _LINES.items() if path.startswith(beginning)), None)
    if form is None:
        return content
    return "\n".join(dict.fromkeys(line for line in content.splitlines() if form.fullmatch(line)))
