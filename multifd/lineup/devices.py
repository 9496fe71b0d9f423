"""Which peers stand for each accelerator on this host, as the profile wants it.

=========  ==========================  ===============================================================
policy     host                        peers
=========  ==========================  ===============================================================
require    silicon that works          the real one, on hardware, and a sender that has no software to go to
require    anything less               none: the run does not start, and says why in the library's words
use        silicon that works          the real one, on hardware
use        library only                the real one on its CPU path, and the emulation beside it
use        neither                     the emulation
emulate    whatever                    the emulation
skip       whatever                    the real one's name, with every cell skipped
=========  ==========================  ===============================================================

Silicon *works* where the library has shown it (:mod:`.preflight`), whatever detection says of the device; where the two
differ, that is said. Where it works in one direction only, the real one has that role, and the emulation stands beside
it. Beside each of them, unless it is skipped, stand the profile's variants of its codec.

**Software where silicon is required.** libqatzip's ``sw_backup`` stays on for receivers: by its own rules it decodes in
software what is too large for a hardware buffer or too small for the threshold
(:mod:`multifd.codec.silicon.libqatzip`), and without it answers QZ_FAIL to payloads on which nothing is wrong,
depending on how small their content became. A sender has no such rule but the threshold, which holds without
``sw_backup`` too: so there is one more, without it, which fails where the device does. A profile that names the
parameter decides by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from multifd.accelerator import VENDOR, Accelerator
from multifd.codec import factories
from multifd.device.found import Device
from multifd.errors import EnvironmentBroke
from multifd.libraries import packages
from multifd.libraries.find import Library, libraries
from multifd.lineup.device_peer import BACKUP, BOTH, SOFTWARE, DevicePeer, Find, Row, may_work, rows
from multifd.lineup.holding import cramped, remedy, too_few
from multifd.lineup.preflight import Tried
from multifd.profile.model import Profile


@dataclass(frozen=True, slots=True)
class _Case:
    """A row of the table: an accelerator, what the profile says of it, what this host has of it."""

    row: Row
    found: tuple[Device, ...]
    """Of its kind, usable or not."""
    tried: Tried | None
    """What came of the preflight, None if there was nothing to try."""

    @property
    def name(self) -> str:
        return self.row.accelerator.name

    @property
    def usable(self) -> tuple[Device, ...]:
        return tuple(device for device in self.found if device.usable)

    @property
    def devices(self) -> tuple[Device, ...]:
        """Those that may do the work."""
        return may_work(self.row.accelerator.kind, self.found)

    @property
    def works(self) -> bool:
        wanted = self.row.wants_silicon and self.tried is not None and self.tried.works
        return wanted and not too_few(self.devices)


def device_peers(
    profile: Profile, found: Sequence[Device], find: Find = libraries, tried: Sequence[Tried] = ()
) -> list[DevicePeer]:
    """The peers of all devices of a profile; raises EnvironmentBroke where one is required that does not work."""
    chosen: list[DevicePeer] = []
    lacking: list[str] = []
    outcomes = {each.kind: each for each in tried}
    for row in rows(profile, find):
        kind = row.accelerator.kind
        case = _Case(row, tuple(device for device in found if device.kind == kind), outcomes.get(kind))
        match row.entry.policy:
            case "require":
                reasons = list(_lacking(case))
                lacking += reasons
                chosen += [] if reasons else _required(case, profile)
            case "use":
                chosen += _best(case)
            case "emulate":
                chosen.append(_emulated(row))
            case "skip":
                chosen.append(_skipped(row.accelerator))
    if lacking:
        raise EnvironmentBroke("the profile requires what this host lacks:\n  " + "\n  ".join(lacking))
    return [peer for each in chosen for peer in (each, *_variants(each, profile))]


def _required(case: _Case, profile: Profile) -> Iterator[DevicePeer]:
    peer = _on_silicon(case)
    yield peer
    variants = profile.variants.get(peer.codec, ())
    said = BACKUP in peer.parameters or any(BACKUP in variant.parameters for variant in variants)
    if BACKUP in factories()[peer.codec].parameters and not said:
        strict = {BACKUP: 0}
        yield replace(peer, parameters={**peer.parameters, **strict}, named=strict, roles=("sender",), remark="")


def _best(case: _Case) -> Iterator[DevicePeer]:
    row, real = case.row, case.row.accelerator.real
    if real is None or row.library is None:
        yield _emulated(row)
    elif case.works:
        peer = _on_silicon(case)
        yield peer
        if peer.roles != BOTH:
            yield _emulated(row)
    else:
        yield replace(row.real(real, hardware=False), remark=_unused(case) if row.wants_silicon else "")
        yield _emulated(row)


def _on_silicon(case: _Case) -> DevicePeer:
    real, tried = case.row.accelerator.real, case.tried
    assert real is not None and tried is not None
    peer = case.row.real(real, hardware=True, devices=case.devices)
    return replace(peer, roles=tried.roles, remark=_reconciled(case, tried))


def _emulated(row: Row) -> DevicePeer:
    return DevicePeer(row.accelerator.emulated, row.entry.emulation, "emulated", place=f"{row.place}.emulation")


def _skipped(accelerator: Accelerator) -> DevicePeer:
    remedy = f"a profile with devices.{accelerator.kind}.policy use or emulate"
    reason = f"the profile skips {accelerator.name}; remedy: {remedy}"
    return DevicePeer(accelerator.emulated, {}, "emulated", skip=reason)


def _variants(peer: DevicePeer, profile: Profile) -> Iterator[DevicePeer]:
    """On the same path and devices as the peer of which they are, in roles that it has.

    One of which the device has no such thing runs on the library's own CPU path.
    """
    if peer.skip is not None or peer.named:
        return
    for at, variant in enumerate(profile.variants.get(peer.codec, ())):
        one = replace(
            peer,
            parameters={**peer.parameters, **variant.parameters},
            place=f"$.variants.{peer.codec}[{at}].parameters",
            named=variant.parameters,
            roles=tuple(role for role in variant.roles if role in peer.roles),
            remark="",
        )
        if peer.provenance == "hardware" and _of_software(peer.codec, variant.parameters):
            one = replace(
                one, parameters={**one.parameters, "path": SOFTWARE}, provenance="vendor-software", devices=()
            )
        if one.roles:
            yield one


def _of_software(codec: str, parameters: Mapping[str, int]) -> bool:
    only = VENDOR[codec].software_only
    return any(value in only.get(key, ()) for key, value in parameters.items())


def _reconciled(case: _Case, tried: Tried) -> str:
    """What detection, the library and the profile see differently where the device works."""
    if tried.roles != BOTH:
        other = "receive" if tried.roles == ("sender",) else "send"
        return f"{case.name} does not {other}, the emulation stands beside it: {tried.words}"
    if case.usable:
        return ""
    if not case.found:
        return f"{case.name}: {tried.words}, though no such device is found; no counter of it can be read"
    against = "; ".join(f"{_where(device)}: {problem.what}" for device in case.found for problem in device.problems)
    return f"{case.name}: {tried.words}, so it is used, whatever else is known of it ({against})"


def _unused(case: _Case) -> str:
    """Why silicon that there seems to be is not used."""
    if case.tried is None or not (case.found or case.tried.works):
        return ""
    why = _held(case) if case.tried.works else _failed(case.tried, case.row.library)
    instead = f"{case.tried.library} runs in software instead, with the emulation beside it"
    return f"{case.name} is not used: {why}; {instead}. multifd doctor says more"


def _failed(tried: Tried, library: Library | None) -> str:
    """In the library's words, and what was known of it beforehand."""
    known = f" (it {library.warning})" if library is not None and library.warning is not None else ""
    return f"its library does not work on it: {tried.words}{known}"


def _held(case: _Case) -> str:
    return f"{cramped(case.devices)}; {remedy(case.devices)}"


def _lacking(case: _Case) -> Iterator[str]:
    """Why a required device is not to be had, each with what to do."""
    row, name, tried = case.row, case.name, case.tried
    if row.accelerator.real is None:
        yield f"{name}: this project has no binding for its library; use policy emulate"
    elif row.library is None:
        yield f"{name}: its library is not found; remedy: {packages.remedy(row.accelerator.real)}"
    elif tried is None or not tried.works:
        yield f"{name}: {_failed(tried, row.library)}" if tried is not None else f"{name}: nobody has tried it"
    elif tried.roles != BOTH:
        yield f"{name}: it works in one direction only: {tried.words}"
    elif too_few(case.devices):
        yield f"{name}: {_held(case)}"
    count = len(case.usable) or (1 if case.works else 0)
    if count < row.entry.count:
        wanted = f"{row.entry.count} required ({row.place.removeprefix('$.')}.count)"
        yield f"{name}: {count} usable devices, {wanted}; multifd doctor says more"
    elif case.works and tried is not None and tried.roles == BOTH:
        return
    for device in case.found:
        for problem in device.problems:
            yield f"{name} {_where(device)}: {problem.what}; run: {_commands(problem.fix)}"


def _commands(fix: str) -> str:
    """On one line if there is one, else each on its own."""
    first, *others = fix.splitlines()
    return "".join(f"\n    {line}" for line in (first, *others)) if others else first


def _where(device: Device) -> str:
    return f"{device.name} {device.pci or ''}".strip()
