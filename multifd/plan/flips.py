"""The suite ``flips``: of every framing and every decoder that reads it, which flipped bits it notices."""

from __future__ import annotations

from collections.abc import Iterator

from multifd.framing.model import FRAMINGS, framing
from multifd.lineup.peers import LineUp
from multifd.oracle.guarded import flips
from multifd.oracle.question import Side
from multifd.plan.cell import PlannedCell
from multifd.plan.faults import readers
from multifd.plan.pairings import skip
from multifd.plan.reference import reference_pair
from multifd.plan.work import Flips
from multifd.wire.dialect import LATEST, dialect


def flip_plan(line_up: LineUp) -> Iterator[PlannedCell]:
    """One cell for each framing and decoder, with the payloads of the framing's reference."""
    for name in FRAMINGS:
        sender, _ = reference_pair(line_up, name, name)
        for receiver in readers(line_up, name):
            assert receiver.decoder is not None
            yield PlannedCell(
                suite="flips",
                work=Flips(sender=sender.name, receiver=receiver.name, framing=name),
                prediction=flips(Side(receiver.name, framing(name), dialect(LATEST)), receiver.decoder),
                skip=skip(sender, receiver),
            )
