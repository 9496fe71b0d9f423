"""How a process of this user comes to a work queue of IAA: its node, its rights, and the libraries between them.

A process maps the queue's portal, and since INTEL-SA-01084 (CVE-2024-21823) needs CAP_SYS_RAWIO for that on every IAA;
without it it may write() descriptors into the node (``idxd_cdev_mmap`` and ``idxd_cdev_write``,
drivers/dma/idxd/cdev.c, Linux 6.9.1; commits e11452eb071b and 6827738dc684). libqpl does so from 1.6.0 on
(sources/middle-layer/dispatcher/hw_queue.cpp, qpl 1.6.0); before, such a queue counts as none. It loads
libaccel-config with dlopen(3), by :data:`CONFIGURATION`, and answers 501 without
(sources/core-iaa/sources/driver_loader/hw_configuration_driver.c, qpl 1.6.0; include/qpl/c_api/status.h, qpl 1.6.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from multifd.accelerator import IAA
from multifd.device.facts import Owner
from multifd.device.found import Problem
from multifd.device.iaa_queue import WorkQueue
from multifd.device.sysfs import Distribution, Host

LIBRARY: Final = IAA.real.soname if IAA.real else ""
CONFIGURATION: Final = "libaccel-config.so.1"
WRITES: Final = (1, 6)
"""libqpl that writes descriptors where it may not map a queue."""
RESTRICTED: Final[Mapping[tuple[int, int], int]] = MappingProxyType({(6, 8): 10, (6, 6): 31, (6, 1): 91})
"""Stable series older than 6.9, with the release that came to ask for CAP_SYS_RAWIO."""
SECOND_GENERATION: Final = (4, 0)
"""libaccel-config that reads ``iaa_cap`` (``accfg_device_get_iaa_cap``, accel-config 4.0), which libqpl needs there."""
_STRAY: Final = ("/usr/lib64", "/usr/local/lib64", "/usr/local/lib")
"""Where builds of idxd-config put the library (README.md, accel-config 4.1.6), besides the loader's own folders."""
_INSTALL: Final[Mapping[Distribution | None, str]] = MappingProxyType(
    {
        "debian": "apt-get install libaccel-config1",
        "fedora": "dnf install accel-config-libs",
        "suse": "zypper install libaccel-config1",
        None: "# install libaccel-config as this distribution calls it, or build github.com/intel/idxd-config",
    }
)
_NEWER: Final = "multifd vendor fetch\n# or build libqpl 1.6.0 or later; or run as root"
_GROUP: Final = IAA.kind


def contained(host: Host, queues: Sequence[WorkQueue]) -> bool:
    """Whether we see devices of which not all is ours: a container shows its host's sysfs and few of its nodes.

    The kernel makes a node for every enabled user queue, so where one is missing somebody chose.
    """
    return any(queue.enabled and queue.type == "user" and not host.exists(queue.node) for queue in queues)


def closed(host: Host, queue: WorkQueue) -> Problem:
    """Why this user does not come to a queue that libqpl would take."""
    node = queue.node
    if not host.exists(node):
        return Problem(
            f"work queue {queue.name} has no device node {node}",
            f"udevadm trigger --subsystem-match=dsa\n"
            f"# a container must be given it: docker run --device {node}, or the resource of the device plugin",
        )
    what = f"user {host.user.name} may not open {node}"
    owner = host.owner(node)
    if owner is not None and host.user.may_open(owner):
        return Problem(
            f"{what} although its mode says so: SELinux, a device cgroup or the container forbids it",
            f"ls -lZ {node}\nausearch -m avc -ts recent\n# in a container: pass the device to it, not its path alone",
        )
    return Problem(what, _admit(host, node, owner))


def _admit(host: Host, node: str, owner: Owner | None) -> str:
    """The commands that let the user in by a group, so that nobody else is shut out."""
    if owner is not None and owner.gid and owner.mode & 0o060 == 0o060:
        group = f'"$(getent group {owner.gid} | cut -d: -f1)"'
        return f"usermod -a -G {group} {host.user.name}\n# then log in again"
    return (
        f"groupadd -f -r {_GROUP}\nchgrp {_GROUP} {node}\nchmod g+rw {node}\n"
        f"usermod -a -G {_GROUP} {host.user.name}\n# then log in again"
    )


def maps(host: Host) -> bool | None:
    """Whether this user's processes may map a queue; None where the kernel's release does not tell."""
    if "cap_sys_rawio" in host.user.capabilities:
        return True
    return {True: False, False: True, None: None}[_restricts(host)]


def submission(host: Host) -> Problem | None:
    """What is wrong if the library maps queues and this user may not, or perhaps not; else None."""
    release = _version(host.library(LIBRARY))
    may = maps(host)
    if may or release is None or release >= WRITES:
        return None
    return Problem(
        f"user {host.user.name} may {'perhaps ' if may is None else ''}not map a work queue: since INTEL-SA-01084 Linux"
        f" asks for CAP_SYS_RAWIO, and libqpl {host.library(LIBRARY)} knows no other way (503); 1.6.0 is the first that"
        " does",
        _NEWER,
    )


def older(host: Host) -> Problem | None:
    """What a libqpl would lack of which nothing is known, where this user may not map queues; else None."""
    if maps(host) is not False or _version(host.library(LIBRARY)) is not None:
        return None
    return Problem(
        f"user {host.user.name} may not map a work queue (INTEL-SA-01084), so descriptors are written:"
        " libqpl before 1.6.0 cannot, and finds no queue (503)",
        f"multifd vendor list\n# if it shows an older one: {_NEWER}",
    )


def libraries(host: Host, *, second: bool) -> Iterator[Problem]:
    """What libqpl of this host lacks beside it; a libqpl from elsewhere brings its own."""
    version = host.library(CONFIGURATION)
    stray = next((folder for folder in _STRAY if host.exists(f"{folder}/{CONFIGURATION}")), None)
    if version is None and host.library(LIBRARY) is not None:
        what = f"libqpl does not find {CONFIGURATION}, without which it takes no device (501)"
        if stray is not None:
            yield Problem(
                f"{what}: it is in {stray}, where the loader does not look",
                f"echo {stray} > /etc/ld.so.conf.d/accel-config.conf\nldconfig",
            )
        else:
            yield Problem(what, _INSTALL[host.distribution])
    release = _version(version)
    if second and release is not None and release < SECOND_GENERATION:
        yield Problem(
            f"libaccel-config {version} does not know IAA of the second generation: libqpl needs 4.0 for it (501)",
            _INSTALL[host.distribution],
        )


def _restricts(host: Host) -> bool | None:
    if host.kernel_at_least(6, 9):
        return True
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", host.release)
    if found is None or not int(found[3]):
        # Debian and Ubuntu name the series alone, whatever is in it.
        return None
    since = RESTRICTED.get((int(found[1]), int(found[2])))
    return None if since is None else int(found[3]) >= since


def _version(text: str | None) -> tuple[int, int] | None:
    found = re.match(r"(\d+)\.(\d+)", text or "")
    return (int(found[1]), int(found[2])) if found else None
