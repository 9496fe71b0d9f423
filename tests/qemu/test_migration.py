"""A migration is driven to its end, however that looks: nobody waits for ever, and what each side said is kept."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from multifd.errors import EnvironmentBroke
from multifd.qemu import migration
from multifd.qemu.guest import Guest, Machine, start
from multifd.qemu.migration import POLL, Course, Terms, incoming, outgoing, sent, watch
from tests.qemu.host import QEMU, needs_qemu

pytestmark = needs_qemu
SIZE: Final = 4 << 20
WITHIN: Final = 20.0
CONTENT: Final = random.Random(1).randbytes(SIZE)
TERMS: Final = Terms("none", 2)
MORE_CHANNELS: Final = Terms("none", 3)
"""A destination that was told this waits for ever for a source that was not."""


@dataclass(frozen=True)
class Ends:
    """Two guests, of which the destination listens."""

    source: Guest
    destination: Guest
    address: str
    scratch: Path

    @property
    def arrived(self) -> bool:
        """The destination's RAM is the source's."""
        return (self.scratch / "destination.ram").read_bytes() == CONTENT


@asynccontextmanager
async def ends(scratch: Path, terms: Terms = TERMS, address: str | None = None) -> AsyncIterator[Ends]:
    ours, theirs = (Machine("pc", scratch / f"{side}.ram", SIZE) for side in ("source", "destination"))
    ours.memory.write_bytes(CONTENT)
    waiting = (*theirs.arguments(), "-incoming", "defer")
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(start(QEMU, "source", scratch, ours.arguments(), WITHIN))
        destination = await stack.enter_async_context(start(QEMU, "destination", scratch, waiting, WITHIN))
        here = await incoming(destination, terms, address or f"unix:{scratch}/migration")
        yield Ends(source, destination, here, scratch)


def during(scratch: Path, use: Callable[[Ends], Awaitable[Any]], terms: Terms = TERMS, **where: str) -> Any:
    """What is done with two guests while they are up."""

    async def run() -> Any:
        async with ends(scratch, terms, **where) as both:
            return await use(both)

    return asyncio.run(run())


@contextmanager
def working(seconds: str, then: str = "pass") -> Iterator[int]:
    """A process that works for so long."""
    work = f"import os, time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end: pass\n{then}"
    with subprocess.Popen([sys.executable, "-c", work]) as process:
        try:
            yield process.pid
        finally:
            process.kill()


# To its end


def test_both_sides_say_completed_and_memory_is_there(scratch: Path) -> None:
    async def migrate(both: Ends) -> Course:
        await outgoing(both.source, TERMS, both.address)
        return await watch(both.source, both.destination, WITHIN)

    course = during(scratch, migrate)

    assert course.destination is not None
    assert (course.source.completed, course.destination.completed, course.stalled) == (True, True, False)
    assert course.source.bytes_sent > SIZE
    assert (scratch / "destination.ram").read_bytes() == CONTENT


def test_the_port_is_the_hosts_choice(scratch: Path) -> None:
    async def migrate(both: Ends) -> str:
        await outgoing(both.source, TERMS, both.address)
        assert (await watch(both.source, both.destination, WITHIN)).source.completed
        return both.address

    address = during(scratch, migrate, address="tcp:127.0.0.1:0")

    host, _, port = address.rpartition(":")
    assert host == "tcp:127.0.0.1"
    assert int(port) > 0


def test_late_changes_are_made_once_when_everything_has_been_taken(scratch: Path) -> None:
    seen = []

    async def migrate(both: Ends) -> Course:
        async def look() -> None:
            seen.append((await both.source.execute("query-migrate", WITHIN))["status"])
            seen.append(both.arrived)

        await outgoing(both.source, TERMS, both.address)
        return await watch(both.source, both.destination, WITHIN, late=[look, look])

    course = during(scratch, migrate)

    assert course.source.completed
    assert seen == ["pre-switchover", True] * 2


def test_an_early_change_is_made_once_in_the_first_round(scratch: Path) -> None:
    seen = []
    slow = replace(TERMS, bandwidth=8 << 20)

    async def migrate(both: Ends) -> Course:
        async def look() -> None:
            seen.append((await both.source.execute("query-migrate", WITHIN))["status"])
            seen.append(both.arrived)

        await outgoing(both.source, slow, both.address)
        return await watch(both.source, both.destination, WITHIN, early=look)

    course = during(scratch, migrate, slow)

    assert course.source.completed
    assert seen == ["active", False]


def test_an_early_change_comes_before_the_late_ones_where_the_first_round_is_over(scratch: Path) -> None:
    seen = []

    async def migrate(both: Ends) -> Course:
        async def note(what: str) -> None:
            seen.append(what)

        await outgoing(both.source, TERMS, both.address)
        while (await both.source.execute("query-migrate", WITHIN))["status"] != "pre-switchover":
            await asyncio.sleep(POLL)
        changes = [partial(note, what) for what in ("early", "late")]
        return await watch(both.source, both.destination, WITHIN, early=changes[0], late=changes[1:])

    course = during(scratch, migrate)

    assert course.source.completed
    assert seen == ["early", "late"]


# Not to its end


def test_a_destination_that_waits_for_missing_channels(scratch: Path) -> None:
    async def migrate(both: Ends) -> Course:
        await outgoing(both.source, TERMS, both.address)
        return await watch(both.source, both.destination, within=3600)

    course = during(scratch, migrate, MORE_CHANNELS)

    assert course.stalled
    assert course.destination is not None
    assert (course.source.fate, course.destination.dead, course.destination.mute) == ("active", False, False)


def test_a_destination_that_stands_still_and_answers_no_more(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "SILENCE", 20)

    async def migrate(both: Ends) -> Course:
        both.destination.send_signal(signal.SIGSTOP)
        await outgoing(both.source, TERMS, both.address)
        return await watch(both.source, both.destination, WITHIN)

    course = during(scratch, migrate)

    assert course.stalled
    assert course.destination is not None
    assert course.destination.fate == "none, answers no more"


def test_a_destination_that_is_killed(scratch: Path) -> None:
    async def migrate(both: Ends) -> Course:
        async def kill() -> None:
            both.destination.send_signal(signal.SIGKILL)

        await outgoing(both.source, TERMS, both.address)
        return await watch(both.source, both.destination, WITHIN, late=[kill])

    course = during(scratch, migrate)

    assert course.destination is not None
    assert course.destination.fate == "killed by signal 9"


def test_a_destination_that_is_gone_is_no_stall(scratch: Path) -> None:
    async def migrate(both: Ends) -> Course:
        both.destination.send_signal(signal.SIGKILL)
        while both.destination.exit_status is None:
            await asyncio.sleep(0.01)
        await outgoing(both.source, TERMS, both.address)
        return await watch(both.source, both.destination, WITHIN)

    course = during(scratch, migrate)

    assert course.destination is not None
    assert (course.source.status, course.destination.dead, course.stalled) == ("failed", True, False)


def test_a_source_that_is_killed(scratch: Path) -> None:
    async def migrate(both: Ends) -> Course:
        async def kill() -> None:
            both.source.send_signal(signal.SIGKILL)

        await outgoing(both.source, TERMS, both.address)
        return await watch(both.source, both.destination, WITHIN, late=[kill])

    course = during(scratch, migrate)

    assert course.source.fate == "killed by signal 9"
    assert course.destination is not None
    assert not course.destination.completed


def test_nothing_has_stalled_while_somebody_in_between_works(scratch: Path) -> None:
    async def migrate(both: Ends) -> Course:
        await outgoing(both.source, TERMS, both.address)
        with working("2", then=f"os.kill({both.source.pid}, 11)") as pid:
            return await watch(both.source, both.destination, WITHIN, between=[pid])

    course = during(scratch, migrate, MORE_CHANNELS)

    assert course.source.fate == "killed by signal 11"


def test_a_migration_that_takes_longer_than_it_may(scratch: Path) -> None:
    async def migrate(both: Ends) -> Course:
        await outgoing(both.source, TERMS, both.address)
        with working("1000") as pid:
            return await watch(both.source, both.destination, 0.2, between=[pid])

    course = during(scratch, migrate, MORE_CHANNELS)

    assert (course.stalled, course.source.status) == (True, "active")


def test_a_source_whose_destination_stands_still_can_send_no_more(scratch: Path) -> None:
    async def migrate(both: Ends) -> tuple[str, Course]:
        both.destination.send_signal(signal.SIGSTOP)
        await outgoing(both.source, replace(TERMS, pause=False), both.address)
        end = await sent(both.source, both.destination)
        both.destination.send_signal(signal.SIGCONT)
        return end.status, await watch(both.source, both.destination, WITHIN)

    status, course = during(scratch, migrate)

    assert status == "active"
    assert course.source.completed
    assert (scratch / "destination.ram").read_bytes() == CONTENT


# What QEMU refuses


def test_terms_that_a_qemu_does_not_know(scratch: Path) -> None:
    async def migrate(both: Ends) -> None:
        await outgoing(both.source, replace(TERMS, method="brotli"), both.address)

    with pytest.raises(EnvironmentBroke) as error:
        during(scratch, migrate)

    assert str(error.value).startswith(
        "source refuses migrate-set-parameters multifd-channels=2, multifd-compression=brotli: "
    )
    assert str(error.value).endswith("does not accept value 'brotli'")


def test_an_address_that_a_qemu_does_not_know(scratch: Path) -> None:
    async def migrate(both: Ends) -> None:
        await outgoing(both.source, TERMS, "pigeon:post")

    with pytest.raises(EnvironmentBroke, match=r"^source refuses migrate uri=pigeon:post: "):
        during(scratch, migrate)


def test_an_address_where_a_qemu_cannot_listen(scratch: Path) -> None:
    with pytest.raises(EnvironmentBroke, match=r"^destination refuses migrate-incoming uri=unix:/nowhere/socket: "):
        during(scratch, lambda both: both.source.execute("stop", WITHIN), address="unix:/nowhere/socket")
