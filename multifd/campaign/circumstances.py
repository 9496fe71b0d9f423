"""The circumstances of a run: the host, the versions, who is in the results."""

from __future__ import annotations

import base64
import datetime
import os
import platform
import sys
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from multifd import __version__
from multifd.campaign.prepare import Campaign
from multifd.oracle.rules import RULES
from multifd.plan import shards
from multifd.plan.coverage import covered, in_words
from multifd.plan.reference import stand_in
from multifd.plan.space import Space
from multifd.result.planned import plan_digest
from multifd.result.record import CONFORMING, NEVER_LISTED, Cell, Coverage, Peer, Reach, Rule, Run, Shard, Tuples

_PACKAGES: Final = ("numpy", "pydantic", "pytest", "pytest-xdist", "zlib-ng", "isal", "deflate", "zstandard")


def begun(campaign: Campaign, command: str, shard: Shard | None = None) -> Run:
    """The run as it stands at its beginning; its plan is that of the shard, if it is one."""
    return Run(
        id=uuid.uuid4().hex[:12],
        started=now(),
        finished=None,
        complete=False,
        profile=campaign.options.profile,
        host=_host(campaign.options.host),
        versions={"multifd": __version__, "python": platform.python_version(), **_versions()},
        command=command,
        plan=plan_digest(campaign.plan.cells),
        seed=campaign.options.seed,
        strength=campaign.options.strength,
        subset=campaign.subset,
        shard=shard,
        coverage=Coverage(cells=dict(Counter(cell.suite for cell in campaign.plan.cells.values()))),
        corpus=campaign.content,
        rules=tuple(Rule(name=rule.name, holds=rule.holds) for rule in RULES),
        remarks=campaign.line_up.remarks,
    )


def part_of(shard: shards.Shard, whole: Iterable[str], part: Campaign) -> Shard:
    """What a run says of the shard that it is, of a plan with the ids ``whole`` in this order."""
    places = {name: place for place, name in enumerate(whole)}
    mine = tuple(map(places.__getitem__, part.plan.cells))
    return Shard(number=shard.number, of=shard.of, plan=plan_digest(places), places=mine)


def cast(campaign: Campaign) -> Iterator[Peer]:
    """Everybody whom a cell names: the line-up, stand-ins for what it lacks, libraries that only are looked at."""
    known = {peer.name for peer in campaign.line_up.everybody}
    yield from (peer.record() for peer in campaign.line_up.everybody)
    works = [cell.work for cell in campaign.plan.cells.values()]
    libraries = {work.library for work in works if work.kind in ("check", "reproducer", "fidelity")}
    named = dict.fromkeys(name for work in works for name in (work.sender, work.receiver))
    for name in named:
        if name in known:
            continue
        yield _library(campaign, name) if name in libraries else stand_in(name, "sender").record()


def reached(campaign: Campaign, cells: Iterable[Cell], planned: Mapping[str, int], *, shard: bool = False) -> Coverage:
    """What those of the cells that have run combine; of a shard, tuple by tuple."""
    works = {cell.id: cell.work for cell in campaign.plan.cells.values()}
    space = Space(campaign.line_up)
    tuples = covered(space, (works[cell.id] for cell in cells if cell.verdict in CONFORMING | {"fail"}))
    pairs, triples = (Reach(had=had, feasible=feasible) for had, feasible in map(tuples.count, (2, 3)))
    never = tuple(in_words(space, members) for members in tuples.missing(2)[: None if shard else NEVER_LISTED])
    had = (base64.b64encode(tuples.had(size)).decode() for size in (2, 3))
    each = Tuples(pairs=next(had), triples=next(had), never=never) if shard else None
    return Coverage(cells=dict(planned), pairs=pairs, triples=triples, never=never[:NEVER_LISTED], tuples=each)


def now() -> str:
    """ISO 8601, in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _library(campaign: Campaign, name: str) -> Peer:
    found = campaign.libraries.get(name)
    return Peer(
        name=name, kind="codec", codec=name, device=None, provenance="vendor-software",
        version=(found.version if found is not None else None) or "unknown", roles=(), capabilities={},
    )  # fmt: skip


def _host(recorded: Path | None) -> dict[str, object]:
    """Where it ran; devices of a recorded host are none, and nobody must take them for some."""
    devices = {} if recorded is None else {"recorded": str(recorded)}
    return {
        **devices,
        "system": platform.platform(),
        "machine": platform.machine(),
        "cpu": _processor(),
        "cpus": len(os.sched_getaffinity(0)),
        "python": sys.version.split()[0],
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
