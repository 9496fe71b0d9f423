"""What is true of a host and stands in none of its files: who asks, who owns a node, who answers a socket.

A live host is asked (:mod:`multifd.device.sysfs`); a recorded one has these facts as lines beside its files, in the
format of :mod:`multifd.device.recorded_host`.
"""

from __future__ import annotations

import os
import pwd
import re
import resource
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

CAPABILITIES: Final = (
    "cap_chown", "cap_dac_override", "cap_dac_read_search", "cap_fowner", "cap_fsetid", "cap_kill", "cap_setgid",
    "cap_setuid", "cap_setpcap", "cap_linux_immutable", "cap_net_bind_service", "cap_net_broadcast", "cap_net_admin",
    "cap_net_raw", "cap_ipc_lock", "cap_ipc_owner", "cap_sys_module", "cap_sys_rawio", "cap_sys_chroot",
    "cap_sys_ptrace", "cap_sys_pacct", "cap_sys_admin", "cap_sys_boot", "cap_sys_nice", "cap_sys_resource",
    "cap_sys_time", "cap_sys_tty_config", "cap_mknod", "cap_lease", "cap_audit_write", "cap_audit_control",
    "cap_setfcap", "cap_mac_override", "cap_mac_admin", "cap_syslog", "cap_wake_alarm", "cap_block_suspend",
    "cap_audit_read", "cap_perfmon", "cap_bpf", "cap_checkpoint_restore",
)  # fmt: skip
"""By their bit (include/uapi/linux/capability.h, Linux 6.18)."""
ALL: Final = frozenset(CAPABILITIES)
_EFFECTIVE: Final = re.compile(r"^CapEff:\s*([0-9a-f]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class User:
    """On whose behalf devices are opened."""

    name: str
    uid: int
    groups: frozenset[int]
    memlock: int | None
    """Bytes that a process may lock in memory (RLIMIT_MEMLOCK), None if not limited."""
    capabilities: frozenset[str] = frozenset()
    """Those in force, by their names in capabilities(7): root has all unless a container took some."""

    @classmethod
    def current(cls) -> User:
        """The user of this process; CAP_IPC_LOCK frees from the limit of locked memory (capabilities(7))."""
        uid = os.geteuid()
        held = effective(Path("/proc/self/status").read_text())
        limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
        try:
            name = pwd.getpwuid(uid).pw_name
        except KeyError:
            name = str(uid)
        unlimited = "cap_ipc_lock" in held or limit == resource.RLIM_INFINITY
        return cls(name, uid, frozenset({os.getegid(), *os.getgroups()}), None if unlimited else limit, held)

    def may_open(self, node: Owner) -> bool:
        """Whether mode and owner of a file let this user read and write it."""
        return self._has(node, stat.S_IRUSR | stat.S_IWUSR)

    def may_read(self, node: Owner) -> bool:
        """Whether mode and owner of a file let this user read it."""
        return self._has(node, stat.S_IRUSR)

    def may_search(self, directory: Owner) -> bool:
        """Whether mode and owner of a directory let this user reach what is in it."""
        return self._has(directory, stat.S_IXUSR)

    def _has(self, node: Owner, need: int) -> bool:
        """Whether the user has the bits ``need``, which are those of the owner."""
        if self.uid == 0:
            return True
        if node.uid != self.uid:
            need >>= 3 if node.gid in self.groups else 6
        return node.mode & need == need


@dataclass(frozen=True, slots=True)
class Owner:
    """Who may do what with a file."""

    mode: int
    uid: int = 0
    gid: int = 0

    @classmethod
    def of(cls, node: os.stat_result) -> Owner:
        """That of a file of this host."""
        return cls(stat.S_IMODE(node.st_mode), node.st_uid, node.st_gid)


@dataclass(frozen=True, slots=True)
class Facts:
    """Of a recorded host."""

    user: User | None = None
    """None: whoever looks at the record."""
    owners: Mapping[str, Owner] = field(default_factory=dict)
    """By path."""
    listening: frozenset[str] = frozenset()
    """Sockets that somebody answers."""
    libraries: Mapping[str, str] = field(default_factory=dict)
    """Versions by soname; empty where nobody looked."""

    def closed(self, path: str, user: User) -> bool:
        """Whether a directory above ``path`` keeps this user out."""
        return any(above in self.owners and not user.may_search(self.owners[above]) for above in _above(path))


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def effective(status: str) -> frozenset[str]:
    """The effective capabilities in a ``/proc/<pid>/status`` (proc_pid_status(5), ``CapEff``)."""
    found = _EFFECTIVE.search(status)
    bits = int(found[1], 16) if found else 0
    return frozenset(name for bit, name in enumerate(CAPABILITIES) if bits >> bit & 1)
