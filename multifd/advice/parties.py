"""Who stands for a fleet in a run: a real QEMU, codecs of ours in a dialect, codecs of an accelerator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from multifd.accelerator import ACCELERATORS, Accelerator, by_method
from multifd.advice.hosts import Host
from multifd.advice.releases import release
from multifd.errors import InputError
from multifd.plan.reference import reference
from multifd.qemu.arch import arch_of
from multifd.qemu.facts import Facts
from multifd.result import versions
from multifd.result.record import Peer, Results
from multifd.wire.dialect import DIALECTS, LATEST, Dialect

_NEWEST: Final = 99
"""Stands for the last update of a release: what it lacked at first is mended."""


@dataclass(frozen=True, slots=True)
class Party:
    """One fleet of a run."""

    host: Host
    qemu: str | None = None
    """The peer, of a real QEMU."""
    dialects: frozenset[str] = frozenset()
    """That codecs of ours speak for it."""

    def codecs(self, method: str) -> frozenset[str]:
        """Peers of ours that do what its QEMU does under a method: on its accelerator, if it is that one's."""
        own = by_method(method)
        return frozenset(codecs_of(own)) if own is not None and own in self.host.devices else stand_for(method)


def parties(results: Results) -> Iterator[Party]:
    """Real QEMUs, then released dialects, then accelerators, in the order of the run."""
    yield from (Party(host, qemu=peer.name) for peer, host in _hosts(results))
    spoken = {side for cell in results.cells if cell.suite != "qemu" for side in cell.dialect.split(">")}
    released = [each for each in DIALECTS.values() if each.name.startswith("qemu-")]
    yield from (Party(_of_dialect(each), dialects=frozenset({each.name})) for each in released if each.name in spoken)
    codecs = {peer.codec for peer in results.peers}
    newest = DIALECTS[LATEST]
    having = [each for each in released if each.flags == newest.flags]
    versions_of = f"{having[0].versions.partition('-')[0]}-{newest.versions.rpartition('-')[2]}"
    for accelerator in ACCELERATORS.values():
        if codecs & set(codecs_of(accelerator)):
            host = replace(
                _of_dialect(newest), name=f"{accelerator.name} host", versions=versions_of, devices=(accelerator,)
            )
            yield Party(host, dialects=frozenset(each.name for each in having))


def matched(host: Host, results: Results) -> Party:
    """Who stands in a run for a host of which somebody asks: a real QEMU of that release, else its dialect."""
    qemu = next((peer.name for peer, known in _hosts(results) if _is_of(known.facts, host)), None)
    return Party(host, qemu=qemu, dialects=frozenset({host.facts.dialect.name}))


def _is_of(facts: Facts, host: Host) -> bool:
    """``7.2`` is any of 7.2, ``7.2.22`` is that one."""
    return facts.target == host.facts.target and f"{facts.release}.".startswith(f"{host.versions}.")


def codecs_of(accelerator: Accelerator) -> tuple[str, ...]:
    """Of the vendor's library, and of the model of the silicon."""
    return (*((accelerator.real.name,) if accelerator.real is not None else ()), accelerator.emulated)


@cache
def stand_for(method: str) -> frozenset[str]:
    """Peers of ours that do what QEMU does under a method."""
    accelerator = by_method(method)
    return frozenset({reference(method), *(codecs_of(accelerator) if accelerator is not None else ())})


def _of_dialect(spoken: Dialect) -> Host:
    oldest, _, newest = spoken.versions.partition("-")
    facts = release(f"{newest or oldest}.{_NEWEST}")
    return Host(f"QEMU {spoken.versions}", spoken.versions, facts)


def _of_peer(peer: Peer) -> Host:
    """Raises :class:`InputError` for one that does not say which release it is, or is too old for multifd."""
    number = versions.number(peer.version)
    said = peer.capabilities
    known = release(".".join(map(str, ((*number.release, 0, 0)[:3] if number is not None else ()))))
    machines = tuple(said.get("machines", known.machines))
    facts = known.model_copy(
        update={
            "methods": tuple(said.get("methods", known.methods)),
            "zero_pages": tuple(said.get("zero-page-detection", known.zero_pages)),
            "machines": machines,
            "target": arch_of(machines[0]).name if machines else known.target,
        }
    )
    usual = peer.name.startswith(f"qemu-{facts.release}")
    name = peer.name.replace("qemu-", "QEMU ", 1) if usual else f"{peer.name} (QEMU {facts.release})"
    return Host(name, facts.release, facts, said="methods" in said)


def _hosts(results: Results) -> Iterator[tuple[Peer, Host]]:
    """Real QEMUs of whose release something is known."""
    for peer in results.peers:
        if peer.kind == "qemu":
            with suppress(InputError):
                yield peer, _of_peer(peer)
