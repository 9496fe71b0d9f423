"""The preflight: before there is a plan, each vendor's library shows what it does on its device.

A device that looks usable may not be, and one that does not may be: what counts is that one round trip came back. The
library's peer is started as the run starts it, but that it has no software to go to where that can be had (``backup``
0), and is asked through the peer contract to encode some pages and to decode what it made. Both must have run on the
device by all that the peer says: how it ran (``provenance``), calls that the library computed in software
(``software``), and what the library counted (``library``), where it counts.

Where it encodes otherwise than on the device it is given a capture of our own to decode: a device may have the one
direction only (``cfg_services`` ``decomp``, Documentation/ABI/testing/sysfs-driver-qat, Linux 6.18). Whatever goes
wrong, a peer that dies or hangs included, is an answer and ends nothing.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from multifd.codec import create, factories
from multifd.codec.reference import reference
from multifd.device.exclusive import Exclusive
from multifd.device.found import Device
from multifd.errors import EnvironmentBroke, InputError, PeerError
from multifd.framing.model import framing
from multifd.libraries.find import libraries
from multifd.lineup.device_peer import BACKUP, BOTH, DevicePeer, Find, Row, may_work, rows
from multifd.memory import rounds
from multifd.memory.corpus import CORPORA
from multifd.memory.image import GuestMemory
from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.peer import contract
from multifd.peer.client import PeerProcess
from multifd.peer.server import PeerServer
from multifd.process.child import Running, Start, execute
from multifd.profile.model import Deadlines, Profile
from multifd.result.record import Role
from multifd.wire.dialect import LATEST

Alone = Callable[[Collection[str]], AbstractContextManager[object]]
"""Keeps everybody else from the devices of some kinds meanwhile."""
_PAGE_SIZE: Final = 4096
_PAGES: Final = 8
"""Few enough for the smallest usual hardware buffer."""
_ROOM: Final = 16 << 20
_OURS: Final = "multifd peer: "
"""With this begins what a peer of ours says on stderr when it cannot go on."""
_SHOWN: Final = 300
"""Characters of a log."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How the round trip of one library on its device went."""

    kind: str
    """Of the accelerator."""
    library: str
    """The codec over it."""
    roles: tuple[Role, ...]
    """In which the device did the work."""
    words: str
    """What happened: the library's own words where it has some."""
    seconds: float
    """Of all of it, the start of the peer included."""

    @property
    def works(self) -> bool:
        """The device did all or a half of it."""
        return bool(self.roles)


def alone_on(exclusive: Exclusive, devices: Sequence[Device]) -> Alone:
    """The right to those of these devices that are of some kinds."""
    return lambda kinds: exclusive.holding(device for device in devices if device.kind in kinds)


def preflight(
    profile: Profile,
    find: Find = libraries,
    alone: Alone = nullcontext,
    found: Sequence[Device] = (),
    start: Start = execute,
) -> tuple[Tried, ...]:
    """One round trip for each accelerator that the profile wants on silicon and whose library is found.

    ``found`` are the host's devices, as far as anybody knows: there may be others; ``start`` starts a peer.
    ``alone`` is entered around all of it, with the kinds of their accelerators, by the thread that calls: who has to
    wait for a device can be interrupted. Raises InputError for parameters that a codec does not have.
    """
    wanted = [row for row in rows(profile, find) if row.wants_silicon and row.library is not None]
    if not wanted:
        return ()
    peers = {row.accelerator.kind: _peer(row, found) for row in wanted}
    scratch = make_scratch(_ROOM)
    try:
        with alone(tuple(peers)), ThreadPoolExecutor(2) as pool:
            started: list[Running] = []

            def noted(command: Sequence[str], environment: Mapping[str, str]) -> Running:
                started.append(start(command, environment))
                return started[-1]

            def tried(row: Row) -> Tried:
                kind, began = row.accelerator.kind, time.monotonic()
                roles, words = _flown(peers[kind], row, profile.deadlines, scratch / kind, noted)
                return Tried(kind, peers[kind].codec, roles, words, time.monotonic() - began)

            try:
                return tuple(pool.map(tried, wanted))
            except KeyboardInterrupt:
                # The pool waits for its threads, and they for their peers.
                for peer in started:
                    peer.end()
                raise
    finally:
        remove_scratch(scratch)


def _peer(row: Row, found: Sequence[Device]) -> DevicePeer:
    kind, real = row.accelerator.kind, row.accelerator.real
    assert real is not None, f"{kind} has a library and no codec"
    peer, factory = row.real(real, hardware=True, devices=may_work(kind, found)), factories()[real.name]
    try:
        factory.values(peer.parameters)
    except InputError as problem:
        raise InputError(f"profile: {peer.place}: {problem}") from None
    strict = {BACKUP: 0} if BACKUP in factory.parameters else {}
    return replace(peer, parameters={**peer.parameters, **strict})


def _flown(
    peer: DevicePeer, row: Row, deadlines: Deadlines, directory: Path, start: Start
) -> tuple[tuple[Role, ...], str]:
    """In which roles the device did the work, and how it went."""
    process = PeerProcess(peer.name, *peer.start(), start)
    roles: tuple[Role, ...] = ()
    try:
        known = process.hello(deadlines.hello)
        words = f"{peer.name} says that it runs as {known.provenance}"
        if known.provenance == "hardware":
            flight = _Flight(process, known, row.accelerator.method, deadlines.request, directory)
            roles, words = flight.roles()
    except (PeerError, EnvironmentBroke) as problem:
        words = str(problem)
    finally:
        process.quit()
    return roles, words if roles == BOTH else _said(words, process.log)


class _Flight:
    """One peer that is to do both directions."""

    def __init__(
        self, process: PeerProcess, peer: contract.Introduction, method: str, deadline: float, directory: Path
    ) -> None:
        self._process = process
        self._peer = peer
        self._method = method
        self._deadline = deadline
        self._directory = directory
        least = peer.routing.threshold if peer.routing is not None else 0
        sizes = {"pc.ram": max(_PAGES, -(-least // _PAGE_SIZE)) * _PAGE_SIZE}
        directory.mkdir()
        self._script = rounds.build(directory / "memory", CORPORA["text"], 0, sizes, _PAGE_SIZE, "single")

    def roles(self) -> tuple[tuple[Role, ...], str]:
        """Those in which the device did the work, and how it went; raises PeerError where the contract is broken."""
        capture = self._directory / "capture"
        began = time.monotonic()
        wrong = {"sender": self._elsewhere(self._encoded(capture))}
        if wrong["sender"] is not None:
            capture = self._by_ours()
        with self._destination() as memory:
            wrong["receiver"] = self._elsewhere(self._decoded(capture, memory))
            differing = self._differing(memory) if wrong["receiver"] is None else ""
        able = tuple(role for role in BOTH if wrong[role] is None)
        if able == BOTH:
            return able, f"one round trip worked in {(time.monotonic() - began) * 1000:.0f} ms{differing}"
        came = "; ".join(dict.fromkeys(f"as {role}: {text}" for role, text in wrong.items() if text is not None))
        return able, came

    def _encoded(self, capture: Path) -> contract.Conclusion:
        return self._process.request(
            contract.Encode, self._deadline, **self._encoding(capture).model_dump(exclude={"id", "op"})
        )

    def _encoding(self, capture: Path) -> contract.Encode:
        return contract.Encode(
            id=0, script=self._script, framing=self._method, dialect=LATEST, channels=1, capture=str(capture)
        )

    def _by_ours(self) -> Path:
        capture = self._directory / "ours"
        ours = PeerServer(create(reference(framing(self._method).container)), "ours", io.StringIO())
        ours.encode(self._encoding(capture))
        return capture

    def _decoded(self, capture: Path, memory: GuestMemory) -> contract.Conclusion:
        return self._process.request(
            contract.Decode, self._deadline, capture=str(capture), memory=memory.layout, framing=self._method,
            dialect=LATEST,
        )  # fmt: skip

    def _differing(self, memory: GuestMemory) -> str:
        """What is wrong in memory. It does not make the work another's: the probe says what it is worth."""
        with GuestMemory.open(self._script.rounds[-1].image, writable=False) as sent:
            differing = memory.differences(sent, limit=1)
        return f", and page {differing[0].first} of {differing[0].block} differs" if differing else ""

    @contextmanager
    def _destination(self) -> Iterator[GuestMemory]:
        image = self._script.rounds[-1].image
        with GuestMemory.create(self._directory / "destination", image.sizes, image.page_size) as memory:
            yield memory

    def _elsewhere(self, reply: contract.Conclusion) -> str | None:
        """Why this was not the device's work, None if it was."""
        if isinstance(reply, contract.Failed):
            return reply.error
        if reply.provenance != "hardware":
            return f"{self._peer.device or 'it'} did nothing: {self._process.name} ran as {reply.provenance}"
        if reply.software:
            busy = f", for the queues were busy {reply.busy} times" if reply.busy else ""
            return f"the library computed {reply.software} calls in software{busy}"
        told = reply.library
        if told is not None and told.after <= told.before:
            return f"the library counted no work of the device ({told.source})"
        return None


def _said(problem: str, log: str) -> str:
    """What went wrong in the words of whoever knows most: our peer's last ones, and what its library has logged."""
    logged, own, last = log.rpartition(_OURS)
    if own and problem.endswith(last):
        return _with_log(last, logged)
    return problem if log[-_SHOWN:] in problem else _with_log(problem, log)


def _with_log(words: str, log: str) -> str:
    log = " ".join(log.split())[-_SHOWN:]
    return f"{words}; its log ends: {log}" if log else words
