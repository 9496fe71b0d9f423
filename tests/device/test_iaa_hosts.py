"""IAA on hosts that their owners reported, one file each with its source: what is true of them, and is said.

The files are records as ``multifd doctor --host`` reads them; what is expected stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from multifd.device import iaa
from multifd.device.diagnose import diagnose
from multifd.device.found import BOTH, Direction
from multifd.device.recorded_host import RecordedHost
from multifd.device.sysfs import Host

HOSTS: Final = Path(__file__).parent / "hosts"
ALREADY: Final = "PASIDs are off although intel_iommu=on,sm_on is on the kernel's command line"
WORD: Final = "the library's word alone: libqpl's hardware path"
COUNTS: Final = "descriptors submitted to shared work queues from user space (performance unit)"


@dataclass(frozen=True)
class Expected:
    """What must be said of the host's first device, and what must not."""

    problem: str | None
    """How the first problem begins; None for a usable device."""
    fix: tuple[str, ...] = ()
    """Lines that its fix, or that of the note, has in this order."""
    never: tuple[str, ...] = ()
    """What no line about the device may say."""
    note: str | None = None
    """How the first note begins; None for none."""
    devices: int = 1
    directions: frozenset[Direction] = BOTH


CONFIGURE: Final = ("accel-config config-wq iax1/wq1.0", "accel-config enable-device iax1", "accel-config enable-wq")

EXPECTED: Final = {
    "I1": Expected(ALREADY, ("# enable VT-d",), ("else", "grubby", "update-grub", "no5lvl", "is not in scalable mode")),
    "I1-la57": Expected(
        f"{ALREADY}: the processor uses page tables of five levels (la57)",
        ("sed", "update-grub", "# then reboot", "# if it stays so:", "# enable VT-d"),
        ("GRUB_CMDLINE_LINUX=/{s/ *intel_iommu",),
    ),
    "I2": Expected(
        "Linux 5.15.0-91-generic does not let processes submit to IAA: 5.18 is the first that does",
        ("# install Linux 5.18 or later, then reboot",),
        ("BIOS", "PASIDs", "update-grub"),
    ),
    "I3": Expected(
        None,
        (
            "# this ends what others do on iax1/wq1.0",
            "accel-config disable-wq iax1/wq1.0",
            "accel-config config-wq iax1/wq1.0 -b 1",
            "accel-config enable-wq iax1/wq1.0",
        ),
        note="work queue wq1.0 does not wait for a page that is not in memory (block_on_fault is 0)",
    ),
    "I5": Expected(
        None,
        ("# configure iax3, which is there", "# or name the node of a device: numa_id=0", "# or keep everything near"),
        note="processes on socket 1 find no device (503): libqpl takes only those of the caller's socket",
        devices=2,
    ),
    "I6": Expected(
        "work queue wq1.0 belongs to the kernel's iaa_crypto, which zswap compresses with",
        (
            "echo lzo > /sys/module/zswap/parameters/compressor",
            "# zswap then goes on in software; what it holds keeps iaa_crypto",
            "accel-config disable-wq iax1/wq1.0",
            "accel-config disable-device iax1",
            "modprobe -r iaa_crypto",
            *CONFIGURE,
            "echo 'blacklist iaa_crypto' > /etc/modprobe.d/",
        ),
    ),
    "I7": Expected("user alice may not map a work queue: since INTEL-SA-01084", ("multifd vendor fetch",)),
    "I7-write": Expected(None),
    "I7-rawio": Expected(None),
    "I7-stable": Expected("user alice may not map a work queue: since INTEL-SA-01084"),
    "I8": Expected(
        "driver vfio-pci is bound to it instead of idxd",
        (
            "# a guest that has it loses it",
            "modprobe idxd",
            "echo 0000:6a:02.0 > /sys/bus/pci/drivers/vfio-pci/unbind",
            "echo idxd > /sys/bus/pci/devices/0000:6a:02.0/driver_override",
            "echo 0000:6a:02.0 > /sys/bus/pci/drivers/idxd/bind",
        ),
    ),
    "I11": Expected(None, never=("wq1.0", "wq3.0", "iax3", "boot"), devices=2),
    "I12": Expected(
        "libqpl does not find libaccel-config.so.1, without which it takes no device (501)",
        ("apt-get install libaccel-config1",),
    ),
    "I12-prefix": Expected(
        "libqpl does not find libaccel-config.so.1, without which it takes no device (501): it is in /usr/lib64",
        ("echo /usr/lib64 > /etc/ld.so.conf.d/accel-config.conf", "ldconfig"),
        ("apt-get",),
    ),
    "I13": Expected(
        None,
        ("echo 'SUBSYSTEM==",),
        note="who may open its queues is forgotten at the next boot",
    ),
    "I14": Expected(
        "no work queue of iax1 is enabled, but some of dsa0 are: that is DSA, which copies and does not compress",
        CONFIGURE,
        ("config-wq dsa0", "disable-device dsa0"),
    ),
    "I-own1": Expected(
        "PASIDs are off: idxd was loaded with sva=0", ("# take that away", "modprobe -r", "modprobe idxd sva=1")
    ),
    "I-own2": Expected(
        "Linux 6.1.96 does not know IAA of the second generation: libqpl needs 6.3 for it",
        ("# install Linux 6.3 or later",),
    ),
    "I-own3": Expected(
        "the IOMMU is off, so the device cannot share memory with a process: this guest has none",
        ("# start the guest with an IOMMU in scalable mode",),
        ("BIOS", "update-grub", "grubby"),
    ),
    "I-own4": Expected(
        None,
        ("accel-config config-wq iax1/wq1.0 -o 00000000,",),
        note="work queue wq1.0 does not take compression (op_config), so it serves no sender",
        directions=frozenset({"receiver"}),
    ),
    "I-own5": Expected(None),
    "I-own7": Expected(
        "work queue wq1.0 is dedicated, libqpl takes only shared ones",
        ("# this ends what others do on iax1", "accel-config disable-wq iax1/wq1.0", *CONFIGURE),
    ),
    "I-own6": Expected(
        "user alice may not open /dev/iax/wq1.0",
        ("groupadd -f -r iaa", "chgrp iaa /dev/iax/wq1.0", "chmod g+rw", "usermod -a -G iaa alice", "# then log in"),
        ("chown",),
    ),
}


@pytest.mark.parametrize(("name", "expected"), EXPECTED.items(), ids=EXPECTED)
def test_of_a_host_the_truth_is_said(tmp_path: Path, name: str, expected: Expected) -> None:
    devices = iaa.detect(planted(name, tmp_path))
    first = devices[0]

    assert len(devices) == expected.devices
    assert first.usable == (expected.problem is None)
    assert first.directions == expected.directions
    for said, begins in ((first.problems, expected.problem), (first.notes, expected.note)):
        assert bool(said) == (begins is not None)
        assert begins is None or said[0].what.startswith(begins)
    fix = next((problem.fix for problem in (*first.problems, *first.notes)), "")
    assert in_order(expected.fix, fix.splitlines())
    everything = "\n".join(f"{problem.what}\n{problem.fix}" for problem in (*first.problems, *first.notes))
    assert [words for words in expected.never if words in everything] == []


def planted(name: str, root: Path) -> Host:
    RecordedHost.read(HOSTS / f"{name}.txt").plant(root)
    return Host(root)


def in_order(begins: tuple[str, ...], lines: list[str]) -> bool:
    """Whether lines that begin so come in this order, with others between them."""
    left = iter(lines)
    return all(any(line.startswith(begin) for line in left) for begin in begins)


def test_the_other_socket_has_its_own_commands(tmp_path: Path) -> None:
    _, other = iaa.detect(planted("I5", tmp_path))

    assert [problem.what for problem in other.problems] == ["no work queue is enabled"]
    assert "accel-config config-wq iax3/wq3.0" in other.problems[0].fix
    assert other.facts["NUMA node"] == "1"


def test_what_is_saved_is_saved_last(tmp_path: Path) -> None:
    (device,) = iaa.detect(planted("I13", tmp_path))

    assert device.notes[-1].what.startswith("the configuration of iax1 is gone after the next boot")
    assert in_order(
        ("mkdir -p /etc/accel-config", "accel-config save-config -s /etc/accel-config/accel-config.conf", "systemctl"),
        device.notes[-1].fix.splitlines(),
    )


def test_in_a_container_only_the_queue_that_was_given_is_ours(tmp_path: Path) -> None:
    ours, others = iaa.detect(planted("I11", tmp_path))

    assert ours.nodes == ("/dev/iax/wq1.1",)
    assert (others.usable, others.problems, others.nodes) == (False, (), ())
    assert others.notes[0].what == "none of its work queues has a node here: they belong to others"


def test_a_library_too_old_for_the_second_generation_is_said_as_well(tmp_path: Path) -> None:
    (device,) = iaa.detect(planted("I-own2", tmp_path))

    assert device.problems[1].what.startswith("libaccel-config 3.5.2 does not know IAA of the second generation")


@pytest.mark.parametrize(
    ("name", "submission"), [("I7-write", "write()"), ("I7-rawio", None), ("I-own5", None), ("I7-stable", "write()")]
)
def test_how_descriptors_reach_a_queue_is_shown_where_it_is_not_by_mapping(
    tmp_path: Path, name: str, submission: str | None
) -> None:
    (device,) = iaa.detect(planted(name, tmp_path))

    assert device.facts.get("submission") == submission


@pytest.mark.parametrize(
    ("name", "source", "missing", "fix"),
    [
        ("P2", WORD, "user alice may not count for all processes: perf_event_paranoid is 2", "setcap cap_perfmon+ep"),
        ("P2-perfmon", COUNTS, None, ""),
        ("P2-open", COUNTS, None, ""),
        ("P3", WORD, "a guest's device has no performance unit", "# the unit is on the host"),
        ("P3-kernel", WORD, "this kernel was built without CONFIG_INTEL_IDXD_PERFMON", "# install a kernel with"),
        ("I11", WORD, "user root may not count for all processes", "# start the container with --cap-add=PERFMON"),
    ],
)
def test_what_can_prove_the_work_is_said_with_what_keeps_the_counter_away(
    tmp_path: Path, name: str, source: str, missing: str | None, fix: str
) -> None:
    (proof,) = diagnose(planted(name, tmp_path), enough=None).proofs

    assert proof.possible
    assert proof.source.startswith(source)
    assert (proof.missing is None) == (missing is None)
    assert proof.missing is None or missing is None or proof.missing.what.startswith(missing)
    assert proof.missing is None or proof.missing.fix.startswith(fix)


def test_every_record_has_its_source() -> None:
    records = {path.stem: path.read_text(encoding="utf-8") for path in HOSTS.glob("[IP]*.txt")}

    assert records.keys() >= EXPECTED.keys()
    assert [name for name, text in records.items() if not text.startswith("# ")] == []
