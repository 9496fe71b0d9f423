"""Two runs beside each other, as a terminal and as Markdown show them: what is worse first, alike cells folded.

Text of the runs is foreign: a line holds one line of it, and Markdown escapes it. Who prints lines to a terminal makes
them printable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from multifd.comparison.compared import Comparison, Side
from multifd.comparison.costs import CostChange
from multifd.comparison.findings import FindingChange, State
from multifd.comparison.folded import Group, folded, is_worded
from multifd.comparison.standing import Direction
from multifd.result.chance import USUAL
from multifd.result.counted import counted
from reports import templating

LISTED: Final = 3
"""Ids of a group that are shown unless all are asked for."""
_BRIEF: Final[dict[State, str]] = {
    "new": "new, in cells that were not looked at before",
    "still there": "still there",
    "not seen": "not seen again, but they come by chance and were seen in few cells",
    "not looked at": "not looked at: not every cell that showed them was run again and went as predicted",
}
"""Findings that are named only."""
_ABLE: Final = ((True, "things that a peer could do and cannot any more"), (False, "things that a peer can do now"))
SAID: Final = 400
"""Characters of a reason or an error that are shown."""


class Line(NamedTuple):
    """One line, and whether what it says is worse or better."""

    text: str
    direction: Direction = "other"


class Difference(NamedTuple):
    """What is shown of two runs; ``regressions`` and all else that is no cell is in ``comparison``."""

    comparison: Comparison
    worse: tuple[Group, ...]
    better: tuple[Group, ...]
    races: tuple[Group, ...]
    """Between which a known issue is that comes by chance."""
    moved: tuple[Group, ...]
    """Planned in one run only, or neither better nor worse."""
    reworded: tuple[Group, ...]
    """The same in other words."""


def difference(comparison: Comparison) -> Difference:
    """The cells of a comparison, folded and sorted."""
    groups = folded(comparison.cells)
    neither = [group for group in groups if group.direction == "other"]
    return Difference(
        comparison,
        worse=tuple(group for group in groups if group.direction == "worse"),
        better=tuple(group for group in groups if group.direction == "better"),
        races=tuple(group for group in neither if group.first.chance),
        moved=tuple(group for group in neither if not group.words and not group.first.chance),
        reworded=tuple(group for group in neither if group.words),
    )


def conclusion(comparison: Comparison) -> str:
    """The whole in one line."""
    words = sum(map(is_worded, comparison.cells))
    number = len(comparison.cells) - words
    parts = [counted(count, name) for name, count in comparison.worse.items()]
    worse = f": {', '.join(parts)}" if comparison.regressions > 1 or "cell" not in comparison.worse else ""
    told = (
        f"{counted(number)} {'differs' if number == 1 else 'differ'}",
        *((f"{words:,} only in words",) if words else ()),
        f"{counted(comparison.regressions, 'regression')}{worse if comparison.regressions else ''}",
    )
    return ", ".join(told)


def incomplete(comparison: Comparison) -> Iterator[str]:
    """What is said before anything else: that one of both runs is not all of its plan."""
    for name, run in _sides(comparison):
        if run.lacking:
            yield f"{name} is not complete: {run.lacking}; what follows is of the cells so far"


def common(comparison: Comparison) -> str:
    """How many cells two runs of different plans have in common."""
    if not comparison.both:
        return "no cell is in both runs: nothing of them is compared"
    return f"{counted(comparison.both)} {'is' if comparison.both == 1 else 'are'} in both runs, and compared"


def head(run: Side) -> str:
    """A run in one line."""
    counts = ", ".join(f"{number:,} {verdict}" for verdict, number in run.counts.items()) or "none"
    ran = ", ".join((*(run.qemus or ("no QEMU",)), *run.libraries))
    recorded = ", a recorded host's devices" if run.recorded else ""
    shard = f", shard {run.shard}: cells of the others are not compared" if run.shard is not None else ""
    return _one_line(
        f"{run.started}, run {run.id}{shard}, profile {run.profile}, {ran}, {run.host}{recorded};"
        f" {counted(run.cells)}: {counts}"
    )


def lines(shown: Difference, *, everything: bool = False) -> Iterator[Line]:
    """As a terminal shows it; ``everything`` lists every cell."""
    found = shown.comparison
    yield from (Line(_one_line(line), "worse") for line in incomplete(found))
    alone = found.rule is not None and found.before == found.after
    for name, run in (("run", found.after),) if alone else _sides(found):
        yield Line(f"{name:6}  {head(run)}")
    yield from _compared(found)
    yield from _circumstances(found)
    listed = None if everything else LISTED
    for title, groups in (("worse", shown.worse), ("better", shown.better)):
        if groups:
            yield Line("")
            yield Line(f"{title}: {_count(groups)}")
            for group in groups:
                yield from _group(group, listed) if everything or title == "worse" else (_brief(group),)
    if shown.races:
        yield Line("")
        yield Line(
            f"races: {_count(shown.races)} with a known issue that comes by chance, so neither worse nor better; run"
            f" again: multifd bisect-step CELL --times {USUAL}"
        )
        for group in shown.races:
            yield from _group(group, listed) if everything else (_brief(group),)
    if found.findings:
        yield Line("")
        yield Line("findings")
        yield from _findings(found.findings)
    yield from _costs(found)
    if shown.moved or shown.reworded:
        yield Line("")
        yield Line("neither worse nor better")
        for group in (*shown.moved, *(shown.reworded if everything else ())):
            yield from _group(group, listed) if everything else (_brief(group),)
        if shown.reworded and not everything:
            yield Line(f"  the same verdict in other words: {_count(shown.reworded)} (--all shows them)")
    yield Line("")
    if found.hint:
        yield Line(_one_line(found.hint))
    yield Line(_one_line(conclusion(found)), "worse" if found.regressions else "other")


def markdown(shown: Difference) -> str:
    """The same for a job page or a comment."""
    return _ENVIRONMENT.get_template("difference.md.j2").render(
        shown=shown,
        found=shown.comparison,
        conclusion=conclusion(shown.comparison),
        head=head,
        listed=LISTED,
        told=tuple(filter(told, shown.comparison.findings)),
        named=tuple(named(shown.comparison.findings)),
        common=common(shown.comparison) if _has_common(shown.comparison) else None,
        incomplete=tuple(incomplete(shown.comparison)),
        times=USUAL,
    )


def costly(cost: CostChange) -> str:
    """A cost in one line."""
    did = "to encode" if cost.role == "sender" else "to decode"
    ran = f" ({cost.provenance})" if cost.provenance else ""
    return _one_line(
        f"{cost.peer}{ran} {did} {cost.framing}: x{cost.ratio:.2f} ({cost.lower:.2f} to {cost.upper:.2f} in"
        f" {counted(cost.cells)}), {cost.before:.2f} -> {cost.after:.2f} CPU s for each GiB"
    )


def _sides(found: Comparison) -> tuple[tuple[str, Side], ...]:
    return ("before", found.before), ("after", found.after)


def _compared(found: Comparison) -> Iterator[Line]:
    if found.rule is not None:
        yield Line(_one_line(found.rule))
    if _has_common(found):
        yield Line(common(found), "other" if found.both else "worse")


def _has_common(found: Comparison) -> bool:
    """How many cells are compared is to be said, and :attr:`Comparison.rule` does not say it."""
    return not found.both if found.rule is not None else not found.same_plan


def _circumstances(found: Comparison) -> Iterator[Line]:
    for each in found.versions:
        yield Line(_one_line(f"version  {each.name}: {each.before or 'none'} -> {each.after or 'none'}"))
    alike: dict[tuple[str | None, str | None, Direction], list[str]] = {}
    for peer in found.peers:
        alike.setdefault((peer.before, peer.after, peer.direction), []).append(peer.name)
    for (before, after, direction), names in alike.items():
        yield Line(_one_line(f"peer  {', '.join(names)}: {before or 'none'} -> {after or 'none'}"), direction)
    for device in found.devices:
        what = f"{device.before or 'no peer'} -> {device.after or 'no peer'}"
        proof = f"{device.proof_before} -> {device.proof_after}"
        cells = f"work proven in {counted(device.proven_before)}, then in {device.proven_after:,}"
        yield Line(_one_line(f"device  {device.device}: {what}; {proof}; {cells}"), device.direction)
    for number, word in ((sum(each.new == new for each in found.unable), word) for new, word in _ABLE):
        if number:
            yield Line(f"able  {number:,} {word} (--json has them)")


def _group(group: Group, listed: int | None) -> Iterator[Line]:
    first = group.first
    yield Line(f"  {_turn(group)}: {_cells(group)}", group.direction)
    for each in group.words:
        yield Line(f"      {each.field}: {_said(each.before)}")
        yield Line(f"      now {' ' * max(0, len(each.field) - 4)}: {_said(each.after)}")
    if not group.words and first.after is not None:
        yield Line(f"      {_said(first.reason)}")
        yield from (Line(f"      error: {_said(first.error)}") for _ in range(first.error is not None))
    for change in group.changes[:listed]:
        yield Line(f"      {_one_line(change.cell)}")
    if listed is not None and len(group.changes) > listed:
        yield Line(f"      and {len(group.changes) - listed:,} more (--all shows them)")
    if group.direction == "worse" or first.chance:
        yield Line(f"      run it again: {_one_line(first.reproduce)}")


def _brief(group: Group) -> Line:
    more = ", …" if len(group.changes) > 1 else ""
    more += f": {_said(group.first.reason)}" if (group.first.after or "").startswith("fail") else ""
    return Line(f"  {_turn(group)}: {_cells(group)}: {_one_line(group.first.cell)}{more}", group.direction)


def _turn(group: Group) -> str:
    facts = (f", {each.field} {each.before or 'none'} -> {each.after or 'none'}" for each in group.facts)
    return _one_line(group.turn + "".join(facts))


def told(each: FindingChange) -> bool:
    """One by one: where a run says more of it than the other."""
    return each.state == "gone" or (each.state == "new" and each.looked_at > 0)


def named(found: Iterable[FindingChange]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The rest by name only."""
    rest = [each for each in found if not told(each)]
    for state, said in _BRIEF.items():
        names = tuple(each.id for each in rest if each.state == state)
        if names:
            yield said, names


def _findings(found: Sequence[FindingChange]) -> Iterator[Line]:
    for each in filter(told, found):
        yield Line(f"  {finding_line(each)}", "worse" if each.worse else "better" if each.state == "gone" else "other")
    for said, names in named(found):
        yield Line(f"  {said}: {len(names):,}: {_one_line(', '.join(names))}")


def finding_line(each: FindingChange) -> str:
    """A finding that is new or gone in one line."""
    where = f"{each.looked_at:,} of {counted(len(each.cells))}"
    told = f"before, {where} did not show it" if each.state == "new" else f"looked for in {where}"
    again = ", but not to the version before" if each.worse else ": run again"
    chance = f"; it comes by chance{again}" if each.chance else ""
    fixed = f", fixed in {each.fixed_in}" if each.fixed_in else ""
    return _one_line(f"{each.id} ({each.severity}, {each.component}{fixed}): {each.state}: {told}{chance}")


def _costs(found: Comparison) -> Iterator[Line]:
    measured = found.costs
    yield Line("")
    if measured.pace is None or measured.noise is None:
        yield Line(_one_line(f"cost: not compared: {measured.why}"))
        return
    yield Line(
        f"cost: {len(measured.changes):,} of {counted(measured.rows, 'row')} beyond the noise (x{measured.noise:.2f});"
        f" everything together x{measured.pace:.2f}"
    )
    for cost in measured.changes:
        yield Line(f"  {costly(cost)}", cost.direction)


def _count(groups: Iterable[Group]) -> str:
    return counted(sum(len(group.changes) for group in groups))


def _cells(group: Group) -> str:
    return counted(len(group.changes))


def _said(text: str | None) -> str:
    told = _one_line(text or "nothing")
    return told if len(told) <= SAID else f"{told[:SAID]}…"


def _one_line(text: str) -> str:
    return " ".join(text.split())


_ENVIRONMENT: Final = templating.for_markdown({"costly": costly, "counted": counted})
