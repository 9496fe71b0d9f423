"""Settings of IAA's platform, queues and nodes, one at a time: what is said of each, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.device import iaa, iaa_queue
from multifd.device.facts import ALL, User
from multifd.device.found import Device
from multifd.device.sysfs import Host
from tests.device.recorded import IAX, SPR
from tests.device.trees import alice, host

FILE = "/etc/accel-config/accel-config.conf"
UNIT = f"/etc/systemd/system/multi-user.target.wants/lab.service = ExecStart=accel-config load-config -e -c {FILE}"
CONFIGURATION = f'{FILE} = [{{"dev":"iax1"}}, {{"dev" : "iax3"}}]\n{UNIT}'
RULE = '/etc/udev/rules.d/60-iaa.rules = KERNEL=="iax[/!]wq*"'
SAVED = f"{CONFIGURATION}\n{RULE}"
NODES = "/sys/devices/system/node"
OTHER = "/sys/devices/pci0000:e7/0000:e7:02.0"
SECOND = SPR.replace("0000:6a", "0000:e7").replace("iax1", "iax3").replace("wq1.", "wq3.")
"""The same device again, at another place."""


def device(root: Path, *changes: str) -> Device:
    return iaa.detect(host(root, SPR, SAVED, *changes))[0]


def notes(found: Device) -> list[str]:
    return [note.what for note in found.notes]


def problems(found: Device) -> list[str]:
    return [problem.what for problem in found.problems]


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


# Kernel, processor, IOMMU.

LIVE = f"{IAX}/pasid_enabled = 0"
ASKED = "/proc/cmdline = ro intel_iommu=on,sm_on"
PASIDS = "PASIDs are off although intel_iommu=on,sm_on is on the kernel's command line"


@pytest.mark.parametrize(
    ("release", "version", "said"),
    [
        ("5.17.15", "0x100", ["Linux 5.17.15 does not let processes submit to IAA: 5.18 is the first that does"]),
        ("5.18.0", "0x100", []),
        ("6.2.16", "0x100", []),
        ("6.2.16", "0x200", ["Linux 6.2.16 does not know IAA of the second generation: libqpl needs 6.3 for it,"
                             " and takes no device of a host where it cannot read one (iaa_cap)"]),
        ("6.3.0", "0x200", []),
        ("5.14.0-570.el9", "0x200", []),
        ("5.14.21-150500.55-default", "0x100", []),
    ],
)  # fmt: skip
def test_a_kernel_must_know_the_device(tmp_path: Path, release: str, version: str, said: list[str]) -> None:
    assert problems(device(tmp_path, f"kernel {release}", f"{IAX}/version = {version}")) == said


def test_a_kernel_that_is_too_old_explains_what_follows_from_it(tmp_path: Path) -> None:
    found = device(tmp_path, "kernel 5.15.0", LIVE, "/proc/cpuinfo = flags : fpu", "- /sys/class/iommu")

    assert problems(found) == ["Linux 5.15.0 does not let processes submit to IAA: 5.18 is the first that does"]


def test_of_a_processor_that_nobody_recorded_nothing_is_said(tmp_path: Path) -> None:
    assert problems(device(tmp_path, "- /proc/cpuinfo", "- /sys/class/iommu")) == []


@pytest.mark.parametrize(
    ("command_line", "asked"),
    [
        ("intel_iommu=on,sm_on", True),
        ("intel_iommu=on intel_iommu=sm_on", True),
        ("intel_iommu=sm_on", True),
        ("intel_iommu=on", False),
        ("intel_iommu=sm_on,off", False),
        ("iommu=sm_on", False),
        ("", False),
    ],
)
def test_scalable_mode_is_advised_only_where_it_was_not_asked_for(
    tmp_path: Path, command_line: str, asked: bool
) -> None:
    (problem,) = device(tmp_path, LIVE, f"/proc/cmdline = {command_line}").problems

    assert problem.what == (PASIDS if asked else "PASIDs are off: the IOMMU is not in scalable mode")
    assert ("# add intel_iommu=on,sm_on" in problem.fix) is not asked


@pytest.mark.parametrize(
    ("distribution", "command"),
    [
        ("debian", "update-grub"),
        ("fedora", "grubby --update-kernel=ALL --args=intel_iommu=on,sm_on"),
        ("suse", "grub2-mkconfig"),
    ],
)
def test_the_command_is_that_of_the_distribution(tmp_path: Path, distribution: str, command: str) -> None:
    (problem,) = device(tmp_path, LIVE, f"/etc/os-release = ID={distribution}").problems

    assert any(line.startswith(command) for line in problem.fix.splitlines())


@pytest.mark.parametrize(
    ("capability", "ending"),
    [("", "which some kernels do not share with the IOMMU"), ("08d2008c40660462", "and the IOMMU knows only four"),
     ("19ed008c40780c66", "which some kernels do not share with the IOMMU")],
)  # fmt: skip
def test_five_levels_of_page_tables_are_told_from_other_reasons(tmp_path: Path, capability: str, ending: str) -> None:
    levels = f"/sys/devices/virtual/iommu/dmar0/intel-iommu/cap = {capability}"

    (problem,) = device(tmp_path, LIVE, ASKED, "/proc/cpuinfo = flags : enqcmd la57", levels).problems

    assert problem.what == f"{PASIDS}: the processor uses page tables of five levels (la57), {ending}"
    assert problem.fix.startswith("# add no5lvl to the options of the kernel")


def test_with_four_levels_asked_for_the_reason_is_another(tmp_path: Path) -> None:
    (problem,) = device(tmp_path, LIVE, f"{ASKED} no5lvl", "/proc/cpuinfo = flags : enqcmd la57").problems

    assert problem.what == PASIDS
    assert problem.fix.startswith("# enable VT-d")


ALTHOUGH = "although intel_iommu=on,sm_on is on the kernel's command line"
OFF = "the IOMMU is off, so the device cannot share memory with a process"


@pytest.mark.parametrize(
    ("changes", "what", "advises"),
    [
        (("/proc/cpuinfo = flags : enqcmd",), OFF, True),
        (("/proc/cpuinfo = flags : enqcmd", ASKED), f"{OFF}, {ALTHOUGH}", False),
        (("/proc/cpuinfo = flags : enqcmd hypervisor",), f"{OFF}: this guest has none", True),
        (("/proc/cpuinfo = flags : enqcmd hypervisor", ASKED), f"{OFF}: this guest has none", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pasids", [LIVE, f"- {IAX}/pasid_enabled"], ids=["off", "unknown"])
def test_an_iommu_that_is_off_is_not_one_in_the_wrong_mode(
    tmp_path: Path, pasids: str, changes: tuple[str, ...], what: str, advises: bool
) -> None:
    (problem,) = device(tmp_path, pasids, "- /sys/class/iommu", *changes).problems

    assert problem.what == what
    assert ("# add intel_iommu=on,sm_on" in problem.fix) is advises


# Nodes, rights, libraries.

LIBRARIES = "library libqpl.so.1 {}\nlibrary libaccel-config.so.1 4.1.6"


@pytest.mark.parametrize(
    ("release", "qpl", "capable", "said"),
    [
        ("6.9.1", "1.5.0", False, "problem"),
        ("6.9.1", "1.6.0", False, None),
        ("6.9.1", "1.5.0", True, None),
        ("6.9.1", "unknown", False, "note"),
        ("6.9.1", "unknown", True, None),
        ("6.8.9", "1.5.0", False, None),
        ("6.8.10", "1.5.0", False, "problem"),
        ("6.6.30", "1.5.0", False, None),
        ("6.6.31", "1.5.0", False, "problem"),
        ("6.1.90", "1.5.0", False, None),
        ("6.1.91", "1.5.0", False, "problem"),
        ("6.7.12", "1.5.0", False, "note"),
        ("6.8.0-31-generic", "1.5.0", False, "note"),
        ("5.14.0-570.el9", "1.5.0", False, "note"),
        ("5.14.0-570.el9", "1.5.0", True, None),
    ],
)
def test_whether_a_queue_may_be_mapped_is_a_matter_of_kernel_library_and_capability(
    tmp_path: Path, release: str, qpl: str, capable: bool, said: str | None
) -> None:
    user = alice() if not capable else type(alice())("alice", 1000, frozenset({0}), None, ALL)

    (found,) = iaa.detect(host(tmp_path, SPR, SAVED, f"kernel {release}", LIBRARIES.format(qpl), user=user))

    assert len(found.problems) == (said == "problem")
    assert len(found.notes) == (said == "note")
    assert said is None or "INTEL-SA-01084" in (*found.problems, *found.notes)[0].what
    assert ("perhaps" in "".join(notes(found))) is (said == "note" and release != "6.9.1")


def test_without_a_libqpl_on_the_host_nothing_is_said_of_what_it_needs(tmp_path: Path) -> None:
    assert problems(device(tmp_path, "library libqat.so.4 24.09.0")) == []


@pytest.mark.parametrize(
    ("distribution", "command"),
    [
        ("ID=debian", "apt-get install libaccel-config1"),
        ("ID=fedora", "dnf install accel-config-libs"),
        ("ID=sles", "zypper install libaccel-config1"),
        ("ID=arch", "# install libaccel-config as this distribution calls it, or build github.com/intel/idxd-config"),
    ],
)
def test_the_library_that_is_missing_has_the_name_that_the_distribution_gave_it(
    tmp_path: Path, distribution: str, command: str
) -> None:
    (problem,) = device(tmp_path, "library libqpl.so.1 1.9.0", f"/etc/os-release = {distribution}").problems

    assert problem.fix == command


@pytest.mark.parametrize(("release", "said"), [("3.5.2", 1), ("4.0", 0), ("4.1.6", 0), ("unknown", 0)])
def test_the_second_generation_needs_a_library_that_knows_it(tmp_path: Path, release: str, said: int) -> None:
    libraries = f"library libqpl.so.1 1.9.0\nlibrary libaccel-config.so.1 {release}"

    assert len(device(tmp_path, libraries, f"{IAX}/version = 0x200").problems) == said
    assert device(tmp_path, libraries, f"{IAX}/version = 0x100").usable


def test_a_group_that_may_open_the_node_is_joined(tmp_path: Path) -> None:
    (problem,) = device(tmp_path, "/dev/iax/wq1.0 0660 0:991").problems

    assert problem.fix == 'usermod -a -G "$(getent group 991 | cut -d: -f1)" alice\n# then log in again'


@pytest.mark.parametrize("owner", ["0640 0:991", "0606 0:991", "0600 0:991"])
def test_a_group_that_may_not_open_the_node_is_not_joined(tmp_path: Path, owner: str) -> None:
    found = iaa.detect(host(tmp_path, SPR, f"/dev/iax/wq1.0 {owner}", user=alice(member=False)))[0]

    assert found.usable is (owner == "0606 0:991") or "chgrp iaa /dev/iax/wq1.0" in found.problems[0].fix


def test_what_the_kernel_forbids_against_the_mode_is_not_put_down_to_the_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = host(tmp_path, SPR)
    monkeypatch.setattr(Host, "permits", lambda self, path: False)

    (problem,) = iaa.detect(there)[0].problems

    assert problem.what == (
        "user alice may not open /dev/iax/wq1.0 although its mode says so: SELinux, a device cgroup or the container"
        " forbids it"
    )
    assert problem.fix.splitlines()[:2] == ["ls -lZ /dev/iax/wq1.0", "ausearch -m avc -ts recent"]


# Containers.


def test_a_container_that_was_given_nothing_is_told_so_of_every_device(tmp_path: Path) -> None:
    devices = iaa.detect(host(tmp_path, SPR, SECOND, "- /dev/iax"))

    assert [problems(found) for found in devices] == [
        ["work queue wq1.0 has no device node /dev/iax/wq1.0"],
        ["work queue wq3.0 has no device node /dev/iax/wq3.0"],
    ]


def test_a_device_of_which_the_container_has_nothing_is_not_ours(tmp_path: Path) -> None:
    devices = iaa.detect(host(tmp_path, SPR, SECOND, "- /dev/iax/wq3.0"))

    assert [(found.name, found.usable, problems(found)) for found in devices] == [
        ("iax1", True, []),
        ("iax3", False, []),
    ]
    assert (devices[1].notes, devices[1].directions) == ((iaa.ELSEWHERE,), frozenset())


# Sockets.


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


# Boots.


def test_nothing_that_was_not_saved_outlives_a_boot(tmp_path: Path) -> None:
    (found,) = iaa.detect(host(tmp_path, SPR, RULE))

    assert notes(found) == [
        "the configuration of iax1 is gone after the next boot: /etc/accel-config/accel-config.conf does not exist"
    ]
    assert found.notes[0].fix == (
        "# once all devices are configured as they are to stay:\n"
        "mkdir -p /etc/accel-config\n"
        "accel-config save-config -s /etc/accel-config/accel-config.conf\n"
        "printf '%s\\n' '[Service]' 'Type=oneshot'"
        " 'ExecStart=/usr/bin/accel-config load-config -e -c /etc/accel-config/accel-config.conf'"
        " '[Install]' 'WantedBy=multi-user.target' > /etc/systemd/system/iaa-queues.service\n"
        "systemctl enable iaa-queues.service"
    )


@pytest.mark.parametrize(
    ("saved", "unit", "lost"),
    [
        ('[{"dev":"iax1"}]', UNIT, f"iax3 is gone after the next boot: {FILE} does not hold it"),
        ('[{"dev":"iax11"},{"dev":"iax3"}]', UNIT, f"iax1 is gone after the next boot: {FILE} does not hold it"),
        (
            '[{"dev":"iax1"},{"dev":"iax3"}]',
            "",
            f"iax1 and iax3 is gone after the next boot: no unit of systemd loads {FILE}",
        ),
        ('[{"dev":"iax1"},{"dev":"iax3"}]', UNIT, None),
        ('[{"dev":"iax1"},{"dev":"iax3"}]', f"{UNIT.partition(' = ')[0]} = ExecStart=/opt/iaa.sh", None),
    ],
)
def test_every_configured_device_is_saved_and_loaded_or_lost(
    tmp_path: Path, saved: str, unit: str, lost: str | None
) -> None:
    first, last = iaa.detect(host(tmp_path, SPR, SECOND, RULE, f"{FILE} = {saved}", unit))

    assert notes(first) == []
    assert notes(last) == ([] if lost is None else [f"the configuration of {lost}"])
    assert lost is None or ("systemctl enable" in last.notes[0].fix) is not bool(unit)


def test_a_saved_configuration_that_this_user_may_not_read_is_not_guessed(tmp_path: Path) -> None:
    (found,) = iaa.detect(host(tmp_path, SPR, RULE, UNIT, f"{FILE} 0600"))

    assert notes(found) == []


def test_configurations_are_saved_after_the_last_device_is_configured(tmp_path: Path) -> None:
    first, last = iaa.detect(host(tmp_path, SPR, SECOND, RULE, f"{OTHER}/iax3/wq3.0/state = disabled"))

    assert [problem.what for problem in last.problems] == ["no work queue is enabled"]
    assert "accel-config save-config" not in "".join(note.fix for note in first.notes)
    assert "accel-config save-config" in last.notes[-1].fix


def test_each_queue_has_a_rule_of_its_own(tmp_path: Path) -> None:
    owners = ("/dev/iax/wq1.0 0660 0:991", "/dev/iax/wq3.0 0660 0:992")
    user = User("alice", 1000, frozenset({991, 992}), None)

    devices = iaa.detect(host(tmp_path, SPR, SECOND, CONFIGURATION, *owners, user=user))

    assert [note.fix.partition(" > ")[2] for found in devices for note in found.notes] == [
        "/etc/udev/rules.d/60-iaa-wq1.0.rules",
        "/etc/udev/rules.d/60-iaa-wq3.0.rules",
    ]


@pytest.mark.parametrize(
    ("owner", "rule", "noted"),
    [
        ("0666 0:0", "", True),
        ("0600 1000:0", "", True),
        ("0660 0:991", "", True),
        ("0660 0:991", 'KERNEL=="iax[/!]wq*"', False),
        ("0660 0:991", 'KERNEL=="dsa/wq*"', True),
        ("0660 0:991", "# nothing about iax", True),
        ("0660 0:991", 'KERNEL=="dsa!wq*|iax!wq1.0"', False),
        ("0660 0:991", 'KERNEL=="iax!wq3.0"', True),
        ("0660 0:991", 'ENV{DEVNAME}=="/dev/iax/*"', False),
    ],
)
@pytest.mark.parametrize("folder", ["/etc/udev/rules.d", "/usr/lib/udev/rules.d"])
def test_a_group_that_only_somebody_gave_to_the_node_does_not_outlive_a_boot(
    tmp_path: Path, folder: str, owner: str, rule: str, noted: bool
) -> None:
    tree = (SPR, CONFIGURATION, f"/dev/iax/wq1.0 {owner}", f"{folder}/90-lab.rules = {rule}")

    (found,) = iaa.detect(host(tmp_path, *tree, user=User("alice", 1000, frozenset({991}), None)))

    said = "who may open its queues is forgotten at the next boot: no rule of udev names them"
    assert notes(found) == [said] * noted
    mode, uid, gid = owner.replace(":", " ").split()
    given = f'OWNER="{uid}", GROUP="{gid}", MODE="{mode}"'
    assert not noted or found.notes[0].fix == (
        f'echo \'SUBSYSTEM=="dsa", KERNEL=="iax[/!]wq1.0", {given}\' > /etc/udev/rules.d/60-iaa-wq1.0.rules'
    )


def test_a_node_as_the_kernel_makes_it_needs_no_rule(tmp_path: Path) -> None:
    root = User("root", 0, frozenset({0}), None, ALL)

    assert notes(iaa.detect(host(tmp_path, SPR, CONFIGURATION, "/dev/iax/wq1.0 0600", user=root))[0]) == []
