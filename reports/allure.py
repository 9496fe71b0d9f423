"""A cell as Allure shows it: labels and tags to filter by, parameters, severity, links, attachments, and why.

The files are those of Allure 2 (https://allurereport.org/docs/how-it-works/). Its pages have a tree by suite, framing
and pairing, one by sender, receiver and framing (*behaviors*), one by the ways in which things go wrong (*categories*),
and filter by tag. What it shows of a test as Markdown is code, for peers may say what they like.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from multifd.result.known import shipped
from multifd.result.placing import put
from multifd.result.printable import printable
from multifd.result.record import Cell, Kind, Results, Severity, Verdict
from reports import device, markup
from reports.upstream import address
from reports.vocabulary import KINDS, VERDICTS, word

Status = Literal["passed", "failed", "broken", "skipped"]
Level = Literal["blocker", "critical", "normal", "minor"]

_STATUSES: Final[dict[Verdict, Status]] = {
    "fail": "failed",
    "error": "broken",
    "not-run": "broken",
    "skip": "skipped",
    "known": "skipped",
}
"""Of a verdict that is not here: passed."""
_SEVERITIES: Final[dict[Severity, Level]] = {
    "corruption": "blocker",
    "crash": "critical",
    "hang": "critical",
    "leak": "minor",
    "contract": "normal",
}
_KINDS: Final[dict[Kind, Level]] = {
    "corrupt": "blocker",
    "accepted": "blocker",
    "hang": "critical",
    "crash": "critical",
}
_ORDER: Final[tuple[Level, ...]] = ("blocker", "critical", "normal", "minor")
_MOST: Final = 1 << 20
"""Bytes of an artifact that is attached."""


@dataclass(frozen=True)
class Shown:
    """What Allure is told of a cell besides its name and its times."""

    status: Status
    message: str
    """Why it is what it is; its categories go by it. Empty where there is nothing to say."""
    trace: str
    description: str
    """Markdown."""
    labels: tuple[tuple[str, str], ...]
    parameters: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]
    """Known issues that are somewhere upstream: id and address."""
    attachments: tuple[tuple[str, bytes, str], ...]
    """Name, content and media type."""


def shown(cell: Cell, directory: Path) -> Shown:
    """Everything; ``directory`` has the cell's artifacts."""
    bad = cell.verdict not in ("pass", "refused")
    seen = "\n".join(text for text in (cell.error, *cell.complaints) if text)
    return Shown(
        status=_STATUSES.get(cell.verdict, "passed"),
        message=printable(f"{word(cell)}: {cell.reason}") if bad else "",
        trace=printable(seen) if bad else "",
        description=_description(cell),
        labels=tuple((name, printable(value)) for name, value in _labels(cell)),
        parameters=tuple((name, printable(value)) for name, value in _parameters(cell)),
        links=tuple(_links(cell)),
        attachments=tuple(_attachments(cell, seen, directory)) if bad else (),
    )


def categories() -> list[dict[str, Any]]:
    """``categories.json``: the ways in which cells go wrong, worst first; of those that fit a test Allure shows all."""
    kinds = [_category(meaning, "failed", kind) for kind, meaning in KINDS.items()]
    verdicts: tuple[tuple[Verdict, Status], ...] = (
        ("error", "broken"), ("hazard", "passed"), ("known", "skipped"), ("skip", "skipped"),
    )  # fmt: skip
    return kinds + [_category(VERDICTS[name].meaning, status, VERDICTS[name].word) for name, status in verdicts]


def environment(results: Results) -> str:
    """``environment.properties``: host, versions, and who took part as what."""
    run = results.run
    facts = {
        "profile": run.profile,
        "command": run.command,
        **{f"host.{name}": value for name, value in run.host.items() if isinstance(value, str | int | float)},
        **{f"version.{name}": value for name, value in run.versions.items()},
        **{f"peer.{peer.name}": f"{peer.version}, {peer.provenance}" for peer in results.peers},
    }
    return "".join(f"{_property(name, key=True)}={_property(str(value))}\n" for name, value in facts.items())


def write(results: Results, directory: Path) -> None:
    """Both files into a directory of results for Allure; raises OSError."""
    put(directory / "categories.json", json.dumps(categories(), indent=1))
    put(directory / "environment.properties", environment(results))


def _category(meaning: str, status: Status, said: str) -> dict[str, Any]:
    return {"name": f"{said}: {meaning}", "matchedStatuses": [status], "messageRegex": rf"(?s){re.escape(said)}: .*"}


def _description(cell: Cell) -> str:
    why = f": {markup.code(cell.predicted_because)}" if cell.predicted_because is not None else ""
    parts = [markup.code(cell.reason), f"predicted: {cell.predicted}{why}"]
    parts += [f"{work.end}: {markup.code(device.said(work))}" for work in cell.device]
    return "\n\n".join([*parts, markup.block(cell.reproduce, "sh")])


def _labels(cell: Cell) -> Iterator[tuple[str, str]]:
    sides = dict.fromkeys(side for side in (cell.provenance.sender, cell.provenance.receiver) if side)
    pairing = f"{cell.sender} → {cell.receiver}"
    yield from (("parentSuite", cell.suite), ("suite", cell.framing), ("subSuite", pairing))
    yield from (("epic", cell.sender), ("feature", cell.receiver), ("story", cell.framing))
    yield "severity", severity(cell)
    yield from (
        ("framing", cell.framing),
        ("dialect", cell.dialect),
        ("scenario", cell.scenario),
        ("sender", cell.sender),
        ("receiver", cell.receiver),
        ("verdict", word(cell)),
        ("device_verdict", cell.device_verdict),
        *(("provenance", side) for side in sides),
        *(("issue", issue) for issue in cell.issues),
    )
    tags = (word(cell), *sides, *cell.issues, *([cell.device_verdict] if cell.device else []))
    yield from (("tag", tag) for tag in dict.fromkeys(tags))


def severity(cell: Cell) -> Level:
    """The worst of its known issues, or of the kind in which it failed; what went well is normal."""
    found: list[Level] = [_SEVERITIES[issue.severity] for issue in shipped() if issue.id in cell.issues]
    found += [_KINDS.get(cell.kind, "normal")] if cell.kind is not None and not found else []
    return min(found, key=_ORDER.index, default="normal")


def _parameters(cell: Cell) -> Iterator[tuple[str, str]]:
    yield "cell", cell.id
    yield from (("sender", cell.sender), ("receiver", cell.receiver), ("framing", cell.framing))
    yield from (("dialect", cell.dialect), ("scenario", cell.scenario), ("content", cell.corpus))
    yield from (("page size", str(cell.page_size)), ("channels", str(cell.channels)))
    yield from ((f"set {setting.name}", setting.value) for setting in cell.setting)


def _links(cell: Cell) -> Iterator[tuple[str, str]]:
    for issue in shipped():
        where = address(issue.upstream) if issue.id in cell.issues and issue.upstream else None
        if where is not None:
            yield issue.id, where


def _attachments(cell: Cell, seen: str, directory: Path) -> Iterator[tuple[str, bytes, str]]:
    if seen:
        yield "what was seen", printable(seen).encode(), "text/plain"
    for artifact in cell.artifacts:
        path = directory / artifact
        if path.is_file() and path.stat().st_size <= _MOST:
            kind = "application/json" if path.suffix == ".json" else "text/plain"
            yield printable(path.name), path.read_bytes(), kind


def _property(text: str, *, key: bool = False) -> str:
    """As java.util.Properties reads it: ISO 8859-1, one line."""
    escaped = re.sub(r"([\\=:#! ])" if key else r"(\\)", r"\\\1", printable(" ".join(text.split())))
    return "".join(each if ord(each) < 0x7F else f"\\u{ord(each):04x}" for each in escaped if ord(each) < 1 << 16)
