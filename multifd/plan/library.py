"""The suites ``vendor`` and ``fidelity``: a vendor library by itself.

There is no wire in them. ``identical`` is predicted throughout: the library does what its documentation says, what it
writes is what zlib reads, and its emulation does the same. Whatever differs is a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from multifd import scrutiny
from multifd.accelerator import VENDOR, by_codec
from multifd.errors import HarnessError
from multifd.oracle.question import Prediction
from multifd.plan.cell import PlannedCell
from multifd.plan.work import Check, Fidelity, Reproducer
from multifd.scrutiny.checks import CHECKS

REPRODUCERS: Final = Path(scrutiny.__file__).with_name("reproducers")
_STREAMS: Final = 5000
"""Of the main job; ``python -m multifd.fidelity`` takes as many as one likes."""
_FORMATS: Final = {"4b-": "4b-packet", "raw-": "raw-packet", "gzip-": "gzip-packet"}
"""First letters of the reproducers of one format, and the proposal with that format."""


def library_plan(skips: Mapping[str, str | None], reproducers: Path = REPRODUCERS) -> Iterator[PlannedCell]:
    """Every check and every reproducer of each library, and its emulation against it.

    ``skips`` says why a library's cells will not run; ``reproducers`` has a directory per library with a program per
    finding. Raises HarnessError for a library without any.
    """
    for library, skip in skips.items():
        method = by_codec(library).method
        reason = f"{VENDOR[library].library} does what its documentation says, and what zlib does"
        promise = Prediction("identical", "vendor", reason, None, ())
        names = sorted(script.stem for script in (reproducers / library).glob("*.py"))
        if not names:
            raise HarnessError(
                f"{reproducers / library}: no reproducers, expected at least one for {VENDOR[library].library}"
            )
        works: list[Check | Reproducer] = [
            *(Check(library=library, framing=method, name=check) for check in CHECKS),
            *(Reproducer(library=library, framing=_format(name, method), name=name) for name in names),
        ]
        for work in works:
            yield PlannedCell(suite="vendor", work=work, prediction=promise, skip=skip)
        yield _fidelity(library, method, skip)


def _format(reproducer: str, method: str) -> str:
    return next((framing for start, framing in _FORMATS.items() if reproducer.startswith(start)), method)


def _fidelity(library: str, method: str, skip: str | None) -> PlannedCell:
    emulation, name = by_codec(library).emulated, VENDOR[library].library
    reason = f"{emulation} and {name} accept the same streams to the same bytes, but for named differences"
    return PlannedCell(
        suite="fidelity",
        work=Fidelity(library=library, framing=method, emulation=emulation, streams=_STREAMS),
        prediction=Prediction("identical", "fidelity", reason, None, ()),
        skip=skip,
    )
