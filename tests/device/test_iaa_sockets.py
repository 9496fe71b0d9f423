"""Processes of every socket find an IAA device, or are told that they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.device import iaa
from tests.device.iaa_device import OTHER, SAVED, SECOND, device, notes
from tests.device.recorded import IAX, SPR
from tests.device.trees import host

NODES = "/sys/devices/system/node"


def test_a_socket_of_which_only_an_unused_device_tells_is_one(tmp_path: Path) -> None:
    other = f"{SECOND}\n{OTHER}/iax3/numa_node = 1\n{OTHER}/iax3/wq3.0/state = disabled"

    first, second = iaa.detect(host(tmp_path, SPR, SAVED, f"{IAX}/numa_node = 0", other))

    assert (notes(first), second.usable) == ([NOWHERE], False)
    assert first.notes[0].fix.startswith("# configure iax3, which is there")


def two_sockets(*changes: str) -> tuple[str, ...]:
    nodes = "\n".join(f"{NODES}/node{node}/cpulist = {2 * node}-{2 * node + 1}" for node in (0, 1))
    return SPR, SAVED, nodes, f"{IAX}/numa_node = 0", *changes


NOWHERE = "processes on socket 1 find no device (503): libqpl takes only those of the caller's socket"


def test_processes_of_a_socket_without_a_device_are_spoken_of(tmp_path: Path) -> None:
    (found,) = iaa.detect(host(tmp_path, *two_sockets()))

    assert notes(found) == [NOWHERE]
    assert found.facts["NUMA node"] == "0"
    assert found.notes[0].fix.startswith("# or name the node of a device: numa_id=0 of qpl in the profile\n")


@pytest.mark.parametrize(
    "change",
    [
        f"{SECOND}\n{OTHER}/iax3/numa_node = 1",
        f"{IAX}/numa_node = -1",
        f"- {NODES}/node1",
        f"{NODES}/node1/cpulist =",
        "\n".join(f"/sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id = 0" for cpu in (0, 2)),
    ],
    ids=["both have one", "of no node", "one node", "memory alone", "two nodes of one socket"],
)
def test_where_every_processor_has_a_device_nothing_is_said(tmp_path: Path, change: str) -> None:
    assert notes(iaa.detect(host(tmp_path, *two_sockets(change)))[0]) == []


def test_the_node_of_a_device_that_does_not_tell_is_that_of_its_function(tmp_path: Path) -> None:
    assert device(tmp_path, "/sys/devices/pci0000:6a/0000:6a:02.0/numa_node = 1").facts["NUMA node"] == "1"


def test_the_node_of_a_device_without_driver_is_that_of_its_function(tmp_path: Path) -> None:
    (found,) = iaa.detect(host(tmp_path, SPR, f"- {IAX}", "/sys/devices/pci0000:6a/0000:6a:02.0/numa_node = 1"))

    assert found.facts["NUMA node"] == "1"
