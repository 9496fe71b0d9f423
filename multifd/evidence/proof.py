"""Proof that hardware did the work: the device's own counters, read before and after what a peer was asked to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Final

from multifd.accelerator import by_name
from multifd.device.diagnose import detect
from multifd.device.found import Device
from multifd.device.sysfs import Host
from multifd.evidence.asked import Part
from multifd.evidence.counters import Counters, moved, verdict
from multifd.evidence.outcome import Outcome
from multifd.lineup.peers import LineUpPeer
from multifd.result.record import DeviceVerdict, DeviceWork, Role

Parts = Mapping[Role, Part]
"""What was asked of each end, and what it says."""
Judge = Callable[[Callable[[], Parts]], tuple[DeviceWork, ...]]
"""Called afterwards with what tells the parts; it is asked only where an end claims hardware."""

_ORDER: Final[tuple[DeviceVerdict, ...]] = (
    "unproven", "disturbed", "unverified", "proven", "fell-back", "not claimed",
)  # fmt: skip
_UNNAMED: Final = "unnamed"
"""The device of a peer that claims hardware and does not say which."""


class Prover:
    """Reads the counters of a host's devices around what peers do.

    ``required`` are kinds of accelerators that the profile requires: there silence proves nothing, and is a failure.
    """

    def __init__(self, host: Host, required: Collection[str] = ()) -> None:
        self._host = host
        self._required = required

    @contextmanager
    def watching(self, ends: Mapping[Role, LineUpPeer]) -> Iterator[Judge]:
        """Around the work of these peers; those that claim no hardware need no proof.

        Ends that share a device must together have moved its counters by what was demanded of both of them.
        """
        claims = {end: peer.device or _UNNAMED for end, peer in ends.items() if peer.provenance == "hardware"}
        if not claims:
            yield lambda _: ()
            return
        usable = self._usable()
        with ExitStack() as stack:
            counters = {
                name: stack.enter_context(Counters(self._host, _named(name, usable)))
                for name in dict.fromkeys(claims.values())
            }
            before = {name: each.read() for name, each in counters.items()}

            def judge(demands: Callable[[], Parts]) -> tuple[DeviceWork, ...]:
                parts, asked = demands(), Counter[str]()
                for end, name in claims.items():
                    asked[name] += parts[end].asked.least
                counted = {name: moved(before[name], each.read()) for name, each in counters.items()}
                return tuple(
                    DeviceWork(
                        end=end,
                        device=name,
                        asked=asked[name],
                        counted=counted[name],
                        source=_source(counters[name], shared=list(claims.values()).count(name) > 1),
                        verdict=verdict(asked[name], counted[name], silence=self._silence(name, counters[name])),
                    )
                    for end, name in claims.items()
                )

            yield judge

    @contextmanager
    def noticing(self, kinds: Collection[str]) -> Iterator[Callable[[str], bool]]:
        """Around the work of software that does not say how it runs: did devices of a kind work meanwhile?"""
        usable = [device for device in self._usable() if device.kind in kinds] if kinds else []
        with ExitStack() as stack:
            counters = {
                kind: stack.enter_context(Counters(self._host, [d for d in usable if d.kind == kind]))
                for kind in {device.kind for device in usable}
            }
            before = {kind: each.read() for kind, each in counters.items()}
            yield lambda kind: kind in counters and bool(moved(before[kind], counters[kind].read()))

    def _usable(self) -> list[Device]:
        return [device for device in detect(self._host) if device.usable]

    def _silence(self, name: str, counters: Counters) -> DeviceVerdict:
        """What a claim is worth of which no count is known; where there is no such device it is an empty one."""
        accelerator = by_name(name)
        required = accelerator is not None and accelerator.kind in self._required
        return "unproven" if required or not counters.devices else "unverified"


def proven(outcome: Outcome, work: tuple[DeviceWork, ...]) -> Outcome:
    """The outcome with what devices have to say about it."""
    seen = outcome.observation
    outcome.observation = replace(seen, detail=seen.detail or unproven(work), device=worst(work))
    outcome.device = work
    return outcome


def worst(work: Iterable[DeviceWork]) -> DeviceVerdict:
    """Of all ends: what is unproven on one is unproven."""
    return min((each.verdict for each in work), key=_ORDER.index, default="not claimed")


def unproven(work: Iterable[DeviceWork]) -> str:
    """What is lacking, in words and numbers."""
    return "; ".join(
        dict.fromkeys(
            f"{each.device}: {each.asked} jobs were asked for,"
            f" {'none' if each.counted is None else each.counted} counted ({each.source})"
            for each in work
            if each.verdict == "unproven"
        )
    )


def _named(name: str, devices: Sequence[Device]) -> list[Device]:
    accelerator = by_name(name)
    return [device for device in devices if accelerator is not None and device.kind == accelerator.kind]


def _source(counters: Counters, *, shared: bool) -> str:
    if not counters.devices:
        return "no usable device on this host"
    of_both = ", of both ends together" if shared else ""
    return f"{' and '.join(counters.sources)} of {', '.join(counters.devices)}{of_both}"
