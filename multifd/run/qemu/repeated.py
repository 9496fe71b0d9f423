"""One source that migrates again and again, and what it uses after each time: what does not come back has leaked."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import Final

import numpy as np

from multifd.evidence.observe import Memory
from multifd.process.footprint import STEADY, Footprint, growth
from multifd.qemu.guest import Guest
from multifd.qemu.migration import incoming, outgoing
from multifd.run.qemu.afterwards import again
from multifd.run.qemu.lifetime import ANSWER, OVER, Lifetime

_CANCELLED: Final = STEADY + 2
"""Times; the first ones fill caches."""
_COMPLETED: Final = STEADY + 1
"""Times, where memory is not compared."""


async def many_cancelled(life: Lifetime) -> None:
    """Cancelled in the first round each time, and one that arrives in the end."""
    source = await life.source()
    used: list[Footprint] = []
    async with life.watched():
        for number in range(1, _CANCELLED + 1):
            life.step = f"cancelled for the {number}. time"
            destination = await life.fresh()
            terms = life.ends.terms("receiver")
            address = await incoming(destination, terms, f"unix:{life.socket(destination)}")
            destination.send_signal(signal.SIGSTOP)
            await outgoing(source, replace(life.ends.terms("sender"), pause=True), address)
            await life.reached(source, ("active",), (destination,))
            await life.settled(source, destination)
            await source.execute("migrate_cancel", ANSWER)
            destination.send_signal(signal.SIGCONT)
            said = await life.reached(source, OVER, (destination,))
            life.kill(destination)
            if said != "cancelled":
                life.complain("wrong-error", f"the source says {said}")
                return
            await life.settled(source)
            used.append(Footprint.of(source.pid))
        _compare(life, used, memory=True)
        await life.arrive(source, f"cancelled {_CANCELLED} times, retry")


async def many_completed(life: Lifetime) -> None:
    """Completed each time. A guest that has left is told to go on and to stop: only then it may migrate again.

    What it runs then is translated, which takes memory: only descriptors and threads are compared.
    """
    source = await life.source()
    used: list[Footprint] = []
    async with life.watched():
        for number in range(1, _COMPLETED + 1):
            life.step = f"migrated for the {number}. time"
            destination = await life.fresh()
            terms = replace(life.ends.terms("receiver"), pause=False)
            how = await again(
                source, destination, terms, lambda side: _alike(life, side), life.socket(destination), life.within
            )
            if how.lost is not None:
                life.complain(how.lost, how.words)
                return
            life.kill(destination)
            await _go_on(source)
            await life.settled(source)
            used.append(Footprint.of(source.pid))
        _compare(life, used, memory=False)
        life.done.append(f"migrated {_COMPLETED} times, each time memory arrived")


async def _go_on(source: Guest) -> None:
    await source.execute("cont", ANSWER)
    await source.execute("stop", ANSWER)


def _alike(life: Lifetime, side: str) -> Memory:
    """A guest that went on has another memory than the script has: compare with the source's."""
    size = life.ends.pairing.page_size
    here, there = (np.fromfile(life.ends.ram(each), np.uint8).reshape(-1, size) for each in ("source", side))
    other = (here != there).any(axis=1)
    return Memory(not other.any(), 0, int(other.sum()), f"first at page {int(other.argmax())}")


def _compare(life: Lifetime, used: list[Footprint], *, memory: bool) -> None:
    for words in growth(used, memory=memory):
        life.step = f"after {len(used)} times"
        life.complain("invariant", f"the source's {words}")
