"""Deeds in one phase of a migration: it is cancelled, one end quits; and the guest that goes there and back."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from multifd.plan.scenarios.life import Deed, Phase
from multifd.qemu.guest import DiedError, Guest
from multifd.qemu.migration import POLL, UNLIMITED, incoming, outgoing, watch
from multifd.run.qemu.lifetime import ANSWER, OVER, Lifetime
from multifd.run.qemu.repeated import many_cancelled, many_completed
from multifd.run.qemu.setting import SLOW

_SAYS: Final[Mapping[Phase, tuple[str, ...]]] = {
    "connecting": ("setup",), "setup": ("setup", "active"), "active": ("active",), "stalled": ("active",),
    "pre-switchover": ("pre-switchover",), "device": ("device",),
}  # fmt: skip
"""What a source says in a phase. Before 9.0 it is active while it waits for its channels."""


async def cancel(life: Lifetime) -> None:
    """Cancel, wait until the source says so, try again with other terms."""
    phase = _phase(life)
    source = await life.source()
    async with life.watched():
        with _nobody(life, phase) as nobody:
            destination = await _reach(life, source, phase, nobody)
            life.step = f"cancelled in {phase}"
            await source.execute("migrate_cancel", ANSWER)
            if phase == "active" and destination is not None:
                destination.send_signal(signal.SIGCONT)
            if phase == "device" and destination is not None:
                life.kill(destination)
            stopped = (destination,) if phase == "stalled" and destination is not None else ()
            said = await life.reached(source, OVER, stand=stopped, through=() if nobody is None else (nobody,))
            if said not in OVER:
                life.complain("hang", f"the source says {said} as long as {_HOLDS[phase]}")
            elif nobody is not None and await life.arrive(source, f"cancelled in {phase}, retry meanwhile"):
                return
        life.step = f"cancelled in {phase}, then let go"
        if destination is not None:
            life.kill(destination)
        if (said := await life.reached(source, OVER)) not in OVER:
            life.complain("hang", f"the source still says {said}")
            return
        await life.settled(source)
        await life.arrive(source, f"cancelled in {phase}, retry")


async def quit_source(life: Lifetime) -> None:
    """The source quits; it ends, and its destination knows."""
    phase = _phase(life)
    source = await life.source()
    async with life.watched():
        with _nobody(life, phase) as nobody:
            destination = await _reach(life, source, phase, nobody)
            life.step = f"source quits in {phase}"
            await _quits(life, source)
        if destination is None:
            return
        destination.send_signal(signal.SIGCONT)
        if await life.ended(destination):
            status = destination.exit_status or 0
            if status < 0:
                life.complain("crash", f"destination killed by signal {-status}: {destination.log}")
        else:
            life.complain("hang", "the destination waits for a source that has gone")


async def quit_destination(life: Lifetime) -> None:
    """The destination quits; the source fails, and its guest goes elsewhere."""
    phase = _phase(life)
    source = await life.source()
    async with life.watched():
        destination = await _reach(life, source, phase, None)
        assert destination is not None
        life.step = f"destination quits in {phase}"
        quits = asyncio.ensure_future(_quits(life, destination))
        await asyncio.sleep(POLL)
        destination.send_signal(signal.SIGCONT)  # after the command, so that it reads no more than that before
        await quits
        said = await life.reached(source, ("pre-switchover",))
        if said == "pre-switchover":
            await source.execute("migrate-continue", ANSWER, state="pre-switchover")
            said = await life.reached(source, OVER)
        if said == "completed":
            life.complain("corrupt", "the source says completed, and nobody has the guest")
            return
        if said not in OVER:
            life.complain("hang", f"the source says {said}")
            return
        await life.arrive(source, f"destination quits in {phase}, retry")


async def ping_pong(life: Lifetime) -> None:
    """There, and back into a fresh process of the first one's binary, with another method."""
    source, destination = await life.source(), await life.fresh()
    async with life.watched():
        life.step = "there"
        address = await incoming(destination, life.ends.terms("receiver"), f"unix:{life.socket(destination)}")
        await outgoing(source, replace(life.ends.terms("sender"), pause=False), address)
        course = await watch(source, destination, life.within)
        there = course.destination
        assert there is not None
        if not (course.source.completed and there.completed):
            words = f"source {course.source.fate}: {course.source.words}; destination {there.fate}: {there.words}"
            life.complain("hang" if course.stalled else "wrong-error", words)
            return
        memory = life.left(destination.name)
        if not memory.identical:
            life.complain("corrupt", f"everybody says completed, {memory.describe()}")
            return
        life.kill(source)
        await life.arrive(destination, "back", to=life.ends.source)


DEEDS: Final[Mapping[Deed, Callable[[Lifetime], Awaitable[None]]]] = {
    "cancel": cancel, "quit-source": quit_source, "quit-destination": quit_destination, "ping-pong": ping_pong,
    "many-cancelled": many_cancelled, "many-completed": many_completed,
}  # fmt: skip

_HOLDS: Final[Mapping[Phase, str]] = {
    "connecting": "the connection hangs", "setup": "the channels' connections hang",
    "active": "the destination takes", "stalled": "the destination stands still",
    "pre-switchover": "the destination waits", "device": "the destination stands still",
}  # fmt: skip
"""What has not ended."""


def _phase(life: Lifetime) -> Phase:
    plan = life.ends.pairing.plan.life
    assert plan is not None and plan.phase is not None
    return plan.phase


async def _reach(life: Lifetime, source: Guest, phase: Phase, nobody: Nobody | None) -> Guest | None:
    """Start the migration and wait for the phase; returns the destination, which stands still where that holds it."""
    life.step = f"on the way to {phase}"
    terms = replace(life.ends.terms("sender"), pause=True, bandwidth=SLOW if phase == "active" else UNLIMITED)
    destination = None
    if nobody is not None:
        address = f"unix:{nobody.path}"
    else:
        destination = await life.fresh()
        address = await incoming(destination, life.ends.terms("receiver"), f"unix:{life.socket(destination)}")
        if phase in ("active", "stalled"):
            destination.send_signal(signal.SIGSTOP)
    await outgoing(source, terms, address)
    others = [destination] if destination is not None else []
    if phase == "device" and destination is not None:
        await life.reached(source, ("pre-switchover",), others)
        await life.settled(source, destination)
        destination.send_signal(signal.SIGSTOP)
        await source.execute("migrate-continue", ANSWER, state="pre-switchover")
    said = await life.reached(source, _SAYS[phase], others)
    if phase == "stalled" and destination is not None:
        await life.stuck(source, destination)
    else:
        await life.settled(source, *others)
    if said not in _SAYS[phase]:
        life.complain("wrong-error", f"the source says {said}")
    return destination


@dataclass(frozen=True, slots=True)
class Nobody:
    """A socket where nobody accepts."""

    path: Path
    sockets: Mapping[int, None]
    """Its inode, and no process."""
    threads: tuple[int, ...] = ()
    """Nobody's."""


@contextmanager
def _nobody(life: Lifetime, phase: Phase) -> Iterator[Nobody | None]:
    """In phases that need it a socket where nobody accepts; one connection gets through, which in ``connecting`` is not
    the source's. With the block's end it is refused (unix(7))."""
    if phase not in ("connecting", "setup"):
        yield None
        return
    path = life.ends.directory / "nobody"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(str(path))
        listener.listen(0)
        if phase == "connecting":
            first.connect(str(path))
        yield Nobody(path, {os.fstat(listener.fileno()).st_ino: None})
    with suppress(OSError):
        path.unlink()


async def _quits(life: Lifetime, guest: Guest) -> None:
    with suppress(DiedError):  # it has been asked to end
        await guest.execute("quit", ANSWER)
    if not await life.ended(guest):
        life.complain("hang", f"{guest.name} does not end")
    elif guest.exit_status is not None and guest.exit_status < 0:
        life.complain("crash", f"{guest.name} killed by signal {-guest.exit_status}: {guest.log}")
    elif guest.exit_status:
        life.complain("wrong-error", f"{guest.name} ends with exit status {guest.exit_status}: {guest.log}")
    else:
        life.done.append(f"{life.step}: it ended")
