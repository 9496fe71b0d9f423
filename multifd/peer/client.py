"""The harness's end of the peer contract: starts a peer process, asks, waits no longer than a deadline.

Whatever a peer does costs one request: one that crashes, hangs, floods stderr or writes garbage is killed and
:class:`multifd.errors.PeerError` says what it did; the next request starts a new process. Requests are written
while the reply is waited for, so that a peer that does not read cannot block the harness either.
"""

from __future__ import annotations

import os
import selectors
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final, Literal

from pydantic import ValidationError

from multifd.errors import EnvironmentBroke, PeerError
from multifd.migrate.capture import problems
from multifd.peer import contract
from multifd.peer.process import Running, Start, execute, fate

MAX_LINE: Final = 1 << 20
"""Bytes of a reply; a longer line is garbage."""
MAX_STDERR: Final = 4 << 20
"""Bytes of log per request; a peer that writes more is stopped before it fills a disk or a pipe."""
_TAIL: Final = 16


class PeerProcess:
    """A peer as a process. Not thread-safe: one request at a time, as the contract has it.

    ``start`` is how its command becomes a process, with ``environment`` added to our own.

    Every question raises :class:`PeerError` where the peer breaks the contract or does not answer in time, and
    :class:`EnvironmentBroke` where its program cannot be started.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        start: Start = execute,
    ) -> None:
        self.name = name
        self.command = tuple(command)
        self._environment = dict(environment or {})
        self._start = start
        self._process: Running | None = None
        self._outgoing = b""
        self._buffer = b""
        self._next_id = 0
        self._stderr = _Stderr()

    def hello(self, deadline: float) -> contract.Introduction:
        """Ask who it is."""
        reply = self._ask(contract.Hello, deadline)
        if not isinstance(reply, contract.Introduction):
            raise self._unexpected(reply, "hello")
        return reply

    def request(self, kind: type[contract.Message], within: float, /, **fields: Any) -> contract.Conclusion:
        """Send a request that has one reply and wait for it, at most ``within`` seconds."""
        return self._concluding(self._ask(kind, within, **fields))

    def listen(
        self,
        path: Path,
        within: float,
        kind: type[contract.Receive | contract.Splice] = contract.Receive,
        /,
        **fields: Any,
    ) -> contract.Listening | contract.Failed:
        """Send a request of this kind and wait until the peer listens on the socket ``path``, or says why it does not.

        Where it listens, :meth:`conclusion` must follow.
        """
        address = f"unix:{path}"
        reply = self._ask(kind, within, address=address, **fields)
        if not isinstance(reply, contract.Listening | contract.Failed):
            raise self._unexpected(reply, "listening or failed")
        if isinstance(reply, contract.Listening) and (reply.address != address or not path.is_socket()):
            raise self._stop("crash", f"says that it listens at {reply.address}, expected a socket at {path}")
        return reply

    def conclusion(self, within: float) -> contract.Conclusion:
        """Wait for how ``receive`` or ``splice`` ended, at most ``within`` seconds."""
        return self._concluding(self._reply(within))

    def _ask(self, kind: type[contract.Message], within: float, /, **fields: Any) -> contract.Message:
        self._running()
        self._next_id += 1
        self._stderr.start_request()
        self._outgoing = kind(id=self._next_id, **fields).model_dump_json().encode() + b"\n"
        return self._reply(within)

    def _concluding(self, reply: contract.Message) -> contract.Conclusion:
        if not isinstance(reply, contract.Done | contract.Failed):
            raise self._unexpected(reply, "done or failed")
        return reply

    def _reply(self, deadline: float) -> contract.Message:
        line = self._line(time.monotonic() + deadline, deadline)
        try:
            reply = contract.REPLY.validate_json(line)
        except ValidationError as wrong:
            raise self._garbage(line, f": {problems(wrong)}") from None
        if reply.id != self._next_id:
            raise self._stop("crash", f"answered request {reply.id}, asked was {self._next_id}")
        return reply

    def dismiss(self) -> None:
        """Ask the process to end, and do not wait; :meth:`quit` does. Never raises."""
        if self._process is None or self._process.stdin.closed:
            return
        stdin = self._process.stdin
        with suppress(OSError):
            stdin.write(contract.Quit(id=self._next_id + 1).model_dump_json().encode() + b"\n")
        with suppress(OSError):
            stdin.close()

    def quit(self, deadline: float = 2.0) -> None:
        """End the process: ask, then kill. Never raises."""
        self.dismiss()
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(EnvironmentBroke):
            process.wait(deadline)
        _end(process)

    @property
    def pid(self) -> int | None:
        """Its process id, None if none runs."""
        return self._process.pid if self._process is not None else None

    @property
    def log(self) -> str:
        """The last lines of stderr."""
        return self._stderr.tail()

    def _running(self) -> None:
        if self._process is not None:
            if self._process.wait(0) is None:
                return
            raise self._exited("after its last answer")
        self._buffer = b""
        try:
            self._process = self._start(self.command, self._environment)
        except EnvironmentBroke as problem:
            raise EnvironmentBroke(f"peer {self.name}: {problem}") from None
        os.set_blocking(self._process.stdin.fileno(), False)
        os.set_blocking(self._process.stdout.fileno(), False)
        self._stderr = _Stderr(self._process.stderr)

    def _line(self, expires: float, deadline: float) -> bytes:
        process = self._process
        assert process is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if self._outgoing:
                selector.register(process.stdin, selectors.EVENT_WRITE)
            while True:
                if self._stderr.flooded:
                    raise self._stop("crash", f"flooded stderr with more than {MAX_STDERR >> 20} MiB in one request")
                if b"\n" in self._buffer:
                    break
                if len(self._buffer) > MAX_LINE:
                    raise self._garbage(self._buffer, f": a line of more than {MAX_LINE >> 20} MiB")
                left = expires - time.monotonic()
                if left <= 0:
                    raise self._stop("hang", f"did not answer within {deadline:g} s")
                ready = {key.fileobj for key, _ in selector.select(min(left, 0.5))}
                if process.stdin in ready and not self._write(process.stdin.fileno()):
                    selector.unregister(process.stdin)
                if process.stdout in ready:
                    self._read(process.stdout.fileno())
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _write(self, descriptor: int) -> bool:
        """Write what the pipe takes; False when nothing is left to write, or nobody reads any more."""
        try:
            self._outgoing = self._outgoing[os.write(descriptor, self._outgoing) :]
        except BrokenPipeError:
            self._outgoing = b""
        return bool(self._outgoing)

    def _read(self, descriptor: int) -> None:
        chunk = os.read(descriptor, 1 << 16)
        if not chunk:
            raise self._exited("before it answered")
        self._buffer += chunk

    def _exited(self, when: str) -> PeerError:
        process = self._process
        assert process is not None
        status = process.wait(2)
        what = "closed its control stream" if status is None else fate(status)
        return self._stop("crash", f"{what} {when}")

    def _unexpected(self, reply: contract.Message, expected: str) -> PeerError:
        return self._stop("crash", f"answered {reply!r}, expected {expected}")

    def _garbage(self, line: bytes, why: str) -> PeerError:
        return self._stop("crash", f"wrote garbage on the control stream: {line[:120]!r}{why}")

    def _stop(self, kind: Literal["hang", "crash"], what: str) -> PeerError:
        process, self._process = self._process, None
        if process is not None:
            _end(process)
            self._stderr.finish()
        self._outgoing = b""
        log = self._stderr.tail()
        return PeerError(kind, f"peer {self.name} {what}" + (f"; its log ends: {log[-300:]}" if log else ""))


class _Stderr:
    """Drains a peer's stderr, so that it never blocks, and keeps its end."""

    def __init__(self, stream: IO[bytes] | None = None) -> None:
        self._tail: deque[bytes] = deque(maxlen=_TAIL)
        self._bytes = 0
        if stream is not None:
            self._thread = threading.Thread(target=self._drain, args=(stream,), daemon=True)
            self._thread.start()

    def start_request(self) -> None:
        """Count from here."""
        self._bytes = 0

    def finish(self) -> None:
        """Wait for the last words of a peer that was killed; not for a process that it left behind."""
        self._thread.join(0.5)

    @property
    def flooded(self) -> bool:
        """More than a request's share was written."""
        return self._bytes > MAX_STDERR

    def tail(self) -> str:
        """The last few kilobytes, as text."""
        return b"".join(self._tail).decode(errors="replace").strip()[-2000:]

    def _drain(self, stream: IO[bytes]) -> None:
        with stream, suppress(OSError, ValueError):
            while chunk := os.read(stream.fileno(), 4096):
                self._bytes += len(chunk)
                self._tail.append(chunk)


def _end(process: Running) -> None:
    """Kill the peer, if it still is, and close our ends."""
    process.end()
    for stream in (process.stdin, process.stdout):
        with suppress(OSError):
            stream.close()
