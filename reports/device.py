"""The part that hardware had, in words: of one end with its numbers, and of a whole run by who says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from multifd.result.record import Cell, DeviceWork
from reports.vocabulary import WITNESSES

_PROVEN: Final = {witness: f"proven by {words}" for witness, words in WITNESSES.items()}
_ORDER: Final = (_PROVEN["device"], _PROVEN["library"], "fell-back", "unverified", "disturbed", "unproven")


def said(work: DeviceWork) -> str:
    """What was asked of a device, what was counted, and what follows."""
    counted = "unknown" if work.counted is None else f"{work.counted:,}"
    by = f" by {WITNESSES[work.witness]}" if work.verdict in ("proven", "unproven") and work.witness != "none" else ""
    more = (
        work.why,
        f"busy {work.busy:,} {_times(work.busy)}" if work.busy else "",
        f"a page was missing {work.faults:,} {_times(work.faults)}" if work.faults else "",
    )
    figures = f"asked {_range(work)} {work.unit}, counted {counted} ({work.source}): {work.verdict}{by}"
    return "; ".join(part for part in (figures, *more) if part)


def proof(cells: Iterable[Cell]) -> str:
    """How many cells that claim hardware came to what, and whose word proved all of it; empty where none claims any."""
    found = Counter(map(_outcome, cells))
    return ", ".join(f"{found[each]:,} {each}" for each in _ORDER if found[each])


def _outcome(cell: Cell) -> str:
    if cell.device_verdict != "proven":
        return cell.device_verdict
    by_library = any(work.verdict == "proven" and work.witness == "library" for work in cell.device)
    return _PROVEN["library" if by_library else "device"]


def _range(work: DeviceWork) -> str:
    if work.most is None:
        return f"at least {work.asked:,}"
    return f"{work.asked:,}" if work.most == work.asked else f"{work.asked:,} to {work.most:,}"


def _times(count: int) -> str:
    return "time" if count == 1 else "times"
