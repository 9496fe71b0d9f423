"""Vendor libraries that are wrong in one condition only: some cell of the default run must notice each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from multifd.libraries.find import libraries
from tests.mutants.mutants import CONDITIONS, LIBRARIES, Mutant, mutants
from tests.mutants.substitute import COMPILER
from tests.mutants.workshop import Workshop

DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs/mutation.md"
RIGHT = ("pass", "known")
SAMPLE = 40
"""Cells that tell enough about a library that is right."""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    found = libraries()
    if lacking := [name for name in LIBRARIES if name not in found]:
        pytest.skip(f"no library for {' and '.join(lacking)} on this host; remedy: multifd vendor fetch")
    if COMPILER is None:
        pytest.skip("no C compiler to build mutants with; remedy: apt install gcc")
    return Workshop(tmp_path_factory.mktemp("mutants"), found)


@pytest.mark.parametrize("mutant", list(mutants()), ids=str)
def test_the_default_run_notices(mutant: Mutant, workshop: Workshop) -> None:
    cells = workshop.cells(mutant)

    with workshop.mutated(mutant):
        noticed = next((record for record in workshop.run(cells) if record.verdict not in RIGHT), None)
        probed = workshop.probed(mutant.library) if noticed is None else None

    assert noticed is not None, f"none of {len(cells)} cells notices, the probe says {probed}"
    assert (noticed.verdict, noticed.kind) in {("fail", "corrupt"), ("fail", "wrong-error")}, noticed.reason


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_that_only_passes_on_conforms(library: str, workshop: Workshop) -> None:
    concerned = {cell.id: cell for each in mutants() if each.library == library for cell in workshop.cells(each)}
    sample = list(concerned.values())[:: max(1, len(concerned) // SAMPLE)]

    records = list(workshop.run(sample))

    assert workshop.probed(library) is None
    assert {record.id: record.reason for record in records if record.verdict not in RIGHT} == {}


def test_the_documentation_lists_every_condition() -> None:
    text = (
        DOCUMENTATION.read_text(encoding="utf-8").partition("## Mutants of vendor libraries\n")[2].partition("\n## ")[0]
    )

    rows = re.findall(r"^\| ([^|]+) \| `(.+)`", text, re.MULTILINE)
    assert rows == [(each.name, each.when.replace("|", r"\|")) for each in CONDITIONS]
