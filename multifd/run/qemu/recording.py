"""The tap before the receiving side of every cell with a real QEMU: it watches, and where that is asked for records.

It stands where the cell's sender sends what the cell is about: behind a splice that encodes, before one that decodes.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from multifd.errors import InputError, WireError
from multifd.memory.layout import PageSize
from multifd.migrate.address import UnreachableError
from multifd.migrate.capture import Capture
from multifd.migrate.crew import Crew
from multifd.migrate.tap import Tap
from multifd.plan.work import Pairing
from multifd.qemu.dimms import file_of
from multifd.qemu.recording import digest
from multifd.wire.dialect import MainSync
from multifd.wire.invariants import Sender
from multifd.wire.witness import Watched, Witness

_NO_CAPTURE: Final = (InputError, WireError, UnreachableError)
"""Why what was sent is no capture: it ended before the RAM blocks were listed, or before every channel was there."""


@dataclass(slots=True)
class Recording:
    """The tap of one cell, which records into ``directory`` unless that is None; ends with the block."""

    directory: Path | None
    socket: Path
    """Where to listen, unless the receiver does so on TCP."""
    deadline: float
    """Seconds that the cell takes at most."""
    _tap: Tap | None = None
    _witness: Witness | None = None
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def before(self, address: str, sender: Sender) -> str:
        """Where this sender is to connect to instead of ``address``; what was recorded there before goes."""
        if self.directory is not None:
            shutil.rmtree(self.directory, ignore_errors=True)
        here = "tcp:127.0.0.1:0" if address.startswith("tcp:") else f"unix:{self.socket}"
        self._witness = Witness(sender)
        self._tap = self._stack.enter_context(Tap(here, address, self.directory, self.deadline, witness=self._witness))
        return self._tap.address

    @property
    def carriers(self) -> tuple[Crew, ...]:
        """What the stream goes through here."""
        return () if self._tap is None else (self._tap.carrier,)

    def watched(self, *, completed: bool, transferred: int) -> Watched:
        """What was seen, once every sender is gone.

        ``completed`` and ``transferred`` (``ram.transferred``, in bytes) are the source's own words.
        """
        if self._tap is None or self._witness is None:
            return Watched(0)
        self._tap.wait()
        return self._witness.conclude(completed=completed, transferred=transferred)

    def save(
        self, pairing: Pairing, main_sync: MainSync, ram: Path, page_size: PageSize, *, spliced: bool
    ) -> tuple[str, ...]:
        """The capture's path once every sender is gone; nothing where what was sent is no capture.

        ``ram`` is the memory that the source had at the end. A ``spliced`` sender has a framing, a QEMU a method.
        Raises EnvironmentBroke where the capture cannot be written.
        """
        if self._tap is None or self.directory is None:
            return ()
        payload = {"framing" if spliced else "method": pairing.sender_framing}
        try:
            self._tap.save(
                **payload, dialect=pairing.sender_dialect, page_size=page_size, main_sync=main_sync,
                sha256={block: digest(file_of(ram, block)) for block in pairing.sizes},
                source=f"{pairing.sender} to {pairing.receiver}, {pairing.scenario}",
            )  # fmt: skip
            Capture.open(self.directory)
        except _NO_CAPTURE:
            shutil.rmtree(self.directory, ignore_errors=True)
            return ()
        return (str(self.directory),)
