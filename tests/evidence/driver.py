"""A peer that says it runs on an engine, and has that count its jobs: ``driver.py REGISTERS``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from multifd.codec import create
from multifd.peer import contract
from multifd.peer.server import PeerServer
from tests.evidence.engine import shares, work


class Driver(PeerServer):
    """Our emulated Kunpeng under a false flag. What does not reach the engine fell back to software, so to say."""

    registers: Path

    def introduce(self, request: contract.Hello) -> contract.Introduction:
        return super().introduce(request).model_copy(update={"provenance": "hardware"})

    def _answer(self, request: contract.Message, handle: Callable[..., contract.Done]) -> None:
        def on_engine(asked: contract.Message) -> contract.Done:
            before = self._jobs()
            done = handle(asked)
            encoding, decoding = shares(self.registers)
            share = encoding if isinstance(asked, contract.Encode | contract.Send) else decoding
            work(self.registers, (self._jobs() - before) * share // 100)
            return done.model_copy(update={"provenance": "hardware"})

        super()._answer(request, on_engine)

    def _jobs(self) -> int:
        count = vars(self.codec)["hardware"]
        assert isinstance(count, int)
        return count


if __name__ == "__main__":
    driver = Driver(create("uadk-emulated"), "driver", sys.stdout)
    driver.registers = Path(sys.argv[1])
    sys.exit(driver.serve(sys.stdin))
