"""Generations of Intel QuickAssist: ids, drivers, and which user-space stack reaches them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Generation:
    """One row of the table of generations: PCI ids of PF and VF, driver, kernel module."""

    name: str
    physical: int
    virtual: int
    driver: str
    module: str
    vfio: bool
    """Whether qatlib reaches it through vfio-pci."""


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
drivers/crypto/intel/qat/qat_common/adf_accel_devices.h (Linux 6.18) for 4xxx and later. Linux refuses those before 4xxx
to vfio-pci (drivers/vfio/pci/vfio_pci.c, Linux 6.18, ``vfio_pci_dev_in_denylist``)."""

PHYSICAL: Final[Mapping[int, Generation]] = MappingProxyType({each.physical: each for each in GENERATIONS})
"""By the device id of a physical function."""
VIRTUAL: Final[Mapping[int, Generation]] = MappingProxyType({each.virtual: each for each in GENERATIONS})
"""By the device id of a virtual function."""
