"""The words of the results contract: which values there are, which are worse, and the base of all its models."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from multifd.result.printable import LONGEST, clipped

Said = Annotated[str, BeforeValidator(lambda text: clipped(text) if isinstance(text, str) else text)]
"""What a peer, a library or other people's results say: the beginning of it where it is long."""

_INSTANT: Final = "expected a time as ISO 8601 has it, with its offset from UTC, such as 2025-11-22T20:00:00+00:00"


def _instant(text: str) -> str:
    try:
        known = datetime.fromisoformat(text).tzinfo is not None
        datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        known = False
    if not known:
        raise ValueError(_INSTANT)
    return text


Instant = Annotated[str, AfterValidator(_instant), Field(json_schema_extra={"format": "date-time"})]
"""A time, as it was written: ISO 8601 (RFC 3339, section 5.6)."""

Count = Annotated[int, Field(ge=0, lt=1 << 63)]
"""How many there are: what a history can keep, too."""

Provenance = Literal["hardware", "vendor-software", "emulated", "software"]
Outcome = Literal["identical", "rejected", "hazard"]
Verdict = Literal["pass", "refused", "hazard", "known", "fail", "skip", "error", "not-run"]
Kind = Literal["corrupt", "wrong-error", "accepted", "crash", "hang", "invariant", "unproven", "disturbed"]
DeviceVerdict = Literal["proven", "fell-back", "unproven", "disturbed", "unverified", "not claimed"]
Severity = Literal["corruption", "crash", "hang", "leak", "contract"]
Role = Literal["sender", "receiver"]
Unit = Literal["jobs", "bytes"]
"""Of what a device, or its library, counts."""
Witness = Literal["device", "library", "none"]
"""Whose word the count of a device's work is: its own counters', its vendor library's, nobody's."""
State = Literal["contradicted", "not shown", "not on hardware", "shown"]

CONFORMING: frozenset[Verdict] = frozenset({"pass", "refused", "hazard", "known"})
"""Verdicts of cells that were checked and went as predicted or as a known issue says."""

AS_PREDICTED: frozenset[Verdict] = frozenset({"pass", "refused", "hazard"})
"""Verdicts of cells that went as predicted: their reason is the prediction's, unless the record has that beside it."""

VERDICT_ORDER: tuple[Verdict, ...] = (
    "fail", "error", "hazard", "known", "not-run", "skip", "refused", "pass",
)  # fmt: skip
"""Verdicts, worst first."""

KIND_ORDER: tuple[Kind, ...] = (
    "corrupt", "accepted", "unproven", "disturbed", "hang", "crash", "invariant", "wrong-error",
)  # fmt: skip
"""Kinds of failure, worst first: silent corruption outranks everything."""

SEVERITY_ORDER: tuple[Severity, ...] = ("corruption", "crash", "hang", "leak", "contract")
"""Severities, worst first."""

STATE_ORDER: tuple[State, ...] = ("contradicted", "not shown", "not on hardware", "shown")
"""What becomes of a claim, worst first."""


class Model(BaseModel):
    """Base of all contract models: no unknown keys, no silent change after creation, every field written.

    No number is none.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_serialization_defaults_required=True,
        allow_inf_nan=False,
    )


class Written(Model):
    """Base of what results have, which others may have written: no name is longer than what may be said.

    What is made of results is not held to that, for it says several such things together.
    """

    model_config = ConfigDict(str_max_length=LONGEST)
