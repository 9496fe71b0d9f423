"""junit.xml: one testsuite per suite, one testcase per cell, in the dialect of pytest's own ``--junit-xml``.

The outcomes are those of pytest: pass, refused and hazard passed; known is an expected failure, which JUnit
can only call skipped; a cell that was not run is an error, so that a run which ended early cannot look green. Where
the run is not green for a reason that no cell shows there is one testcase more, ``run``: the file has a failure or an
error exactly where the exit code is not 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from multifd.result.conclusion import exit_code
from multifd.result.record import Cell, Results, Verdict
from reports import device, model
from reports.matrix import grouped
from reports.vocabulary import word

OUTCOMES: Final[dict[Verdict, str]] = {
    "fail": "failure",
    "error": "error",
    "not-run": "error",
    "skip": "skipped",
    "known": "skipped",
}
"""The element inside the testcase; a verdict that is not here passed."""

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 section 2.2 allows in no document, not even escaped."""


def render(results: Results) -> str:
    """The whole of junit.xml; times are wall-clock seconds, characters that XML forbids become U+FFFD."""
    root = Element("testsuites", _totals("multifd-conformance", results.cells))
    for name, cells in grouped(results.cells, lambda cell: cell.suite).items():
        suite = SubElement(root, "testsuite", _totals(name, cells) | {"timestamp": _xml(results.run.started)})
        suite.extend(map(_testcase, cells))
    if exit_code(results) and not {"failures", "errors"} & {name for name, n in root.attrib.items() if n != "0"}:
        _add_the_run(root, results)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _totals(name: str, cells: Iterable[Cell]) -> dict[str, str]:
    cells = tuple(cells)
    outcomes = [OUTCOMES.get(cell.verdict) for cell in cells]
    return {
        "name": _xml(name),
        "tests": str(len(cells)),
        "failures": str(outcomes.count("failure")),
        "errors": str(outcomes.count("error")),
        "skipped": str(outcomes.count("skipped")),
        "time": f"{sum(cell.seconds.wall for cell in cells):.3f}",
    }


def _add_the_run(root: Element, results: Results) -> None:
    headline, outcome = model.headline(results), "failure" if exit_code(results) == 1 else "error"
    alone = {"tests": "1", "failures": "0", "errors": "0", "skipped": "0"} | {f"{outcome}s": "1"}
    suite = SubElement(root, "testsuite", {"name": "run", **alone, "time": "0.000"})
    case = SubElement(suite, "testcase", {"classname": "run", "name": "run", "time": "0.000"})
    SubElement(case, outcome, {"type": headline.title, "message": headline.sentence})
    for name, value in alone.items():
        root.set(name, str(int(root.get(name, "0")) + int(value)))


def _testcase(cell: Cell) -> Element:
    case = Element(
        "testcase",
        {
            "classname": _xml(f"{cell.suite}.{cell.framing}"),
            "name": _xml(cell.id),
            "time": f"{cell.seconds.wall:.3f}",
        },
    )
    properties = SubElement(case, "properties")
    for name, value in (
        ("verdict", cell.verdict),
        ("provenance.sender", cell.provenance.sender),
        ("provenance.receiver", cell.provenance.receiver),
        ("device_verdict", cell.device_verdict),
        *((f"device.{work.end}", f"{work.device}: {device.said(work)}") for work in cell.device),
        *(("issue", issue) for issue in cell.issues),
    ):
        if value:
            SubElement(properties, "property", {"name": name, "value": _xml(value)})
    if outcome := OUTCOMES.get(cell.verdict):
        detail = SubElement(case, outcome, {"type": word(cell), "message": _xml(cell.reason)})
        detail.text = _xml(
            "\n".join(line for line in (cell.error, *cell.complaints, f"reproduce: {cell.reproduce}") if line)
        )
    return case


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
