"""From prediction and observation to the verdict: the whole table, and what outranks what."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Final, NamedTuple

import pytest

from multifd.oracle.question import Prediction
from multifd.oracle.verdict import Judgement, Observation, Observed, judge
from multifd.result.record import Kind, Outcome, Verdict

PREDICTED: Final[dict[Outcome, Prediction]] = {
    "identical": Prediction("identical", "all-hold", "all holds", None, ()),
    "rejected": Prediction("rejected", "flags", "flags differ", r"flags received \d", ()),
    "hazard": Prediction("hazard", "zero-pages", "pages stay old", None, ()),
}

AS_EXPECTED: Final = "multifd 0: flags received 2 flags expected 4"
OTHER: Final = "size received"


class Row(NamedTuple):
    """What was predicted and observed, and the judgement that follows."""

    predicted: Outcome
    observed: Observed
    error: str | None
    verdict: Verdict
    kind: Kind | None
    reason: str


TABLE: Final = (
    Row("identical", "identical", None, "pass", None, "all holds"),
    Row(
        "identical", "rejected", OTHER, "fail", "wrong-error",
        "rejected with 'size received', but identical was predicted",
    ),
    Row("identical", "hazard", None, "fail", "corrupt", "hazard: seen; predicted identical"),
    Row("identical", "hazard", OTHER, "fail", "corrupt", "hazard: seen; predicted identical"),
    Row(
        "rejected", "identical", None, "fail", "accepted",
        "memory arrived identical, but rejected was predicted",
    ),
    Row("rejected", "rejected", AS_EXPECTED, "refused", None, "flags differ"),
    Row(
        "rejected", "rejected", OTHER, "fail", "wrong-error",
        r"rejected with 'size received', expected an error like 'flags received N'",
    ),
    Row(
        "rejected", "rejected", None, "fail", "wrong-error",
        r"rejected with None, expected an error like 'flags received N'",
    ),
    Row("rejected", "hazard", AS_EXPECTED, "fail", "corrupt", "hazard: seen; predicted rejected"),
    Row(
        "hazard", "identical", None, "fail", "accepted",
        "memory arrived identical, but hazard was predicted",
    ),
    Row("hazard", "rejected", OTHER, "fail", "wrong-error", "rejected with 'size received', but hazard was predicted"),
    Row("hazard", "hazard", None, "hazard", None, "pages stay old"),
    Row("hazard", "hazard", OTHER, "fail", "corrupt", "another hazard than predicted: seen"),
)  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.predicted}, {row.observed}: {row.error}")
def test_observed_as_predicted_or_not(row: Row) -> None:
    observation = Observation(row.observed, row.error, detail="seen")

    assert judge(PREDICTED[row.predicted], observation) == Judgement(row.verdict, row.kind, row.reason)


def test_the_table_is_whole() -> None:
    outcomes: tuple[Outcome, ...] = ("identical", "rejected", "hazard")

    assert {(row.predicted, row.observed) for row in TABLE} == set(product(outcomes, outcomes))


@pytest.mark.parametrize("predicted", PREDICTED)
@pytest.mark.parametrize(
    ("observed", "verdict", "kind"),
    [("crash", "fail", "crash"), ("hang", "fail", "hang"), ("broken", "error", None)],
)
def test_a_cell_that_did_not_end_well_never_conforms(
    predicted: Outcome, observed: Observed, verdict: Verdict, kind: Kind | None
) -> None:
    observation = Observation(observed, AS_EXPECTED, detail="the peer exited with status 11")

    assert judge(PREDICTED[predicted], observation) == Judgement(verdict, kind, "the peer exited with status 11")


@pytest.mark.parametrize(
    ("error", "detail", "reason"),
    [("no space", "disk full", "disk full"), ("no space", "", "no space"), (None, "", "the harness failed")],
)
def test_what_is_said_of_a_broken_harness(error: str | None, detail: str, reason: str) -> None:
    assert judge(PREDICTED["identical"], Observation("broken", error, detail)).reason == reason


CONFORMING: Final[dict[Outcome, Observation]] = {
    "identical": Observation("identical"),
    "rejected": Observation("rejected", AS_EXPECTED),
    "hazard": Observation("hazard", detail="seen"),
}


@pytest.mark.parametrize("predicted", PREDICTED)
def test_a_conforming_cell_fails_for_pages_written_after_the_error(predicted: Outcome) -> None:
    judgement = judge(PREDICTED[predicted], replace(CONFORMING[predicted], late_pages=3))

    assert judgement == Judgement("fail", "corrupt", "3 pages were written after the receiver had reported its error")


@pytest.mark.parametrize("predicted", PREDICTED)
def test_a_conforming_cell_fails_for_a_claim_that_is_not_true(predicted: Outcome) -> None:
    judgement = judge(PREDICTED[predicted], replace(CONFORMING[predicted], claim="it declares 12 bits and uses 15"))

    kind: Kind = "invariant" if predicted == "identical" else "wrong-error"
    assert judgement == Judgement("fail", kind, "it declares 12 bits and uses 15")


@pytest.mark.parametrize("predicted", PREDICTED)
def test_a_conforming_cell_fails_for_hardware_that_nothing_proves(predicted: Outcome) -> None:
    observation = replace(CONFORMING[predicted], device="unproven", detail="no counter moved")

    assert judge(PREDICTED[predicted], observation) == Judgement(
        "fail", "unproven", "hardware is claimed and nothing proves it: no counter moved"
    )


@pytest.mark.parametrize("predicted", PREDICTED)
def test_hardware_that_somebody_else_used_meanwhile_fails(predicted: Outcome) -> None:
    observation = replace(CONFORMING[predicted], device="disturbed", detail="one more was counted")

    assert judge(PREDICTED[predicted], observation) == Judgement(
        "fail", "disturbed", "hardware is claimed, and somebody else used it meanwhile: one more was counted"
    )


@pytest.mark.parametrize("predicted", PREDICTED)
def test_proven_hardware_changes_nothing(predicted: Outcome) -> None:
    observation = CONFORMING[predicted]

    assert judge(PREDICTED[predicted], replace(observation, device="proven")) == judge(
        PREDICTED[predicted], observation
    )


@pytest.mark.parametrize("observed", ["identical", "rejected", "hazard", "crash", "hang", "broken"])
def test_corruption_outranks_everything(observed: Observed) -> None:
    everything = Observation(observed, OTHER, "seen", late_pages=1, device="unproven", claim="a lie")

    assert judge(PREDICTED["identical"], everything).kind == "corrupt"


@pytest.mark.parametrize(
    ("predicted", "observation", "kind"),
    [
        ("identical", Observation("hazard", OTHER, device="unproven", claim="a lie"), "corrupt"),
        ("identical", Observation("crash", OTHER, device="unproven", claim="a lie"), "unproven"),
        ("identical", Observation("hang", OTHER, device="unproven", claim="a lie"), "unproven"),
        ("identical", Observation("crash", OTHER, claim="a lie"), "crash"),
        ("identical", Observation("hang", OTHER, claim="a lie"), "hang"),
        ("rejected", Observation("identical", None, device="unproven", claim="a lie"), "accepted"),
    ],
)
def test_the_worst_disagreement_is_the_one_that_is_told(
    predicted: Outcome, observation: Observation, kind: Kind
) -> None:
    assert judge(PREDICTED[predicted], observation).kind == kind


def test_a_wrong_error_is_told_before_a_claim() -> None:
    observation = Observation("rejected", OTHER, claim="a lie")

    assert "expected an error like" in judge(PREDICTED["rejected"], observation).reason


def test_unproven_hardware_is_told_before_a_claim() -> None:
    observation = Observation("identical", claim="a lie", device="unproven", detail="no counter moved")

    assert judge(PREDICTED["identical"], observation) == Judgement(
        "fail", "unproven", "hardware is claimed and nothing proves it: no counter moved; a lie"
    )


def test_what_always_holds_and_did_not_fails_a_cell_that_went_as_predicted() -> None:
    for predicted in PREDICTED.values():
        error = AS_EXPECTED if predicted.outcome == "rejected" else None
        observed = Observation(predicted.outcome, error, "seen", broken=("flags is 4, expected 2",))

        assert judge(predicted, observed) == Judgement(
            "fail", "invariant", "invariant: flags is 4, expected 2", ("invariant: flags is 4, expected 2",)
        )


def test_whatever_else_is_wrong_has_to_be_explained_beside_it() -> None:
    observed = Observation("hang", None, "nothing moves", broken=("one", "two"))

    judgement = judge(PREDICTED["identical"], observed)

    assert (judgement.kind, judgement.reason) == ("hang", "nothing moves")
    assert judgement.complaints == ("nothing moves", "invariant: one", "invariant: two")


LUCK: Final = replace(PREDICTED["hazard"], sooner=r"channel id \d exceeds")
"""A hazard before which a refusal may come."""


@pytest.mark.parametrize(
    ("observed", "error", "verdict"),
    [
        ("hazard", None, "hazard"),
        ("rejected", "channel id 2 exceeds", "refused"),
        ("rejected", OTHER, "fail"),
        ("identical", None, "fail"),
    ],
)
def test_where_luck_decides_either_a_hazard_or_the_refusal_that_comes_sooner(
    observed: Observed, error: str | None, verdict: Verdict
) -> None:
    assert judge(LUCK, Observation(observed, error, detail="seen")).verdict == verdict


@pytest.mark.parametrize(
    ("observed", "error", "reason"),
    [
        ("rejected", OTHER, "rejected with 'size received', but hazard was predicted, or an error like"
                            " 'channel id N exceeds'"),
        ("identical", None, "memory arrived identical, but hazard was predicted, or an error like"
                            " 'channel id N exceeds'"),
        ("crash", OTHER, "seen"),
    ],
)  # fmt: skip
def test_where_luck_decides_both_ends_are_told_as_what_was_predicted(
    observed: Observed, error: str | None, reason: str
) -> None:
    assert judge(LUCK, Observation(observed, error, detail="seen")).reason == reason


def test_what_is_no_rejection_is_not_called_one_beside_what_else_is_wrong() -> None:
    observed = Observation("hang", OTHER, "nothing moves", broken=("flags is 4",))

    assert judge(PREDICTED["rejected"], observed).complaints == ("nothing moves", "invariant: flags is 4")


def test_a_refusal_that_the_source_did_not_survive_fails() -> None:
    observed = Observation("rejected", AS_EXPECTED, aftermath="source killed by signal 6", lost="crash")

    judgement = judge(PREDICTED["rejected"], observed)

    assert judgement == Judgement("fail", "crash", "what came after: source killed by signal 6")


def test_a_refusal_that_the_source_survived_is_one() -> None:
    observed = Observation("rejected", AS_EXPECTED, aftermath="the source lives")

    assert judge(PREDICTED["rejected"], observed).verdict == "refused"


def test_nothing_hides_behind_what_came_after() -> None:
    observed = Observation("rejected", OTHER, aftermath="source killed by signal 6", lost="crash")

    judgement = judge(PREDICTED["rejected"], observed)

    assert judgement.kind == "crash"
    assert [said.partition(":")[0] for said in judgement.complaints] == [
        "rejected with 'size received', expected an error like 'flags received N'", "what came after"
    ]  # fmt: skip
