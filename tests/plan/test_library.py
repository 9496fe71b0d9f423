"""Cells about vendor libraries: every check, every reproducer, nothing twice."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from multifd.errors import HarnessError
from multifd.framing.model import FRAMINGS
from multifd.plan.cell import PlannedCell
from multifd.plan.library import REPRODUCERS, library_plan
from multifd.plan.work import Check, Fidelity, Reproducer
from multifd.result.known import shipped
from multifd.scrutiny.checks import CHECKS

ROOT: Final = Path(__file__).resolve().parents[2]
SCRIPTS: Final = sorted(REPRODUCERS.glob("*/*.py"))
CELLS: Final = list(library_plan({"qatzip": None, "qpl": None}))


def name(script: Path) -> str:
    return f"{script.parent.name}/{script.stem}"


def test_every_check_is_planned_for_every_library() -> None:
    planned = {(cell.work.library, cell.work.name) for cell in CELLS if isinstance(cell.work, Check)}

    assert planned == {(library, check) for library in ("qatzip", "qpl") for check in CHECKS}


def test_every_reproducer_is_planned() -> None:
    planned = {f"{cell.work.library}/{cell.work.name}" for cell in CELLS if isinstance(cell.work, Reproducer)}

    assert planned == set(map(name, SCRIPTS))


def test_every_emulation_is_held_against_its_library() -> None:
    cells = {cell.id: cell.work for cell in CELLS if isinstance(cell.work, Fidelity)}

    assert {name: (work.sender, work.receiver) for name, work in cells.items()} == {
        "fidelity/qatzip/emulation": ("qat-emulated", "qatzip"),
        "fidelity/qpl/emulation": ("iaa-emulated", "qpl"),
    }


def test_a_library_without_reproducers_is_a_defect(tmp_path: Path) -> None:
    with pytest.raises(HarnessError) as error:
        list(library_plan({"qpl": None}, tmp_path))

    assert str(error.value) == f"{tmp_path}/qpl: no reproducers, expected at least one for libqpl"


def test_ids_are_unique() -> None:
    assert len({cell.id for cell in CELLS}) == len(CELLS)


def test_an_id_says_library_and_reproducer() -> None:
    assert "vendor/qatzip/4b-overrun" in {cell.id for cell in CELLS}


def test_a_library_that_is_not_there_has_its_cells_skipped() -> None:
    (reason,) = {cell.skip for cell in library_plan({"qpl": "not here; remedy: fetch it"})}

    assert reason == "not here; remedy: fetch it"


def test_a_library_that_the_profile_does_not_speak_of_has_no_cells() -> None:
    assert {cell.work.receiver for cell in library_plan({"qpl": None})} == {"qpl"}


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
def test_its_framing_exists(cell: PlannedCell) -> None:
    assert cell.work.framing in FRAMINGS


def test_it_survives_the_way_to_a_worker() -> None:
    assert [PlannedCell.model_validate_json(cell.model_dump_json()) for cell in CELLS] == CELLS


@pytest.mark.parametrize("script", SCRIPTS, ids=name)
def test_a_reproducer_is_short(script: Path) -> None:
    assert len(script.read_text(encoding="utf-8").splitlines()) <= 30


@pytest.mark.parametrize("script", SCRIPTS, ids=name)
def test_a_reproducer_says_first_what_it_shows(script: Path) -> None:
    assert script.read_text(encoding="utf-8").startswith('"""')


def test_every_reproducer_has_its_known_issue_and_every_issue_its_reproducer() -> None:
    issues = {issue.id: issue.scenario.split("|")[0] for issue in shipped() if issue.suite == "vendor"}

    assert issues == {f"{script.parent.name}-{script.stem}": script.stem for script in SCRIPTS}


def test_every_reproducer_is_named_by_its_known_issue() -> None:
    named = {issue.reproducer for issue in shipped() if issue.reproducer is not None}

    assert named == {str(script.relative_to(ROOT)) for script in SCRIPTS}
