"""Two runs on one device at the same time keep out of each other's counts; what does not know of them is noticed."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import pytest

from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUp
from multifd.plan.work import Pairing
from multifd.profile.model import PeerEntry, Profile
from multifd.run.bench import Bench
from multifd.run.stage import Stage
from tests.evidence.engine import Engine

CELLS = 6


class Lab:
    """One engine, and a line-up with a peer on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.engine = Engine(root)
        driver = PeerEntry(
            name="driver",
            command=(sys.executable, str(Path(__file__).with_name("driver.py")), str(self.engine.registers)),
            environment={"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        )
        self.engine.share(100, 100)
        profile = Profile(description="a lab", peers=(PeerEntry(codec="uadk-emulated"), driver))
        self.line_up: LineUp = resolve("lab", profile, None)

    def verdicts(self, run: int) -> list[str]:
        """The device verdicts of some cells, run by a bench of its own."""
        bench = Bench(self.line_up, Stage(self.root / "scratch", f"run{run}", run, None), self.engine.host)
        try:
            return [bench.run(pairing(run, number)).observation.device for number in range(CELLS)]
        finally:
            bench.close()

    @contextmanager
    def at_work(self, every: float) -> Iterator[None]:
        """Somebody who knows no lock works on the engine all the time."""
        ended = Event()

        def work() -> None:
            while not ended.wait(every):
                self.engine.work(1)

        thread = Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def pairing(run: int, number: int) -> Pairing:
    """Each a migration of its own, captured or live, with the engine at either end or both."""
    sender, receiver = (("driver", "driver"), ("driver", "uadk-emulated"), ("uadk-emulated", "driver"))[number % 3]
    return Pairing(
        sender=sender, receiver=receiver, sender_framing="uadk", receiver_framing="uadk", sender_dialect="qemu-10.0",
        receiver_dialect="qemu-10.0", scenario=("capture", "live")[number % 2], corpus="mixed", page_size=4096,
        channels=2, sizes={"pc.ram": (200 + 10 * run + number) * 4096}, blocks="one",
    )  # fmt: skip


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with TemporaryDirectory(prefix="multifd-test-") as directory:
        yield Lab(Path(directory))


def test_two_runs_beside_each_other_are_both_proven(lab: Lab) -> None:
    reader, writer = os.pipe()
    other = os.fork()
    if other == 0:
        try:
            os.write(writer, json.dumps(lab.verdicts(1)).encode())
        finally:
            os._exit(0)
    os.close(writer)

    mine = lab.verdicts(2)
    with os.fdopen(reader) as theirs:
        found = Counter(mine + json.loads(theirs.read()))
    os.waitpid(other, 0)

    assert found == {"proven": 2 * CELLS}


def test_beside_somebody_who_knows_of_no_lock_nothing_is_proven_that_fell_back(lab: Lab) -> None:
    lab.engine.share(90, 90)
    try:
        with lab.at_work(every=0.002):
            found = set(lab.verdicts(3))
    finally:
        lab.engine.share(100, 100)

    assert found <= {"unproven", "disturbed"}


def test_nor_is_what_did_not(lab: Lab) -> None:
    with lab.at_work(every=0.002):
        assert set(lab.verdicts(4)) == {"disturbed"}
