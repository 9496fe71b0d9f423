"""From a prediction and an observation to a verdict. Any disagreement fails, in both directions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from multifd.oracle.question import Prediction
from multifd.result.record import DeviceVerdict, Kind, Outcome, Verdict

Observed = Outcome | Literal["crash", "hang", "broken"]


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


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its kind and its reason in words."""

    verdict: Verdict
    kind: Kind | None
    reason: str


_AS_PREDICTED: dict[Outcome, Verdict] = {"identical": "pass", "rejected": "refused", "hazard": "hazard"}


def judge(prediction: Prediction, observed: Observation) -> Judgement:
    """The verdict that follows; worst first."""
    if observed.outcome == "broken":
        return Judgement("error", None, observed.detail or observed.error or "the harness failed")
    if observed.late_pages:
        return Judgement(
            "fail",
            "corrupt",
            f"{observed.late_pages} pages were written after the receiver had reported its error",
        )
    if observed.outcome == "hazard" and prediction.outcome != "hazard":
        return Judgement(
            "fail", "corrupt", f"memory is wrong: {observed.detail}; predicted {prediction.outcome}"
        )
    if observed.outcome in ("crash", "hang"):
        kind: Kind = "crash" if observed.outcome == "crash" else "hang"
        return Judgement("fail", kind, observed.detail)
    if observed.outcome == "identical" and prediction.outcome != "identical":
        return Judgement(
            "fail",
            "accepted",
            f"memory arrived identical, but {prediction.outcome} was predicted: {prediction.reason}",
        )
    if observed.outcome == "rejected" and prediction.outcome != "rejected":
        return Judgement(
            "fail", "wrong-error", f"rejected with {observed.error!r}, but {prediction.outcome} was predicted"
        )
    if (
        prediction.outcome == "rejected"
        and prediction.error is not None
        and not re.search(prediction.error, observed.error or "")
    ):
        return Judgement(
            "fail",
            "wrong-error",
            f"rejected with {observed.error!r}, expected an error like {prediction.error!r}",
        )
    if observed.claim is not None:
        return Judgement("fail", "wrong-error", observed.claim)
    if observed.device == "unproven":
        return Judgement("fail", "unproven", f"hardware is claimed and nothing proves it: {observed.detail}")
    return Judgement(_AS_PREDICTED[prediction.outcome], None, prediction.reason)
