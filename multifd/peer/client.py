"""The harness's end of the peer contract: starts a peer process, asks, waits until it answers or hangs.

Whatever a peer does costs one request: one that crashes, hangs, floods stderr or writes garbage is killed and
:class:`multifd.errors.PeerError` says what it did; the next request starts a new process. Requests are written
while the reply is waited for, so that a peer that does not read cannot block the harness either. A peer that computes
at its deadline is slow and does not hang (:mod:`multifd.process.patience`).

A death is the peer's own where it can be started again: otherwise its host, its loader or its program is lost. Nor is
it where somebody else ends it, or the kernel for want of memory. What cannot be started three times in a row is not
tried again.
"""

from __future__ import annotations

import os
import selectors
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ValidationError

from multifd.errors import EnvironmentBroke, MultifdError, PeerError
from multifd.migrate.capture import problems
from multifd.peer import contract
from multifd.process.child import Running, Start, execute, fate, killed_by_others
from multifd.process.drain import Drain
from multifd.process.patience import Patience
from multifd.process.threads import group
from multifd.process.tries import Tries
from multifd.result.printable import clipped

MAX_LINE: Final = 1 << 20
"""Bytes of a reply; a longer line is garbage."""
MAX_STDERR: Final = 4 << 20
"""Bytes of log per request; a peer that writes more is stopped before it fills a disk or a pipe."""
_TAIL: Final = 1 << 16
"""Bytes of log that are kept."""
_SHOWN: Final = 300
"""Characters of log in an error."""


class PeerProcess:
    """A peer as a process. Not thread-safe: one request at a time, as the contract has it.

    ``start`` is how its command becomes a process, with ``environment`` added to our own; one that was ``introduced``
    has answered before, elsewhere.

    Every question raises :class:`PeerError` where the peer breaks the contract or does not answer in time, and
    :class:`EnvironmentBroke` where its program cannot be started, or not again, or was ended by somebody else.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        start: Start = execute,
        *,
        introduced: bool = False,
    ) -> None:
        self.name = name
        self.command = tuple(command)
        self._environment = dict(environment or {})
        self._start = start
        self._introduced = introduced
        self._process: Running | None = None
        self._outgoing = b""
        self._buffer = b""
        self._next_id = 0
        self._log: Drain | None = None
        self._logged = 0
        self._tries = Tries(f"peer {name}")
        self._again = False
        self._within = 0.0

    def hello(self, deadline: float) -> contract.Introduction:
        """Ask who it is."""
        reply = self._ask(contract.Hello, deadline)
        if not isinstance(reply, contract.Introduction):
            raise self._unexpected(reply, "hello")
        return reply

    def wake(self, deadline: float) -> None:
        """Have it running: one that starts when it is asked would use up the patience of whoever waits for it."""
        if self._process is None:
            self.hello(deadline)

    def request(
        self, kind: type[contract.Message], within: float, /, *, beside: Sequence[int | None] = (), **fields: Any
    ) -> contract.Conclusion:
        """Send a request that has one reply and wait for it; ``within`` seconds are its deadline.

        ``beside`` are the ids of processes whose work the peer may have to wait for, each the leader of its group.
        """
        return self._concluding(self._ask(kind, within, beside, **fields))

    def attempts(self, within: float, /, **fields: Any) -> tuple[contract.Attempt, ...]:
        """Have trials made, of a peer that does."""
        reply = self._ask(contract.Try, within, (), **fields)
        if isinstance(reply, contract.Tried) and len(reply.attempts) == len(fields["trials"]):
            return reply.attempts
        raise self._unexpected(reply, f"tried, {len(fields['trials'])} times")

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
        reply = self._ask(kind, within, (), address=address, **fields)
        if not isinstance(reply, contract.Listening | contract.Failed):
            raise self._unexpected(reply, "listening or failed")
        if isinstance(reply, contract.Listening) and (reply.address != address or not path.is_socket()):
            raise self._stop("crash", f"says that it listens at {reply.address}, expected a socket at {path}")
        return reply

    def conclusion(self, within: float, *, beside: Sequence[int | None] = ()) -> contract.Conclusion:
        """Wait for how ``receive`` or ``splice`` ended, as :meth:`request` does."""
        return self._concluding(self._reply(within, beside))

    def _ask(
        self, kind: type[contract.Message], within: float, beside: Sequence[int | None] = (), /, **fields: Any
    ) -> contract.Message:
        self._tries.expect()
        self._within = within
        self._running()
        self._next_id += 1
        self._logged = self._written
        self._outgoing = kind(id=self._next_id, **fields).model_dump_json().encode() + b"\n"
        return self._reply(within, beside)

    def _concluding(self, reply: contract.Message) -> contract.Conclusion:
        if not isinstance(reply, contract.Done | contract.Failed):
            raise self._unexpected(reply, "done or failed")
        return reply

    def _reply(self, within: float, beside: Sequence[int | None]) -> contract.Message:
        self._within = within
        line = self._line(Patience(within, lambda: self._working(beside)))
        self._tries.ended(None)
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
        if self._log is not None:
            self._log.finish()

    @property
    def pid(self) -> int | None:
        """Its process id, None if none runs."""
        return self._process.pid if self._process is not None else None

    @property
    def log(self) -> str:
        """The last lines of stderr."""
        return self._log.tail().strip() if self._log is not None else ""

    @property
    def _written(self) -> int:
        """Bytes of log so far."""
        return self._log.written if self._log is not None else 0

    def _working(self, beside: Sequence[int | None]) -> Iterator[int]:
        """Every process that may be working for an answer."""
        for leader in (self.pid, *beside):
            if leader is not None:
                yield from group(leader)

    def _running(self) -> None:
        if self._process is not None:
            try:
                if self._process.wait(0) is None:
                    return
            except EnvironmentBroke:
                # It owes no answer: that nobody can say what became of it costs nothing.
                self._let_go()
            else:
                raise self._exited("after its last answer")
        self._buffer = b""
        try:
            self._process = self._start(self.command, self._environment)
        except EnvironmentBroke as problem:
            raise self._unstarted(f"peer {self.name}: {problem}") from None
        os.set_blocking(self._process.stdin.fileno(), False)
        os.set_blocking(self._process.stdout.fileno(), False)
        self._log = Drain(self._process.stderr, _TAIL)

    def _line(self, patience: Patience) -> bytes:
        process = self._process
        assert process is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if self._outgoing:
                selector.register(process.stdin, selectors.EVENT_WRITE)
            while True:
                if self._written - self._logged > MAX_STDERR:
                    raise self._stop("crash", f"flooded stderr with more than {MAX_STDERR >> 20} MiB in one request")
                if b"\n" in self._buffer:
                    break
                if len(self._buffer) > MAX_LINE:
                    raise self._garbage(self._buffer, f": a line of more than {MAX_LINE >> 20} MiB")
                pause = patience.pause()
                if pause is None:
                    raise self._blamed(self._stop("hang", f"did not answer {patience.within}"))
                ready = {key.fileobj for key, _ in selector.select(min(pause, 0.5))}
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

    def _exited(self, when: str) -> MultifdError:
        process = self._process
        assert process is not None
        status = process.wait(2)
        what = "closed its control stream" if status is None else fate(status)
        broken = self._stop("crash", f"{what} {when}")
        if self._introduced and status is not None and killed_by_others(status):
            return EnvironmentBroke(f"{broken}: nobody but its host or somebody on it does so")
        return self._blamed(broken)

    def _blamed(self, broken: PeerError) -> MultifdError:
        """What to raise of one that ended or hangs, and whom we know otherwise: the same if it can be started again."""
        if not self._introduced or self._again:
            return broken
        why = self._hindered()
        return self._unstarted(f"{broken}; then it could not be started again: {why}") if why else broken

    def _hindered(self) -> MultifdError | None:
        """Why it cannot be started, if that is so."""
        self._again = True
        try:
            self.hello(self._within)
            self.quit()
        except MultifdError as problem:
            return problem
        finally:
            self._again = False
        return None

    def _unstarted(self, why: str) -> EnvironmentBroke:
        if not self._again:
            self._tries.ended(why)
        return EnvironmentBroke(clipped(why))

    def _unexpected(self, reply: contract.Message, expected: str) -> PeerError:
        return self._stop("crash", f"answered {reply!r}, expected {expected}")

    def _garbage(self, line: bytes, why: str) -> PeerError:
        return self._stop("crash", f"wrote garbage on the control stream: {line[:120]!r}{why}")

    def _stop(self, kind: Literal["hang", "crash"], what: str) -> PeerError:
        self._let_go()
        log = self.log[-_SHOWN:]
        return PeerError(kind, clipped(f"peer {self.name} {what}" + (f"; its log ends: {log}" if log else "")))

    def _let_go(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            _end(process)
            if self._log is not None:
                self._log.finish()
        self._outgoing = b""


def _end(process: Running) -> None:
    """Kill the peer, if it still is, and close our ends."""
    process.end()
    for stream in (process.stdin, process.stdout):
        with suppress(OSError):
            stream.close()
