"""The answers to the thread and the plan: every claim has cells in a default run, and is what the oracle predicts."""

from __future__ import annotations

from typing import Final

import pytest

from multifd.campaign.conclude import planned as as_planned
from multifd.campaign.options import Options
from multifd.device.diagnose import detect
from multifd.device.sysfs import Host
from multifd.framing.model import FRAMINGS
from multifd.lineup.devices import device_peers
from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUp
from multifd.plan.cell import PlannedCell
from multifd.plan.whole import plan
from multifd.profile.load import load
from multifd.result.answers import TABLE, answered
from multifd.result.claims import Seen
from multifd.result.questions import Query, Thread, shipped
from multifd.result.record import Answer, Cell, Evidence, Outcome, Sides, Verdict
from multifd.wire.dialect import DIALECTS
from tests.qemu.recorded import peer

AS_PREDICTED: Final[dict[Outcome, Verdict]] = {"identical": "pass", "rejected": "refused", "hazard": "hazard"}
CLAIMS: Final = [(question, claim) for question in shipped().questions for claim in question.claims]


def without_errors(thread: Thread) -> Thread:
    """What is claimed but for the wording of errors, which a plan does not have."""
    questions = (
        question.model_copy(update={"claims": tuple(c.model_copy(update={"error": None}) for c in question.claims)})
        for question in thread.questions
    )
    return thread.model_copy(update={"questions": tuple(questions)})


@pytest.fixture(scope="module")
def whole() -> LineUp:
    """Everybody who takes part by default on this host, and real QEMUs."""
    profile = load("auto")
    line_up = resolve("auto", profile, None, device_peers(profile, detect(Host())))
    return line_up.model_copy(update={"qemus": (peer("7.2"), peer("10.0"))})


@pytest.fixture(scope="module")
def found(whole: LineUp) -> tuple[Answer, ...]:
    """The answers if every cell of the plan goes as predicted."""
    ran = {one.name: one.provenance for one in whole.peers}
    planned = plan(whole, {})

    def record(cell: PlannedCell) -> Cell:
        sides = Sides(sender=ran.get(cell.work.sender), receiver=ran.get(cell.work.receiver))
        dear = "page" in cell.work.framing or "window=12" in cell.work.framing
        changes = {
            "verdict": AS_PREDICTED[cell.prediction.outcome],
            "provenance": sides,
            "bytes_memory": 4,
            "bytes_wire": 2 if dear else 1,
        }
        return as_planned(cell, Options()).model_copy(update=changes)

    cells = [record(cell) for cell in planned.cells.values()]
    peers = [one.record() for one in whole.peers] + [one.record() for one in whole.qemus]
    unable = [entry.model_copy(update={"tried": True}) for entry in planned.unable]
    return answered(Seen(cells, peers, unable), without_errors(shipped()))


def wanting(found: tuple[Answer, ...], whole: LineUp) -> list[Evidence]:
    """Evidence that this host's peers could give and do not."""
    names = {one.name for one in whole.peers}
    absent = [name for name in ("qpl", "qatzip") if name not in names]
    return [
        each
        for answer in found
        for each in answer.evidence
        if each.state not in ("shown", "not on hardware") and not any(name in each.because for name in absent)
    ]


def test_a_default_run_shows_every_claim_that_needs_no_silicon(found: tuple[Answer, ...], whole: LineUp) -> None:
    assert [f"{each.shows}: {each.because}" for each in wanting(found, whole)] == []


def test_the_table_comes_first_and_has_both_halves(found: tuple[Answer, ...]) -> None:
    assert found[0].id == TABLE
    assert len(found[0].evidence) == 2 * len(shipped().table)


def names(query: Query) -> set[str]:
    """Framings of a query, but for those of which it has only the beginning."""
    return {name for name in (*query.framing, *query.sent, *query.read) if not name.endswith("*")}


@pytest.mark.parametrize(
    "query", [pytest.param(claim.cells, id=f"{question.id}-{claim.shows}") for question, claim in CLAIMS]
)
def test_every_name_of_a_claim_is_one_of_ours(query: Query) -> None:
    assert names(query) <= FRAMINGS.keys()
    assert {*query.spoken, *query.heard} <= DIALECTS.keys()


def test_every_framing_of_the_table_and_of_a_price_is_one_of_ours() -> None:
    thread = shipped()

    assert {line.framing for line in thread.table} <= FRAMINGS.keys()
    assert {name for q in thread.questions for price in q.prices for name in price.framings} <= FRAMINGS.keys()
