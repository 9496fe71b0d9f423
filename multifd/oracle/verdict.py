"""From a prediction and an observation to a verdict. Any disagreement fails, in both directions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from multifd.errors import Place
from multifd.oracle.question import Prediction
from multifd.result.plainly import plainly
from multifd.result.record import KIND_ORDER, DeviceVerdict, Kind, Outcome, Verdict

Observed = Outcome | Literal["crash", "hang", "broken"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive pages that do not hold what was sent last for them."""

    block: str
    first: int
    """Number of the first page in its RAM block."""
    count: int
    holds: Literal["never sent", "older"]
    """What was never sent for them and is not zero, or an earlier content, or zero."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a cell did.

    ``broken`` means that our own harness or the host failed. ``late_pages`` counts pages written after the
    receiver had reported its error; ``claim`` is a statement of a peer that its own behaviour contradicts.
    """

    outcome: Observed
    error: str | None = None
    detail: str = ""
    late_pages: int = 0
    device: DeviceVerdict = "not claimed"
    claim: str | None = None
    complaints: tuple[str, ...] = ()
    """What differs, one by one, where it looked at many things."""
    pages: tuple[Stretch, ...] = ()
    """Where memory is wrong, as far as it is kept."""
    place: Place | None = None
    """Where in the stream a receiver of ours says that something is wrong."""
    broken: tuple[str, ...] = ()
    """What always holds of a stream and did not."""
    aftermath: str | None = None
    """What became of a source whose migration failed, in words; None where nobody looked."""
    lost: Kind | None = None
    """What is wrong with that; None where it lives, has its memory, and could be migrated."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its kind and its reason in words."""

    verdict: Verdict
    kind: Kind | None
    reason: str
    complaints: tuple[str, ...] = ()
    """What is wrong, one by one, where it is more than one thing: each has to be explained by itself."""


_AS_PREDICTED: dict[Outcome, Verdict] = {"identical": "pass", "rejected": "refused", "hazard": "hazard"}


def judge(prediction: Prediction, observed: Observation) -> Judgement:
    """The verdict that follows: the worst disagreement, with a claim that was found false, or what was predicted."""
    if observed.outcome == "broken" and not observed.late_pages:
        return Judgement("error", None, observed.detail or observed.error or "the harness failed")
    if prediction.sooner is not None and _met(prediction.sooner, observed):
        prediction = replace(prediction, outcome="rejected", error=prediction.sooner)
    disagreements = list(_disagreements(prediction, observed))
    if disagreements:
        kind, reason = min(disagreements, key=lambda each: KIND_ORDER.index(each[0]))
        claim = f"; {observed.claim}" if observed.claim not in {None, reason} else ""
        several = observed.broken or (observed.lost and len(disagreements) > 1)
        complaints = tuple(said for _, said in disagreements) if several else observed.complaints
        return Judgement("fail", kind, reason + claim, complaints)
    return Judgement(_AS_PREDICTED[prediction.outcome], None, prediction.reason, observed.complaints)


def _is_another(observed: Observation) -> bool:
    """Where zero pages are ignored both sides say completed, and pages hold what was sent for them before."""
    return observed.error is not None or any(stretch.holds == "never sent" for stretch in observed.pages)


def _met(error: str | None, observed: Observation) -> bool:
    """It was rejected, with an error like this; None is any."""
    return observed.outcome == "rejected" and bool(re.search(error or "", observed.error or ""))


def _due(prediction: Prediction) -> str:
    """What was predicted, in words that follow a ``but``."""
    if prediction.sooner is None:
        return f"{prediction.outcome} was predicted"
    return f"{prediction.outcome} was predicted, or an error like {plainly(prediction.sooner)!r}"


def _disagreements(prediction: Prediction, observed: Observation) -> Iterator[tuple[Kind, str]]:
    """What is wrong; of one kind what says more comes first."""
    outcome, predicted = observed.outcome, prediction.outcome
    if observed.late_pages:
        yield "corrupt", f"{observed.late_pages} pages were written after the receiver had reported its error"
    if outcome == "hazard" != predicted:
        yield "corrupt", f"hazard: {observed.detail}; predicted {predicted}"
    if outcome == predicted == "hazard" and prediction.rule == "zero-pages" and _is_another(observed):
        yield "corrupt", f"another hazard than predicted: {observed.detail}"
    if outcome in ("crash", "hang"):
        yield outcome, observed.detail
    if outcome == "identical" != predicted:
        yield "accepted", f"memory arrived identical, but {_due(prediction)}"
    if outcome == "rejected" != predicted:
        yield "wrong-error", f"rejected with {observed.error!r}, but {_due(prediction)}"
    if outcome == predicted == "rejected" and not _met(prediction.error, observed):
        like = plainly(prediction.error or "")
        yield "wrong-error", f"rejected with {observed.error!r}, expected an error like {like!r}"
    for each in observed.broken:
        yield "invariant", f"invariant: {each}"
    if observed.lost is not None:
        yield observed.lost, f"what came after: {observed.aftermath}"
    if observed.claim is not None:
        yield ("invariant" if outcome == "identical" else "wrong-error"), observed.claim
    if observed.device == "unproven":
        yield "unproven", f"hardware is claimed and nothing proves it: {observed.detail}"
    if observed.device == "disturbed":
        yield "disturbed", f"hardware is claimed, and somebody else used it meanwhile: {observed.detail}"
