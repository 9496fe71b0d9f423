"""report.html: one self-contained file for engineers who decide which method to deploy.

No script and no external resource: it is read from CI artifacts, from mail, on hosts without a network.
Matrices come first; every entry links to its cells, which stand at the end of the same file.
"""

from __future__ import annotations

import json
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from multifd.comparison.compared import compare
from multifd.result.content import in_words
from multifd.result.exchange import FAMILIES
from multifd.result.record import Cell, Results
from reports import device, difference, integrity, matrix, model, performance, thread, vocabulary


def render(results: Results, baseline: Results | None = None) -> str:
    """The whole report as one HTML document; with a ``baseline``, also what changed since."""
    since = difference.difference(compare(baseline, results)) if baseline is not None else None
    return _ENVIRONMENT.get_template("report.html.j2").render(
        run=results.run,
        peers=results.peers,
        qemus=model.qemus(results.peers),
        headline=model.headline(results),
        incomplete=model.incomplete(results),
        seconds=model.seconds(results.run),
        coverage=model.coverage(results.run),
        counts=model.counts(results),
        provenance_counts=model.provenance_counts(results),
        broken=model.broken(results),
        findings=model.findings(results),
        unattributed=model.unattributed(results),
        suites=model.suites(results),
        unable=results.unable,
        found={finding.id for finding in results.findings},
        figures=performance.figures(results),
        compared=performance.compared(results),
        thread=thread.thread(results),
        anchors={cell.id: matrix.anchor(cell) for cell in results.cells},
        guards=integrity.guards(results),
        proof=device.proof(results.cells),
        since=list(difference.lines(since)) if since is not None else None,
    )


def _pairing(cell: Cell) -> str:
    """A cell's result in one line, with the provenance of both sides."""
    sides = cell.provenance
    sender = f"{cell.sender} ({sides.sender})" if sides.sender else cell.sender
    receiver = f"{cell.receiver} ({sides.receiver})" if sides.receiver else cell.receiver
    return f"{vocabulary.word(cell)}: {sender} → {receiver}"


def _size(count: int) -> str:
    """Bytes as a person reads them."""
    for shift, unit in ((20, "MiB"), (10, "KiB")):
        if count >= 1 << shift:
            return f"{count / (1 << shift):,.1f}".removesuffix(".0") + f" {unit}"
    return f"{count} B"


def _time(seconds: float) -> str:
    """Seconds as a person reads them."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{int(seconds) // 60} min {int(seconds) % 60} s"


def _compact(value: Any) -> str:
    """A capability or a property of the host in few characters."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return " ".join(value) or "none"
    return json.dumps(value, default=str)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "anchor": matrix.anchor,
        "provenances": matrix.provenances,
        "word": vocabulary.word,
        "pairing": _pairing,
        "size": _size,
        "time": _time,
        "compact": _compact,
        "content": in_words,
        "device": device.said,
    }
    environment.globals |= {
        "VERDICTS": vocabulary.VERDICTS,
        "KINDS": vocabulary.KINDS,
        "DEVICES": vocabulary.DEVICES,
        "PROVENANCES": vocabulary.PROVENANCES,
        "NO_QEMU": vocabulary.NO_QEMU,
        "RECORDED": vocabulary.RECORDED,
        "MARKS": vocabulary.MARKS,
        "STATES": vocabulary.STATES,
        "FAMILIES": FAMILIES,
        "VERDICT_OF": {"=": "pass", "x": "refused", "!": "hazard", "#": "fail"},
    }
    return environment


_ENVIRONMENT: Final = _environment()
