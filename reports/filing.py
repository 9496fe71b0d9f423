"""A finding as a report to those whose software it is in, in Markdown: what, versions, steps, expected, observed.

It is complete by itself: who reads it need not know this project, and has the reproducer before him.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from multifd.result.known import ROOT, KnownIssue, shipped
from multifd.result.record import Cell, Finding, Outcome, Peer, Results, Severity
from reports import markup
from reports.upstream import address

SHOWN: Final = 3
"""Cells whose observations are shown."""
COMPLAINTS: Final = 10
"""Observations of one cell that are shown."""
LINES: Final = 30
"""Lines of what one QEMU was told and said."""
_WIDTH: Final = 400
_WORDS: Final = ".words.json"
_LIBRARY: Final = ("vendor", "fidelity")
"""Suites without a wire."""

SEVERITIES: Final[dict[Severity, str]] = {
    "corruption": "data is wrong, and nobody says so",
    "crash": "a process dies, or memory is read or written that is not its own",
    "hang": "something waits for ever",
    "leak": "memory, threads or keys are not given back",
    "contract": "the interface does not do what it promises",
}
EXPECTED: Final[dict[Outcome, str]] = {
    "identical": "The migration completes, and the destination's memory is identical to the source's.",
    "rejected": "The destination refuses the migration with an error, and both ends say so and end.",
    "hazard": "The destination refuses what it cannot decode, with an error; it takes no wrong memory for right.",
}
OBSERVED: Final = {
    "identical": "nothing was said to be wrong",
    "rejected": "refused",
    "hazard": "wrong, and nobody said so",
    "crash": "a crash",
    "hang": "a hang",
}
_OF_LIBRARY: Final = "The library does what its interface promises; below stands what was expected of each call."


def render(results: Results, finding: Finding, directory: Path) -> str:
    """The report as one Markdown document; the run's cells of the finding are its evidence, and what QEMUs said there.

    ``directory`` has the run's artifacts; what of them cannot be read is left out.
    """
    cells = shown_by(results, finding)
    ends = dict.fromkeys(name for cell in cells for name in (cell.sender, cell.receiver))
    return _ENVIRONMENT.get_template("finding.md.j2").render(
        finding=finding,
        address=address(finding.upstream) if finding.upstream else None,
        severity=SEVERITIES[finding.severity],
        source=_source(finding),
        cells=cells[:SHOWN],
        more=len(cells[SHOWN:]),
        observed={cell.id: observations(cell, finding) for cell in cells[:SHOWN]},
        words=dict(_words(cells[0], directory)) if cells else {},
        expected=tuple(dict.fromkeys(map(_expected, cells[:SHOWN]))),
        peers=[peer for peer in results.peers if peer.name in ends],
        run=results.run,
    )


def shown_by(results: Results, finding: Finding) -> tuple[Cell, ...]:
    """The cells that show it, first those that show nothing else, and say least besides."""
    cells = [cell for cell in results.cells if cell.id in set(finding.cells)]
    return tuple(sorted(cells, key=lambda cell: (len(cell.issues), len(cell.complaints))))


def observations(cell: Cell, finding: Finding) -> tuple[str, ...]:
    """What was seen of it in a cell: of many complaints those that are its own."""
    issue: KnownIssue | None = next((each for each in shipped() if each.id == finding.id), None)
    own = tuple(text for text in cell.complaints if issue is None or issue.says(text))
    seen = own or tuple(text for text in (cell.error, cell.aftermath) if text)
    return seen[:COMPLAINTS] or (f"{cell.observed}: {cell.kind or cell.reason}",)


def tried(cell: Cell) -> str:
    """What a cell is about, in words of the field."""
    if cell.suite in _LIBRARY:
        return f"{cell.sender}, {cell.scenario}"
    return (
        f"{cell.sender} to {cell.receiver}, {cell.framing} in {cell.dialect}, {cell.scenario}, content {cell.corpus},"
        f" pages of {cell.page_size} bytes, {cell.channels} channels"
    )


def version(peer: Peer) -> str:
    """A peer as those who know nothing of this project read it."""
    return f"{peer.name} {peer.version}, {peer.provenance}"


def _words(cell: Cell, directory: Path) -> Iterator[tuple[str, str]]:
    """What each QEMU of a cell was told over QMP, and what it wrote to standard error, by the end that it was."""
    for artifact in cell.artifacts:
        file = (directory / artifact).resolve()
        if not file.name.endswith(_WORDS) or not file.is_relative_to(directory.resolve()):
            continue
        try:
            said: Any = json.loads(file.read_bytes())
            lines = [*map(_told, filter(lambda each: "execute" in each, said["qmp"])), *said["stderr"].splitlines()]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        lines = [line for line in dict.fromkeys(lines) if not line.startswith('{"execute": "query-')]
        yield file.name.removesuffix(_WORDS), "\n".join(line[:_WIDTH] for line in lines[:LINES])


def _told(exchange: dict[str, Any]) -> str:
    return json.dumps({name: exchange[name] for name in ("execute", "arguments") if name in exchange})


def _expected(cell: Cell) -> str:
    return _OF_LIBRARY if cell.suite in _LIBRARY else EXPECTED[cell.predicted]


def _source(finding: Finding) -> str | None:
    """The reproducer's text; None where there is none, or this is not the project that has it."""
    file = ROOT / finding.reproducer if finding.reproducer else None
    ours = file is not None and file.resolve().is_relative_to(ROOT) and file.is_file()
    return file.read_text(encoding="utf-8") if file is not None and ours else None


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=False,  # Markdown has rules of its own: every value passes `text`, `code` or `block`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "text": markup.text,
        "code": markup.code,
        "block": markup.block,
        "version": version,
        "tried": tried,
    }
    environment.globals |= {"OBSERVED": OBSERVED}
    return environment


_ENVIRONMENT: Final = _environment()
