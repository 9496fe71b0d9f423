"""``multifd cells`` and ``multifd explain``: the plan, before anything runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource

from multifd.campaign.options import DEFAULT_MEMORY, DEFAULT_PROFILE, DEFAULT_SEED, DEFAULT_STRENGTH, parse
from multifd.campaign.prepare import Campaign, prepare
from multifd.campaign.sharing import of_shard
from multifd.cli import completing, qemus
from multifd.cli.explained import described, explain_cell
from multifd.cli.judged import judge_cell, judged
from multifd.cli.loaded import results_of
from multifd.cli.output import Console, say
from multifd.cli.picked import check_peer, picked
from multifd.errors import InputError
from multifd.plan.cell import PlannedCell
from multifd.plan.coverage import covered, in_words
from multifd.plan.shards import Shard
from multifd.plan.space import Factor, Space
from multifd.result.counted import counted

SUITES: Final = ("probe", "wire", "negotiation", "integrity", "flips", "qemu", "vendor", "fidelity")
Command = TypeVar("Command", bound=Callable[..., Any])
Explained = TypeVar("Explained")
_DECIDE: Final = frozenset({"profile", "qemu", "memory", "seed", "strength", "corpus", "host"})
"""Parameters of commands that the options below are."""
QEMU: Final = "qemu"
"""The suite that needs a binary."""
_EXPLAINED: Final = 10
"""Cells that are explained for one pattern: more would not be read."""

_OPTIONS: Final = (
    click.option(
        "--hwprofile", "profile", metavar="NAME|FILE", default=DEFAULT_PROFILE, show_default=True, help="Profile.",
        shell_complete=completing.profiles,
    ),
    qemus.option,
    click.option(
        "--memory", metavar="SIZE", default=f"{DEFAULT_MEMORY >> 10}K", show_default=True,
        help="Of captured and large guests.",
    ),
    click.option("--seed", metavar="NUMBER", default=str(DEFAULT_SEED), show_default=True, help="Of all chance."),
    click.option(
        "--strength", metavar="2|3", default=str(DEFAULT_STRENGTH), show_default=True,
        help="How many factors at a time the plan combines.",
    ),
    click.option(
        "--corpus", metavar="DIR", help="Your own memory content, as much as --memory takes.",
        shell_complete=completing.directories,
    ),
    click.option("--host-root", "host", metavar="DIR", hidden=True),
)  # fmt: skip
"""Those of ``pytest suites`` that decide the plan."""


def planning(command: Command) -> Command:
    """Give a command the options that decide the plan."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@click.argument("match", required=False, shell_complete=completing.cells)
@planning
@click.option("--suite", type=click.Choice(SUITES))
@click.option("--sender", help="Only this sender: a name, a part of one, a pattern.", shell_complete=completing.peers)
@click.option("--receiver", help="Only this receiver, likewise.", shell_complete=completing.peers)
@click.option("--predicted", type=click.Choice(["identical", "rejected", "hazard"]))
@click.option("--shard", metavar="I/N", help="Only the I-th of N parts of these, as a run with --shard has them.")
@click.option("--unable", is_flag=True, help="Show instead what peers cannot do, and therefore have no cell for.")
@click.option("--coverage", is_flag=True, help="Show instead how many pairs and triples of values the plan combines.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def cells(
    match: str | None,
    suite: str | None,
    sender: str | None,
    receiver: str | None,
    predicted: str | None,
    shard: str | None,
    *,
    unable: bool,
    coverage: bool,
    as_json: bool,
    **given: object,
) -> None:
    """List the plan: every cell with its prediction. Ids are what --cell takes.

    MATCH shows only cells whose id contains this text, or fits it where it has * or ?. Exit 2 where no cell is left to
    show.
    """
    for word, end in ((sender, "sender"), (receiver, "receiver")):
        if word is not None:
            check_peer(word, end, str(given["profile"]))
    campaign = campaign_of(given)
    if unable:
        _show_unable(campaign, as_json=as_json)
        return
    if coverage and (match or suite or sender or receiver or predicted or shard or unable):
        raise InputError("--coverage counts the whole plan; expected no filter and no --unable beside it")
    if coverage:
        _show_coverage(campaign, as_json=as_json)
        return
    chosen = _chosen(campaign, match, suite, predicted, {"sender": sender, "receiver": receiver})
    if shard is not None:
        mine = of_shard(campaign, {cell.id for cell in chosen}, Shard.parse(shard))
        chosen = [cell for cell in chosen if cell.id in mine]
    for cell in chosen:
        if as_json:
            print(json.dumps({"id": cell.id, "predicted": cell.prediction.outcome, "reason": cell.prediction.reason}))
        else:
            print(f"{cell.prediction.outcome:9} {cell.id}")
    if campaign.plan.subset is not None and any(cell.suite == QEMU for cell in chosen):
        say(campaign.plan.subset.words)
    if suite is None and not any(cell.suite == QEMU for cell in campaign.plan.cells.values()):
        qemus.say_that_none_takes_part()
    if not as_json:
        Console(stderr=True).print(f"{counted(len(chosen))}, {len(campaign.plan.unable)} unable")


def _chosen(
    campaign: Campaign, match: str | None, suite: str | None, predicted: str | None, ends: Mapping[str, str | None]
) -> Collection[PlannedCell]:
    """The cells that pass all filters; raises :class:`InputError` where there are none."""
    if suite == QEMU and not campaign.line_up.qemus:
        raise InputError(qemus.NOT_HERE)
    left = [cell for cell in campaign.plan.cells.values() if suite in (None, cell.suite)]
    for end, wanted in ends.items():
        if wanted is not None:
            peers = dict.fromkeys(name for cell in left if (name := getattr(cell.work, end)))
            names = picked(wanted, peers, end)
            left = [cell for cell in left if getattr(cell.work, end) in names]
    # What fits is asked of the whole plan: a filter that leaves nothing of it must not be called a typo.
    fitting = campaign.plan.cells if match is None else frozenset(picked(match, campaign.plan.cells, "cell"))
    left = [cell for cell in left if predicted in (None, cell.prediction.outcome) and cell.id in fitting]
    if not left:
        raise InputError("no cell is left by these filters; multifd cells without them lists all")
    return left


@click.command()
@click.argument("cell", shell_complete=completing.cells)
@planning
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Say beside it what this run predicted and saw, and what disagreed; nothing is planned here.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, for each cell.")
@click.pass_context
def explain(
    context: click.Context, /, *, cell: str, results: Path | None, as_json: bool, **given: object,
) -> None:  # fmt: skip
    """Show the chain of reasons behind a cell's prediction, or with --results behind its verdict.

    CELL is an id, as multifd cells prints it, a part of one, or a pattern with * and ?; of many that fit the first ten
    are explained. Exit 2 if there is no such cell.
    """
    if not cell:
        raise InputError("CELL '': expected an id, a part of one, or a pattern; '*' is all")
    if results is not None:
        _refuse_planning(context)
        found, directory = results_of(results), results if results.is_dir() else results.parent
        recorded = {each.id: each for each in found.cells}
        _explain(
            cell, recorded, lambda each: judged(found, each, directory),
            lambda each: judge_cell(found, each, directory, Console()), as_json=as_json,
        )  # fmt: skip
        return
    campaign = campaign_of(given)
    if cell.startswith(f"{QEMU}/") and not campaign.line_up.qemus:
        raise InputError(f"no cell {cell!r}: {qemus.NOT_HERE}")
    _explain(
        cell, campaign.plan.cells | campaign.plan.left_out, lambda each: described(campaign, each),
        lambda each: explain_cell(campaign, each, Console()), as_json=as_json,
    )  # fmt: skip


def _refuse_planning(context: click.Context) -> None:
    """Beside results nothing is planned: an option that decides a plan would be taken and do nothing."""
    for parameter in context.command.params:
        name = parameter.name or ""
        planned = name in _DECIDE and context.get_parameter_source(name) is not ParameterSource.DEFAULT
        if planned:
            raise InputError(f"{parameter.opts[0]} decides a plan, and with --results nothing is planned; leave it out")


def _explain(
    cell: str, cells: Mapping[str, Explained], told: Callable[[Explained], Any], show: Callable[[Explained], None], *,
    as_json: bool,
) -> None:  # fmt: skip
    """Tell of each that fits, as JSON or for people."""
    names = picked(cell, cells, "cell")
    for number, name in enumerate(names[: None if as_json else _EXPLAINED]):
        if as_json:
            print(json.dumps(told(cells[name])))
            continue
        if number:
            print()
        show(cells[name])
    if len(names) > _EXPLAINED and not as_json:
        say(f"{counted(len(names) - _EXPLAINED, 'more cell')} fit {cell!r} (multifd cells lists all)")


def campaign_of(given: Mapping[str, Any], *, probe: bool = False) -> Campaign:
    """The plan that ``pytest suites`` with the same options has; to be run only where its peers are probed."""
    return prepare(parse(**given, directory=Path.cwd()), say, probe=probe)


def _show_unable(campaign: Campaign, *, as_json: bool) -> None:
    for entry in campaign.plan.unable:
        if as_json:
            print(entry.model_dump_json(exclude={"tried"}))
        else:
            print(f"{entry.framing:25} {entry.role:9} {entry.peer}: {entry.reason}")


def _show_coverage(campaign: Campaign, *, as_json: bool) -> None:
    """Of all that is feasible: memory arrives, or a hazard is demonstrated."""
    space = Space(campaign.line_up)
    tuples = covered(space, (cell.work for cell in campaign.plan.cells.values()))
    never = [in_words(space, members) for members in tuples.missing(2)]
    totals = {f"{size}-way": tuples.count(size) for size in (2, 3)}
    if as_json:
        reach = {name: {"had": had, "feasible": feasible} for name, (had, feasible) in totals.items()}
        print(
            json.dumps({"seed": campaign.options.seed, "strength": campaign.options.strength, **reach, "never": never})
        )
        return
    for size in (2, 3):
        for factors, had, feasible in tuples.by_factors(size):
            print(f"{_share(had, feasible)}  {' x '.join(Factor(factor).words for factor in factors)}")
    for name, (had, feasible) in totals.items():
        print(f"{_share(had, feasible)}  {name}, all together")
    for pair in never:
        print(f"never: {pair}")
    Console(stderr=True).print(f"seed {campaign.options.seed}, strength {campaign.options.strength}")


def _share(had: int, feasible: int) -> str:
    """Rounded down: what is not complete must not look as if it were."""
    return f"{1000 * had // max(feasible, 1) / 10:5.1f}%  {had:7,} of {feasible:7,}"
