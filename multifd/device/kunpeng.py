"""HiSilicon Kunpeng's ZIP engine: devices of the uacce class, as UADK opens them.

hisi_zip registers with uacce only if loaded with ``uacce_mode=1``; by default it serves the kernel's crypto alone
(drivers/crypto/hisilicon/zip/zip_main.c, Linux 6.18). UADK needs shared virtual addressing and write access to
``/dev/hisi_zip-<n>`` (docs/devel/migration/uadk-compression.rst, QEMU 10.2). Attributes:
Documentation/ABI/testing/sysfs-driver-uacce (Linux 6.18).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from multifd.device import pci
from multifd.device.found import Device, Problem
from multifd.device.pci import Function
from multifd.device.sysfs import Host

IDS: Final = frozenset({0xA250, 0xA251})
"""PF and VF: include/linux/pci_ids.h (Linux 6.18), ``PCI_DEVICE_ID_HUAWEI_ZIP_PF`` and ``..._VF``."""
SHARED_VIRTUAL_ADDRESSING: Final = 0x1
"""include/uapi/misc/uacce/uacce.h (Linux 6.18), ``UACCE_DEV_SVA``."""
ALGORITHM: Final = "zlib"
"""What QEMU asks UADK for (migration/multifd-uadk.c, QEMU 10.2)."""
_KEEP: Final = "echo options hisi_zip uacce_mode=1 > /etc/modprobe.d/hisi_zip.conf"
_RELOAD: Final = (
    f"# the kernel's own use of it (crypto API) stops meanwhile:\nmodprobe -r hisi_zip\n{_KEEP}\nmodprobe hisi_zip"
)


def detect(host: Host) -> tuple[Device, ...]:
    """Every ZIP engine."""
    functions = (function for function in pci.functions(host, pci.HUAWEI) if function.device in IDS)
    return tuple(_device(host, function) for function in functions)


def _device(host: Host, function: Function) -> Device:
    path = next(host.find(f"{function.path}/uacce/hisi_zip-*"), "")
    name = path.rpartition("/")[2]
    node = f"/dev/{name}"
    facts = {"driver": function.driver or "none"}
    left = host.text(f"{path}/available_instances") if path else None
    if left is not None:
        facts["free queues"] = left
    return Device(
        kind="kunpeng",
        name=name or "hisi_zip",
        pci=function.address,
        generation="hisi_zip",
        facts=facts,
        nodes=(node,) if name and host.permits(node) else (),
        problems=tuple(_problems(host, function, path, node)),
    )


def _problems(host: Host, function: Function, path: str, node: str) -> Iterator[Problem]:
    if function.driver is None:
        yield Problem("no driver is bound to it", f"modprobe uacce\n{_KEEP}\nmodprobe hisi_zip")
        return
    if not path:
        yield Problem("hisi_zip gives it to the kernel only: it is not registered with uacce", _RELOAD)
        return
    if not (host.number(f"{path}/flags") or 0) & SHARED_VIRTUAL_ADDRESSING:
        yield Problem(
            "it works without shared virtual addressing, which UADK needs",
            f"{_RELOAD}\n# the SMMU must be enabled in the BIOS",
        )
    algorithms = (host.text(f"{path}/algorithms") or "").split()
    if ALGORITHM not in algorithms:
        yield Problem(
            f"it does not offer {ALGORITHM} (it offers {', '.join(algorithms) or 'nothing'})",
            "# use another device: this one cannot run the method uadk",
        )
    if host.text(f"{path}/available_instances") == "0":
        yield Problem("all its queues are taken", f"fuser -v {node}\n# end a process that holds it")
    if not host.exists(node):
        yield Problem(f"it has no device node {node}", "udevadm trigger --subsystem-match=uacce")
    elif not host.permits(node):
        yield Problem(
            f"user {host.user.name} may not open {node}",
            f'echo \'KERNEL=="hisi_zip-*", OWNER="{host.user.name}"\' > /etc/udev/rules.d/60-hisi-zip.rules\n'
            "udevadm control --reload && udevadm trigger --subsystem-match=uacce",
        )
