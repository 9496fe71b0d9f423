"""From binaries to QEMU peers: each is asked what it is, and probed once for every machine type that the run needs.

The probe is a first migration, method ``none``, to a recording: its RAM must be what was set, and from the recording
follows what else a guest of that machine type has. And something that is no migration must be refused.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from multifd.codec import create
from multifd.errors import EnvironmentBroke, InputError, MultifdError
from multifd.framing.model import framing
from multifd.lineup.peers import Ground, QemuPeer
from multifd.memory.corpus import CORPORA
from multifd.memory.image import GuestMemory
from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.migrate.apply import Destination, Reception
from multifd.migrate.capture import Capture
from multifd.migrate.replay import Replay
from multifd.profile.model import Profile, QemuEntry
from multifd.qemu.arch import X86
from multifd.qemu.ask import ask
from multifd.qemu.binary import AUTO, NONE, Binary, checked, named
from multifd.qemu.defaults import defaults
from multifd.qemu.facts import Facts, common_machine
from multifd.qemu.guest import RAM_BLOCK, Machine, start
from multifd.qemu.migration import Terms, incoming, watch
from multifd.qemu.recording import record_source

MEMORY: Final = 4 << 20
"""Bytes of guest memory, here as in every cell, for tables that QEMU makes depend on it."""
_CONTENT: Final = 256 << 10
_CHANNELS: Final = 1
_TERMS: Final = Terms("none", _CHANNELS)
_GARBAGE: Final = b"this is no migration" * 16


def binaries_of(profile: Profile, asked: Sequence[str]) -> list[Binary]:
    """The binaries of a run: those that ``--qemu`` names and those of the profile, each once.

    ``auto`` is what nobody says: it counts where the profile names none. ``none`` is none, whatever the profile names.
    """
    if NONE in asked:
        if set(asked) != {NONE}:
            raise InputError(f"--qemu {NONE}: leaves real QEMUs out; expected no other --qemu beside it")
        return []
    if profile.qemu:
        asked = [text for text in asked if text != AUTO]
    chosen = [binary for text in asked for binary in named(text)]
    for at, entry in enumerate(profile.qemu):
        if isinstance(entry, QemuEntry):
            given = Binary(command=entry.command, environment=entry.environment, name=entry.name)
            chosen.append(checked(given, f"profile: $.qemu[{at}].command"))
        else:
            chosen += named(entry)
    return list({binary.model_dump_json(): binary for binary in chosen}.values())


def unasked(profile: Profile, asked: Sequence[str]) -> bool:
    """Nobody has named a QEMU: the run takes the one that happens to be there."""
    return set(asked) == {AUTO} and not profile.qemu


def resolve_qemus(binaries: Sequence[Binary], within: float) -> tuple[QemuPeer, ...]:
    """The peers, two at a time; nothing of one takes longer than ``within`` seconds.

    Raises :class:`InputError` for a binary that cannot take part and :class:`EnvironmentBroke` for one that does not
    start.
    """
    peers = introduced(binaries, within)
    wanted = [_machines(peer, peers) for peer in peers]
    with ThreadPoolExecutor(2) as pool:
        return tuple(pool.map(_probed, peers, wanted, itertools.repeat(within)))


def introduced(binaries: Sequence[Binary], within: float) -> tuple[QemuPeer, ...]:
    """The peers as they say they are, not probed: enough to show a plan, not to run it. Raises as above."""
    with ThreadPoolExecutor(2) as pool:
        facts = list(pool.map(lambda binary: ask(binary, within), binaries))
        peers = [
            QemuPeer(name=name, binary=binary, facts=each, machines={})
            for name, binary, each in zip(_names(binaries, facts), binaries, facts, strict=True)
        ]
        return tuple(pool.map(lambda peer: _with_defaults(peer, facts, within), peers))


def _with_defaults(peer: QemuPeer, everybody: Sequence[Facts], within: float) -> QemuPeer:
    shared = dict.fromkeys(common_machine(peer.facts, other) for other in everybody)
    try:
        told = defaults(peer.binary, [machine for machine in shared if machine is not None], within)
    except MultifdError as wrong:
        return peer.model_copy(update={"probe": str(wrong)})
    return peer.model_copy(update={"defaults": told})


def strangers(peers: Sequence[QemuPeer]) -> str | None:
    """Who has no cells with each other, and why, in words; None where all are of one architecture."""
    names: dict[str, list[str]] = {}
    for peer in peers:
        names.setdefault(peer.facts.target, []).append(peer.name)
    if len(names) < 2:
        return None
    groups = "; ".join(f"{target}: {', '.join(those)}" for target, those in names.items())
    return f"QEMUs of different architectures have no cells with each other, for no guest changes its own ({groups})"


def _machines(peer: QemuPeer, peers: Sequence[QemuPeer]) -> list[str]:
    """Its newest machine type of the usual family, and the newest that all of its architecture share."""
    shared = common_machine(*(each.facts for each in peers if each.facts.target == peer.facts.target))
    return list(dict.fromkeys(m for m in (common_machine(peer.facts), shared) if m is not None))


def _names(binaries: Sequence[Binary], facts: Sequence[Facts]) -> list[str]:
    """``qemu-<version>``, with its architecture unless that is the usual one, numbered where several have one name."""
    taken: Counter[str] = Counter()
    names = []
    for binary, each in zip(binaries, facts, strict=True):
        name = binary.name or f"qemu-{each.release}"
        further = [] if binary.name or each.arch is X86 else [f"arch={each.target}"]
        known = ",".join((name, *further))
        taken[known] += 1
        further += [] if taken[known] == 1 else [f"build={taken[known]}"]
        names.append(f"{name}[{','.join(further)}]" if further else name)
    if len(set(names)) != len(names):
        raise InputError(f"QEMU names are {', '.join(names)}, expected each once; give them different names")
    return names


def _probed(peer: QemuPeer, machines: Sequence[str], within: float) -> QemuPeer:
    grounds: dict[str, Ground] = {}
    problem = None
    try:
        for machine in machines:
            grounds[machine] = first_migration(peer.binary, peer.facts, machine, {RAM_BLOCK: MEMORY}, within)
        if machines:
            _refuses(peer.binary, machines[0], within)
    except MultifdError as wrong:
        problem = str(wrong)
    return peer.model_copy(update={"machines": grounds, "probe": problem})


def first_migration(binary: Binary, facts: Facts, machine: str, sizes: Mapping[str, int], within: float) -> Ground:
    """What a guest with RAM blocks of so many bytes has besides, as a migration of it to a recording shows.

    Raises EnvironmentBroke where that does not carry what was in its RAM.
    """
    scratch = make_scratch(8 * sum(sizes.values()))
    try:
        guest = Machine.of(machine, scratch / "source.ram", sizes)
        content = bytes(CORPORA["text"].content(_CONTENT, 0))
        for block, file in guest.files.items():
            file.touch()
            os.truncate(file, sizes[block])
        with guest.memory.open("r+b") as ram:
            ram.write(content)
        record_source(binary, facts, guest, _TERMS, scratch / "capture", scratch, within)
        capture = Capture.open(scratch / "capture")
        with GuestMemory.create(scratch / "memory", capture.manifest.ramblocks, facts.arch.page_size) as memory:
            reception = Reception(framing("none"), facts.dialect, capture.main_sync, _CHANNELS)
            Replay(capture, reception, create("none", {}), Destination(memory)).run()
            arrived = memory.copy(RAM_BLOCK).tobytes()
            if arrived[:_CONTENT] != content or arrived.count(0, _CONTENT) != len(arrived) - _CONTENT:
                raise EnvironmentBroke(f"a first migration of {machine}, method none, did not carry the guest's RAM")
            digests = memory.digest(capture.manifest.ramblocks.keys() - sizes.keys())
    finally:
        remove_scratch(scratch)
    return Ground(blocks=capture.manifest.ramblocks, sha256=digests)


def _refuses(binary: Binary, machine: str, within: float) -> None:
    scratch = make_scratch(4 * MEMORY)
    try:
        ram = scratch / "destination.ram"
        ram.touch()
        os.truncate(ram, MEMORY)
        asyncio.run(_feed_garbage(binary, Machine(machine, ram, MEMORY), scratch, within))
    finally:
        remove_scratch(scratch)


async def _feed_garbage(binary: Binary, machine: Machine, directory: Path, within: float) -> None:
    arguments = (*machine.arguments(), "-incoming", "defer")
    async with start(binary, "destination", directory, arguments, within) as destination:
        path = directory / "migration"
        await incoming(destination, _TERMS, f"unix:{path}")
        with socket.socket(socket.AF_UNIX) as connection, suppress(ConnectionError):
            connection.connect(str(path))
            connection.sendall(_GARBAGE)
        course = await watch(destination, None, within)
        if course.source.completed:
            raise EnvironmentBroke("it took what is no migration for one, expected a refusal")
