"""The suite ``negotiation``: there is none on the wire, so everything meets everything, live."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from multifd.framing.model import FRAMINGS, PROPOSALS
from multifd.lineup.peers import LineUp
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import pairing_cell
from multifd.plan.reference import reference_pair
from multifd.wire.dialect import DIALECTS, ZeroPages, dialect

_SIZES: Final = {"pc.ram": 512 << 10, "vga.vram": 64 << 10}


def negotiation_plan(line_up: LineUp) -> Iterator[PlannedCell]:
    """Every method of every dialect with every other, and the proposals."""
    yield from _methods(line_up)
    yield from _proposals(line_up)


def _methods(line_up: LineUp) -> Iterator[PlannedCell]:
    speakers = [(spoken.name, method) for spoken in DIALECTS.values() for method in spoken.methods]
    for (sent, method), (received, other) in itertools.product(speakers, speakers):
        pair = reference_pair(line_up, method, other)
        scenarios = ["live"]
        if method == other and _new_to_old(sent, received):
            scenarios.append("legacy-zero-pages")
        for scenario in scenarios:
            yield pairing_cell(
                "negotiation", *pair, (method, other), scenario, _SIZES, dialects=(sent, received)
            )  # fmt: skip


def _new_to_old(sent: str, received: str) -> bool:
    return dialect(sent).zero_pages is ZeroPages.PACKET and dialect(received).zero_pages is ZeroPages.MAIN


def _proposals(line_up: LineUp) -> Iterator[PlannedCell]:
    """Every proposal against every framing that travels under the same flag, and against the method it is called."""
    for sent, received in itertools.product(FRAMINGS, FRAMINGS):
        if sent not in PROPOSALS and received not in PROPOSALS:
            continue
        same_flag = FRAMINGS[sent].travels_as == FRAMINGS[received].travels_as
        stub = {sent, received} == {"qatzip", "qatzip-stub"}
        if same_flag or stub:
            pair = reference_pair(line_up, sent, received)
            yield pairing_cell("negotiation", *pair, (sent, received), "live", _SIZES)
