"""Real QEMUs of a command: those that ``--qemu`` and the profile name."""

from __future__ import annotations

import shlex
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import click

from multifd.cli.output import say
from multifd.errors import InputError, MultifdError
from multifd.qemu.ask import ask
from multifd.qemu.binary import AUTO, FOUND, NONE, Binary, found, named
from multifd.qemu.facts import Facts

ANSWER: Final = 20.0
"""Seconds that a QEMU takes at most to say what it is."""
NOT_HERE: Final = f"no cells of the suite qemu without a binary: --qemu PATH, or --qemu {FOUND} (docs/qemu.md)"

option = click.option(
    "--qemu",
    multiple=True,
    metavar=f"PATH|{FOUND}|{AUTO}|{NONE}",
    help=f"A real QEMU, as a path or a command line; repeatable. '{FOUND}': the one in PATH and every fetched one."
    f" '{NONE}': none. '{AUTO}', the default: what the profile names, or else the one in PATH with a covering subset.",
)


@dataclass(frozen=True, slots=True)
class Found:
    """A QEMU of this host: what it says of itself, or why it does not."""

    binary: Binary
    facts: Facts | None = None
    problem: str | None = None


def on_this_host() -> list[Found]:
    """The QEMU in PATH and every fetched one, each asked what it is."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(_asked, found()))


def _asked(binary: Binary) -> Found:
    try:
        return Found(binary, ask(binary, ANSWER))
    except MultifdError as problem:
        return Found(binary, problem=str(problem))


def one_binary(asked: str) -> Binary:
    """The only QEMU that is named; raises :class:`InputError` where there are several."""
    binaries = named(asked)
    if len(binaries) > 1:
        commands = "; ".join(shlex.join(binary.command) for binary in binaries)
        raise InputError(f"--qemu {asked!r}: names {len(binaries)} QEMUs, expected one of: {commands}")
    return binaries[0]


def say_that_none_takes_part() -> None:
    """One line on stderr."""
    say(NOT_HERE)
