"""The covering subset of the cells with a real QEMU: small, and nothing that can be told apart is missing from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from multifd.lineup.peers import LineUp
from multifd.plan import work
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu import subset as covering_subset
from multifd.plan.qemu.subset import ENOUGH, covering
from multifd.plan.qemu.whole import qemu_plan
from multifd.plan.scenarios.table import SCENARIOS
from multifd.plan.whole import Plan, PlanOptions, plan
from tests.qemu.recorded import peer

NEW = peer("11.1")
DEAR = "return-path"


def with_one(line_up: LineUp) -> LineUp:
    return line_up.model_copy(update={"qemus": (NEW,)})


@pytest.fixture(scope="module")
def whole(line_up: LineUp) -> list[PlannedCell]:
    return list(qemu_plan(with_one(line_up)))


def subset(cells: list[PlannedCell]) -> list[PlannedCell]:
    return covering(cells, [NEW.name])


def seen(cells: Iterable[PlannedCell], *fields: str) -> set[tuple[object, ...]]:
    return {tuple(getattr(cell.pairing, field) for field in fields) for cell in cells}


def ends(cells: Iterable[PlannedCell]) -> Iterator[tuple[str, str, str]]:
    return ((cell.pairing.scenario, cell.prediction.outcome, cell.prediction.rule) for cell in cells)


# What is in it


def test_every_scenario_ends_in_every_way_that_is_predicted_for_it(whole: list[PlannedCell]) -> None:
    assert set(ends(subset(whole))) == set(ends(whole))


@pytest.mark.parametrize(
    "field",
    ["fault", "sender", "receiver", "sender_framing", "receiver_framing", "channels", "receiver_channels", "corpus"],
)
def test_every_value_is_there_if_there_is_time(
    field: str, whole: list[PlannedCell], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(covering_subset, "ENOUGH", 10_000)

    assert seen(subset(whole), field) == seen(whole, field)


def test_what_time_is_left_goes_to_values_that_are_not_there_yet(
    whole: list[PlannedCell], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(covering_subset, "ENOUGH", 0)
    telling = seen(subset(whole), "sender", "corpus", "fault")
    monkeypatch.setattr(covering_subset, "ENOUGH", 200)

    assert telling < seen(subset(whole), "sender", "corpus", "fault")


def test_every_method_is_sent_and_read_by_a_real_qemu(whole: list[PlannedCell]) -> None:
    chosen = subset(whole)

    assert {c.pairing.sender_framing for c in chosen if c.pairing.sender == NEW.name} >= set(NEW.methods)
    assert {c.pairing.receiver_framing for c in chosen if c.pairing.receiver == NEW.name} >= set(NEW.methods)


def test_a_scenario_that_is_new_is_covered_without_being_listed(whole: list[PlannedCell]) -> None:
    before = [cell for cell in whole if cell.pairing.scenario != DEAR]
    new = next(cell for cell in whole if cell.pairing.scenario == DEAR)

    assert new in subset([*before, new])


def test_a_reason_to_skip_is_told_once(whole: list[PlannedCell]) -> None:
    skipped = [cell.model_copy(update={"skip": "no KVM; remedy: a host with KVM"}) for cell in whole[:9]]

    assert len([cell for cell in subset([*skipped, *whole[9:]]) if cell.skip]) == 1


# How much it is


def test_it_costs_half_a_minute_of_two_cores(whole: list[PlannedCell]) -> None:
    assert sum(cell.pairing.plan.cost for cell in subset(whole)) <= ENOUGH < len(whole) / 2


def test_what_is_expensive_is_chosen_once_for_each_of_its_endings(
    whole: list[PlannedCell], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "SCENARIOS", {**SCENARIOS, DEAR: replace(SCENARIOS[DEAR], cost=50)})

    assert [cell.pairing.scenario for cell in subset(whole)].count(DEAR) == 1


def test_equal_plans_have_equal_subsets_in_the_order_of_the_plan(whole: list[PlannedCell]) -> None:
    chosen = subset(whole)

    assert chosen == subset(whole) == [cell for cell in whole if cell in chosen]


def test_without_a_cell_there_is_none() -> None:
    assert subset([]) == []


# In a plan


def test_a_plan_says_what_it_does_without(few: LineUp) -> None:
    line_up = with_one(few)
    whole = list(qemu_plan(line_up))

    planned = plan(line_up, {}, PlanOptions(subset=True))

    chosen = [cell.id for cell in planned.cells.values() if cell.suite == "qemu"]
    assert chosen == [cell.id for cell in subset(whole)]
    assert [*planned.left_out] == [cell.id for cell in whole if cell.id not in chosen]
    assert planned.subset is not None
    assert planned.subset.words == (
        f"covering subset: {len(chosen)} of {len(whole)} cells with real QEMU; '--qemu found' runs all"
    )


def test_a_plan_without_a_qemu_has_no_subset(few: LineUp, planned_few: Plan) -> None:
    assert plan(few, {}, PlanOptions(subset=True)) == planned_few
