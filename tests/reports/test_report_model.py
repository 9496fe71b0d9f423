"""What a report says about a run: the headline, the order of the bad news, the place of each cell."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.result.conclusion import exit_code
from multifd.result.questions import shipped
from multifd.result.record import KIND_ORDER, VERDICT_ORDER, Cell, Coverage, DeviceVerdict, Reach, Results, Verdict
from reports import model
from reports.matrix import Label, Listing, Matrix, Place
from reports.vocabulary import DEFAULTS, DEVICES, KINDS, VERDICTS
from tests.reports.builder import cell, finding, realistic, results

VERDICT = st.sampled_from(sorted(VERDICTS))


@pytest.fixture(autouse=True, scope="module")
def questions() -> None:
    """They are read once, before anybody measures how long an example takes."""
    shipped()


def run_of(*verdicts: Verdict, complete: bool = True) -> Results:
    return results(
        *(cell(id=str(number), verdict=verdict) for number, verdict in enumerate(verdicts)), complete=complete
    )


def test_a_run_without_failures_conforms() -> None:
    headline = model.headline(run_of("pass", "pass", "refused", "hazard", "known", "skip"))

    assert headline.title == "Conforming"
    assert headline.sentence == (
        "5 cells went as predicted or as a known issue says: 2 pass, 1 refused, 1 known, 1 hazard. 1 cell skipped."
    )


def test_silent_corruption_is_named_in_the_headline() -> None:
    known = cell(id="d", verdict="known", kind="corrupt")
    run = results(cell(id="a"), cell(id="b", verdict="fail", kind="corrupt"), cell(id="c", verdict="error"), known)

    headline = model.headline(run)

    assert headline.title == "Not conforming"
    assert headline.sentence == (
        "1 of 3 cells did not go as predicted, 1 of them with memory silently wrong,"
        " 1 cell broke in the suite or its environment."
    )


def test_a_run_that_ended_early_is_incomplete_though_all_went_well() -> None:
    headline = model.headline(run_of("pass", "not-run", "not-run", complete=False))

    assert headline.title == "Incomplete"
    assert headline.sentence.endswith("The run is incomplete: 2 cells not run.")


def test_a_run_that_ended_early_says_so_beside_its_failures() -> None:
    headline = model.headline(run_of("fail", complete=False))

    assert headline.title == "Not conforming"
    assert headline.sentence.endswith("The run is incomplete: 0 cells not run.")


@pytest.mark.parametrize("verdicts", [(), ("skip",)])
def test_a_run_in_which_nothing_was_checked_is_not_green(verdicts: tuple[Verdict, ...]) -> None:
    headline = model.headline(run_of(*verdicts))

    assert headline.title == "Nothing was checked"
    assert headline.state == "open"


def test_a_run_in_which_nothing_was_reached_is_incomplete() -> None:
    headline = model.headline(run_of("skip", "not-run"))

    assert headline.title == "Incomplete"
    assert headline.sentence == (
        "So far: No cell was compared with its prediction. The run is incomplete: 1 cell not run."
    )


def test_a_run_whose_environment_broke_says_so() -> None:
    headline = model.headline(run_of("pass", "error"))

    assert (headline.title, headline.state) == ("The environment broke", "bad")
    assert headline.sentence == (
        "1 cell broke in the suite or its environment. 1 cell went as predicted or as a known issue says: 1 pass."
    )


TITLES = {"Conforming": {0}, "Not conforming": {1}, "Nothing was checked": {1}, "Incomplete": {3},
          "The environment broke": {3}}  # fmt: skip


@given(st.lists(VERDICT), st.booleans())
def test_the_headline_agrees_with_the_exit_code(verdicts: list[Verdict], complete: bool) -> None:
    run = run_of(*verdicts, complete=complete)

    headline = model.headline(run)

    assert exit_code(run) in TITLES[headline.title]
    assert (headline.state == "good") == (exit_code(run) == 0)
    assert (headline.state == "bad") == bool({"fail", "error"} & set(verdicts) and headline.title != "Incomplete")


def test_verdicts_are_explained_in_the_order_of_their_badness() -> None:
    assert tuple(VERDICTS) == VERDICT_ORDER


def test_every_kind_of_failure_is_explained_in_its_order() -> None:
    assert tuple(KINDS) == KIND_ORDER


def test_every_device_verdict_is_explained() -> None:
    assert sorted(DEVICES) == sorted(get_args(DeviceVerdict))


def test_the_worst_finding_comes_first() -> None:
    found = tuple(finding(id=one, severity=one) for one in ("contract", "hang", "leak", "corruption", "crash"))

    shown = model.findings(results(findings=found))

    assert [view.finding.id for view in shown] == ["corruption", "crash", "hang", "leak", "contract"]


def test_a_finding_shows_its_cells_that_are_there() -> None:
    run = results(cell(id="a"), cell(id="b"), findings=(finding(cells=("b", "gone")),))

    (view,) = model.findings(run)

    assert [one.id for one in view.cells] == ["b"]


def test_negotiation_is_a_matrix_of_method_and_dialect() -> None:
    mixed = cell(suite="negotiation", scenario="live", framing="zlib>zstd", dialect="qemu-9.0>qemu-10.0")

    (suite,) = model.suites(results(mixed))

    (matrix,) = suite.matrices
    assert matrix.rows[0].label == Label("zlib", "qemu-9.0", ("software",))
    assert matrix.columns[0] == Label("zstd", "qemu-10.0", ("software",))


def test_negotiation_of_two_alike_has_the_same_row_and_column() -> None:
    alike = cell(suite="negotiation", scenario="live", framing="zlib", dialect="qemu-9.0")

    (suite,) = model.suites(results(alike))

    assert suite.matrices[0].rows[0].label == suite.matrices[0].columns[0]


def test_other_scenarios_of_negotiation_are_listed_by_scenario() -> None:
    splice = cell(suite="negotiation", scenario="splice")

    (suite,) = model.suites(results(splice))

    assert suite.matrices == ()
    assert suite.listings == (Listing("splice", (Place((splice,)),)),)


def of_qemu(sender: str, receiver: str, scenario: str = "migrate", framing: str = "zlib") -> Cell:
    return cell(suite="qemu", sender=sender, receiver=receiver, scenario=scenario, framing=framing)


def matrix_of_qemu(*cells: Cell) -> Matrix:
    """The only matrix of the suite."""
    (suite,) = model.suites(results(*cells))
    (matrix,) = suite.matrices
    return matrix


def test_two_qemus_meet_by_version_and_method() -> None:
    matrix = matrix_of_qemu(
        of_qemu("qemu-10.2", "qemu-10.2", framing="zlib>zstd"), of_qemu("qemu-10.2", "qemu-10.2", "migrate-legacy")
    )

    assert matrix.title == "QEMU to QEMU, method by method"
    assert [row.label for row in matrix.rows] == [Label("qemu-10.2", "zlib", ("software",))]
    assert [(column.name, column.note) for column in matrix.columns] == [("qemu-10.2", "zstd"), ("qemu-10.2", "zlib")]


def test_other_scenarios_of_two_qemus_are_spread_by_pairing() -> None:
    matrix = matrix_of_qemu(of_qemu("qemu-10.2", "qemu-10.2", "tcp"))

    assert matrix.title == "QEMU to QEMU, other scenarios"
    assert matrix.rows[0].label == Label("tcp")
    assert matrix.columns == (Label("qemu-10.2", "→ qemu-10.2"),)


def test_our_decoders_stand_behind_a_qemu_and_its_method() -> None:
    matrix = matrix_of_qemu(of_qemu("qemu-10.2", "isal"), of_qemu("qemu-10.2", "isal", "splice"))

    assert matrix.title == "QEMU to our decoders"
    assert matrix.rows[0].label == Label("qemu-10.2", "zlib", ("software",))
    assert matrix.columns == (Label("isal", "zlib", ("software",)),)
    assert len(matrix.places[0].cells) == 2


def test_our_encoders_stand_before_all_qemus_by_framing() -> None:
    matrix = matrix_of_qemu(of_qemu("qpl", "qemu-10.2", "splice", "zlib-packet[window=12]>zlib"))

    assert matrix.title == "Our encoders to QEMU, all QEMUs together"
    assert matrix.rows[0].label == Label("qpl", "", ("software",))
    assert matrix.columns == (Label("zlib-packet[window=12]", "to zlib"),)


def test_any_other_suite_is_a_matrix_of_framing_by_scenario_and_corpus() -> None:
    run = results(cell(suite="faults", scenario="bit-flip", corpus="text"), cell(suite="wire"))

    wire, faults = model.suites(run)

    assert (wire.name, faults.name) == ("wire", "faults")
    assert faults.matrices[0].rows[0].label == Label("zlib")
    assert faults.matrices[0].columns == (Label("bit-flip", "text"),)


def test_every_cell_has_exactly_one_place() -> None:
    run = realistic()

    placed = [c.id for suite in model.suites(run) for part in suite.parts for p in part.places for c in p.cells]

    assert sorted(placed) == sorted(c.id for c in run.cells)


def test_a_hazard_whose_issue_is_no_finding_is_listed_by_its_reason() -> None:
    run = results(
        cell(id="a", verdict="hazard", reason="first member only"),
        cell(id="b", verdict="known", reason="first member only", issues=("other",)),
        cell(id="c", verdict="hazard", reason="mask", issues=("other", "f")),
        findings=(finding(id="f"),),
    )

    listings = model.unattributed(run)

    assert [(listing.title, len(listing.places)) for listing in listings] == [("first member only", 2)]


def test_the_duration_is_that_of_the_clock_on_the_wall() -> None:
    assert model.seconds(results().run) == 83.0


def test_a_run_that_never_finished_has_no_duration() -> None:
    assert model.seconds(results(complete=False).run) is None


def test_coverage_is_told_in_shares_that_are_never_rounded_up() -> None:
    run = results(cell()).run
    reached = Coverage(pairs=Reach(had=999, feasible=1001), triples=Reach(had=3, feasible=4))

    assert model.coverage(run) == ()
    assert model.coverage(run.model_copy(update={"coverage": reached})) == (
        "99.8% of the pairs of values that can be combined: 999 of 1,001",
        "75.0% of the triples of values that can be combined: 3 of 4",
    )


def test_what_two_qemus_do_at_defaults_comes_first() -> None:
    cells = (of_qemu("qemu-10.2", "qemu-10.2"), of_qemu("qemu-10.2", "qemu-10.2", "defaults"))

    (suite,) = model.suites(results(*cells))

    assert [matrix.title for matrix in suite.matrices] == [DEFAULTS, "QEMU to QEMU, method by method"]
