"""One cell in two runs: what of it differs, and which of that is worse."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

from multifd.comparison.ranges import Ranges
from multifd.comparison.standing import (
    Direction,
    checked,
    direction,
    of_proofs,
    of_provenances,
    of_verdicts,
    overall,
    rank_of,
)
from multifd.result.chance import shows_by_chance
from multifd.result.known import mended
from multifd.result.record import CONFORMING, SEVERITY_ORDER, Cell, Model, Results, Severity

Field = Literal[
    "plan", "verdict", "predicted", "observed", "provenance of the sender", "provenance of the receiver",
    "device verdict", "issues", "silent flips", "reason", "why predicted", "error", "complaints",
]  # fmt: skip

_HARMLESS: Final = len(SEVERITY_ORDER)
_VARYING: Final = re.compile(r"[0-9a-f]{6,}(?:…[0-9a-f]+)?|0x[0-9a-f]+|\d+")
"""What a text says of one run only: numbers, addresses, the first and last bytes of a payload."""


class Difference(Model):
    """One thing that is not as it was."""

    field: Field
    """What of the cell."""
    before: str | None
    """As the run before had it, None where it had nothing."""
    after: str | None
    """As the run after has it, None where it has nothing."""
    direction: Direction
    """Whether that is worse; what is only said in other words is neither."""


class Change(Model):
    """A cell that is not as it was."""

    cell: str
    """Its id, as the run after has it."""
    before: str | None
    """Verdict and kind; None: it was not planned."""
    after: str | None
    """Verdict and kind; None: it is not planned any more."""
    direction: Direction
    """Worse if anything of it is."""
    chance: bool
    """A known issue that comes by chance is all that is between the two: the next run may have it otherwise."""
    reason: str
    """The record's own reason, of the run after where it has one."""
    error: str | None
    """What the peer said there, verbatim."""
    differences: tuple[Difference, ...]
    """All that differs, what decides first."""
    reproduce: str
    """The command that runs the cell again."""


def severities(*runs: Results) -> dict[str, Severity]:
    """Of every finding in these runs, by id; the last one says."""
    return {finding.id: finding.severity for run in runs for finding in run.findings}


def changes(before: Results, after: Results) -> tuple[Change, ...]:
    """Every cell that differs: what is worse first, the worst of it before the rest, then what is better.

    What is as bad, or not worse at all, is in the order of the plan.
    """
    known = severities(before, after)
    ranges = Ranges(before), Ranges(after)
    was, now = ({cell.id: cell for cell in run.cells} for run in (before, after))
    both = (_change(was.get(name), now.get(name), known, ranges) for name in dict.fromkeys((*now, *was)))
    order = ("worse", "better", "other")

    def place(change: Change) -> tuple[int, ...]:
        cell = now.get(change.cell) if change.direction == "worse" else None
        rank = rank_of(cell.verdict, cell.kind) if cell is not None else ()
        return (order.index(change.direction), *(-each for each in rank))

    return tuple(sorted(filter(None, both), key=place))


def standing(cell: Cell | None) -> str | None:
    """Verdict and kind in words."""
    if cell is None:
        return None
    return f"{cell.verdict} ({cell.kind})" if cell.kind else cell.verdict


def shape(text: str | None) -> str | None:
    """What a text says but for numbers and bytes, which no two runs have in common."""
    return None if text is None else _VARYING.sub("#", text)


def _change(
    before: Cell | None, after: Cell | None, known: Mapping[str, Severity], ranges: tuple[Ranges, Ranges]
) -> Change | None:
    chance = before is not None and after is not None and _is_chance(before, after, *ranges)
    found = tuple(_differences(before, after, known, chance=chance))
    told = after or before
    if not found or told is None:
        return None
    return Change(
        cell=told.id,
        before=standing(before),
        after=standing(after),
        direction=overall(each.direction for each in found),
        chance=chance,
        reason=told.reason if after is not None else "no longer planned",
        error=after.error if after is not None else None,
        differences=found,
        reproduce=told.reproduce,
    )


def _differences(
    before: Cell | None, after: Cell | None, known: Mapping[str, Severity], *, chance: bool
) -> Iterator[Difference]:
    if after is None:
        yield Difference(field="plan", before="planned", after=None, direction="other")
    elif before is None:
        broken: Direction = "worse" if after.verdict in ("fail", "error") else "other"
        yield Difference(field="plan", before=None, after="planned", direction=broken)
    else:
        yield from _decisive(before, after, known, chance=chance)
        yield from _said(before, after)


def _is_chance(before: Cell, after: Cell, was: Ranges, now: Ranges) -> bool:
    """Another verdict, or the same for another issue, of which timing or load decides.

    What the other's versions cannot have is no race between the two.
    """
    if before.predicted != after.predicted or was.lack(after.issues, before):
        return False
    same = (standing(before), set(before.issues)) == (standing(after), set(after.issues))
    conform = {before.verdict, after.verdict} <= CONFORMING
    once = shows_by_chance(before) and not now.lack(before.issues, after)
    return not same and conform and (once or shows_by_chance(after))


def _verdicts(before: Cell, after: Cell, *, chance: bool) -> Direction:
    """Whatever comes by chance is neither worse nor better; a known issue that no longer happens is better."""
    if chance:
        return "other"
    return "better" if mended(after) in before.issues else of_verdicts(before, after)


def _decisive(before: Cell, after: Cell, known: Mapping[str, Severity], *, chance: bool) -> Iterator[Difference]:
    yield from _differing("verdict", standing(before), standing(after), _verdicts(before, after, chance=chance))
    yield from _differing("predicted", before.predicted, after.predicted, "other")
    if not (checked(before) and checked(after)):
        return
    yield from _differing("observed", before.observed, after.observed, "other")
    was, now = before.provenance, after.provenance
    sides: tuple[tuple[Field, Literal["sender", "receiver"]], ...] = (
        ("provenance of the sender", "sender"), ("provenance of the receiver", "receiver"),
    )  # fmt: skip
    for field, end in sides:
        one, other = getattr(was, end), getattr(now, end)
        yield from _differing(field, one, other, of_provenances(one, other))
    proofs = before.device_verdict, after.device_verdict
    yield from _differing("device verdict", *proofs, of_proofs(*proofs))
    gravest = (_gravest(before.issues, known), _gravest(after.issues, known))
    words = ", ".join(sorted(before.issues)), ", ".join(sorted(after.issues))
    # Who names its issues names nothing worse by that if it passed before: that is its verdict.
    judged = before.issues and after.issues and not chance
    graver = direction(*gravest) if judged else "other"
    yield from _differing("issues", words[0] or None, words[1] or None, graver)
    yield from _flips(before, after)


def _gravest(issues: Iterable[str], known: Mapping[str, Severity]) -> tuple[int]:
    """Greater is worse."""
    ranks = [SEVERITY_ORDER.index(known[name]) for name in issues if name in known]
    return (_HARMLESS - min(ranks, default=_HARMLESS),)


def _flips(before: Cell, after: Cell) -> Iterator[Difference]:
    """Flipped bits that a decoder took; how many of them is a matter of chance, whether any is not."""
    if before.integrity is None or after.integrity is None:
        return
    was, now = before.integrity.silent, after.integrity.silent
    if bool(was) != bool(now):
        told = tuple(f"{each.silent} of {each.flips}" for each in (before.integrity, after.integrity))
        yield from _differing("silent flips", told[0], told[1], "worse" if now else "better")


def _said(before: Cell, after: Cell) -> Iterator[Difference]:
    yield from _worded("reason", before.reason, after.reason)
    # Where the reason has it, that has said it; a file from before may have predicted it for the same.
    beside = before.predicted_because is not None or after.predicted_because is not None
    if beside and before.because is not None and after.because is not None:
        yield from _worded("why predicted", before.because, after.because)
    yield from _worded("error", before.error, after.error)
    yield from _worded("complaints", "\n".join(before.complaints) or None, "\n".join(after.complaints) or None)


def _worded(field: Field, before: str | None, after: str | None) -> Iterator[Difference]:
    if before != after and shape(before) != shape(after):
        yield Difference(field=field, before=before, after=after, direction="other")


def _differing(field: Field, before: str | None, after: str | None, which: Direction) -> Iterator[Difference]:
    if before != after:
        yield Difference(field=field, before=before, after=after, direction=which)
