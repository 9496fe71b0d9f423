"""The tap: stands in the way of a live migration, whoever sends it to whomever, and only looks, or records too.

It listens where the sender connects, makes a connection of its own to the receiver for each that it accepts, in the
order in which they come (QEMU 7.2 takes the first for main), and forwards bytes both ways, before anything else is done
with them. A connection that is no part of a migration is forwarded like any other. Without a receiver it only records:
a source sends all it has to whoever reads it.

A witness is shown what the sender sends. Of payloads, which are nearly all of it, it wants to see nothing: unless they
are recorded they go from socket to socket by splice(2).
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final, Self

from typing_extensions import Buffer

from multifd.errors import EnvironmentBroke, MultifdError, WireError
from multifd.memory.layout import PageSize
from multifd.migrate.address import connect, listen
from multifd.migrate.capture import FORMAT, Manifest, save_manifest
from multifd.migrate.crew import Crew, cut
from multifd.migrate.passage import CHUNK, Passage
from multifd.migrate.stream import FileSink, FileSource
from multifd.wire.dialect import MainSync
from multifd.wire.fields import INIT
from multifd.wire.main_reader import MainReader
from multifd.wire.main_stream import FILE_MAGIC, Blocks, RamEnd
from multifd.wire.onlooker import Onlooker
from multifd.wire.packet import INIT_SIZE, unpack_init
from multifd.wire.return_path import StreamEnd, shut
from multifd.wire.witness import Witness

MAIN: Final = "main.bin"
_BACKLOG: Final = 256
_MAGIC_SIZE: Final = INIT["magic"].size
_MOST_CHANNELS: Final = 255
_UUID: Final = INIT["uuid"].place
_READ: Final = 1 << 20
_ANSWER: Final = 1 << 12
"""Bytes of the receiver's that are read at once: it says little."""
_LONG: Final = 1 << 16
"""Bytes of a payload for which splice(2) is worth its calls."""
_PIECE: Final = 1 << 20
"""Bytes that are spliced at most at once."""
_SPLICED: Final = 32
"""Connections of a migration that may splice: each takes two more descriptors."""


class Tap:
    """A tap in threads of its own; leaving the block cuts every connection that is left.

    ``address`` is where to listen and ``upstream`` where the receiver does, None for no receiver. ``directory``
    becomes the capture, None for no recording. ``deadline`` is in seconds from entering the block: when nobody is at
    work any more by then, every connection is cut.
    ``answering`` is the page size in bytes of a guest whose source has the ``return-path`` capability, where there is
    no receiver to answer it; None for a source that does not ask. ``witness`` is shown all connections.
    """

    def __init__(
        self,
        address: str,
        upstream: str | None,
        directory: Path | None,
        deadline: float,
        *,
        answering: PageSize | None = None,
        witness: Witness | None = None,
    ) -> None:
        self.address = address
        self._upstream = upstream
        self._directory = directory
        self._deadline = deadline
        self._answering = answering
        self._witness = witness
        self._crew = Crew(deadline)
        self._crew.awaited = lambda: "no end of the migration"
        self._names: set[str] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        """Listen; raises EnvironmentBroke where that, or to make the directory, is not possible."""
        if self._directory is not None:
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

    def wait(self) -> None:
        """Until the sender has closed every connection."""
        self._no_more()
        for thread in self._threads:
            thread.join()

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
        for a main channel that cannot be read, InputError for what a capture cannot have.
        """
        self.wait()
        if self._crew.error is not None:
            raise self._crew.error
        assert self._directory is not None, "nothing was recorded"
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
                "ramblocks": _ramblocks(self._directory / MAIN, page_size),
                "sha256": dict(sha256 or {}),
                "source": source,
            },
        )

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
            back = Passage(receiver, sender, _ANSWER)
            self._crew.start(partial(_pass_on, back))
        passage = Passage(sender, receiver)
        onlooker = self._witness.connection() if self._witness is not None else None
        self._threads.append(self._crew.start(partial(self._forward, passage, onlooker)))

    def _forward(self, passage: Passage, onlooker: Onlooker | None) -> None:
        """What the sender says to the receiver, its end included."""
        try:
            if self._directory is not None:
                self._record(passage, onlooker, self._directory)
            elif onlooker is not None:
                _look(passage, onlooker, splice=len(self._threads) < _SPLICED)
            else:
                deque(iter(passage.copy, b""), 0)
            if onlooker is not None:
                onlooker.finish()
            passage.finish()
        except MultifdError as problem:
            self._crew.note(problem)
            passage.cut()
        except OSError:  # one side is gone, and so the other has to go
            if onlooker is not None:
                _see_the_rest(passage, onlooker)
            passage.cut()
        finally:
            passage.close()

    def _record(self, passage: Passage, onlooker: Onlooker | None, directory: Path) -> None:
        with closing(_Record(directory, self._claim)) as record:
            answer: _Answer | None = None
            while data := passage.copy():
                if onlooker is not None:
                    onlooker.feed(data)
                try:
                    record.write(data)
                except WireError as problem:  # it is no part of a migration, and forwarded all the same
                    self._crew.note(problem)
                if record.name == MAIN and self._answering is not None and self._upstream is None:
                    answer = answer or _Answer(self._answering)
                    if answer.is_due(data):
                        passage.answer(shut())

    def _claim(self, name: str) -> None:
        with self._lock:
            if name in self._names:
                raise WireError("connection", f"a second one for {name}", "main and each channel once")
            self._names.add(name)

    def _no_more(self) -> None:
        """Accept what has come, and nothing after it."""
        self._stop.close()
        self._accepting.join()


class _Record:
    """The file of one connection, which says by its first bytes which that is."""

    def __init__(self, directory: Path, claim: Callable[[str], None]) -> None:
        self.name = ""
        """Empty until it is known, and for what is no part of a migration."""
        self._directory = directory
        self._claim = claim
        self._head = b""
        self._strange = False
        self._file: FileSink | None = None

    def write(self, data: Buffer) -> None:
        """Raises WireError, once, for a connection that is no part of a migration; EnvironmentBroke for a full disk."""
        if self._strange:
            return
        if self._file is None:
            self._head += data
            try:
                name = _name_of(self._head)
                if not name:
                    return
                self._claim(name)
            except WireError:
                self._strange = True
                raise
            self.name, data = name, self._head
            self._file = FileSink(self._directory / name)
        self._file.write([data])

    def close(self) -> None:
        """No more will come."""
        if self._file is not None:
            self._file.close()


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


def _name_of(head: bytes) -> str:
    """The file that a connection is recorded in, empty where these bytes are too few to tell; raises WireError."""
    if len(head) < _MAGIC_SIZE:
        return ""
    if int.from_bytes(head[:_MAGIC_SIZE]) == FILE_MAGIC:
        return MAIN
    if len(head) < INIT_SIZE:
        return ""
    return f"channel-{unpack_init(head, channels=_MOST_CHANNELS, uuid=head[_UUID])}.bin"


def _look(passage: Passage, onlooker: Onlooker, *, splice: bool) -> None:
    """Forward all of it, and show the witness what it wants to see."""
    while True:
        if splice and onlooker.passing >= _LONG:
            size = passage.splice(min(onlooker.passing, _PIECE))
            onlooker.passed(size)
        else:
            data = passage.copy(min(onlooker.passing + onlooker.wanted, CHUNK))
            size = len(data)
            onlooker.feed(data)
        if not size:
            return


def _pass_on(passage: Passage) -> None:
    """What the receiver says to the sender, its end included."""
    try:
        deque(iter(passage.copy, b""), 0)
        passage.finish()
    except OSError:
        passage.cut()
    finally:
        passage.close()


def _ramblocks(main: Path, page_size: int) -> dict[str, int]:
    source, reader = FileSource(main), MainReader(page_size)
    while source.left:
        for event in reader.feed(source.read(_READ)):
            if isinstance(event, Blocks):
                return dict(event.blocks)
    reader.finish()
    raise WireError("main channel", "no list of RAM blocks", "one in the setup section of ram")


def _see_the_rest(passage: Passage, onlooker: Onlooker) -> None:
    """A receiver may leave before it has read the end of what it does not need."""
    for data in passage.rest():
        if not data:
            onlooker.finish()
        onlooker.feed(data)
