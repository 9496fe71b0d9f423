"""The covering selection of faults: every declaration everywhere that it can be, and the same in every plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from multifd.framing.model import FRAMINGS
from multifd.lineup.peers import LineUp
from multifd.memory.rounds import SHAPES
from multifd.plan.faults import PLACES, applies, fault_plan, readers
from multifd.plan.whole import Plan
from multifd.plan.work import Flips, Pairing
from multifd.wire.dialect import DIALECTS
from multifd.wire.fault import FAULTS, SENT, Bit, Lengths, Payload, fault
from tests.plan.looking import changed, of


@pytest.fixture(scope="module")
def played(planned: Plan) -> dict[str, list[Pairing]]:
    """Pairings by the name of their fault."""
    found: dict[str, list[Pairing]] = {name: [] for name in FAULTS}
    for cell in of(planned, "negotiation"):
        if cell.pairing.fault is not None:
            found[fault(cell.pairing.fault).name].append(cell.pairing)
    return found


def possible(name: str) -> Iterator[dict[str, Any]]:
    """Everything that a fault can be combined with."""
    for framing in FRAMINGS.values():
        for spoken in DIALECTS.values():
            for place in PLACES:
                if framing.travels_as in spoken.flags and applies(FAULTS[name].at(place), framing, spoken):
                    yield {
                        "framing": framing.name, "dialect": spoken.name, "round": place.round, "packet": place.packet,
                        "channel": place.channel,
                    }  # fmt: skip


def seen(pairing: Pairing) -> dict[str, Any]:
    assert pairing.fault is not None
    place = fault(pairing.fault).place
    return {
        "framing": pairing.framing, "dialect": pairing.dialect, "round": place.round, "packet": place.packet,
        "channel": place.channel,
    }  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_meets_every_framing_dialect_round_packet_and_channel(
    name: str, played: dict[str, list[Pairing]]
) -> None:
    wanted = {item for ways in possible(name) for item in ways.items()}

    assert {item for pairing in played[name] for item in seen(pairing).items()} == wanted


@pytest.mark.parametrize("name", [n for n, each in FAULTS.items() if isinstance(each.deed, Bit | Payload | Lengths)])
def test_every_fault_of_a_payload_meets_every_decoder_that_reads_one(
    name: str, played: dict[str, list[Pairing]], line_up: LineUp
) -> None:
    framings = {ways["framing"] for ways in possible(name)}

    assert {pairing.receiver for pairing in played[name]} == {
        peer.name for framing in framings for peer in readers(line_up, framing)
    }


def test_the_selection_does_not_depend_on_how_probes_ended(line_up: LineUp) -> None:
    failed = changed(line_up, "isal", probe="broken")

    assert [cell.id for cell in fault_plan(failed)] == [cell.id for cell in fault_plan(line_up)]


def test_the_oracle_knows_what_each_packet_has() -> None:
    assert "eights" in SHAPES
    assert {1: (tuple(range(8)), ()), 2: ((1, 3, 5), (6,))} == SENT


def test_every_framing_and_every_decoder_that_reads_it_has_its_bits_flipped(planned: Plan, line_up: LineUp) -> None:
    works = [cell.work for cell in of(planned, "flips")]

    assert {(work.framing, work.receiver) for work in works if isinstance(work, Flips)} == {
        (name, peer.name) for name in FRAMINGS for peer in readers(line_up, name)
    }
