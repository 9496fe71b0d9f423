"""What a run has covered is counted from the cells that were looked at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from multifd.campaign.circumstances import reached
from multifd.campaign.conclude import planned
from multifd.campaign.options import Options
from multifd.campaign.prepare import Campaign, prepare
from multifd.result.record import Cell, Coverage, Verdict


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    profile: Path = tmp_path_factory.mktemp("profile") / "two.yaml"
    profile.write_text("description: two\npeers:\n  - codec: zlib\n  - codec: none\n")
    return prepare(Options(profile=str(profile)), lambda _: None, probe=False)


def covered(campaign: Campaign, cells: Iterable[Cell]) -> tuple[int, int, int]:
    found: Coverage = reached(campaign, cells, {})
    assert found.pairs is not None and found.triples is not None
    return found.pairs.had, found.triples.had, len(found.never)


def ended(campaign: Campaign, verdict: Verdict) -> list[Cell]:
    cells = (planned(cell, campaign.options) for cell in campaign.plan.cells.values())
    return [cell.model_copy(update={"verdict": verdict}) for cell in cells]


@pytest.mark.parametrize("verdict", ["pass", "fail"])
def test_a_whole_run_has_every_pair(campaign: Campaign, verdict: Verdict) -> None:
    found = reached(campaign, ended(campaign, verdict), {"wire": 7})

    assert found.pairs is not None and found.triples is not None
    assert found.pairs.had == found.pairs.feasible > 500
    assert found.pairs.feasible < found.triples.had < found.triples.feasible
    assert (found.cells, found.never) == ({"wire": 7}, ())


@pytest.mark.parametrize("verdict", ["skip", "not-run", "error"])
def test_what_was_not_looked_at_covers_nothing(campaign: Campaign, verdict: Verdict) -> None:
    assert covered(campaign, ended(campaign, verdict)) == (0, 0, 500)


def test_a_part_says_which_pairs_it_never_had(campaign: Campaign) -> None:
    one = next(cell for cell in ended(campaign, "pass") if cell.suite == "wire" and cell.verdict == "pass")

    found = reached(campaign, [one], {})

    assert found.pairs is not None and found.triples is not None
    assert (found.pairs.had, found.triples.had) == (55, 165)
    assert len(found.never) == 500
