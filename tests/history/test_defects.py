"""Defects of QEMU's history are put back between real QEMUs: the suite's own cells find them, and nothing harmless."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.history.defects import DEFECTS, HARMLESS, Defect, Harmless
from tests.history.laboratory import Laboratory, needs_old_and_new
from tests.history.proxy import Way

pytestmark = needs_old_and_new


@pytest.fixture(scope="module")
def lab() -> Iterator[Laboratory]:
    with TemporaryDirectory(prefix="multifd-test-") as directory:
        lab = Laboratory(Path(directory))
        yield lab
        lab.close()


@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_a_defect_is_found_in_the_cell_that_it_is_put_into(defect: Defect, lab: Laboratory) -> None:
    record, changed = lab.run(lab.cell(defect.cell), defect.wrong)

    assert changed
    assert record.verdict == "fail", record.reason
    assert record.kind in defect.kinds, record.reason


@pytest.mark.parametrize("harmless", HARMLESS, ids=str)
def test_what_does_no_harm_is_no_failure(harmless: Harmless, lab: Laboratory) -> None:
    record, changed = lab.run(lab.cell(harmless.cell), harmless.way)

    assert changed or harmless.way.piece
    assert (record.verdict, record.observed) == ("pass", "identical"), record.reason


def test_every_cell_whose_packets_have_a_defect_is_also_run_with_harmless_ones() -> None:
    assert {each.cell for each in DEFECTS if isinstance(each.wrong, Way)} <= {each.cell for each in HARMLESS}
