"""The suite ``wire``: what must be refused beside the covering array, and the user's own content."""

from __future__ import annotations

from itertools import product

import pytest

from multifd.framing.model import FRAMINGS
from multifd.lineup.peers import LineUp
from multifd.memory.blocks import UNIT
from multifd.plan.pairings import able, pairing_cell
from multifd.plan.space import CAPTURE, Space
from multifd.plan.whole import Plan, PlanOptions, plan
from tests.plan.looking import changed, of


def test_every_pairing_of_one_framing_that_can_be_tried_is(planned: Plan, line_up: LineUp) -> None:
    done = {(c.pairing.framing, c.pairing.sender, c.pairing.receiver) for c in of(planned, "wire")}

    assert done >= {
        (name, sender.name, receiver.name)
        for name, sender, receiver in product(FRAMINGS, line_up.senders(), line_up.receivers())
        if able(sender, receiver, name, name)
    }


def test_every_rule_that_can_refuse_a_framing_to_a_decoder_does(planned: Plan, line_up: LineUp) -> None:
    """Whoever the sender is: the rule speaks of what it sends."""
    refusals = {
        (c.prediction.rule, c.pairing.receiver_framing, c.pairing.receiver)
        for c in planned.cells.values()
        if c.prediction.outcome == "rejected" and c.work.kind == "pairing" and c.pairing.scenario == CAPTURE
    }

    for sent, read in product(FRAMINGS, FRAMINGS):
        for sender, receiver in product(line_up.senders(), line_up.receivers()):
            if "[" not in sender.name and able(sender, receiver, sent, read):
                cell = pairing_cell("wire", sender, receiver, (sent, read), CAPTURE, {"pc.ram": 2 << 20})
                if cell.prediction.outcome == "rejected" and (sent == read or sender.device or sender.name == "zlib"):
                    assert (cell.prediction.rule, read, receiver.name) in refusals


def test_refusals_have_content_of_every_kind(planned: Plan) -> None:
    assert {c.pairing.corpus for c in of(planned, "wire") if c.prediction.outcome == "rejected"} == {"mixed"}


def test_what_only_larger_pages_break_is_tried_with_these(planned: Plan) -> None:
    assert {
        c.prediction.rule
        for c in of(planned, "wire")
        if c.prediction.outcome == "rejected" and c.pairing.page_size > 4096
    } >= {"window"}


@pytest.fixture(scope="module")
def with_users(line_up: LineUp) -> Plan:
    return plan(line_up, {}, PlanOptions(user_corpus=True))


def test_the_users_own_content_goes_with_every_pairing_that_must_arrive(line_up: LineUp, with_users: Plan) -> None:
    cells = [c for c in of(with_users, "wire") if c.pairing.corpus == "user"]

    space = Space(line_up)
    assert sorted((c.pairing.framing, c.pairing.sender, c.pairing.receiver) for c in cells) == sorted(
        (name, sender.name, receiver.name)
        for name, sender, receiver in product(FRAMINGS, space.senders, space.receivers)
        if space.fits(name, sender, receiver, 4096)
    )
    assert {c.prediction.outcome for c in cells} == {"identical"}


def test_the_users_content_changes_nothing_else(with_users: Plan, planned: Plan) -> None:
    assert [c.id for c in with_users.cells.values() if c.work.corpus != "user"] == list(planned.cells)


def test_a_guest_has_as_much_memory_as_asked_for(few: LineUp) -> None:
    cells = of(plan(few, {}, PlanOptions(memory=8 << 20)), "wire")

    hole = 256 << 10
    sizes = {sum(c.pairing.sizes.values()) - hole * (c.pairing.blocks == "hole") for c in cells}
    assert sizes == {8 << 20, (8 << 20) - UNIT}


def test_a_peer_that_does_not_take_part_has_its_cells_all_the_same(few: LineUp) -> None:
    cells = [c for c in of(plan(changed(few, "zlib", skip="not today"), {}), "wire") if "zlib" in c.id.split("/")[2]]

    assert {c.skip for c in cells if "zlib" in (c.pairing.sender, c.pairing.receiver)} == {"not today"}


def test_captures_in_different_dialects_are_different(planned: Plan) -> None:
    pairing = of(planned, "wire")[0].pairing

    other = pairing.model_copy(update={"sender_dialect": "qemu-5.0"})

    assert other.capture_key(1) != pairing.capture_key(1)


def test_a_capture_for_a_receiver_of_an_older_machine_type_is_another(planned: Plan) -> None:
    pairing = of(planned, "wire")[0].pairing.model_copy(update={"sender_dialect": "qemu-9.0"})

    older, newer = (pairing.model_copy(update={"receiver_dialect": name}) for name in ("qemu-5.0", "qemu-9.2"))

    assert older.capture_key(1) != newer.capture_key(1)


@pytest.mark.parametrize("change", [{"fill": "single"}, {"blocks": "one"}, {"corpus": "text"}, {"channels": 3}])
def test_a_capture_of_something_else_is_another(change: dict[str, object], planned: Plan) -> None:
    pairing = of(planned, "wire")[0].pairing.model_copy(
        update={"fill": "full", "blocks": "two", "corpus": "mixed", "channels": 2}
    )

    assert pairing.model_copy(update=change).capture_key(1) != pairing.capture_key(1)
