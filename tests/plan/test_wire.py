"""The suite ``wire``: every pairing that can be tried, and no other."""

from __future__ import annotations

from itertools import product

import pytest

from multifd.errors import InputError
from multifd.framing.model import FRAMINGS, framing
from multifd.lineup.peers import LineUp
from multifd.oracle.ability import cannot_read, cannot_send
from multifd.plan.whole import Plan, PlanOptions, plan
from tests.plan.looking import of


@pytest.mark.parametrize("name", FRAMINGS)
def test_every_sender_that_can_meets_every_receiver_that_can(name: str, planned: Plan, line_up: LineUp) -> None:
    senders = [p.name for p in line_up.senders() if cannot_send(p.encoder, framing(name), 4096) is None]
    receivers = [p.name for p in line_up.receivers() if cannot_read(p.decoder, framing(name)) is None]

    pairs = [
        (cell.pairing.sender, cell.pairing.receiver) for cell in of(planned, "wire") if cell.pairing.framing == name
    ]

    assert pairs
    assert sorted(pairs) == sorted(product(senders, receivers))


def test_the_users_own_content_is_run_too(line_up: LineUp, planned: Plan) -> None:
    both = of(plan(line_up, {}, PlanOptions(user_corpus=True)), "wire")

    assert [cell.pairing.corpus for cell in both] == ["mixed", "user"] * len(of(planned, "wire"))


def test_a_guest_has_as_much_memory_as_asked_for(line_up: LineUp) -> None:
    cells = of(plan(line_up, {}, PlanOptions(memory=8 << 20)), "wire")

    assert {sum(cell.pairing.sizes.values()) for cell in cells} == {8 << 20}


@pytest.mark.parametrize("memory", [0, 1 << 20, (2 << 20) + 4096])
def test_memory_that_cannot_be_divided_is_refused(memory: int, line_up: LineUp) -> None:
    with pytest.raises(InputError) as error:
        plan(line_up, {}, PlanOptions(memory=memory))

    assert str(error.value) == f"--memory {memory}: expected a multiple of 512K, at least 2M"


def test_one_capture_serves_every_receiver(planned: Plan) -> None:
    keys = {
        cell.pairing.capture_key(1)
        for cell in of(planned, "wire")
        if (cell.pairing.sender, cell.pairing.sender_framing) == ("zlib", "zlib-packet[window=12]")
    }

    assert len(keys) == 1


def test_captures_of_different_senders_framings_and_seeds_are_different(planned: Plan) -> None:
    pairings = [cell.pairing for cell in of(planned, "wire")]

    keys = {pairing.capture_key(seed) for pairing in pairings for seed in (1, 2)}

    assert len(keys) == 2 * len({(pairing.sender, pairing.sender_framing) for pairing in pairings})


def test_captures_in_different_dialects_are_different(planned: Plan) -> None:
    pairing = of(planned, "wire")[0].pairing

    other = pairing.model_copy(update={"sender_dialect": "qemu-5.0"})

    assert other.capture_key(1) != pairing.capture_key(1)
