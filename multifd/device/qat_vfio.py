"""QAT by the kernel's own driver and qatlib: virtual functions (VFs) on vfio-pci, their nodes, and qatmgr.

libqat opens ``/dev/vfio/<group>`` of the VFs that are its own (adf_io/vfio/vfio_mgr_lib.c, qatlib 26.08), and looks at
nothing else: a VF without a node here belongs to somebody else. sysfs shows every function of the machine, also in a
container.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from multifd.device import boot, pci, qat_errata
from multifd.device.found import BOTH, Direction, Problem
from multifd.device.pci import Function
from multifd.device.qat_errata import LIBRARY
from multifd.device.qat_manager import ALONE, Manager, release_of
from multifd.device.qat_release import SOCKET
from multifd.device.qat_services import RESTART, directions, environment_file, services
from multifd.device.sysfs import Host

PACKAGE_LIBRARY: Final = "libqat_s.so"
"""The library of Intel's driver package (configure.ac, QATzip 2.0.0, links ``usdm_drv_s`` and ``qat_s``)."""
LOCKED_PER_VF: Final = 16 << 20
"""Bytes that libqat locks for each VF of a process (INSTALL, qatlib 26.08)."""
RECOMMENDED_MEMLOCK: Final = 500_000
"""KiB for compression (INSTALL, qatlib 26.08)."""
ELSEWHERE: Final = Problem(
    "none of its virtual functions has a node here: they belong to others",
    "# a container must be given /dev/vfio/<group> of some, a pod asks for qat.intel.com/dc;\n"
    "# on the host itself: modprobe vfio-pci && udevadm trigger",
)
_UNMAPPED: Final = Problem(
    "there is no IOMMU, so vfio-pci takes no function",
    "# give the guest one: -device intel-iommu,intremap=on,caching-mode=on with kernel-irqchip=split in QEMU,\n"
    "# <iommu model='intel'/> in libvirt, and intel_iommu=on to the kernel in it",
)
_SERVICE_PACKAGES: Final = {"debian": "apt install qatlib-service", "fedora": "dnf install qatlib-service"}


def node(function: Function) -> str:
    """Its device node, once vfio-pci is bound to it."""
    return f"/dev/vfio/{function.iommu_group}"


def virtual_functions(host: Host, function: Function) -> tuple[Function, ...]:
    """Those of a PF, by address."""
    links = (host.link(path) for path in host.find(f"{function.path}/virtfn*"))
    return tuple(sorted((pci.function(host, link) for link in links if link), key=lambda one: one.address))


@dataclass(frozen=True)
class Group:
    """The VFs of one PF, or one VF of a guest."""

    function: Function
    virtual: tuple[Function, ...]


class Vfio:
    """Everything of a host that qatlib can reach, and how its processes share it."""

    def __init__(self, host: Host, groups: Sequence[Group]) -> None:
        self.host = host
        self.groups = tuple(groups)
        self.manager = Manager.of(host)

    def bound(self, group: Group) -> tuple[Function, ...]:
        """VFs that vfio-pci has."""
        return tuple(one for one in group.virtual if one.driver == "vfio-pci" and one.iommu_group)

    def ours(self, group: Group) -> tuple[Function, ...]:
        """VFs that have a node here."""
        return tuple(one for one in self.bound(group) if self.host.exists(node(one)))

    def open(self, group: Group) -> tuple[Function, ...]:
        """VFs that this user may open."""
        return tuple(one for one in self.ours(group) if self.host.permits(node(one)))

    def elsewhere(self, group: Group) -> bool:
        """Whether its VFs were given to others."""
        return bool(self.bound(group)) and not self.ours(group)

    @cached_property
    def contained(self) -> bool:
        """Whether we see functions of which not all are ours: vfio-pci makes a node for each, so somebody chose."""
        return any(len(self.ours(group)) < len(self.bound(group)) for group in self.groups)

    def directions(self, group: Group) -> frozenset[Direction]:
        """The roles that its services serve; what nobody says is not held against a guest."""
        named = services(self.host, group.function)
        return BOTH if named is None else directions(named)

    def serves(self, group: Group) -> bool:
        """Whether it is known to have a service for us, or may have one."""
        return bool(self.directions(group))

    def beside(self, group: Group) -> tuple[str, ...]:
        """Services of every other PF, whatever it still lacks; in a container of those of which we were given some."""
        others = (each for each in self.groups if each is not group and (self.ours(each) or not self.contained))
        return tuple(named for each in others if (named := services(self.host, each.function)) is not None)

    @cached_property
    def sections(self) -> tuple[tuple[Function, ...], ...]:
        """The VFs of each process that may run at a time, whether or not it can use them."""
        have = self.ours if self.manager.reach == "answers" else self.open
        return self.manager.sections([one for group in self.groups for one in have(group)])

    @cached_property
    def processes(self) -> int:
        """How many processes can work at a time: each needs one VF that serves, and must be able to open all it has."""
        serving = {one for group in self.groups if self.serves(group) for one in self.open(group)}
        every = {one for group in self.groups for one in self.open(group)}
        return sum(bool(serving.intersection(section)) and every.issuperset(section) for section in self.sections)

    def problems(self, group: Group) -> Iterator[Problem]:
        """Why no process of this user can work on it."""
        if not group.virtual:
            yield self._none(group.function)
            return
        yield from self._nodes(group)
        yield from self._library(group)
        yield from self._memory()

    def notes(self, group: Group) -> Iterator[Problem]:
        """What is worth knowing although it works."""
        if self.elsewhere(group):
            yield ELSEWHERE
            return
        closed = [node(one) for one in self.ours(group) if one not in self.open(group)]
        if closed and self.open(group) and self.manager.reach == "answers":
            yield Problem(
                f"user {self.host.user.name} may not open {len(closed)} of its {len(self.ours(group))} virtual"
                " functions: a process that qatmgr gives one of them finds no hardware",
                self._admit(closed),
            )
        if self.manager.reach != "answers":
            yield self._alone()
        else:
            yield from self._unlucky()

    def _unlucky(self) -> Iterator[Problem]:
        """Processes that get VFs of the wrong services: INSTALL (qatlib 26.08), on guests, wants two VFs for each."""
        serving = {one for group in self.groups if self.serves(group) for one in self.ours(group)}
        unlucky = sum(serving.isdisjoint(section) for section in self.sections)
        if unlucky:
            again = f"sed -i '/POLICY=/d' {environment_file(self.host)}\n" if self.manager.policy else ""
            yield Problem(
                f"POLICY={self.manager.policy} gives {unlucky} of {len(self.sections)} processes no virtual function"
                " that compresses",
                f"{again}{RESTART}\n# then each process has one of every device, as far as there are as many of each",
            )

    def _none(self, function: Function) -> Problem:
        """A PF without VFs."""
        if function.iommu_group is None:
            said = any(option.startswith("intel_iommu=on") for option in self.host.command_line)
            return Problem(
                "the IOMMU is off, so there can be no virtual functions for libqat",
                "# VT-d must be enabled in the BIOS"
                + (": intel_iommu=on is set already" if said else f"\n{boot.set_option(self.host, 'intel_iommu=on')}"),
            )
        total = self.host.number(f"{function.path}/sriov_totalvfs")
        if not total:
            return Problem("it can have no virtual functions", "# SR-IOV must be enabled in the BIOS; then reboot")
        return Problem(
            "it has no virtual functions, and libqat works on nothing else",
            "# the kernel's own use of it (crypto API) ends with this:\n"
            f"echo {total} > {function.path}/sriov_numvfs\n{RESTART}",
        )

    def _nodes(self, group: Group) -> Iterator[Problem]:
        """One VF that can be opened is enough for a process; else what keeps this user away from all of them."""
        if self.open(group):
            closed = [node(one) for each in self.groups for one in self.ours(each) if one not in self.open(each)]
            if closed and not self.processes and self.serves(group):
                yield Problem(
                    f"qatmgr gives every process a virtual function that user {self.host.user.name} may not open",
                    self._admit(closed),
                )
            return
        ours, first = self.ours(group), group.virtual[0]
        if not ours:
            yield _UNMAPPED if first.iommu_group is None else self._unbound(first)
            return
        nodes = [node(one) for one in ours]
        yield Problem(f"user {self.host.user.name} may not open {' '.join(nodes)}", self._admit(nodes))

    def _admit(self, nodes: Sequence[str]) -> str:
        """The commands after which this user may open nodes."""
        listed = " ".join(nodes)
        commands = (
            f"chgrp qat {listed}\nchmod g+rw {listed}\nusermod -a -G qat {self.host.user.name}\n# then log in again"
        )
        if self.host.text("/sys/fs/selinux/enforce") == "1":
            # github.com/fedora-selinux/selinux-policy/issues/3182: the service reports success all the same.
            commands += "\n# SELinux may have kept qat.service from it: ausearch -m avc -c chown -c chmod"
        elif any(option.replace("_", "-").startswith("vfio-pci.ids=") for option in self.host.command_line):
            # QAT20-41023 of qatlib: its service admits its group only to functions that it bound itself.
            commands += "\n# vfio-pci.ids on the kernel's command line keeps qat.service before 26.02 from doing so"
        return commands

    def _unbound(self, function: Function) -> Problem:
        return Problem(
            f"no virtual function is bound to vfio-pci ({function.address}: {function.driver or 'no driver'})",
            f"modprobe vfio-pci\n{function.hand_over('vfio-pci')}\n"
            "# systemctl restart qat does it for all virtual functions",
        )

    def _library(self, group: Group) -> Iterator[Problem]:
        version, running = self.host.library(LIBRARY), self.manager.release
        if version is None:
            if self.host.library(PACKAGE_LIBRARY):
                yield Problem(
                    f"{PACKAGE_LIBRARY} is that of Intel's driver package, and the kernel's own driver runs:"
                    f" it needs qatlib's {LIBRARY}",
                    "# install qatlib, and a libqatzip that is linked to it",
                )
            return
        ours, theirs = release_of(version), release_of(running)
        if None not in (ours, theirs) and ours != theirs:
            yield Problem(
                f"qatmgr {running} runs, and {LIBRARY} is of qatlib {version}: libqat refuses another release"
                ' ("received response from incompatible qatmgr") and libqatzip goes on in software',
                f"{RESTART}\n# if it stays so: install service and library of one release of qatlib",
            )
        yield from qat_errata.known(self.host, (*self.open(group), group.function)[0])

    def _memory(self) -> Iterator[Problem]:
        """Locked memory: what a process needs for the VFs that it gets."""
        user = self.host.user
        need = max((len(section) for section in self.sections), default=1) * LOCKED_PER_VF
        if user.memlock is None or user.memlock >= need:
            return
        limit = max(RECOMMENDED_MEMLOCK, need >> 10)
        yield Problem(
            f"user {user.name} may lock {user.memlock >> 10} KiB of memory, libqat needs at least {need >> 10} KiB",
            f"echo '{user.name} - memlock {limit}' > /etc/security/limits.d/qat.conf\n"
            f"# that serves login shells: log in again, and ulimit -l shows {limit}\n"
            f"# a systemd service and a CI runner read no limits.conf: LimitMEMLOCK={limit}K in their unit\n"
            "# a container needs --ulimit memlock, a pod the capability IPC_LOCK",
        )

    def _alone(self) -> Problem:
        """No qatmgr for this user's processes."""
        why = {
            "absent": f"no qatmgr runs ({SOCKET} does not exist)",
            "silent": f"no qatmgr runs ({SOCKET} was left behind)",
            "closed": f"user {self.host.user.name} may not talk to qatmgr ({SOCKET})",
        }[self.manager.reach]
        takes = f"up to {ALONE}" if self.manager.alone is None else f"{self.manager.alone} (QAT_POLICY)"
        return Problem(
            f"{why}: a process takes {takes} virtual functions for itself, so {self.processes} can run at a time",
            f"{self._start()}# with QAT_POLICY=1 in its environment a process takes one",
        )

    def _start(self) -> str:
        """The commands after which qatmgr serves this user; none in a container, which does without."""
        if self.contained:
            return ""
        if self.manager.reach == "closed":
            return f"usermod -a -G qat {self.host.user.name}\n# then log in again\n"
        install = _SERVICE_PACKAGES.get(self.host.distribution or "")
        return "".join(f"{line}\n" for line in (install, "systemctl enable qat", "systemctl restart qat") if line)
