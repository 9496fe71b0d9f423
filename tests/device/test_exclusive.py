"""One process at a time uses a device, whoever runs it; the kernel frees what a dead one held."""

from __future__ import annotations

import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from multifd.device import exclusive
from multifd.device.exclusive import Exclusive, lock_name
from multifd.device.found import Device
from multifd.device.sysfs import Host

NOBODY = 65534
QAT = Device("qat", "4xxx", "0000:6b:00.0", "4xxx", {}, (), ())
IAA = Device("iaa", "iax1", "0000:6a:02.0", "iax1", {}, (), ())
NAME = "multifd-0000:6b:00.0"

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[None]:
    """A host with both directories, as Debian has them; others may come to it."""
    closed = [above for above in (tmp_path, *tmp_path.parents) if above.stat().st_mode & 1 == 0]
    modes = [above.stat().st_mode for above in closed]
    for above, mode in zip(closed, modes, strict=True):
        above.chmod(mode | 0o011)
    for directory in exclusive.DIRECTORIES:
        (tmp_path / directory.lstrip("/")).mkdir(parents=True)
        (tmp_path / directory.lstrip("/")).chmod(0o1777)
    yield
    for above, mode in zip(closed, modes, strict=True):
        above.chmod(mode)


@contextmanager
def elsewhere(does: Callable[[Callable[[], object]], None], uid: int | None = None) -> Iterator[int]:
    """A process that does something, killed with the block; goes on when it calls what it is given."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if uid is not None:
                os.setresuid(uid, uid, uid)
            does(lambda: os.write(writer, b"!"))
        finally:
            os._exit(0)
    os.close(writer)
    try:
        assert os.read(reader, 1) == b"!", "it did not come so far"
        yield pid
    finally:
        os.close(reader)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def holding(root: Path, *devices: Device, seconds: float = 60.0) -> Callable[[Callable[[], object]], None]:
    def does(tell: Callable[[], object]) -> None:
        mine = Exclusive(Host(root))
        with mine.holding(devices):
            if not mine.without(devices):
                tell()
            time.sleep(seconds)

    return does


def refusal(root: Path, device: Device = QAT, patience: float = 0.02) -> str:
    """Why the device cannot be had, empty if it can."""
    mine = Exclusive(Host(root), patience)
    with mine.holding([device]):
        return mine.without([device])


def lock(root: Path, directory: str = exclusive.DIRECTORIES[0]) -> Path:
    return root / directory.lstrip("/") / f"{NAME}.lock"


def test_a_device_that_nobody_uses_is_had_at_once(tmp_path: Path) -> None:
    assert refusal(tmp_path) == ""


def test_a_device_that_another_process_uses_is_not_had_and_the_process_is_named(tmp_path: Path) -> None:
    with elsewhere(holding(tmp_path, QAT)) as pid:
        assert refusal(tmp_path) == f"process {pid} does not give the device free ({lock(tmp_path)})"


def test_who_is_waited_for_is_said_at_once_and_once(tmp_path: Path) -> None:
    said: list[str] = []
    mine = Exclusive(Host(tmp_path), 0.3, said.append)

    with elsewhere(holding(tmp_path, QAT)) as pid:
        for _ in range(2):
            with mine.holding([QAT, IAA]):
                pass

    assert said == [
        f"waiting for QAT 0000:6b:00.0: process {pid} holds it (lock {lock(tmp_path)}), at most 0 s;"
        " it goes on at once when that process ends"
    ]


def test_nothing_is_said_of_a_device_that_is_free(tmp_path: Path) -> None:
    said: list[str] = []

    with Exclusive(Host(tmp_path), 1, said.append).holding([QAT, IAA]):
        pass

    assert said == []


def test_a_lock_that_was_unlinked_while_it_was_waited_for_is_none(tmp_path: Path) -> None:
    def tidied(line: str) -> None:
        lock(tmp_path).unlink()

    mine = Exclusive(Host(tmp_path), 30, tidied)
    with elsewhere(holding(tmp_path, QAT, seconds=0.3)), mine.holding([QAT]):
        assert mine.without([QAT]) == ""
        assert refusal(tmp_path).endswith(f"({lock(tmp_path)})")


def test_the_kernel_frees_what_a_killed_process_held(tmp_path: Path) -> None:
    with elsewhere(holding(tmp_path, QAT)) as pid:
        os.kill(pid, signal.SIGKILL)

        assert refusal(tmp_path, patience=10) == ""


def test_a_device_is_waited_for(tmp_path: Path) -> None:
    started = time.monotonic()

    with elsewhere(holding(tmp_path, QAT, seconds=0.3)):
        assert refusal(tmp_path, patience=30) == ""

    assert 0.2 < time.monotonic() - started < 10


def test_no_longer_than_the_patience_says_and_without_work(tmp_path: Path) -> None:
    started, computed = time.monotonic(), time.process_time()

    with elsewhere(holding(tmp_path, QAT, IAA)):
        mine = Exclusive(Host(tmp_path), 0.3)
        with mine.holding([QAT, IAA]):
            assert mine.without([QAT])
            assert mine.without([IAA])

    assert 0.3 <= time.monotonic() - started < 0.6
    assert time.process_time() - computed < 0.15


def test_what_was_not_to_be_had_is_waited_for_less_until_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exclusive, "_SHORT", 0.05)
    mine = Exclusive(Host(tmp_path), 0.4)

    def takes() -> float:
        started = time.monotonic()
        with mine.holding([QAT]):
            pass
        return time.monotonic() - started

    with elsewhere(holding(tmp_path, QAT)):
        assert takes() >= 0.4
        assert 0.05 <= takes() < 0.3
    assert takes() < 0.2
    assert mine.without([QAT]) == ""
    with elsewhere(holding(tmp_path, QAT)):
        assert takes() >= 0.4


def test_another_device_is_free_meanwhile(tmp_path: Path) -> None:
    with elsewhere(holding(tmp_path, QAT)):
        assert refusal(tmp_path, IAA) == ""


def test_a_device_is_free_when_the_block_ends_whatever_was_forked_in_it(tmp_path: Path) -> None:
    with Exclusive(Host(tmp_path)).holding([QAT]):
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)

    try:
        assert refusal(tmp_path) == ""
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_device_is_free_when_the_block_fails(tmp_path: Path) -> None:
    mine = Exclusive(Host(tmp_path))
    with pytest.raises(KeyError), mine.holding([QAT]):
        raise KeyError

    assert refusal(tmp_path) == ""
    with elsewhere(holding(tmp_path, QAT)):
        pass


def test_who_holds_a_device_may_hold_it_again_and_more_besides(tmp_path: Path) -> None:
    mine = Exclusive(Host(tmp_path), 0.02)

    with mine.holding([QAT]):
        with mine.holding([QAT, IAA, QAT]):
            assert mine.without([QAT, IAA]) == ""
            assert refusal(tmp_path, IAA)
        assert refusal(tmp_path)
        assert not refusal(tmp_path, IAA)
    assert not refusal(tmp_path)


def test_who_waits_comes_before_who_has_just_had_it(tmp_path: Path) -> None:
    def again_and_again(tell: Callable[[], object]) -> None:
        greedy = Exclusive(Host(tmp_path))
        while True:
            with greedy.holding([QAT]):
                tell()
                time.sleep(0.01)

    with elsewhere(again_and_again):
        started = time.monotonic()
        for _ in range(5):
            assert refusal(tmp_path, patience=20) == ""

    assert time.monotonic() - started < 2


def test_two_who_want_both_devices_never_wait_for_each_other(tmp_path: Path) -> None:
    def other_way_round(tell: Callable[[], object]) -> None:
        theirs = Exclusive(Host(tmp_path), 5)
        tell()
        while True:
            with theirs.holding([IAA, QAT]):
                pass

    mine = Exclusive(Host(tmp_path), 5)
    with elsewhere(other_way_round):
        for _ in range(100):
            with mine.holding([QAT, IAA]):
                assert mine.without([QAT, IAA]) == ""


def test_everybody_may_open_the_lock_whatever_the_umask_of_its_maker(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        refusal(tmp_path)
    finally:
        os.umask(before)

    assert stat.S_IMODE(lock(tmp_path).stat().st_mode) == 0o666


def test_the_lock_holds_nothing_and_stays_where_it_is(tmp_path: Path) -> None:
    lock(tmp_path).write_text("mine")
    inode = lock(tmp_path).stat().st_ino

    assert refusal(tmp_path) == ""

    assert (lock(tmp_path).read_text(), lock(tmp_path).stat().st_ino) == ("mine", inode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user; remedy: run as root")
def test_users_keep_out_of_each_others_way(tmp_path: Path) -> None:
    with elsewhere(holding(tmp_path, QAT), uid=NOBODY) as pid:
        assert lock(tmp_path).stat().st_uid == NOBODY
        assert refusal(tmp_path).startswith(f"process {pid} ")
    assert refusal(tmp_path) == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user; remedy: run as root")
def test_a_user_locks_what_root_has_made(tmp_path: Path) -> None:
    refusal(tmp_path)

    with elsewhere(holding(tmp_path, QAT), uid=NOBODY):
        assert refusal(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user; remedy: run as root")
def test_where_one_directory_is_roots_alone_the_other_keeps_users_apart(tmp_path: Path) -> None:
    # Fedora: /run/lock is 0755.
    lock(tmp_path).parent.chmod(0o755)

    with elsewhere(holding(tmp_path, QAT), uid=NOBODY):
        assert not lock(tmp_path).exists()
        assert refusal(tmp_path).endswith(f"({lock(tmp_path, '/dev/shm')})")


def test_a_lock_that_is_not_made_at_once_for_all_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, tried = os.open, []

    def open_(path: Path, flags: int, mode: int = 0o777) -> int:
        tried.append(path)
        if len(tried) < 3:
            raise PermissionError(13, "Permission denied")
        return opened(path, flags, mode)

    monkeypatch.setattr(os, "open", open_)

    assert refusal(tmp_path) == ""


def test_a_lock_that_another_makes_at_the_same_time_is_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def open_(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            os.close(opened(path, flags, 0o600))
        return opened(path, flags, mode)

    monkeypatch.setattr(os, "open", open_)

    assert refusal(tmp_path) == ""
    assert lock(tmp_path).stat().st_mode & 0o777 != 0o666


def test_a_lock_that_cannot_be_made_anywhere_says_so(tmp_path: Path) -> None:
    for directory in exclusive.DIRECTORIES:
        (tmp_path / directory.lstrip("/")).rmdir()
        (tmp_path / directory.lstrip("/")).write_text("no directory")

    mine = Exclusive(Host(tmp_path))
    with mine.holding([QAT]):
        assert mine.without([QAT]) == (
            f"no lock can be had: {lock(tmp_path)}: File exists; {lock(tmp_path, '/dev/shm')}: Not a directory"
        )


@pytest.mark.parametrize("directory", exclusive.DIRECTORIES)
def test_one_directory_is_enough(directory: str, tmp_path: Path) -> None:
    (tmp_path / directory.lstrip("/")).rmdir()
    (tmp_path / directory.lstrip("/")).write_text("no directory")

    assert refusal(tmp_path) == ""
    with elsewhere(holding(tmp_path, QAT)):
        assert refusal(tmp_path)


def test_what_somebody_put_in_the_place_of_a_lock_is_none(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    lock(tmp_path).symlink_to(target)
    os.mkfifo(lock(tmp_path, "/dev/shm"))

    assert refusal(tmp_path) == (
        f"no lock can be had: {lock(tmp_path)}: Too many levels of symbolic links;"
        f" {lock(tmp_path, '/dev/shm')}: is no regular file"
    )
    assert target.read_text() == "precious"


def test_nothing_stays_open(tmp_path: Path) -> None:
    before = set(Path("/proc/self/fd").iterdir())
    lock(tmp_path, "/dev/shm").mkdir()

    refusal(tmp_path)
    with elsewhere(holding(tmp_path, QAT)):
        refusal(tmp_path)

    assert set(Path("/proc/self/fd").iterdir()) == before


def test_a_recorded_host_gets_the_first_directory_and_a_live_one_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for directory in exclusive.DIRECTORIES:
        (tmp_path / directory.lstrip("/")).rmdir()
    (tmp_path / "run").rmdir()

    assert refusal(tmp_path) == ""
    assert not (tmp_path / "dev/shm").exists()

    live = tmp_path / "live"
    live.mkdir()
    monkeypatch.setattr(exclusive, "_LIVE", live)
    assert refusal(live).startswith("no lock can be had")
    assert not any(live.iterdir())


@pytest.mark.parametrize(
    ("pci", "name", "locked"),
    [
        ("0000:6b:00.0", "4xxx", "multifd-0000:6b:00.0"),
        (None, "iax1", "multifd-iaa-iax1"),
        (None, "../a b", "multifd-iaa-.._a_b"),
    ],
)
def test_a_lock_is_named_by_the_address_of_its_device(pci: str | None, name: str, locked: str) -> None:
    assert lock_name(Device("iaa", name, pci, "", {}, (), ())) == locked
