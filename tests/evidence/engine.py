"""A Kunpeng's zip engine as a tree of files: it does nothing, and counts what it is told that it did."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Final

from tests.device.recorded import KUNPENG
from tests.device.trees import host

_ENGINE: Final = "/sys/kernel/debug/hisi_zip/0000:75:00.0"


class Engine:
    """One engine below ``root``, with a ``change`` to its tree; ``host`` is the host that has it."""

    def __init__(self, root: Path, done_before: int = 0, change: str = "") -> None:
        tree = f"{_ENGINE}/clear_enable = 0\n{_ENGINE}/comp_core0/regs = HZIP_DONE_BD_NUM = {done_before:#010x}"
        self.host = host(root, KUNPENG, tree, change)
        self.registers = root / f"{_ENGINE}/comp_core0/regs".lstrip("/")

    def work(self, jobs: int) -> None:
        """Count so many jobs."""
        work(self.registers, jobs)

    def share(self, encoding: int, decoding: int) -> None:
        """Of a hundred jobs that a driver has from now on, so many reach the engine."""
        _shares(self.registers).write_text(f"{encoding} {decoding}")


def shares(registers: Path) -> tuple[int, int]:
    """Of a hundred jobs of encoding and of decoding, how many reach the engine."""
    encoding, decoding = _shares(registers).read_text().split()
    return int(encoding), int(decoding)


def _shares(registers: Path) -> Path:
    return registers.with_name("shares")


def work(registers: Path, jobs: int) -> None:
    """Count so many jobs in a file of registers that several processes write."""
    with registers.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        name, _, done = file.read().partition(" = ")
        file.seek(0)
        file.write(f"{name} = {int(done, 16) + jobs:#010x}\n")
