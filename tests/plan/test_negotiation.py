"""The suite ``negotiation``: everything that could be taken for something else, and nothing decided before the wire."""

from __future__ import annotations

from itertools import product

import pytest

from multifd.codec.reference import reference
from multifd.errors import HarnessError
from multifd.framing.container import Container
from multifd.framing.model import FRAMINGS, METHOD_FRAMINGS
from multifd.lineup.peers import LineUp
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import able
from multifd.plan.whole import Plan, plan
from multifd.result.record import Role
from multifd.wire.dialect import DIALECTS
from tests.plan.looking import changed, of


def live(planned: Plan) -> list[PlannedCell]:
    """Those in which it matters who stands for a method."""
    return [cell for cell in of(planned, "negotiation") if cell.pairing.scenario in ("live", "legacy-zero-pages")]


def test_every_method_meets_every_method_in_every_pair_of_dialects(planned: Plan) -> None:
    speakers = {(spoken.name, method) for spoken in DIALECTS.values() for method in spoken.methods}

    pairings = [cell.pairing for cell in of(planned, "negotiation") if cell.pairing.scenario == "live"]

    assert sorted(
        ((p.sender_dialect, p.sender_framing), (p.receiver_dialect, p.receiver_framing))
        for p in pairings
        if {p.sender_framing, p.receiver_framing} <= set(METHOD_FRAMINGS)
    ) == sorted(product(speakers, speakers))


def test_every_framing_meets_every_framing(planned: Plan) -> None:
    pairs = {(c.pairing.sender_framing, c.pairing.receiver_framing) for c in of(planned, "negotiation")}

    assert pairs == set(product(FRAMINGS, FRAMINGS))


@pytest.mark.parametrize(
    ("method", "codec"), [("qatzip", "qat-emulated"), ("qpl", "iaa-emulated"), ("uadk", "uadk-emulated")]
)
def test_accelerators_negotiate_themselves(method: str, codec: str, planned: Plan) -> None:
    pairings = [cell.pairing for cell in of(planned, "negotiation") if cell.pairing.sender_framing == method]

    assert codec in {p.sender for p in pairings if p.receiver_framing != method}
    assert {(p.sender, p.receiver) for p in pairings if p.receiver_framing == method} >= {(codec, codec)}


def test_legacy_zero_pages_are_tried_wherever_the_receiver_ignores_the_new_ones(planned: Plan) -> None:
    cells = of(planned, "negotiation")
    hazards = {(c.pairing.dialect, c.pairing.framing) for c in cells if c.prediction.rule == "zero-pages"}

    legacy = {
        (c.pairing.dialect, c.pairing.framing): c.prediction.outcome
        for c in cells
        if c.pairing.scenario == "legacy-zero-pages"
    }

    assert hazards
    assert {key: legacy[key] for key in hazards} == dict.fromkeys(hazards, "identical")


def test_whoever_stands_for_a_framing_can_do_it(planned: Plan, line_up: LineUp) -> None:
    pairings = [cell.pairing for cell in of(planned, "negotiation")]

    assert pairings
    assert [
        p.place
        for p in pairings
        if not able(line_up.peer(p.sender), line_up.peer(p.receiver), p.sender_framing, p.receiver_framing)
    ] == []


def test_a_reference_that_could_not_even_try_is_a_defect(few: LineUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multifd.plan.reference.of_container", lambda _: "zlib")

    with pytest.raises(HarnessError) as error:
        plan(few, {})

    assert str(error.value) == "zlib and zlib cannot stand for none and none: choose other references"


def test_a_peer_that_has_not_said_what_it_can_do_has_a_stand_in(planned_few: Plan, few: LineUp) -> None:
    silent = changed(few, "zlib", encoder=None, decoder=None, probe="no hello")

    cells = live(plan(silent, {}))

    assert [cell.id for cell in cells] == [cell.id for cell in live(planned_few)]
    assert all(cell.skip for cell in cells if "zlib" in (cell.pairing.sender, cell.pairing.receiver))


@pytest.mark.parametrize(
    ("lacks", "role", "kept"),
    [("zlib", "sender", ()), ("zstd", "sender", ()), ("none", "sender", ()), ("zlib", "receiver", ("sender",))],
)
def test_without_a_peer_that_it_needs_it_is_planned_and_skipped(
    lacks: str, role: str, kept: tuple[Role, ...], planned_few: Plan, few: LineUp
) -> None:
    cells = live(plan(changed(few, lacks, roles=kept), {}))

    theirs = {c.skip for c in cells if lacks == (c.pairing.sender if role == "sender" else c.pairing.receiver)}
    assert [(c.id, c.prediction) for c in cells] == [(c.id, c.prediction) for c in live(planned_few)]
    assert theirs == {
        f"the profile has no {role} {lacks}, with which this is negotiated; remedy: add '- codec: {lacks}' to its peers"
    }
    assert {c.skip for c in cells if lacks not in (c.pairing.sender, c.pairing.receiver)} == {None}


@pytest.mark.parametrize("container", Container)
def test_every_container_has_a_codec_that_stands_for_it(container: Container, line_up: LineUp) -> None:
    peer = line_up.peer(reference(container))

    assert peer.encoder is not None and peer.decoder is not None
    assert container in peer.encoder.containers & peer.decoder.containers


def test_accelerators_take_turns_at_either_end_of_a_proposal(planned: Plan) -> None:
    pairings = [cell.pairing for cell in live(planned) if "-packet" in cell.pairing.receiver_framing]

    assert {p.sender for p in pairings} >= {"iaa-emulated", "qat-emulated", "uadk-emulated"}
    assert {p.receiver for p in pairings} >= {"iaa-emulated", "qat-emulated", "uadk-emulated"}
