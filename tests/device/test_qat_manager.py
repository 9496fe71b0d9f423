"""qatmgr: whom it answers, of which release it is, and what it gives to each process."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from multifd.device import qat_release
from multifd.device.pci import Function
from multifd.device.qat_manager import Manager, release_of
from multifd.device.qat_release import ask_release
from multifd.device.sysfs import Host
from tests.device.trees import host

SOCKET = "/run/qat/qatmgr.sock 0660\nlistening /run/qat/qatmgr.sock"


def functions(*addresses: str) -> list[Function]:
    return [Function(address, 0x4941, "vfio-pci", "1") for address in addresses]


def addresses(sections: tuple[tuple[Function, ...], ...]) -> list[list[str]]:
    return [[function.address for function in section] for section in sections]


def test_with_policy_0_each_process_has_one_function_of_every_device() -> None:
    vfs = functions("0000:6b:00.1", "0000:6b:00.2", "0000:6b:01.0", "0000:e8:00.1", "0000:e8:00.2")

    assert addresses(Manager("answers", 0, None).sections(vfs)) == [
        ["0000:6b:01.0"],
        ["0000:6b:00.1", "0000:e8:00.1"],
        ["0000:6b:00.2", "0000:e8:00.2"],
    ]


def test_devices_of_two_domains_are_two() -> None:
    vfs = functions("0000:6b:00.1", "0001:6b:00.1", "0000:6b:00.2")

    assert addresses(Manager("answers", 0, None).sections(vfs)) == [["0000:6b:00.1", "0001:6b:00.1"], ["0000:6b:00.2"]]


def test_devices_of_two_buses_are_two_in_one_domain() -> None:
    vfs = functions("0001:70:00.1", "0001:6b:00.1")

    assert addresses(Manager("answers", 0, None).sections(vfs)) == [["0001:6b:00.1", "0001:70:00.1"]]


def test_with_policy_n_each_process_has_n_functions_by_number_over_all_devices() -> None:
    vfs = functions("0000:6b:00.1", "0000:6b:00.2", "0000:e8:00.1", "0000:e8:00.2", "0000:e8:00.3")

    assert addresses(Manager("answers", 2, None).sections(vfs)) == [
        ["0000:6b:00.1", "0000:e8:00.1"],
        ["0000:6b:00.2", "0000:e8:00.2"],
    ]


def test_as_many_as_there_are_is_one_process_and_more_is_none() -> None:
    vfs = functions("0000:6b:00.1", "0000:6b:00.2")

    assert [len(Manager("answers", policy, None).sections(vfs)) for policy in (1, 2, 3)] == [2, 1, 0]


@pytest.mark.parametrize("reach", ["absent", "silent", "closed"])
def test_without_qatmgr_a_process_takes_six(reach: str) -> None:
    vfs = functions(*(f"0000:6b:{number >> 3:02x}.{number & 7}" for number in range(1, 9)))

    sections = Manager(reach, 0, None).sections(vfs)  # type: ignore[arg-type]

    assert [len(section) for section in sections] == [6, 2]


@pytest.mark.parametrize(
    ("tree", "reach"),
    [
        (SOCKET, "answers"),
        ("/run/qat/qatmgr.sock 0660", "silent"),
        ("/run/qat/qatmgr.sock 0600\nlistening /run/qat/qatmgr.sock", "closed"),
        ("/run/qat 0700", "closed"),
        ("", "absent"),
    ],
)
def test_whether_this_user_reaches_it(tmp_path: Path, tree: str, reach: str) -> None:
    assert Manager.of(host(tmp_path, tree)).reach == reach


def test_a_socket_that_the_kernel_lets_nobody_ask_is_closed(tmp_path: Path) -> None:
    class Refused(Host):
        def listening(self, path: str) -> bool | None:
            return None

    planted = host(tmp_path, "/run/qat/qatmgr.sock 0660")

    assert Manager.of(Refused(planted.root, planted.user)).reach == "closed"


POLICIES = {
    "of the process": (
        "/run/qat/qatmgr.pid = 7\n/proc/7/cmdline = /usr/sbin/qatmgr --policy=3\n/etc/sysconfig/qat = POLICY=2",
        3,
    ),
    "of the settings, the last one": (
        "/run/qat/qatmgr.pid = 7\n/proc/7/cmdline = qatmgr\n/etc/sysconfig/qat = POLICY=2\\n#POLICY=9\\nPOLICY=4",
        4,
    ),
    "of others": ("/run/qat/qatmgr.pid = 8\n/proc/7/cmdline = qatmgr-watch --policy=3", 0),
    "of nobody": ("/etc/sysconfig/qat = #POLICY=", 0),
}


@pytest.mark.parametrize(("tree", "policy"), POLICIES.values(), ids=POLICIES)
def test_the_policy_is_that_of_the_process_before_that_of_the_settings(tmp_path: Path, tree: str, policy: int) -> None:
    assert Manager.of(host(tmp_path, tree)).policy == policy


def test_the_release_of_a_record_is_among_its_libraries(tmp_path: Path) -> None:
    assert Manager.of(host(tmp_path / "runs", SOCKET, "library qatmgr 24.02")).release == "24.02"
    assert Manager.of(host(tmp_path / "gone", "/run/qat/qatmgr.sock 0660", "library qatmgr 24.02")).release is None
    assert Manager.of(host(tmp_path / "shut", SOCKET.replace("0660", "0600"), "library qatmgr 24.02")).release is None


@pytest.mark.parametrize(
    ("version", "release"),
    [("26.08.0-2", (26, 8)), ("24.02", (24, 2)), ("24.02.0-1+b1", (24, 2)), ("unknown", None), (None, None)],
)
def test_a_release_is_its_first_two_numbers(version: str | None, release: tuple[int, int] | None) -> None:
    assert release_of(version) == release


@contextmanager
def answering(path: Path, answer: bytes) -> Iterator[list[bytes]]:
    """A server that answers one message as qatmgr does: in turn with its client, in one write."""
    heard: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)

        def serve() -> None:
            client, _ = server.accept()
            with client:
                heard.append(client.recv(4096))
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield heard
        thread.join(timeout=5)


@pytest.mark.parametrize("kind", [10, 999])
def test_a_running_qatmgr_tells_its_version_also_where_it_refuses(tmp_path: Path, kind: int) -> None:
    answer = struct.pack("=HHHH", 10, 24 << 8 | 2, kind, 0) + b"\x02\x00"

    with answering(tmp_path / "sock", answer) as heard:
        release = ask_release(str(tmp_path / "sock"))

    assert release == "24.02"
    assert heard == [struct.pack("=HHHH", 8, 0, 10, 0)]


def test_a_host_asks_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qat_release, "ask_release", partial(ask_release, str(tmp_path / "sock")))

    with answering(tmp_path / "sock", struct.pack("=HHHH", 8, 26 << 8 | 8, 10, 0)):
        assert Host().library("qatmgr") == "26.08"


def test_one_that_hangs_up_tells_nothing(tmp_path: Path) -> None:
    with answering(tmp_path / "sock", b"\x0a\x00\x02"):
        release = ask_release(str(tmp_path / "sock"))

    assert release is None


def test_one_that_is_not_there_tells_nothing(tmp_path: Path) -> None:
    assert ask_release(str(tmp_path / "sock")) is None


def test_without_a_manager_a_process_takes_as_many_as_its_environment_says(tmp_path: Path) -> None:
    vfs = functions("0000:6b:00.1", "0000:6b:00.2", "0000:6b:00.3")

    manager = Manager.of(host(tmp_path, "/proc/self/environ = HOME=/root\x00QAT_POLICY=2\x00SHELL=/bin/sh"))

    assert addresses(manager.sections(vfs)) == [["0000:6b:00.1", "0000:6b:00.2"]]


def test_a_manager_that_answers_does_not_look_at_the_environment_of_a_process(tmp_path: Path) -> None:
    vfs = functions("0000:6b:00.1", "0000:6b:00.2")

    manager = Manager.of(host(tmp_path, f"{SOCKET}\n/proc/self/environ = QAT_POLICY=2"))

    assert addresses(manager.sections(vfs)) == [["0000:6b:00.1"], ["0000:6b:00.2"]]
