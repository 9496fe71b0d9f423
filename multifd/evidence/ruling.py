"""What the counts of a device, and the words of its library, prove about the ends that used it.

Two know something. The *device* has counters: they count for everybody, and for both ends at once where both use the
same one. The vendor's *library* counts for its own process; it is believed where the process is one of our peers, which
read it from the library. What a peer from outside says of itself proves nothing.

==================================  =============================================================================
the device counted                  an end of which something was asked
==================================  =============================================================================
nothing that is known               proven or unproven by its library's word, else unverified
less than all ends asked            unproven; an end whose library's word is right is proven by that, unless the
                                    other's is right as well: the device says that one of them is not
more than all ends can have done,   somebody else used it: proven or unproven by the library's word, which others'
or something while it was to be     work does not touch, else disturbed
idle
with others not kept out            proven or unproven by the library's word, else unverified
enough, whatever the other end did  proven by the device
enough, but the other end may have  proven or unproven by its library's word, else unverified
done it
==================================  =============================================================================

A job that was made again, because the queue was busy or a page was missing, may be counted again: what a peer of ours
says of these widens the most. QEMU makes a submission again three times before it computes a page in software
(MAX_SUBMIT_RETRY_NUM of migration/multifd-qpl.c, QEMU 9.1), and so do our peers: a call in software for each three
that were busy lowers the least. Any other call that a library says it computed in software, where its rules give all
to the device, is a fallback that nobody predicted: unproven.

An end of which nothing is asked because its library's rules give everything to software ``fell-back``.

A real QEMU claims nothing. It is proven as above; of too few jobs nothing follows but that nothing shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from multifd.evidence.asked import Part
from multifd.evidence.reading import Unknown
from multifd.result.record import DeviceVerdict, DeviceWork, Role, Unit, Witness

RETRIES: Final = 3
"""Submissions that are made again before a call is computed in software."""


@dataclass(frozen=True, slots=True)
class End:
    """One end that uses a device."""

    role: Role
    device: str
    part: Part
    ours: bool = True
    """What it says of its library was read by us."""
    claims: bool = True
    """It says that it runs on hardware; a real QEMU does not say."""
    jobs: int = 1
    """That one call of it takes."""

    @property
    def forgone(self) -> int:
        """Calls that went to software because the queues stayed busy."""
        said = self.part.said
        return min(said.software, said.busy // RETRIES) if said is not None and self.ours else 0

    @property
    def least(self) -> int:
        """Jobs that there must be."""
        return max(self.part.asked.least - self.forgone * self.jobs, 0)

    @property
    def most(self) -> int | None:
        """Jobs that there can be, None for no limit."""
        most, said = self.part.asked.most, self.part.said
        if most is None or said is None or not self.ours:
            return most
        return most + said.busy + said.faults

    @property
    def admits(self) -> str:
        """A fallback that no rule gives, by the library's own word."""
        said = self.part.said
        if said is None or self.part.asked.software or said.software <= self.forgone:
            return ""
        return f"its library says that it computed {said.software} of its calls in software"

    @property
    def software(self) -> str:
        """What went to software by the rules, and why, in words."""
        said = self.part.said
        busy = (
            f"{self.forgone} of its calls in software, for the queues were busy {said.busy} times"
            if self.forgone and said
            else ""
        )
        return "; ".join(filter(None, (self.part.asked.software, busy)))


@dataclass(frozen=True, slots=True)
class Seen:
    """What a device's counters showed."""

    counted: int | Unknown
    """Jobs, of all ends together."""
    source: str
    """What counted."""
    noise: str = ""
    """Why somebody else has used the device, in words."""
    crowd: str = ""
    """Why somebody else may have used it, in words."""


@dataclass(frozen=True, slots=True)
class Word:
    """What the library of one end counted, of what was asked of it."""

    counted: int
    asked: int
    unit: Unit
    source: str

    @property
    def right(self) -> bool:
        """It is as much as was asked for, and nothing if that was nothing."""
        return self.counted >= self.asked if self.asked else not self.counted


def word(end: End) -> Word | None:
    """The word of the library of one end, None where it has none that counts, or that can be compared."""
    said, asked = end.part.said, end.part.asked
    if said is None or said.library is None or not end.ours or said.library.after < said.library.before:
        return None
    told = said.library
    least = asked.read if told.unit == "bytes" else end.least
    if bool(least) != bool(end.least):
        return None
    return Word(told.after - told.before, least, told.unit, told.source)


def rule(ends: Sequence[End], seen: Seen, silence: DeviceVerdict) -> tuple[DeviceWork, ...]:
    """The verdict on each end that used the device; ``silence`` is what a claim is worth of which nothing is known."""
    return tuple(_ruled(end, [each for each in ends if each is not end], seen, silence) for end in ends)


def _ruled(end: End, others: Sequence[End], seen: Seen, silence: DeviceVerdict) -> DeviceWork:
    case = _Case(end, others, seen, silence)
    work = case.decide() if end.least else case.unasked()
    return work if end.claims else _of_qemu(work)


def _of_qemu(work: DeviceWork) -> DeviceWork:
    """The same of an end that claims nothing."""
    if work.verdict == "unproven":
        return work.model_copy(
            update={"verdict": "not claimed", "why": _and("nothing shows that it ran on the device", work.why)}
        )
    return work.model_copy(update={"verdict": "unverified"}) if work.verdict == "disturbed" else work


class _Case:
    """One end, and what is known of it."""

    def __init__(self, end: End, others: Sequence[End], seen: Seen, silence: DeviceVerdict) -> None:
        self._end, self._others, self._seen = end, others, seen
        self._silence: DeviceVerdict = silence if end.claims else "unverified"
        self._word = word(end)
        self._rest = sum(other.least for other in others)
        mosts = [other.most for other in others]
        self._elsewhere = None if None in mosts else sum(most for most in mosts if most is not None)
        """Jobs that the others can have done, None for no limit."""

    def decide(self) -> DeviceWork:
        """Of an end of which something was asked."""
        end, seen, counted = self._end, self._seen, self._seen.counted
        if isinstance(counted, Unknown):
            return self._by_library(counted.why, self._silence)
        if counted < end.least + self._rest:
            return self._lacking(counted)
        if self._too_many(counted):
            return self._by_library(self._too_many(counted), "disturbed")
        return self._by_library(seen.crowd, self._silence) if seen.crowd else self._enough(counted)

    def _enough(self, counted: int) -> DeviceWork:
        """Of a device that counted what can have been asked of it, by nobody else."""
        end = self._end
        if self._elsewhere is None or counted - self._elsewhere < end.least:
            limit = "any number" if self._elsewhere is None else f"up to {self._elsewhere}"
            return self._by_library(f"the other end may have done {limit} of the jobs that were counted", self._silence)
        if end.admits:
            return self._by_device("unproven", end.admits)
        if end.most is None and self._word is not None and not self._word.right:
            return self._by_library("", "unproven")
        return self._by_device("proven", end.software)

    def unasked(self) -> DeviceWork:
        """Of an end of which nothing was asked."""
        end, counted = self._end, self._seen.counted
        if not end.software:
            return self._by_device("not claimed", "")
        if isinstance(counted, int) and self._above(counted) and not (self._word is not None and self._word.right):
            return self._by_device("disturbed", f"{end.software}; but {self._too_many(counted)}")
        return self._by_device("fell-back", end.software)

    def _lacking(self, counted: int) -> DeviceWork:
        """Of a device that counted less than was asked of it."""
        end = self._end
        if not self._others or not self._rest:
            return self._by_device("unproven", end.admits)
        together = f"both ends together asked for at least {end.least + self._rest}"
        right = self._word is not None and self._word.right and counted >= end.least
        if right and not any(theirs is not None and theirs.right for theirs in map(word, self._others)):
            return self._by_library(f"{together}, and {counted} were counted: the other end lacks them", "unproven")
        return self._by_device("unproven", _and(together, end.admits))

    def _too_many(self, counted: int) -> str:
        """Why somebody else has used the device, in words."""
        if self._above(counted):
            return f"it counted {counted}, more than can have been asked of it: somebody else used it"
        return self._seen.noise

    def _above(self, counted: int) -> bool:
        most = self._end.most
        return most is not None and self._elsewhere is not None and counted > most + self._elsewhere

    def _by_library(self, why: str, otherwise: DeviceVerdict) -> DeviceWork:
        """By the library's word; ``otherwise`` where it has none. ``why`` the device's count is not enough."""
        end, said = self._end, self._word
        if said is None:
            return (
                self._by_device(otherwise, _and(why, end.admits))
                if not end.admits
                else self._by_device("unproven", _and(end.admits, why))
            )
        verdict: DeviceVerdict = "proven" if said.right and not end.admits else "unproven"
        return self._work(
            verdict, "library", said.counted, said.source, _and(end.admits, end.software, why),
            asked=said.asked, most=end.most if said.unit == "jobs" else None, unit=said.unit,
        )  # fmt: skip

    def _by_device(self, verdict: DeviceVerdict, why: str) -> DeviceWork:
        counted, source = self._seen.counted, self._seen.source
        if isinstance(counted, Unknown):
            return self._work(verdict, "none", None, source, why)
        if self._others:
            if self._elsewhere is None or counted < self._end.least + self._rest:
                source += ", of both ends together"
            else:
                source += f", less the {self._elsewhere} that the other end can have done"
                counted = max(counted - self._elsewhere, 0)
        known: Witness = "none" if verdict in ("unverified", "disturbed") else "device"
        return self._work(verdict, known, counted, source, why)

    def _work(
        self, verdict: DeviceVerdict, witness: Witness, counted: int | None, source: str, why: str, *,
        asked: int | None = None, most: int | None = None, unit: Unit = "jobs",
    ) -> DeviceWork:  # fmt: skip
        end, said = self._end, self._end.part.said
        return DeviceWork(
            end=end.role,
            device=end.device,
            asked=end.least if asked is None else asked,
            most=end.most if asked is None else most,
            counted=counted,
            unit=unit,
            source=source,
            verdict=verdict,
            witness=witness,
            why=why,
            busy=said.busy if said is not None else 0,
            faults=said.faults if said is not None else 0,
        )


def _and(*reasons: str) -> str:
    return "; ".join(filter(None, reasons))
