"""Intel In-Memory Analytics Accelerator (IAA, in the kernel ``iax``): everything between a PCI function and libqpl.

::

    function ── driver ── platform ── device ── work queue ── node ── library
    pci         idxd      iaa_platform          iaa_queue     iaa_access

One queue that libqpl takes is enough: then nothing is wrong, and what could be better is a note. By default all queues
are disabled, and the kernel's iaa_crypto, where loaded, takes one queue of every device for itself
(Documentation/driver-api/crypto/iaa/iaa-crypto.rst, Linux 6.18).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from multifd.device import iaa_access, iaa_boot, iaa_platform, iaa_queue, iaa_sockets, pci
from multifd.device.found import BOTH, Device, Direction, Problem
from multifd.device.iaa_queue import WorkQueue
from multifd.device.pci import Function
from multifd.device.sysfs import Host

GENERATIONS: Final = {0x0CFE: "spr", 0x1216: "dmr", 0xB02D: "ptl", 0xFD2D: "wcl"}
"""PCI ids with their platforms: drivers/dma/idxd/registers.h (Linux 6.18), ``..._IAX_SPR0``, ``..._IAA_DMR`` etc."""

ELSEWHERE: Final = Problem(
    "none of its work queues has a node here: they belong to others",
    "# a container must be given /dev/iax/<queue> of one, a pod asks for iaa.intel.com/wq-user-shared",
)


@dataclass(frozen=True, slots=True)
class Found:
    """One function, and what its driver shows of it."""

    function: Function
    path: str
    """Of the device in sysfs, empty where the driver has none."""
    queues: tuple[WorkQueue, ...]

    @property
    def name(self) -> str:
        """As the driver calls it."""
        return self.path.rpartition("/")[2] or "iax"

    def ours(self, host: Host) -> tuple[WorkQueue, ...]:
        """Queues that libqpl of this user can submit to."""
        return tuple(queue for queue in self.queues if queue.fits and host.permits(queue.node))

    def reached(self, host: Host) -> bool:
        """Whether we were given any of its nodes."""
        return any(host.exists(queue.node) for queue in self.queues if queue.enabled)


def detect(host: Host) -> tuple[Device, ...]:
    """Every IAA device, whether or not idxd knows it; a container uses only those of which it has a queue."""
    found = [_found(host, function) for function in pci.functions(host, pci.INTEL) if function.device in GENERATIONS]
    if iaa_access.contained(host, [queue for one in found for queue in one.queues]):
        # Given none, it is told so of all.
        none = not any(one.reached(host) for one in found)
        return tuple(
            _device(host, one, contained=True) if none or one.reached(host) else _of_others(host, one) for one in found
        )
    devices = _with_sockets(host, [_device(host, one, contained=False) for one in found])
    unsaved = iaa_boot.unsaved(host, [device.name for device in devices if device.usable])
    # One file has all devices: it is to be written after all that is said of any of them.
    return tuple(
        replace(device, notes=(*device.notes, *unsaved)) if device is devices[-1] else device for device in devices
    )


def _found(host: Host, function: Function) -> Found:
    path = next(host.find(f"{function.path}/iax*"), "")
    queues = tuple(WorkQueue.read(host, one) for one in host.find(f"{path}/wq*")) if path else ()
    return Found(function, path, queues)


def _device(host: Host, found: Found, *, contained: bool) -> Device:
    ours = found.ours(host)
    problems = tuple(_problems(host, found, ours))
    return Device(
        kind="iaa",
        name=found.name,
        pci=found.function.address,
        generation=GENERATIONS[found.function.device],
        facts=dict(_facts(host, found)),
        nodes=tuple(queue.node for queue in ours),
        problems=problems,
        notes=() if problems else tuple(_notes(host, found, ours, contained=contained)),
        directions=_directions(ours),
    )


def _of_others(host: Host, found: Found) -> Device:
    """A device of which this container was given nothing: it works for others."""
    return Device(
        kind="iaa",
        name=found.name,
        pci=found.function.address,
        generation=GENERATIONS[found.function.device],
        facts=dict(_facts(host, found)),
        nodes=(),
        problems=(),
        notes=(ELSEWHERE,),
        directions=frozenset(),
    )


def _directions(ours: Sequence[WorkQueue]) -> frozenset[Direction]:
    return frozenset(direction for queue in ours for direction in queue.directions) if ours else BOTH


def _facts(host: Host, found: Found) -> Iterator[tuple[str, str]]:
    working = [queue for queue in found.queues if queue.enabled]
    yield "driver", found.function.driver or "none"
    yield "queues", ", ".join(f"{one.name} {one.type} {one.mode}" for one in working) or "none enabled"
    node = iaa_sockets.node(host, found.path or found.function.path)
    if node is not None:
        yield iaa_sockets.FACT, str(node)
    if found.path and iaa_access.maps(host) is False:
        yield "submission", "write()"


def _problems(host: Host, found: Found, ours: Sequence[WorkQueue]) -> Iterator[Problem]:
    function = found.function
    if function.driver is None:
        yield Problem("no driver is bound to it", "modprobe idxd")
        return
    if function.driver != "idxd":
        guest = "# a guest that has it loses it\n" if function.driver.startswith("vfio") else ""
        yield Problem(
            f"driver {function.driver} is bound to it instead of idxd",
            f"{guest}modprobe idxd\n{function.hand_over('idxd')}",
        )
        return
    if not found.path:
        yield Problem("idxd is bound to it but did not register it", "# see: dmesg | grep idxd")
        return
    yield from iaa_platform.missing(host, found.path)
    yield from _queues(host, found, ours)
    yield from iaa_access.libraries(host, second=iaa_platform.second_generation(host, found.path))
    if iaa_access.maps(host) is False and (problem := iaa_access.submission(host)) is not None:
        yield problem


def _queues(host: Host, found: Found, ours: Sequence[WorkQueue]) -> Iterator[Problem]:
    """One queue that libqpl takes is enough; else name what is wrong with those that are enabled."""
    enabled = [queue for queue in found.queues if queue.enabled]
    if not enabled:
        yield Problem(_none_enabled(host, found), iaa_queue.configure(host, found.path, found.queues))
    elif host.text(f"{found.path}/state") == "disabled":
        yield Problem(
            "the device is disabled, and libqpl passes over it",
            "\n".join([f"accel-config enable-device {found.name}", *(f"accel-config enable-wq {q}" for q in enabled)]),
        )
    elif not ours:
        fitting = [queue for queue in enabled if queue.fits]
        yield from (iaa_access.closed(host, queue) for queue in fitting)
        if not fitting:
            reasons = "; ".join(iaa_queue.unfit(host, queue) for queue in enabled)
            yield Problem(reasons, iaa_queue.configure(host, found.path, found.queues))


def _none_enabled(host: Host, found: Found) -> str:
    """That all queues are disabled, and whether those of the other accelerator of idxd are not."""
    others = sorted(
        {
            path.split("/")[-2]
            for place in ("/sys/bus/dsa/devices", "/sys/bus/pci/devices/*")
            for path in host.find(f"{place}/dsa*/wq*")
            if host.text(f"{path}/state") == "enabled"
        }
    )
    if not others:
        return "no work queue is enabled"
    return (
        f"no work queue of {found.name} is enabled, but some of {' and '.join(others)} are:"
        " that is DSA, which copies and does not compress"
    )


def _notes(host: Host, found: Found, ours: Sequence[WorkQueue], *, contained: bool) -> Iterator[Problem]:
    for queue in ours:
        yield from iaa_queue.warnings(queue)
    yield from filter(None, (iaa_access.submission(host), iaa_access.older(host)))
    if not contained:
        yield from iaa_queue.narrow(host, found.path, found.queues, ours)
        yield from iaa_boot.unruled(host, [queue.node for queue in ours])


def _with_sockets(host: Host, devices: Sequence[Device]) -> tuple[Device, ...]:
    """The devices, the first usable one of which says where there is none."""
    note = iaa_sockets.unserved(host, devices)
    first = next((device for device in devices if device.usable), None)
    if note is None or first is None:
        return tuple(devices)
    return tuple(replace(device, notes=(*device.notes, note)) if device is first else device for device in devices)
