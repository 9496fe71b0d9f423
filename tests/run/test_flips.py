"""A cell of flipped bits with real peers: what is counted, and what a decoder that compares nothing is found to do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from multifd.campaign.conclude import concluded
from multifd.campaign.options import Options
from multifd.lineup.devices import device_peers
from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUp
from multifd.oracle.question import Prediction
from multifd.plan.cell import PlannedCell
from multifd.plan.flips import flip_plan
from multifd.profile.load import load
from multifd.result.known import shipped
from multifd.run.bench import Bench
from multifd.run.stage import Stage


@pytest.fixture(scope="module")
def line_up() -> LineUp:
    profile = load("emulated")
    return resolve("emulated", profile, None, device_peers(profile, []))


@pytest.fixture(scope="module")
def bench(line_up: LineUp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(line_up, Stage(tmp_path_factory.mktemp("stage"), "main", 1, None))
    yield made
    made.close()


def cell(line_up: LineUp, end: str) -> PlannedCell:
    return next(planned for planned in flip_plan(line_up) if planned.id.endswith(end))


def run(bench: Bench, planned: PlannedCell) -> tuple[str, str | None, tuple[int, int, int]]:
    """Verdict, kind, and how many were detected, harmless and silent."""
    record = concluded(planned, bench.flip(planned.work), Options(), shipped())  # type: ignore[arg-type]
    assert record.integrity is not None
    found = record.integrity
    assert found.flips == found.detected + found.harmless + found.silent > 40
    return record.verdict, record.kind, (found.detected, found.harmless, found.silent)


def test_where_a_checksum_is_compared_no_flip_is_silent(bench: Bench, line_up: LineUp) -> None:
    verdict, _, (detected, _, silent) = run(bench, cell(line_up, "zlib-packet[window=15]/zlib~libdeflate"))

    assert (verdict, silent) == ("pass", 0)
    assert detected


def test_pages_as_they_are_notice_nothing(bench: Bench, line_up: LineUp) -> None:
    verdict, _, (detected, harmless, _) = run(bench, cell(line_up, "flips/none/none~none"))

    assert (verdict, detected, harmless) == ("hazard", 0, 0)


def test_one_decoder_after_another_is_given_the_same_bits(bench: Bench, line_up: LineUp) -> None:
    planned = cell(line_up, "raw-packet/zlib~zlib")

    assert run(bench, planned) == run(bench, planned)


def test_a_silent_flip_where_none_was_predicted_is_corruption(bench: Bench, line_up: LineUp) -> None:
    trusting = cell(line_up, "zlib-packet[window=15]/zlib~uadk-emulated")
    promised = Prediction("identical", "guarded", "it compares the checksum", None, ())

    verdict, kind, (_, _, silent) = run(bench, trusting.model_copy(update={"prediction": promised}))

    assert (verdict, kind) == ("fail", "corrupt")
    assert silent
