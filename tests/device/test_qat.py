"""QAT: every way between a physical function and libqat, whole and broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.device import qat
from multifd.device.found import BOTH, Problem
from multifd.device.qat_generation import GENERATIONS, Generation
from tests.device.recorded import GEN4, GUEST, PF_DIR, VF_DIR
from tests.device.trees import MIB, alice, host

PF = "/sys/bus/pci/devices/0000:6b:00.0"
VF = "/sys/bus/pci/devices/0000:6b:00.1"


def virtual(address: str, group: int) -> str:
    """A virtual function of the first physical one, on vfio-pci."""
    path = f"{PF_DIR.rpartition('/')[0]}/{address}"
    return "\n".join(
        (
            f"/sys/bus/pci/devices/{address} -> ../../../devices/pci0000:6b/{address}",
            f"{path}/vendor = 0x8086",
            f"{path}/device = 0x4941",
            f"{path}/physfn -> ../0000:6b:00.0",
            f"{path}/driver -> ../../../bus/pci/drivers/vfio-pci",
            f"{path}/iommu_group -> ../../../kernel/iommu_groups/{group}",
            f"/dev/vfio/{group} 0660",
        )
    )


def test_a_4xxx_with_a_virtual_function_on_vfio_pci_is_usable(tmp_path: Path) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4))

    assert device.usable
    assert (device.name, device.pci) == ("4xxx", "0000:6b:00.0")
    assert device.nodes == ("/dev/vfio/312",)
    assert device.facts == {
        "driver": "4xxx",
        "stack": "vfio",
        "services": "dc",
        "virtual functions": "1",
        "processes": "1 at a time",
    }
    assert (device.directions, device.processes, device.notes) == (BOTH, 1, ())


@pytest.mark.parametrize("services", ["dc", "dcc", "sym;dc", "asym;dc", "dc;decomp", "sym;asym;dc"])
def test_every_service_with_compression_will_do(tmp_path: Path, services: str) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, f"{PF_DIR}/qat/cfg_services = {services}"))

    assert device.usable


def test_a_function_that_was_given_to_a_guest_is_usable_there(tmp_path: Path) -> None:
    (device,) = qat.detect(host(tmp_path, GUEST))

    assert device.usable
    assert (device.name, device.nodes) == ("4xxxvf", ("/dev/vfio/4",))


@pytest.mark.parametrize("generation", GENERATIONS, ids=lambda generation: generation.name)
def test_every_generation_is_known_by_its_id(tmp_path: Path, generation: Generation) -> None:
    path = "/sys/bus/pci/devices/0000:6b:00.0"
    tree = f"{path}/vendor = 0x8086\n{path}/device = {generation.physical:#06x}"

    (device,) = qat.detect(host(tmp_path, tree))

    assert device.name == generation.name
    assert device.problems == (Problem("no driver is bound to it", f"modprobe {generation.module}"),)


RESTART = (
    "# first end what uses QAT: a qatmgr that starts leaves out virtual functions that somebody has open\n"
    "systemctl restart qat"
)
KEPT = (
    "# from its next start on, qat.service gives them to every QAT device of this host:\n"
    "mkdir -p /etc/sysconfig && touch /etc/sysconfig/qat\n"
    "sed -i '/ServicesEnabled=/d' /etc/sysconfig/qat\n"
    "echo ServicesEnabled=dc >> /etc/sysconfig/qat\n"
)

BROKEN = {
    "driver not bound": (
        f"- {PF_DIR}/driver",
        "no driver is bound to it",
        "modprobe qat_4xxx",
    ),
    "whole device given away": (
        f"{PF_DIR}/driver -> ../../../bus/pci/drivers/vfio-pci",
        "driver vfio-pci is bound to it instead of 4xxx",
        "# whoever uses it through vfio-pci (a guest, DPDK) loses it:\n"
        "modprobe qat_4xxx\n"
        "echo 0000:6b:00.0 > /sys/bus/pci/drivers/vfio-pci/unbind\n"
        f"echo 4xxx > {PF}/driver_override\n"
        "echo 0000:6b:00.0 > /sys/bus/pci/drivers/4xxx/bind",
    ),
    "crypto only": (
        f"{PF_DIR}/qat/cfg_services = asym",
        "its service is asym, which does not compress",
        "# this takes asym from whoever uses it here (IPsec, TLS, disks); where the kernel takes it,"
        " asym;dc instead of dc keeps asym\n"
        "systemctl stop qat\n"
        f"echo down > {PF}/qat/state\n"
        f"echo dc > {PF}/qat/cfg_services\n"
        f"echo up > {PF}/qat/state\n"
        f"{KEPT}"
        "systemctl start qat",
    ),
    "down": (
        f"{PF_DIR}/qat/state = down",
        "it is down",
        f"echo up > {PF}/qat/state\n{RESTART}",
    ),
    "down for crypto": (  # a second "down" would be refused
        f"{PF_DIR}/qat/cfg_services = sym\n{PF_DIR}/qat/state = down",
        "its service is sym, which does not compress",
        "# this takes sym from whoever uses it here (IPsec, TLS, disks); where the kernel takes it,"
        " sym;dc instead of dc keeps sym\n"
        "systemctl stop qat\n"
        f"echo dc > {PF}/qat/cfg_services\n"
        f"echo up > {PF}/qat/state\n"
        f"{KEPT}"
        "systemctl start qat",
    ),
    "settings elsewhere": (  # a distribution may put them where its own are
        f"{PF_DIR}/qat/cfg_services = sym\n"
        "/usr/lib/systemd/system/qat.service = [Service]\\nEnvironmentFile=-/etc/default/qat",
        "its service is sym, which does not compress",
        "# this takes sym from whoever uses it here (IPsec, TLS, disks); where the kernel takes it,"
        " sym;dc instead of dc keeps sym\n"
        "systemctl stop qat\n"
        f"echo down > {PF}/qat/state\n"
        f"echo dc > {PF}/qat/cfg_services\n"
        f"echo up > {PF}/qat/state\n"
        f"{KEPT.replace('/etc/sysconfig', '/etc/default')}"
        "systemctl start qat",
    ),
    "no virtual functions": (
        f"- {PF_DIR}/virtfn0\n{PF_DIR}/sriov_totalvfs = 8",
        "it has no virtual functions, and libqat works on nothing else",
        f"# the kernel's own use of it (crypto API) ends with this:\necho 8 > {PF}/sriov_numvfs\n{RESTART}",
    ),
    "no SR-IOV": (
        f"- {PF_DIR}/virtfn0\n- {PF_DIR}/sriov_totalvfs",
        "it can have no virtual functions",
        "# SR-IOV must be enabled in the BIOS; then reboot",
    ),
    "no IOMMU": (
        f"- {PF_DIR}/virtfn0\n- {PF_DIR}/iommu_group\n/etc/os-release = ID=fedora",
        "the IOMMU is off, so there can be no virtual functions for libqat",
        "# VT-d must be enabled in the BIOS\ngrubby --update-kernel=ALL --args=intel_iommu=on\n# then reboot",
    ),
    "no IOMMU although it was asked for": (  # with what IAA needs, which must not go
        f"- {PF_DIR}/virtfn0\n- {PF_DIR}/iommu_group\n/proc/cmdline = ro intel_iommu=on,sm_on quiet",
        "the IOMMU is off, so there can be no virtual functions for libqat",
        "# VT-d must be enabled in the BIOS: intel_iommu=on is set already",
    ),
    "VF without a driver": (
        f"- {VF_DIR}/driver",
        "no virtual function is bound to vfio-pci (0000:6b:00.1: no driver)",
        "modprobe vfio-pci\n"
        f"echo vfio-pci > {VF}/driver_override\n"
        "echo 0000:6b:00.1 > /sys/bus/pci/drivers/vfio-pci/bind\n"
        "# systemctl restart qat does it for all virtual functions",
    ),
    "node of root alone": (  # what remains when SELinux denies qat_init.sh: fedora-selinux/selinux-policy issues/3182
        "/dev/vfio/312 0600",
        "user alice may not open /dev/vfio/312",
        "chgrp qat /dev/vfio/312\nchmod g+rw /dev/vfio/312\nusermod -a -G qat alice\n# then log in again",
    ),
}


@pytest.mark.parametrize(("change", "what", "fix"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_named_with_the_commands_that_mend_it(
    tmp_path: Path, change: str, what: str, fix: str
) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, change))

    assert device.problems == (Problem(what, fix),)
    assert not device.usable


ALONE = {
    "no qatmgr": (
        "- /run/qat",
        "no qatmgr runs (/run/qat/qatmgr.sock does not exist)",
        "systemctl enable qat\nsystemctl restart qat\n",
    ),
    "no qatmgr on Debian": (
        "- /run/qat\n/etc/os-release = ID=ubuntu\\nID_LIKE=debian",
        "no qatmgr runs (/run/qat/qatmgr.sock does not exist)",
        "apt install qatlib-service\nsystemctl enable qat\nsystemctl restart qat\n",
    ),
    "no qatmgr on Fedora": (
        "- /run/qat\n/etc/os-release = ID=fedora",
        "no qatmgr runs (/run/qat/qatmgr.sock does not exist)",
        "dnf install qatlib-service\nsystemctl enable qat\nsystemctl restart qat\n",
    ),
    "qatmgr gone": (
        "- /run/qat\n/run/qat/qatmgr.sock 0660",
        "no qatmgr runs (/run/qat/qatmgr.sock was left behind)",
        "systemctl enable qat\nsystemctl restart qat\n",
    ),
    "qatmgr closed": (
        "/run/qat/qatmgr.sock 0600",
        "user alice may not talk to qatmgr (/run/qat/qatmgr.sock)",
        "usermod -a -G qat alice\n# then log in again\n",
    ),
    "qatmgr hidden": (  # whether it runs is not known then, and this user has none of it
        "/run/qat 0700",
        "user alice may not talk to qatmgr (/run/qat/qatmgr.sock)",
        "usermod -a -G qat alice\n# then log in again\n",
    ),
}


@pytest.mark.parametrize(("change", "why", "fix"), ALONE.values(), ids=ALONE)
def test_without_qatmgr_libqat_works_alone_and_that_is_noted(tmp_path: Path, change: str, why: str, fix: str) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, change))

    assert (device.usable, device.processes) == (True, 1)
    assert device.notes == (
        Problem(
            f"{why}: a process takes up to 6 virtual functions for itself, so 1 can run at a time",
            f"{fix}# with QAT_POLICY=1 in its environment a process takes one",
        ),
    )


def test_a_process_that_works_alone_leaves_out_what_is_closed_to_it(tmp_path: Path) -> None:
    second = f"{PF_DIR}/virtfn1 -> ../0000:6b:00.2\n" + virtual("0000:6b:00.2", 313) + "\n/dev/vfio/313 0600"

    (device,) = qat.detect(host(tmp_path, GEN4, second, "- /run/qat\n/run/qat/qatmgr.sock 0660"))

    assert (device.usable, device.processes, len(device.notes)) == (True, 1, 1)
    assert device.notes[0].what.startswith("no qatmgr runs (/run/qat/qatmgr.sock was left behind)")


def test_of_functions_that_no_driver_has_the_first_is_named(tmp_path: Path) -> None:
    second = f"{PF_DIR}/virtfn1 -> ../0000:6b:00.2\n" + virtual("0000:6b:00.2", 313)
    unbound = f"- {VF_DIR}/driver\n- {VF_DIR.replace('00.1', '00.2')}/driver"

    (device,) = qat.detect(host(tmp_path, GEN4, second, unbound))

    assert [problem.what for problem in device.problems] == [
        "no virtual function is bound to vfio-pci (0000:6b:00.1: no driver)"
    ]


def test_a_function_without_a_node_here_belongs_to_others(tmp_path: Path) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, "- /dev/vfio/312"))

    assert (device.usable, device.directions, device.problems) == (False, frozenset(), ())
    assert [note.what for note in device.notes] == [
        "none of its virtual functions has a node here: they belong to others"
    ]


KEEPING = {
    "the default of its number": (
        "- /etc/sysconfig/qat",
        "dc was set by hand: after the next boot it does sym;asym again",
    ),
    "settings without services": (
        "/etc/sysconfig/qat = POLICY=0\\n#ServicesEnabled=",
        "dc was set by hand: after the next boot it does sym;asym again",
    ),
    "other services": (
        "/etc/sysconfig/qat = ServicesEnabled=sym;asym",
        "/etc/sysconfig/qat says ServicesEnabled=sym;asym: at the next start of qat.service it does that",
    ),
    "services twice": (  # awk in qat_init.sh takes comments, too
        "/etc/sysconfig/qat = #ServicesEnabled=dc\\nServicesEnabled=dc",
        "/etc/sysconfig/qat says ServicesEnabled= 2 times, so that qat.service sets nothing at its next start",
    ),
}


@pytest.mark.parametrize(("change", "what"), KEEPING.values(), ids=KEEPING)
def test_what_the_next_boot_takes_away_is_noted_with_the_commands_that_keep_it(
    tmp_path: Path, change: str, what: str
) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, change))

    assert device.usable
    assert device.notes == (Problem(what, KEPT.removesuffix("\n")),)


def test_every_second_device_compresses_by_default_and_stays_so(tmp_path: Path) -> None:
    second, third = (GEN4.replace("6b", bus).replace("312", group) for bus, group in (("70", "329"), ("e8", "346")))

    devices = qat.detect(host(tmp_path, GEN4, second, third, "- /etc/sysconfig/qat"))

    assert [bool(device.notes) for device in devices] == [True, False, True]


@pytest.mark.parametrize("change", ["/etc/sysconfig/qat 0640 0:77", "/etc/sysconfig 0700 0:77"])
def test_settings_that_this_user_may_not_read_are_not_guessed(tmp_path: Path, change: str) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, change))

    assert (device.usable, device.notes) == (True, ())


def test_a_device_that_only_decompresses_keeps_doing_so_where_that_is_set(tmp_path: Path) -> None:
    services = f"{PF_DIR}/qat/cfg_services = decomp\n/etc/sysconfig/qat = ServicesEnabled=decomp"

    (device,) = qat.detect(host(tmp_path, GEN4, services))

    assert (device.usable, device.directions) == (True, frozenset({"receiver"}))
    assert [note.what.partition(":")[0] for note in device.notes] == [
        "its services are decomp, which decompress and do not compress"
    ]


def test_what_only_decompresses_is_not_told_to_stay_so_by_another_note(tmp_path: Path) -> None:
    services = f"{PF_DIR}/qat/cfg_services = sym;decomp\n- /etc/sysconfig/qat"

    (device,) = qat.detect(host(tmp_path, GEN4, services))

    (note,) = device.notes
    assert note.what.startswith("its services are sym;decomp")
    assert note.fix.startswith("# this interrupts whoever uses sym here (IPsec, TLS, disks)\n")


@pytest.mark.parametrize("change", ["- /etc/sysconfig/qat", "/etc/sysconfig/qat = ServicesEnabled=sym;asym"])
def test_compression_of_one_device_is_not_kept_at_the_cost_of_anothers_crypto(tmp_path: Path, change: str) -> None:
    crypto = GEN4.replace("6b", "70").replace("312", "329").replace("cfg_services = dc", "cfg_services = sym;asym")

    first, second = qat.detect(host(tmp_path, GEN4, crypto, change))

    assert "leave it so" in second.notes[0].fix
    (note,) = first.notes
    assert "takes sym;asym from whoever uses it" in note.fix
    assert "ServicesEnabled=dc" not in note.fix
    assert all(line.startswith("# ") for line in note.fix.splitlines())
    assert f"# echo dc > {PF}/qat/cfg_services" in note.fix


def test_the_node_of_its_memory_is_a_fact_where_there_are_several(tmp_path: Path) -> None:
    (here,) = qat.detect(host(tmp_path / "one", GEN4, f"{PF_DIR}/numa_node = 0"))
    (nowhere,) = qat.detect(host(tmp_path / "none", GEN4, f"{PF_DIR}/numa_node = -1"))

    assert here.facts["NUMA node"] == "0"
    assert "NUMA node" not in nowhere.facts


def test_a_function_that_is_down_and_has_no_virtual_ones_is_only_down(tmp_path: Path) -> None:
    change = f"{PF_DIR}/qat/state = down\n- {PF_DIR}/virtfn0"

    (device,) = qat.detect(host(tmp_path, GEN4, change))

    assert [problem.what for problem in device.problems] == ["it is down"]


def test_a_section_that_holds_a_closed_function_of_another_device_serves_nobody(tmp_path: Path) -> None:
    closed = GEN4.replace("6b", "70").replace("312", "329") + "/dev/vfio/329 0600"

    first, second = qat.detect(host(tmp_path, GEN4, closed))

    assert [problem.what for problem in first.problems] == [
        "qatmgr gives every process a virtual function that user alice may not open"
    ]
    assert "chgrp qat /dev/vfio/329\n" in first.problems[0].fix
    assert [problem.what for problem in second.problems] == ["user alice may not open /dev/vfio/329"]


def test_a_device_with_fewer_functions_than_another_leaves_some_processes_without(tmp_path: Path) -> None:
    other = GEN4.replace("6b", "70").replace("312", "329").replace("cfg_services = dc", "cfg_services = sym")
    more = f"{PF_DIR.replace('6b', '70')}/virtfn1 -> ../0000:70:00.2\n" + virtual("0000:6b:00.2", 330).replace(
        "6b", "70"
    )

    first, _ = qat.detect(host(tmp_path, GEN4, other, more))

    assert (first.processes, [note.what for note in first.notes]) == (
        1,
        ["POLICY=0 gives 1 of 2 processes no virtual function that compresses"],
    )
    assert first.notes[0].fix.startswith("# first end what uses QAT")


def test_a_library_of_another_stack_does_not_fit(tmp_path: Path) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, "library libqat_s.so 1.2.30"))

    assert device.problems == (
        Problem(
            "libqat_s.so is that of Intel's driver package, and the kernel's own driver runs: it needs qatlib's"
            " libqat.so.4",
            "# install qatlib, and a libqatzip that is linked to it",
        ),
    )


def test_both_libraries_side_by_side_leave_the_choice(tmp_path: Path) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, "library libqat_s.so 1.2.30\nlibrary libqat.so.4 26.08.0"))

    assert device.usable


@pytest.mark.parametrize(
    ("library", "manager", "usable"),
    [
        ("26.08.1", "26.08", True),
        ("26.02.0", "26.08", False),
        ("25.08.0", "26.08", False),
        ("unknown", "26.08", True),
        ("26.08.0", "unknown", True),
    ],
)
def test_library_and_manager_are_of_one_release(tmp_path: Path, library: str, manager: str, usable: bool) -> None:
    facts = f"library libqat.so.4 {library}\nlibrary qatmgr {manager}"

    (device,) = qat.detect(host(tmp_path, GEN4, facts))

    assert device.usable is usable


ERRATA = {
    "another domain": ("24.02.0", "", "0001", True),
    "another domain, mended": ("24.09.0", "", "0001", False),
    "another domain, long mended": ("26.08.0", "", "0001", False),
    "huge pages, closed": ("25.08.0", "/dev/hugepages 0755", "0000", True),
    "huge pages, closed, mended": ("26.02.0", "/dev/hugepages 0755", "0000", False),
    "huge pages, open": ("25.08.0", "/dev/hugepages 0777", "0000", False),
    "huge pages, all taken": ("26.02.0", "/dev/hugepages 0777\n{free} = 0", "0000", True),
    "huge pages, all taken, mended": ("26.08.0", "/dev/hugepages 0777\n{free} = 0", "0000", False),
    "huge pages, all taken, long mended": ("27.02.0", "/dev/hugepages 0777\n{free} = 0", "0000", False),
    "huge pages, all taken, first": ("25.08.0", "/dev/hugepages 0777\n{free} = 0", "0000", True),
    "huge pages, all taken, before": ("24.09.0", "/dev/hugepages 0777\n{free} = 0", "0000", False),
}


@pytest.mark.parametrize(("library", "change", "domain", "broken"), ERRATA.values(), ids=ERRATA)
def test_known_breaks_are_of_some_releases_and_some_hosts(
    tmp_path: Path, library: str, change: str, domain: str, broken: bool
) -> None:
    pages = "/sys/kernel/mm/hugepages/hugepages-2048kB"
    tree = GEN4.replace("0000:6b", f"{domain}:6b")
    facts = f"library libqat.so.4 {library}\n{pages}/nr_hugepages = 8\n{pages}/free_hugepages = 8"

    (device,) = qat.detect(host(tmp_path, tree, facts, change.format(free=f"{pages}/free_hugepages")))

    assert device.usable is not broken


def test_a_host_without_huge_pages_meets_none_of_their_breaks(tmp_path: Path) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, "library libqat.so.4 25.08.0\n/dev/hugepages 0755"))

    assert device.usable


def test_a_low_limit_of_locked_memory_is_named_with_what_is_needed(tmp_path: Path) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, user=alice(memlock=8 * MIB)))

    assert device.problems == (
        Problem(
            "user alice may lock 8192 KiB of memory, libqat needs at least 16384 KiB",
            "echo 'alice - memlock 500000' > /etc/security/limits.d/qat.conf\n"
            "# that serves login shells: log in again, and ulimit -l shows 500000\n"
            "# a systemd service and a CI runner read no limits.conf: LimitMEMLOCK=500000K in their unit\n"
            "# a container needs --ulimit memlock, a pod the capability IPC_LOCK",
        ),
    )


def test_what_many_functions_need_is_more_than_what_is_recommended(tmp_path: Path) -> None:
    many = "\n".join(
        f"{PF_DIR}/virtfn{number} -> ../0000:6b:{number >> 3:02x}.{number & 7}\n"
        + virtual(f"0000:6b:{number >> 3:02x}.{number & 7}", 400 + number)
        for number in range(2, 48)
    )

    (device,) = qat.detect(
        host(tmp_path, GEN4, many, "/proc/1402/cmdline = qatmgr --policy=40", user=alice(memlock=639 * MIB))
    )

    assert device.problems[0].what == "user alice may lock 654336 KiB of memory, libqat needs at least 655360 KiB"
    assert "memlock 655360" in device.problems[0].fix


@pytest.mark.parametrize("change", ["", "- /run/qat"])
def test_exactly_the_memory_that_is_needed_is_enough(tmp_path: Path, change: str) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, change, user=alice(memlock=16 * MIB)))

    assert device.usable


def test_a_user_outside_the_group_reaches_neither_function_nor_manager(tmp_path: Path) -> None:
    (device,) = qat.detect(host(tmp_path, GEN4, user=alice(member=False)))

    assert [problem.what for problem in device.problems] == ["user alice may not open /dev/vfio/312"]


def test_enough_locked_memory_is_one_share_for_every_physical_function(tmp_path: Path) -> None:
    second = GEN4.replace("6b", "70").replace("312", "329")

    devices = qat.detect(host(tmp_path, GEN4, second, user=alice(memlock=31 * MIB)))

    assert [device.problems[0].what for device in devices] == [
        "user alice may lock 31744 KiB of memory, libqat needs at least 32768 KiB"
    ] * 2


def test_one_virtual_function_that_can_be_opened_is_enough(tmp_path: Path) -> None:
    second = f"{PF_DIR}/virtfn1 -> ../0000:6b:00.2"

    (device,) = qat.detect(host(tmp_path, GEN4, second))

    assert device.usable
    assert device.facts["virtual functions"] == "2"


def test_problems_that_do_not_hide_each_other_are_all_named(tmp_path: Path) -> None:
    changes = f"{PF_DIR}/qat/cfg_services = sym\n/dev/vfio/312 0600\n- /run/qat"

    (device,) = qat.detect(host(tmp_path, GEN4, changes, user=alice(memlock=0)))

    assert [problem.what for problem in device.problems] == [
        "its service is sym, which does not compress",
        "user alice may not open /dev/vfio/312",
        "user alice may lock 0 KiB of memory, libqat needs at least 16384 KiB",
    ]


def test_a_guest_without_qatmgr_is_told_so_unless_something_is_wrong(tmp_path: Path) -> None:
    (works,) = qat.detect(host(tmp_path / "works", GUEST, "- /run/qat"))
    (closed,) = qat.detect(host(tmp_path / "closed", GUEST, "- /run/qat\n/dev/vfio/4 0600"))

    assert [(device.usable, len(device.notes)) for device in (works, closed)] == [(True, 1), (False, 0)]


def test_a_guest_without_an_iommu_cannot_bind_its_function(tmp_path: Path) -> None:
    path = "/sys/devices/pci0000:00/0000:00:06.0"

    (device,) = qat.detect(host(tmp_path, GUEST, f"- {path}/iommu_group\n- {path}/driver\n- /dev/vfio"))

    assert device.problems == (
        Problem(
            "there is no IOMMU, so vfio-pci takes no function",
            "# give the guest one: -device intel-iommu,intremap=on,caching-mode=on with kernel-irqchip=split in QEMU,\n"
            "# <iommu model='intel'/> in libvirt, and intel_iommu=on to the kernel in it",
        ),
    )


def test_a_guest_with_an_old_function_needs_intels_driver_for_it(tmp_path: Path) -> None:
    old = "/sys/devices/pci0000:00/0000:00:06.0/device = 0x37c9"

    (device,) = qat.detect(host(tmp_path, GUEST, old))

    assert device.name == "c62xvf"
    assert [problem.what for problem in device.problems] == ["driver vfio-pci is bound to it instead of c6xxvf"]


def test_other_functions_of_intel_are_not_accelerators(tmp_path: Path) -> None:
    network = f"{PF_DIR}/device = 0x1521\n{VF_DIR}/device = 0x1520"

    assert qat.detect(host(tmp_path, GEN4, network)) == ()
