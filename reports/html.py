"""report.html: one self-contained file for engineers who decide which method to deploy.

It is read from CI artifacts, from mail, on hosts without a network: nothing is loaded from anywhere, and a policy in
the file forbids it. What a decision needs stands in it as markup and is there without script: the verdict, what was
not checked, what to set, the matrix of methods, findings. All cells are in it once, packed, and one script of ours,
the only one that the policy lets run, draws of them what a reader asks for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Literal, Protocol
from urllib.parse import urlencode

from markupsafe import Markup

from multifd.advice.of_run import directions
from multifd.result.content import in_words
from multifd.result.exchange import FAMILIES
from multifd.result.garbage import uncollected
from multifd.result.record import Cell, Results
from reports import (
    catalogue,
    device,
    exhibits,
    integrity,
    matrix,
    methods,
    model,
    performance,
    templating,
    thread,
    vocabulary,
)
from reports.lacking import lacking
from reports.past import Past
from reports.sealed import part, policy
from reports.sets import sets
from reports.upstream import address

SHOWN: Final = 20
"""Failures that stand on the page as markup; the list of all cells has the others."""
_DEEPER: Final = " " * 6
"""Begins a line that belongs to the one before it."""
_SCRIPTS: Final = ("cells", "address", "explorer", "cell", "pages", "matrices", "costs", "keys", "print", "start")
"""In the order in which they are put together: the first knows nobody, the last everybody."""


class Since(Protocol):
    """A line about what is not as it was in an earlier run."""

    @property
    def text(self) -> str:
        """What changed; a blank line says nothing."""

    @property
    def direction(self) -> Literal["worse", "better", "other"]:
        """Which way."""


@uncollected()
def render(
    results: Results, directory: Path | None = None, since: Sequence[Since] | None = None, past: Past | None = None
) -> str:
    """The whole report as one HTML document.

    What the cells left in files is read below ``directory``, where the results are; None leaves it out. ``since`` says
    what changed since an earlier run; None where the run is held against none. ``past`` is what became of the cells in
    other runs; None where nobody knows.
    """
    script, style, asked = _script(), part("report.css"), thread.thread(results)
    return _ENVIRONMENT.get_template("page/report.html.j2").render(
        policy=policy(style, script),
        script=Markup(script),
        style=Markup(style),
        data=catalogue.encoded(results, exhibits.read(results.cells, directory), past),
        run=results.run,
        peers=results.peers,
        qemus=model.qemus(results.peers),
        codecs=model.codecs(results),
        headline=model.headline(results, asked.all),
        incomplete=model.incomplete(results),
        lacking=lacking(results, asked.all),
        advice=sets(directions(results)),
        since=None if since is None else _nested(since),
        ids={cell.id for cell in results.cells},
        seconds=model.seconds(results.run),
        coverage=model.coverage(results.run),
        counts=model.counts(results),
        corrupt_known=sum(cell.verdict == "known" and cell.kind == "corrupt" for cell in results.cells),
        provenance_counts=model.provenance_counts(results),
        broken=model.broken(results),
        methods=methods.methods(results),
        findings=model.findings(results),
        unattributed=model.unattributed(results),
        unable=results.unable,
        compared=performance.compared(results),
        thread=asked,
        guards=integrity.guards(results),
        proof=device.proof(results.cells),
    )


@cache
def _script() -> str:
    """One strict function, so that nothing of it is anybody else's."""
    return "(() => {\n'use strict';\n" + "\n".join(part(f"{name}.js") for name in _SCRIPTS) + "\n})();\n"


def _where(**facets: str | Iterable[str]) -> str:
    """The fragment that has the list of all cells show those of these facets, one of several values each."""
    chosen = {name: value if isinstance(value, str) else "|".join(value) for name, value in facets.items()}
    return "#?" + urlencode(chosen)


def _opened(cell: Cell | str) -> str:
    """The fragment that opens a cell."""
    return _where(cell=cell if isinstance(cell, str) else cell.id)


def _met(row: methods.Side, column: methods.Side) -> str:
    """The fragment of what is behind a place of the matrix of methods."""
    return _where(
        sends=row.method, reads=column.method, old=row.dialects, new=column.dialects, scenario=methods.PLAIN
    )  # fmt: skip


def _pairing(cell: Cell) -> str:
    """A cell's result in one line, with the provenance of both sides."""
    sides = cell.provenance
    sender = f"{cell.sender} ({sides.sender})" if sides.sender else cell.sender
    receiver = f"{cell.receiver} ({sides.receiver})" if sides.receiver else cell.receiver
    return f"{vocabulary.word(cell)}: {sender} → {receiver}"


def _in_groups(findings: Iterable[model.FindingView]) -> list[tuple[str, list[model.FindingView]]]:
    """By component, in the order in which they first appear."""
    found = list(findings)
    order = list(dict.fromkeys(view.finding.component for view in found))
    found.sort(key=lambda view: order.index(view.finding.component))
    return [(name, list(group)) for name, group in groupby(found, key=lambda view: view.finding.component)]


def _nested(lines: Iterable[Since]) -> list[tuple[Since, list[str]]]:
    """Each line with those below it that say more of it, which stand deeper; what stands alone has none."""
    found: list[tuple[Since, list[str]]] = []
    for line in lines:
        if found and line.text.startswith(_DEEPER):
            found[-1][1].append(line.text.strip())
        elif line.text.strip():
            found.append((line, []))
    return found


def _time(seconds: float) -> str:
    """Seconds as a person reads them."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{int(seconds) // 60} min {int(seconds) % 60} s"


def _compact(value: Any) -> str:
    """A property of the host in few characters."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return " ".join(value) or "none"
    return json.dumps(value, default=str)


_ENVIRONMENT: Final = templating.for_html(
    {
        "provenances": matrix.provenances,
        "word": vocabulary.word,
        "prediction": vocabulary.prediction,
        "pairing": _pairing,
        "time": _time,
        "compact": _compact,
        "content": in_words,
        "opened": _opened,
        "address": address,
        "in_groups": _in_groups,
        "states": thread.states,
        "device": device.said,
    },
    {
        "VERDICTS": vocabulary.VERDICTS,
        "KINDS": vocabulary.KINDS,
        "DEVICES": vocabulary.DEVICES,
        "PROVENANCES": vocabulary.PROVENANCES,
        "NO_QEMU": vocabulary.NO_QEMU,
        "MARKS": vocabulary.MARKS,
        "STATES": vocabulary.STATES,
        "STANDINGS": vocabulary.STANDINGS,
        "FAMILIES": FAMILIES,
        "SHOWN": SHOWN,
        "VERDICT_OF": {"=": "pass", "x": "refused", "!": "hazard", "#": "fail"},
        "where": _where,
        "met": _met,
        "versions": vocabulary.versions,
        "released": vocabulary.released,
    },
)
