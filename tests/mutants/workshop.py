"""Where mutants are built, and put before the cells of the default run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import yaml

from multifd.accelerator import ACCELERATORS
from multifd.campaign.options import Options
from multifd.campaign.prepare import Campaign, prepare
from multifd.campaign.worker import Worker
from multifd.errors import PeerError
from multifd.libraries.find import Library
from multifd.lineup.probe import Prober
from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.peer.client import PeerProcess
from multifd.plan.cell import PlannedCell
from multifd.plan.work import Pairing
from multifd.result.record import Cell
from tests.mutants.mutants import Mutant, codec
from tests.mutants.substitute import furnish, substitute

SUITES: Final = ("wire", "negotiation", "integrity")
"""A vendor library by itself is scrutinized elsewhere: here the wire must do."""
_SOURCES: Final = Path(__file__).parent
_SECONDS: Final = 30.0


class Workshop:
    """The default run, prepared once with libraries that only pass on; each can be replaced by a mutant for a while."""

    def __init__(self, directory: Path, libraries: Mapping[str, Library]) -> None:
        self._libraries = libraries
        self._directory = directory / "libraries"
        self._directory.mkdir()
        self._results = directory / "results"
        furnish(self._directory, libraries)
        for library in libraries.values():
            self._build(library)
        self.campaign: Final = self._prepared(directory / "profile.yaml")

    @contextmanager
    def mutated(self, mutant: Mutant) -> Iterator[None]:
        """The mutant stands in the place of its library."""
        library, condition = self._libraries[mutant.library], mutant.condition
        self._build(library, mutant.direction, condition.when, short=condition.short)
        try:
            yield
        finally:
            self._build(library)

    def probed(self, name: str) -> str | None:
        """What the probe has against a peer."""
        peer = self.campaign.line_up.peer(name)
        process = PeerProcess(peer.name, peer.command, peer.environment)
        try:
            with Prober() as prober:
                return prober.probe(process, process.hello(_SECONDS), _SECONDS).problem
        except PeerError as broken:
            return str(broken)
        finally:
            process.quit()

    def cells(self, mutant: Mutant) -> list[PlannedCell]:
        """Those that can tell: the library works in them, and memory must be identical; the likely ones first.

        Of these, first those whose ends are soon there: a peer with a vendor library takes half a second to start.
        """

        def later(cell: PlannedCell) -> tuple[bool, bool, bool]:
            own, other = mutant.ends(cell.pairing)
            return not mutant.condition.likely(cell.pairing), codec(other) in self._libraries, own != mutant.library

        cells = [
            cell
            for cell in self.campaign.plan.cells.values()
            if cell.suite in SUITES
            and isinstance(cell.work, Pairing)
            and cell.prediction.outcome == "identical"
            and mutant.concerns(cell.work)
        ]
        return sorted(cells, key=later)

    def run(self, cells: list[PlannedCell]) -> Iterator[Cell]:
        """The records of these cells, by peers of their own."""
        scratch = make_scratch(self.campaign.room, sockets=True)
        try:
            with Worker(self.campaign, scratch, self._results, None) as worker:
                yield from map(worker.conclude, cells)
        finally:
            remove_scratch(scratch)

    def _build(
        self, library: Library, direction: str = "compress", when: str = "false", *, short: bool = False
    ) -> None:
        condition = (f"-DDIRECTION={direction.upper()}", f"-DWHEN={when}", f"-DSHORT={short:d}")
        substitute(library, _SOURCES / f"lib{library.name}.c", self._directory, *condition)

    def _prepared(self, profile: Path) -> Campaign:
        own = {"path": "software", "libraries": [str(self._directory)]}
        devices = {kind: own if each.real is not None else {} for kind, each in ACCELERATORS.items()}
        content = {"description": "mutants", "extends": "auto", "devices": devices}
        profile.write_text(yaml.safe_dump(content))
        return prepare(Options(profile=str(profile), qemu=("none",)), print, probe=True)
