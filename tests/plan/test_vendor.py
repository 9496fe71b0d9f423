"""Cells about vendor libraries: every check, every reproducer, nothing twice."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from multifd.errors import HarnessError
from multifd.framing.model import FRAMINGS
from multifd.plan.vendor import VendorCell, vendor_plan
from multifd.result.known import shipped
from multifd.scrutiny.checks import CHECKS

ROOT: Final = Path(__file__).resolve().parents[2]
REPRODUCERS: Final = ROOT / "multifd/scrutiny/reproducers"
SCRIPTS: Final = sorted(REPRODUCERS.glob("*/*.py"))
CELLS: Final = vendor_plan({"qatzip": None, "qpl": None}, REPRODUCERS)


def name(script: Path) -> str:
    return f"{script.parent.name}/{script.stem}"


def test_every_check_is_planned_for_every_library() -> None:
    planned = {(cell.library, cell.scenario) for cell in CELLS if cell.script is None and cell.streams is None}

    assert planned == {(library, check) for library in ("qatzip", "qpl") for check in CHECKS}


def test_every_reproducer_is_planned() -> None:
    assert sorted(cell.script for cell in CELLS if cell.script is not None) == SCRIPTS


def test_ids_are_unique() -> None:
    assert len({cell.id for cell in CELLS}) == len(CELLS)


def test_a_cell_says_how_to_run_it_again() -> None:
    cell = next(cell for cell in CELLS if cell.scenario == "4b-overrun")

    assert cell.id == "vendor/qatzip/4b-overrun"
    assert cell.reproduce() == "tox -e conformance -- --cell vendor/qatzip/4b-overrun"


def test_a_library_that_is_not_there_has_its_cells_skipped() -> None:
    (reason,) = {cell.skip for cell in vendor_plan({"qpl": "not here; remedy: fetch it"}, REPRODUCERS)}

    assert reason == "not here; remedy: fetch it"


def test_a_library_that_the_profile_does_not_speak_of_has_no_cells() -> None:
    assert {cell.library for cell in vendor_plan({"qpl": None}, REPRODUCERS)} == {"qpl"}


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
def test_its_framing_exists(cell: VendorCell) -> None:
    assert cell.framing in FRAMINGS


def test_it_survives_the_way_to_a_worker() -> None:
    assert [VendorCell.model_validate_json(cell.model_dump_json()) for cell in CELLS] == CELLS


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


def test_reproducers_are_found_beside_the_package() -> None:
    assert vendor_plan({"qatzip": None, "qpl": None}) == CELLS


def test_a_library_without_reproducers_is_our_defect(tmp_path: Path) -> None:
    with pytest.raises(HarnessError) as error:
        vendor_plan({"qpl": None}, tmp_path)

    assert str(error.value) == f"{tmp_path}/qpl: holds no reproducers (*.py)"


def test_every_emulation_is_held_against_its_library() -> None:
    cells = {cell.id: cell for cell in vendor_plan({"qatzip": None, "qpl": None}, REPRODUCERS) if cell.streams}

    assert {name: (cell.sender, cell.receiver) for name, cell in cells.items()} == {
        "fidelity/qatzip/emulation": ("qat-emulated", "qatzip"),
        "fidelity/qpl/emulation": ("iaa-emulated", "qpl"),
    }
