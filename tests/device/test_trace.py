"""What a host is asked is kept: enough for the same answers, and nothing that is nobody's business."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from multifd.device.facts import Owner
from multifd.device.recorded_host import RecordedHost
from multifd.device.sysfs import Host
from multifd.device.trace import TracedHost

ALICE = "user alice 1000 991,1000 memlock 8388608"


def traced(root: Path, *lines: str) -> TracedHost:
    """A host that is asked next."""
    RecordedHost.parse("\n".join((ALICE, *lines))).plant(root / "first")
    return TracedHost(root / "first")


def again(root: Path, host: TracedHost) -> Host:
    """The host that its record makes."""
    RecordedHost.parse("\n".join(host.lines())).plant(root / "again")
    return Host(root / "again")


def told(host: TracedHost) -> list[str]:
    """What is kept besides the user."""
    return [line for line in host.lines() if line != ALICE]


def test_what_nobody_asked_is_not_kept(tmp_path: Path) -> None:
    host = traced(tmp_path, "/asked = 1", "/not = 2", "library libqpl.so.1 1.9.0", "listening /run/s", "/dev/n 0600")

    host.text("/asked")

    assert told(host) == ["/asked = 1"]


def test_what_is_not_there_leaves_no_trace(tmp_path: Path) -> None:
    host = traced(tmp_path)

    answers = host.text("/a"), host.link("/b"), host.exists("/c"), host.permits("/d"), host.owner("/e")

    assert answers == (None, None, False, False, None)
    assert (host.listening("/f"), host.library("g"), list(host.find("/h*"))) == (False, None, [])
    assert told(host) == []


def test_links_on_the_way_are_kept_with_what_is_behind_them(tmp_path: Path) -> None:
    host = traced(
        tmp_path, "/bus/d -> ../devices/d", "/devices/d/driver -> ../../drivers/idxd", "/devices/d/state = on"
    )

    assert (host.text("/bus/d/state"), host.link("/bus/d/driver")) == ("on", "idxd")
    assert told(host) == ["/bus/d -> ../devices/d", "/devices/d/driver -> ../../drivers/idxd", "/devices/d/state = on"]
    assert again(tmp_path, host).link("/bus/d/driver") == "idxd"


def test_what_was_found_is_found_again(tmp_path: Path) -> None:
    host = traced(tmp_path, "/sys/wq1.0 0755", "/sys/wq1.1/state = on", "/sys/wq1.2 -> ../far", "/far 0755")

    found = list(host.find("/sys/wq*"))
    host.text("/sys/wq1.1/state")

    assert list(again(tmp_path, host).find("/sys/wq*")) == found == ["/sys/wq1.0", "/sys/wq1.1", "/sys/wq1.2"]


def test_who_may_open_a_node_is_kept(tmp_path: Path) -> None:
    host = traced(tmp_path, "/dev/a 0660 0:991", "/dev/b 0600 0:0")

    assert [host.permits(node) for node in ("/dev/a", "/dev/b")] == [True, False]
    assert host.owner("/dev/a") == Owner(0o660, 0, 991)
    assert told(host) == ["/dev/a 0660 0:991", "/dev/b 0600 0:0"]


@pytest.mark.parametrize(("permitted", "mode"), [(True, "0600 0:0"), (False, "0666 0:0")])
def test_what_the_kernel_knows_better_than_the_mode_is_kept_as_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, permitted: bool, mode: str
) -> None:
    host = traced(tmp_path, f"/dev/a {mode}")
    with monkeypatch.context() as patch:
        patch.setattr(Host, "permits", lambda self, path: permitted)
        host.permits("/dev/a")

    assert again(tmp_path, host).permits("/dev/a") is permitted


def test_a_file_that_this_user_may_not_read_is_kept_as_such(tmp_path: Path) -> None:
    host = traced(tmp_path, "/x = secret", "/x 0400 0:0")

    assert host.text("/x") is None
    assert told(host) == ["/x 0400 0:0"]
    assert (again(tmp_path, host).text("/x"), again(tmp_path, host).exists("/x")) == (None, True)


@pytest.mark.parametrize("asked", ["/debug/qat/x", "/debug/link/x"])
def test_of_what_is_behind_a_closed_directory_the_directory_is_kept(tmp_path: Path, asked: str) -> None:
    host = traced(tmp_path, "/debug 0700 0:0", "/debug/qat/x = 1", "/debug/link -> qat")

    assert (host.text(asked), host.exists(asked), list(host.find("/debug/*"))) == (None, True, [])
    assert told(host) == ["/debug 0700 0:0"]
    assert again(tmp_path, host).exists(asked)


def test_sockets_are_kept_by_whether_somebody_answers(tmp_path: Path) -> None:
    host = traced(tmp_path, "listening /run/a", "/run/b 0666", "listening /run/c", "/run/c 0660 0:0")

    answers = [host.listening(f"/run/{name}") for name in "abc"]

    assert [again(tmp_path, host).listening(f"/run/{name}") for name in "ab"] == answers[:2] == [True, False]
    assert answers[2] is None
    assert again(tmp_path, host).permits("/run/c") is False


def test_versions_of_libraries_are_kept(tmp_path: Path) -> None:
    host = traced(tmp_path, "library libqpl.so.1 1.9.0", "library libqat.so.4 24.09.0")

    host.library("libqpl.so.1")

    assert told(host) == ["library libqpl.so.1 1.9.0"]


@pytest.mark.parametrize(
    ("path", "content", "kept"),
    [
        (
            "/proc/cmdline",
            "BOOT_IMAGE=/vmlinuz root=UUID=424d-5ad hostname=lab7 intel_iommu=on,sm_on iommu=pt no5lvl"
            " vfio-pci.ids=8086:4941 idxd.sva=0 qat_4xxx.x=1 ip=10.0.0.7",
            "intel_iommu=on,sm_on iommu=pt no5lvl vfio-pci.ids=8086:4941 idxd.sva=0 qat_4xxx.x=1",
        ),
        (
            "/proc/cpuinfo",
            r"processor : 0\nmodel name : X\nserial : 77\nflags : fpu enqcmd\nflags : fpu enqcmd",
            "flags : fpu enqcmd",
        ),
        ("/etc/os-release", r"NAME=Lab\nID=debian\nID_LIKE=x\nHOME_URL=http://lab.example", r"ID=debian\nID_LIKE=x"),
        (
            "/boot/config-6.8",
            r"CONFIG_INTEL_IDXD=m\n# CONFIG_INTEL_IDXD_PERFMON is not set\nCONFIG_DEFAULT_HOSTNAME=lab",
            r"CONFIG_INTEL_IDXD=m\n# CONFIG_INTEL_IDXD_PERFMON is not set",
        ),
        (
            "/etc/systemd/system/multi-user.target.wants/lab.service",
            r"[Service]\nEnvironment=TOKEN=1\nExecStart=/usr/bin/accel-config load-config",
            "ExecStart=/usr/bin/accel-config load-config",
        ),
        (
            "/etc/udev/rules.d/70-net.rules",
            r'ATTR{address}=="52:54:00:12:34:56", NAME="lan"\nKERNEL=="iax[/!]wq*", MODE="0660"',
            'KERNEL=="iax[/!]wq*", MODE="0660"',
        ),
        ("/proc/self/environ", "TOKEN=1\x00QAT_POLICY=1\x00HOME=/root", "QAT_POLICY=1"),
        ("/etc/sysconfig/qat", "ServicesEnabled=dc", "ServicesEnabled=dc"),
    ],
)
def test_of_files_that_say_more_only_what_matters_is_kept(tmp_path: Path, path: str, content: str, kept: str) -> None:
    host = traced(tmp_path, f"{path} = {content}")

    host.text(path)

    assert told(host) == [f"{path} = {kept}"]


def test_of_processes_only_qatmgr_is_kept(tmp_path: Path) -> None:
    host = traced(
        tmp_path,
        "/proc/1/comm = systemd", "/proc/7/comm = qatmgr", "/proc/7/cmdline = /usr/sbin/qatmgr --policy=0 /x",
        "/proc/8/cmdline = /opt/payroll --for qatmgr",
    )  # fmt: skip

    for path in host.find("/proc/[0-9]*/c*"):
        host.text(path)

    assert told(host) == ["/proc/7/cmdline = /usr/sbin/qatmgr --policy=0 /x", "/proc/7/comm = qatmgr"]


def test_a_live_host_can_be_traced(tmp_path: Path) -> None:
    node, answered = tmp_path / "node", tmp_path / "socket"
    node.write_text("content")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(answered))
        server.listen()
        live = TracedHost()

        assert (live.text(str(node)), live.permits(str(node)), live.listening(str(answered))) == ("content", True, True)

    same = again(tmp_path, live)
    assert (same.text(str(node)), same.permits(str(node)), same.listening(str(answered))) == ("content", True, True)
    assert same.user == live.user
    assert same.user.uid == os.geteuid()
