"""``multifd why``: a pairing in brief."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import click
from rich.markup import escape

from multifd.cli import completing
from multifd.cli.loaded import results_of
from multifd.cli.output import Console
from multifd.cli.picked import check_peer, picked
from multifd.cli.plans import campaign_of, planning
from multifd.result.badness import badness
from multifd.result.record import Unable
from reports.vocabulary import word

_WORST: Final = ("hazard", "rejected", "identical")
"""Predictions, worst first."""
_COLOURS: Final = {
    **dict.fromkeys(("identical", "pass"), "green"),
    **dict.fromkeys(("rejected", "refused", "skip", "not run"), "yellow"),
}  # fmt: skip
"""Of what is not here: red."""


@dataclass(frozen=True, slots=True)
class Brief:
    """A cell in one line."""

    id: str
    sender: str
    receiver: str
    ends: str
    """The prediction, or the verdict of a run."""
    rule: str | None
    """What decides, by the oracle; None of a run."""
    reason: str


@click.command()
@click.argument("sender", shell_complete=completing.peers)
@click.argument("receiver", shell_complete=completing.peers)
@planning
@click.option(
    "--results", type=click.Path(path_type=Path), metavar="DIR", help="Say what this run saw instead of a prediction."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, for each cell.")
def why(sender: str, receiver: str, results: Path | None, *, as_json: bool, **given: object) -> None:
    """Show every cell of a pairing in brief: how it ends, and the rule that decides.

    Cells that end alike for the same reason stand together, the worst first. SENDER and RECEIVER are peers as multifd
    cells names them, parts of their names, or patterns with * and ?. Exit 2 if there is no such peer.
    """
    if results is None:
        for word, role in ((sender, "sender"), (receiver, "receiver")):
            check_peer(word, role, str(given["profile"]))
    briefs, unable = _seen(results) if results is not None else _predicted(given)
    senders = picked(sender, _names(unable, [brief.sender for brief in briefs]), "sender")
    receivers = picked(receiver, _names(unable, [brief.receiver for brief in briefs]), "receiver")
    chosen = [brief for brief in briefs if brief.sender in senders and brief.receiver in receivers]
    if as_json:
        for brief in chosen:
            print(json.dumps(asdict(brief)))
        return
    _show(chosen, Console())
    _show_unable([entry for entry in unable if entry.peer in (senders if entry.role == "sender" else receivers)])


def _predicted(given: dict[str, object]) -> tuple[Sequence[Brief], Sequence[Unable]]:
    plan = campaign_of(given).plan
    cells = [cell for cell in (plan.cells | plan.left_out).values() if cell.work.kind == "pairing"]
    cells.sort(key=lambda cell: _WORST.index(cell.prediction.outcome))
    briefs = [
        Brief(
            cell.id, cell.work.sender, cell.work.receiver, cell.prediction.outcome, cell.prediction.rule,
            cell.prediction.reason,
        )
        for cell in cells
    ]  # fmt: skip
    return briefs, plan.unable


def _seen(directory: Path) -> tuple[Sequence[Brief], Sequence[Unable]]:
    results = results_of(directory)
    cells = sorted(results.cells, key=badness)
    return [Brief(cell.id, cell.sender, cell.receiver, word(cell), None, cell.reason) for cell in cells], results.unable


def _names(unable: Iterable[Unable], found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*found, *(entry.peer for entry in unable)]))


def _show(briefs: Sequence[Brief], console: Console) -> None:
    alike: dict[tuple[str, str, str, str | None, str], list[str]] = {}
    for brief in briefs:
        alike.setdefault((brief.sender, brief.receiver, brief.ends, brief.rule, brief.reason), []).append(brief.id)
    pairing = None
    for (sender, receiver, ends, rule, reason), ids in sorted(alike.items(), key=lambda entry: entry[0][:2]):
        if (sender, receiver) != pairing:
            pairing = sender, receiver
            console.print(f"[bold]{escape(sender)} → {escape(receiver)}[/]", soft_wrap=True)
        decides = f"{rule}: {reason}" if rule else reason
        colour = _COLOURS.get(ends, "red")
        console.print(f"  [{colour}]{ends}[/] {len(ids)}  {escape(decides)}", soft_wrap=True)
        for cell in ids:
            console.print(f"    {cell}", soft_wrap=True, markup=False)


def _show_unable(unable: Iterable[Unable]) -> None:
    for line in _cannot(unable):
        print(line)


def _cannot(unable: Iterable[Unable]) -> Iterator[str]:
    for entry in unable:
        yield f"no cells: {entry.peer} as {entry.role} of {entry.framing}: {entry.reason}"
