"""The recording of a cell with a real QEMU, as a capture: a tap before its receiving side.

The tap stands where the cell's sender sends what the cell is about: behind a splice that encodes, before one that
decodes.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pydantic import ValidationError

from multifd.errors import InputError, WireError
from multifd.migrate.address import UnreachableError
from multifd.migrate.capture import Capture
from multifd.migrate.crew import Crew
from multifd.migrate.tap import Tap
from multifd.plan.work import Pairing
from multifd.qemu.guest import RAM_BLOCK
from multifd.qemu.recording import PAGE_SIZE, digest
from multifd.wire.dialect import MainSync

_NO_CAPTURE: Final = (InputError, WireError, ValidationError, UnreachableError)
"""Why what was sent is no capture: it ended before the RAM blocks were listed, or before every channel was there."""


@dataclass(slots=True)
class Recording:
    """The recording of one cell into ``directory``, none where that is None; ends with the block."""

    directory: Path | None
    socket: Path
    """Where to listen, unless the receiver does so on TCP."""
    deadline: float
    """Seconds that the cell takes at most."""
    _tap: Tap | None = None
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def before(self, address: str) -> str:
        """Where to connect to instead of ``address``; what was recorded there before goes."""
        if self.directory is None:
            return address
        shutil.rmtree(self.directory, ignore_errors=True)
        here = "tcp:127.0.0.1:0" if address.startswith("tcp:") else f"unix:{self.socket}"
        self._tap = self._stack.enter_context(Tap(here, address, self.directory, self.deadline))
        return self._tap.address

    @property
    def carriers(self) -> tuple[Crew, ...]:
        """What the stream goes through here."""
        return () if self._tap is None else (self._tap.carrier,)

    def save(self, pairing: Pairing, main_sync: MainSync, ram: Path, *, spliced: bool) -> tuple[str, ...]:
        """The capture's path once every sender is gone; nothing where what was sent is no capture.

        ``ram`` is the memory that the source had at the end. A ``spliced`` sender has a framing, a QEMU a method.
        Raises EnvironmentBroke where the capture cannot be written.
        """
        if self._tap is None or self.directory is None:
            return ()
        payload = {"framing" if spliced else "method": pairing.sender_framing}
        try:
            self._tap.save(
                **payload, dialect=pairing.sender_dialect, page_size=PAGE_SIZE, main_sync=main_sync,
                sha256={RAM_BLOCK: digest(ram)}, source=f"{pairing.sender} to {pairing.receiver}, {pairing.scenario}",
            )  # fmt: skip
            Capture.open(self.directory)
        except _NO_CAPTURE:
            shutil.rmtree(self.directory, ignore_errors=True)
            return ()
        return (str(self.directory),)
