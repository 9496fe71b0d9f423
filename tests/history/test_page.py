"""The page of what went wrong before: every cell that it names is planned, and what shows a defect is there."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from multifd.lineup.devices import device_peers
from multifd.lineup.introduce import resolve
from multifd.plan.flips import flip_plan
from multifd.plan.library import library_plan
from multifd.plan.qemu.whole import qemu_plan
from multifd.profile.load import load
from multifd.result.known import shipped
from tests.history.defects import DEFECTS, Defect
from tests.qemu.recorded import peer

TEXT: Final = (Path(__file__).resolve().parents[2] / "docs" / "history.md").read_text(encoding="utf-8")
SPAN: Final = re.compile(r"`([^`]+)`")
COMMIT: Final = re.compile(r"\b[0-9a-f]{10}\b")
PATTERN: Final = re.compile(r"(?:qemu|vendor|flips)/\S+")


class Row(NamedTuple):
    """A row of a table."""

    commits: frozenset[str]
    in_scope: bool
    cells: tuple[str, ...]
    shown: tuple[str, ...]
    """Defects that are put back, and known issues."""


def rows(title: str) -> list[Row]:
    """Those of the table under a heading."""
    section = TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]
    head, _, *lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [_row(dict(zip(head, line, strict=False))) for line in lines]


def _row(columns: Mapping[str, str]) -> Row:
    return Row(
        frozenset(COMMIT.findall(columns.get("commit", ""))),
        columns.get("in scope") == "yes",
        tuple(filter(PATTERN.fullmatch, SPAN.findall(columns["found by"]))),
        tuple(span for span in SPAN.findall(columns.get("shown by", "")) if not PATTERN.fullmatch(span)),
    )


QEMU: Final = rows("QEMU")
OTHERS: Final = rows("What could go wrong as well")
LIBRARIES: Final = rows("Libraries")
NAMED: Final = tuple(dict.fromkeys(cell for row in (*QEMU, *OTHERS, *LIBRARIES) for cell in row.cells))


@pytest.fixture(scope="module")
def planned() -> frozenset[str]:
    """Ids of the cells that can be named, with QEMUs and vendor libraries that nobody could start."""
    profile = load("emulated")
    qemus = (peer("7.2"), peer("10.0"), peer("11.1"), peer("10.0", "qpl", "uadk", "qatzip", name="qemu-lab"))
    line_up = resolve("emulated", profile, None, device_peers(profile, [])).model_copy(update={"qemus": qemus})
    plans = (qemu_plan(line_up), library_plan({"qpl": None, "qatzip": None}), flip_plan(line_up))
    return frozenset(cell.id for cell in itertools.chain(*plans))


def scenario(pattern: str) -> str:
    """That of a pattern; empty where it has none."""
    parts = pattern.split("/")
    return parts[4] if pattern.startswith("qemu/") else ""


@pytest.mark.parametrize("pattern", NAMED)
def test_every_cell_that_is_named_is_planned(pattern: str, planned: frozenset[str]) -> None:
    assert matching(planned, pattern)


def test_every_defect_that_is_put_back_is_named_and_the_other_way_round() -> None:
    named = {name for row in (*QEMU, *OTHERS) for name in row.shown}

    assert named - issues() == {defect.name for defect in DEFECTS}


@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_a_defect_stands_in_the_rows_of_its_commits(defect: Defect) -> None:
    there = [row.commits for row in (*QEMU, *OTHERS) if defect.name in row.shown]

    assert frozenset().union(*there) == frozenset(defect.commits)


def test_every_row_in_scope_is_shown_and_two_thirds_of_all_have_a_cell() -> None:
    assert all(row.cells and row.shown for row in QEMU if row.in_scope)
    assert 3 * sum(bool(row.cells) for row in QEMU) >= 2 * len(QEMU)


def matching(planned: Iterable[str], pattern: str) -> bool:
    """Some cell is like this."""
    return any(fnmatchcase(cell, pattern) for cell in planned)


def issues() -> set[str]:
    """Names of the known issues."""
    return {issue.id for issue in shipped()}
