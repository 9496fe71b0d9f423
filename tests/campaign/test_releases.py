"""What the ends of a cell run, for the ranges of known issues."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from multifd.campaign.releases import releases_of
from multifd.libraries.find import Library
from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUp
from multifd.plan.qemu.whole import qemu_plan
from multifd.plan.work import Check, Fidelity, Pairing, Work
from multifd.profile.load import load
from multifd.result.record import Role
from tests.qemu.recorded import VERSIONS, peer

LIBRARIES: Final = {"qpl": Library("qpl", Path("/l/libqpl.so.1"), "1.9.0-1", "host", (), (2, 34))}


@pytest.fixture(scope="module")
def line_up() -> LineUp:
    ours = resolve("software-only", load("software-only"), None)
    return ours.model_copy(update={"qemus": tuple(map(peer, VERSIONS))})


def ends(work: Work, line_up: LineUp) -> dict[Role, list[tuple[str, str | None]]]:
    found = releases_of(work, line_up, LIBRARIES).ends
    return {role: [(each.product, each.version) for each in releases] for role, releases in found.items()}


def pairing(line_up: LineUp, sender: str, receiver: str, mode: str) -> Pairing:
    return next(
        cell.pairing
        for cell in qemu_plan(line_up)
        if isinstance(cell.work, Pairing)
        and (cell.work.sender, cell.work.receiver, cell.work.plan.mode) == (sender, receiver, mode)
    )


def test_real_qemus_have_their_own_versions(line_up: LineUp) -> None:
    work = pairing(line_up, "qemu-7.2.22", "qemu-10.0.13", "qemu")

    assert ends(work, line_up) == {"sender": [("QEMU", "7.2.22")], "receiver": [("QEMU", "10.0.13")]}


def test_beside_a_splice_both_ends_are_the_one_qemu(line_up: LineUp) -> None:
    work = pairing(line_up, "isal", "qemu-10.0.13", "splice")

    assert ends(work, line_up) == {"sender": [("QEMU", "10.0.13")], "receiver": [("QEMU", "10.0.13")]}


def test_a_check_is_of_the_library_that_was_found(line_up: LineUp) -> None:
    work = Check(library="qpl", framing="raw", name="destination")

    assert ends(work, line_up) == {"sender": [("libqpl", "1.9.0-1")], "receiver": [("libqpl", "1.9.0-1")]}


def test_an_emulation_is_no_library(line_up: LineUp) -> None:
    work = Fidelity(library="qpl", framing="raw", emulation="iaa-emulated", streams=1)

    assert ends(work, line_up) == {"sender": [], "receiver": [("libqpl", "1.9.0-1")]}


def test_a_peer_over_a_library_is_of_it(line_up: LineUp) -> None:
    qpl = line_up.peers[0].model_copy(update={"name": "qpl[path=1]", "codec": "qpl", "version": "1.8.0 (multifd 1)"})
    both = line_up.model_copy(update={"peers": (*line_up.peers, qpl)})
    work = pairing(line_up, "isal", "qemu-10.0.13", "splice").model_copy(
        update={"sender": "qpl[path=1]", "receiver": "isal"}
    )

    assert ends(work, both) == {"sender": [("libqpl", "1.9.0-1")], "receiver": []}
    assert releases_of(work, both, {}).ends["sender"][0].version == "1.8.0 (multifd 1)"


def test_somebody_elses_peer_is_nothing_that_we_know(line_up: LineUp) -> None:
    other = line_up.peers[0].model_copy(update={"name": "theirs", "codec": "qpl", "external": True})
    both = line_up.model_copy(update={"peers": (*line_up.peers, other)})
    work = pairing(line_up, "isal", "qemu-10.0.13", "splice").model_copy(
        update={"sender": "theirs", "receiver": "isal"}
    )

    assert ends(work, both) == {"sender": [], "receiver": []}
