"""A QEMU that does not answer as it should, or ends: what it does instead when it is given a command."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from multifd.qemu.guest import Guest

_UNKNOWN: Final = "x-refused"
"""No QEMU has such a command, and each refuses it."""


class Ask(Protocol):
    """Gives a QEMU a command and returns its answer."""

    def __call__(self, command: str, /, **arguments: Any) -> Awaitable[Any]: ...


@dataclass(slots=True)
class Case:
    """One cell in which QEMUs behave so."""

    given: Counter[tuple[int, str]] = field(default_factory=Counter)
    """How often each process was given each command."""
    acts: int = 0
    """How often one did something else."""


Conduct = Callable[[Case, Guest, Ask, str, dict[str, Any]], Awaitable[Any]]


def dies_of(command: str, number: int) -> Conduct:
    """A source that is given this command answers, and dies of a signal."""

    async def behave(case: Case, guest: Guest, ask: Ask, given: str, arguments: dict[str, Any]) -> Any:
        dies = given == command and case.given[guest.pid, "migrate"] > 0
        case.acts += dies
        if dies and given == "quit":
            guest.send_signal(number)  # before it has ended by itself
        answer = await ask(given, **arguments)
        if dies:
            guest.send_signal(number)
        return answer

    return behave


async def refuses_to_migrate_again(case: Case, guest: Guest, ask: Ask, given: str, arguments: dict[str, Any]) -> Any:
    """A source that was cancelled never migrates any more."""
    if given == "migrate" and case.given[guest.pid, "migrate_cancel"]:
        case.acts += 1
        return await ask(_UNKNOWN)
    return await ask(given, **arguments)


async def leaks_a_descriptor(case: Case, guest: Guest, ask: Ask, given: str, arguments: dict[str, Any]) -> Any:
    """Each migration leaves a file open."""
    if given == "migrate":
        case.acts += 1
        file = {"type": "file", "data": {"out": "/dev/null"}}
        await ask("chardev-add", id=f"leak{case.acts}", backend=file)
    return await ask(given, **arguments)


async def leaks_a_thread(case: Case, guest: Guest, ask: Ask, given: str, arguments: dict[str, Any]) -> Any:
    """Each migration leaves a thread behind."""
    if given == "migrate":
        case.acts += 1
        await ask("object-add", qom_type="iothread", id=f"leak{case.acts}")
    return await ask(given, **arguments)


async def miscounts(case: Case, guest: Guest, ask: Ask, given: str, arguments: dict[str, Any]) -> Any:
    """What was sent is counted with one header more."""
    answer = await ask(given, **arguments)
    if given == "query-migrate" and "ram" in answer and case.given[guest.pid, "migrate"]:
        case.acts += 1
        answer["ram"]["transferred"] += 1344
    return answer


ABORTS_WHEN_RESET: Final = dies_of("migrate-set-capabilities", signal.SIGABRT)
DIES_OF_CANCEL: Final = dies_of("migrate_cancel", signal.SIGSEGV)
DIES_OF_QUIT: Final = dies_of("quit", signal.SIGSEGV)
