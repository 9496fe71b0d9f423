"""QAT on hosts that their owners reported, one file each with its source: what is true of them, and is said.

The files are records as ``multifd doctor --host`` reads them; what is expected stands here.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from multifd.cli.doctor import doctor
from multifd.device import qat
from multifd.device.found import BOTH, Device, Direction, Problem
from multifd.device.recorded_host import RecordedHost
from multifd.device.sysfs import Host

HOSTS: Final = Path(__file__).parent / "hosts"
FIRST: Final = "/sys/bus/pci/devices/0000:6b:00.0"
NOBODY: Final = frozenset[Direction]()
RECEIVES: Final = frozenset[Direction]({"receiver"})


@dataclass(frozen=True)
class Expected:
    """One device of a host."""

    pci: str
    name: str
    usable: bool
    directions: frozenset[Direction] = BOTH
    processes: int | None = None
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)


def kept(services: str) -> str:
    return (
        "# from its next start on, qat.service gives them to every QAT device of this host:\n"
        "mkdir -p /etc/sysconfig && touch /etc/sysconfig/qat\n"
        "sed -i '/ServicesEnabled=/d' /etc/sysconfig/qat\n"
        f"echo {services} >> /etc/sysconfig/qat\n"
    )


def turned(cfg: str, services: str) -> str:
    return (
        "systemctl stop qat\n"
        f"echo down > {FIRST}/qat/state\n"
        f"echo {cfg} > {FIRST}/qat/cfg_services\n"
        f"echo up > {FIRST}/qat/state\n"
        f"{kept(services)}"
        "systemctl start qat"
    )


RESTART: Final = (
    "# first end what uses QAT: a qatmgr that starts leaves out virtual functions that somebody has open\n"
    "systemctl restart qat"
)
ADF_RESTART: Final = "# this stops whoever else uses QAT on this host for a moment:\nadf_ctl restart"
CRYPTO_BESIDE: Final = Problem(
    "its service is sym;asym, which does not compress; other QAT devices of this host do",
    "# leave it so: whoever uses sym;asym would lose it",
)
ELSEWHERE: Final = Problem(
    "none of its virtual functions has a node here: they belong to others",
    "# a container must be given /dev/vfio/<group> of some, a pod asks for qat.intel.com/dc;\n"
    "# on the host itself: modprobe vfio-pci && udevadm trigger",
)
ALONE_IN_A_POD: Final = Problem(
    "no qatmgr runs (/run/qat/qatmgr.sock does not exist): a process takes up to 6 virtual functions for itself,"
    " so 1 can run at a time",
    "# with QAT_POLICY=1 in its environment a process takes one",
)
LOW_MEMLOCK: Final = Problem(
    "user alice may lock 8192 KiB of memory, libqat needs at least 65536 KiB",
    "echo 'alice - memlock 500000' > /etc/security/limits.d/qat.conf\n"
    "# that serves login shells: log in again, and ulimit -l shows 500000\n"
    "# a systemd service and a CI runner read no limits.conf: LimitMEMLOCK=500000K in their unit\n"
    "# a container needs --ulimit memlock, a pod the capability IPC_LOCK",
)

ROWS: Final[dict[str, Sequence[Expected]]] = {
    "Q1": [
        Expected(
            "0000:6b:00.0",
            "4xxx",
            usable=False,
            directions=NOBODY,
            problems=[
                Problem(
                    "its service is sym;asym, which does not compress",
                    "# this takes sym;asym from whoever uses it here (IPsec, TLS, disks); where the kernel takes it,"
                    " sym;dc instead of dc keeps sym\n" + turned("dc", "ServicesEnabled=dc"),
                )
            ],
        )
    ],
    "Q2": [
        Expected("0000:6b:00.0", "4xxx", usable=False, directions=NOBODY, notes=[CRYPTO_BESIDE]),
        Expected("0000:e8:00.0", "4xxx", usable=True, processes=2, facts={"NUMA node": "1"}),
    ],
    "Q3": [
        Expected(
            "0000:6b:00.0",
            "4xxx",
            usable=False,
            problems=[
                Problem(
                    "Linux 5.15.0-91-generic neither says nor changes what it does: cfg_services needs kernel 6.0,"
                    " and a 4xxx does not compress before Linux 5.17",
                    "# install a kernel of 6.0 or later, then reboot",
                )
            ],
        )
    ],
    "Q6": [
        Expected(
            "0000:3d:00.0",
            "c62x",
            usable=False,
            problems=[
                Problem(
                    "/etc/c6xx_dev0.conf has no section [SHIM], which libqatzip starts",
                    "grep -q '^\\[SHIM\\]' /etc/c6xx_dev0.conf || printf '\\n[SHIM]\\nNumberCyInstances = 0\\n"
                    "NumberDcInstances = 1\\nNumProcesses = 16\\nLimitDevAccess = 0\\n"
                    'Dc0Name = "Dc0"\\nDc0IsPolled = 1\\nDc0CoreAffinity = 0\\n\' >> /etc/c6xx_dev0.conf\n'
                    "# other sections may have to give up instances for it: adf_ctl says so\n"
                    f"{ADF_RESTART}\n"
                    "# or change nothing, and start the section of others, in the environment: QAT_SECTION_NAME=SSL",
                )
            ],
        )
    ],
    "Q6-instances": [
        Expected(
            "0000:3d:00.0",
            "c62x",
            usable=False,
            problems=[
                Problem(
                    "/etc/c6xx_dev0.conf, section [SHIM], has NumberDcInstances = 0: no instance that compresses",
                    "sed -i '/^\\[SHIM\\]/,/^\\[/{/^NumberDcInstances *=/d}; s/^\\[SHIM\\]/&\\nNumberDcInstances = 1/'"
                    f" /etc/c6xx_dev0.conf\n{ADF_RESTART}",
                )
            ],
        )
    ],
    "Q6-processes": [
        Expected(
            "0000:3d:00.0",
            "c62x",
            usable=False,
            problems=[
                Problem(
                    "/etc/c6xx_dev0.conf, section [SHIM], has NumProcesses = 1: not enough: a sender and a receiver"
                    " are two",
                    "sed -i '/^\\[SHIM\\]/,/^\\[/{/^NumProcesses *=/d}; s/^\\[SHIM\\]/&\\nNumProcesses = 16/'"
                    f" /etc/c6xx_dev0.conf\n{ADF_RESTART}",
                )
            ],
        )
    ],
    "Q7": [
        Expected(
            "0000:0c:00.0",
            "c62x",
            usable=False,
            problems=[
                Problem(
                    "the IOMMU is on, and Intel's driver package gives no physical function to user space then"
                    ' ("Cannot use PF with IOMMU enabled")',
                    "# with the IOMMU only its virtual functions work, in guests that have the package\n"
                    "# without it IAA does not work, and guests can have no devices (vfio):\n"
                    "grubby --update-kernel=ALL --args=intel_iommu=off\n"
                    "# then reboot",
                )
            ],
        )
    ],
    "Q8": [
        Expected(
            "0000:f3:00.0",
            "401xx",
            usable=False,
            problems=[
                Problem(
                    "Intel's driver package has it, and only qatlib's libqat.so.4 is installed, which works with the"
                    " kernel's own driver alone: the package's library is libqat_s.so",
                    "# build QATzip against the package: ./configure --with-ICP_ROOT=<its directory> && make install\n"
                    "# or give it to the kernel's own driver: remove the package, reboot,"
                    " systemctl enable --now qat",
                )
            ],
        )
    ],
    "Q10": [Expected("0000:6b:00.0", "420xx", usable=True, processes=2)],
    "Q10-6xxx": [Expected("0000:6b:00.0", "6xxx", usable=True, processes=2)],
    "Q11": [
        Expected(
            "0000:6b:00.0",
            "6xxx",
            usable=True,
            directions=RECEIVES,
            processes=2,
            notes=[
                Problem(
                    "its services are sym;decomp, which decompress and do not compress: it receives and does not send"
                    " (libqatzip 2.0.0 asks for instances that compress, and so does not use it at all)",
                    "# this interrupts whoever uses sym here (IPsec, TLS, disks)\n"
                    + turned("'sym;dc'", "'ServicesEnabled=sym;dc'"),
                )
            ],
        )
    ],
    "Q12": [
        Expected(
            "0000:6b:00.0",
            "4xxx",
            usable=False,
            problems=[Problem("it is down", f"echo up > {FIRST}/qat/state\n{RESTART}")],
        )
    ],
    "Q13": [
        Expected(f"0000:{bus}:00.0", "4xxx", usable=False, problems=[LOW_MEMLOCK]) for bus in ("6b", "70", "e8", "ed")
    ],
    "Q16": [
        Expected(
            "0000:6b:00.0",
            "4xxx",
            usable=False,
            problems=[
                Problem(
                    "qatmgr 24.02 runs, and libqat.so.4 is of qatlib 26.08.0: libqat refuses another release"
                    ' ("received response from incompatible qatmgr") and libqatzip goes on in software',
                    "# first end what uses QAT: a qatmgr that starts leaves out virtual functions that somebody has"
                    " open\n"
                    "systemctl restart qat\n"
                    "# if it stays so: install service and library of one release of qatlib",
                )
            ],
        )
    ],
    "Q17": [
        Expected(
            "0000:6b:00.0",
            "4xxx",
            usable=False,
            problems=[
                Problem(
                    "qatlib 24.09.0 does not start a 4xxx on Linux 6.1 before 6.1.149 (QATE-106085 of qatlib)",
                    "# install Linux 6.1.149 or later, or another release of qatlib, both its library and its service",
                )
            ],
        )
    ],
    "Q18": [
        Expected(f"0000:{bus}:00.0", "4xxx", usable=True, processes=16, facts={"processes": "16 at a time"})
        for bus in ("6b", "e8")
    ],
    "Q19": [Expected("0000:ed:00.0", "4xxx", usable=True, processes=1, notes=[ALONE_IN_A_POD])],
    "Q-own1": [
        Expected(
            "0000:6b:00.0",
            "4xxx",
            usable=True,
            processes=2,
            notes=[
                Problem(
                    "user alice may not open 2 of its 4 virtual functions: a process that qatmgr gives one of them"
                    " finds no hardware",
                    "chgrp qat /dev/vfio/312 /dev/vfio/314\n"
                    "chmod g+rw /dev/vfio/312 /dev/vfio/314\n"
                    "usermod -a -G qat alice\n"
                    "# then log in again\n"
                    "# SELinux may have kept qat.service from it: ausearch -m avc -c chown -c chmod",
                )
            ],
        )
    ],
    "Q-own2": [Expected("0000:ed:00.0", "4xxx", usable=True, processes=1, notes=[ALONE_IN_A_POD])],
    "Q-own3": [
        Expected(
            "0000:6b:00.0",
            "4xxx",
            usable=False,
            problems=[
                Problem(
                    "user root may lock 64 KiB of memory, libqat needs at least 16384 KiB",
                    LOW_MEMLOCK.fix.replace("alice", "root"),
                )
            ],
        )
    ],
    "Q-own4": [
        Expected(
            "0000:6b:00.0",
            "4xxx",
            usable=False,
            problems=[
                Problem(
                    "qatlib 25.08.0 starts for root alone where the host has huge pages of 2 MiB"
                    " (QAT20-41022 of qatlib)",
                    "# install qatlib 26.02 or later, both its library and its service;"
                    " or, if nobody needs huge pages:\n"
                    "# echo 0 > /proc/sys/vm/nr_hugepages",
                ),
                Problem(
                    "qatlib 25.08.0 does not start where the host has huge pages of 2 MiB and all are taken"
                    " (QAT20-42018 of qatlib)",
                    "# install qatlib 26.08 or later, both its library and its service;\n"
                    "# or have more huge pages than others take:\n"
                    "# echo N > /proc/sys/vm/nr_hugepages",
                ),
            ],
        )
    ],
    "Q-own5": [
        Expected(
            "0000:6b:00.0",
            "4xxx",
            usable=False,
            problems=[
                Problem(
                    "user alice may not open /dev/vfio/312 /dev/vfio/313",
                    "chgrp qat /dev/vfio/312 /dev/vfio/313\n"
                    "chmod g+rw /dev/vfio/312 /dev/vfio/313\n"
                    "usermod -a -G qat alice\n"
                    "# then log in again\n"
                    "# vfio-pci.ids on the kernel's command line keeps qat.service before 26.02 from doing so",
                )
            ],
        )
    ],
    "Q-own6": [
        Expected("0000:6b:00.0", "4xxx", usable=False, directions=NOBODY, notes=[CRYPTO_BESIDE]),
        Expected(
            "0000:e8:00.0",
            "4xxx",
            usable=True,
            processes=2,
            notes=[
                Problem(
                    "POLICY=1 gives 2 of 4 processes no virtual function that compresses",
                    "sed -i '/POLICY=/d' /etc/sysconfig/qat\n"
                    "# first end what uses QAT: a qatmgr that starts leaves out virtual functions that somebody has"
                    " open\n"
                    "systemctl restart qat\n"
                    "# then each process has one of every device, as far as there are as many of each",
                )
            ],
        ),
    ],
}


def recorded(root: Path, name: str, *changes: str) -> Host:
    text = (HOSTS / f"{name}.txt").read_text(encoding="utf-8")
    RecordedHost.parse("\n".join((text, *changes)), name).plant(root)
    return Host(root)


def seen(device: Device, facts: dict[str, str]) -> Expected:
    return Expected(
        device.pci or "",
        device.name,
        device.usable,
        device.directions,
        device.processes,
        list(device.problems),
        list(device.notes),
        {name: value for name, value in device.facts.items() if name in facts},
    )


@pytest.mark.parametrize(("name", "expected"), ROWS.items(), ids=ROWS)
def test_a_host_as_it_was_reported_is_diagnosed_as_it_is(
    tmp_path: Path, name: str, expected: Sequence[Expected]
) -> None:
    devices = qat.detect(recorded(tmp_path, name))

    assert [seen(device, wanted.facts) for device, wanted in zip(devices, expected, strict=True)] == list(expected)


@pytest.mark.parametrize(("name", "expected"), ROWS.items(), ids=ROWS)
def test_doctor_ends_in_an_error_only_where_something_is_wrong(name: str, expected: Sequence[Expected]) -> None:
    result = CliRunner().invoke(doctor, ["--host", str(HOSTS / f"{name}.txt")])

    alone = any(device.processes == 1 for device in expected)
    assert result.exit_code == (alone or any(device.problems for device in expected))
    assert all(problem.what in result.output for device in expected for problem in (*device.problems, *device.notes))


def test_every_recorded_host_has_its_row_and_names_its_source() -> None:
    files = {file.stem: file.read_text(encoding="utf-8") for file in HOSTS.glob("Q*.txt")}

    assert files.keys() == ROWS.keys()
    assert all(text.startswith("# ") for text in files.values())


@pytest.mark.parametrize(
    ("kernel", "what"),
    [
        (
            "5.17.1",
            "Linux 5.17.1 neither says nor changes what it does: cfg_services needs kernel 6.0",
        ),
        (
            "5.19.17",
            "Linux 5.19.17 neither says nor changes what it does: cfg_services needs kernel 6.0",
        ),
        (
            "6.0.0",
            "its driver does not say which services it has (no /sys/bus/pci/devices/0000:6b:00.0/qat/cfg_services)",
        ),
        (
            "5.14.0-427.el9.x86_64",
            "its driver does not say which services it has (no /sys/bus/pci/devices/0000:6b:00.0/qat/cfg_services)",
        ),
    ],
)
def test_services_that_no_kernel_tells_are_held_against_the_kernel_only_where_it_is_too_old(
    tmp_path: Path, kernel: str, what: str
) -> None:
    (device,) = qat.detect(recorded(tmp_path, "Q3", f"kernel {kernel}"))

    assert [problem.what for problem in device.problems] == [what]


def test_a_driver_that_hides_its_services_is_named_with_the_command_that_shows_whose_it_is(tmp_path: Path) -> None:
    (device,) = qat.detect(recorded(tmp_path, "Q3", "kernel 6.12.0"))

    assert device.problems[0].fix == (
        "modinfo -F filename qat_4xxx\n"
        "# it must be the kernel's own driver, of Linux 6.0 or later or of a distribution that carries it"
    )


def test_a_kernel_of_an_enterprise_that_carries_newer_drivers_is_taken_by_what_it_has(tmp_path: Path) -> None:
    (device,) = qat.detect(recorded(tmp_path, "Q10", "kernel 5.14.0-427.el9.x86_64"))

    assert device.usable


@pytest.mark.parametrize(
    ("kernel", "built", "library", "broken"),
    [
        ("6.1.148", "#1 SMP", "24.09.0", True),
        ("6.1.149", "#1 SMP", "24.09.0", False),
        ("6.1.0", "#1 SMP", "24.09.0", True),
        ("6.1.0-37-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.140-1 (2025-05-22)", "25.08.0", True),
        ("6.1.0-40-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.153-1 (2025-09-20)", "25.08.0", False),
        ("6.1.0-1036-oem", "#36-Ubuntu SMP", "25.08.0", False),
        ("6.1.100", "#1 SMP", "24.02.0", False),
        ("6.1.100", "#1 SMP", "26.02.0", False),
        ("6.2.0", "#1 SMP", "24.09.0", False),
        ("6.12.0", "#1 SMP", "25.08.0", False),
    ],
)
def test_the_known_break_is_of_two_releases_on_one_long_term_kernel(
    tmp_path: Path, kernel: str, built: str, library: str, broken: bool
) -> None:
    changes = (
        f"kernel {kernel}",
        f"/proc/sys/kernel/version = {built}",
        f"library libqat.so.4 {library}",
        f"library qatmgr {library}",
    )

    (device,) = qat.detect(recorded(tmp_path, "Q17", *changes))

    assert device.usable is not broken


@pytest.mark.parametrize(("name", "physical", "virtual"), [("420xx", "0x4946", "0x4947"), ("6xxx", "0x4948", "0x4949")])
def test_other_generations_came_after_the_break(tmp_path: Path, name: str, physical: str, virtual: str) -> None:
    path = "/sys/devices/pci0000:6b/0000:6b:00"
    changes = (
        f"{path}.0/device = {physical}",
        f"{path}.0/driver -> ../../../bus/pci/drivers/{name}",
        *(f"{path}.{number}/device = {virtual}" for number in (1, 2)),
    )

    (device,) = qat.detect(recorded(tmp_path, "Q17", *changes))

    assert (device.name, device.usable) == (name, True)


def test_a_container_that_was_given_nothing_is_told_so_of_all(tmp_path: Path) -> None:
    devices = qat.detect(recorded(tmp_path, "Q19", "- /dev/vfio/373"))

    assert [(device.usable, device.problems, device.notes) for device in devices] == [(False, (), (ELSEWHERE,))] * 4


@pytest.mark.parametrize("name", [name for name in ROWS if name.startswith("Q6")])
def test_what_mends_a_configuration_mends_it_however_often_it_is_given(tmp_path: Path, name: str) -> None:
    host = recorded(tmp_path, name)
    (broken,) = qat.detect(host)
    file = "/etc/c6xx_dev0.conf"

    for _ in range(2):
        mend(tmp_path, broken, file)

    (mended,) = qat.detect(host)
    configuration = host.text(file) or ""
    assert (mended.usable, mended.processes) == (True, 16)
    assert configuration.count("[SHIM]") == configuration.count("NumProcesses = 16") == 1
    assert configuration.count("[OTHER]") == configuration.count("NumProcesses = 7")


def test_services_that_are_to_stay_are_named_once_however_often_the_commands_are_given(tmp_path: Path) -> None:
    host = recorded(tmp_path, "Q1")
    (broken,) = qat.detect(host)

    for _ in range(2):
        mend(tmp_path, broken, "/etc/sysconfig/qat")

    assert (host.text("/etc/sysconfig/qat") or "").splitlines() == ["#POLICY=", "ServicesEnabled=dc"]


def mend(root: Path, device: Device, file: str) -> None:
    """Give those commands of a problem that edit a file of the host."""
    commands = [line for problem in device.problems for line in problem.fix.splitlines() if file in line]
    script = "\n".join(commands).replace("/etc", f"{root}/etc")
    subprocess.run(["sh", "-euc", script], check=True)


SECOND: Final = "/sys/devices/pci0000:e8/0000:e8:00.0"
BOOTED: Final = f"- {SECOND}/virtfn0\n- {SECOND}/virtfn1"
"""No virtual functions yet."""


@pytest.mark.parametrize(
    ("change", "lacks"),
    [
        (BOOTED, "it has no virtual functions, and libqat works on nothing else"),
        (f"{BOOTED}\n{SECOND}/qat/state = down", "it is down"),
        (f"- {SECOND[:-1]}1/driver\n- {SECOND[:-1]}2/driver", "no virtual function is bound to vfio-pci"),
    ],
)
def test_crypto_stays_crypto_where_another_device_compresses_whatever_that_lacks(
    tmp_path: Path, change: str, lacks: str
) -> None:
    crypto, other = qat.detect(recorded(tmp_path, "Q2", change))

    assert (crypto.problems, crypto.notes) == ((), (CRYPTO_BESIDE,))
    assert [problem.what.startswith(lacks) for problem in other.problems] == [True]


def test_a_device_of_which_a_container_was_given_nothing_does_not_compress_for_it(tmp_path: Path) -> None:
    first = "/sys/devices/pci0000:6b/0000:6b:00.0"
    nothing = f"- {first}/virtfn0\n- {first}/virtfn1\n- /dev/vfio"

    crypto, other = qat.detect(recorded(tmp_path, "Q2", nothing))

    assert other.notes == (ELSEWHERE,)
    assert crypto.problems[0].what == "its service is sym;asym, which does not compress"
