"""The process that forks our peers (:mod:`multifd.peer.nursery`). It has one thread, and waits."""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from typing import Final

from multifd.codec import factories
from multifd.process.child import die_with_us, kill_tree

_REQUEST: Final = 4096
_STREAMS: Final = 4
"""With a request come stdin, stdout, stderr and the lease."""


def serve() -> list[str] | None:
    """Fork a peer for every request on stdin, until its end; returns None here, and in each peer its arguments.

    In a peer stdin, stdout and stderr are those of the request, and nothing else is open.
    """
    factories()
    # What is loaded stays: no garbage collection of a peer need look at, and so copy, all of it.
    gc.freeze()
    requests = socket.socket(fileno=sys.stdin.fileno())
    deaths, alarm = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(alarm)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    wards: dict[int, _Ward] = {}
    nursery = os.getpid()
    while True:
        ready, _, _ = select.select([requests.fileno(), deaths, *wards], [], [])
        if deaths in ready:
            os.read(deaths, _REQUEST)
            for ward in wards.values():
                ward.tell()
        for lease in wards.keys() & ready:
            wards.pop(lease).end()
        if requests.fileno() in ready:
            message, descriptors, _, _ = socket.recv_fds(requests, _REQUEST, _STREAMS)
            if not message:
                for ward in wards.values():
                    ward.end()
                return None
            lease = descriptors[-1]
            pid = os.fork()
            if pid == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                signal.set_wakeup_fd(-1)
                requests.detach()
                _become(descriptors, [deaths, alarm, *wards], nursery)
                return message.decode().split("\0")
            for stream in descriptors[:-1]:
                os.close(stream)
            wards[lease] = _Ward(pid, lease)


def _become(descriptors: list[int], others: list[int], nursery: int) -> None:
    """Turn this process into the peer that was asked for: the leader of a session, with its own streams only.

    Without its nursery nobody could end it: it ends with it.
    """
    die_with_us()
    if os.getppid() != nursery:
        os._exit(1)
    os.setsid()
    for number, stream in enumerate(descriptors[:-1]):
        os.dup2(stream, number)
    for descriptor in (*descriptors, *others):
        os.close(descriptor)


class _Ward:
    """A peer, alive or dead, until its owner lets go of it."""

    def __init__(self, pid: int, lease: int) -> None:
        self._pid = pid
        self._lease = lease
        self._told = False
        self._say(pid)

    def tell(self) -> None:
        """Tell the owner its exit status, once, if it has ended."""
        if self._told:
            return
        ended = os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is not None:
            self._told = True
            self._say(ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status)

    def end(self) -> None:
        """Kill it, its process group and its children, and let it be forgotten. It may not have made its group yet."""
        kill_tree(self._pid)
        os.waitpid(self._pid, 0)
        os.close(self._lease)

    def _say(self, number: int) -> None:
        with suppress(OSError):  # the owner may have died
            os.write(self._lease, str(number).encode())
