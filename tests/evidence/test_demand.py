"""What a migration demands of devices: every page of a per-page framing, every packet of the others, no zero page."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from multifd.errors import PeerError
from multifd.evidence.demand import Demand
from multifd.evidence.measure import measure
from multifd.evidence.proof import worst
from multifd.framing.model import FRAMINGS, framing
from multifd.lineup.introduce import resolve
from multifd.memory import rounds
from multifd.memory.corpus import CORPORA
from multifd.memory.image import GuestMemory
from multifd.memory.layout import PageRun, Script
from multifd.migrate.capture import MANIFEST
from multifd.peer import contract
from multifd.plan.whole import plan
from multifd.profile.model import PeerEntry, Profile
from multifd.result.record import DeviceVerdict, DeviceWork
from multifd.run.bench import Bench
from multifd.run.stage import Stage
from tests.evidence.engine import Engine
from tests.run.recording import PAGE, record, script

COUNTED: Final = Demand(pages=700, packets=6, escaped=100)


def with_content(asked: Script) -> list[int]:
    """Pages of each round that are not zero, looked at one by one."""
    counts = []
    for dirty_round in asked.rounds:
        with GuestMemory.open(dirty_round.image, writable=False) as memory:
            pages = (memory.pages(run.block)[at] for run in dirty_round.pages for at in range(run.first, run.stop))
            counts.append(sum(any(page.tobytes()) for page in pages))
    return counts


def done(packets: int, escaped: int | None = None) -> contract.Done:
    return contract.Done(id=1, provenance="hardware", packets=packets, escaped=escaped)


REFUSED: Final = contract.Failed(id=1, error="no", kind="payload")


# The rule


@pytest.mark.parametrize(
    ("name", "encoding", "decoding"),
    [
        ("none", 0, 0),
        ("zlib", 6, 6),
        ("zlib-sync-page", 6, 6),
        ("zstd", 6, 6),
        ("qatzip", 6, 6),
        ("zlib-packet", 6, 6),
        ("zlib-page", 700, 700),
        ("qpl", 700, 600),
        ("uadk", 700, 600),
    ],
)
def test_jobs_follow_the_framing(name: str, encoding: int, decoding: int) -> None:
    assert (COUNTED.encoding(framing(name)), COUNTED.decoding(framing(name))) == (encoding, decoding)


def test_escaped_pages_that_nobody_counted_leave_one_job_for_each_packet() -> None:
    assert Demand(pages=700, packets=6, escaped=None).decoding(FRAMINGS["qpl"]) == 6


def test_more_escaped_pages_than_pages_demand_nothing() -> None:
    assert Demand(pages=7, packets=1, escaped=9).decoding(FRAMINGS["qpl"]) == 0


@pytest.mark.parametrize("reply", [REFUSED, PeerError("crash", "peer zlib exited")])
def test_a_sender_that_did_not_do_its_part_demands_nothing(reply: contract.Failed | PeerError) -> None:
    assert COUNTED.of_sender(reply, "zlib-page").asked.least == 0


def test_a_receiver_that_did_not_do_its_part_demands_nothing() -> None:
    assert COUNTED.of_receiver(REFUSED, "qpl").asked.least == 0


def test_each_end_demands_the_jobs_of_its_own_part() -> None:
    ends = (COUNTED.of_sender(done(6), "qpl"), COUNTED.of_receiver(done(6), "qpl"))

    assert [end.asked.least for end in ends] == [700, 600]


@pytest.mark.parametrize(
    ("device", "name", "jobs"),
    [("QAT", "zlib", 0), ("QAT", "qatzip", 6), ("IAA", "zlib", 6), (None, "zlib", 6), ("unheard of", "zlib", 6)],
)
def test_a_stream_that_silicon_does_not_follow_demands_nothing_of_it(device: str | None, name: str, jobs: int) -> None:
    assert COUNTED.of_receiver(done(6), name, device).asked.least == jobs
    assert COUNTED.of_sender(done(6), name).asked.least == 6


# What is counted


@pytest.mark.parametrize("corpus", ["text", "sparse", "zero", "mixed"])
def test_of_a_capture_pages_with_content_are_counted(corpus: str, tmp_path: Path) -> None:
    capture = record(tmp_path, "qpl", corpus=corpus)
    sent = rounds.load(tmp_path / "memory")

    assert Demand.of_capture(sent, measure(capture)).pages == sum(with_content(sent))


@pytest.mark.parametrize(("corpus", "packets"), [("text", 3), ("zero", 0)])
def test_of_a_capture_packets_with_a_payload_are_counted(corpus: str, packets: int, tmp_path: Path) -> None:
    capture = record(tmp_path, "zlib", corpus=corpus)

    assert Demand.of_capture(rounds.load(tmp_path / "memory"), measure(capture)).packets == packets


def test_our_sender_counts_as_the_harness_does(tmp_path: Path) -> None:
    capture = record(tmp_path, "qpl", corpus="zero")

    told = json.loads((capture.directory / MANIFEST).read_text())["packets"]

    assert told == measure(capture).packets == 0


@pytest.mark.parametrize(
    ("name", "corpus", "escaped"), [("qpl", "text", 0), ("qpl", "random", 300), ("zlib", "random", 0)]
)
def test_of_a_capture_escaped_pages_are_counted(name: str, corpus: str, escaped: int, tmp_path: Path) -> None:
    capture = record(tmp_path, name, corpus=corpus)

    assert Demand.of_capture(rounds.load(tmp_path / "memory"), measure(capture)).escaped == escaped


def test_a_page_counts_in_every_round_that_sends_it(tmp_path: Path) -> None:
    sent = rounds.build(tmp_path, CORPORA["text"], 1, {"a": 200 * PAGE, "b": 56 * PAGE}, PAGE, "dirty")

    counted = Demand.of_live(sent, [done(0), done(0)])

    assert len(sent.rounds) == 3
    assert counted.pages == sum(with_content(sent))


def test_pages_that_change_while_they_are_sent_are_not_counted(tmp_path: Path) -> None:
    sent = script(tmp_path)

    counted = Demand.of_live(sent, [done(0), done(0)], [PageRun(block="pc.ram", first=10, count=45)])

    assert counted.pages == sum(with_content(sent)) - 45


@pytest.mark.parametrize("block", ["a", "b", "c"])
def test_pages_of_one_block_that_change_leave_those_of_others_counted(block: str, tmp_path: Path) -> None:
    sizes = dict.fromkeys("abc", 20 * PAGE)
    sent = rounds.build(tmp_path, CORPORA["text"], 1, sizes, PAGE, "single")

    counted = Demand.of_live(sent, [done(0), done(0)], [PageRun(block=block, first=3, count=4)])

    assert counted.pages == sum(with_content(sent)) - 4


def test_live_packets_are_at_least_those_that_the_pages_fill(tmp_path: Path) -> None:
    sent = rounds.build(tmp_path, CORPORA["text"], 1, {"a": 129 * PAGE, "b": 1 * PAGE}, PAGE, "single")

    assert Demand.of_live(sent, [done(1), done(2)]).packets == 3


@pytest.mark.parametrize("ends", [(done(9), done(0)), (done(0), done(9)), (REFUSED, done(9)), (done(9), REFUSED)])
def test_live_packets_are_more_if_either_end_says_so(
    ends: tuple[contract.Conclusion, contract.Conclusion], tmp_path: Path
) -> None:
    assert Demand.of_live(script(tmp_path), ends).packets == 9


@pytest.mark.parametrize(
    ("ends", "escaped"), [((done(3, 5), done(3)), 5), ((done(3), done(3, 5)), None), ((REFUSED, done(3, 5)), None)]
)
def test_of_live_escaped_pages_the_sender_tells(
    ends: tuple[contract.Conclusion, contract.Conclusion], escaped: int | None, tmp_path: Path
) -> None:
    assert Demand.of_live(script(tmp_path), ends).escaped == escaped


# From the command line of a peer to the verdict


class Lab:
    """A bench with our emulation and a peer on an engine."""

    def __init__(self, root: Path) -> None:
        self._engine = Engine(root)
        driver = PeerEntry(
            name="driver",
            command=(sys.executable, str(Path(__file__).with_name("driver.py")), str(self._engine.registers)),
            environment={"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        )
        profile = Profile(description="a lab", peers=(PeerEntry(codec="uadk-emulated"), driver))
        line_up = resolve("lab", profile, None)
        self._cells = list(plan(line_up, {}).cells.values())
        self._bench = Bench(line_up, Stage(root / "scratch", "main", 1, None), self._engine.host)
        self._blocks = itertools.count(400)
        self.close = self._bench.close
        self.work: tuple[DeviceWork, ...] = ()
        """Of the last cell."""

    def prove(
        self, pairing: str, scenario: str, encoding: int = 100, decoding: int = 100, corpus: str = "mixed"
    ) -> DeviceVerdict:
        """The device verdict under ``uadk``; of a hundred jobs so many reach the engine, the others fall back."""
        cell = next(cell for cell in self._cells if cell.id.startswith(f"wire/uadk/{pairing}/"))
        # Memory of a size of its own: no capture of an earlier test is taken.
        usual = {"page_size": PAGE, "blocks": "one", "fill": "full", "channels": 2}
        own = {**usual, "scenario": scenario, "corpus": corpus, "sizes": {"pc.ram": next(self._blocks) * PAGE}}
        self._engine.share(encoding, decoding)
        outcome = self._bench.run(cell.pairing.model_copy(update=own))
        assert outcome.observation.outcome == "identical", outcome
        assert outcome.observation.device == worst(outcome.device)
        self.work = outcome.device
        return outcome.observation.device


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with TemporaryDirectory(prefix="multifd-test-") as directory:
        lab = Lab(Path(directory))
        yield lab
        lab.close()


@pytest.mark.parametrize("scenario", ["capture", "live", "zero-only", "empty", "mutating"])
@pytest.mark.parametrize("pairing", ["driver~uadk-emulated", "uadk-emulated~driver", "driver~driver"])
def test_an_engine_that_does_everything_is_proven(lab: Lab, pairing: str, scenario: str) -> None:
    assert lab.prove(pairing, scenario) == "proven"


@pytest.mark.parametrize(
    ("pairing", "scenario", "ends"),
    [
        ("driver~uadk-emulated", "capture", ["sender"]),
        ("uadk-emulated~driver", "capture", ["receiver"]),
        ("driver~driver", "capture", ["sender", "receiver"]),
        ("driver~uadk-emulated", "live", ["sender"]),
        ("driver~driver", "live", ["sender", "receiver"]),
    ],
)
def test_the_numbers_are_kept_for_each_end_that_claims_hardware(
    lab: Lab, pairing: str, scenario: str, ends: list[str]
) -> None:
    lab.prove(pairing, scenario)

    assert [each.end for each in lab.work] == ends
    assert all(each.counted is not None and each.counted >= each.asked > 0 for each in lab.work)


@pytest.mark.parametrize("scenario", ["capture", "live", "zero-only", "empty"])
@pytest.mark.parametrize(
    ("pairing", "encoding", "decoding"),
    [
        ("driver~uadk-emulated", 99, 100),
        ("uadk-emulated~driver", 100, 99),
        ("driver~driver", 100, 99),
        ("driver~driver", 99, 100),
    ],
)
def test_an_engine_that_leaves_one_page_in_a_hundred_to_software_is_unproven(
    lab: Lab, pairing: str, encoding: int, decoding: int, scenario: str
) -> None:
    assert lab.prove(pairing, scenario, encoding, decoding) == "unproven"


def test_of_pages_that_change_while_they_are_sent_nothing_is_demanded(lab: Lab) -> None:
    assert lab.prove("driver~uadk-emulated", "mutating", encoding=92, corpus="text") == "proven"


def test_zero_pages_claim_no_hardware(lab: Lab) -> None:
    assert lab.prove("driver~driver", "capture", corpus="zero") == "not claimed"


def test_escaped_pages_are_a_job_for_the_sender_only(lab: Lab) -> None:
    assert lab.prove("driver~driver", "capture", decoding=0, corpus="random") == "proven"
