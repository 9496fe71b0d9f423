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
from multifd.lineup.preflight import Alone, Tried
from multifd.profile.model import Profile
from tests.device.recorded import SPR
from tests.device.trees import host


def test_a_run_says_whom_it_waits_for_and_what_it_means_that_it_was_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flown(profile: Profile, alone: Alone, found: Sequence[Device]) -> tuple[Tried, ...]:
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
