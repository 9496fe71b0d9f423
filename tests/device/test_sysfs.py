"""The host as files: what cannot be read is unknown, and permissions are those of the user."""

from __future__ import annotations

import os
import resource
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from multifd.device.facts import ALL, Owner, User, effective
from multifd.device.sysfs import Host
from tests.device.trees import host

NODE_GROUP = 991
OWNER = User("owner", 1000, frozenset(), None)
MEMBER = User("member", 1001, frozenset({NODE_GROUP}), None)
STRANGER = User("stranger", 1001, frozenset({100}), None)
ROOT = User("root", 0, frozenset(), None)


@pytest.mark.parametrize("path", ["/absent", "/directory", "/text/below"])
def test_what_cannot_be_read_is_unknown(tmp_path: Path, path: str) -> None:
    tree = host(tmp_path, "/directory/file = 1\n/text = one")

    assert (tree.text(path), tree.number(path), tree.link(path), tree.permits("/absent")) == (None, None, None, False)


def test_a_folder_that_is_not_there_has_no_room_to_tell_of(tmp_path: Path) -> None:
    tree = host(tmp_path, "/there 0755")

    assert (tree.free("/absent"), (tree.free("/there") or 0) > 0) == (None, True)


def test_what_is_no_number_is_unknown(tmp_path: Path) -> None:
    assert host(tmp_path, "/text = none").number("/text") is None


@pytest.mark.parametrize(("text", "number"), [("16", 16), ("0x4940", 0x4940)])
def test_numbers_are_read_with_their_prefix(tmp_path: Path, text: str, number: int) -> None:
    assert host(tmp_path, f"/value = {text}").number("/value") == number


@pytest.mark.parametrize(
    ("mode", "user", "permitted"),
    [
        pytest.param(0o600, OWNER, True, id="owner"),
        pytest.param(0o066, OWNER, False, id="owner is shut out"),
        pytest.param(0o660, MEMBER, True, id="member of the group"),
        pytest.param(0o640, MEMBER, False, id="group only reads"),
        pytest.param(0o606, MEMBER, False, id="group is shut out"),
        pytest.param(0o660, STRANGER, False, id="stranger"),
        pytest.param(0o666, STRANGER, True, id="open to all"),
        pytest.param(0o000, ROOT, True, id="root"),
    ],
)
def test_a_node_opens_for_whom_its_mode_names(mode: int, user: User, permitted: bool) -> None:
    assert user.may_open(Owner(mode, OWNER.uid, NODE_GROUP)) == permitted


@pytest.mark.parametrize(
    ("release", "answer"),
    [
        ("5.18.0", True),
        ("6.1.0-9-amd64", True),
        ("5.17.15", False),
        ("5.15.0-91-generic", False),
        ("5.14.0-570.el9.x86_64", None),
        ("5.14.21-150500.55.19-default", None),
        ("5.10.226-214.880.amzn2.x86_64", None),
        ("", None),
        ("unheard-of", None),
    ],
)
def test_a_kernel_has_what_its_version_brought_unless_its_distributor_patched_it(
    tmp_path: Path, release: str, answer: bool | None
) -> None:
    assert host(tmp_path, f"/proc/sys/kernel/osrelease = {release}").kernel_at_least(5, 18) is answer


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("ID=debian", "debian"),
        (r'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian', "debian"),
        (r'ID=linuxmint\nID_LIKE="ubuntu debian"', "debian"),
        (r'ID="rocky"\nID_LIKE="rhel centos fedora"', "fedora"),
        (r'ID="opensuse-leap"\nID_LIKE="suse opensuse"', "suse"),
        ("ID=arch", None),
    ],
)
def test_a_distribution_is_one_of_a_family(tmp_path: Path, text: str, family: str | None) -> None:
    assert host(tmp_path, f"/etc/os-release = {text}").distribution == family


def test_the_kernels_options_and_the_processors_flags_are_words(tmp_path: Path) -> None:
    there = host(
        tmp_path,
        "/proc/cmdline = quiet intel_iommu=on,sm_on",
        r"/proc/cpuinfo = processor: 0\nflags : fpu enqcmd\nprocessor: 1\nflags : la57",
    )

    assert there.command_line == ("quiet", "intel_iommu=on,sm_on")
    assert there.cpu_flags == {"fpu", "enqcmd"}


def test_a_host_without_files_knows_nothing(tmp_path: Path) -> None:
    there = host(tmp_path)

    assert (there.release, there.kernel, there.command_line, there.cpu_flags) == ("", None, (), frozenset())
    assert there.distribution is None


def test_a_live_socket_answers_or_was_left_behind(tmp_path: Path) -> None:
    answered, left = tmp_path / "a", tmp_path / "b"
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as gone:
        server.bind(str(answered))
        server.listen()
        gone.bind(str(left))
        live = Host()

        assert [live.listening(str(path)) for path in (answered, left, tmp_path / "c")] == [True, False, False]


def test_a_socket_that_is_busy_with_others_is_answered(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server, ExitStack() as others:
        server.bind(str(tmp_path / "busy"))
        server.listen(0)
        for _ in range(2):
            one = others.enter_context(socket.socket(socket.AF_UNIX))
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect(str(tmp_path / "busy"))

        assert Host().listening(str(tmp_path / "busy")) is True


def test_of_this_user_the_kernel_is_asked(tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.touch()
    live = Host()

    assert (live.permits(str(node)), live.permits(str(tmp_path / "absent"))) == (True, False)


def test_of_another_user_mode_and_owner_speak(tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.touch(0o600)

    assert not Host(user=User("stranger", os.geteuid() + 1, frozenset(), None)).permits(str(node))


@pytest.mark.parametrize(
    ("mask", "held"),
    [
        ("0000000000000000", set()),
        ("0000000000000001", {"cap_chown"}),
        ("0000004000020000", {"cap_perfmon", "cap_sys_rawio"}),
        ("000001ffffffffff", ALL),
    ],
)
def test_capabilities_are_bits_in_the_order_of_the_kernel(mask: str, held: set[str]) -> None:
    assert effective(f"CapPrm:\t000001ffffffffff\nCapEff:\t{mask}\nCapBnd:\t0\n") == held


def test_a_process_that_does_not_tell_has_no_capabilities() -> None:
    assert effective("Name:\tx\n") == frozenset()


def test_this_process_has_its_own_capabilities(tmp_path: Path) -> None:
    user = User.current()

    assert user.capabilities <= ALL
    assert (user.memlock is None) or "cap_ipc_lock" not in user.capabilities


def test_a_library_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = iter(("1.9.0", "2.0.0"))
    monkeypatch.setattr("multifd.device.installed.version", lambda soname: next(versions))
    live = Host()

    assert [live.library(name) for name in ("libqpl.so.1", "libqpl.so.1", "libqat.so.4")] == ["1.9.0", "1.9.0", "2.0.0"]


@pytest.mark.parametrize(
    ("held", "limit", "memlock"),
    [
        ("0", 65536, 65536),
        ("0", resource.RLIM_INFINITY, None),
        ("4000", 65536, None),
    ],
    ids=["limited", "not limited", "with CAP_IPC_LOCK"],
)
def test_memory_may_be_locked_up_to_a_limit_or_with_a_capability(
    monkeypatch: pytest.MonkeyPatch, held: str, limit: int, memlock: int | None
) -> None:
    capabilities = effective(f"CapEff:\t{held}")
    monkeypatch.setattr("multifd.device.facts.effective", lambda status: capabilities)
    monkeypatch.setattr("resource.getrlimit", lambda which: (limit, limit))

    assert User.current().memlock == memlock
