"""Runs beside each other: several hosts, profiles, versions or Pythons, a column each.

What matters is where one cell ended in two ways, and what tells these runs apart: the circumstances that are the same
wherever it ended the same. Where nothing that a run says of itself does, that is said too.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from pydantic import Field

from multifd.comparison.cells import standing
from multifd.comparison.compared import Side, side
from multifd.comparison.merged import Joined
from multifd.comparison.standing import checked, rank_of
from multifd.result.conclusion import ExitCode, exit_code
from multifd.result.record import CONFORMING, Cell, Model, Results

SCHEMA: Literal["multifd-conformance/merged/1"] = "multifd-conformance/merged/1"
_LABEL: Final = 60
"""Characters of what a circumstance is called."""


class Column(Model):
    """One of the runs."""

    label: str
    """What tells it from the others, in words; no two have the same."""
    directory: str
    """Where its own results and reports are, beside this."""
    run: Side
    """Its head."""
    missing: tuple[int, ...]
    """Numbers of its shards that are not there."""
    exit_code: ExitCode
    """Of the run."""


class Ended(Model):
    """How a cell ended in one run."""

    column: int
    """Of the run, from 0."""
    standing: str
    """Verdict and kind."""
    reason: str
    """The record's own."""


class Row(Model):
    """A cell that did not end well everywhere, or not the same everywhere."""

    cell: str
    """Its id."""
    differs: bool
    """It was checked in two runs and ended in two ways."""
    by: tuple[str, ...]
    """What may be why: circumstances that are the same wherever it ended the same. None if it does not differ, or if
    nothing that the runs say of themselves tells these ways apart."""
    ended: tuple[Ended, ...]
    """In each run that planned it."""


class Abreast(Model):
    """The runs together; what ``merged.json`` has."""

    schema_id: Literal["multifd-conformance/merged/1"] = Field(default=SCHEMA, alias="schema")
    """The version of what this is."""
    columns: tuple[Column, ...]
    """The runs, in the order in which they were given."""
    cells: int
    """Different ones, of all runs."""
    everywhere: int
    """Those that all runs planned."""
    differing: int
    """Those that ended in two ways."""
    rows: tuple[Row, ...]
    """Cells that differ, then those that did not end well in a run; the worst first."""
    complete: bool
    """Every run is."""
    exit_code: ExitCode
    """The worst of the runs': 1, then 3, then 0."""


def abreast(runs: Sequence[Joined]) -> Abreast:
    """All that they have to say together; pure."""
    labels = labelled([run.results for run in runs])
    columns = tuple(
        Column(
            label=label, directory=_directory(number, label), run=side(run.results), missing=run.missing,
            exit_code=exit_code(run.results),
        )
        for number, (label, run) in enumerate(zip(labels, runs, strict=True), 1)
    )  # fmt: skip
    found: dict[str, dict[int, Cell]] = {}
    for number, run in enumerate(runs):
        for cell in run.results.cells:
            found.setdefault(cell.id, {})[number] = cell
    facts = [_facts(run.results) for run in runs]
    versions = [_versions(run.results) for run in runs]
    rows = [row for name, cells in found.items() if (row := _row(name, cells, facts, versions)) is not None]
    ranked = {row.cell: max(rank_of(cell.verdict, cell.kind) for cell in found[row.cell].values()) for row in rows}
    rows.sort(key=lambda row: (not row.differs, *(-part for part in ranked[row.cell])))
    codes = {column.exit_code for column in columns}
    return Abreast(
        schema=SCHEMA,
        columns=columns,
        cells=len(found),
        everywhere=sum(len(cells) == len(runs) for cells in found.values()),
        differing=sum(row.differs for row in rows),
        rows=tuple(rows),
        complete=all(run.results.run.complete for run in runs),
        exit_code=1 if 1 in codes else 3 if 3 in codes else 0,
    )


def labelled(runs: Sequence[Results]) -> list[str]:
    """What tells each run from the others, in as few words as there are; the run's id where nothing does."""
    facts = [_facts(run) for run in runs]
    telling = [name for name in facts[0] if len({each[name] for each in facts}) > 1 and not name.startswith("package ")]
    found = [", ".join(f"{name} {each[name][:_LABEL]}" for name in telling) for each in facts]
    times = Counter(found)
    return [
        label if label and times[label] == 1 else f"{label} run {run.run.id}".strip()
        for label, run in zip(found, runs, strict=True)
    ]


def _directory(number: int, label: str) -> str:
    plain = "".join(each if each.isascii() and each.isalnum() else "-" for each in label)
    return f"{number}-{'-'.join(filter(None, plain.split('-')))[:_LABEL]}"


def _row(
    name: str,
    cells: Mapping[int, Cell],
    facts: Sequence[Mapping[str, str]],
    versions: Sequence[Mapping[str, str]],
) -> Row | None:
    ways = {number: str(standing(cell)) for number, cell in cells.items() if checked(cell)}
    differs = len(set(ways.values())) > 1
    if not differs and all(cell.verdict in CONFORMING | {"skip"} for cell in cells.values()):
        return None
    told = {number: {**facts[number], **_ends(cells[number], versions[number])} for number in ways}
    return Row(
        cell=name,
        differs=differs,
        by=tuple(_telling(ways, told)) if differs else (),
        ended=tuple(
            Ended(column=number, standing=str(standing(cell)), reason=cell.reason) for number, cell in cells.items()
        ),
    )


def _telling(ways: Mapping[int, str], told: Mapping[int, Mapping[str, str]]) -> Iterator[str]:
    """Circumstances of which each value has one way only."""
    for name in dict.fromkeys(name for each in told.values() for name in each):
        values = {number: each.get(name, "none") for number, each in told.items()}
        if len({(values[number], way) for number, way in ways.items()}) == len(set(values.values())):
            yield name


def _facts(results: Results) -> dict[str, str]:
    """What a run says of itself."""
    run = results.run
    first = {name: run.host[name] for name in ("cpu", "system") if name in run.host}
    host = first | {name: run.host[name] for name in sorted(run.host) if name not in ("python", "recorded")}
    packages = {f"package {name}": told for name, told in run.versions.items() if name not in ("multifd", "python")}
    return {
        "profile": run.profile,
        "host": ", ".join(map(str, host.values())),
        "recorded host": str(run.host.get("recorded", "none")),
        "QEMU": ", ".join(f"{peer.name} {peer.version}" for peer in results.peers if peer.kind == "qemu") or "none",
        "multifd": run.versions.get("multifd", "unknown"),
        "Python": run.versions.get("python", "unknown"),
        "seed": str(run.seed),
        **{name: packages[name] for name in sorted(packages)},
    }


def _versions(results: Results) -> dict[str, str]:
    return {peer.name: peer.version for peer in results.peers}


def _ends(cell: Cell, versions: Mapping[str, str]) -> dict[str, str]:
    """What a cell's ends ran, and on what."""
    return {
        "version of the sender": versions.get(cell.sender, "unknown"),
        "version of the receiver": versions.get(cell.receiver, "unknown"),
        "provenance": json.dumps([cell.provenance.sender, cell.provenance.receiver]),
    }
