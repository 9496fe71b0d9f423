"""Cells of the suite between real QEMUs, with a defect on the way or in a process."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from multifd.campaign.conclude import concluded
from multifd.campaign.options import Options
from multifd.campaign.releases import releases_of
from multifd.lineup.qemus import resolve_qemus
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu.whole import qemu_plan
from multifd.qemu.guest import Guest
from multifd.result.known import shipped
from multifd.result.record import Cell
from multifd.run.bench import Bench
from multifd.run.stage import Stage
from tests.history.conduct import Ask, Case, Conduct
from tests.history.proxy import Proxy, Way
from tests.liars.court import honest, line_up
from tests.qemu.host import BINARIES, facts

_WITHIN: Final = 20.0
_BY_AGE: Final = sorted(BINARIES, key=lambda binary: facts(binary).version)
needs_old_and_new: Final = pytest.mark.skipif(
    not BINARIES or facts(_BY_AGE[0]).version >= (9, 0) or facts(_BY_AGE[-1]).version < (10, 0),
    reason="not a QEMU before 9.0 and one of 10.0 or later; remedy: run 'multifd vendor fetch --qemu'",
)


class Laboratory:
    """The oldest and the newest QEMU of this host, ``OLD`` and ``NEW`` in a cell's pattern."""

    def __init__(self, scratch: Path) -> None:
        qemus = resolve_qemus([_BY_AGE[0], _BY_AGE[-1]], _WITHIN)
        self._line_up = line_up(honest()).model_copy(update={"qemus": qemus})
        self._names = dict(zip(("OLD", "NEW"), (qemu.name for qemu in qemus), strict=True))
        self._cells = {cell.id: cell for cell in qemu_plan(self._line_up)}
        self._scratch = scratch
        self._numbers = itertools.count()
        self._bench = Bench(self._line_up, Stage(scratch, "main", 1, None))

    def cell(self, pattern: str) -> PlannedCell:
        """The first cell whose id is like this."""
        for short, name in self._names.items():
            pattern = pattern.replace(short, name)
        return next(cell for id_, cell in self._cells.items() if fnmatchcase(id_, pattern))

    def run(self, cell: PlannedCell, wrong: Way | Conduct) -> tuple[Cell, int]:
        """Run and conclude it as a run does, with what is wrong in it; and how often something was."""
        put_back = self._through(wrong) if isinstance(wrong, Way) else _behaving(wrong)
        with put_back as acts:
            outcome, releases = self._bench.run(cell.pairing), releases_of(cell.work, self._line_up, {})
            record = concluded(cell, outcome, Options(), shipped(), releases)
        return record, acts()

    def close(self) -> None:
        """End every process."""
        self._bench.close()

    @contextmanager
    def _through(self, way: Way) -> Iterator[Callable[[], int]]:
        """Whatever migrates somewhere migrates through a proxy."""
        proxies: list[Proxy] = []
        with ExitStack() as stack:

            async def behave(_case: Case, _: Guest, ask: Ask, given: str, arguments: dict[str, Any]) -> Any:
                if given == "migrate":
                    here = f"unix:{self._scratch / f'proxy-{next(self._numbers)}'}"
                    proxies.append(stack.enter_context(Proxy(way, here, arguments["uri"])))
                    arguments["uri"] = here
                return await ask(given, **arguments)

            with _behaving(behave):
                yield lambda: sum(proxy.changed for proxy in proxies)


@contextmanager
def _behaving(conduct: Conduct) -> Iterator[Callable[[], int]]:
    """Every QEMU behaves so."""
    case, execute = Case(), Guest.execute

    async def instead(guest: Guest, command: str, within: float, /, **arguments: Any) -> Any:
        answer = await conduct(case, guest, partial(_ask, guest, within), command, arguments)
        case.given[guest.pid, command] += 1
        return answer

    async def _ask(guest: Guest, within: float, command: str, /, **arguments: Any) -> Any:
        return await execute(guest, command, within, **arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Guest, "execute", instead)
        yield lambda: case.acts
