"""Intel QuickAssist (QAT): generations, and everything between a physical function and a compressed page.

There are two user-space stacks, and QATzip runs on either:

* *vfio*: the kernel's driver on the physical function (PF), its virtual functions (VFs) bound to vfio-pci, and
  libqat, which asks qatmgr for VFs and opens their ``/dev/vfio/<group>`` (INSTALL, qatlib 26.08). From 4xxx on;
  Linux refuses older QAT to vfio-pci (drivers/vfio/pci/vfio_pci.c, Linux 6.18, ``vfio_pci_dev_in_denylist``).
* *adf*: Intel's own driver package with ``/dev/usdm_drv`` for pinned memory and ``/etc/<driver>_dev<n>.conf``. Any
  generation; ``/dev/usdm_drv`` is how it is told apart, the kernel's own driver has no such node.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from multifd.device import pci
from multifd.device.found import Device, Problem
from multifd.device.pci import Function
from multifd.device.sysfs import Host

Stack = Literal["vfio", "adf"]


@dataclass(frozen=True, slots=True)
class Generation:
    """One row of the table of generations: PCI ids of PF and VF, driver, kernel module."""

    name: str
    physical: int
    virtual: int
    driver: str
    module: str
    vfio: bool
    """Whether libqat reaches it through vfio-pci."""


GENERATIONS: Final = (
    Generation("dh895xcc", 0x0435, 0x0443, "dh895xcc", "qat_dh895xcc", vfio=False),
    Generation("c62x", 0x37C8, 0x37C9, "c6xx", "qat_c62x", vfio=False),
    Generation("c3xxx", 0x19E2, 0x19E3, "c3xxx", "qat_c3xxx", vfio=False),
    Generation("d15xx", 0x6F54, 0x6F55, "d15xx", "qat_d15xx", vfio=False),
    Generation("200xx", 0x18EE, 0x18EF, "200xx", "qat_200xx", vfio=False),
    Generation("c4xxx", 0x18A0, 0x18A1, "c4xxx", "qat_c4xxx", vfio=False),
    Generation("4xxx", 0x4940, 0x4941, "4xxx", "qat_4xxx", vfio=True),
    Generation("401xx", 0x4942, 0x4943, "4xxx", "qat_4xxx", vfio=True),
    Generation("402xx", 0x4944, 0x4945, "4xxx", "qat_4xxx", vfio=True),
    Generation("420xx", 0x4946, 0x4947, "420xx", "qat_420xx", vfio=True),
    Generation("6xxx", 0x4948, 0x4949, "6xxx", "qat_6xxx", vfio=True),
)
"""Ids: quickassist/utilities/service/qat_init.sh.in (qatlib 26.08) for dh895xcc to d15xx;
drivers/common/qat/qat_device.c (DPDK 24.11) for 200xx and c4xxx;
drivers/crypto/intel/qat/qat_common/adf_accel_devices.h (Linux 6.18) for 4xxx and later."""

COMPRESSION: Final = frozenset({"dc", "dcc"})
"""Services that compress: Documentation/ABI/testing/sysfs-driver-qat (Linux 6.18). ``decomp`` alone does not."""
MANAGER_SOCKET: Final = "/run/qat/qatmgr.sock"
"""adf_io/vfio/qat_mgr.h (qatlib 26.08), ``QATMGR_SOCKET``."""
LOCKED_PER_VF: Final = 16 << 20
"""Bytes that libqat locks for each VF (INSTALL, qatlib 26.08); by default a process gets one VF of every PF."""
RECOMMENDED_MEMLOCK: Final = 500_000
"""KiB for compression (intel/qatlib, INSTALL)."""
PINNED_MEMORY_NODE: Final = "/dev/usdm_drv"
ADF_NODES: Final = ("/dev/qat_adf_ctl", "/dev/qat_dev_processes", PINNED_MEMORY_NODE)

_PHYSICAL: Final = {generation.physical: generation for generation in GENERATIONS}
_VIRTUAL: Final = {generation.virtual: generation for generation in GENERATIONS}


def detect(host: Host) -> tuple[Device, ...]:
    """Every PF with its VFs; in a guest, where there is no PF, every VF."""
    functions = list(pci.functions(host, pci.INTEL))
    physical = [function for function in functions if function.device in _PHYSICAL]
    guests = [
        function for function in functions if function.device in _VIRTUAL and not host.exists(f"{function.path}/physfn")
    ]
    opened = len(physical) + len(guests)
    return (
        *(_physical(host, function, index, opened) for index, function in _numbered(physical)),
        *(_guest(host, function, index, opened) for index, function in _numbered(guests)),
    )


def _numbered(functions: Sequence[Function]) -> Iterator[tuple[int, Function]]:
    """Functions with their number among those of one driver, which names the file of the *adf* stack."""
    seen: dict[str, int] = {}
    for function in functions:
        driver = (_PHYSICAL.get(function.device) or _VIRTUAL[function.device]).driver
        seen[driver] = seen.get(driver, -1) + 1
        yield seen[driver], function


def _physical(host: Host, function: Function, index: int, opened: int) -> Device:
    generation = _PHYSICAL[function.device]
    stack = _stack(host, generation)
    virtual = _virtual_functions(host, function)
    facts = {"driver": function.driver or "none", "stack": stack}
    services = host.text(f"{function.path}/qat/cfg_services")
    if services is not None:
        facts["services"] = services
    if stack == "vfio":
        facts["virtual functions"] = str(len(virtual))
        nodes = _vfio_nodes(host, virtual)
    else:
        nodes = _adf_nodes(host)
    return Device(
        kind="qat",
        name=generation.name,
        pci=function.address,
        generation=generation.name,
        facts=facts,
        nodes=nodes,
        problems=tuple(_problems(host, function, generation, index, virtual, opened)),
    )


def _guest(host: Host, function: Function, index: int, opened: int) -> Device:
    generation = _VIRTUAL[function.device]
    stack = _stack(host, generation)
    return Device(
        kind="qat",
        name=f"{generation.name}vf",
        pci=function.address,
        generation=generation.name,
        facts={"driver": function.driver or "none", "stack": stack},
        nodes=_vfio_nodes(host, [function]) if stack == "vfio" else _adf_nodes(host),
        problems=tuple(_guest_problems(host, function, generation, index, opened)),
    )


def _stack(host: Host, generation: Generation) -> Stack:
    return "adf" if host.exists(PINNED_MEMORY_NODE) or not generation.vfio else "vfio"


def _virtual_functions(host: Host, function: Function) -> list[Function]:
    links = (host.link(path) for path in host.find(f"{function.path}/virtfn*"))
    return sorted((pci.function(host, link) for link in links if link), key=lambda one: one.address)


def _problems(
    host: Host,
    function: Function,
    generation: Generation,
    index: int,
    virtual: Sequence[Function],
    opened: int,
) -> Iterator[Problem]:
    if function.driver != generation.driver:
        yield _unbound(function, generation.driver, generation.module)
    elif _stack(host, generation) == "adf":
        yield from _adf(host, generation.name, f"{generation.driver}_dev{index}.conf")
    else:
        yield from _service(host, function)
        if virtual:
            yield from _vfio(host, virtual)
            yield from _user(host, opened)
        else:
            yield _no_virtual_functions(host, function)


def _guest_problems(
    host: Host, function: Function, generation: Generation, index: int, opened: int
) -> Iterator[Problem]:
    driver = f"{generation.driver}vf"
    if _stack(host, generation) == "vfio":
        yield from _vfio(host, [function])
        yield from _user(host, opened)
    elif function.driver != driver:
        yield _unbound(function, driver, f"{generation.module}vf")
    else:
        yield from _adf(host, generation.name, f"{driver}_dev{index}.conf")


def _unbound(function: Function, driver: str, module: str) -> Problem:
    if function.driver is None:
        return Problem("no driver is bound to it", f"modprobe {module}")
    return Problem(
        f"driver {function.driver} is bound to it instead of {driver}",
        f"modprobe {module}\n{function.hand_over(driver)}",
    )


def _service(host: Host, function: Function) -> Iterator[Problem]:
    """State and service (Documentation/ABI/testing/sysfs-driver-qat)."""
    qat = f"{function.path}/qat"
    services, down = host.text(f"{qat}/cfg_services"), host.text(f"{qat}/state") == "down"
    if services is not None and not COMPRESSION.intersection(services.split(";")):
        stop = "" if down else f"echo down > {qat}/state\n"
        yield Problem(
            f"its service is {services}, which does not compress",
            "systemctl stop qat\n"
            f"{stop}"
            f"echo dc > {qat}/cfg_services\n"
            f"echo up > {qat}/state\n"
            "echo ServicesEnabled=dc >> /etc/sysconfig/qat\n"
            "systemctl start qat",
        )
    elif down:
        yield Problem("it is down", f"echo up > {qat}/state")


def _no_virtual_functions(host: Host, function: Function) -> Problem:
    if function.iommu_group is None:
        return Problem(
            "the IOMMU is off, so there can be no virtual functions for libqat",
            'grubby --update-kernel=ALL --args="intel_iommu=on"\n'
            "# or add intel_iommu=on to GRUB_CMDLINE_LINUX in /etc/default/grub and run update-grub\n"
            "# VT-d must be enabled in the BIOS; then reboot",
        )
    total = host.number(f"{function.path}/sriov_totalvfs")
    return Problem(
        "it has no virtual functions, and libqat works on nothing else",
        f"echo {total or 16} > {function.path}/sriov_numvfs\nsystemctl restart qat",
    )


def _vfio_nodes(host: Host, virtual: Sequence[Function]) -> tuple[str, ...]:
    return tuple(
        f"/dev/vfio/{one.iommu_group}"
        for one in virtual
        if one.driver == "vfio-pci" and one.iommu_group and host.permits(f"/dev/vfio/{one.iommu_group}")
    )


def _vfio(host: Host, virtual: Sequence[Function]) -> Iterator[Problem]:
    """One VF that can be opened is enough for libqat; else name what keeps the first one away."""
    if _vfio_nodes(host, virtual):
        return
    bound = next((one for one in virtual if one.driver == "vfio-pci" and one.iommu_group), None)
    if bound is None:
        yield _unbound_vf(virtual[0])
        return
    node = f"/dev/vfio/{bound.iommu_group}"
    if not host.exists(node):
        yield Problem(f"{node} does not exist although vfio-pci is bound", "modprobe vfio-pci\nudevadm trigger")
        return
    yield Problem(
        f"user {host.user.name} may not open {node}",
        f"chgrp qat {node}\nchmod g+rw {node}\nusermod -a -G qat {host.user.name}\n# then log in again",
    )


def _unbound_vf(function: Function) -> Problem:
    return Problem(
        f"no virtual function is bound to vfio-pci ({function.address}: {function.driver or 'no driver'})",
        f"modprobe vfio-pci\n{function.hand_over('vfio-pci')}\n"
        "# systemctl restart qat does it for all virtual functions",
    )


def _user(host: Host, opened: int) -> Iterator[Problem]:
    """What libqat needs of the process and of qatmgr."""
    need = opened * LOCKED_PER_VF
    if host.user.memlock is not None and host.user.memlock < need:
        limit = max(RECOMMENDED_MEMLOCK, need >> 10)
        yield Problem(
            f"user {host.user.name} may lock {host.user.memlock >> 10} KiB of memory,"
            f" libqat needs at least {need >> 10} KiB",
            f"echo '{host.user.name} - memlock {limit}' >> /etc/security/limits.conf\n"
            f"# then log in again: ulimit -l shows {limit}",
        )
    if not host.exists(MANAGER_SOCKET):
        yield Problem(f"qatmgr is not running ({MANAGER_SOCKET} does not exist)", "systemctl enable --now qat")
    elif not any(host.text(path) == "qatmgr" for path in host.find("/proc/[0-9]*/comm")):
        yield Problem(f"qatmgr is not running ({MANAGER_SOCKET} was left behind)", "systemctl restart qat")
    elif not host.permits(MANAGER_SOCKET):
        yield Problem(
            f"user {host.user.name} may not talk to qatmgr ({MANAGER_SOCKET})",
            f"usermod -a -G qat {host.user.name}\n# then log in again",
        )


def _adf_nodes(host: Host) -> tuple[str, ...]:
    return tuple(node for node in ADF_NODES if host.exists(node) and host.permits(node))


def _adf(host: Host, name: str, configuration: str) -> Iterator[Problem]:
    """Nodes and configuration of Intel's driver package."""
    if not host.exists(PINNED_MEMORY_NODE):
        yield Problem(
            f"the kernel's own driver keeps {name} for the kernel; QATzip needs Intel's driver package"
            f" ({PINNED_MEMORY_NODE} does not exist)",
            "# unpack Intel's QAT driver for hardware 1.x, then in its directory:\n"
            "./configure && make install\n"
            "systemctl restart qat_service\n"
            "adf_ctl status",
        )
        return
    file = f"/etc/{configuration}"
    services = _services_enabled(host.text(file) or "")
    if services is not None and not COMPRESSION.intersection(services.split(";")):
        yield Problem(
            f"{file} enables {services}, which does not compress",
            f"sed -i 's/^ServicesEnabled.*/ServicesEnabled = dc/' {file}\nadf_ctl restart",
        )
    closed = [node for node in ADF_NODES if host.exists(node) and not host.permits(node)]
    if closed:
        nodes = " ".join(closed)
        yield Problem(
            f"user {host.user.name} may not open {nodes}",
            f"chgrp qat {nodes}\nchmod g+rw {nodes}\nusermod -a -G qat {host.user.name}\n# then log in again",
        )


def _services_enabled(configuration: str) -> str | None:
    for line in configuration.splitlines():
        key, equals, value = line.partition("=")
        if equals and key.strip() == "ServicesEnabled":
            return value.strip()
    return None
