"""What only many runs show of a cell: that it is flaky, and since when it is worse than it was. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from multifd.comparison.standing import CHECKED, rank_of
from multifd.history.entries import Entry
from multifd.result.record import Model


class Flaky(Model):
    """A cell that went differently though nothing had changed."""

    cell: str
    """Its id."""
    turns: int
    """How often a record was not as the one before it, of the same software, seed and processor."""
    runs: int
    """Records that have such a one before them."""
    standings: dict[str, int]
    """How often it went in which way, verdict and kind in words."""
    reason: str
    """The last record's own reason."""


class Worsened(Model):
    """A cell that is worse now than it has been."""

    cell: str
    """Its id."""
    good: str
    """Id of the last run in which it was better."""
    good_at: str
    """When that began: ISO 8601, UTC."""
    was: str
    """Verdict and kind there."""
    bad: str
    """Id of the first run in which it was not: the first one after it that looked at the cell."""
    bad_at: str
    """When that began: ISO 8601, UTC."""
    now: str
    """Verdict and kind in the last run."""
    unlooked: int
    """Runs between the two that did not look at the cell."""
    changed: tuple[str, ...]
    """What else changed between the two: versions of its ends, packages, seed, processor."""
    flaky: bool
    """It went differently at other times though nothing had changed."""
    reason: str
    """The last record's own reason."""


def flaky(cell: str, entries: Sequence[Entry]) -> Flaky | None:
    """None where the same software always went the same way; ``entries`` are all of the cell, the oldest first."""
    alike: dict[object, list[Entry]] = {}
    for entry in entries:
        if entry.verdict in CHECKED:
            alike.setdefault(_circumstances(entry), []).append(entry)
    pairs = [pair for same in alike.values() for pair in pairwise(same)]
    turns = sum(one.standing != other.standing for one, other in pairs)
    if not turns:
        return None
    standings: dict[str, int] = {}
    for entry in (each for same in alike.values() for each in same):
        standings[entry.standing] = standings.get(entry.standing, 0) + 1
    return Flaky(cell=cell, turns=turns, runs=len(pairs), standings=standings, reason=entries[-1].reason)


def worsened(cell: str, entries: Sequence[Entry]) -> Worsened | None:
    """None where it never was better than it is; ``entries`` are all of the cell, the oldest first."""
    looked = [entry for entry in entries if entry.verdict in CHECKED]
    if not looked:
        return None
    now = looked[-1]
    better = [place for place, entry in enumerate(looked) if _rank(entry) < _rank(now)]
    if not better:
        return None
    good, bad = looked[better[-1]], looked[better[-1] + 1]
    places = [next(place for place, entry in enumerate(entries) if entry is each) for each in (good, bad)]
    return Worsened(
        cell=cell,
        good=good.run.id,
        good_at=good.run.started,
        was=good.standing,
        bad=bad.run.id,
        bad_at=bad.run.started,
        now=now.standing,
        unlooked=places[1] - places[0] - 1,
        changed=_changed(good, bad),
        flaky=flaky(cell, entries) is not None,
        reason=now.reason,
    )


def _rank(entry: Entry) -> tuple[int, int]:
    return rank_of(entry.verdict, entry.kind)


def _circumstances(entry: Entry) -> object:
    """What decides how a cell goes, as far as a run says it."""
    run = entry.run
    return entry.versions, run.seed, run.cpu, tuple(sorted(run.versions.items()))


def _changed(before: Entry, after: Entry) -> tuple[str, ...]:
    said = [
        ("sender", before.versions[0], after.versions[0]),
        ("receiver", before.versions[1], after.versions[1]),
        ("seed", before.run.seed, after.run.seed),
        ("processor", before.run.cpu, after.run.cpu),
    ]
    was, now = before.run.versions, after.run.versions
    said += [(name, was.get(name, "none"), now.get(name, "none")) for name in dict.fromkeys((*was, *now))]
    return tuple(f"{name} {one} -> {other}" for name, one, other in said if one != other)
