"""The covering array of the plan: what every run looks at."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from itertools import pairwise, product

import numpy as np
import pytest

from multifd.framing.model import FRAMINGS, Scope
from multifd.lineup.peers import LineUp
from multifd.memory.blocks import packet_pages
from multifd.memory.corpus import CORPORA
from multifd.plan.array import EDGE
from multifd.plan.cell import PlannedCell
from multifd.plan.coverage import covered, in_words
from multifd.plan.covering import OPEN
from multifd.plan.scenarios.table import SCENARIOS
from multifd.plan.space import CAPTURE, CHANNELS, PAGE_SIZES, Factor, Space
from multifd.plan.whole import Plan, PlanOptions, plan
from multifd.plan.work import Pairing
from multifd.wire.dialect import DIALECTS
from tests.plan.looking import changed, of

SEVERAL_ROUNDS = {name for name, each in SCENARIOS.items() if each.mode == "live" and each.several_rounds} - {
    "mutating"
}
OWN = {"qatzip": "qat-emulated", "qpl": "iaa-emulated", "uadk": "uadk-emulated"}


@pytest.fixture(scope="module")
def space(line_up: LineUp) -> Space:
    return Space(line_up)


@pytest.fixture(scope="module")
def rows(planned: Plan) -> list[PlannedCell]:
    return [c for c in (*of(planned, "wire"), *of(planned, "integrity")) if c.prediction.outcome != "rejected"]


def test_every_feasible_pair_of_values_is_there(planned: Plan, space: Space) -> None:
    tuples = covered(space, (cell.work for cell in planned.cells.values()))

    assert [in_words(space, members) for members in tuples.missing(2)] == []
    assert tuples.count(2)[1] > 2000


def test_three_in_four_triples_are_there_by_the_way(planned: Plan, space: Space) -> None:
    had, feasible = covered(space, (cell.work for cell in planned.cells.values())).count(3)

    assert had >= 0.75 * feasible, "docs/coverage.md says three in four"


def test_strength_3_has_nearly_all_triples(line_up: LineUp, space: Space) -> None:
    nightly = plan(line_up, {}, PlanOptions(strength=3))

    tuples = covered(space, (cell.work for cell in nightly.cells.values()))

    had, feasible = tuples.count(3)
    assert had >= 0.97 * feasible, "docs/coverage.md says 97 in 100"
    assert tuples.missing(2) == []


def test_another_seed_covers_as_much_by_other_cells(line_up: LineUp, space: Space, planned: Plan) -> None:
    other = plan(line_up, {}, PlanOptions(seed=2))

    assert covered(space, (cell.work for cell in other.cells.values())).missing(2) == []
    assert other.cells.keys() != planned.cells.keys()


def test_what_fits_is_captured_and_live_over_several_rounds(rows: list[PlannedCell], space: Space) -> None:
    fitting = {
        (name, sender.name, receiver.name)
        for name, sender, receiver in product(FRAMINGS, space.senders, space.receivers)
        if any(space.fits(name, sender, receiver, page_size) for page_size in PAGE_SIZES)
    }

    done = defaultdict(set)
    for cell in rows:
        pairing = cell.pairing
        if cell.prediction.outcome == "identical":
            done[pairing.scenario].add((pairing.sender_framing, pairing.sender, pairing.receiver))

    live = set[tuple[str, str, str]]().union(*(done[scenario] for scenario in SEVERAL_ROUNDS))
    senders = {space.senders[place].name for place in space.plain("sender")}
    receivers = {space.receivers[place].name for place in space.plain("receiver")}
    assert done[CAPTURE] == fitting
    assert live >= {each for each in fitting if each[1] in senders and each[2] in receivers}
    assert {each[:2] for each in live} == {each[:2] for each in fitting}
    assert {each[::2] for each in live} == {each[::2] for each in fitting}


def test_every_scenario_that_counts_as_several_rounds_has_them() -> None:
    assert {SCENARIOS[name].shape for name in SEVERAL_ROUNDS} == {"dirty", "zero-only", "partial", "empty"}


@pytest.mark.parametrize(("method", "codec"), OWN.items())
@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_an_accelerators_codec_meets_everything_live_under_its_own_method(
    method: str, codec: str, role: str, rows: list[PlannedCell]
) -> None:
    own = [
        cell.pairing
        for cell in rows
        if cell.pairing.sender_framing == method
        and getattr(cell.pairing, role) == codec
        and cell.pairing.scenario != CAPTURE
    ]

    spoken = {name for name, each in DIALECTS.items() if method in each.flags}
    assert {p.scenario for p in own} >= {"partial", "zero-only", "empty", "live"}
    assert {p.page_size for p in own} == set(PAGE_SIZES)
    assert {p.channels for p in own} >= set(CHANNELS)
    assert {p.corpus for p in own} >= {"random", "compressed", "mixed", "zero", EDGE}
    assert {getattr(p, f"{role}_dialect") for p in own} == spoken
    assert {p.fill.split("-")[0] for p in own} == {"full", "single", "few", "sweep"}


@cache
def has_zero_pages(corpus: str) -> bool:
    """Some page is zero, and travels in no payload."""
    pages = np.frombuffer(CORPORA[corpus].of_pages(4096).content(3 << 19, 1), np.uint8).reshape(-1, 4096)
    return not pages.any(1).all()


def test_no_pairing_is_shown_by_memory_without_content(rows: list[PlannedCell]) -> None:
    """Nothing is encoded then, and nothing decoded."""
    shown = defaultdict(set)
    for pairing in (cell.pairing for cell in rows):
        shown[pairing.sender_framing, pairing.sender, pairing.receiver, pairing.scenario == CAPTURE].add(pairing.corpus)

    assert [key for key, contents in shown.items() if key[3] and contents == {"zero"}] == []


def test_an_accelerators_codec_has_sessions_that_last_under_its_own_method(rows: list[PlannedCell]) -> None:
    lasting = {
        (p.sender_framing, p.sender)
        for p in (cell.pairing for cell in rows)
        if (p.scenario, p.channels, p.fill) == ("live", 2, "few")
    }

    assert lasting >= set(OWN.items())


def test_packets_of_every_number_of_pages_reach_every_decoder(rows: list[PlannedCell], space: Space) -> None:
    fills: dict[str, set[int]] = defaultdict(set)
    for pairing in (cell.pairing for cell in rows):
        if pairing.scenario == CAPTURE and pairing.page_size == 4096 and not has_zero_pages(pairing.corpus):
            fills[pairing.receiver].update(packet_pages(pairing.fill, 128) or (128,))

    assert {name: sorted(set(range(1, 129)) - found) for name, found in fills.items()} == {
        peer.name: [] for peer in space.receivers
    }


def test_pages_at_the_edge_reach_every_decoder_of_pages(rows: list[PlannedCell], space: Space) -> None:
    edges = {
        (c.pairing.sender_framing, c.pairing.receiver)
        for c in rows
        if (c.pairing.corpus, c.pairing.page_size) == (EDGE, 4096)
    }

    assert edges >= {
        (name, receiver.name)
        for name, sender, receiver in product(FRAMINGS, space.senders, space.receivers)
        if FRAMINGS[name].scope is Scope.PAGE
        and not FRAMINGS[name].raw_pages
        and space.fits(name, sender, receiver, 4096)
    }


def test_few_images_of_memory_serve_all_rows(rows: list[PlannedCell]) -> None:
    assert len({cell.pairing.script_key(1) for cell in rows}) < 0.1 * len(rows)


def test_some_receivers_share_a_capture(rows: list[PlannedCell]) -> None:
    captured = [cell.pairing for cell in rows if cell.pairing.scenario == CAPTURE]

    assert len({pairing.capture_key(1) for pairing in captured}) < 0.7 * len(captured)


def test_cells_of_a_capture_follow_each_other_where_they_were_made_together(rows: list[PlannedCell]) -> None:
    keys = [cell.pairing.capture_key(1) for cell in rows if cell.pairing.scenario == CAPTURE]

    runs = 1 + sum(one != other for one, other in pairwise(keys))
    assert runs < 1.2 * len(set(keys))


def test_a_peer_that_is_skipped_is_no_value(line_up: LineUp) -> None:
    space = Space(changed(line_up, "zlib", skip="not today"))

    assert "zlib" not in {peer.name for peer in (*space.senders, *space.receivers)}


def test_a_pairing_outside_the_space_has_no_row(rows: list[PlannedCell], space: Space) -> None:
    pairing = rows[0].pairing

    for change in ({"corpus": "period-256"}, {"channels": 255}, {"fault": "magic"}, {"receiver_framing": "qpl"}):
        assert space.row(pairing.model_copy(update=change)) is None
    assert space.row(pairing) is not None


def test_a_row_says_what_the_pairing_is(rows: list[PlannedCell], space: Space) -> None:
    pairing = next(cell.pairing for cell in rows if cell.pairing.fill.startswith("sweep"))

    row = space.row(pairing)

    assert row is not None
    assert [space.values[factor][row[factor]] for factor in (Factor.SENDER, Factor.CONTENT, Factor.FILL)] == [
        pairing.sender, pairing.corpus, "sweep",
    ]  # fmt: skip


def test_projections_are_those_of_the_whole_relation(space: Space) -> None:
    """A combination of a factor of either relation is feasible if some framing has both."""
    found = space.feasible((Factor.SENDER, Factor.SENDER_DIALECT))

    expected = np.zeros_like(found)
    for framing in range(len(FRAMINGS)):
        senders = space.codecs[framing].any((1, 2))
        dialects = space.generations[framing].any((1, 2))
        expected |= senders[:, None] & dialects
    assert (found == expected).all()


def test_what_is_allowed_can_be_completed(space: Space) -> None:
    row = np.full(len(Factor), OPEN)
    row[Factor.SENDER_DIALECT] = list(DIALECTS).index("qemu-5.0")

    allowed = space.allowed(row, Factor.FRAMING, space.identical)

    names = {name for name, can in zip(FRAMINGS, allowed, strict=True) if can}
    assert {"none", "zlib", "zstd"} <= names
    assert names.isdisjoint({"qpl", "uadk", "qatzip"})


def test_every_cell_of_the_array_is_a_migration_with_its_prediction(rows: list[PlannedCell]) -> None:
    assert all(isinstance(cell.work, Pairing) for cell in rows)
    assert {cell.prediction.outcome for cell in rows} <= {"identical", "hazard"}
