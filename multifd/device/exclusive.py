"""The right to use a device alone, across processes, runs and users; the kernel takes it back when its holder ends.

Counters count for whoever uses a device. Around reading, work and reading nobody else of this project may: a worker
of the same run, another run, another user's. The right is an exclusive flock(2) on a file for each device, named by its
PCI address, with any mode that lets everybody open it. There is one in each of :data:`DIRECTORIES`, and all that can be
had are taken, for not everybody may write everywhere (``/run/lock`` is 1777 on Debian, 0755 on Fedora): two that share
one directory keep out of each other's way.

A second file for each, the turn, makes it fair: who waits for a device has the turn, and who has just released it gets
in line behind. Devices are taken in the order of their addresses, so that two who want both never wait for each other.

A file may be unlinked while somebody has its lock, by what tidies such directories: a lock is one only while its file
stands where it was opened, else whoever comes next would make and lock another.

Files are only ever opened for reading, and nothing is written into them: what somebody else put in their place, a
link, a pipe or a directory, is no lock (O_NOFOLLOW), and does no harm. An existing file is opened without O_CREAT,
which fs.protected_regular forbids for others' files in sticky directories (Documentation/admin-guide/sysctl/fs.rst,
Linux 6.18).
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from multifd.accelerator import ACCELERATORS
from multifd.device.found import Device
from multifd.device.sysfs import Host

DIRECTORIES: Final = ("/run/lock", "/dev/shm")
"""Where the files are, below the host's root; on a recorded host the first one is made."""

PATIENCE: Final = 300.0
"""Seconds that devices are waited for: the longest cells of several others."""
_SHORT: Final = 1.0
"""Seconds that one is waited for which was not to be had before."""
_EVERY: Final = 0.002
_LIVE: Final = Path("/")
_MODE: Final = 0o666
_OPENING: Final = 20
"""Times that a file is tried which its maker may just be opening for others."""


def _nobody(line: str) -> None:
    """Is told."""


class Exclusive:
    """The locks of one process, which may take again what it holds; ``patience`` in seconds.

    ``say`` is told at once who is waited for, but of what has already been waited for in vain.
    """

    def __init__(self, host: Host, patience: float = PATIENCE, say: Callable[[str], object] = _nobody) -> None:
        self._host = host
        self._patience = patience
        self._say = say
        self._held: set[str] = set()
        self._without: dict[str, str] = {}

    @contextmanager
    def holding(self, devices: Iterable[Device]) -> Iterator[None]:
        """Alone on these devices, or on those of them that can be had within the patience: :meth:`without` says."""
        named = {lock_name(device): device for device in devices}
        wanted = sorted(named.keys() - self._held)
        until = time.monotonic() + self._patience
        with ExitStack() as stack:
            for name in wanted:
                why = self._take(named[name], until, stack)
                self._without.pop(name, None)
                if why:
                    self._without[name] = why
            self._held.update(wanted)
            try:
                yield
            finally:
                self._held.difference_update(wanted)

    def without(self, devices: Iterable[Device]) -> str:
        """Why these devices, which are being held, may be somebody else's as well, in words; empty if they are not."""
        return "; ".join(self._without[name] for name in map(lock_name, devices) if name in self._without)

    def _take(self, device: Device, until: float, stack: ExitStack) -> str:
        """Hold the lock of a device until the stack ends; why it is not had, in words."""
        name, told = lock_name(device), False
        if name in self._without:
            until, told = min(until, time.monotonic() + _SHORT), True

        def waiting(holder: str) -> None:
            nonlocal told
            if not told:
                self._say(_waiting(device, holder, until - time.monotonic()))
            told = True

        problems, had = [], False
        for directory in DIRECTORIES:
            place = self._host.root / directory.lstrip("/")
            try:
                if self._host.root != _LIVE and directory == DIRECTORIES[0]:
                    place.mkdir(parents=True, exist_ok=True)
                with _locked(place / f"{name}.turn", until, waiting):
                    stack.enter_context(_locked(place / f"{name}.lock", until, waiting))
                had = True
            except TimeoutError as held:
                return str(held)
            except OSError as problem:
                problems.append(f"{place / name}.lock: {problem.strerror}")
        return "" if had else f"no lock can be had: {'; '.join(problems)}"


def lock_name(device: Device) -> str:
    """Of a device's lock: the same for everybody who uses it."""
    return re.sub(r"[^\w.:-]", "_", f"multifd-{device.pci or f'{device.kind}-{device.name}'}")


def _waiting(device: Device, holder: str, seconds: float) -> str:
    name = f"{ACCELERATORS[device.kind].name} {device.pci or device.name}"
    return f"waiting for {name}: {holder}, at most {max(seconds, 0):.0f} s; it goes on at once when that process ends"


@contextmanager
def _locked(path: Path, until: float, waiting: Callable[[str], None]) -> Iterator[None]:
    """The lock on a file; ``waiting`` is told who has it, in words, before the first pause.

    Raises TimeoutError with the holder, OSError where there is no such lock.
    """
    descriptor = _taken(path, until, waiting)
    try:
        yield
    finally:
        # A child may have inherited the descriptor, which would keep the lock.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _taken(path: Path, until: float, waiting: Callable[[str], None]) -> int:
    while True:
        descriptor = _opened(path)
        try:
            _wait(descriptor, path, until, waiting)
            if _stands(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _wait(descriptor: int, path: Path, until: float, waiting: Callable[[str], None]) -> None:
    told = False
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        if time.monotonic() >= until:
            raise TimeoutError(f"{_holder(descriptor)} does not give the device free ({path})")
        if not told:
            waiting(f"{_holder(descriptor)} holds it (lock {path})")
        told = True
        time.sleep(_EVERY)


def _stands(path: Path, descriptor: int) -> bool:
    """Whether the file that was opened is still the one that others will open."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _opened(path: Path) -> int:
    for _ in range(_OPENING):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            _make(path)
            continue
        except PermissionError:
            time.sleep(_EVERY)
            continue
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "is no regular file")
        return descriptor
    raise OSError(errno.EACCES, os.strerror(errno.EACCES))


def _make(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
    except FileExistsError:
        return
    try:
        # The process's umask took some of it.
        os.fchmod(descriptor, _MODE)
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    """Who has the lock, by what the kernel says of all locks (proc_locks(5))."""
    status = os.fstat(descriptor)
    inode = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    try:
        held = re.findall(rf"FLOCK +ADVISORY +WRITE (\d+) {inode} ", Path("/proc/locks").read_text(encoding="ascii"))
    except OSError:
        held = []
    return f"process {held[0]}" if held else "another process"
