"""What a report says about a run: the headline, the order of the bad news, the place of each cell."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multifd.result.record import KIND_ORDER, Cell, Finding, Results, Seconds, Sides, Verdict
from reports import model, performance
from reports.vocabulary import KINDS, VERDICTS, worst_first
from tests.reports.builder import cell, realistic, results

VERDICT = st.sampled_from(sorted(VERDICTS))


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
    run = results(cell(id="a"), cell(id="b", verdict="fail", kind="corrupt"), cell(id="c", verdict="error"))

    headline = model.headline(run)

    assert headline.title == "Not conforming"
    assert headline.sentence == (
        "1 of 2 cells did not go as predicted, 1 of them with memory silently wrong,"
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


@pytest.mark.parametrize("verdicts", [(), ("skip",), ("error",), ("skip", "not-run")])
def test_a_run_in_which_nothing_was_checked_is_not_green(verdicts: tuple[Verdict, ...]) -> None:
    headline = model.headline(run_of(*verdicts))

    assert headline.title == "Nothing was checked"
    assert headline.state == "open"


@given(st.lists(VERDICT), st.booleans())
def test_only_a_complete_run_without_failures_conforms(verdicts: list[Verdict], complete: bool) -> None:
    headline = model.headline(run_of(*verdicts, complete=complete))

    green = complete and not {"fail", "error", "not-run"} & set(verdicts) and set(verdicts) - {"skip"}
    assert (headline.title == "Conforming") == bool(green)
    assert (headline.state == "good") == bool(green)


def test_silent_corruption_outranks_everything_and_a_pass_comes_last() -> None:
    cells = [cell(id=kind, verdict="fail", kind=kind) for kind in KIND_ORDER]
    cells += [cell(id=verdict, verdict=verdict) for verdict in VERDICTS if verdict != "fail"]
    cells.reverse()

    ordered = [c.id for c in sorted(cells, key=worst_first)]

    assert ordered[:2] == ["corrupt", "accepted"]
    assert ordered[len(KIND_ORDER) :] == ["error", "hazard", "known", "not-run", "skip", "refused", "pass"]


def test_every_kind_of_failure_is_explained_in_its_order() -> None:
    assert tuple(KINDS) == KIND_ORDER


def test_a_place_shows_its_worst_cell_and_how_many_are_as_bad() -> None:
    run = results(
        cell(corpus="text"),
        cell(corpus="zero", verdict="hazard"),
        cell(corpus="random", verdict="hazard"),
    )

    (place,) = model.wire_matrices(run)["zlib"].places

    assert (place.worst.corpus, place.alike, len(place.cells)) == ("zero", 2, 3)


def test_peers_stand_in_the_order_of_the_line_up() -> None:
    run = results(cell(sender="stranger"), cell(sender="qpl"), cell(sender="zlib"))

    matrix = model.wire_matrices(run)["zlib"]

    assert [row.label.name for row in matrix.rows] == ["zlib", "qpl", "stranger"]


def test_a_label_carries_every_provenance_of_its_side() -> None:
    run = results(
        cell(corpus="text", provenance=Sides(sender="hardware", receiver="software")),
        cell(corpus="zero", provenance=Sides(sender="emulated", receiver="software")),
    )

    matrix = model.wire_matrices(run)["zlib"]

    assert matrix.rows[0].label.marks == ("hardware", "emulated")
    assert matrix.columns[0].marks == ("software",)


def test_negotiation_is_a_matrix_of_method_and_dialect() -> None:
    mixed = cell(suite="negotiation", scenario="live", framing="zlib>zstd", dialect="qemu-9.0>qemu-10.0")

    (suite,) = model.suites(results(mixed))

    (matrix,) = suite.matrices
    assert matrix.rows[0].label == model.Label("zlib", "qemu-9.0", ("software",))
    assert matrix.columns[0] == model.Label("zstd", "qemu-10.0", ("software",))


def test_negotiation_of_two_alike_has_the_same_row_and_column() -> None:
    alike = cell(suite="negotiation", scenario="live", framing="zlib", dialect="qemu-9.0")

    (suite,) = model.suites(results(alike))

    assert suite.matrices[0].rows[0].label == suite.matrices[0].columns[0]


def test_other_scenarios_of_negotiation_are_listed_by_scenario() -> None:
    splice = cell(suite="negotiation", scenario="splice")

    (suite,) = model.suites(results(splice))

    assert suite.matrices == ()
    assert suite.listings == (model.Listing("splice", (model.Place((splice,)),)),)


def of_qemu(sender: str, receiver: str, scenario: str = "migrate", framing: str = "zlib") -> Cell:
    return cell(suite="qemu", sender=sender, receiver=receiver, scenario=scenario, framing=framing)


def matrix_of_qemu(*cells: Cell) -> model.Matrix:
    """The only matrix of the suite."""
    (suite,) = model.suites(results(*cells))
    (matrix,) = suite.matrices
    return matrix


def test_two_qemus_meet_by_version_and_method() -> None:
    matrix = matrix_of_qemu(
        of_qemu("qemu-10.2", "qemu-10.2", framing="zlib>zstd"), of_qemu("qemu-10.2", "qemu-10.2", "migrate-legacy")
    )

    assert matrix.title == "QEMU to QEMU, method by method"
    assert [row.label for row in matrix.rows] == [model.Label("qemu-10.2", "zlib", ("software",))]
    assert [(column.name, column.note) for column in matrix.columns] == [("qemu-10.2", "zstd"), ("qemu-10.2", "zlib")]


def test_other_scenarios_of_two_qemus_are_spread_by_pairing() -> None:
    matrix = matrix_of_qemu(of_qemu("qemu-10.2", "qemu-10.2", "tcp"))

    assert matrix.title == "QEMU to QEMU, other scenarios"
    assert matrix.rows[0].label == model.Label("tcp")
    assert matrix.columns == (model.Label("qemu-10.2", "→ qemu-10.2"),)


def test_our_decoders_stand_behind_a_qemu_and_its_method() -> None:
    matrix = matrix_of_qemu(of_qemu("qemu-10.2", "isal"), of_qemu("qemu-10.2", "isal", "splice"))

    assert matrix.title == "QEMU to our decoders"
    assert matrix.rows[0].label == model.Label("qemu-10.2", "zlib", ("software",))
    assert matrix.columns == (model.Label("isal", "zlib", ("software",)),)
    assert len(matrix.places[0].cells) == 2


def test_our_encoders_stand_before_all_qemus_by_framing() -> None:
    matrix = matrix_of_qemu(of_qemu("qpl", "qemu-10.2", "splice", "zlib-packet[window=12]>zlib"))

    assert matrix.title == "Our encoders to QEMU, all QEMUs together"
    assert matrix.rows[0].label == model.Label("qpl", "", ("software",))
    assert matrix.columns == (model.Label("zlib-packet[window=12]", "to zlib"),)


def test_any_other_suite_is_a_matrix_of_framing_by_scenario_and_corpus() -> None:
    run = results(cell(suite="faults", scenario="bit-flip", corpus="text"), cell(suite="wire"))

    wire, faults = model.suites(run)

    assert (wire.name, faults.name) == ("wire", "faults")
    assert faults.matrices[0].rows[0].label == model.Label("zlib")
    assert faults.matrices[0].columns == (model.Label("bit-flip", "text"),)


def test_every_cell_has_exactly_one_place() -> None:
    run = realistic()

    placed = [c.id for suite in model.suites(run) for part in suite.parts for p in part.places for c in p.cells]

    assert sorted(placed) == sorted(c.id for c in run.cells)


def test_a_hazard_that_no_finding_explains_is_listed_by_its_reason() -> None:
    cells = (
        cell(id="a", verdict="hazard", reason="first member only"),
        cell(id="b", verdict="hazard", reason="first member only"),
        cell(id="c", verdict="hazard", reason="mask"),
    )
    finding = Finding(
        id="f", component="QEMU", versions="7.2", severity="hang", cause="mask", cells=("c",), reproduce="x"
    )

    listings = model.unattributed(results(*cells, findings=(finding,)))

    assert [(listing.title, len(listing.places)) for listing in listings] == [("first member only", 2)]


@settings(max_examples=200)
@given(st.lists(st.text(min_size=1), unique=True))
def test_anchors_are_as_unique_as_ids_and_have_no_blanks(ids: list[str]) -> None:
    anchors = [model.anchor(cell(id=name)) for name in ids]

    assert len(set(anchors)) == len(ids)
    assert not any(character.isspace() for anchor in anchors for character in anchor)


def test_the_duration_is_that_of_the_clock_on_the_wall() -> None:
    assert model.seconds(results().run) == 83.0


def test_a_run_that_never_finished_has_no_duration() -> None:
    assert model.seconds(results(complete=False).run) is None


def figures_of(*cells: Cell) -> dict[str, performance.Figures]:
    return {row.peer: row for row in performance.figures(results(*cells))}


def test_ratio_and_speed_are_totals_per_peer_in_its_role() -> None:
    one = {"sender": "zlib", "receiver": "isal", "bytes_memory": 10_000_000}

    rows = figures_of(
        cell(**one, corpus="text", bytes_wire=2_000_000, seconds=Seconds(encode=0.1, decode=0.05)),
        cell(**one, corpus="zero", bytes_wire=1_000_000, seconds=Seconds(encode=0.3, decode=0.05)),
    )

    assert (rows["zlib"].ratio, rows["zlib"].encode, rows["zlib"].decode) == (0.15, 50.0, None)
    assert (rows["isal"].ratio, rows["isal"].encode, rows["isal"].decode) == (None, None, 200.0)


def test_a_cell_that_did_not_pass_has_no_figures() -> None:
    assert figures_of(cell(verdict="fail", kind="corrupt")) == {}


def test_a_peer_that_measured_nothing_has_no_speed() -> None:
    rows = figures_of(cell(seconds=Seconds(wall=1.0)))

    assert (rows["zlib"].encode, rows["isal"].decode) == (None, None)
