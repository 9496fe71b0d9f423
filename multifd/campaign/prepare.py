"""From options to the whole prepared run: one function, for the command and for pytest alike."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import nullcontext
from typing import Final

from pydantic import BaseModel, ConfigDict

from multifd.campaign.content import surveyed
from multifd.campaign.options import Options
from multifd.device.diagnose import detect
from multifd.device.exclusive import Exclusive
from multifd.errors import InputError
from multifd.libraries.find import Library
from multifd.lineup.devices import device_peers
from multifd.lineup.holding import limited
from multifd.lineup.introduce import resolve
from multifd.lineup.libraries import fetch_missing
from multifd.lineup.peers import LineUp
from multifd.lineup.preflight import alone_on, preflight
from multifd.lineup.probe import Prober
from multifd.lineup.qemus import binaries_of, introduced, resolve_qemus, strangers, unasked
from multifd.lineup.reconcile import reconciled
from multifd.lineup.subjects import subjects
from multifd.memory.corpora.user import Files, find
from multifd.nearest import suggestion
from multifd.peer.nursery import Nursery
from multifd.plan.cell import PlannedCell
from multifd.plan.whole import Plan, PlanOptions, plan, plan_of
from multifd.profile.load import load
from multifd.qemu.binary import Binary
from multifd.result.content import in_words
from multifd.result.record import Subset, UserContent

Say = Callable[[str], object]
_PER_CELL: Final = 4 << 10
"""Bytes of the plan on its way to the workers."""
_ROUNDS: Final = 3
"""Images of a migration, at most."""
_PASSING: Final = 64
"""Captures and destinations at one time, in guest memories."""
_BESIDE: Final = 8 << 20
"""Bytes of everything else: what QEMUs say, captures that are shown."""
_GUESTS: Final = 4
"""QEMUs at one time: two workers with a source and a destination each."""


class Campaign(BaseModel):
    """What every process of a run knows: decided once, frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    options: Options
    line_up: LineUp
    plan: Plan
    libraries: dict[str, Library]
    """Vendor libraries under scrutiny that can be loaded, by name of the codec."""
    content: UserContent | None = None
    """What is taken of the user's own files."""
    done: frozenset[str] = frozenset()
    """Cells of which a run before has records that stand."""

    def cell(self, cell_id: str) -> PlannedCell:
        """The planned cell of that id, also one that a subset does without; raises InputError with the nearest ones."""
        planned = self.plan.cells | self.plan.left_out
        if cell_id in planned:
            return planned[cell_id]
        raise InputError(f"no cell {cell_id!r}; {suggestion(cell_id, planned)} (multifd cells lists all)")

    @property
    def subset(self) -> Subset | None:
        """What is left out of the cells with real QEMU, where this is about any."""
        return self.plan.subset if any(cell.suite == "qemu" for cell in self.plan.cells.values()) else None

    @property
    def room(self) -> int:
        """Bytes of scratch space that the plan may need: guest memory images stay, captures and destinations go."""
        works = [cell.work for cell in self.plan.cells.values() if cell.work.kind == "pairing"]
        images = {work.script_key(0): sum(work.sizes.values()) for work in works}
        passing = (
            (_PASSING if work.plan.mode == "capture" else _GUESTS) * sum(work.sizes.values()) for work in works
        )  # fmt: skip
        plan = _PER_CELL * len(self.plan.cells)
        return _BESIDE + plan + _ROUNDS * sum(images.values()) + max(passing, default=0)

    def part(self, ids: Collection[str]) -> Campaign:
        """The same run with these cells only; ids that are not planned are left out."""
        chosen = {cell_id: cell for cell_id, cell in self.plan.cells.items() if cell_id in ids}
        return self.model_copy(update={"plan": self.plan.model_copy(update={"cells": chosen})})


def prepare(options: Options, say: Say, *, probe: bool, cell: str | None = None) -> Campaign:
    """Resolve the profile, introduce its peers, make the plan; of ``cell`` only, if one is named by its id.

    Libraries that the profile wants and the host lacks are fetched, and devices are tried, so that the plan is the same
    whoever asks. Without ``probe`` the peers are believed: enough to show a plan, which has the same cells, not to run
    it. Raises InputError, also where there is no such cell, and EnvironmentBroke.
    """
    files = find(options.corpus) if options.corpus is not None else None
    profile = load(options.profile)
    fetch_missing(profile, say)
    devices = detect(options.device_host)
    binaries, subset = binaries_of(profile, options.qemu), unasked(profile, options.qemu)
    alone = Exclusive(options.device_host, say=say)
    with Nursery() as nursery, Prober() if probe else nullcontext() as prober:
        tried = preflight(profile, alone=alone_on(alone, devices), found=devices, start=nursery.start)
        if shared := alone.without(devices):
            say(f"what others do on a device counts as this run's, and the other way round: {shared}")
        on_devices = device_peers(profile, devices, tried=tried)
        asked = prober.probe if prober is not None else None
        # Others count what their cells do on these devices.
        with alone.holding(device for peer in on_devices for device in peer.devices):
            line_up = reconciled(resolve(options.profile, profile, asked, on_devices, nursery.start), on_devices)
    if binaries:
        say(f"asking {_counted(binaries)} what {'it is' if len(binaries) == 1 else 'they are'}")
        try:
            qemus = (resolve_qemus if probe else introduced)(binaries, profile.deadlines.hello)
            apart = strangers(qemus)
            remarks = (*line_up.remarks, *([apart] if apart is not None else []))
            line_up = line_up.model_copy(update={"qemus": qemus, "remarks": remarks})
        except InputError as unfit:
            if not subset:
                raise
            remark = f"the QEMU in PATH takes no part: {unfit}; remedy: --qemu PATH with another"
            line_up = line_up.model_copy(update={"remarks": (*line_up.remarks, remark)})
    line_up = limited(line_up)
    for remark in line_up.remarks:
        say(remark)
    scrutinized = subjects(profile, line_up.devices)
    asked_for = PlanOptions(options.memory, options.seed, options.strength, options.corpus is not None, subset)
    only = plan_of(cell, line_up, scrutinized.skips, asked_for) if cell is not None else None
    planned = only or plan(line_up, scrutinized.skips, asked_for)
    content = _surveyed(files, options, say) if files is not None else None
    campaign = Campaign(
        options=options, line_up=line_up, plan=planned, libraries=dict(scrutinized.libraries), content=content
    )
    if cell is not None:
        campaign.cell(cell)
    return campaign


def _counted(binaries: Collection[Binary]) -> str:
    return f"{len(binaries)} QEMU{'s' * (len(binaries) != 1)}"


def _surveyed(files: Files, options: Options, say: Say) -> UserContent:
    """What is taken of the user's own files, said before anything runs: it may be little of what is there."""
    content = surveyed(files, options.memory, options.seed)
    more = "; --memory takes more" if content.bytes_taken < content.bytes_there else ""
    say(f"corpus: {in_words(content)}{more}")
    return content
