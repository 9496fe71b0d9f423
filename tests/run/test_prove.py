"""Hardware is proven by counters that moved by what was asked, and by nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.device.sysfs import Host
from multifd.profile.lineup import LineUpPeer
from multifd.result.record import DeviceVerdict, Provenance
from multifd.run.prove import Prover, worst


def peer(provenance: Provenance, device: str | None) -> LineUpPeer:
    return LineUpPeer(
        name="p", command=("p",), environment={}, external=True, roles=("sender",), codec="p", device=device,
        provenance=provenance, version="1", encoder=None, decoder=None, probe=None,
    )  # fmt: skip


@pytest.mark.parametrize("provenance", ["software", "vendor-software", "emulated"])
def test_who_claims_no_hardware_needs_no_proof(provenance: Provenance, tmp_path: Path) -> None:
    with Prover(Host(tmp_path)).watching(peer(provenance, "IAA")) as verdict:
        assert verdict(5) == "not claimed"


@pytest.mark.parametrize("device", ["QAT", "IAA", "Kunpeng", None])
def test_a_claim_on_a_host_without_the_device_is_unproven(device: str | None, tmp_path: Path) -> None:
    with Prover(Host(tmp_path)).watching(peer("hardware", device)) as verdict:
        assert verdict(5) == "unproven"


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        (("not claimed", "not claimed"), "not claimed"),
        (("proven", "not claimed"), "proven"),
        (("proven", "unproven"), "unproven"),
    ],
)
def test_the_weaker_side_decides(sides: tuple[DeviceVerdict, ...], expected: DeviceVerdict) -> None:
    assert worst(*sides) == expected
