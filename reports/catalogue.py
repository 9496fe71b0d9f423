"""All that the page draws on demand, as columns: a row for each cell, in the order of the plan.

Beside the cells stand the matrices that they have their places in (a cell says which, and its row and column there),
the peers, the words for verdicts and the like, and what each peer's work cost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from operator import attrgetter
from typing import Any, Final

from multifd.result.record import Cell, Integrity, Results
from reports import columns, device, performance, vocabulary
from reports.exhibits import Exhibits
from reports.matrix import Blank, Matrix, Place
from reports.model import Suite, suites
from reports.past import Past
from reports.unnamed import Unnamed, unnamed
from reports.visible import link

ITSELF: Final = "\ufffc"
"""Stands for a cell's own id where that is part of another text: a reader puts it back."""

_AS_THEY_ARE: Final = (
    "id", "suite", "sender", "receiver", "framing", "dialect", "scenario", "corpus", "predicted", "observed", "verdict",
    "kind", "reason", "error", "device_verdict", "blocks", "fill", "aftermath", "rule", "predicted_because",
    "issues", "complaints", "page_size", "channels", "bytes_memory", "bytes_wire",
)  # fmt: skip
_WORDS: Final = {True: "yes", False: "no", None: "–"}
_MADE_INTO: Final = (
    "provenance.sender", "provenance.receiver", "seconds.encode", "seconds.decode", "seconds.wall",
    "cpu_seconds.sender", "cpu_seconds.receiver", "device", "setting", "integrity", "invariants", "reproduce",
    "artifacts",
)  # fmt: skip
_NEAR: Final = 1024
"""Cells that a processor's cache may have at a time."""
_PRECISION: Final = 3
"""Significant digits of a time: more are noise, and every one of them is bytes."""


def encoded(results: Results, exhibits: Mapping[str, Exhibits], past: Past | None = None) -> str:
    """The cells and what belongs to them, packed as :mod:`reports.columns` has it."""
    shown = suites(results)
    held = _columns(results.cells, shown, exhibits)
    if past is not None:
        held["past"] = (past.records.get(cell.id, ()) for cell in results.cells)
    return columns.packed(len(results.cells), held, _facts(results, shown, past))


def _columns(
    cells: tuple[Cell, ...], shown: tuple[Suite, ...], exhibits: Mapping[str, Exhibits]
) -> dict[str, Iterable[Any]]:
    none = Exhibits()
    places = _places(shown)
    had = _values(cells, (*_AS_THEY_ARE, *_MADE_INTO))
    ids = had["id"]
    left = [exhibits.get(name, none) for name in ids]
    return {
        **{name: had[name] for name in _AS_THEY_ARE},
        "sent_by": had["provenance.sender"],
        "read_by": had["provenance.receiver"],
        "encode": _times(had["seconds.encode"]),
        "decode": _times(had["seconds.decode"]),
        "wall": _times(had["seconds.wall"]),
        "sender_cpu": _times(had["cpu_seconds.sender"]),
        "receiver_cpu": _times(had["cpu_seconds.receiver"]),
        "device": [tuple((w.end, w.device, device.said(w)) for w in work) if work else () for work in had["device"]],
        "setting": [tuple(map(str, setting)) if setting else () for setting in had["setting"]],
        "integrity": map(_flips, had["integrity"]),
        "broken": [found.broken if found else () for found in had["invariants"]],
        "unseen": [found.unseen if found else () for found in had["invariants"]],
        "reproduce": [text.replace(name, ITSELF) for text, name in zip(had["reproduce"], ids, strict=True)],
        "artifacts": [
            tuple(_file(path, name) for path in paths) if paths else ()
            for paths, name in zip(had["artifacts"], ids, strict=True)
        ],
        "place": map(places.get, ids),
        "pages": [each.pages for each in left],
        "words": [each.words for each in left],
        "packets": [each.packets for each in left],
        "unnamed": map(_unnamed, cells, left),
    }


def _unnamed(cell: Cell, left: Exhibits) -> Unnamed | None:
    found = unnamed(cell, left.packets)
    return found and (found[0], tuple(command.replace(cell.id, ITSELF) for command in found[1]))


def _values(cells: tuple[Cell, ...], names: tuple[str, ...]) -> dict[str, list[Any]]:
    """Of each field its value in every cell; some cells at a time, for while one is near all of it is read at once."""
    found: dict[str, list[Any]] = {name: [] for name in names}
    read = attrgetter(*names)
    for start in range(0, len(cells), _NEAR):
        values = zip(*map(read, cells[start : start + _NEAR]), strict=True)
        for column, part in zip(found.values(), values, strict=True):
            column.extend(part)
    return found


def _times(found: Iterable[float | None]) -> Iterator[float | None]:
    return (None if seconds is None else float(f"{seconds:.{_PRECISION}g}") for seconds in found)


def _flips(found: Integrity | None) -> tuple[int, int, int, int] | None:
    return None if found is None else (found.flips, found.detected, found.harmless, found.silent)


def _file(path: str, cell: str) -> tuple[str, bool]:
    """What an artifact is called, and whether that leads to a file beside the report."""
    return path.replace(cell, ITSELF), link(path) is not None


def _places(shown: Iterable[Suite]) -> dict[str, tuple[int, int, int]]:
    """By id of a cell its part, row and column; of a listing the row is the place, and there is one column."""
    found = {}
    for number, part in enumerate(part for suite in shown for part in suite.parts):
        lines = [row.places for row in part.rows] if isinstance(part, Matrix) else [(p,) for p in part.places]
        for row, line in enumerate(lines):
            for column, place in enumerate(line):
                for cell in place.cells if isinstance(place, Place) else ():
                    found[cell.id] = number, row, column
    return found


def _facts(results: Results, shown: Iterable[Suite], past: Past | None) -> dict[str, Any]:
    return {
        "run": {"id": results.run.id, "started": results.run.started},
        "past": past and {"runs": [asdict(run) for run in past.runs], "left": past.left},
        "parts": [_part(suite.name, part) for suite in shown for part in suite.parts],
        "peers": [
            {
                "name": p.name, "kind": p.kind, "device": p.device, "provenance": p.provenance, "version": p.version,
                "roles": list(p.roles), "codec": p.codec,
                "capabilities": {name: _short(value) for name, value in p.capabilities.items()},
            }
            for p in results.peers
        ],
        "unable": [[u.framing, u.peer, u.role, u.reason, u.tried] for u in results.unable],
        "findings": {f.id: f"{f.component} {f.versions}: {f.cause}" for f in results.findings},
        "costs": [_point(point) for point in performance.points(results)],
        "verdicts": {name: asdict(term) for name, term in vocabulary.VERDICTS.items()},
        "kinds": vocabulary.KINDS,
        "means": {"": vocabulary.MEANS, **vocabulary.OTHERWISE},
        "rules": [[rule.name, rule.holds] for rule in results.run.rules],
        "devices": vocabulary.DEVICES,
        "provenances": {name: asdict(term) for name, term in vocabulary.PROVENANCES.items()},
        "versions": {name: vocabulary.versions(name) for name in vocabulary.DIALECTS},
        "released": list(vocabulary.RELEASED),
        "proposed": vocabulary.PROPOSED_DIALECT,
    }  # fmt: skip


def _part(suite: str, part: Any) -> dict[str, Any]:
    if not isinstance(part, Matrix):
        return {"suite": suite, "title": part.title, "rows": len(part.places)}
    return {
        "suite": suite,
        "title": part.title,
        "axes": part.axes,
        "columns": [[label.name, label.note, label.marks] for label in part.columns],
        "rows": [[row.label.name, row.label.note, row.label.marks] for row in part.rows],
        "marked": part.marked,
        "blank": _blank(part),
    }


def _blank(part: Matrix) -> dict[str, str]:
    """Why nothing is in a row (``3,``) or in a column (``,3``), where a peer says that it cannot."""
    why: dict[str, str] = {}
    across = list(zip(*(row.places for row in part.rows), strict=True))
    for prefix, suffix, lines in (("", ",", [row.places for row in part.rows]), (",", "", across)):
        for number, line in enumerate(lines):
            reasons = {place.why for place in line if isinstance(place, Blank)}
            if len(reasons) >= 1 and not any(isinstance(place, Place) for place in line):
                why[f"{prefix}{number}{suffix}"] = next(place.why for place in line if isinstance(place, Blank))
    return why


def _point(point: performance.Point) -> list[Any]:
    spreads = (point.ratio, point.cpu, point.speed)
    return [
        point.framing, point.peer, point.provenance, point.role, point.corpus, point.cells,
        *(spread and [float(f"{v:.4g}") for v in (spread.least, spread.median, spread.most)] for spread in spreads),
    ]  # fmt: skip


def _short(value: Any) -> str:
    """A capability in few characters."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_short(each)}" for name, each in value.items())
    if isinstance(value, list | tuple) and all(isinstance(item, str | int) for item in value):
        return " ".join(map(str, value)) or "none"
    return _WORDS[value] if value is None or isinstance(value, bool) else json.dumps(value, default=str)
