"""PCI functions by vendor and device id (Documentation/ABI/testing/sysfs-bus-pci, Linux 6.18)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from multifd.device.sysfs import Host

INTEL: Final = 0x8086
HUAWEI: Final = 0x19E5


@dataclass(frozen=True, slots=True)
class Function:
    """One PCI function."""

    address: str
    device: int
    driver: str | None
    iommu_group: str | None

    @property
    def path(self) -> str:
        """Its directory in sysfs."""
        return f"/sys/bus/pci/devices/{self.address}"

    def hand_over(self, driver: str) -> str:
        """The commands that give it to another driver, whose module is loaded."""
        release = f"echo {self.address} > /sys/bus/pci/drivers/{self.driver}/unbind\n" if self.driver else ""
        return (
            f"{release}echo {driver} > {self.path}/driver_override\n"
            f"echo {self.address} > /sys/bus/pci/drivers/{driver}/bind"
        )


def function(host: Host, address: str) -> Function:
    """The function at this address, whether or not it can be read."""
    path = f"/sys/bus/pci/devices/{address}"
    return Function(
        address, host.number(f"{path}/device") or 0, host.link(f"{path}/driver"), host.link(f"{path}/iommu_group")
    )


def functions(host: Host, vendor: int) -> Iterator[Function]:
    """All functions of a vendor, by address."""
    for path in host.find("/sys/bus/pci/devices/*"):
        if host.number(f"{path}/vendor") == vendor:
            yield function(host, path.rpartition("/")[2])
