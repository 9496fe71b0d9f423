"""A cell holds its devices from its start to its end, whether anything is proven by it or not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from multifd.device.diagnose import detect
from multifd.device.exclusive import Exclusive
from multifd.evidence.outcome import Outcome
from multifd.lineup.peers import LineUp, LineUpPeer
from multifd.oracle.verdict import Observation
from multifd.plan.work import Flips
from multifd.profile.model import Deadlines
from multifd.result.record import Provenance
from multifd.run.bench import Bench
from multifd.run.stage import Stage
from tests.evidence.engine import Engine


def peer(name: str, provenance: Provenance) -> LineUpPeer:
    return LineUpPeer(
        name=name, command=("p",), environment={}, external=False, roles=("sender", "receiver"), codec=name,
        device="Kunpeng", provenance=provenance, version="1", encoder=None, decoder=None, probe=None,
    )  # fmt: skip


class Lab:
    """A bench whose flips do nothing but see whether others could have the engine."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engine = Engine(root)
        peers = (peer("engine", "hardware"), peer("model", "emulated"))
        self.bench = Bench(
            LineUp(profile="p", peers=peers, deadlines=Deadlines()), Stage(root / "scratch", "main", 1, None),
            self.engine.host,
        )  # fmt: skip
        self.held: list[bool] = []
        monkeypatch.setattr(self.bench._captured, "flip", self._look)

    def flip(self, sender: str, receiver: str) -> Outcome:
        return self.bench.flip(Flips(sender=sender, receiver=receiver, framing="uadk"))

    def free(self) -> bool:
        """Whether others can have the engine."""
        theirs, devices = Exclusive(self.engine.host, 0.02), detect(self.engine.host)
        with theirs.holding(devices):
            return not theirs.without(devices)

    def _look(self, work: Flips) -> Outcome:
        self.held.append(not self.free())
        return Outcome(Observation("identical"))


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    lab = Lab(tmp_path, monkeypatch)
    yield lab
    lab.bench.close()


@pytest.mark.parametrize(("sender", "receiver"), [("engine", "model"), ("model", "engine"), ("engine", "engine")])
def test_a_cell_that_proves_nothing_holds_its_device_all_the_same(sender: str, receiver: str, lab: Lab) -> None:
    lab.flip(sender, receiver)

    assert lab.held == [True]
    assert lab.free()


def test_a_cell_without_a_device_holds_none(lab: Lab) -> None:
    lab.flip("model", "model")

    assert lab.held == [False]


def test_waiting_for_a_device_is_no_time_of_the_cell(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def waiting(names: object) -> Iterator[None]:
        time.sleep(0.3)
        yield

    monkeypatch.setattr(lab.bench.means.prover, "holding", waiting)

    assert lab.flip("engine", "model").seconds.wall < 0.25
