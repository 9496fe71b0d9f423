"""One record per accelerator: everything that is said of it anywhere.

Besides its record an accelerator has a module that detects it (``multifd/device/<kind>.py``, with ``detect``) and its
codecs; both are found by the names that stand here. Profiles, line-up, plan, proof of hardware and the command go
through these records.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from multifd.result.record import Provenance


@dataclass(frozen=True, slots=True)
class Opened:
    """A library that a vendor's library opens itself (dlopen), so that nothing says that it needs it."""

    soname: str
    packages: Mapping[str, str]
    """As in :class:`VendorCodec`."""
    without: str
    """What comes of it where it is not there."""


@dataclass(frozen=True, slots=True)
class VendorCodec:
    """The codec over an accelerator's vendor library, and the library."""

    name: str
    """Of the codec, and of its peer."""
    library: str
    """What people call the library."""
    soname: str
    packages: Mapping[str, str]
    """With the library in it, by family of distributions as os-release(5) names it."""
    home: str
    """Where its source is."""
    minimum: str
    """The oldest release with which QEMU can be built (meson.build, QEMU 9.2)."""
    examined: str = "0"
    """The oldest release with the functions that the checks of the library by itself call."""
    opens: tuple[Opened, ...] = ()
    version: str | None = None
    """The library's function without arguments that returns its version as text, None where it does not know it."""
    chooses_path: bool = False
    """The codec has a parameter ``path``: silicon or the library's own CPU path. Otherwise it is on silicon wherever
    there is some."""
    on_cpu: bool = False
    """Its binding computes on the CPU unless it is told otherwise. Otherwise whatever is about the library's CPU path
    needs a host without a device."""
    software_only: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Values of the codec's parameters that its library has on its CPU path only."""
    node: str | None = None
    """The codec's parameter that names the NUMA node of devices, where the library looks for them near its caller."""

    @property
    def package(self) -> str:
        """Of Debian and Ubuntu."""
        return self.packages["debian"]


@dataclass(frozen=True, slots=True)
class Registers:
    """Counts of jobs in text files of the kernel, added up."""

    source: str
    """Which counter this is, for a reader of the results."""
    files: str
    """Glob pattern of the files, with ``{pci}`` for the device's address."""
    forms: tuple[re.Pattern[str], ...]
    """Lines that have a count; it is the first group, decimal or with its prefix."""
    since: str
    """Who has them, for a host that has not."""
    kept: tuple[str, str] | None = None
    """A file, and what must stand in it: with anything else a count is lost when it is read."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the device's own performance monitoring unit."""

    source: str
    """As in :class:`Registers`."""
    unit: str
    """The unit's directory, with ``{name}`` for the device's name."""
    config: int
    """``perf_event_attr.config``."""
    since: str
    """As in :class:`Registers`."""


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One kind of accelerator."""

    kind: str
    """Its key in profiles, and the name of the module that detects it."""
    name: str
    """As results and people write it, and as its codecs name their device."""
    method: str
    """QEMU's ``multifd-compression`` that runs on it."""
    without: Provenance
    """How QEMU's method runs where there is no such device."""
    emulated: str
    """The codec that models the silicon."""
    real: VendorCodec | None
    """None where this project has no binding for the vendor's library."""
    counter: Registers | Event
    """What counts its jobs. All count for the whole host, so they prove only while nothing else uses the device."""
    follows: bool = True
    """It reads streams that go on from packet to packet; else its library does that in software, by its own rules."""


QAT: Final = Accelerator(
    kind="qat",
    name="QAT",
    method="qatzip",
    without="vendor-software",
    emulated="qat-emulated",
    real=VendorCodec(
        "qatzip",
        "libqatzip",
        "libqatzip.so.3",
        {"debian": "libqatzip3", "fedora": "qatzip-libs", "rhel": "qatzip-libs", "suse": "libqatzip3"},
        "github.com/intel/QATzip",
        "1.1.2",
        chooses_path=True,
        examined="1.3",
    ),
    counter=Registers(
        "responses of the firmware on all engines (debugfs, fw_counters)",
        "/sys/kernel/debug/qat_*_{pci}/fw_counters",
        (
            re.compile(r"^\s*\d+:\s+\d+\s+(\d+)$", re.MULTILINE),
            re.compile(r"^\| Firmware Responses\s*\[AE\s+\d+\]:\s+(\d+) \|$", re.MULTILINE),
        ),
        "Linux has it from 6.6 on, and so has Intel's driver package",
    ),
    follows=False,
)
"""Intel QuickAssist. The counter is that of Documentation/ABI/testing/debugfs-driver-qat (Linux 6.18), for all VFs of
a PF; the second form is that of Intel's driver package. QAT's telemetry shows one second's load, not a total."""

IAA: Final = Accelerator(
    kind="iaa",
    name="IAA",
    method="qpl",
    without="vendor-software",
    emulated="iaa-emulated",
    real=VendorCodec(
        "qpl",
        "libqpl",
        "libqpl.so.1",
        {"debian": "libqpl1", "fedora": "intel-qpl", "suse": "libqpl1"},
        "github.com/intel/qpl",
        "1.5.0",
        opens=(
            Opened(
                "libaccel-config.so.1",
                {
                    "debian": "libaccel-config1",
                    "fedora": "accel-config-libs",
                    "rhel": "accel-config-libs",
                    "suse": "libaccel-config1",
                },
                "its hardware path answers status 501",
            ),
        ),
        version="qpl_get_library_version",
        chooses_path=True,
        on_cpu=True,
        software_only=MappingProxyType({"level": (3,)}),
        node="numa_id",
    ),
    counter=Event(
        "descriptors submitted to shared work queues from user space (performance unit)",
        "/sys/bus/event_source/devices/{name}",
        0x0 | 0x1 << 4,
        "Linux has them from 5.13 on, with CONFIG_INTEL_IDXD_PERFMON",
    ),
)
"""Intel In-Memory Analytics Accelerator. libqpl opens the other library by name
(sources/core-iaa/sources/driver_loader/hw_configuration_driver.c, qpl 1.9.0). The event is
``event_category=0x0,event=0x1`` of drivers/dma/idxd/perfmon.c (Linux 6.18). Level 3 (``qpl_high_level``) is refused on
the hardware path: sources/c_api/compression_operations/arguments_check.hpp (github.com/intel/qpl, eddfae1)."""

KUNPENG: Final = Accelerator(
    kind="kunpeng",
    name="Kunpeng",
    method="uadk",
    without="software",
    emulated="uadk-emulated",
    real=None,
    counter=Registers(
        "finished descriptors of all cores (debugfs, HZIP_DONE_BD_NUM)",
        "/sys/kernel/debug/hisi_zip/{pci}/*core*/regs",
        (re.compile(r"^HZIP_DONE_BD_NUM\s*=\s*(0x[0-9a-f]+)$", re.MULTILINE),),
        "the kernel's driver hisi_zip has it",
        kept=("/sys/kernel/debug/hisi_zip/{pci}/clear_enable", "0"),
    ),
)
"""HiSilicon Kunpeng's ZIP engine. Without it QEMU sends every page as it is (migration/multifd-uadk.c, QEMU 9.1). The
counter is that of drivers/crypto/hisilicon/zip/zip_main.c (Linux 6.18); ``zip_dfx/send_cnt`` beside it counts the
kernel's own requests, not those of UADK."""

ACCELERATORS: Final[Mapping[str, Accelerator]] = MappingProxyType({each.kind: each for each in (QAT, IAA, KUNPENG)})
"""By kind, in the order in which they are shown."""

_BY_METHOD: Final = {each.method: each for each in ACCELERATORS.values()}

VENDOR: Final[Mapping[str, VendorCodec]] = MappingProxyType(
    {each.real.name: each.real for each in ACCELERATORS.values() if each.real is not None}
)
"""The codecs over vendor libraries, by name."""

LIBRARIES: Final = " and ".join(codec.library for codec in VENDOR.values())
"""The vendor libraries in words."""


def by_method(method: str) -> Accelerator | None:
    """The accelerator on which QEMU runs a method, None for a method of the CPU."""
    return _BY_METHOD.get(method)


def by_codec(codec: str) -> Accelerator:
    """The accelerator of a codec over a vendor library, one of :data:`VENDOR`."""
    return next(each for each in ACCELERATORS.values() if each.real is not None and each.real.name == codec)


def by_name(device: str | None) -> Accelerator | None:
    """The accelerator that a peer names as its device, None for anything else."""
    return next((each for each in ACCELERATORS.values() if each.name == device), None)


def emulates(codec: str) -> bool:
    """Whether a codec models silicon."""
    return any(each.emulated == codec for each in ACCELERATORS.values())
