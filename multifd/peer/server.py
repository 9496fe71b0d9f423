"""``multifd peer``: our own peers. One process, one codec, requests one after the other."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from multifd import __version__
from multifd.codec import create
from multifd.errors import EnvironmentBroke, InputError, MultifdError, PayloadError, Unsupported, WireError
from multifd.framing.coder import Codec, Routed, Tally
from multifd.framing.model import framing
from multifd.memory.image import GuestMemory
from multifd.memory.layout import MemoryLayout
from multifd.migrate.address import connect, listen
from multifd.migrate.apply import Destination, Reception
from multifd.migrate.capture import FORMAT, Capture, problems, save_manifest
from multifd.migrate.crew import Crew, DeadlineError
from multifd.migrate.receive import Receiver
from multifd.migrate.replay import Replay
from multifd.migrate.splice import Side, Splice, Splicing
from multifd.migrate.stream import FileSink, SocketSink
from multifd.migrate.transmit import Transmission, Transmitter
from multifd.peer import contract
from multifd.peer.trial import make
from multifd.wire.dialect import ZeroPages, dialect

_KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (Unsupported, "unsupported"),
    (InputError, "unsupported"),
    (WireError, "wire"),
    (PayloadError, "payload"),
    (DeadlineError, "deadline"),
    (ConnectionError, "closed"),
    (EnvironmentBroke, "environment"),
    (OSError, "environment"),
)
"""Which kind of failure an exception is; the first that fits. Whatever is left is a defect of this peer."""


class PeerServer:
    """Answers the requests of the peer contract with one codec. The methods are what a test may override."""

    def __init__(self, codec: Codec, name: str, output: IO[str]) -> None:
        self.codec = codec
        self.name = name
        self._output = output

    def serve(self, requests: IO[str]) -> int:
        """Answer until ``quit`` or end of file; returns the exit status."""
        for line in requests:
            try:
                request = contract.REQUEST.validate_json(line)
            except ValidationError as problem:
                print(
                    f"multifd peer: not a request: {problems(problem)}: {line[:200]!r}",
                    file=sys.stderr,
                    flush=True,
                )
                return 2
            match request:
                case contract.Quit():
                    return 0
                case contract.Hello():
                    self.reply(self.introduce(request))
                case contract.Encode():
                    self._answer(request, self.encode)
                case contract.Decode():
                    self._answer(request, self.decode)
                case contract.Send():
                    self._answer(request, self.send)
                case contract.Receive():
                    self._answer(request, self.receive)
                case contract.Splice():
                    self._answer(request, self.splice)
                case contract.Try():
                    self.reply(self.attempt(request))
        return 0

    def reply(self, message: contract.Message) -> None:
        """Write one line."""
        self._output.write(message.model_dump_json() + "\n")
        self._output.flush()

    def introduce(self, request: contract.Hello) -> contract.Introduction:
        """Who we are and what the codec declares."""
        codec = self.codec
        return contract.Introduction(
            id=request.id,
            name=self.name,
            codec=codec.name.split("[", maxsplit=1)[0],
            device=codec.device,
            provenance=codec.provenance,
            version=f"{codec.version} (multifd {__version__})",
            roles=tuple(
                role  # type: ignore[misc]
                for role, capability in (("sender", codec.encoder), ("receiver", codec.decoder))
                if capability is not None
            ),
            encoder=codec.encoder,
            decoder=codec.decoder,
            tries=True,
            routing=codec.routing if isinstance(codec, Routed) else None,
        )

    def encode(self, request: contract.Encode) -> contract.Done:
        """A capture, channel after channel."""
        directory = Path(request.capture)
        shutil.rmtree(directory, ignore_errors=True)
        spoken, machine = dialect(request.dialect), dialect(request.machine or request.dialect)
        transmission = Transmission(
            framing(request.framing), spoken, spoken.zero_pages, machine.main_sync, request.channels
        )
        with ExitStack() as stack:
            made = [stack.enter_context(closing(sink)) for sink in _file_sinks(directory, request.channels)]
            transmitter = Transmitter(request.script, transmission, self.codec, made[0], made[1:])
            started = time.perf_counter()
            transmitter.run()
            seconds = time.perf_counter() - started
        last = request.script.rounds[-1].image
        with GuestMemory.open(last, writable=False) as memory:
            digest = memory.digest()
        save_manifest(
            directory,
            {
                "format": FORMAT,
                "page_size": request.script.page_size,
                "framing": request.framing,
                "dialect": request.dialect,
                "channels": request.channels,
                "ramblocks": last.sizes,
                "sha256": digest,
                "source": self.name,
                "packets": transmitter.packets,
            },
        )
        wire = sum(sink.written for sink in made)
        return self._done(
            request, packets=transmitter.packets, escaped=transmitter.escaped, bytes_wire=wire, seconds=seconds
        )

    def decode(self, request: contract.Decode) -> contract.Done:
        """A capture into memory; the framing is the receiver's, whatever the capture says."""
        capture = Capture.open(Path(request.capture))
        reception = Reception(
            framing(request.framing), dialect(request.dialect), capture.main_sync, capture.manifest.channels
        )
        with GuestMemory.open(request.memory, writable=True) as memory:
            replay = Replay(capture, reception, self.codec, Destination(memory))
            started = time.perf_counter()
            replay.run()
            seconds = time.perf_counter() - started
            return self._done(request, packets=replay.packets, seconds=seconds, digest=memory.digest())

    def send(self, request: contract.Send) -> contract.Done:
        """A live migration to a listening receiver."""
        transmission = Transmission(
            framing(request.framing),
            dialect(request.dialect),
            ZeroPages(request.zero_pages),
            dialect(request.machine).main_sync,
            request.channels,
        )
        crew = Crew(request.deadline)
        crew.awaited = lambda: "not sent"
        with closing(crew), crew.watching():
            # Like QEMU, connect main first: receivers before 8.0 take the first connection for it.
            connections = [crew.add(connect(request.address)) for _ in range(1 + request.channels)]
            main, *channels = map(SocketSink, connections)
            transmitter = Transmitter(request.script, transmission, self.codec, main, channels, crew.run_in_lanes)
            started = time.perf_counter()
            transmitter.run()
            seconds = time.perf_counter() - started
            wire = sum(sink.written for sink in (main, *channels))
        return self._done(
            request, packets=transmitter.packets, escaped=transmitter.escaped, bytes_wire=wire, seconds=seconds
        )

    def receive(self, request: contract.Receive) -> contract.Done:
        """A live migration from whoever connects."""
        reception = Reception(
            framing(request.framing),
            dialect(request.dialect),
            dialect(request.machine).main_sync,
            request.channels,
        )
        with GuestMemory.open(request.memory, writable=True) as memory:
            server, address = listen(request.address, 1 + request.channels)
            receiver = Receiver(
                server,
                reception,
                self.codec,
                Destination(memory),
                request.deadline,
                return_path=request.return_path,
            )
            try:
                self.reply(contract.Listening(id=request.id, address=address))
                started = time.perf_counter()
                receiver.run()
                seconds = time.perf_counter() - started
            finally:
                receiver.close()
            return self._done(request, packets=receiver.packets, seconds=seconds, digest=memory.digest())

    def splice(self, request: contract.Splice) -> contract.Done:
        """A live migration from whoever connects to a listening receiver, coded anew."""
        splicing = Splicing(
            Side.of(request.sender_framing, request.sender_dialect, self.codec),
            Side.of(request.receiver_framing, request.receiver_dialect, self.codec),
            request.page_size,
            request.ramblocks,
            request.channels,
        )
        splice = Splice(splicing, request.upstream, request.deadline)
        server, address = listen(request.address, 1 + request.channels)
        with closing(server), closing(splice):
            self.reply(contract.Listening(id=request.id, address=address))
            started = time.perf_counter()
            splice.run(server)
            seconds = time.perf_counter() - started
        return self._done(request, packets=splice.packets, bytes_wire=splice.bytes_wire, seconds=seconds)

    def attempt(self, request: contract.Try) -> contract.Tried | contract.Failed:
        """Every trial, made with the codec itself."""
        try:
            attempts, made = make(self.codec, request.trials, Path(request.data).read_bytes())
            Path(request.output).write_bytes(made)
        except OSError as problem:
            return self._failed(request, problem)
        return contract.Tried(id=request.id, attempts=attempts)

    def _answer(self, request: contract.Message, handle: Callable[..., contract.Done]) -> None:
        started, before = time.process_time(), self._tally()
        try:
            done = handle(request)
        except Exception as problem:
            self.reply(self._failed(request, problem))
            return
        told = _told(before, self._tally())
        self.reply(done.model_copy(update={"cpu_seconds": time.process_time() - started, **told}))

    def _tally(self) -> Tally:
        return self.codec.tally() if isinstance(self.codec, Routed) else Tally()

    def _done(self, request: contract.Message, **fields: object) -> contract.Done:
        return contract.Done.model_validate({"id": request.id, "provenance": self.codec.provenance, **fields})

    def _failed(self, request: contract.Message, problem: Exception) -> contract.Failed:
        kind = next((kind for type_, kind in _KINDS if isinstance(problem, type_)), "internal")
        text = str(problem) if isinstance(problem, MultifdError | OSError) else f"{type(problem).__name__}: {problem}"
        layout = getattr(request, "memory", None)
        failure = {"id": request.id, "error": text, "kind": kind, "digest": _digest(layout)}
        return contract.Failed.model_validate(failure | _details(problem))


def _told(before: Tally, after: Tally) -> dict[str, object]:
    """What the codec's library says of the request between the two."""
    told: dict[str, object] = {
        name: getattr(after, name) - getattr(before, name) for name in ("software", "busy", "faults")
    }
    if before.device is not None and after.device is not None:
        told["library"] = contract.Told(source=after.source, unit=after.unit, before=before.device, after=after.device)
    return told


def _details(problem: Exception) -> dict[str, object]:
    """What programs want to know of an error of the wire or a payload."""
    if not isinstance(problem, WireError | PayloadError):
        return {}
    value, expected = (v if isinstance(v, int | str) else str(v) for v in (problem.value, problem.expected))
    return {"field": problem.field, "value": value, "expected": expected, "place": problem.place}


def _file_sinks(directory: Path, channels: int) -> list[FileSink]:
    try:
        directory.mkdir(parents=True)
    except OSError as problem:
        raise EnvironmentBroke(f"{directory}: cannot create: {problem.strerror}") from None
    return [FileSink(directory / name) for name in ("main.bin", *(f"channel-{n}.bin" for n in range(channels)))]


def _digest(layout: MemoryLayout | None) -> dict[str, str] | None:
    if layout is None:
        return None
    try:
        with GuestMemory.open(layout, writable=False) as memory:
            return memory.digest()
    except (InputError, EnvironmentBroke):
        return None


def run(codec: str, parameters: Mapping[str, int]) -> int:
    """Serve one codec on stdin and stdout."""
    made = create(codec, parameters)
    return PeerServer(made, made.name, sys.stdout).serve(sys.stdin)
