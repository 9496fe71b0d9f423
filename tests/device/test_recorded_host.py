"""A host as one text file: every kind of line, what overrides what, and what is said of a line that cannot be read."""

from __future__ import annotations

import os
from collections.abc import Set
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.device.facts import ALL, User
from multifd.device.recorded_host import RELEASE, RecordedHost, RecordedHostError
from multifd.device.sysfs import Host
from multifd.errors import InputError

ALICE = "user alice 1000 1000,991 memlock 8388608"


def planted(root: Path, *lines: str) -> Host:
    RecordedHost.parse("\n".join(lines)).plant(root)
    return Host(root)


def test_a_file_has_its_content(tmp_path: Path) -> None:
    assert planted(tmp_path, r"/etc/x = one = 1\ntwo").text("/etc/x") == "one = 1\ntwo"


def test_a_backslash_before_n_can_be_written(tmp_path: Path) -> None:
    assert planted(tmp_path, r"/etc/x = a\\nb").text("/etc/x") == r"a\nb"


def test_a_file_may_be_empty(tmp_path: Path) -> None:
    assert planted(tmp_path, "/proc/cmdline =").text("/proc/cmdline") == ""


def test_a_link_shows_where_it_points_and_what_is_there(tmp_path: Path) -> None:
    host = planted(tmp_path, "/sys/a/driver -> ../drivers/idxd", "/sys/drivers/idxd/x = 1")

    assert (host.link("/sys/a/driver"), host.text("/sys/a/driver/x")) == ("idxd", "1")


def test_what_is_written_below_a_link_lies_where_it_points(tmp_path: Path) -> None:
    host = planted(tmp_path, "/bus/iax1 -> ../devices/iax1", "/bus/iax1/state = enabled")

    assert host.text("/devices/iax1/state") == "enabled"


@pytest.mark.parametrize("target", ["/etc/x", "../../../../../etc/x"])
def test_a_link_never_leaves_the_recorded_host(tmp_path: Path, target: str) -> None:
    host = planted(tmp_path, f"/a/b -> {target}", "/etc/x = recorded")

    assert host.text("/a/b") == "recorded"


def test_links_that_go_round_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="more than 40 symbolic links"):
        planted(tmp_path, "/a -> b", "/b -> a", "/a/x = 1")


def test_a_node_opens_for_its_owner_and_group(tmp_path: Path) -> None:
    host = planted(tmp_path, ALICE, "/dev/a 0660 0:991", "/dev/b 0660 0:992", "/dev/c 0600 1000:0", "/dev/d 0660")

    assert [host.permits(f"/dev/{name}") for name in "abcde"] == [True, False, True, False, False]


def test_what_this_user_may_not_read_is_unknown(tmp_path: Path) -> None:
    host = planted(tmp_path, ALICE, "/x = 1", "/x 0400 0:0", "/y = 2", "/y 0440 0:991")

    assert (host.text("/x"), host.exists("/x"), host.text("/y")) == (None, True, "2")


def test_behind_a_closed_directory_nothing_is_seen_and_anything_may_be(tmp_path: Path) -> None:
    host = planted(tmp_path, ALICE, "/debug 0700", "/debug/qat/x = 1", "/debug/link -> x", "/debug/open 0666")

    assert (host.text("/debug/qat/x"), host.link("/debug/link"), list(host.find("/debug/*"))) == (None, None, [])
    assert host.exists("/debug/absent")
    assert host.listening("/debug/socket") is None
    assert not host.permits("/debug/open")


def test_root_sees_behind_a_closed_directory(tmp_path: Path) -> None:
    host = planted(tmp_path, "user root 0 0 memlock unlimited", "/debug 0700 5:5", "/debug/x = 1")

    assert (host.text("/debug/x"), list(host.find("/debug/*")), host.exists("/debug/y")) == ("1", ["/debug/x"], False)


def test_a_later_line_overrides_an_earlier_one(tmp_path: Path) -> None:
    host = planted(tmp_path, "/x = 1", "/x = 2", "/y -> a", "/y = 3", "/z = 4", "/z -> b", "/d 0700 1:1", "/d 0755")

    assert (host.text("/x"), host.text("/y"), host.link("/y"), host.link("/z")) == ("2", "3", None, "b")
    assert host.facts.owners["/d"].mode == 0o755


def test_a_path_can_be_taken_away_with_all_below(tmp_path: Path) -> None:
    host = planted(
        tmp_path,
        "/a/b = 1", "/a/c -> b", "/a/d 0600", "listening /a/s", "/ab = 2", "- /a", "/a/e = 3",
    )  # fmt: skip

    assert [path for path in ("/a/b", "/a/c", "/a/d", "/a/s", "/a/e", "/ab") if host.exists(path)] == ["/a/e", "/ab"]
    assert (host.facts.owners, host.listening("/a/s")) == ({}, False)


def test_the_user_is_that_of_the_record(tmp_path: Path) -> None:
    assert planted(tmp_path, ALICE).user == User("alice", 1000, frozenset({1000, 991}), 8 << 20)


@pytest.mark.parametrize(
    ("line", "held", "memlock"),
    [
        ("user root 0 0 memlock 65536", ALL, None),
        ("user root 0 0 memlock 65536 capabilities cap_chown", {"cap_chown"}, 65536),
        ("user root 0 0 memlock 65536 capabilities none", set(), 65536),
        ("user bob 7 7 memlock unlimited", set(), None),
        ("user bob 7 7 memlock 0 capabilities cap_perfmon,cap_sys_rawio", {"cap_perfmon", "cap_sys_rawio"}, 0),
        ("user bob 7 7 memlock 0 capabilities cap_ipc_lock", {"cap_ipc_lock"}, None),
    ],
)
def test_capabilities_are_named_or_those_of_root(line: str, held: Set[str], memlock: int | None) -> None:
    user = RecordedHost.parse(line).user

    assert user is not None
    assert user.capabilities == held
    assert user.memlock == memlock


def test_a_socket_is_there_and_answers_only_if_it_says_so(tmp_path: Path) -> None:
    host = planted(tmp_path, "listening /run/a.sock", "/run/b.sock 0660")

    assert [(host.exists(path), host.listening(path)) for path in ("/run/a.sock", "/run/b.sock")] == [
        (True, True),
        (True, False),
    ]


def test_the_kernel_and_its_libraries_are_named(tmp_path: Path) -> None:
    host = planted(tmp_path, "kernel 6.8.0-45-generic", "library libqpl.so.1 1.9.0")

    assert (host.release, host.kernel) == ("6.8.0-45-generic", (6, 8))
    assert (host.library("libqpl.so.1"), host.library("libqat.so.4")) == ("1.9.0", None)


PATHS = "an absolute path without . and .., or user, listening, kernel, library, - or #"
USER = "user NAME UID GID[,GID...] memlock BYTES|unlimited [capabilities NAME[,NAME...]|none]"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sys/x = 1", PATHS),
        ("/a/../b = 1", PATHS),
        ("/a/. = 1", PATHS),
        ("/a/ = 1", PATHS),
        ("- x", PATHS),
        ("listening", PATHS),
        ("processor Xeon", PATHS),
        ("/x", "PATH = CONTENT, PATH -> TARGET or PATH MODE [UID:GID]"),
        ("/x 0888", "PATH = CONTENT, PATH -> TARGET or PATH MODE [UID:GID]"),
        ("/x 0660 qat", "PATH = CONTENT, PATH -> TARGET or PATH MODE [UID:GID]"),
        ("/x ->", "PATH -> TARGET"),
        ("kernel", "kernel RELEASE"),
        ("kernel 6.8 generic", "kernel RELEASE"),
        ("library libqpl.so.1", "library SONAME VERSION"),
        ("user alice 1000 1000", USER),
        ("user alice 1000 qat memlock 1", USER),
        ("user alice 1000 1000 memlock 1 capabilities cap_perfmom", USER),
    ],
)
def test_a_line_that_cannot_be_read_is_named_with_what_was_expected(line: str, expected: str) -> None:
    with pytest.raises(RecordedHostError) as caught:
        RecordedHost.parse(f"# a comment\n\n  {line}\n", "lab.txt")

    assert (caught.value.line, caught.value.expected) == (3, expected)
    assert str(caught.value) == f"lab.txt: line 3 is {line!r}, expected {expected}"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.txt: cannot read"):
        RecordedHost.read(tmp_path / "absent.txt")


def test_the_text_of_a_host_makes_the_same_host() -> None:
    text = (
        "user root 0 0,5 memlock 1024 capabilities cap_chown,cap_perfmon",
        "library libqpl.so.1 1.9.0",
        "listening /run/s",
        "/d 0700 0:5",
        "/l -> ../t",
        r"/f = a\nb\\n",
    )
    host = RecordedHost.parse("\n".join(text))

    assert tuple(host.lines()) == text
    assert RecordedHost.parse("\n".join(host.lines())) == host


@given(st.text(), st.text())
def test_whatever_stands_in_a_file_can_be_read_again(content: str, release: str) -> None:
    host = RecordedHost(contents={"/f": content, RELEASE: release})

    assert RecordedHost.parse("".join(f"{line}\n" for line in host.lines())) == host


@pytest.mark.parametrize("content", ["a\fb", "a\x85b", "a\u2028b", "a\rb", "a\0b", " a", "a\t", r"\x41\n", "\n \n"])
def test_characters_that_end_a_line_or_are_stripped_are_escaped(content: str) -> None:
    (line,) = RecordedHost(contents={"/f": content}).lines()

    assert line.isprintable()
    assert RecordedHost.parse(line).contents == {"/f": content}


@pytest.mark.parametrize("character", ["\f", "\x85", "\u2028", "\x1c"])
def test_only_a_line_feed_ends_a_line(character: str) -> None:
    assert RecordedHost.parse(f"/a = x{character}y").contents == {"/a": f"x{character}y"}


def test_a_record_with_the_line_ends_of_another_system_is_the_same() -> None:
    assert RecordedHost.parse("/a = 1\r\n/b = 2\r\n").contents == {"/a": "1", "/b": "2"}


@pytest.mark.parametrize(
    ("lines", "number", "why"),
    [
        (("/a = 1", "/a/b = 2"), 2, "a file stands there or above it"),
        (("/a/b = 2", "/a = 1"), 2, "others stand below it"),
        (("/d/n 0666", "/d = x"), 1, "a file stands above it"),
        (("/f = a", "/f/x -> y"), 2, "a file stands there or above it"),
        (("/f = a", "listening /f/s"), 2, "a file stands above it"),
        (("/x\0y = 1",), 1, "embedded null byte"),
        ((f"/{'a' * 300} = 1",), 1, "it is too long"),
        (("/a" * 3000 + " = 1",), 1, "it is too long"),
    ],
    ids=["below-file", "above-file", "node-below-file", "link-below-file", "socket-below-file", "null", "name", "path"],
)
def test_what_no_file_system_can_have_is_named_with_its_line(
    lines: tuple[str, ...], number: int, why: str, tmp_path: Path
) -> None:
    with pytest.raises(RecordedHostError) as caught:
        planted(tmp_path, *lines)

    assert caught.value.line == number
    assert why in caught.value.expected
    assert len(str(caught.value)) < 400


def test_a_file_where_the_facts_belong_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be planted"):
        planted(tmp_path, "/.facts/x = 1")


def test_a_record_of_nothing_is_a_host(tmp_path: Path) -> None:
    assert not planted(tmp_path / "new", "# nothing").exists("/proc")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(InputError, match="pipe: cannot read: is no regular file"):
        RecordedHost.read(tmp_path / "pipe")
