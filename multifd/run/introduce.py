"""From a profile to a line-up: every peer is started, introduced and probed, once for the whole run.

The probe holds a peer to its word before the matrix trusts it: a round trip that must work, and an impossible
request that must be refused. A peer that fails it costs one cell; its other cells are skipped for that reason.
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from multifd.codec import create, factories
from multifd.codec.contract import peer_name
from multifd.errors import InputError, PeerError
from multifd.peer import contract
from multifd.peer.client import PeerProcess
from multifd.peer.server import PeerServer
from multifd.profile.lineup import LineUp, LineUpPeer
from multifd.profile.model import Deadlines, PeerEntry, Profile

Probe = Callable[[PeerProcess, contract.Introduction, float], str | None]
"""Probes a started peer: what is wrong, or None. Raises PeerError if the peer breaks its contract."""


def resolve(name: str, profile: Profile, probe: Probe | None) -> LineUp:
    """Start, introduce and probe every peer of a profile, two at a time; raises InputError for a wrong entry.

    Without a probe our own codecs are asked in this process and believed: enough to show a plan, not to run it.
    """
    names = [_identity(entry)[0] for entry in profile.peers]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise InputError(
            f"profile {name}: peers {', '.join(twice)} appear more than once; give them different names"
        )
    with ThreadPoolExecutor(2) as pool:
        peers = list(pool.map(lambda entry: _introduce(entry, profile.deadlines, probe), profile.peers))
    return LineUp(profile=name, peers=tuple(peers), deadlines=profile.deadlines)


def _identity(entry: PeerEntry) -> tuple[str, tuple[str, ...]]:
    """Name and command of an entry."""
    if entry.codec is None:
        assert entry.name is not None and entry.command is not None
        program = shutil.which(entry.command[0]) or entry.command[0]
        return entry.name, (program, *entry.command[1:])
    factory = factories().get(entry.codec)
    if factory is None:
        raise InputError(f"codec {entry.codec!r} is unknown; expected one of {', '.join(factories())}")
    factory.create(entry.parameters)
    arguments = [f"{key}={value}" for key, value in entry.parameters.items()]
    return peer_name(factory, entry.parameters), (
        sys.executable,
        "-m",
        "multifd.peer",
        entry.codec,
        *arguments,
    )


def _introduce(entry: PeerEntry, deadlines: Deadlines, probe: Probe | None) -> LineUpPeer:
    name, command = _identity(entry)
    environment = dict(entry.environment)
    if entry.codec is not None:
        environment.setdefault("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    known: contract.Introduction | None = None
    problem, kind = None, None
    if probe is None and entry.codec is not None:
        codec = create(entry.codec, entry.parameters)
        known = PeerServer(codec, name, io.StringIO()).introduce(contract.Hello(id=0))
    else:
        process = PeerProcess(name, command, environment)
        try:
            known = process.hello(deadlines.hello)
            problem = probe(process, known, deadlines.request) if probe is not None else None
        except PeerError as broken:
            problem, kind = str(broken), broken.kind
        finally:
            process.quit()
    return LineUpPeer(
        name=name,
        command=command,
        environment=environment,
        external=entry.codec is None,
        roles=tuple(role for role in entry.roles if known is None or role in known.roles),
        codec=known.codec if known else entry.codec,
        device=known.device if known else None,
        provenance=known.provenance if known else "software",
        version=known.version if known else "unknown",
        encoder=known.encoder if known else None,
        decoder=known.decoder if known else None,
        probe=problem,
        probe_kind=kind,
    )
