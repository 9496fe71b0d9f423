"""Cells about a vendor library by itself: a reproducer of one defect, or one systematic check.

There is no wire in them. ``identical`` is predicted throughout: the library does what its documentation says, and
what it writes is what zlib reads. Whatever differs is a finding.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from multifd import scrutiny
from multifd.errors import HarnessError
from multifd.oracle.question import Prediction
from multifd.plan.matrix import LATEST
from multifd.scrutiny.checks import CHECKS

REPRODUCERS: Final = Path(scrutiny.__file__).with_name("reproducers")
_METHODS: Final = {"qatzip": "qatzip", "qpl": "qpl"}
"""What QEMU uses the library for."""
_EMULATIONS: Final = {"qatzip": "qat-emulated", "qpl": "iaa-emulated"}
_STREAMS: Final = 5000
"""Of the main job; ``python -m multifd.fidelity`` takes as many as one likes."""
_FORMATS: Final = {"4b-": "4b-packet", "raw-": "raw-packet", "gzip-": "gzip-packet"}
"""First letters of the reproducers of one format, and the proposal with that format."""


class VendorCell(BaseModel):
    """One cell of the suite ``vendor``: ``vendor/qatzip/4b-overrun``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    library: str
    """Name of the codec, and of the peer."""
    scenario: str
    """Name of the check, or of the reproducer."""
    script: Path | None
    """The reproducer; None for a check."""
    streams: int | None = None
    """How many streams the emulation and the library are both given; None for anything else."""
    prediction: Prediction
    skip: str | None = None
    """Why it will not run, and what to do about it."""

    suite: str = "vendor"
    corpus: str = "none"
    page_size: int = 4096
    channels: int = 1
    fault: None = None
    dialect: str = LATEST

    @property
    def id(self) -> str:
        """Unique in a plan."""
        return f"{self.suite}/{self.library}/{self.scenario}"

    @property
    def sender(self) -> str:
        """The library; of the suite ``fidelity`` the emulation that is held against it."""
        return self.library if self.streams is None else _EMULATIONS[self.library]

    @property
    def receiver(self) -> str:
        """The library."""
        return self.library

    @property
    def framing(self) -> str:
        """The framing whose format is under scrutiny."""
        special = (framing for start, framing in _FORMATS.items() if self.scenario.startswith(start))
        return next(special, _METHODS[self.library])

    @property
    def group(self) -> str:
        """Vendor cells share nothing: any worker may run any of them."""
        return self.id

    def reproduce(self, options: tuple[str, ...] = ()) -> str:
        """The command that runs exactly this cell again."""
        return shlex.join(["tox", "-e", "conformance", "--", "--cell", self.id, *options])


def vendor_plan(skips: Mapping[str, str | None], reproducers: Path = REPRODUCERS) -> list[VendorCell]:
    """Every check and every reproducer of each library; ``skips`` says why a library's cells will not run.

    ``reproducers`` has a directory per library with one script per finding. Raises :class:`HarnessError` if there is
    none of them.
    """
    cells = []
    for library, skip in skips.items():
        reason = f"lib{library} does what its documentation says, and what zlib does"
        promise = Prediction("identical", "vendor", reason, None, ())
        scripts = {script.stem: script for script in _scripts(reproducers / library)}
        for scenario, script in {**dict.fromkeys(CHECKS), **scripts}.items():
            cells.append(VendorCell(library=library, scenario=scenario, script=script, prediction=promise, skip=skip))
        cells.append(_fidelity(library, skip))
    return cells


def _scripts(directory: Path) -> list[Path]:
    scripts = sorted(directory.glob("*.py"))
    if not scripts:
        raise HarnessError(f"{directory}: holds no reproducers (*.py)")
    return scripts


def _fidelity(library: str, skip: str | None) -> VendorCell:
    reason = (
        f"{_EMULATIONS[library]} and lib{library} accept the same streams to the same bytes, but for named differences"
    )
    return VendorCell(
        suite="fidelity",
        library=library,
        scenario="emulation",
        script=None,
        streams=_STREAMS,
        prediction=Prediction("identical", "fidelity", reason, None, ()),
        skip=skip,
    )
