"""The line-up whose plan is looked at: all peers that need no library and no binary."""

from __future__ import annotations

import pytest

from multifd.lineup.devices import device_peers
from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUp
from multifd.plan.whole import Plan, plan
from multifd.profile.load import load
from tests.plan.looking import only


@pytest.fixture(scope="package")
def line_up() -> LineUp:
    profile = load("emulated")
    return resolve("emulated", profile, None, device_peers(profile, []))


@pytest.fixture(scope="package")
def planned(line_up: LineUp) -> Plan:
    return plan(line_up, {})


@pytest.fixture(scope="package")
def few(line_up: LineUp) -> LineUp:
    """Enough for every method of software and a proposal: where what is looked at is a peer, and not the array."""
    return only(line_up, *map(line_up.peer, ("none", "zlib", "libdeflate", "zstd", "zstd[level=9]")))


@pytest.fixture(scope="package")
def planned_few(few: LineUp) -> Plan:
    return plan(few, {})
