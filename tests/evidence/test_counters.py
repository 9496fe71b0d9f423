"""Proof of hardware: only a device's own counters prove that it did the work."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.accelerator import ACCELERATORS, IAA, Event
from multifd.device.found import Device
from multifd.evidence import pmu
from multifd.evidence.counters import Counters, moved, verdict
from tests.device.trees import host

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

IAX = "/sys/bus/event_source/devices/iax1/type = 21\n/sys/bus/event_source/devices/iax1/cpumask = 0"


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
        assert list(counters.read().values()) == [count]


@pytest.mark.parametrize("one", [QAT_4XXX, IAX1, ZIP4], ids=lambda one: one.kind)
def test_a_counter_that_cannot_be_read_gives_no_count(tmp_path: Path, one: Device) -> None:
    with Counters(host(tmp_path), [one]) as counters:
        assert list(counters.read().values()) == [None]


def test_registers_that_are_cleared_by_reading_give_no_count(tmp_path: Path) -> None:
    with Counters(host(tmp_path, KUNPENG, f"{ENGINE}/clear_enable = 1"), [ZIP4]) as counters:
        assert list(counters.read().values()) == [None]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(writer)


def test_iaa_is_counted_by_the_event_of_its_own_unit(tmp_path: Path, pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    asked: list[tuple[int, int, int]] = []

    def opener(kind: int, config: int, cpu: int) -> int:
        asked.append((kind, config, cpu))
        return reader

    os.write(writer, pmu.COUNT.pack(40) + pmu.COUNT.pack(42))
    with Counters(host(tmp_path, IAX), [IAX1], opener) as counters:
        jobs = moved(counters.read(), counters.read())

    assert jobs == 2
    assert asked == [(21, 0x10, 0)]


@pytest.mark.parametrize("line", IAX.splitlines(), ids=["type", "cpumask"])
def test_a_unit_that_does_not_say_all_of_itself_gives_no_count(tmp_path: Path, line: str) -> None:
    def opener(kind: int, config: int, cpu: int) -> int:
        raise AssertionError("nothing is to be opened")

    with Counters(host(tmp_path, line), [IAX1], opener) as counters:
        assert list(counters.read().values()) == [None]


def test_counters_are_open_as_long_as_they_are_compared(tmp_path: Path, pipe: tuple[int, int]) -> None:
    reader, _ = pipe

    with Counters(host(tmp_path, IAX), [IAX1], lambda *_: reader):
        os.fstat(reader)

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reader)


def test_iaa_without_the_right_to_count_gives_no_count(tmp_path: Path) -> None:
    def opener(kind: int, config: int, cpu: int) -> int:
        raise PermissionError

    with Counters(host(tmp_path, IAX), [IAX1], opener) as counters:
        assert list(counters.read().values()) == [None]


def test_the_kernel_refuses_an_event_of_no_unit() -> None:
    assert isinstance(IAA.counter, Event)
    with pytest.raises(OSError):
        pmu.perf_event_open(1 << 30, IAA.counter.config, 0)


@given(st.dictionaries(st.text(min_size=1), st.tuples(st.integers(0), st.integers(0)), min_size=1))
def test_jobs_are_what_all_counts_rose_by(counts: Mapping[str, tuple[int, int]]) -> None:
    before = {name: count for name, (count, _) in counts.items()}
    after = {name: count + jobs for name, (count, jobs) in counts.items()}

    assert moved(before, after) == sum(jobs for _, jobs in counts.values())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({}, {}, id="nothing was read"),
        pytest.param({"a": None}, {"a": 5}, id="not readable before"),
        pytest.param({"a": 5}, {"a": None}, id="not readable after"),
        pytest.param({"a": 5}, {}, id="device is gone"),
        pytest.param({"a": 5, "b": 7}, {"a": 9, "b": 6}, id="device was reset"),
    ],
)
def test_without_two_counts_in_order_nothing_is_known(
    before: Mapping[str, int | None], after: Mapping[str, int | None]
) -> None:
    assert moved(before, after) is None


@pytest.mark.parametrize(
    ("asked", "jobs", "expected"),
    [
        pytest.param(0, 0, "not claimed", id="nothing asked"),
        pytest.param(0, None, "not claimed", id="nothing asked, not readable"),
        pytest.param(10, 10, "proven", id="as many as asked"),
        pytest.param(10, 25, "proven", id="more"),
        pytest.param(10, 9, "unproven", id="some fell back"),
        pytest.param(10, 0, "unproven", id="all fell back"),
        pytest.param(10, None, "unverified", id="not readable"),
    ],
)
def test_hardware_is_proven_only_by_as_many_jobs_as_were_asked(asked: int, jobs: int | None, expected: str) -> None:
    assert verdict(asked, jobs, silence="unverified") == expected


def test_what_silence_is_worth_is_for_the_caller_to_say() -> None:
    assert verdict(10, None, silence="unproven") == "unproven"


@pytest.mark.parametrize("kind", ACCELERATORS)
def test_a_counter_says_what_it_counts(tmp_path: Path, kind: str) -> None:
    two = [device(kind, "a", "0000:00:01.0"), device(kind, "b", "0000:00:02.0")]

    with Counters(host(tmp_path), two) as counters:
        assert counters.sources == (ACCELERATORS[kind].counter.source,)
        assert counters.devices == ("a 0000:00:01.0", "b 0000:00:02.0")
