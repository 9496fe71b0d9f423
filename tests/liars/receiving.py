"""Receivers that lie about the memory: what they wrote, when they wrote it, what they say that it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from multifd.errors import PayloadError
from multifd.framing.pages import Pages
from multifd.memory.image import GuestMemory
from multifd.memory.layout import MemoryLayout
from multifd.peer import contract
from tests.liars.base import Liar

GARBAGE = 0xA5


class Spoiler(Liar):
    """Decodes as it should, then spoils the memory; the digest is that of the right memory."""

    def decode(self, request: contract.Decode) -> contract.Done:
        return self._spoiled(super().decode(request), self.memory_at_stake(request))

    def receive(self, request: contract.Receive) -> contract.Done:
        return self._spoiled(super().receive(request), self.memory_at_stake(request))

    def spoil(self, pages: Pages) -> None:
        """Damage the pages of the first RAM block."""
        raise NotImplementedError

    def _spoiled(self, done: contract.Done, layout: MemoryLayout | None) -> contract.Done:
        if layout is not None:
            with GuestMemory.open(layout, writable=True) as memory:
                self.spoil(memory.pages(layout.blocks[0].name))
        return done


class CorruptsABit(Spoiler):
    """One bit of one page is wrong, the digest is the right one."""

    def spoil(self, pages: Pages) -> None:
        pages[5, 1000] ^= 0x10


class CorruptsABitAndKnows(CorruptsABit):
    """One bit of one page is wrong, and so is the digest."""

    def _spoiled(self, done: contract.Done, layout: MemoryLayout | None) -> contract.Done:
        done = super()._spoiled(done, layout)
        if layout is None:
            return done
        with GuestMemory.open(layout, writable=False) as memory:
            return done.model_copy(update={"digest": memory.digest()})


class SwapsPages(Spoiler):
    """Two pages are exchanged."""

    def spoil(self, pages: Pages) -> None:
        other = int(np.flatnonzero((pages != pages[0]).any(axis=1))[0])
        pages[[0, other]] = pages[[other, 0]]


class DropsOnReceive(Spoiler):
    """A packet's pages are not written."""

    def spoil(self, pages: Pages) -> None:
        pages[:128] = 0


class FalseDigest(Liar):
    """The memory is right, its digest is made up."""

    def decode(self, request: contract.Decode) -> contract.Done:
        done = super().decode(request)
        if self.memory_at_stake(request) is None:
            return done
        return done.model_copy(update={"digest": dict.fromkeys(request.memory.sizes, "0" * 64)})


class AcceptsEverything(Liar):
    """Says done without decoding anything."""

    def decode(self, request: contract.Decode) -> contract.Done:
        return self._done(request) if self.memory_at_stake(request) else super().decode(request)


class _WritesAroundAnError(Liar):
    """Knows the memory of the request that it fails."""

    def lie(self, request: contract.Message, layout: MemoryLayout, handle: Callable[..., contract.Done]) -> None:
        self._memory = layout
        super().lie(request, layout, handle)

    def _write(self) -> None:
        with GuestMemory.open(self._memory, writable=True) as memory:
            memory.pages(self._memory.blocks[0].name)[7] = GARBAGE


class WritesBeforeError(_WritesAroundAnError):
    """Writes a garbage page, then reports its error."""

    def reply(self, message: contract.Message) -> None:
        if isinstance(message, contract.Failed):
            self._write()
            message = message.model_copy(update={"digest": None})
        super().reply(message)


class WritesAtOnceAfterError(_WritesAroundAnError):
    """Reports its error and writes a garbage page before it is asked anything else."""

    def reply(self, message: contract.Message) -> None:
        super().reply(message)
        if isinstance(message, contract.Failed):
            self._write()


class WritesLongAfterError(_WritesAroundAnError):
    """Reports its error; a thread writes a garbage page some milliseconds later."""

    def reply(self, message: contract.Message) -> None:
        super().reply(message)
        if isinstance(message, contract.Failed):
            threading.Thread(target=self._write_later).start()

    def _write_later(self) -> None:
        time.sleep(0.015)
        self._write()


class WritesWhenAskedAfterError(_WritesAroundAnError):
    """Reports its error; its next answer comes when a garbage page has been written."""

    def introduce(self, request: contract.Hello) -> contract.Introduction:
        if request.id > 1:
            self._write()
        return super().introduce(request)


class WrongError(Liar):
    """Refuses for another reason than the true one."""

    def reply(self, message: contract.Message) -> None:
        if isinstance(message, contract.Failed):
            message = message.model_copy(update={"error": "the moon is full", "kind": "payload"})
        super().reply(message)


class RefusesWhatWorks(Liar):
    """Refuses to decode what it declares to read."""

    def decode(self, request: contract.Decode) -> contract.Done:
        if self.memory_at_stake(request) is None:
            return super().decode(request)
        raise PayloadError("not today")


class ListensElsewhere(Liar):
    """Says that it listens at an address that nobody asked for."""

    def reply(self, message: contract.Message) -> None:
        if isinstance(message, contract.Listening):
            message = message.model_copy(update={"address": "elsewhere"})
        super().reply(message)
