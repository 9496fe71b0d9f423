"""Runs a cell in which one QEMU stands still, or dies, at TLS's handshake; the other must go on answering.

The destination is stopped before the source connects, so that the source's first words lie there unread. For a source
that stands still it is stopped when it has said them, and the destination let go. Nothing of it depends on time.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from multifd.evidence.fate import Arrived, bereft, between
from multifd.evidence.outcome import Outcome
from multifd.oracle.verdict import Observation
from multifd.plan.qemu.machine import machine_of
from multifd.plan.work import Pairing
from multifd.process.threads import asleep
from multifd.qemu.guest import RAM_BLOCK, GoneError, Guest, Machine, start
from multifd.qemu.migration import End, incoming, outgoing, watch
from multifd.qemu.tls import Interruption
from multifd.run.means import Means
from multifd.run.qemu.ram import filled, left_in
from multifd.run.qemu.recording import Recording
from multifd.run.qemu.secured import Secured
from multifd.run.qemu.setting import START, Setting

_ANSWER: Final = 10.0
"""Seconds that a living QEMU takes at most to answer."""
_LOOK: Final = 0.04
"""Seconds between two looks."""
_MUTE: Final = 12
"""Looks in a row at which it sleeps, after which a question has no answer."""
_QUESTIONS: Final = 4
"""Questions in a row: when it is asked first, it may not have come to the handshake."""


@dataclass(frozen=True, slots=True)
class _Pair:
    source: Guest
    destination: Guest
    interruption: Interruption

    @property
    def halted(self) -> Guest:
        return self.source if self.interruption.of_source else self.destination

    @property
    def left(self) -> Guest:
        return self.destination if self.interruption.of_source else self.source


class HandshakeBench:
    """Runs cells with interrupted handshakes."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def run(self, pairing: Pairing) -> Outcome:
        """Run the cell; raises EnvironmentBroke if a QEMU does not come up."""
        source, destination = self._means.line_up.qemu(pairing.sender), self._means.line_up.qemu(pairing.receiver)
        assert source is not None and destination is not None
        stage = self._means.stage
        with (
            stage.workplace() as directory,
            Recording(None, directory / "tap", START) as recording,
            Secured(pairing.plan.tls, directory, START) as secured,
        ):
            script = stage.script(pairing)
            still = script.model_copy(update={"rounds": script.rounds[:1]})
            machine = machine_of(self._means.line_up, pairing)
            ends = Setting(pairing, still, directory, machine, source, destination, None, recording, secured)
            filled(ends.ram("source"), ends.script.rounds[0].image)
            with ends.ram("destination").open("wb") as file:
                file.truncate(pairing.sizes[RAM_BLOCK])
            return Outcome(asyncio.run(self._interrupted(ends)))

    async def _interrupted(self, ends: Setting) -> Observation:
        async with AsyncExitStack() as stack:
            pair = await self._both(stack, ends)
            address = await incoming(pair.destination, ends.terms("receiver"), f"unix:{ends.directory / 'migration'}")
            pair.destination.send_signal(signal.SIGSTOP)
            await outgoing(pair.source, ends.terms("sender"), address)
            if pair.interruption.of_source:
                await _answers(pair.source)  # by then it has said its first words
                pair.source.send_signal(signal.SIGSTOP)
                pair.destination.send_signal(signal.SIGCONT)
            answered = await _answers(pair.left)
            if pair.interruption.fatal:
                pair.halted.send_signal(signal.SIGKILL)
                return await self._after_death(ends, pair)
            pair.halted.send_signal(signal.SIGCONT)
            course = await watch(pair.source, pair.destination, self._means.deadline)
            seen = between(course, Arrived(left_in(ends.ram("destination"), ends.script)))
        if answered:
            return seen
        words = f"{pair.left.name} answers nothing while the handshake waits for {pair.halted.name}"
        return Observation("hang", words, f"{words}; when it goes on: {seen.error or seen.outcome}")

    async def _both(self, stack: AsyncExitStack, ends: Setting) -> _Pair:
        assert ends.destination is not None and ends.pairing.plan.interruption is not None
        size = ends.pairing.sizes[RAM_BLOCK]
        guests = [
            stack.enter_async_context(start(
                qemu.binary, side, ends.directory,
                (*Machine(ends.machine, ends.ram(side), size).arguments(), *more), START,
            ))
            for qemu, side, more in (
                (ends.source, "source", ends.arguments("sender")),
                (ends.destination, "destination", (*ends.arguments("receiver"), "-incoming", "defer")),
            )
        ]  # fmt: skip
        source, destination = await asyncio.gather(*guests)
        return _Pair(source, destination, ends.pairing.plan.interruption)

    async def _after_death(self, ends: Setting, pair: _Pair) -> Observation:
        """Who is left must say why: the source has failed, the destination waits for somebody else."""
        end, patience = End(), pair.left.patience(self._means.deadline)
        while not end.dead and patience.pause() is not None:
            await asyncio.sleep(_LOOK)
            if await _answers(pair.left, 1):
                info = await pair.left.execute("query-migrate", _ANSWER)
                end.status, end.error = info.get("status", "none"), info.get("error-desc")
            end.exit_status, end.log = pair.left.exit_status, pair.left.log
            if end.over or (end.waits and end.log):
                break
        return bereft(pair.left.name, end, written=any(ends.ram("destination").read_bytes()))


async def _answers(guest: Guest, questions: int = _QUESTIONS) -> bool:
    """Whether it answers all of some questions; no, if it sleeps and does not answer one."""
    for _ in range(questions):
        question = asyncio.ensure_future(guest.execute("query-migrate", _ANSWER))
        sleeping = 0
        while not (await asyncio.wait((question,), timeout=_LOOK))[0]:
            sleeping = sleeping + 1 if asleep(guest.pid) else 0
            if sleeping == _MUTE:
                question.cancel()
                return False
        try:
            question.result()
        except GoneError:
            return False
        await asyncio.sleep(_LOOK)
    return True
