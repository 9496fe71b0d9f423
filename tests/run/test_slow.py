"""Nothing slow is called a hang: ordinary cells with a real QEMU, over connections that stall unplanned."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from multifd.campaign.conclude import concluded
from multifd.campaign.options import Options
from multifd.migrate.crew import Crew
from multifd.migrate.relay import Relay
from multifd.plan.cell import PlannedCell
from multifd.result.known import shipped
from multifd.run.qemu.bench import QemuBench
from multifd.run.qemu.setting import Setting
from multifd.wire.link import Link, Stall
from tests.qemu.host import QEMU, needs_qemu
from tests.run.test_qemu import Lab

pytestmark = needs_qemu
STALLED: Final = Link("a channel is not read for 3 seconds", stall=Stall(1 << 14, 3.0))
ORDINARY: Final = (
    ("zlib", "migrate"), ("none", "return-path"), ("zstd", "migrate"), ("zlib", "tcp"), ("zlib~zstd", "migrate"),
)  # fmt: skip
"""None that hangs: where nobody is told of the link, that costs seconds."""
AT_ONCE: Final = 5
"""They mostly wait."""
CONFORMING: Final = ("pass", "refused", "hazard", "known")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with TemporaryDirectory(prefix="multifd-test-") as directory:
        lab = Lab(Path(directory), QEMU)
        yield lab
        lab.bench.close()


def over(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell from now on runs over it, and who watches is not told."""

    def way(_: QemuBench, ends: Setting, address: str) -> tuple[str, tuple[Crew, ...]]:
        here = "tcp:127.0.0.1:0" if address.startswith("tcp:") else f"unix:{ends.directory / 'link'}"
        relay = Relay(here, address, link, ends.pairing.channels, 60, page_size=4096, raw=False)
        return ends.standing.enter_context(relay).address, ()

    monkeypatch.setattr(QemuBench, "_way", way)


def ended(lab: Lab) -> dict[str, tuple[str, str]]:
    """How each ordinary cell ends, and what was predicted."""

    def run(cell: PlannedCell) -> tuple[str, str]:
        return concluded(cell, lab.bench.run(cell.pairing), Options(), shipped()).verdict, cell.prediction.outcome

    cells = [lab.cell(methods, "Q~Q", scenario) for methods, scenario in ORDINARY]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {cell.id: end for cell, end in zip(cells, pool.map(run, cells), strict=True)}


def test_ordinary_cells_end_as_predicted(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    over(STALLED, monkeypatch)

    ends = ended(lab)

    assert {name: end for name, end in ends.items() if end[0] not in CONFORMING} == {}
    assert {verdict for verdict, predicted in ends.values() if predicted == "identical"} == {"pass"}
