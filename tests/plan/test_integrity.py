"""The suite ``integrity``: all content, all ways, every codec in its turn."""

from __future__ import annotations

from itertools import product

from multifd.framing.model import METHOD_FRAMINGS
from multifd.lineup.peers import LineUp
from multifd.memory.corpus import CORPORA
from multifd.plan.space import Space
from multifd.plan.whole import Plan
from tests.plan.looking import of


def test_every_corpus_travels_under_every_method(planned: Plan) -> None:
    pairings = [cell.pairing for suite in ("wire", "integrity") for cell in of(planned, suite)]

    assert {(p.sender_framing, p.corpus) for p in pairings} >= set(product(METHOD_FRAMINGS, CORPORA))


def test_every_encoder_reads_pages_that_change(planned: Plan, line_up: LineUp) -> None:
    pairings = [cell.pairing for cell in of(planned, "integrity") if cell.pairing.scenario == "mutating"]

    space = Space(line_up)
    assert {p.sender for p in pairings} == {space.senders[place].name for place in space.plain("sender")}


def test_every_cell_must_arrive_identical_or_show_a_hazard(planned: Plan) -> None:
    assert {cell.prediction.outcome for cell in of(planned, "integrity")} <= {"identical", "hazard"}


def test_as_many_channels_as_there_can_be_are_tried(planned: Plan) -> None:
    assert {c.pairing.sender_framing for c in of(planned, "integrity") if c.pairing.channels == 255} == {"none", "zlib"}
