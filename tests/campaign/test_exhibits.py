"""What a cell leaves beside its record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from multifd.campaign.exhibits import EXHIBITS, PACKETS, PAGES, clear, exhibited
from multifd.errors import Place
from multifd.evidence.outcome import Outcome
from multifd.oracle.verdict import Observation, Stretch
from tests.reports.builder import cell

ZLIB: Final = Path(__file__).parents[1] / "captures/qemu-7.2-zlib"
WRONG: Final = Stretch("no-such-block", 3, 2, "never sent")
HERE: Final = "  <- here"


def left(results: Path, name: str) -> list[str]:
    """What is in an exhibit of the cell."""
    read: list[str] = json.loads((results / EXHIBITS / "a" / name).read_text(encoding="utf-8"))
    return read


def test_the_packets_around_the_place_that_a_receiver_names_are_kept(tmp_path: Path) -> None:
    seen = Observation("rejected", "broken", place=Place(channel=1, packet=7))

    record = exhibited(cell(id="a", verdict="fail"), Outcome(seen), tmp_path, ZLIB)

    assert [Path(path).name for path in record.artifacts] == [PACKETS]
    assert [line for line in left(tmp_path, PACKETS) if line.endswith(HERE)] != []


def test_wrong_pages_are_kept_as_a_map(tmp_path: Path) -> None:
    record = exhibited(cell(id="a", verdict="fail"), Outcome(Observation("hazard", pages=(WRONG,))), tmp_path)

    assert [Path(path).name for path in record.artifacts] == [PAGES]
    assert len(left(tmp_path, PAGES)) == 1


@pytest.mark.parametrize("sent", [None, ZLIB])
def test_of_a_cell_that_passes_nothing_is_kept(sent: Path | None, tmp_path: Path) -> None:
    record = exhibited(cell(id="a"), Outcome(Observation("identical")), tmp_path, sent)

    assert record.artifacts == ()
    assert not (tmp_path / EXHIBITS).exists()


def test_where_a_stranger_has_put_a_link_the_exhibits_go_elsewhere(tmp_path: Path) -> None:
    mine, results = tmp_path / "mine", tmp_path / "results"
    mine.mkdir()
    results.mkdir()
    (mine / "precious").touch()
    (results / EXHIBITS).symlink_to(mine)

    clear(results)

    assert not (results / EXHIBITS).is_symlink()
    assert [each.name for each in mine.iterdir()] == ["precious"]
