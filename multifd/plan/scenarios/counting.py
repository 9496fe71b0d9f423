"""Guests of real QEMUs that run while they migrate."""

from __future__ import annotations

from functools import partial
from typing import Final

from multifd.plan.scenarios.scenario import Scenario

_running = partial(Scenario, mode="running", shape="stale", cost=3)
RUNNING: Final = (
    _running("running", "the guest runs, and writes faster than it is sent, for some rounds"),
    _running("running-kvm", "the same under KVM instead of TCG", accel="kvm"),
)
