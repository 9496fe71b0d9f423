"""Queues of an IAA device, one setting at a time: what is said of each, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.device import iaa_queue
from tests.device.iaa_device import device, notes, problems
from tests.device.recorded import IAX, SPR
from tests.device.trees import host


def test_a_device_as_it_should_be_has_nothing_to_note(tmp_path: Path) -> None:
    settings = (
        "size = 128",
        "threshold = 128",
        "block_on_fault = 1",
        "prs_disable = 0",
        "op_config = 0c,00000000,00000000",
    )

    found = device(tmp_path, *(f"{IAX}/wq1.0/{setting}" for setting in settings))

    assert (problems(found), notes(found)) == ([], [])


@pytest.mark.parametrize("setting", ["block_on_fault = 0", "prs_disable = 1"])
def test_a_queue_that_does_not_wait_for_pages_is_noted(tmp_path: Path, setting: str) -> None:
    (note,) = device(tmp_path, f"{IAX}/wq1.0/{setting}").notes

    assert note.what == (
        "work queue wq1.0 does not wait for a page that is not in memory (block_on_fault is 0):"
        " such jobs end with status 303 or 431 or come short"
    )
    assert note.fix.splitlines()[1:] == [
        "accel-config disable-wq iax1/wq1.0",
        "accel-config config-wq iax1/wq1.0 -b 1",
        "accel-config enable-wq iax1/wq1.0",
    ]


@pytest.mark.parametrize(
    ("size", "threshold", "noted"),
    [(128, 127, True), (128, 128, False), (256, 128, False), (200, 8, True)],
)
def test_a_queue_that_takes_less_than_a_packet_and_than_it_could_is_noted(
    tmp_path: Path, size: int, threshold: int, noted: bool
) -> None:
    found = device(tmp_path, f"{IAX}/wq1.0/size = {size}", f"{IAX}/wq1.0/threshold = {threshold}")

    assert (
        notes(found)
        == [
            f"work queue wq1.0 takes {threshold} jobs at a time of its {size}:"
            " with the 128 pages of a packet it is busy, and QEMU goes on in software"
        ]
        * noted
    )
    assert not noted or f"-t {size}" in found.notes[0].fix


@pytest.mark.parametrize(("size", "entries", "noted"), [(1, 128, True), (64, 128, True), (64, 64, False)])
def test_queues_with_less_room_than_a_packet_are_noted_where_the_device_has_more(
    tmp_path: Path, size: int, entries: int, noted: bool
) -> None:
    room = (f"{IAX}/max_work_queues_size = {entries}", f"{IAX}/wq1.0/size = {size}", f"{IAX}/wq1.0/threshold = {size}")

    found = device(tmp_path, *room)

    said = (
        f"the work queues that libqpl takes have room for {size} of the 128 pages of a packet: then they are busy,"
        " and QEMU goes on in software"
    )
    assert notes(found) == [said] * noted
    assert not noted or f"-s {entries} " in found.notes[0].fix


@pytest.mark.parametrize(
    ("operations", "directions"),
    [
        ("0000000c,00000000,0000000d", {"sender", "receiver"}),
        ("00000004,00000000,0000000d", {"receiver"}),
        ("00000008,00000000,0000000d", {"sender"}),
        ("no mask", {"sender", "receiver"}),
    ],
)
def test_a_queue_serves_the_ends_whose_operations_it_takes(
    tmp_path: Path, operations: str, directions: set[str]
) -> None:
    found = device(tmp_path, f"{IAX}/wq1.0/op_config = {operations}")

    assert found.directions == directions
    assert len(found.notes) == 2 - len(directions)


def test_a_queue_that_takes_no_operation_of_ours_is_of_no_use(tmp_path: Path) -> None:
    found = device(tmp_path, f"{IAX}/wq1.0/op_config = 00000000,0000000d")

    assert problems(found) == ["work queue wq1.0 takes neither compression nor decompression (op_config)"]


def test_what_one_queue_does_not_take_another_does(tmp_path: Path) -> None:
    another = "\n".join(f"{IAX}/wq1.1/{line}" for line in ("state = enabled", "mode = shared", "type = user"))

    found = device(
        tmp_path, another, "/dev/iax/wq1.1 0660", f"{IAX}/wq1.0/op_config = 04,00000000,00000000",
        f"{IAX}/wq1.1/op_config = 08,00000000,00000000",
    )  # fmt: skip

    assert found.directions == {"sender", "receiver"}
    assert found.nodes == ("/dev/iax/wq1.0", "/dev/iax/wq1.1")


def test_all_that_is_wrong_with_the_queues_of_a_device_is_mended_at_once(tmp_path: Path) -> None:
    found = device(tmp_path, f"{IAX}/wq1.0/mode = dedicated", f"{IAX}/wq1.1/state = enabled\n{IAX}/wq1.1/type = kernel")

    assert problems(found) == [
        "work queue wq1.0 is dedicated, libqpl takes only shared ones; work queue wq1.1 has type kernel, not user"
    ]
    assert found.problems[0].fix.splitlines()[:4] == [
        "# this ends what others do on iax1: fuser -v /dev/iax/*",
        "accel-config disable-wq iax1/wq1.0",
        "accel-config disable-wq iax1/wq1.1",
        "accel-config disable-device iax1",
    ]


def test_a_device_is_configured_with_what_it_has(tmp_path: Path) -> None:
    there = host(
        tmp_path,
        SPR,
        f"{IAX}/engine1.0 0755\n{IAX}/engine1.1 0755\n{IAX}/max_work_queues_size = 64\n{IAX}/state = disabled",
    )

    assert iaa_queue.configure(there, f"{IAX}", []).splitlines() == [
        "accel-config config-engine iax1/engine1.0 -g 0",
        "accel-config config-engine iax1/engine1.1 -g 0",
        "accel-config config-wq iax1/wq1.0 -g 0 -s 64 -p 10 -b 1 -t 64 -m shared -y user -n app1 -d user",
        "accel-config enable-device iax1",
        "accel-config enable-wq iax1/wq1.0",
    ]


CRYPTO = f"{IAX}/wq1.0/type = kernel\n{IAX}/wq1.0/driver_name = crypto\n{IAX}/wq1.0/mode = dedicated"


@pytest.mark.parametrize("driver", ["another", "dmaengine"])
def test_no_other_driver_of_the_kernel_is_taken_for_iaa_crypto(tmp_path: Path, driver: str) -> None:
    found = device(tmp_path, CRYPTO, f"{IAX}/wq1.0/driver_name = {driver}")

    assert problems(found) == ["work queue wq1.0 has type kernel, not user"]
    assert "iaa_crypto" not in found.problems[0].fix


def test_iaa_crypto_is_known_by_the_name_that_it_gives_as_well(tmp_path: Path) -> None:
    found = device(tmp_path, CRYPTO, f"- {IAX}/wq1.0/driver_name", f"{IAX}/wq1.0/name = iaa_crypto")

    assert problems(found) == ["work queue wq1.0 belongs to the kernel's iaa_crypto"]


@pytest.mark.parametrize("place", ["/sys/bus/dsa/devices/dsa0", "/sys/bus/pci/devices/0000:6a:01.0/dsa0"])
def test_queues_of_dsa_are_not_taken_for_those_of_iaa(tmp_path: Path, place: str) -> None:
    found = device(tmp_path, f"{IAX}/wq1.0/state = disabled", f"{place}/wq0.0/state = enabled")

    assert problems(found) == [
        "no work queue of iax1 is enabled, but some of dsa0 are: that is DSA, which copies and does not compress"
    ]


ZSWAP = "/sys/module/zswap/parameters"


@pytest.mark.parametrize(
    ("compressor", "enabled", "serves"), [("deflate-iaa", "Y", True), ("deflate-iaa", "N", False), ("lzo", "Y", False)]
)
def test_zswap_is_moved_elsewhere_only_where_it_compresses_with_iaa(
    tmp_path: Path, compressor: str, enabled: str, serves: bool
) -> None:
    found = device(tmp_path, CRYPTO, f"{ZSWAP}/compressor = {compressor}", f"{ZSWAP}/enabled = {enabled}")

    assert ("which zswap compresses with" in found.problems[0].what) is serves
    assert (f"echo lzo > {ZSWAP}/compressor" in found.problems[0].fix) is serves
