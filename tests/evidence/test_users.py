"""Cells that may use a device are known before they run, so that they hold it, and one worker has them all."""

from __future__ import annotations

import pytest

from multifd.evidence.users import devices, group
from multifd.lineup.peers import LineUp, LineUpPeer, QemuPeer
from multifd.oracle.question import Prediction
from multifd.plan.cell import PlannedCell
from multifd.plan.work import Check, Flips, Pairing, Probe, Work
from multifd.profile.model import Deadlines
from multifd.qemu.binary import Binary
from multifd.qemu.facts import Facts
from multifd.result.record import Provenance
from multifd.wire.dialect import LATEST


def peer(name: str, provenance: Provenance, device: str | None) -> LineUpPeer:
    return LineUpPeer(
        name=name, command=("p",), environment={}, external=False, roles=("sender",), codec=name, device=device,
        provenance=provenance, version="1", encoder=None, decoder=None, probe=None,
    )  # fmt: skip


ZLIB = peer("zlib", "software", None)
MODEL = peer("iaa-emulated", "emulated", "IAA")
QPL = peer("qpl", "hardware", "IAA")
QATZIP = peer("qatzip", "hardware", "QAT")
STRANGE = peer("strange", "hardware", None)
QEMU = QemuPeer(
    name="qemu-10.0", binary=Binary(command=("qemu",)), machines={},
    facts=Facts(version=(10, 0, 0), package="", methods=(), zero_pages=(), machines=()),
)  # fmt: skip


def line_up(*peers: LineUpPeer) -> LineUp:
    return LineUp(profile="p", peers=(ZLIB, MODEL, *peers), deadlines=Deadlines(), qemus=(QEMU,))


def pairing(sender: str, receiver: str, framing: str = "qpl", scenario: str = "stale") -> Pairing:
    return Pairing(
        sender=sender, receiver=receiver, sender_framing=framing, receiver_framing=framing, sender_dialect=LATEST,
        receiver_dialect=LATEST, scenario=scenario, corpus="text", page_size=4096, channels=1, sizes={"pc.ram": 4096},
    )  # fmt: skip


def cell(work: Work) -> PlannedCell:
    return PlannedCell(suite="wire", work=work, prediction=Prediction("identical", "", "it fits", None, ()))


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (pairing("zlib", "iaa-emulated"), set()),
        (pairing("qpl", "zlib"), {"IAA"}),
        (pairing("zlib", "qpl"), {"IAA"}),
        (pairing("qpl", "qatzip"), {"IAA", "QAT"}),
        (pairing("zlib", "strange"), set()),
        (pairing("zlib", "nobody"), set()),
        (Flips(sender="zlib", receiver="qatzip", framing="qatzip"), {"QAT"}),
        (Flips(sender="zlib", receiver="zlib", framing="qatzip"), set()),
        (Check(library="qpl", framing="qpl", name="endurance"), set()),
        (Probe(peer="qpl"), set()),
    ],
)
def test_a_cell_uses_the_devices_of_its_peers(work: Work, expected: set[str]) -> None:
    assert devices(work, line_up(QPL, QATZIP, STRANGE)) == expected


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (pairing("qemu-10.0", "zlib", "qpl"), {"IAA"}),
        (pairing("zlib", "qemu-10.0", "qatzip"), {"QAT"}),
        (pairing("qemu-10.0", "qemu-10.0", "uadk"), {"Kunpeng"}),
        (pairing("qemu-10.0", "zlib", "zlib"), set()),
    ],
)
def test_a_qemu_may_use_the_device_of_its_method(work: Work, expected: set[str]) -> None:
    assert devices(work, line_up()) == expected


def test_cells_that_use_devices_are_one_group_whatever_their_suite_and_their_sender() -> None:
    works: list[Work] = [
        pairing("qpl", "zlib"), pairing("zlib", "qatzip"), Flips(sender="zlib", receiver="qatzip", framing="qatzip"),
        pairing("qemu-10.0", "zlib", "qpl", "migrate"),
    ]  # fmt: skip

    assert {group(cell(work), line_up(QPL, QATZIP)) for work in works} == {"hardware"}


@pytest.mark.parametrize(
    "work", [pairing("zlib", "iaa-emulated"), pairing("qemu-10.0", "zlib", "qatzip", "migrate"), Probe(peer="qpl")]
)
def test_any_other_cell_stays_in_the_group_of_its_sender(work: Work) -> None:
    assert group(cell(work), line_up(QPL)) == cell(work).group
