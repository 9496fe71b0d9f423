"""What can prove a device's work on a host: its counters where they can be read, else its library's word."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.device import iaa_counters, kunpeng_counters
from multifd.device.diagnose import detect
from multifd.device.facts import ALL, User
from multifd.device.found import Problem
from multifd.device.proof import Proof, counting, proofs
from tests.device.recorded import IAX, KUNPENG, SPR
from tests.device.trees import host

UNIT = "/sys/bus/event_source/devices/iax1"
PARANOID = "/proc/sys/kernel/perf_event_paranoid"
ROOT = User("root", 0, frozenset({0}), None, ALL)
REGISTERS = "/sys/kernel/debug/hisi_zip/0000:75:00.0/comp_core0/regs"
CLEAR = "/sys/kernel/debug/hisi_zip/0000:75:00.0/clear_enable"


def user(*capabilities: str) -> User:
    return User("alice", 1000, frozenset({0}), None, frozenset(capabilities))


def iaa(root: Path, *changes: str, of: User | None = None) -> Problem | None:
    there = host(root, SPR, f"{UNIT} 0755", *changes, user=of)
    return iaa_counters.counters(there, detect(there)[0])


def kunpeng(root: Path, *changes: str, of: User = ROOT) -> Problem | None:
    there = host(root, KUNPENG, *changes, user=of)
    return kunpeng_counters.counters(there, detect(there)[0])


@pytest.mark.parametrize(
    ("paranoid", "capabilities", "counts"),
    [
        ("-1", (), True),
        ("0", (), True),
        ("1", (), False),
        ("2", (), False),
        ("2", ("cap_perfmon",), True),
        ("4", ("cap_sys_admin",), True),
        ("2", ("cap_sys_rawio",), False),
    ],
)
def test_counting_for_all_processes_is_a_matter_of_a_setting_or_a_capability(
    tmp_path: Path, paranoid: str, capabilities: tuple[str, ...], counts: bool
) -> None:
    problem = iaa(tmp_path, f"{PARANOID} = {paranoid}", of=user(*capabilities))

    assert (problem is None) is counts
    assert problem is None or problem == Problem(
        f"user alice may not count for all processes: perf_event_paranoid is {paranoid}",
        'setcap cap_perfmon+ep "$(readlink -f "$(command -v python3)")"\n'
        "# every user of this Python can then count; or, until the next boot, everybody:\n"
        "# sysctl kernel.perf_event_paranoid=0",
    )


def test_where_nobody_says_how_strict_it_is_the_kernel_is_as_strict_as_by_default(tmp_path: Path) -> None:
    problem = iaa(tmp_path, of=user())

    assert problem is not None
    assert problem.what.endswith("perf_event_paranoid is 2")


def test_a_root_without_the_capability_is_one_of_a_container(tmp_path: Path) -> None:
    problem = iaa(tmp_path, f"{PARANOID} = 2", of=User("root", 0, frozenset(), None, frozenset({"cap_chown"})))

    assert problem == Problem(
        "user root may not count for all processes: perf_event_paranoid is 2, and its container took CAP_PERFMON",
        "# start the container with --cap-add=PERFMON",
    )


@pytest.mark.parametrize(
    ("change", "what", "fix"),
    [
        (
            "/proc/cpuinfo = flags : enqcmd hypervisor",
            f"a guest's device has no performance unit ({UNIT})",
            "# the unit is on the host of this guest",
        ),
        (
            "/boot/config-6.8.0 = # CONFIG_INTEL_IDXD_PERFMON is not set",
            f"this kernel was built without CONFIG_INTEL_IDXD_PERFMON, so the device has no performance unit ({UNIT})",
            "# install a kernel with CONFIG_INTEL_IDXD_PERFMON=y, then reboot",
        ),
        (
            "/boot/config-6.8.0 = CONFIG_INTEL_IDXD_PERFMON=y",
            f"its driver registered no performance unit ({UNIT})",
            "# see: dmesg | grep -i perfmon",
        ),
        ("", f"its driver registered no performance unit ({UNIT})", "# see: dmesg | grep -i perfmon"),
    ],
    ids=["guest", "kernel without", "kernel with", "nothing known"],
)
def test_a_unit_that_is_not_there_is_accounted_for(tmp_path: Path, change: str, what: str, fix: str) -> None:
    assert iaa(tmp_path, "kernel 6.8.0", change, f"- {UNIT}", of=ROOT) == Problem(what, fix)


def test_root_reads_the_counts_of_a_zip_engine_that_keeps_them(tmp_path: Path) -> None:
    assert kunpeng(tmp_path, f"{REGISTERS} = HZIP_DONE_BD_NUM = 0x1", f"{CLEAR} = 0") is None


@pytest.mark.parametrize(
    ("changes", "of", "what", "fix"),
    [
        (
            (f"{REGISTERS} = x", f"{CLEAR} = 1"), ROOT,
            "its counters are cleared when they are read (clear_enable)", f"echo 0 > {CLEAR}",
        ),
        (
            ("/sys/kernel/debug 0700", f"{REGISTERS} = x", f"{CLEAR} = 0"), user(),
            "only root may read its counters (/sys/kernel/debug, regs)", "# run it as root, with sudo -E for example",
        ),
        (
            (), ROOT,
            "its driver shows no counters (/sys/kernel/debug/hisi_zip/0000:75:00.0/*core*/regs)",
            "mount -t debugfs none /sys/kernel/debug\n# a virtual function has none",
        ),
    ],
    ids=["cleared", "of another user", "not there"],
)  # fmt: skip
def test_what_keeps_the_counts_of_a_zip_engine_away_is_said(
    tmp_path: Path, changes: tuple[str, ...], of: User, what: str, fix: str
) -> None:
    assert kunpeng(tmp_path, *changes, of=of) == Problem(what, fix)


def prove(root: Path, *trees: str, of: User | None = None) -> tuple[Proof, ...]:
    there = host(root, *trees, user=of)
    return proofs(there, detect(there))


def test_a_host_without_accelerators_has_nothing_to_prove(tmp_path: Path) -> None:
    assert prove(tmp_path, "/x = 1") == ()


def test_a_counter_that_can_be_read_is_the_best_proof(tmp_path: Path) -> None:
    (proof,) = prove(tmp_path, SPR, f"{UNIT} 0755", of=ROOT)

    assert (proof.kind, proof.possible, proof.missing) == ("iaa", True, None)
    assert proof.source == "descriptors submitted to shared work queues from user space (performance unit)"


def test_else_the_librarys_word_is_one(tmp_path: Path) -> None:
    (proof,) = prove(tmp_path, SPR)

    assert (proof.counter, proof.possible) == (None, True)
    assert proof.source.startswith("the library's word alone: libqpl's hardware path ends with an error")


def test_without_a_library_that_tells_nothing_proves(tmp_path: Path) -> None:
    (proof,) = prove(tmp_path, KUNPENG)

    assert (proof.possible, proof.source) == (False, "nothing: it stays unverified")
    assert proof.described()["missing"]["what"] == "only root may read its counters (/sys/kernel/debug, regs)"


def test_devices_that_are_not_used_need_no_counter(tmp_path: Path) -> None:
    idle = f"{SPR}\n{IAX}/wq1.0/state = disabled"
    idle = idle.replace("0000:6a", "0000:e7").replace("iax1", "iax3").replace("wq1.", "wq3.")

    (proof,) = prove(tmp_path, SPR, idle, f"{UNIT} 0755", of=ROOT)

    assert proof.missing is None


def test_where_no_device_can_be_used_all_are_asked(tmp_path: Path) -> None:
    (proof,) = prove(tmp_path, SPR, f"{IAX}/wq1.0/state = disabled", of=ROOT)

    assert proof.missing is not None


@pytest.mark.parametrize("kind", ["qat", "iaa", "kunpeng"])
def test_every_accelerator_has_more_to_say_of_its_counters_than_that_they_are_not_there(kind: str) -> None:
    assert counting(kind).__module__ == f"multifd.device.{kind}_counters"


def test_of_a_new_accelerator_its_counters_are_there_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    there = host(tmp_path, SPR, KUNPENG, f"{UNIT} 0755")
    unit, engine = detect(there)

    assert counting("iaa")(there, unit) is None
    assert counting("kunpeng")(there, engine) == Problem(
        "its counter is not there, or not for this user (/sys/kernel/debug/hisi_zip/0000:75:00.0/*core*/regs)",
        "# run it as root, with sudo -E for example",
    )
