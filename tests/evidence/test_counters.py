"""Counters of devices: what they count, or why nobody knows."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from multifd.accelerator import ACCELERATORS
from multifd.device.found import Device
from multifd.device.sysfs import Host
from multifd.evidence import pmu
from multifd.evidence.counters import Counters
from multifd.evidence.reading import Count, Unknown, moved
from tests.device.trees import host

NOBODY = 65534


@contextmanager
def as_nobody(directory: Path) -> Iterator[None]:
    """As a user whom modes bind, as they do not bind root; may come to this directory."""
    if os.geteuid() != 0:
        yield
        return
    closed = [
        (above, above.stat().st_mode) for above in (directory, *directory.parents) if above.stat().st_mode & 1 == 0
    ]
    for above, mode in closed:
        above.chmod(mode | 0o011)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        for above, mode in closed:
            above.chmod(mode)


KERNEL_DRIVER = "/sys/kernel/debug/qat_4xxx_0000:6b:00.0/fw_counters = " + "\\n".join(
    (
        "AE          Requests        Responses",
        " 0:              120              118",
        " 1:              7                7",
    )
)
"""drivers/crypto/intel/qat/qat_common/adf_fw_counters.c (Linux 6.18)."""

DRIVER_PACKAGE = "/sys/kernel/debug/qat_c6xx_0000:19:00.0/fw_counters = " + "\\n".join(
    (
        "+------------------------------------------------+",
        "| FW Statistics for Qat Device                   |",
        "+------------------------------------------------+",
        "| Firmware Requests [AE  0]:         12149803939 |",
        "| Firmware Responses[AE  0]:         12149803939 |",
        "| RAS Events        [AE  0]:                   3 |",
        "+------------------------------------------------+",
        "| Firmware Requests [AE  1]:                   9 |",
        "| Firmware Responses[AE  1]:                   8 |",
        "+------------------------------------------------+",
    )
)
"""github.com/openzfs/zfs/issues/9784 (counts), github.com/intel/QAT_Engine/issues/345 (RAS events)."""

ENGINE = "/sys/kernel/debug/hisi_zip/0000:75:00.0"
KUNPENG = f"""
{ENGINE}/clear_enable = 0
{ENGINE}/comp_core0/regs = HZIP_GET_BD_NUM                 = 0x000000ff\\nHZIP_DONE_BD_NUM                = 0x00000010
{ENGINE}/decomp_core0/regs = HZIP_DONE_BD_NUM                = 0x00000002
{ENGINE}/zip_dfx/send_cnt = 4096
"""
"""drivers/crypto/hisilicon/zip/zip_main.c (Linux 6.18): ``hzip_dfx_regs``, debugfs_create_regset32."""

UNIT = "/sys/bus/event_source/devices/iax1"
IAX = f"{UNIT}/type = 21\n{UNIT}/cpumask = 0"


def device(kind: str, name: str, pci: str) -> Device:
    return Device(kind, name, pci, name, {}, (), ())


QAT_4XXX = device("qat", "4xxx", "0000:6b:00.0")
QAT_C62X = device("qat", "c62x", "0000:19:00.0")
IAX1 = device("iaa", "iax1", "0000:6a:02.0")
ZIP4 = device("kunpeng", "hisi_zip-4", "0000:75:00.0")


@pytest.mark.parametrize(
    ("tree", "one", "count"),
    [
        pytest.param(KERNEL_DRIVER, QAT_4XXX, 125, id="QAT, kernel's driver"),
        pytest.param(DRIVER_PACKAGE, QAT_C62X, 12149803947, id="QAT, Intel's driver package"),
        pytest.param(KUNPENG, ZIP4, 18, id="Kunpeng"),
    ],
)
def test_a_count_is_the_sum_of_what_all_engines_have_finished(
    tmp_path: Path, tree: str, one: Device, count: int
) -> None:
    with Counters(host(tmp_path, tree), [one]) as counters:
        assert list(counters.read().values()) == [Count(count)]


def reason(host: Host, one: Device) -> str:
    with Counters(host, [one]) as counters:
        (unknown,) = counters.read().values()
    assert isinstance(unknown, Unknown)
    return unknown.why


@pytest.mark.parametrize("one", [QAT_4XXX, IAX1, ZIP4], ids=lambda one: one.kind)
def test_a_counter_that_is_not_there_says_who_has_it(tmp_path: Path, one: Device) -> None:
    kept = f"{ENGINE}/clear_enable = 0"

    assert ACCELERATORS[one.kind].counter.since in reason(host(tmp_path, kept), one)


def test_a_counter_in_a_directory_that_is_closed_needs_root(tmp_path: Path) -> None:
    closed = host(tmp_path, KERNEL_DRIVER)
    (tmp_path / "sys/kernel/debug").chmod(0)

    with as_nobody(tmp_path):
        why = reason(closed, QAT_4XXX)

    assert why == "/sys/kernel/debug/qat_*_0000:6b:00.0/fw_counters: Permission denied: it needs root"


def test_a_counter_that_is_closed_itself_needs_root(tmp_path: Path) -> None:
    closed = host(tmp_path, KERNEL_DRIVER)
    (tmp_path / "sys/kernel/debug/qat_4xxx_0000:6b:00.0/fw_counters").chmod(0)

    with as_nobody(tmp_path):
        why = reason(closed, QAT_4XXX)

    assert why == "/sys/kernel/debug/qat_4xxx_0000:6b:00.0/fw_counters: Permission denied: it needs root"


def test_a_counter_whose_device_is_down_says_so_in_the_words_of_the_kernel(tmp_path: Path) -> None:
    # drivers/crypto/intel/qat/qat_common/adf_fw_counters.c (Linux 6.18): EFAULT at open; any error will do.
    (tmp_path / "sys/kernel/debug/qat_4xxx_0000:6b:00.0/fw_counters").mkdir(parents=True)

    assert reason(host(tmp_path), QAT_4XXX).endswith("fw_counters: Is a directory")


def test_a_file_without_a_count_says_that_there_is_none(tmp_path: Path) -> None:
    empty = host(tmp_path, "/sys/kernel/debug/qat_4xxx_0000:6b:00.0/fw_counters = AE  Requests  Responses")

    assert reason(empty, QAT_4XXX) == "/sys/kernel/debug/qat_4xxx_0000:6b:00.0/fw_counters has no count in it"


def test_registers_that_are_cleared_by_reading_give_no_count(tmp_path: Path) -> None:
    cleared = host(tmp_path, KUNPENG, f"{ENGINE}/clear_enable = 1")

    assert reason(cleared, ZIP4) == f"{ENGINE}/clear_enable is not 0: who reads a count clears it"


def test_registers_of_which_nobody_says_whether_they_are_cleared_give_no_count(tmp_path: Path) -> None:
    assert reason(host(tmp_path, KUNPENG, f"- {ENGINE}/clear_enable"), ZIP4) == (
        f"{ENGINE}/clear_enable: No such file or directory"
    )


def test_one_core_that_cannot_be_read_leaves_the_sum_unknown(tmp_path: Path) -> None:
    two = host(tmp_path, KUNPENG, f"- {ENGINE}/decomp_core0/regs")
    (tmp_path / f"{ENGINE}/decomp_core0/regs".lstrip("/")).mkdir(parents=True)

    assert reason(two, ZIP4) == f"{ENGINE}/decomp_core0/regs: Is a directory"


def test_iaa_of_a_recorded_host_is_counted_by_what_its_unit_has_recorded(tmp_path: Path) -> None:
    recorded = host(tmp_path, IAX, f"{UNIT}/recorded = 40 7 7")

    with Counters(recorded, [IAX1]) as counters:
        before = counters.read()
        (tmp_path / UNIT.lstrip("/") / "recorded").write_text("42 9 9")
        after = counters.read()

    assert list(before.values()) == [Count(40, 7, 7)]
    assert moved(before, after) == 2


@pytest.mark.parametrize(("mask", "cpu"), [("0", 0), ("12", 12), ("3-7", 3), ("5,9", 5)])
def test_iaa_is_counted_by_the_event_of_its_own_unit_on_the_first_cpu_that_offers_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mask: str, cpu: int
) -> None:
    asked: list[tuple[int, int, int]] = []

    class Meter:
        def __init__(self, kind: int, config: int, cpu: int) -> None:
            asked.append((kind, config, cpu))

        def read(self) -> Count:
            return Count(42)

        def close(self) -> None:
            asked.clear()

    live = host(tmp_path, IAX, f"{UNIT}/cpumask = {mask}")
    monkeypatch.setattr("multifd.evidence.counters._LIVE", tmp_path)
    monkeypatch.setattr(pmu, "Opened", Meter)

    with Counters(live, [IAX1]) as counters:
        assert list(counters.read().values()) == [Count(42)]
        assert asked == [(21, 0x10, cpu)]
    assert asked == []


@pytest.mark.parametrize("line", IAX.splitlines(), ids=["type", "cpumask"])
def test_a_unit_that_does_not_say_all_of_itself_gives_no_count(tmp_path: Path, line: str) -> None:
    assert reason(host(tmp_path, line, f"{UNIT}/recorded = 1 1 1"), IAX1) == (
        f"there is no performance unit {UNIT}: Linux has them from 5.13 on, with CONFIG_INTEL_IDXD_PERFMON;"
        " guests have none"
    )


@pytest.mark.parametrize("error", ["EACCES", "EPERM"])
def test_iaa_without_the_right_to_count_names_it(tmp_path: Path, error: str) -> None:
    closed = host(tmp_path, IAX, f"{UNIT}/recorded = {error}", "/proc/sys/kernel/perf_event_paranoid = 2")

    assert reason(closed, IAX1) == (
        f"{UNIT}: {os.strerror(getattr(errno, error))}: it needs root or CAP_PERFMON (kernel.perf_event_paranoid is 2)"
    )


def test_a_unit_that_refuses_at_once_is_asked_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multifd.evidence.counters._LIVE", tmp_path)

    # No unit has this type, so that the kernel refuses; who may not count at all is refused as well.
    with Counters(host(tmp_path, IAX, f"{UNIT}/type = {1 << 30}"), [IAX1]) as counters:
        (first,), (second,) = counters.read().values(), counters.read().values()

    assert isinstance(first, Unknown)
    assert first is second
    assert first.why.startswith(f"{UNIT}: ")


def test_any_other_refusal_is_told_in_the_words_of_the_kernel(tmp_path: Path) -> None:
    assert reason(host(tmp_path, IAX, f"{UNIT}/recorded = ENODEV"), IAX1) == f"{UNIT}: No such device"


@pytest.mark.parametrize("kind", ACCELERATORS)
def test_a_counter_says_what_it_counts(tmp_path: Path, kind: str) -> None:
    two = [device(kind, "a", "0000:00:01.0"), device(kind, "b", "0000:00:02.0")]

    with Counters(host(tmp_path), two) as counters:
        assert counters.sources == (ACCELERATORS[kind].counter.source,)
        assert counters.devices == ("a 0000:00:01.0", "b 0000:00:02.0")


@pytest.mark.parametrize("count", ["9" * 6000, "0118"], ids=["too-long", "neither-decimal-nor-octal"])
def test_a_count_that_is_no_number_is_unknown(count: str, tmp_path: Path) -> None:
    host_ = host(tmp_path, KERNEL_DRIVER.replace("118", count))

    with Counters(host_, [QAT_4XXX]) as counters:
        (read,) = counters.read().values()

    assert isinstance(read, Unknown)
    assert "fw_counters has a count that is no number of a device: " in read.why


def test_a_pipe_in_the_place_of_a_counter_is_not_waited_for(tmp_path: Path) -> None:
    host_ = host(tmp_path, KERNEL_DRIVER)
    (file,) = tmp_path.rglob("fw_counters")
    file.unlink()
    os.mkfifo(file)

    with Counters(host_, [QAT_4XXX]) as counters:
        (read,) = counters.read().values()

    assert isinstance(read, Unknown)
    assert read.why.endswith("fw_counters: is no regular file")
