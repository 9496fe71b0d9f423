"""Preparing a run: what is said while it is not yet one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from multifd.campaign import prepare
from multifd.campaign.options import Options
from multifd.device.diagnose import detect
from multifd.device.exclusive import Exclusive
from multifd.device.found import Device
from multifd.lineup.peers import LineUp
from multifd.lineup.preflight import Alone, Tried
from multifd.oracle.question import Prediction
from multifd.plan.cell import PlannedCell
from multifd.plan.whole import Plan
from multifd.plan.work import Pairing
from multifd.process.child import Start
from multifd.profile.model import Deadlines, Profile
from multifd.wire.dialect import LATEST
from tests.device.recorded import SPR
from tests.device.trees import host

SIZE = 2 << 30


def test_a_large_guest_of_a_real_qemu_needs_less_room_than_one_that_is_captured() -> None:
    capture, large = (pairing_of(scenario, SIZE) for scenario in ("capture", "large"))
    unit = 1 << 30

    assert [room_of(work) // unit for work in (capture, large)] == [(3 + 64) * 2, (3 + 4) * 2]


def test_a_small_run_asks_for_little_room() -> None:
    assert room_of(pairing_of("large", 1 << 20)) < 16 << 20


def pairing_of(scenario: str, size: int) -> Pairing:
    return Pairing(
        sender="a", receiver="b", sender_framing="none", receiver_framing="none", sender_dialect=LATEST,
        receiver_dialect=LATEST, scenario=scenario, corpus="text", page_size=4096, channels=1, sizes={"m": size},
    )  # fmt: skip


def room_of(work: Pairing) -> int:
    """Of a run of this alone."""
    promise = Prediction("identical", "none", "", None, ())
    cells = {"cell": PlannedCell(suite="qemu", work=work, prediction=promise)}
    nobody = LineUp(profile="none", peers=(), deadlines=Deadlines())
    return prepare.Campaign(
        options=Options(), line_up=nobody, plan=Plan(cells=cells, unable=()), libraries={}
    ).room  # fmt: skip


def test_a_run_says_whom_it_waits_for_and_what_it_means_that_it_was_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flown(profile: Profile, alone: Alone, found: Sequence[Device], start: Start) -> tuple[Tried, ...]:
        with alone(["iaa"]):
            return ()

    said: list[str] = []
    monkeypatch.setattr(prepare, "preflight", flown)
    monkeypatch.setattr(prepare, "fetch_missing", lambda profile, say: None)
    monkeypatch.setattr(prepare, "Exclusive", partial(Exclusive, patience=0.1))
    theirs = host(tmp_path, SPR)

    with Exclusive(theirs).holding(detect(theirs)):
        prepare.prepare(Options(host=tmp_path), said.append, probe=False)

    me = f"process {os.getpid()}"
    assert said[0].startswith(f"waiting for IAA 0000:6a:02.0: {me} holds it (lock {tmp_path}/run/lock/")
    assert said[1].startswith("what others do on a device counts as this run's, and the other way round: " + me)
