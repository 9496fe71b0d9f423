"""Real QEMUs of this host: the one in PATH, then those that were fetched."""

from __future__ import annotations

from functools import cache
from typing import Final

import pytest

from multifd.qemu.ask import ask
from multifd.qemu.binary import PROGRAM, Binary, found
from multifd.qemu.facts import Facts

BINARIES: Final = found()
needs_qemu: Final = pytest.mark.skipif(
    not BINARIES,
    reason=f"no {PROGRAM} in PATH and none fetched; remedy: install Debian's qemu-system-x86, or run"
    " 'multifd vendor fetch --qemu'",
)
QEMU: Final = BINARIES[0] if BINARIES else Binary(command=(PROGRAM,))
"""The one that tests start if one is enough."""


def facts(binary: Binary) -> Facts:
    """What it says of itself."""
    return _facts(binary.command)


@cache
def _facts(command: tuple[str, ...]) -> Facts:
    return ask(Binary(command=command), 20.0)
