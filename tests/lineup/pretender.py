"""A peer that stands in a library's place: ``python tests/lineup/pretender.py MANNER ... -m multifd.peer CODEC ...``.

It is put before the command of the codec over a vendor's library as a loader would be, and answers in its stead, by the
model of its silicon, with what is behind ``-m`` for its name.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from multifd.accelerator import VENDOR, by_codec
from multifd.codec import create, factories
from multifd.errors import PayloadError
from multifd.libraries.fetch import LOADER
from multifd.libraries.find import Library
from multifd.memory.image import GuestMemory
from multifd.peer import contract
from multifd.peer.server import PeerServer
from multifd.result.record import Provenance

WORDS: Final = "qpl[path=1]: qpl_init_job: status 503 (QPL_STS_INIT_NO_DEVICE)"
FAILED: Final = "qpl job failed with error 303"
LOGGED: Final = "This qatlib v26.8 received response from incompatible qatmgr v24.2"


class Pretender(PeerServer):
    """Works on its device, as far as anybody can see."""

    introduced: Provenance = "hardware"

    def introduce(self, request: contract.Hello) -> contract.Introduction:
        return super().introduce(request).model_copy(update={"provenance": self.introduced})

    def _answer(self, request: contract.Message, handle: Callable[..., contract.Done]) -> None:
        self._request = request
        super()._answer(request, handle)

    def reply(self, message: contract.Message) -> None:
        if isinstance(message, contract.Done):
            message = self.told(self._request, message.model_copy(update={"provenance": "hardware"}))
        super().reply(message)

    def told(self, request: contract.Message, done: contract.Done) -> contract.Done:
        """What it says of what it did."""
        counted = contract.Told(source="requests of the session", unit="jobs", before=7, after=15)
        return done.model_copy(update={"library": counted})


class FallenBack(Pretender):
    """Its library has no device, logs why, and computes in software."""

    introduced: Provenance = "vendor-software"

    def introduce(self, request: contract.Hello) -> contract.Introduction:
        print(LOGGED, file=sys.stderr, flush=True)
        return super().introduce(request)


class FallsBack(Pretender):
    """Is there, and computes in software when it is asked to."""

    def told(self, request: contract.Message, done: contract.Done) -> contract.Done:
        return done.model_copy(update={"provenance": "vendor-software"})


class Confesses(Pretender):
    """Says that its library took to software for three calls."""

    def told(self, request: contract.Message, done: contract.Done) -> contract.Done:
        return super().told(request, done).model_copy(update={"software": 3})


class CountsNothing(Pretender):
    """Its library has counted no work."""

    def told(self, request: contract.Message, done: contract.Done) -> contract.Done:
        counted = contract.Told(source="requests of the session", unit="jobs", before=7, after=7)
        return done.model_copy(update={"library": counted})


class ReceivesOnly(Pretender):
    """Its device decompresses, and nothing else."""

    def told(self, request: contract.Message, done: contract.Done) -> contract.Done:
        if isinstance(request, contract.Encode):
            return done.model_copy(update={"provenance": "vendor-software"})
        return super().told(request, done)


class SendsOnly(Pretender):
    """Its device compresses, and nothing else."""

    def told(self, request: contract.Message, done: contract.Done) -> contract.Done:
        if isinstance(request, contract.Decode):
            return done.model_copy(update={"software": 1})
        return super().told(request, done)


class FailsToSend(Pretender):
    """Its device ends every compression with an error, and leaves nothing."""

    def encode(self, request: contract.Encode) -> contract.Done:
        raise PayloadError(FAILED)


class Choosy(Pretender):
    """Its library gives nothing below the threshold to the device."""

    def told(self, request: contract.Message, done: contract.Done) -> contract.Done:
        assert isinstance(request, contract.Encode | contract.Decode)
        layout = request.script.expected if isinstance(request, contract.Encode) else request.memory
        routing = self.introduce(contract.Hello(id=0)).routing
        assert routing is not None
        software = sum(layout.sizes.values()) < routing.threshold
        return super().told(request, done).model_copy(update={"software": int(software)})


class Corrupts(Pretender):
    """Its device gives back something else."""

    def decode(self, request: contract.Decode) -> contract.Done:
        done = super().decode(request)
        with GuestMemory.open(request.memory, writable=True) as memory:
            memory.pages("pc.ram")[2] ^= 1
        return done


class Hangs(Pretender):
    """Waits for a device that does not answer."""

    def encode(self, request: contract.Encode) -> contract.Done:
        time.sleep(3600)
        raise AssertionError("nobody waits so long")


class Dies(Pretender):
    """Its library crashes at its first request."""

    def encode(self, request: contract.Encode) -> contract.Done:
        os.kill(os.getpid(), signal.SIGSEGV)
        raise AssertionError("it is dead")


class InSoftware(PeerServer):
    """The library's own CPU path."""

    def introduce(self, request: contract.Hello) -> contract.Introduction:
        return super().introduce(request).model_copy(update={"provenance": "vendor-software"})

    def _done(self, request: contract.Message, **fields: object) -> contract.Done:
        return super()._done(request, **fields).model_copy(update={"provenance": "vendor-software"})


MANNERS: Final[Mapping[str, type[Pretender]]] = {
    each.__name__: each
    for each in (
        Pretender, FallenBack, FallsBack, Confesses, CountsNothing, ReceivesOnly, SendsOnly, FailsToSend, Choosy,
        Corrupts, Hangs, Dies,
    )
}  # fmt: skip
REFUSES: Final = "Refuses"
"""The library does not start the device, and the peer says so in its words."""


def pretending(codec: str, manner: str) -> Library:
    """A library that is none: whoever starts its codec starts a pretender."""
    loader = (sys.executable, "-P", str(Path(__file__)), manner)
    return Library(codec, Path(f"lib{codec}.so"), "0", "profile", loader, (0, 0))


def furnish(directory: Path, codec: str, manner: str) -> Path:
    """A folder in which the search finds that library, with the pretender as the loader that it needs."""
    directory.mkdir(parents=True)
    (directory / VENDOR[codec].soname).symlink_to(Path("/bin/true").resolve())
    loader = directory / LOADER
    pretender = shlex.join((sys.executable, "-P", str(Path(__file__)), manner))
    loader.write_text(f'#!/bin/sh\nshift 2\nexec {pretender} "$@"\n')
    loader.chmod(0o755)
    return directory


def main(manner: str, *command: str) -> int:
    """Serve in the place of the codec in the command; on its CPU path all is well."""
    codec = command[command.index("-m") + 2]
    if "path=2" in command:
        return InSoftware(create(by_codec(codec).emulated), codec, sys.stdout).serve(sys.stdin)
    if manner == REFUSES:
        print(f"multifd peer: {WORDS}", file=sys.stderr)
        return 2
    name = by_codec(codec).emulated
    given = (setting.partition("=") for setting in command[command.index("-m") + 3 :])
    known = factories()[name].parameters
    emulated = create(name, {key: int(value) for key, _, value in given if key in known})
    return MANNERS[manner](emulated, codec, sys.stdout).serve(sys.stdin)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
