"""One life under way: the processes of it, the step that it is at, and what went wrong in which step."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from qemu.qmp import ExecuteError

from multifd.evidence.observe import Memory
from multifd.lineup.peers import QemuPeer
from multifd.oracle.verdict import Observation, Observed
from multifd.process.threads import asleep
from multifd.qemu.guest import DiedError, GoneError, Guest, RefusedError
from multifd.qemu.migration import POLL, QUIET, Stillness, Terms
from multifd.qemu.standstill import Carrier, Standstill
from multifd.result.record import KIND_ORDER, Kind
from multifd.run.qemu.afterwards import again
from multifd.run.qemu.ram import left_in
from multifd.run.qemu.setting import Setting
from multifd.run.qemu.starting import begin

OVER: Final = ("completed", "failed", "cancelled")
ANSWER: Final = 10.0
"""Seconds that a living QEMU takes at most to answer."""
_SLOWLY: Final = 0.04
"""Seconds between two looks at who does nothing."""
_OBSERVED: Final[dict[Kind, Observed]] = {
    "corrupt": "hazard", "hang": "hang", "crash": "crash", "wrong-error": "rejected", "invariant": "identical"
}  # fmt: skip


@dataclass(slots=True)
class Lifetime:
    """What a deed works with."""

    ends: Setting
    stack: AsyncExitStack
    other: Terms
    """Another method and another number of channels, for what comes after."""
    within: float
    """Deadline of each step in seconds."""
    step: str = "start"
    """What is being done, in words."""
    complaints: list[tuple[Kind, str]] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    """Steps that went well."""
    _started: int = 0

    async def source(self) -> Guest:
        """Start the source."""
        return await begin(self.stack, self.ends, self.ends.source, "source")

    async def fresh(self, qemu: QemuPeer | None = None) -> Guest:
        """Start a destination that waits: of the cell's receiver, or another one."""
        assert self.ends.destination is not None
        self._started += 1
        return await begin(self.stack, self.ends, qemu or self.ends.destination, f"fresh-{self._started}")

    def socket(self, guest: Guest) -> str:
        """Where a destination listens."""
        return str(self.ends.directory / f"{guest.name}.socket")

    def complain(self, kind: Kind, words: str) -> None:
        """Something is wrong in this step."""
        self.complaints.append((kind, f"{self.step}: {words}"))

    def left(self, side: str) -> Memory:
        """The memory of a side, compared with what the guest had."""
        return left_in(self.ends.ram(side), self.ends.script)

    async def arrive(self, source: Guest, step: str, terms: Terms | None = None, to: QemuPeer | None = None) -> bool:
        """A migration to a fresh destination, which must arrive; complains if it does not."""
        self.step = step
        fresh = await self.fresh(to)
        how = await again(source, fresh, terms or self.other, self.left, self.socket(fresh), self.within)
        if how.lost is not None:
            self.complain(how.lost, how.words)
            return False
        self.done.append(f"{step}: arrived with {(terms or self.other).method}")
        return True

    async def reached(
        self, source: Guest, wanted: Sequence[str], also: Sequence[Guest] = (), *, stand: Sequence[Guest] = (),
        through: Sequence[Carrier] = (),
    ) -> str:  # fmt: skip
        """Wait until the source says one of these or that it is over; returns what it says.

        Nobody waits any longer where nothing has changed and all processes, ``also`` too, sleep at many looks in a row,
        or where it is known that none of them can go on; those that ``stand`` we have stopped, and what the stream goes
        ``through`` is ours.
        """
        still = Stillness(Standstill((source, *also), through=through, stand=stand))
        while True:
            said = str((await source.execute("query-migrate", ANSWER)).get("status", "none"))
            if said in wanted or said in OVER or await still.lasts(said):
                return said

    async def settled(self, *guests: Guest) -> None:
        """Wait until all of them do nothing."""
        quiet, patiences = 0, [guest.patience(self.within) for guest in guests]
        while quiet < QUIET and all(patience.pause() is not None for patience in patiences):
            quiet = quiet + 1 if all(asleep(guest.pid) for guest in guests) else 0
            await asyncio.sleep(POLL)

    async def stuck(self, source: Guest, stand: Guest) -> None:
        """Wait until the source cannot go on for want of the one that stands, whom we have stopped."""
        patience, standstill = source.patience(self.within), Standstill([source], stand=[stand])
        while not await standstill.known() and patience.pause() is not None:
            await asyncio.sleep(POLL)

    async def ended(self, guest: Guest) -> bool:
        """Wait until a process that should end has ended; False if it hangs."""
        patience = guest.patience(self.within)
        while guest.exit_status is None:
            if patience.pause() is None:
                return False
            await asyncio.sleep(POLL)
        return True

    def kill(self, guest: Guest) -> None:
        """End a process that is not needed any more, as a manager does."""
        guest.send_signal(signal.SIGKILL)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Whatever a QEMU refuses in the block, or dies of, is a complaint of the step."""
        try:
            yield
        except (ExecuteError, RefusedError) as refusal:
            self.complain("wrong-error", f"is refused: {refusal}")
        except DiedError as died:
            self.complain("crash", str(died))
        except GoneError as gone:
            self.complain("hang", str(gone))

    def observation(self) -> Observation:
        """What there was to see."""
        words = tuple(said for _, said in self.complaints)
        aftermath = "; ".join((*self.done, *words))
        if not self.complaints:
            return Observation("identical", aftermath=aftermath)
        worst = min((kind for kind, _ in self.complaints), key=KIND_ORDER.index)
        text = "; ".join(words)
        lost = worst if _OBSERVED[worst] == "identical" else None
        return Observation(_OBSERVED[worst], text, text, complaints=words, aftermath=aftermath, lost=lost)
