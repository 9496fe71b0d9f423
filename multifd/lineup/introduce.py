"""From a profile to a line-up: every peer is started, introduced and probed, once for the whole run.

The probe holds a peer to its word before the matrix trusts it: a round trip that must work, and an impossible
request that must be refused. A peer that fails it costs one cell; its other cells are skipped for that reason.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from multifd.codec import create, factories
from multifd.codec.contract import peer_name
from multifd.errors import InputError, PeerError
from multifd.lineup.device_peer import BOTH, DevicePeer
from multifd.lineup.peers import LineUp, LineUpPeer
from multifd.lineup.probe import Probed
from multifd.peer import contract
from multifd.peer.client import PeerProcess
from multifd.peer.nursery import PROGRAM
from multifd.peer.server import PeerServer
from multifd.process.child import Start, execute
from multifd.process.python import ENVIRONMENT
from multifd.profile.model import Deadlines, PeerEntry, Profile
from multifd.result.record import Role

Probe = Callable[[PeerProcess, contract.Introduction, float], Probed]
"""Probes a started peer. Raises PeerError if the peer breaks its contract."""


@dataclass(frozen=True, slots=True)
class _Entrant:
    """A peer before it has said a word."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    roles: tuple[Role, ...] = BOTH
    codec: str | None = None
    parameters: Mapping[str, int] = field(default_factory=dict)
    here: bool = False
    """Its codec can be asked in this process too."""
    skip: str | None = None


def resolve(
    name: str, profile: Profile, probe: Probe | None, devices: Sequence[DevicePeer] = (), start: Start = execute
) -> LineUp:
    """Start, introduce and probe every peer of a profile, two at a time; raises InputError for a wrong entry.

    ``start`` starts a peer. Without a probe our own codecs are asked in this process and believed: enough to show a
    plan, not to run it.
    """
    entrants = [
        *(_of_entry(entry, f"profile {name}: $.peers[{at}]") for at, entry in enumerate(profile.peers)),
        *(_of_device(peer, f"profile {name}: {peer.place}") for peer in devices),
    ]
    names = [entrant.name for entrant in entrants]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise InputError(f"profile {name}: peers {', '.join(twice)} appear more than once; give them different names")
    with ThreadPoolExecutor(2) as pool:
        peers = list(pool.map(lambda entrant: _introduce(entrant, profile.deadlines, probe, start), entrants))
    return LineUp(profile=name, peers=tuple(peers), deadlines=profile.deadlines, required=profile.required)


@contextmanager
def _blaming(place: str) -> Iterator[None]:
    """Bad input from here on is the fault of this place in the profile."""
    try:
        yield
    except InputError as problem:
        raise InputError(f"{place}: {problem}") from None


def _of_entry(entry: PeerEntry, place: str) -> _Entrant:
    if entry.codec is None:
        assert entry.name is not None and entry.command is not None
        program = shutil.which(entry.command[0], path=entry.environment.get("PATH"))
        if program is None:
            raise InputError(
                f"{place}.command: {entry.command[0]!r} is not there or cannot be executed; expected a program in PATH,"
                " or the path of one"
            )
        return _Entrant(entry.name, (program, *entry.command[1:]), entry.environment, entry.roles)
    factory = factories().get(entry.codec)
    if factory is None:
        raise InputError(f"{place}.codec: {entry.codec!r} is unknown; expected one of {', '.join(factories())}")
    with _blaming(f"{place}.parameters"):
        factory.create(entry.parameters)
    return _Entrant(
        peer_name(factory, entry.parameters),
        (*PROGRAM, *_arguments(entry.codec, entry.parameters)),
        {**ENVIRONMENT, **entry.environment},
        entry.roles,
        entry.codec,
        entry.parameters,
        here=True,
    )


def _of_device(peer: DevicePeer, place: str) -> _Entrant:
    with _blaming(place):
        factories()[peer.codec].values(peer.parameters)
    command, environment = peer.start()
    return _Entrant(
        peer.name, command, environment, peer.roles, codec=peer.codec,
        parameters=peer.parameters, here=peer.library is None, skip=peer.skip,
    )  # fmt: skip


def _arguments(codec: str, parameters: Mapping[str, int]) -> tuple[str, ...]:
    return (codec, *(f"{key}={value}" for key, value in parameters.items()))


def _introduce(entrant: _Entrant, deadlines: Deadlines, probe: Probe | None, start: Start) -> LineUpPeer:
    known: contract.Introduction | None = None
    found, kind = Probed(None, {}), None
    if entrant.here and entrant.codec is not None and (probe is None or entrant.skip is not None):
        codec = create(entrant.codec, entrant.parameters)
        known = PeerServer(codec, entrant.name, io.StringIO()).introduce(contract.Hello(id=0))
    else:
        process = PeerProcess(entrant.name, entrant.command, entrant.environment, start)
        try:
            known = process.hello(deadlines.hello)
            if probe is not None:
                found = probe(process, _as_used(known, entrant.roles), deadlines.request)
        except PeerError as broken:
            found, kind = Probed(str(broken), {}), broken.kind
        finally:
            process.quit()
    return LineUpPeer(
        name=entrant.name,
        command=entrant.command,
        environment=dict(entrant.environment),
        external=entrant.codec is None,
        roles=tuple(role for role in entrant.roles if known is None or role in known.roles),
        codec=known.codec if known else entrant.codec,
        device=known.device if known else None,
        provenance=known.provenance if known else "software",
        version=known.version if known else "unknown",
        encoder=known.encoder if known else None,
        decoder=known.decoder if known else None,
        probe=found.problem,
        probe_kind=kind,
        refused=found.refused,
        streamless=found.streamless,
        skip=entrant.skip,
        routing=known.routing if known else None,
    )


def _as_used(known: contract.Introduction, roles: Sequence[Role]) -> contract.Introduction:
    """What it says of the roles that it has in this run."""
    return known.model_copy(
        update={
            "encoder": known.encoder if "sender" in roles else None,
            "decoder": known.decoder if "receiver" in roles else None,
        }
    )
