"""Whether a finding is gone, in sentences: nothing is said to have ended well that did not."""

from __future__ import annotations

from typing import Any

import pytest

from multifd.comparison.compared import compare
from multifd.result.record import Cell, Results
from reports.gone import sentences
from tests.reports.builder import cell, finding, results

ISSUE = "qatzip-raw-exact"
KNOWN: dict[str, Any] = {"verdict": "known", "kind": "hang", "issues": ("other",)}
ABSENT: dict[str, Any] = {"verdict": "fail", "kind": "wrong-error"}


def of_two_runs(*after: Cell) -> list[str]:
    """What is said of a finding that all these cells showed in the run before."""
    before = results(*(cell(id=each.id) for each in after), findings=(shown(*after),))
    return said(before, results(*after).model_copy(update={"run": before.run.model_copy(update={"id": "2"})}), {})


def shown(*cells: Cell) -> Any:
    return finding(id=ISSUE, cells=tuple(each.id for each in cells))


def said(before: Results, after: Results, names: dict[str, str]) -> list[str]:
    found = compare(before, after, names)
    (change,) = (each for each in found.findings if each.id == ISSUE)
    return [line.strip() for line in sentences(change, found, after)]


def test_cells_that_ended_as_they_should_are_said_to() -> None:
    assert of_two_runs(cell(id="a"), cell(id="b", verdict="refused"))[1] == (
        "each of 2 cells that showed it was run again, ended as it should, and does not show it"
    )


@pytest.mark.parametrize(
    ("fields", "ended"),
    [
        (KNOWN, "known (hang), other"),
        ({"verdict": "hazard", "issues": ("other",)}, "hazard, other"),
        (
            ABSENT | {"reason": f"known issue {ISSUE} no longer happens: take it out of the list"},
            "fail (wrong-error), for it no longer happens",
        ),
        (
            ABSENT | {"reason": "known issue other no longer happens: take it out of the list"},
            "fail (wrong-error), for other no longer happens",
        ),
    ],
)
def test_a_cell_that_ended_with_something_else_is_not_said_to_have_ended_as_it_should(
    fields: dict[str, Any], ended: str
) -> None:
    assert of_two_runs(cell(id="a", **fields))[:2] == [
        f"gone: {ISSUE} (corruption, QEMU)",
        "each of 1 cell that showed it was run again, does not show it any more, but ends with something else: "
        + ended,
    ]


def test_of_several_ends_each_is_told_with_its_number() -> None:
    told = of_two_runs(
        cell(id="a"), cell(id="b", **KNOWN), cell(id="c", **KNOWN), cell(id="d", verdict="hazard", issues=("x",))
    )

    assert told[1].endswith("but 3 of them end with something else: 2 cells known (hang), other; 1 cell hazard, x")


def test_within_one_run_nothing_was_run_again_and_the_two_peers_are_named() -> None:
    old, new = (cell(id=f"qemu/{name}~{name}", sender=name, receiver=name) for name in ("qemu-9.2", "qemu-10.2"))
    both = results(old, new, findings=(shown(old),))
    older = next(each for each in both.peers if each.kind == "qemu").model_copy(update={"name": "qemu-9.2"})
    both = both.model_copy(update={"peers": (*both.peers, older)})

    assert said(both, both, {"qemu-9.2": "qemu-10.2"})[1:] == [
        "each of 1 cell that showed it has its like with qemu-10.2, and that ended as it should, and does not show it",
        "before: qemu-9.2; after: qemu-10.2",
    ]
