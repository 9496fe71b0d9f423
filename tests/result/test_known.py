"""Known issues: what a cell's verdict becomes in their light, and what a run says it has found."""

from __future__ import annotations

from typing import Any

import pytest

from multifd.lineup.introduce import resolve
from multifd.oracle.question import Prediction
from multifd.plan.matrix import PlanOptions, plan
from multifd.plan.qemu import qemu_plan
from multifd.profile.load import load
from multifd.result.known import ITEM, KnownIssue, findings, settle, shipped
from multifd.result.record import Cell, Finding, Verdict
from tests.qemu.recorded import peer
from tests.reports.builder import cell


def issue(**changes: Any) -> KnownIssue:
    """A defect of a receiver that is not ours."""
    fields: dict[str, Any] = {
        "id": "adler-carried-over",
        "component": "libqpl",
        "versions": "1.9",
        "severity": "corruption",
        "cause": "the checksum of the job before is kept",
        "verdict": "known",
        "receiver": "qpl",
        "message": "incorrect data check",
        **changes,
    }
    return KnownIssue(**fields)


def failed(**changes: Any) -> Cell:
    """A cell that fails as :func:`issue` says."""
    return cell(
        **{
            "receiver": "qpl",
            "verdict": "fail",
            "kind": "wrong-error",
            "observed": "rejected",
            "reason": "rejected with something, but identical was predicted",
            "error": "qpl: incorrect data check",
            **changes,
        }
    )


def hazard(**changes: Any) -> Cell:
    """A cell that shows a hazard, as predicted."""
    return cell(
        **{
            "receiver": "qpl",
            "predicted": "hazard",
            "observed": "hazard",
            "verdict": "hazard",
            "reason": "the mask hides the flag",
            **changes,
        }
    )


LISTED = issue(id="mask", verdict="hazard", message="hides the flag", cause="the mask is too narrow")


def test_a_failure_that_is_listed_is_known() -> None:
    settled = settle(failed(), [issue()])

    assert (settled.verdict, settled.reason) == ("known", "adler-carried-over: the checksum of the job before is kept")


def test_a_known_failure_keeps_its_error() -> None:
    assert settle(failed(), [issue()]).error == "qpl: incorrect data check"


def test_the_message_may_be_in_the_reason() -> None:
    settled = settle(failed(error=None, reason="crashed after incorrect data check"), [issue()])

    assert settled.verdict == "known"


def test_the_cell_alone_does_not_make_a_failure_known() -> None:
    other = failed(error="qpl: out of memory")

    assert settle(other, [issue()]) == other


def test_the_message_alone_does_not_make_a_failure_known() -> None:
    other = failed(receiver="isal")

    assert settle(other, [issue()]) == other


@pytest.mark.parametrize("field", ["suite", "sender", "receiver", "framing", "dialect", "scenario"])
def test_every_field_of_a_cell_counts_and_as_a_whole(field: str) -> None:
    part = getattr(failed(), field)[:-1]

    assert settle(failed(), [issue(**{field: part})]).verdict == "fail"
    assert settle(failed(), [issue(**{field: f"{part}."})]).verdict == "known"


@pytest.mark.parametrize("verdict", ["pass", "refused"])
def test_a_known_issue_that_no_longer_happens_fails(verdict: Verdict) -> None:
    settled = settle(cell(receiver="qpl", verdict=verdict), [issue()])

    assert (settled.verdict, settled.kind) == ("fail", "wrong-error")
    assert settled.reason == "known issue adler-carried-over no longer happens: take it out of the list"


def test_an_issue_that_depends_on_content_may_be_absent() -> None:
    sometimes = issue(verdict="known", always=False)

    assert settle(cell(verdict="pass"), [sometimes]).verdict == "pass"


@pytest.mark.parametrize("verdict", ["skip", "error", "not-run"])
def test_a_cell_that_was_not_checked_says_nothing_about_an_issue(verdict: Verdict) -> None:
    unchecked = cell(receiver="qpl", verdict=verdict)

    assert settle(unchecked, [issue()]) == unchecked


def test_a_hazard_that_is_listed_stays_a_hazard() -> None:
    assert settle(hazard(), [LISTED]) == hazard()


@pytest.mark.parametrize(
    "issues",
    [
        [],
        [issue(verdict="hazard", message="something else")],
        [issue(verdict="hazard", message="hides the flag", receiver="isal")],
        [issue(verdict="known", message="hides the flag")],
    ],
    ids=["none", "by cell only", "by message only", "as a failure"],
)
def test_a_hazard_that_nobody_lists_fails(issues: list[KnownIssue]) -> None:
    settled = settle(hazard(), issues)

    assert (settled.verdict, settled.kind) == ("fail", "corrupt")
    assert settled.reason == "a hazard that no known issue lists: the mask hides the flag"


def test_a_listed_hazard_excuses_no_failure() -> None:
    broken = failed(error="hides the flag")

    assert settle(broken, [LISTED]) == broken


def test_the_second_issue_of_a_cell_may_be_the_one_that_happened() -> None:
    settled = settle(failed(), [issue(id="other", message="out of memory"), issue()])

    assert settled.reason.startswith("adler-carried-over: ")


def listed(*complaints: str) -> Cell:
    """A failure with a list of complaints."""
    return failed(error=ITEM.join(["what differs:", *complaints]))


FIRST, SECOND = issue(id="first", message="one"), issue(id="second", message="two")


def test_a_list_is_known_if_every_complaint_is_explained() -> None:
    settled = settle(listed("number one", "number two", "one again"), [FIRST, SECOND])

    assert settled.verdict == "known"
    assert settled.reason.splitlines() == [
        "first: the checksum of the job before is kept",
        "second: the checksum of the job before is kept",
    ]


def test_a_list_with_something_new_fails() -> None:
    settled = settle(listed("number one", "number two", "number three"), [FIRST, SECOND])

    assert (settled.verdict, settled.reason) == ("fail", "no known issue lists this: number three")


def test_a_list_that_lacks_a_known_issue_fails() -> None:
    settled = settle(listed("number one"), [FIRST, SECOND])

    assert settled.verdict == "fail"
    assert settled.reason == "known issue second no longer happens: take it out of the list"


def test_the_head_of_a_list_explains_nothing() -> None:
    settled = settle(listed("number three"), [issue(message="what differs")])

    assert settled.verdict == "fail"


def test_every_issue_of_a_list_is_a_finding() -> None:
    known = settle(listed("number one", "number two"), [FIRST, SECOND])

    assert [one.id for one in findings([known], [FIRST, SECOND])] == ["first", "second"]


def test_a_finding_lists_its_cells_and_how_bad_it_is() -> None:
    known = settle(failed(), [issue()])
    cells = [cell(), hazard(), hazard(framing="qpl"), known]

    assert findings(cells, [LISTED, issue()]) == (
        Finding(
            id="mask",
            component="libqpl",
            versions="1.9",
            severity="corruption",
            cause="the mask is too narrow",
            cells=(cells[1].id, cells[2].id),
            reproduce=cells[1].reproduce,
        ),
        Finding(
            id="adler-carried-over",
            component="libqpl",
            versions="1.9",
            severity="corruption",
            cause="the checksum of the job before is kept",
            cells=(known.id,),
            reproduce=known.reproduce,
        ),
    )


def test_an_issue_with_a_command_of_its_own_is_reproduced_by_that() -> None:
    (found,) = findings([hazard()], [LISTED.model_copy(update={"reproduce": "qpl-demo"})])

    assert found.reproduce == "qpl-demo"


def test_an_issue_that_no_cell_shows_is_no_finding() -> None:
    assert findings([cell(), failed(), hazard(reason="other")], [LISTED, issue()]) == ()


def test_a_hazard_that_fails_is_no_finding() -> None:
    late = hazard(verdict="fail", kind="corrupt", reason="the mask hides the flag, and pages came late")

    assert findings([late], [LISTED]) == ()


def test_a_known_failure_is_found_by_its_own_issue_only() -> None:
    known = settle(failed(), [issue()])

    assert findings([known], [issue(id="adler")]) == ()


def test_shipped_issues_have_one_id_each() -> None:
    ids = [shipped_issue.id for shipped_issue in shipped()]

    assert len(set(ids)) == len(ids) > 0


@pytest.fixture(scope="module")
def hazards() -> list[Cell]:
    """Every hazard of the plan as it is recorded when it happens."""
    ours = resolve("software-only", load("software-only"), None)
    line_up = ours.model_copy(update={"qemus": (peer("7.2"), peer("10.0"))})
    found: list[Cell] = []
    for planned in (*plan(line_up, PlanOptions()), *qemu_plan(line_up)):
        prediction: Prediction = planned.prediction
        if prediction.outcome == "hazard":
            found.append(
                cell(
                    id=planned.id,
                    suite=planned.suite,
                    sender=planned.sender,
                    receiver=planned.receiver,
                    framing=planned.framing,
                    dialect=planned.dialect,
                    scenario=planned.scenario,
                    predicted="hazard",
                    observed="hazard",
                    verdict="hazard",
                    reason=prediction.reason,
                )
            )
    return found


def test_every_hazard_of_the_plan_is_listed(hazards: list[Cell]) -> None:
    assert [settle(one, shipped()).verdict for one in hazards] == ["hazard"] * len(hazards)


def test_every_shipped_hazard_is_shown_by_the_plan_and_no_cell_shows_two(hazards: list[Cell]) -> None:
    found = findings(hazards, shipped())

    assert [one.id for one in found] == [one.id for one in shipped() if one.verdict == "hazard"]
    assert sum(len(one.cells) for one in found) == len(hazards)
