"""From how a migration ended on both sides, and what it left in memory, to one observation.

=========================================  ==========================================================
what both sides say                        observed
=========================================  ==========================================================
completed, completed                       ``identical``, or a ``hazard``: silent wrong memory
source completed, destination anything     ``hazard``: the source gives its guest up, and no one has it
source not completed, destination is       ``hazard``: two guests
a side was killed by a signal              ``crash``
nothing moves any more                     ``hang``
everything else                            ``rejected``, with the words of whoever refused
=========================================  ==========================================================

A receiver that takes a payload for pages as they are, and refuses or hangs only later, has written garbage: a hazard
too, though nobody has the guest, for how soon it notices is luck.
"""

from __future__ import annotations

from dataclasses import dataclass

from multifd.errors import PeerError
from multifd.evidence.observe import Memory
from multifd.oracle.verdict import Observation
from multifd.peer import contract
from multifd.qemu.migration import Course, End

Said = contract.Done | contract.Failed | PeerError
"""What a peer of ours that took part says in the end."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What is in the destination's memory."""

    ram: Memory
    strange: tuple[str, ...] = ()
    """Other RAM blocks that do not hold what they held at the source."""
    raw: bool = False
    """The receiver takes payloads for pages that are none."""

    @property
    def identical(self) -> bool:
        """All of it."""
        return self.ram.identical and not self.strange

    def describe(self) -> str:
        """What is wrong."""
        blocks = f"RAM blocks {', '.join(self.strange)} differ" if self.strange else ""
        return "; ".join(filter(None, (self.ram.describe() if not self.ram.identical else "", blocks)))


def between(course: Course, arrived: Arrived, splice: Said | None = None, *, barred: bool = False) -> Observation:
    """What happened between two QEMUs, with or without a splice between them.

    A destination that has ``barred`` whoever came, and waits for somebody else, has refused: it does not hang.
    """
    source, destination = course.source, course.destination
    assert destination is not None
    words = f"destination {destination.fate}: {destination.words}; source {source.fate}: {source.words}"
    if isinstance(splice, contract.Failed) and splice.kind not in ("closed", "deadline"):
        words = f"{splice.error}; {words}"
    state = "dead" if destination.dead else "hung" if course.stalled else destination.status
    return (
        _broke(splice)
        or _crashed("source", source)
        or _crashed("destination", destination)
        or (Observation("rejected", words, words) if barred and not source.completed else None)
        or _ended(course, arrived, there=destination.completed, state=f"destination is {state}", words=words)
    )


def at_ours(course: Course, arrived: Arrived, said: Said) -> Observation:
    """What happened between a QEMU and our receiver."""
    source = course.source
    words = f"source {source.fate}: {source.words}"
    if isinstance(said, contract.Failed):
        words = f"{said.error}; {words}"
    there = isinstance(said, contract.Done)
    return (
        _broke(said)
        or _crashed("source", source)
        or _ended(course, arrived, there=there, state="receiver failed", words=words)
    )


def alone(course: Course, arrived: Arrived) -> Observation:
    """What happened to a QEMU that was played a recording; the course is its own."""
    end = course.source
    words = f"destination {end.fate}: {end.words}"
    crashed = _crashed("destination", end)
    if crashed is not None:
        return crashed
    if end.completed:
        return _landed(arrived)
    return Observation("hang" if course.stalled else "rejected", words, words)


def bereft(side: str, end: End, *, written: bool) -> Observation:
    """What became of one end whose other end died before anything was sent: a source has failed, a destination says
    why, and waits for somebody else. ``written`` says that the destination's memory is not zero any more.
    """
    words = f"{side} {end.fate}: {end.words}"
    crashed = _crashed(side, end)
    if crashed is not None:
        return crashed
    if written or end.completed:
        return Observation("hazard", words, f"nobody has sent anything, and yet: {words}")
    told = end.dead or end.status == "failed" or (end.waits and side == "destination" and bool(end.log))
    return Observation("rejected" if told else "hang", words, words)


def _ended(course: Course, arrived: Arrived, *, there: bool, state: str, words: str) -> Observation:
    """From who says completed; ``there`` is the receiving side."""
    here = course.source.completed
    if here and there:
        return _landed(arrived)
    if here:
        text = f"source says completed, {state}: {words}"
        return Observation("hazard", words, text, pages=arrived.ram.stretches)
    if there:
        return Observation("hazard", words, f"the receiving side says completed, the source does not: {words}")
    if arrived.raw and arrived.ram.wrong:
        return Observation("hazard", words, f"{arrived.describe()}; then: {words}", pages=arrived.ram.stretches)
    if course.stalled:
        return Observation("hang", words, f"nothing moves any more: {words}")
    return Observation("rejected", words, words)


def _landed(arrived: Arrived) -> Observation:
    if arrived.identical:
        return Observation("identical")
    text = f"everybody says completed, {arrived.describe()}"
    return Observation("hazard", None, text, pages=arrived.ram.stretches)


def _broke(said: Said | None) -> Observation | None:
    if isinstance(said, contract.Failed) and said.kind == "environment":
        return Observation("broken", said.error, said.error)
    if not isinstance(said, PeerError):
        return None
    return Observation("hang" if said.kind == "hang" else "crash", str(said), str(said))


def _crashed(side: str, end: End) -> Observation | None:
    if end.exit_status is None or end.exit_status >= 0:
        return None
    text = f"{side} {end.fate}: {end.words}"
    return Observation("crash", text, text)
