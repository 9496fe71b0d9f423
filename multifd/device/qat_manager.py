"""qatmgr, qatlib's service, and which virtual functions (VFs) a process gets from it or takes without it.

A process that uses libqat connects to qatmgr and is given one *section*: a fixed set of VFs, cut out when qatmgr
started (``qat_mgr_vfio_build_data``, adf_io/vfio/vfio_mgr_lib.c, qatlib 26.08). With POLICY 0, the default, a section
has one VF of every PF; with POLICY n, n VFs in the order of ``bdf_compare``. A process gets no hardware where no
section is left, and where it cannot open each VF of its own (``adf_proxy_get_devices``, io/adf_user_device.c, qatlib
26.08): so the number of sections is the number of processes.

Where it cannot connect, libqat does without (``qatmgr_open``, adf_io/vfio/qat_mgr_client.c, qatlib 20.08 to 26.08,
*standalone mode*): each process takes VFs that it can open and nobody else has, six at most unless QAT_POLICY says how
many. A pod is meant to do so (INSTALL, qatlib 26.08, STANDALONE MODE).

Both must be of one release: libqat refuses an answer of any other (``qatmgr_query``; "received response from
incompatible qatmgr"), and does not go on alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from multifd.device.pci import Function
from multifd.device.qat_release import NAME, SOCKET
from multifd.device.qat_services import environment_file
from multifd.device.sysfs import Host

PROCESS: Final = "/run/qat/qatmgr.pid"
"""Of the one that runs (qat.service.in, qatlib 26.08, ``PIDFile``)."""
ENVIRONMENT: Final = "/proc/self/environ"
"""With QAT_POLICY, for a process without qatmgr (qat_mgr_client.c, qatlib 26.08, ``QAT_ENV_POLICY``)."""
ALONE: Final = 6
"""VFs that a process without qatmgr takes (qat_mgr_client.c, qatlib 26.08, ``MAX_DEVS_NO_POLICY``)."""
Reach = Literal["answers", "closed", "silent", "absent"]
"""Whether this user's processes reach qatmgr: it answers, may not be asked, left its socket behind, is not there."""
_ADDRESS: Final = re.compile(r"([0-9a-f]+):([0-9a-f]+):([0-9a-f]+)\.([0-7])")
_POLICY: Final = re.compile(r"--policy=(\d+)")
_OWN: Final = re.compile(r"(?:^|\0)QAT_POLICY=([1-9]\d*)(?:\0|$)")
_SETTING: Final = re.compile(r"^POLICY=(\d+)\s*$", re.MULTILINE)
_VERSION: Final = re.compile(r"(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Manager:
    """What this user's processes have of qatmgr."""

    reach: Reach
    policy: int
    """VFs of each process, 0 for one of every PF."""
    release: str | None
    """Of the process that runs, ``24.02``; None where it does not say."""
    alone: int | None = None
    """VFs that a process without qatmgr takes by its environment, exactly; None: up to :data:`ALONE`."""

    @classmethod
    def of(cls, host: Host) -> Manager:
        """Of a host."""
        reach = _reach(host)
        own = _OWN.search(host.text(ENVIRONMENT) or "")
        release = host.library(NAME) if reach == "answers" else None
        return cls(reach, _policy(host), release, int(own[1]) if own else None)

    def sections(self, functions: Sequence[Function]) -> tuple[tuple[Function, ...], ...]:
        """The VFs of each process, out of those that can be given away."""
        ordered = sorted(functions, key=_place)
        if self.reach != "answers" and self.alone is None:
            return tuple(tuple(ordered[start : start + ALONE]) for start in range(0, len(ordered), ALONE))
        exactly = self.policy if self.reach == "answers" else self.alone
        if exactly:
            last = len(ordered) - exactly
            return tuple(tuple(ordered[start : start + exactly]) for start in range(0, last + 1, exactly))
        return _one_of_each(ordered)


def release_of(version: str | None) -> tuple[int, int] | None:
    """Major and minor version, which must be equal on both sides."""
    found = _VERSION.match(version or "")
    return (int(found[1]), int(found[2])) if found else None


def _reach(host: Host) -> Reach:
    if not host.exists(SOCKET):
        return "absent"
    if not host.permits(SOCKET):
        return "closed"
    match host.listening(SOCKET):
        case None:
            return "closed"
        case answered:
            return "answers" if answered else "silent"


def _policy(host: Host) -> int:
    """That of the process, whose command line anybody may read; else that of its settings."""
    given = _POLICY.search(host.text(f"/proc/{host.text(PROCESS)}/cmdline") or "")
    settings = _SETTING.findall(host.text(environment_file(host)) or "")
    return int(given[1] if given else settings[-1] if settings else 0)


def _place(function: Function) -> tuple[int, int, int, int]:
    """As ``bdf_compare`` orders: function, device, bus, domain."""
    domain, bus, device, number = _numbers(function)
    return number, device, bus, domain


def _one_of_each(ordered: Sequence[Function]) -> tuple[tuple[Function, ...], ...]:
    """A new section begins with the first VF of a PF that the one before has; VFs of a PF share domain and bus."""
    sections: list[list[Function]] = []
    held: set[tuple[int, int]] = set()
    for function in ordered:
        parent = _numbers(function)[:2]
        if parent in held or not sections:
            sections.append([])
            held.clear()
        held.add(parent)
        sections[-1].append(function)
    return tuple(map(tuple, sections))


def _numbers(function: Function) -> tuple[int, int, int, int]:
    found = _ADDRESS.fullmatch(function.address)
    assert found is not None, function.address
    domain, bus, device, number = (int(part, 16) for part in found.groups())
    return domain, bus, device, number
