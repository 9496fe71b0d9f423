"""Live peers are overheard where an end claims hardware, so that each is asked what it was really sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from multifd.device.sysfs import Host
from multifd.evidence.outcome import Outcome
from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUp
from multifd.plan.whole import plan
from multifd.plan.work import Pairing
from multifd.profile.model import PeerEntry, Profile
from multifd.result.record import Role
from multifd.run.bench import Bench
from multifd.run.overheard import overhear
from multifd.run.stage import Stage

PAGES = 300


@pytest.fixture(scope="module")
def line_up() -> LineUp:
    entries = ("qat-emulated", "zlib")
    return resolve("lab", Profile(description="a lab", peers=tuple(PeerEntry(codec=each) for each in entries)), None)


class Lab:
    """Benches on a host without a device, where peers claim to be hardware all the same."""

    def __init__(self, line_up: LineUp, scratch: Path) -> None:
        self._line_up = line_up
        self._cells = list(plan(line_up, {}).cells.values())
        self._scratch = scratch

    def pairing(self, names: str, framing: str, scenario: str) -> Pairing:
        cell = next(cell for cell in self._cells if cell.id.startswith(f"wire/{framing}/{names}/"))
        own = {
            "page_size": 4096, "blocks": "one", "fill": "full", "channels": 2, "scenario": scenario, "corpus": "text",
            "sizes": {"pc.ram": PAGES * 4096},
        }  # fmt: skip
        return cell.pairing.model_copy(update=own)

    def bench(self, *claiming: str) -> Bench:
        peers = [
            peer.model_copy(update={"provenance": "hardware"}) if peer.name in claiming else peer
            for peer in self._line_up.peers
        ]
        stage = Stage(self._scratch / "scratch", "main", 1, None)
        return Bench(self._line_up.model_copy(update={"peers": tuple(peers)}), stage, Host(self._scratch / "host"))


@pytest.fixture
def lab(line_up: LineUp, tmp_path: Path) -> Iterator[Lab]:
    (tmp_path / "host").mkdir()
    yield Lab(line_up, tmp_path)


def run(bench: Bench, pairing: Pairing) -> Outcome:
    try:
        outcome = bench.run(pairing)
    finally:
        bench.close()
    assert outcome.observation.outcome == "identical", outcome
    return outcome


def asked(outcome: Outcome) -> dict[Role, int]:
    return {work.end: work.asked for work in outcome.device}


@pytest.mark.parametrize(
    ("names", "expected"), [("zlib~qat-emulated", {"receiver": 1}), ("qat-emulated~zlib", {"sender": 24})]
)
def test_a_live_end_is_asked_what_its_library_gives_of_what_was_sent(
    names: str, expected: dict[Role, int], lab: Lab
) -> None:
    """In the first round packets of 128, 128 and 44 pages: 8, 8 and 3 pieces; of those that follow one is a piece."""
    outcome = run(lab.bench("qat-emulated"), lab.pairing(names, "qatzip", "live"))

    assert asked(outcome) == expected


def test_nothing_of_the_recording_is_left(lab: Lab, tmp_path: Path) -> None:
    run(lab.bench("qat-emulated"), lab.pairing("qat-emulated~zlib", "qatzip", "live"))

    assert not list((tmp_path / "scratch").rglob("overheard*"))


def test_peers_that_claim_no_hardware_are_not_overheard(lab: Lab) -> None:
    bench, pairing = lab.bench(), lab.pairing("qat-emulated~zlib", "qatzip", "live")

    with overhear(bench.means, pairing, "unix:/there") as overheard:
        assert overheard.address == "unix:/there"
        assert overheard.capture(bench.means.stage.script(pairing)) is None


@pytest.mark.parametrize(("address", "family"), [("unix:/there", "unix:"), ("tcp:127.0.0.1:9", "tcp:127.0.0.1:")])
def test_what_claims_hardware_is_overheard_where_it_connects_to(address: str, family: str, lab: Lab) -> None:
    bench, pairing = lab.bench("zlib"), lab.pairing("qat-emulated~zlib", "qatzip", "live")

    with overhear(bench.means, pairing, address) as overheard:
        assert overheard.address.startswith(family)
        assert overheard.address != address


def test_of_a_migration_that_never_began_nothing_is_known(lab: Lab) -> None:
    bench, pairing = lab.bench("zlib"), lab.pairing("qat-emulated~zlib", "qatzip", "live")

    with overhear(bench.means, pairing, "unix:/there") as overheard:
        assert overheard.capture(bench.means.stage.script(pairing)) is None
