"""junit.xml: one testsuite per suite, one testcase per cell, valid under Jenkins' schema and ours (docs/junit.xsd).

The outcomes are those of pytest: pass, refused and hazard passed; known is an expected failure, which JUnit
can only call skipped; a cell that was not run is an error, so that a run which ended early cannot look green. Where
the run is not green for a reason that no cell shows there is one testcase more, ``run``: the file has a failure or an
error exactly where the exit code is not 0.

What passed and is no good news, a hazard, stands in words in the testcase's ``system-out``, and counted in the
properties of its suite, with every known issue that its cells show. Properties of a testcase are lines
``[[PROPERTY|name=value]]`` there: no published schema has them as elements.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from multifd.result.conclusion import exit_code
from multifd.result.printable import printable
from multifd.result.record import Cell, Finding, Results, Verdict
from reports import device, model
from reports.matrix import grouped
from reports.vocabulary import VERDICTS, prediction, word

OUTCOMES: Final[dict[Verdict, str]] = {
    "fail": "failure",
    "error": "error",
    "not-run": "error",
    "skip": "skipped",
    "known": "skipped",
}
"""The element inside the testcase; a verdict that is not here passed."""

_TOLD: Final = ("hazard", "known")
"""Verdicts that conform, and say that something is wrong."""


def render(results: Results) -> str:
    """The whole of junit.xml; times are wall-clock seconds."""
    root = Element("testsuites", _totals("multifd-conformance", results.cells))
    found = {finding.id: finding for finding in results.findings}
    for name, cells in grouped(results.cells, lambda cell: cell.suite).items():
        root.append(_suite(name, cells, results, found))
    if exit_code(results) and root.attrib["failures"] == root.attrib["errors"] == "0":
        _add_the_run(root, results)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _suite(name: str, cells: Sequence[Cell], results: Results, found: Mapping[str, Finding]) -> Element:
    skipped = sum(OUTCOMES.get(cell.verdict) == "skipped" for cell in cells)
    more = {"skipped": str(skipped), "timestamp": printable(results.run.started)}
    suite = Element("testsuite", _totals(name, cells) | more)
    verdicts, issues = (
        Counter(cell.verdict for cell in cells),
        Counter(issue for cell in cells for issue in cell.issues),
    )
    properties = SubElement(suite, "properties")
    for key, value in (
        ("profile", results.run.profile),
        *((f"verdict.{verdict}", str(verdicts[verdict])) for verdict in VERDICTS),
        *((f"issue.{issue}", _issue(count, found.get(issue))) for issue, count in issues.items()),
    ):
        SubElement(properties, "property", {"name": printable(key), "value": printable(value)})
    suite.extend(map(_testcase, cells))
    return suite


def _issue(count: int, finding: Finding | None) -> str:
    what = f": {finding.severity}: {finding.component}: {finding.cause}" if finding is not None else ""
    return f"{count} cell{'s' * (count != 1)}{what}"


def _totals(name: str, cells: Iterable[Cell]) -> dict[str, str]:
    cells = tuple(cells)
    outcomes = [OUTCOMES.get(cell.verdict) for cell in cells]
    return {
        "name": printable(name),
        "tests": str(len(cells)),
        "failures": str(outcomes.count("failure")),
        "errors": str(outcomes.count("error")),
        "time": f"{sum(cell.seconds.wall for cell in cells):.3f}",
    }


def _add_the_run(root: Element, results: Results) -> None:
    headline, outcome = model.headline(results), "failure" if exit_code(results) == 1 else "error"
    alone = {"tests": "1", "failures": "0", "errors": "0"} | {f"{outcome}s": "1"}
    more = {"time": "0.000", "skipped": "0", "timestamp": printable(results.run.started)}
    suite = SubElement(root, "testsuite", {"name": "run", **alone, **more})
    case = SubElement(suite, "testcase", {"classname": "run", "name": "run", "time": "0.000"})
    SubElement(case, outcome, {"type": headline.title, "message": headline.sentence})
    for name, value in alone.items():
        root.set(name, str(int(root.attrib[name]) + int(value)))


def _testcase(cell: Cell) -> Element:
    place = {"classname": f"{cell.suite}.{cell.framing}", "name": cell.id}
    case = Element(
        "testcase",
        {name: printable(value) for name, value in place.items()} | {"time": f"{cell.seconds.wall:.3f}"},
    )
    if outcome := OUTCOMES.get(cell.verdict):
        detail = SubElement(case, outcome, {"type": word(cell), "message": printable(_message(cell))})
        behind = (prediction(cell), cell.error, *cell.complaints, f"reproduce: {cell.reproduce}")
        detail.text = printable("\n".join(line for line in behind if line))
    SubElement(case, "system-out").text = printable("\n".join(_said(cell)))
    return case


def _message(cell: Cell) -> str:
    return f"known issue: {cell.reason}" if cell.verdict == "known" else cell.reason


def _said(cell: Cell) -> Iterator[str]:
    if cell.verdict in _TOLD:
        yield f"{word(cell)}: {cell.reason}"
        yield from (f"with {setting}" for setting in cell.setting)
        yield f"reproduce: {cell.reproduce}"
    for name, value in (
        ("verdict", cell.verdict),
        ("provenance.sender", cell.provenance.sender),
        ("provenance.receiver", cell.provenance.receiver),
        ("device_verdict", cell.device_verdict),
        *((f"device.{work.end}", f"{work.device}: {device.said(work)}") for work in cell.device),
        *(("issue", issue) for issue in cell.issues),
    ):
        if value:
            # A value may not end the line, or its own brackets.
            yield f"[[PROPERTY|{name}={' '.join(value.split()).replace(']]', '] ]')}]]"
