"""Real QEMUs of this host: the one in PATH, then those that were fetched."""

from __future__ import annotations

from functools import cache
from typing import Final

import pytest

from multifd.qemu.arch import AARCH64, X86
from multifd.qemu.ask import ask
from multifd.qemu.binary import Binary, found
from multifd.qemu.facts import Facts

_ALL: Final = found()
BINARIES: Final = [binary for binary in _ALL if X86.program in binary.program]
ARM: Final = next((binary for binary in _ALL if AARCH64.program in binary.program), None)
needs_arm: Final = pytest.mark.skipif(
    ARM is None, reason=f"no {AARCH64.program} in PATH; remedy: install Debian's {AARCH64.package}"
)
needs_qemu: Final = pytest.mark.skipif(
    not BINARIES,
    reason=f"no {X86.program} in PATH and none fetched; remedy: install Debian's qemu-system-x86, or run"
    " 'multifd vendor fetch --qemu'",
)
QEMU: Final = BINARIES[0] if BINARIES else Binary(command=(X86.program,))
"""The one that tests start if one is enough."""


def facts(binary: Binary) -> Facts:
    """What it says of itself."""
    return _facts(binary.command)


@cache
def _facts(command: tuple[str, ...]) -> Facts:
    return ask(Binary(command=command), 20.0)
