"""A binary is asked what it is: a real one answers, anything else is named with what it said instead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from multifd.errors import EnvironmentBroke, InputError
from multifd.qemu.ask import ask
from multifd.qemu.binary import Binary
from tests.qemu.host import QEMU, needs_qemu

WITHIN: Final = 20.0
PRETENDER: Final = str(Path(__file__).with_name("pretender.py"))


@needs_qemu
def test_a_binary_says_its_own_version() -> None:
    words = subprocess.run([*QEMU.command, "--version"], capture_output=True, text=True, check=True).stdout

    facts = ask(QEMU, WITHIN)

    assert words.startswith(f"QEMU emulator version {facts.release}")
    assert facts.package in words


@needs_qemu
def test_a_binary_says_what_it_can_do() -> None:
    facts = ask(QEMU, WITHIN)

    assert set(facts.methods) >= {"none", "zlib", "zstd"}
    assert bool(facts.zero_pages) is (facts.version >= (9, 0))
    assert facts.machines[-1] == "pc-i440fx-{}.{}".format(*facts.version)


def test_a_program_that_refuses_what_is_asked() -> None:
    with pytest.raises(InputError) as error:
        ask(Binary(command=(sys.executable, PRETENDER)), WITHIN)

    assert str(error.value) == (
        f"{sys.executable}: QMP says The command query-version has not been found; expected QEMU 5.0 or later"
    )


def test_a_program_that_is_no_qemu() -> None:
    with pytest.raises(EnvironmentBroke) as error:
        ask(Binary(command=("false",)), WITHIN)

    assert str(error.value).startswith("qemu exited with status 1 before it answered: no message; started as: false ")
