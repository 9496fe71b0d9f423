"""Proof that hardware did the work: counters are read before and after what a peer was asked to do, with its devices
held alone meanwhile; what is read then is judged for each end by itself (:mod:`multifd.evidence.ruling`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from multifd.accelerator import Accelerator, by_name
from multifd.device.diagnose import detect
from multifd.device.exclusive import PATIENCE, Exclusive
from multifd.device.found import Device
from multifd.device.sysfs import Host
from multifd.evidence.asked import Part
from multifd.evidence.counters import Counters
from multifd.evidence.idle import Idle, Look
from multifd.evidence.outcome import Outcome
from multifd.evidence.reading import Unknown, moved
from multifd.evidence.ruling import End, Seen, rule
from multifd.lineup.peers import LineUpPeer
from multifd.result.badness import worst
from multifd.result.record import DeviceVerdict, DeviceWork, Role

Parts = Mapping[Role, Part]
"""What was asked of each end, and what it says."""
Judge = Callable[[Callable[[], Parts]], tuple[DeviceWork, ...]]
"""Called afterwards with what tells the parts; it is asked only where an end may have used a device."""

_UNNAMED: Final = "unnamed"
"""The device of a peer that claims hardware and does not say which."""
_NO_DEVICE: Final = "no such device on this host"


@dataclass(frozen=True, slots=True)
class _User:
    """Who may use a device: a peer that says so, or a real QEMU, None, that does not say."""

    device: str
    peer: LineUpPeer | None

    def end(self, role: Role, part: Part) -> End:
        """With what was asked of it."""
        if self.peer is None:
            return End(role, self.device, part, ours=False, claims=False)
        routing = self.peer.routing if role == "sender" else None
        return End(role, self.device, part, ours=not self.peer.external, jobs=routing.jobs if routing else 1)


class Prover:
    """Reads the counters of a host's devices around what peers do.

    ``required`` are kinds of accelerators that the profile requires: there silence proves nothing, and is a failure.
    A device that somebody else holds is waited for with ``patience``, in seconds.
    """

    def __init__(self, host: Host, required: Collection[str] = (), patience: float = PATIENCE) -> None:
        self._host = host
        self._required = required
        self._idle = Idle()
        self._exclusive = Exclusive(host, patience)

    def holding(self, names: Iterable[str]) -> AbstractContextManager[None]:
        """Around whatever may use devices of these names, proven or not: nobody else's jobs are counted for others."""
        return self._exclusive.holding(device for name in set(names) for device in self._of(name))

    @contextmanager
    def watching(
        self, ends: Mapping[Role, LineUpPeer], qemus: Mapping[Role, Accelerator] | None = None
    ) -> Iterator[Judge]:
        """Around the work of these peers; those that claim no hardware need no proof.

        ``qemus`` are ends that are real QEMUs, with the accelerator of their method: a host without it has nothing to
        tell of them.
        """
        users = self._users(ends, qemus or {})
        if not users:
            yield lambda _: ()
            return
        names = dict.fromkeys(user.device for user in users.values())
        with self.holding(names), ExitStack() as stack:
            counters = {name: stack.enter_context(Counters(self._host, self._of(name))) for name in names}
            before = self._idle.before(counters)

            def judge(demands: Callable[[], Parts]) -> tuple[DeviceWork, ...]:
                after = {name: Look(each.read(), time.monotonic()) for name, each in counters.items()}
                parts = demands()
                work: list[DeviceWork] = []
                for name in names:
                    sharing = [user.end(end, parts[end]) for end, user in users.items() if user.device == name]
                    seen = self._seen(name, sharing, counters[name], before[name], after[name])
                    found = rule(sharing, seen, self._silence(name))
                    work += found
                    if any(each.verdict == "disturbed" for each in found):
                        self._idle.disturbed(name)
                return tuple(sorted(work, key=lambda each: each.end != "sender"))

            yield judge

    def watches(self, ends: Mapping[Role, LineUpPeer], qemus: Mapping[Role, Accelerator]) -> bool:
        """Whether there is anything to look at around the work of these."""
        return bool(self._users(ends, qemus))

    def _users(self, ends: Mapping[Role, LineUpPeer], qemus: Mapping[Role, Accelerator]) -> dict[Role, _User]:
        peers = {end: peer for end, peer in ends.items() if peer.provenance == "hardware"}
        return {
            **{end: _User(peer.device or _UNNAMED, peer) for end, peer in peers.items()},
            **{end: _User(each.name, None) for end, each in qemus.items() if self._usable(each.name)},
        }

    def _seen(self, name: str, ends: Collection[End], counters: Counters, before: Look, after: Look) -> Seen:
        if not counters.devices:
            return Seen(Unknown(_NO_DEVICE), _NO_DEVICE)
        noise = before.noise
        if not noise and any(end.most is None for end in ends):
            noise = self._idle.after(name, counters, before, after)
        return Seen(
            moved(before.reading, after.reading),
            f"{' and '.join(counters.sources)} of {', '.join(counters.devices)}",
            noise,
            self._exclusive.without(self._of(name)),
        )

    def _of(self, name: str) -> list[Device]:
        """The devices of this name that a library may use, whatever detection finds wrong with all of them."""
        return self._usable(name) or self._found(name)

    def _usable(self, name: str) -> list[Device]:
        return [device for device in self._found(name) if device.usable]

    def _found(self, name: str) -> list[Device]:
        accelerator = by_name(name)
        return [device for device in self._devices if accelerator is not None and device.kind == accelerator.kind]

    @cached_property
    def _devices(self) -> tuple[Device, ...]:
        return detect(self._host)

    def _silence(self, name: str) -> DeviceVerdict:
        """What a claim is worth of which no count is known; where there is no such device it is an empty one."""
        accelerator = by_name(name)
        required = accelerator is not None and accelerator.kind in self._required
        return "unproven" if required or not self._of(name) else "unverified"


def proven(outcome: Outcome, work: tuple[DeviceWork, ...]) -> Outcome:
    """The outcome with what devices have to say about it."""
    seen = outcome.observation
    outcome.observation = replace(seen, detail=seen.detail or lacking(work), device=worst(work))
    outcome.device = work
    return outcome


def lacking(work: Iterable[DeviceWork]) -> str:
    """What of a proof is lacking, in words and numbers."""
    return "; ".join(dict.fromkeys(map(_numbers, (each for each in work if each.verdict in ("unproven", "disturbed")))))


def _numbers(work: DeviceWork) -> str:
    counted = "how many were done is not known" if work.counted is None else f"{work.counted} counted"
    why = f": {work.why}" if work.why not in ("", work.source) else ""
    return f"{work.device}: {work.asked} {work.unit} were asked for, {counted} ({work.source}){why}"
