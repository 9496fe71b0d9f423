"""``multifd bisect-step``: one step of ``git bisect run``, decided by cells.

=========  ======================  ==================================================================================
exit code  for git it is           where
=========  ======================  ==================================================================================
0          good                    a cell was checked, and none ended with a verdict that is bad
1          bad                     a cell did
125        not to be tested        nothing was checked: the binary does not start, there is no such cell, all are
                                   skipped; or a cell broke
128        the end of it           the command line is wrong, or the host broke: every other commit would say the same
=========  ======================  ==================================================================================

git takes every other number up to 127 for bad, those of a defect and of an interruption too. That is why nothing leaves
this command in the usual way.
"""

from __future__ import annotations

import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

import click

from multifd.campaign.options import parse
from multifd.campaign.prepare import Campaign, prepare
from multifd.campaign.worker import Worker
from multifd.cli.output import say
from multifd.cli.picked import picked
from multifd.cli.plans import planning
from multifd.errors import MultifdError
from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.process.kin import Warden
from multifd.profile.load import load
from multifd.result.printable import printable
from multifd.result.record import CONFORMING, Cell, Verdict

GOOD: Final = 0
BAD: Final = 1
UNTESTED: Final = 125
ABORT: Final = 128
Result = TypeVar("Result")


class Step(click.Command):
    """A command whose usage errors end the bisection too."""

    def make_context(self, *arguments: Any, **named: Any) -> click.Context:
        """As its parent does."""
        try:
            return super().make_context(*arguments, **named)
        except click.UsageError as problem:
            problem.show()
            sys.exit(ABORT)


@click.command("bisect-step", cls=Step)
@click.argument("cells", nargs=-1, required=True, metavar="CELL...")
@planning
@click.option(
    "--bad", multiple=True, type=click.Choice([*get_args(Verdict)]), default=("fail", "known"), show_default=True,
    help="A verdict that is bad; repeatable. Known issues are, for a version may be what is looked for.",
)  # fmt: skip
@click.option("--times", type=click.IntRange(min=1), default=1, show_default=True, help="For what is not always bad.")
def bisect_step(cells: tuple[str, ...], bad: tuple[str, ...], times: int, **given: object) -> None:
    """Run cells, and end as git bisect run wants it: 0 good, 1 bad, 125 not to be tested, 128 stop.

    CELL is an id, a part of one, or a pattern with * and ?: a QEMU has its version in its name, and most commits have
    another than the next, so write qemu-* for it. Of what a run leaves nothing is written.

    \b
    git bisect start BAD GOOD
    git bisect run sh -c 'ninja -C build || exit 125
        multifd bisect-step "qemu/zlib/qemu-*~qemu-*/*/migrate/mixed/4k/2ch" --qemu build/qemu-system-x86_64'
    """

    def step() -> int:
        with Warden():
            return _step(cells, frozenset(bad), times, given)

    sys.exit(_guarded(step))


def _guarded(step: Callable[[], int]) -> int:
    """Its exit code, and none that git would misunderstand."""
    try:
        code = step()
        sys.stdout.flush()
    except MultifdError as problem:
        say(printable(str(problem)))
        return ABORT
    except KeyboardInterrupt:
        say("interrupted")
        return ABORT
    except Exception:
        traceback.print_exc()
        return ABORT
    return code


def _step(patterns: Sequence[str], bad: frozenset[str], times: int, given: dict[str, Any]) -> int:
    options = parse(**given, directory=Path.cwd())
    # A profile that is wrong is so at every commit.
    load(options.profile)
    try:
        campaign = prepare(options, say, probe=True)
        planned = campaign.plan.cells | campaign.plan.left_out
        chosen = list(dict.fromkeys(name for each in patterns for name in picked(each, planned, "cell")))
    except MultifdError as problem:
        say(printable(f"cannot be tested: {problem}"))
        return UNTESTED
    counts: Counter[str] = Counter()
    for cell in _records(campaign, chosen * times):
        counts[cell.verdict] += 1
        words = " ".join(f"{cell.verdict}  {cell.id}: {cell.reason}".split())
        print(printable(words), flush=True)
    code = judged(counts, bad)
    said = {GOOD: "good", BAD: "bad", UNTESTED: "cannot be tested"}[code]
    print(f"{said}: {', '.join(f'{number} {verdict}' for verdict, number in counts.items())}")
    return code


def judged(counts: Mapping[str, int], bad: frozenset[str]) -> int:
    """What a step comes to: one that is bad decides, then one that broke, then that anything was checked."""
    if any(number for verdict, number in counts.items() if verdict in bad):
        return BAD
    if counts.get("error") or not any(counts.get(verdict) for verdict in CONFORMING | {"fail"}):
        return UNTESTED
    return GOOD


def _records(campaign: Campaign, chosen: Sequence[str]) -> Iterator[Cell]:
    """Each cell, run now."""
    planned = campaign.plan.cells | campaign.plan.left_out
    alone = {"cells": {name: planned[name] for name in chosen}, "left_out": {}, "subset": None}
    part = campaign.model_copy(update={"plan": campaign.plan.model_copy(update=alone)})
    scratch = make_scratch(part.room, sockets=True)
    results = scratch / "results"
    results.mkdir()
    try:
        with Worker(part, scratch, results, None) as worker:
            for name in chosen:
                yield worker.conclude(planned[name])
    finally:
        remove_scratch(scratch)
