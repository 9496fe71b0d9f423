"""QAT by Intel's own driver package (*adf*, out of tree): its nodes, its configuration, its library.

The package is told by ``/dev/usdm_drv``, its pinned memory, and for 4xxx and later by a driver of their virtual
functions (VFs), which the kernel has none of. User space reaches a function through ``uio``: the package registers it
for a VF, and for a physical function (PF) without VFs while there is no IOMMU; else it logs "Cannot use PF with IOMMU
enabled" (``adf_dev_start`` of QAT.L.4, github.com/intel/QATzip/issues/115; "... and SVM off" in QAT20.L.1).

``/etc/<driver>_dev<n>.conf`` says what each function offers to whom. libqatzip starts the section SHIM, or that of
``QAT_SECTION_NAME`` (qatzip.c, QATzip 2.0.0, ``g_dev_tag``, ``getSectionName``); the package's own files have SSL only
(README.md, QATzip 2.0.0). A section serves NumProcesses processes: of each device where LimitDevAccess is 1, of all
together where it is 0 (github.com/intel/QATzip/issues/75).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from multifd.device import boot
from multifd.device.found import Problem
from multifd.device.pci import Function
from multifd.device.qat_errata import LIBRARY
from multifd.device.qat_generation import Generation
from multifd.device.qat_services import SENDING
from multifd.device.qat_vfio import PACKAGE_LIBRARY
from multifd.device.sysfs import Host

PINNED_MEMORY: Final = "/dev/usdm_drv"
CONTROL: Final = ("/dev/qat_adf_ctl", "/dev/qat_dev_processes")
SECTION: Final = "SHIM"
ENOUGH: Final = 2
"""Processes of one cell that hold the device at a time: a sender and a receiver."""
_RESTART: Final = "# this stops whoever else uses QAT on this host for a moment:\nadf_ctl restart"


@dataclass(frozen=True, slots=True)
class Configuration:
    """One ``/etc/<driver>_dev<n>.conf``."""

    path: str
    sections: Mapping[str, Mapping[str, str]]

    @classmethod
    def read(cls, host: Host, path: str) -> Configuration | None:
        """None where it is not there or closed to this user."""
        text = host.text(path)
        if text is None:
            return None
        sections: dict[str, dict[str, str]] = {}
        keys: dict[str, str] = {}
        for line in (line.partition("#")[0].strip() for line in text.splitlines()):
            if line.startswith("[") and line.endswith("]"):
                keys = sections.setdefault(line[1:-1], {})
            elif "=" in line:
                key, _, value = line.partition("=")
                keys[key.strip()] = value.strip()
        return cls(path, sections)

    def number(self, key: str, section: str = SECTION) -> int:
        """A key of libqatzip's section, 0 where it is not there."""
        value = self.sections.get(section, {}).get(key, "")
        return int(value) if value.isdecimal() else 0

    @property
    def compressing(self) -> tuple[str, ...]:
        """Sections of user space with instances that compress."""
        return tuple(each for each in self.sections if each != "KERNEL" and self.number("NumberDcInstances", each))


def runs(host: Host, generation: Generation, virtual: Sequence[Function]) -> bool:
    """Whether the package, and not the kernel's own driver, has a function, or would have to."""
    foreign = any(one.driver == f"{generation.driver}vf" for one in virtual)
    return not generation.vfio or foreign or host.exists(PINNED_MEMORY)


class Package:
    """One function under the driver package, with what its users reach it by."""

    def __init__(self, host: Host, function: Function, generation: Generation, users: Sequence[tuple[str, Function]]):
        """``users`` are the functions that user space works with, each with the name of its configuration."""
        self.host = host
        self.function = function
        self.generation = generation
        self.users = tuple(users)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Those that exist."""
        return tuple(each for each in (*CONTROL, PINNED_MEMORY, *self._uio()) if self.host.exists(each))

    @property
    def configurations(self) -> tuple[Configuration, ...]:
        """Those that can be read."""
        read = (Configuration.read(self.host, path) for path, _ in self.users)
        return tuple(one for one in read if one is not None)

    @property
    def processes(self) -> int | None:
        """How many processes its own configuration serves; None where it cannot be read."""
        served = [one.number("NumProcesses") for one in self.configurations]
        return sum(served) if served else None

    @property
    def shared(self) -> bool:
        """Whether a process gets something of every device, and so none more than the least of them serves."""
        return not any(one.number("LimitDevAccess") for one in self.configurations)

    def problems(self) -> Iterator[Problem]:
        """Why libqatzip gets no hardware."""
        if not self.host.exists(PINNED_MEMORY):
            yield self._missing()
            return
        yield from self._library()
        if not self._uio():
            yield self._not_up()
            return
        yield from self._unreachable()
        for path, _ in self.users:
            yield from self._configured(path)

    def notes(self) -> Iterator[Problem]:
        """What could not be looked at."""
        closed = [path for path, _ in self.users if self.host.exists(path) and self.host.text(path) is None]
        if closed:
            yield Problem(
                f"user {self.host.user.name} may not read {' '.join(closed)}: section {SECTION} was not looked at",
                f"# as root: grep -A 4 '^\\[{SECTION}\\]' {' '.join(closed)}",
            )

    def _uio(self) -> tuple[str, ...]:
        """The nodes of the functions that are up for user space."""
        found = (path for _, one in self.users for path in self.host.find(f"{one.path}/uio/uio*"))
        return tuple(f"/dev/{path.rpartition('/')[2]}" for path in found)

    def _missing(self) -> Problem:
        if self.generation.vfio:
            return Problem(
                f"Intel's driver package has it, and its memory is missing ({PINNED_MEMORY} does not exist)",
                "modprobe usdm_drv\nsystemctl restart qat_service\nadf_ctl status",
            )
        return Problem(
            f"the kernel's own driver keeps {self.generation.name} for the kernel; QATzip needs Intel's driver package"
            f" ({PINNED_MEMORY} does not exist)",
            "# unpack Intel's QAT driver for hardware 1.x, then in its directory:\n"
            "./configure && make install\n"
            "systemctl restart qat_service\n"
            "adf_ctl status",
        )

    def _library(self) -> Iterator[Problem]:
        if self.host.library(LIBRARY) and not self.host.library(PACKAGE_LIBRARY):
            own = (
                "\n# or give it to the kernel's own driver: remove the package, reboot, systemctl enable --now qat"
                if self.generation.vfio
                else ""
            )
            yield Problem(
                f"Intel's driver package has it, and only qatlib's {LIBRARY} is installed, which works with the"
                f" kernel's own driver alone: the package's library is {PACKAGE_LIBRARY}",
                f"# build QATzip against the package: ./configure --with-ICP_ROOT=<its directory> && make install{own}",
            )

    def _not_up(self) -> Problem:
        """No uio: adf_ctl shows it down, or the package left it to guests."""
        if not self.users:
            return Problem(
                "Intel's driver package has it, and all its virtual functions are bound to vfio-pci, for guests",
                "# if no guest has one:\n"
                f"echo 0 > {self.function.path}/sriov_numvfs\nsystemctl restart qat_service\nadf_ctl status",
            )
        physical = self.function in [one for _, one in self.users]
        if physical and self.function.iommu_group is not None:
            keep = (
                "# with the IOMMU: remove the package, and use the kernel's own driver with qatlib\n"
                if self.generation.vfio
                else "# with the IOMMU only its virtual functions work, in guests that have the package\n"
            )
            return Problem(
                "the IOMMU is on, and Intel's driver package gives no physical function to user space then"
                ' ("Cannot use PF with IOMMU enabled")',
                f"{keep}# without it, guests can have no devices (vfio) any more:\n"
                f"{boot.set_option(self.host, 'intel_iommu=off')}",
            )
        return Problem(
            "it is down for user space (no uio below it)",
            "systemctl restart qat_service\nadf_ctl status\n"
            f"# dmesg | grep {self.generation.driver} says why it stays so",
        )

    def _unreachable(self) -> Iterator[Problem]:
        absent = [each for each in CONTROL if not self.host.exists(each)]
        if absent:
            yield Problem(f"{' '.join(absent)} does not exist", "systemctl restart qat_service\nadf_ctl status")
        closed = [each for each in self.nodes if not self.host.permits(each)]
        if closed:
            listed = " ".join(closed)
            yield Problem(
                f"user {self.host.user.name} may not open {listed}",
                f"chgrp qat {listed}\nchmod g+rw {listed}\nusermod -a -G qat {self.host.user.name}\n"
                "# then log in again",
            )

    def _configured(self, path: str) -> Iterator[Problem]:
        """What keeps libqatzip from starting its section of one file."""
        configuration = Configuration.read(self.host, path)
        if configuration is None:
            if not self.host.exists(path):
                yield Problem(f"{path} does not exist, and adf_ctl starts no device without", _RESTART)
            return
        enabled = configuration.sections.get("GENERAL", {}).get("ServicesEnabled")
        if enabled is not None and SENDING.isdisjoint(enabled.split(";")):
            yield Problem(
                f"{path} enables {enabled}, which does not compress",
                f"# this takes {enabled} from whoever uses it here:\n"
                f"sed -i 's/^ServicesEnabled.*/ServicesEnabled = dc/' {path}\n{_RESTART}",
            )
        if SECTION not in configuration.sections:
            yield Problem(f"{path} has no section [{SECTION}], which libqatzip starts", _section(configuration))
            return
        if not configuration.number("NumberDcInstances"):
            yield self._key(configuration, "NumberDcInstances", 1, "no instance that compresses")
        if configuration.number("NumProcesses") < ENOUGH:
            yield self._key(configuration, "NumProcesses", 16, "not enough: a sender and a receiver are two")

    def _key(self, configuration: Configuration, key: str, value: int, why: str) -> Problem:
        replace = f"/^\\[{SECTION}\\]/,/^\\[/{{/^{key} *=/d}}; s/^\\[{SECTION}\\]/&\\n{key} = {value}/"
        return Problem(
            f"{configuration.path}, section [{SECTION}], has {key} = {configuration.number(key)}: {why}",
            f"sed -i '{replace}' {configuration.path}\n{_RESTART}",
        )


def _section(configuration: Configuration) -> str:
    """The commands that add libqatzip's section, once."""
    path = configuration.path
    lines = (
        "",
        f"[{SECTION}]",
        "NumberCyInstances = 0",
        "NumberDcInstances = 1",
        "NumProcesses = 16",
        "LimitDevAccess = 0",
        'Dc0Name = "Dc0"',
        "Dc0IsPolled = 1",
        "Dc0CoreAffinity = 0",
        "",
    )
    added = "\\n".join(lines)
    return (
        f"grep -q '^\\[{SECTION}\\]' {path} || printf '{added}' >> {path}\n"
        "# other sections may have to give up instances for it: adf_ctl says so\n"
        f"{_RESTART}{''.join(map(_instead, configuration.compressing))}"
    )


def _instead(section: str) -> str:
    return f"\n# or change nothing, and start the section of others, in the environment: QAT_SECTION_NAME={section}"
