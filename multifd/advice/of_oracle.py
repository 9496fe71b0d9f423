"""What the oracle says of a migration between two fleets: every method, and every setting that makes it another matter.

Memory that both ends lose without a word is what is looked for, so every line is about the worst order of events, in a
guest of which pages change and become zero while it migrates.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from multifd.accelerator import by_method
from multifd.advice import paste
from multifd.advice.accelerated import by_libraries, runs_on
from multifd.advice.defects import met
from multifd.advice.hosts import Host
from multifd.advice.lines import ANY, CHANNELS, FEWER, STANDING, UNLIKE, Direction, Line, ordered
from multifd.advice.named import named
from multifd.advice.releases import shared, untold
from multifd.advice.terms import Terms, expected
from multifd.framing.model import METHOD_FRAMINGS
from multifd.oracle.question import Prediction
from multifd.result import known
from multifd.result.record import Setting
from multifd.result.versions import Release, Releases
from multifd.wire.dialect import DIALECTS

_DETECTION: Final = "zero-page-detection"
_LEGACY: Final = "legacy"
_NUMBERS: Final = re.compile(r"received \w+ flags expected \w+")


def direction(sender: Host, receiver: Host) -> Direction:
    """Advice for this direction, from the oracle alone."""
    machine = shared(sender.facts, receiver.facts)
    fleets = sender.fleet(machine), receiver.fleet(machine)
    if machine is None:
        return Direction(sender=fleets[0], receiver=fleets[1], lines=(_strangers(sender, receiver),))
    pair = _Pair(sender, receiver, machine)
    lines = (
        *pair.alike(),
        *pair.zero_pages(),
        *pair.lacking(),
        *pair.unlike(),
        *pair.channels(CHANNELS, 1),
        *by_libraries(sender, receiver),
    )
    said = (line.model_copy(update={"why": named(line.why, sender, receiver)}) for line in lines)
    return Direction(sender=fleets[0], receiver=fleets[1], lines=ordered(said))


def fewer_channels(sender: Host, receiver: Host) -> tuple[Line, ...]:
    """What is predicted of a sender that opens fewer channels, for a run to confirm or not."""
    machine = shared(sender.facts, receiver.facts)
    if machine is None:
        return ()
    return tuple(_Pair(sender, receiver, machine).channels(FEWER, -1))


def _strangers(sender: Host, receiver: Host) -> Line:
    if sender.facts.target != receiver.facts.target:
        why = (
            f"{sender.name} runs {sender.facts.target}, {receiver.name} {receiver.facts.target}: no guest changes that"
        )
    else:
        why = f"{sender.name} and {receiver.name} share no machine type: go by a release between them"
    return Line(method=ANY, verdict="refused", why=why, rests_on="oracle")


class _Pair:
    """Two hosts and the machine type that both have."""

    def __init__(self, sender: Host, receiver: Host, machine: str) -> None:
        self._sender = sender
        self._receiver = receiver
        self._machine = machine
        self._defaults = untold(sender.facts, machine)
        self._shared = [m for m in METHOD_FRAMINGS if m in sender.methods and m in receiver.methods]

    def alike(self) -> Iterator[Line]:
        """Methods that both have, at the defaults."""
        for method in self._shared:
            yield self._line(method, self._defaults.zero_pages)

    def zero_pages(self) -> Iterator[Line]:
        """Other values of ``zero-page-detection``, where they make it another matter."""
        usual = {line.method: line for line in self.alike()}
        for value in self._sender.facts.zero_pages:
            lines = [self._line(method, value) for method in self._shared if value != self._defaults.zero_pages]
            others = [line for line in lines if line.verdict != usual[line.method].verdict]
            if value not in (_LEGACY, self._defaults.zero_pages):
                others = [line for line in others if line.verdict != "safe"]  # legacy is as safe, and cheaper than none
            if len(others) == len(usual) and len({(line.verdict, line.why) for line in others}) == 1:
                others = [others[0].model_copy(update={"method": ANY})]
            yield from others

    def _line(self, method: str, zero_pages: str) -> Line:
        prediction = self._expected(method, method, zero_pages=zero_pages)
        usual = self._defaults.zero_pages
        told = None if zero_pages == usual else self._setting(_DETECTION, zero_pages, usual)
        defect = next(met(self._sender.facts, self._receiver.facts, method, zero_pages), None)
        if prediction.outcome == "hazard":
            return self._hazard(method, prediction, *self._avoided())
        if prediction.outcome == "rejected":
            return Line(
                method=method, verdict="refused", why=prediction.reason, rests_on="oracle", words=prediction.error
            )
        if defect is not None:
            qmp, libvirt = self._avoided() if defect.packets else ((), ())
            return Line(
                method=method, verdict="hazard", why=str(defect), rests_on="oracle", qmp=qmp, libvirt=libvirt,
                setting=self._setting(_DETECTION, zero_pages, usual) if defect.packets else None,
            )  # fmt: skip
        accelerator = by_method(method)
        where = "" if accelerator is None else f"; {runs_on(accelerator, self._sender, self._receiver)}"
        further = {} if told is None else {told.name: told.value}
        return Line(
            method=method, verdict="safe", setting=told, why=f"memory arrives{where}", rests_on="oracle",
            accelerated=accelerator in self._sender.devices, qmp=paste.qmp(method, self._defaults.channels, further),
            libvirt=paste.libvirt(method, self._defaults.channels) if told is None else paste.untouched(told.name),
        )  # fmt: skip

    def _avoided(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What keeps zero pages out of packets."""
        return (paste.parameters({_DETECTION: _LEGACY}),), paste.untouched(_DETECTION)

    def lacking(self) -> Iterator[Line]:
        """Methods that not both have; the destination is told first."""
        for method in METHOD_FRAMINGS:
            if method not in self._shared:
                without = next(host for host in (self._receiver, self._sender) if method not in host.methods)
                yield Line(
                    method=method, verdict="refused", why=f"{without.name} {_without(without, method)}",
                    rests_on="oracle", words=self._expected(method, method).error,
                )  # fmt: skip

    def unlike(self) -> Iterator[Line]:
        """Two methods: where the wire hides it, and where it does not."""
        refused: dict[tuple[str, str], Prediction] = {}
        for sent, read in itertools.permutations(METHOD_FRAMINGS, 2):
            if sent not in self._sender.methods or read not in self._receiver.methods:
                continue
            prediction = self._expected(sent, read)
            if prediction.outcome == "hazard":
                alike = paste.qmp(self._shared[0], self._defaults.channels)[-1:]
                yield self._hazard(f"{sent}>{read}", prediction, alike)
            else:
                refused[sent, read] = prediction
        if refused:
            words = dict.fromkeys(
                _NUMBERS.sub(r"received \\w+ flags expected \\w+", each.error or "") for each in refused.values()
            )
            yield Line(
                method=UNLIKE, verdict="refused", rests_on="oracle", words="|".join(words),
                why="the flag of the sender's method is not the one that the receiver expects",
            )  # fmt: skip
            late = self._expected(*next(iter(refused)), looks_late=True)
            yield self._hazard(
                UNLIKE, late, (paste.capabilities("return-path"),), setting=self._setting("return-path", "off", "off")
            ).model_copy(update={"why": f"the refusal may come too late: {late.reason.rpartition('; ')[2]}"})

    def channels(self, name: str, more: int) -> Iterator[Line]:
        """Unequal numbers of channels: the sender opens so many more."""
        usual = self._defaults.channels
        setting = self._setting("multifd-channels", "another number at each end", str(usual))
        soon, late = (self._expected("none", "none", more=more, looks_late=late) for late in (False, True))
        alike = (paste.parameters({"multifd-channels": usual}),)
        lost = f"where the destination is slow to look, {late.reason.removeprefix(soon.reason).lstrip(':; ')}"
        yield self._hazard(name, late, alike, setting=setting).model_copy(update={"why": lost})
        yield Line(
            method=name, verdict=STANDING[soon.outcome], setting=setting, why=soon.reason, rests_on="oracle",
            words=soon.error, qmp=alike,
        )  # fmt: skip

    def _hazard(
        self,
        method: str,
        prediction: Prediction,
        avoids: tuple[str, ...],
        libvirt: tuple[str, ...] = (),
        setting: Setting | None = None,
    ) -> Line:
        found = next(iter(prediction.setting), None)
        if setting is None and found is not None:
            setting = found
        why = prediction.reason.removeprefix(f"with {found}: ")
        return Line(
            method=method, verdict=STANDING[prediction.outcome], setting=setting, why=why,
            rests_on="oracle", qmp=avoids, libvirt=libvirt, issues=self._issues(prediction),
        )  # fmt: skip

    def _setting(self, name: str, value: str, default: str) -> Setting:
        return Setting(name=name, value=value, default=default, machine=self._machine)

    def _issues(self, prediction: Prediction) -> tuple[str, ...]:
        if prediction.outcome != "hazard":
            return ()
        ends = Releases({"sender": (_qemu(self._sender),), "receiver": (_qemu(self._receiver),)})
        return tuple(issue.id for issue in _hazards() if issue.concerns(ends) and issue.says(prediction.reason))

    def _expected(
        self, sent: str, read: str, *, zero_pages: str | None = None, more: int = 0, looks_late: bool = False
    ) -> Prediction:
        defaults = self._defaults
        sender = Terms(
            self._sender.name, self._sender.facts, sent, defaults.channels + max(more, 0),
            zero_pages or defaults.zero_pages,
        )  # fmt: skip
        waits = defaults.channels + max(-more, 0)
        receiver = Terms(self._receiver.name, self._receiver.facts, read, waits, defaults.zero_pages)
        return expected(sender, receiver, self._machine, defaults, looks_late=looks_late)


def _without(host: Host, method: str) -> str:
    since = next((each for each in DIALECTS.values() if method in each.flags and each.name.startswith("qemu-")), None)
    if since is None or host.facts.dialect.order >= since.order:
        return "is built without it"
    return f"is too old for it: {since.versions.partition('-')[0]} was the first with it"


def _qemu(host: Host) -> Release:
    return Release("QEMU", host.facts.release)


@cache
def _hazards() -> tuple[known.KnownIssue, ...]:
    return tuple(issue for issue in known.shipped() if issue.verdict == "hazard" and re.fullmatch(issue.suite, "qemu"))
