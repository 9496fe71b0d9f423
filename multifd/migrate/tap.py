"""The tap: records a live migration as a capture, whoever sends it to whomever.

It listens where the sender connects, makes a connection of its own to the receiver for each that it accepts, in the
order in which they come (QEMU 7.2 takes the first for main), forwards bytes both ways, and appends what the sender
sends to ``main.bin`` and ``channel-<id>.bin``. Without a receiver it only records: a source sends all it has to
whoever reads it.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final, Self

from typing_extensions import Buffer

from multifd.errors import EnvironmentBroke, MultifdError, WireError
from multifd.memory.layout import PageSize
from multifd.migrate.address import connect, listen
from multifd.migrate.capture import FORMAT, Manifest, save_manifest
from multifd.migrate.crew import Crew, cut
from multifd.migrate.stream import FileSink, FileSource, chunks
from multifd.wire.dialect import MainSync
from multifd.wire.fields import INIT
from multifd.wire.main_reader import MainReader
from multifd.wire.main_stream import FILE_MAGIC, Blocks, RamEnd
from multifd.wire.packet import INIT_SIZE, unpack_init
from multifd.wire.return_path import StreamEnd, shut

MAIN: Final = "main.bin"
_BACKLOG: Final = 256
_MAGIC_SIZE: Final = INIT["magic"].size
_MOST_CHANNELS: Final = 255
_UUID: Final = INIT["uuid"].place
_READ: Final = 1 << 20


class Tap:
    """A recording in progress, in threads of its own; leaving the block cuts every connection that is left.

    ``address`` is where to listen and ``upstream`` where the receiver does, None for no receiver. ``directory``
    becomes the capture. ``deadline`` is in seconds from entering the block: when nobody is at work any more by then,
    every connection is cut.
    ``answering`` is the page size in bytes of a guest whose source has the ``return-path`` capability, where there is
    no receiver to answer it; None for a source that does not ask.
    """

    def __init__(
        self, address: str, upstream: str | None, directory: Path, deadline: float, *, answering: PageSize | None = None
    ) -> None:
        self.address = address
        self._upstream = upstream
        self._directory = directory
        self._deadline = deadline
        self._answering = answering
        self._crew = Crew(deadline)
        self._crew.awaited = lambda: "no end of the migration"
        self._names: set[str] = set()
        self._lock = threading.Lock()
        self._recording: list[threading.Thread] = []

    def __enter__(self) -> Self:
        """Listen; raises EnvironmentBroke where that, or to make the directory, is not possible."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise EnvironmentBroke(f"{self._directory}: cannot create: {problem.strerror}") from None
        server, self.address = listen(self.address, _BACKLOG)
        self._server = self._crew.add(server)
        self._stop, self._stopped = socket.socketpair()
        self._crew.begin()
        self._accepting = self._crew.start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._no_more()
        self._crew.end()
        self._crew.close()
        for connection in (self._server, self._stop, self._stopped):
            connection.close()

    @property
    def carrier(self) -> Crew:
        """Whose threads and connections the stream goes through."""
        return self._crew

    def save(
        self,
        *,
        method: str | None = None,
        framing: str | None = None,
        dialect: str,
        page_size: PageSize,
        main_sync: MainSync | None = None,
        sha256: Mapping[str, str] | None = None,
        source: str | None = None,
    ) -> Manifest:
        """Wait until the sender has closed every connection, then write the manifest.

        Either ``method`` or ``framing`` says what payloads are. ``sha256`` has digests of the memory afterwards, by
        RAM block. A migration that failed is a capture too, if it came as far as its list of RAM blocks.

        Raises the first error of the recording: DeadlineError, WireError for a connection that is no part of a
        migration, UnreachableError for a receiver that is not there, EnvironmentBroke for a full disk; and WireError
        for a main channel that cannot be read, pydantic's ValidationError for what a capture cannot have.
        """
        self._no_more()
        for thread in self._recording:
            thread.join()
        if self._crew.error is not None:
            raise self._crew.error
        return save_manifest(
            self._directory,
            {
                "format": FORMAT,
                "page_size": page_size,
                "method": method,
                "framing": framing,
                "dialect": dialect,
                "channels": len(self._names - {MAIN}),
                "main_sync": main_sync and main_sync.value,
                "ramblocks": self._ramblocks(page_size),
                "sha256": dict(sha256 or {}),
                "source": source,
            },
        )

    def _ramblocks(self, page_size: int) -> dict[str, int]:
        source, reader = FileSource(self._directory / MAIN), MainReader(page_size)
        while source.left:
            for event in reader.feed(source.read(_READ)):
                if isinstance(event, Blocks):
                    return dict(event.blocks)
        reader.finish()
        raise WireError("main channel", "no list of RAM blocks", "one in the setup section of ram")

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._server, selectors.EVENT_READ)
            selector.register(self._stopped, selectors.EVENT_READ)
            # What has come before the stop is accepted before it is looked at.
            while self._server in {key.fileobj for key, _ in selector.select()}:
                self._tap(self._crew.add(self._server.accept()[0]))

    def _tap(self, sender: socket.socket) -> None:
        receiver = None
        if self._upstream is not None:
            try:
                receiver = self._crew.add(connect(self._upstream, self._deadline))
            except EnvironmentBroke as problem:
                self._crew.note(problem)
                cut(sender)
                return
            self._crew.start(partial(_pass_on, receiver, sender))
        self._recording.append(self._crew.start(partial(self._record, sender, receiver)))

    def _record(self, sender: socket.socket, receiver: socket.socket | None) -> None:
        try:
            self._copy(sender, receiver)
        except MultifdError as problem:
            self._crew.note(problem)
            cut(sender, receiver)
        except OSError:  # one side is gone, and so the other has to go
            cut(sender, receiver)

    def _copy(self, sender: socket.socket, receiver: socket.socket | None) -> None:
        head = sender.recv(_MAGIC_SIZE, socket.MSG_WAITALL)
        if head:
            name, head = _identify(head, sender)
            answer = _Answer(self._answering) if name == MAIN and self._answering is not None else None
            with closing(self._file(name)) as file:
                for data in chain((memoryview(head),), chunks(sender)):
                    file.write([data])
                    if receiver is not None:
                        receiver.sendall(data)
                    elif answer is not None and answer.is_due(data):
                        sender.sendall(shut())
        if receiver is not None:
            receiver.shutdown(socket.SHUT_WR)

    def _file(self, name: str) -> FileSink:
        with self._lock:
            if name in self._names:
                raise WireError("connection", f"a second one for {name}", "main and each channel once")
            self._names.add(name)
        return FileSink(self._directory / name)

    def _no_more(self) -> None:
        """Accept what has come, and nothing after it."""
        self._stop.close()
        self._accepting.join()


class _Answer:
    """Finds the time to answer on the return path."""

    def __init__(self, page_size: PageSize) -> None:
        self._reader = MainReader(page_size)
        self._end = StreamEnd()
        self._ram_ended = False

    def is_due(self, data: Buffer) -> bool:
        """The stream ends with these bytes."""
        self._ram_ended |= any(isinstance(event, RamEnd) for event in self._reader.feed(data))
        return self._ram_ended and self._end.feed(data)


def _identify(head: bytes, sender: socket.socket) -> tuple[str, bytes]:
    """The file that a connection is recorded in, and what was read to know it."""
    if int.from_bytes(head) == FILE_MAGIC:
        return MAIN, head
    init = head + sender.recv(INIT_SIZE - len(head), socket.MSG_WAITALL)
    return f"channel-{unpack_init(init, channels=_MOST_CHANNELS, uuid=init[_UUID])}.bin", init


def _pass_on(receiver: socket.socket, sender: socket.socket) -> None:
    """What the receiver says to the sender, its end included."""
    try:
        for data in chunks(receiver):
            sender.sendall(data)
        sender.shutdown(socket.SHUT_WR)
    except OSError:
        cut(sender, receiver)
