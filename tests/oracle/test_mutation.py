"""Mutation of the oracle: each rule is needed, and real peers show it.

A rule is taken out of the oracle; a cell of a small plan then gets another prediction; that cell is run with real
peer processes. It must conform under the true oracle and fail under the mutated one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from multifd.campaign.conclude import concluded
from multifd.campaign.options import Options
from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUp
from multifd.oracle.predict import predict
from multifd.oracle.rules import RULES, Rule
from multifd.plan import pairings
from multifd.plan.cell import PlannedCell
from multifd.plan.whole import plan
from multifd.profile.model import PeerEntry, Profile
from multifd.result.known import shipped
from multifd.result.record import CONFORMING
from multifd.run.bench import Bench
from multifd.run.stage import Stage

PROFILE: Final = Profile(
    description="One codec of each kind: none, streaming, a limited window, one-shot, several members, another format.",
    peers=(
        PeerEntry(codec="none"),
        PeerEntry(codec="zlib"),
        PeerEntry(codec="zlib", parameters={"window": 12}),
        PeerEntry(codec="libdeflate"),
        PeerEntry(codec="qat-emulated"),
        PeerEntry(codec="zstd"),
    ),
)
OF_QEMU: Final = ("told", "trust", "interrupted", "channels", "link")
"""Our own peers are told nothing, speak no TLS, and have one number of channels, over links that behave:
tests/run/test_qemu.py and test_secure.py show these rules."""
SHOWN: Final = [rule for rule in RULES if rule.name not in OF_QEMU]


@pytest.fixture(scope="module")
def line_up() -> LineUp:
    return resolve("mutation", PROFILE, None)


@pytest.fixture(scope="module")
def cells(line_up: LineUp) -> list[PlannedCell]:
    return list(plan(line_up, {}).cells.values())


@pytest.fixture(scope="module")
def bench(line_up: LineUp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    scratch: Path = tmp_path_factory.mktemp("mutation")
    running = Bench(line_up, Stage(scratch, "only", 1, None))
    yield running
    running.close()


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.name)
def test_without_the_rule_a_real_cell_fails(
    rule: Rule, line_up: LineUp, cells: list[PlannedCell], bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = next(cell for cell in cells if cell.prediction.rule == rule.name)
    monkeypatch.setattr(pairings, "predict", partial(predict, rules=[r for r in RULES if r is not rule]))
    ends = line_up.peer(true.pairing.sender), line_up.peer(true.pairing.receiver)
    mutated = pairings.planned(true.suite, true.pairing, *ends)
    assert mutated.prediction != true.prediction

    outcome = bench.run(true.pairing)

    record = concluded(true, outcome, Options(), shipped())
    assert record.verdict in CONFORMING, f"{record.id}: {record.reason}"
    assert concluded(mutated, outcome, Options(), shipped()).verdict == "fail"
