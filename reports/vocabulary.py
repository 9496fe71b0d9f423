"""The words of a report: one symbol, one word and one explanation for each verdict, kind, device, provenance and claim.

Colour is never the only carrier: every result is a symbol *and* a word, so that a report reads the same in
black and white, to a colour-blind reader, in Markdown and in a terminal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from multifd.advice.lines import Standing
from multifd.result.exchange import WORDS, Half, Mark
from multifd.result.record import Cell, DeviceVerdict, Kind, Provenance, State, Verdict, Witness


@dataclass(frozen=True)
class Term:
    """A word of the report with the symbol that stands for it and its meaning in few words."""

    symbol: str
    word: str
    meaning: str


VERDICTS: Final[dict[Verdict, Term]] = {
    "fail": Term("✗", "fail", "observed is not what was predicted; the kind says how"),
    "error": Term("!", "error", "the suite or its environment broke: says nothing about the pairing"),
    "hazard": Term("▲", "hazard", "as predicted, nobody reports an error, and memory is wrong or the guest is lost"),
    "known": Term("◆", "known", "fails exactly as a known issue says"),
    "not-run": Term("○", "not run", "planned, but the run ended before it"),
    "skip": Term("–", "skip", "cannot be checked on this host; the reason names the remedy"),
    "refused": Term("⊘", "refused", "cleanly rejected, as predicted: no page was written after the error"),
    "pass": Term("✓", "pass", "memory is identical, as predicted"),
}
"""Every verdict, worst first."""

KINDS: Final[dict[Kind, str]] = {
    "corrupt": "memory is wrong and neither side said so",
    "accepted": "memory arrived where a rejection or a hazard was predicted",
    "unproven": "said to run on hardware, but less was counted than was asked of it",
    "disturbed": "said to run on hardware, which somebody else used meanwhile: run it while nobody does",
    "hang": "a deadline passed",
    "crash": "a peer died",
    "invariant": "memory is right, but something that always holds did not: of the stream's own book-keeping, of what"
    " a process uses, or of what a peer or a library says of itself",
    "wrong-error": "the error is not what was predicted: another one, one where none was, or none where a known issue"
    " has one",
}
"""Every kind of failure, worst first."""

MEANS: Final[dict[str, str]] = {
    "identical": "memory arrives identical",
    "rejected": "one end or both end it with an error",
    "hazard": "nobody reports an error, and memory is wrong or the guest is lost",
    "crash": "a process dies",
    "hang": "nothing moves any more",
    "broken": "the suite or its host breaks",
    "skipped": "it cannot be run here",
    "not-run": "nobody ran it",
}
"""What is predicted, and observed, of a migration."""

_OF_LIBRARY: Final = {
    "identical": "every byte is right",
    "rejected": "the library refuses it with an error",
    "hazard": "a byte is wrong, and nobody says so",
}
OTHERWISE: Final[dict[str, dict[str, str]]] = {
    "vendor": _OF_LIBRARY,
    "fidelity": _OF_LIBRARY,
    "flips": {
        "identical": "no flipped bit makes memory wrong without a word",
        "hazard": "a flipped bit may be taken: memory is wrong and nobody says so",
    },
    "probe": {"identical": "the peer does what it says, and refuses what it cannot do"},
}
"""The same in suites whose cells are no migration, by suite."""


def means(suite: str, outcome: str) -> str:
    """What an outcome is in a suite."""
    return OTHERWISE.get(suite, MEANS).get(outcome, MEANS[outcome])


DEVICES: Final[dict[DeviceVerdict, str]] = {
    "proven": "the device, or its vendor's library, counted what was asked of it",
    "fell-back": "the vendor's own rules gave the work to software, as predicted",
    "unproven": "less was counted than was asked",
    "disturbed": "somebody else used the device meanwhile, and no library says what was whose",
    "unverified": "nothing says whether the device did it; why stands beside it",
    "not claimed": "no end claims hardware",
}
"""What is known of the part that hardware had in a cell."""

WITNESSES: Final[dict[Witness, str]] = {
    "device": "the device's own counters",
    "library": "its library's own count",
    "none": "nobody",
}
"""Whose word the count of a device's work is."""

PROVENANCES: Final[dict[Provenance, Term]] = {
    "hardware": Term("H", "hardware", "on the accelerator itself"),
    "vendor-software": Term("V", "vendor-software", "the vendor library's own CPU path"),
    "emulated": Term("E", "emulated", "our model of the silicon: no accelerator was used"),
    "software": Term("S", "software", "a software codec on the CPU"),
}
"""How a codec ran. ``emulated`` is never to be read as ``hardware``."""

STANDS_FOR: Final[dict[Provenance, str]] = {
    "hardware": "silicon",
    "vendor-software": "the vendor library's own CPU path",
    "emulated": "our model of the silicon",
    "software": "software",
}
"""What a peer with a device was, as it ran."""


@dataclass(frozen=True)
class StandingTerm(Term):
    """A word of advice, and the verdict that it looks like."""

    verdict: Verdict


STANDINGS: Final[dict[Standing, StandingTerm]] = {
    "safe": StandingTerm("✓", "safe", "memory arrives", "pass"),
    "hazard": StandingTerm("▲", "hazard", "memory or the guest may be lost, and nobody says so", "hazard"),
    "refused": StandingTerm("⊘", "refused", "refused with an error, and the guest stays where it is", "refused"),
    "unknown": StandingTerm("?", "unknown", "nobody knows", "skip"),
}
"""What becomes of a migration that is set like this."""

MARKS: Final[dict[Mark, Term]] = {
    "=": Term("✓", WORDS["="], "memory arrives identical in every cell"),
    "x": Term("⊘", WORDS["x"], "a cell of it is cleanly rejected"),
    "!": Term("▲", WORDS["!"], "a cell of it ends with wrong memory, and nobody says so"),
    "#": Term("✗", WORDS["#"], "a cell of it did not go as predicted"),
    "-": Term("–", WORDS["-"], "one of the two cannot do it at all"),
    "?": Term("·", WORDS["?"], "nothing was checked"),
}
"""How a sender and a receiver get on, in the table that heads the answers."""

HALVES: Final[dict[Half, str]] = {
    "libraries": "the vendor libraries, libqatzip for QAT and libqpl for IAA",
    "silicon": "models of the silicon, for QAT and for IAA",
}
"""What stands for the accelerators in either half of that table."""

STATES: Final[dict[State, Term]] = {
    "contradicted": Term("✗", "contradicted", "a cell says otherwise: the run is not conforming"),
    "not shown": Term("·", "not shown", "this run has no cell that could say"),
    "not on hardware": Term("○", "not on hardware", "only silicon can show it, and none took part"),
    "shown": Term("✓", "shown", "cells of this run say so, and none otherwise"),
}
"""What becomes of a claim, worst first."""

RELEASED: Final = ("none", "zlib", "zstd", "qpl", "uadk", "qatzip")
"""Methods that a release of QEMU has; every other framing is a proposal of the thread."""

DIALECTS: Final[dict[str, tuple[str, str]]] = {
    "qemu-5.0": ("5.0", "8.2"),
    "rfc-2023": ("8.2 + RFC", "8.2 + RFC"),
    "qemu-9.0": ("9.0", "9.0"),
    "qemu-9.1": ("9.1", "9.1"),
    "qemu-9.2": ("9.2", "9.2"),
    "qemu-10.0": ("10.0", "11.1"),
}
"""The first and the last QEMU that speaks each generation of the wire, oldest first."""

PROPOSED_DIALECT: Final = "rfc-2023"
"""Spoken by no release."""

DEFAULTS: Final = "QEMU to QEMU, everything at the default of the machine type but the method"
"""What a fleet runs whose owner sets nothing: the first matrix of real QEMUs."""

NO_QEMU: Final = "no real QEMU took part; remedy: --qemu PATH, or --qemu found"
"""What a run without one says, for its software is what people run."""

RECORDED: Final = "the devices are those of a recorded host: whatever is said to be hardware here is a stand-in for it"
"""What a run below the root of a recorded host says."""


def versions(first: str, last: str | None = None) -> str:
    """The QEMU versions of a dialect, or of all from one to another; a dialect that nobody here knows is its name."""
    start, end = DIALECTS.get(first, (first, first))[0], DIALECTS.get(last or first, (first, first))[1]
    return start if start == end else f"{start}–{end}"


def released(framing: str) -> bool:
    """Whether both sides of ``framing`` or ``sender>receiver`` are methods of a release."""
    return all(side in RELEASED for side in framing.split(">"))


def prediction(cell: Cell) -> str | None:
    """What was predicted of a cell that went otherwise, and why; None where its reason says so, or nobody ran it."""
    if cell.predicted_because is None or cell.verdict in ("skip", "not-run"):
        return None
    return f"predicted {cell.predicted}: {cell.predicted_because}"


def word(cell: Cell) -> str:
    """The verdict in one word; for a failure its kind, which says more."""
    return cell.kind if cell.verdict == "fail" and cell.kind else VERDICTS[cell.verdict].word
