"""What a migration demands of devices: every page of a per-page framing, every packet of the others, no zero page."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from multifd.errors import PeerError
from multifd.evidence.asked import NOTHING, Asked, Part
from multifd.evidence.demand import Recorded, Unseen
from multifd.framing.coder import Routing
from multifd.framing.model import FRAMINGS, framing
from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUpPeer
from multifd.memory import rounds
from multifd.memory.corpus import CORPORA
from multifd.memory.image import GuestMemory
from multifd.memory.layout import PageRun, Script
from multifd.peer import contract
from multifd.plan.whole import plan
from multifd.profile.model import PeerEntry, Profile
from multifd.result.badness import worst
from multifd.result.record import DeviceVerdict, DeviceWork
from multifd.run.bench import Bench
from multifd.run.stage import Stage
from tests.evidence.engine import Engine
from tests.evidence.peers import IAA, KIB, KUNPENG, QAT, SILENT, peer
from tests.run.recording import PAGE, record, script

UADK: Final = "uadk"


def counted(pages: int = 700, packets: int = 6, escaped: int | None = 100) -> Unseen:
    return Unseen(PAGE, pages, packets, escaped)


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


@pytest.mark.parametrize("reply", [REFUSED, PeerError("crash", "peer zlib exited")])
def test_an_end_that_did_not_do_its_part_is_asked_nothing(reply: contract.Failed | PeerError) -> None:
    assert counted().of_sender(QAT, "zlib-page", reply) == Part(Asked())
    assert counted().of_receiver(IAA, "qpl", reply) == Part(Asked())


@pytest.mark.parametrize("reply", [REFUSED, PeerError("crash", "peer zlib exited")])
def test_an_end_that_did_not_do_its_part_has_done_no_more_than_that_on_its_device(
    reply: contract.Failed | PeerError, tmp_path: Path
) -> None:
    recorded = Recorded.of(record(tmp_path, "qatzip", corpus="text"))
    whole = recorded.encoding(QAT, framing("qatzip"))

    part = recorded.of_sender(QAT, "qatzip", reply)

    assert whole.most
    assert part == Part(Asked(most=whole.most))


def test_each_end_is_asked_its_own_part_and_has_said_how_it_ended() -> None:
    said = done(6)

    sender, receiver = counted().of_sender(IAA, "qpl", said), counted().of_receiver(IAA, "qpl", said)

    assert (sender.asked.least, receiver.asked.least) == (700, 600)
    assert sender.said is receiver.said is said


# Recorded


@pytest.mark.parametrize("corpus", ["text", "sparse", "zero", "mixed", "random"])
def test_of_a_recording_a_sender_is_asked_for_every_page_with_content(corpus: str, tmp_path: Path) -> None:
    capture = record(tmp_path, UADK, corpus=corpus)

    asked = Recorded.of(capture).encoding(KUNPENG, capture.framing)

    pages = sum(with_content(rounds.load(tmp_path / "memory")))
    assert (asked.least, asked.most) == (pages, pages)


@pytest.mark.parametrize(("corpus", "pages"), [("text", 300), ("random", 0)])
def test_of_a_recording_a_receiver_is_asked_for_every_page_that_shrank(corpus: str, pages: int, tmp_path: Path) -> None:
    capture = record(tmp_path, UADK, corpus=corpus)

    asked = Recorded.of(capture).decoding(KUNPENG, capture.framing)

    assert (asked.least, asked.most) == (pages, pages)


@pytest.mark.parametrize(("codec", "requests"), [("qat-emulated", 8 + 8 + 3), ("zlib", 0)])
def test_of_a_recording_a_receiver_is_asked_what_its_library_gives_of_these_payloads(
    codec: str, requests: int, tmp_path: Path
) -> None:
    capture = record(tmp_path, "qatzip", codec)

    asked = Recorded.of(capture).decoding(QAT, capture.framing)

    assert (asked.least, asked.most) == (requests, requests)
    assert asked.software.startswith("" if requests else "decoded in software: a member of 524,288 bytes")


def test_of_a_recording_that_cannot_be_read_to_its_end_there_is_what_can_be(tmp_path: Path) -> None:
    capture = record(tmp_path, UADK)
    whole = Recorded.of(capture)
    path = capture.channel_path(1)
    path.write_bytes(path.read_bytes()[:-100])

    seen = Recorded.of(capture)

    assert 0 < len(seen.packets) <= len(whole.packets)


def test_a_recording_has_the_packets_of_all_channels_by_channel(tmp_path: Path) -> None:
    capture = record(tmp_path, "qatzip")

    assert [(sent.channel, sent.pages) for sent in Recorded.of(capture).packets] == [(0, 128), (0, 44), (1, 128)]


# Unseen


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
@pytest.mark.parametrize("device", ["IAA", None, "unheard of"])
def test_unseen_jobs_follow_the_framing(device: str | None, name: str, encoding: int, decoding: int) -> None:
    silent, spoken = SILENT[device], framing(name)

    assert counted().encoding(silent, spoken).least == encoding
    assert counted().decoding(silent, spoken) == Asked(decoding)


def test_pages_as_they_are_ask_nothing_of_a_device_whether_they_were_seen_or_not() -> None:
    plain = framing("none")

    assert counted().encoding(QAT, plain) == counted().decoding(QAT, plain) == NOTHING


def test_with_pages_as_they_are_one_that_says_nothing_of_itself_may_do_as_it_likes() -> None:
    plain = framing("none")

    assert counted().encoding(SILENT["QAT"], plain) == counted().decoding(SILENT["QAT"], plain) == Asked()


def test_where_no_page_has_content_nothing_is_asked() -> None:
    assert counted(pages=0, packets=0).encoding(IAA, framing("qatzip")) == Asked()


def test_a_receiver_that_says_nothing_has_a_job_for_each_packet() -> None:
    assert counted().decoding(SILENT["QAT"], framing("qatzip")) == Asked(6)


def test_only_pages_that_may_be_escaped_have_to_be_counted() -> None:
    assert counted(escaped=None).decoding(IAA, framing("zlib-page")) == Asked(700)


def test_unseen_jobs_have_no_limit() -> None:
    for each in (QAT, IAA, KUNPENG):
        assert counted().encoding(each, FRAMINGS["zlib-page[window=15]"]).most is None
        assert counted().decoding(each, FRAMINGS["zlib-page[window=15]"]).most is None


@pytest.mark.parametrize(
    ("name", "pages", "packets", "least"),
    [
        ("qatzip", 700, 6, 44),
        ("qatzip", 16, 3, 3),
        ("qatzip", 17, 1, 2),
        ("qatzip", 0, 0, 0),
        ("zlib-page", 700, 6, 700),
        ("zlib-sync-page", 700, 6, 700),
        ("zlib", 700, 6, 44),
    ],
)
def test_of_libqatzip_unseen_pages_are_as_many_pieces_as_they_fill(
    name: str, pages: int, packets: int, least: int
) -> None:
    asked = counted(pages, packets).encoding(QAT, framing(name))

    assert asked == Asked(least, read=pages * PAGE)


def test_of_unseen_packets_that_may_be_below_the_threshold_nothing_is_known() -> None:
    careful = peer("QAT", Routing(piece=64 * KIB, threshold=8 * KIB))

    assert counted().encoding(careful, framing("qatzip")) == Asked()


def test_of_libqpl_unseen_pages_are_as_many_jobs_as_it_takes_for_each() -> None:
    assert counted().encoding(peer("IAA", Routing(jobs=2)), framing("qpl")).least == 1400
    assert counted().encoding(peer("IAA", Routing(jobs=2)), framing("zlib-packet")).least == 12


@pytest.mark.parametrize("name", ["qatzip", "zlib-page", "raw-packet"])
def test_what_libqatzip_gives_of_unseen_payloads_is_not_known(name: str) -> None:
    assert counted().decoding(QAT, framing(name)) == Asked()


@pytest.mark.parametrize("receiver", [QAT, SILENT["QAT"]])
def test_an_unseen_stream_that_silicon_does_not_follow_is_softwares(receiver: LineUpPeer) -> None:
    assert counted().decoding(receiver, framing("zlib")).software.endswith("a stream that does not end is software's")
    assert counted(packets=0).decoding(receiver, framing("zlib")) == Asked()


def test_escaped_pages_that_nobody_counted_leave_one_job_for_each_packet() -> None:
    assert counted(escaped=None).decoding(IAA, FRAMINGS["qpl"]) == Asked(6)


def test_more_escaped_pages_than_pages_ask_nothing() -> None:
    assert counted(7, 1, 9).decoding(IAA, FRAMINGS["qpl"]) == Asked()


def test_a_page_counts_in_every_round_that_sends_it(tmp_path: Path) -> None:
    sent = rounds.build(tmp_path, CORPORA["text"], 1, {"a": 200 * PAGE, "b": 56 * PAGE}, PAGE, "dirty")

    assert len(sent.rounds) == 3
    assert Unseen.of(sent, [done(0), done(0)]).pages == sum(with_content(sent))


def test_pages_that_change_while_they_are_sent_are_not_counted(tmp_path: Path) -> None:
    sent = script(tmp_path)

    seen = Unseen.of(sent, [done(0), done(0)], [PageRun(block="pc.ram", first=10, count=45)])

    assert seen.pages == sum(with_content(sent)) - 45


@pytest.mark.parametrize("block", ["a", "b", "c"])
def test_pages_of_one_block_that_change_leave_those_of_others_counted(block: str, tmp_path: Path) -> None:
    sizes = dict.fromkeys("abc", 20 * PAGE)
    sent = rounds.build(tmp_path, CORPORA["text"], 1, sizes, PAGE, "single")

    seen = Unseen.of(sent, [done(0), done(0)], [PageRun(block=block, first=3, count=4)])

    assert seen.pages == sum(with_content(sent)) - 4


def test_unseen_packets_are_at_least_those_that_the_pages_fill(tmp_path: Path) -> None:
    sent = rounds.build(tmp_path, CORPORA["text"], 1, {"a": 129 * PAGE, "b": 1 * PAGE}, PAGE, "single")

    assert Unseen.of(sent, [done(1), done(2)]).packets == 3


@pytest.mark.parametrize("ends", [(done(9), done(0)), (done(0), done(9)), (REFUSED, done(9)), (done(9), REFUSED)])
def test_unseen_packets_are_more_if_either_end_says_so(
    ends: tuple[contract.Conclusion, contract.Conclusion], tmp_path: Path
) -> None:
    assert Unseen.of(script(tmp_path), ends).packets == 9


@pytest.mark.parametrize(
    ("ends", "escaped"), [((done(3, 5), done(3)), 5), ((done(3), done(3, 5)), None), ((REFUSED, done(3, 5)), None)]
)
def test_of_unseen_escaped_pages_the_sender_tells(
    ends: tuple[contract.Conclusion, contract.Conclusion], escaped: int | None, tmp_path: Path
) -> None:
    assert Unseen.of(script(tmp_path), ends).escaped == escaped


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


@pytest.mark.parametrize(("encoding", "verdict"), [(100, "proven"), (99, "unproven")])
def test_pages_that_change_while_sent_are_jobs_as_well(lab: Lab, encoding: int, verdict: DeviceVerdict) -> None:
    assert lab.prove("driver~uadk-emulated", "mutating", encoding=encoding, corpus="text") == verdict


def test_zero_pages_claim_no_hardware(lab: Lab) -> None:
    assert lab.prove("driver~driver", "capture", corpus="zero") == "not claimed"


def test_escaped_pages_are_a_job_for_the_sender_only(lab: Lab) -> None:
    assert lab.prove("driver~driver", "capture", decoding=0, corpus="random") == "proven"
