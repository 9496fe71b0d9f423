"""Hardware is proven by counters that moved by what was demanded, and by nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.device.sysfs import Host
from multifd.evidence.proof import Prover, worst
from multifd.lineup.model import LineUpPeer
from multifd.result.record import DeviceVerdict, Provenance
from tests.evidence.engine import Engine


def peer(provenance: Provenance, device: str | None) -> LineUpPeer:
    return LineUpPeer(
        name="p", command=("p",), environment={}, external=True, roles=("sender",), codec="p", device=device,
        provenance=provenance, version="1", encoder=None, decoder=None, probe=None,
    )  # fmt: skip


@pytest.mark.parametrize("provenance", ["software", "vendor-software", "emulated"])
def test_who_claims_no_hardware_needs_no_proof(provenance: Provenance, tmp_path: Path) -> None:
    with Prover(Host(tmp_path)).watching(peer(provenance, "IAA")) as verdict:
        assert verdict(lambda: [5]) == "not claimed"


@pytest.mark.parametrize("device", ["QAT", "IAA", "Kunpeng", None])
def test_a_claim_on_a_host_without_the_device_is_unproven(device: str | None, tmp_path: Path) -> None:
    with Prover(Host(tmp_path)).watching(peer("hardware", device)) as verdict:
        assert verdict(lambda: [5]) == "unproven"


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        pytest.param(512, "proven", id="all"),
        pytest.param(511, "unproven", id="one page fell back"),
        pytest.param(4, "unproven", id="one page of each packet"),
        pytest.param(0, "unproven", id="none"),
    ],
)
def test_the_counter_must_move_by_every_job(done: int, expected: DeviceVerdict, tmp_path: Path) -> None:
    engine = Engine(tmp_path, done_before=7)

    with Prover(engine.host).watching(peer("hardware", "Kunpeng")) as verdict:
        engine.work(done)

        assert verdict(lambda: [512]) == expected


@pytest.mark.parametrize(("done", "expected"), [(12, "proven"), (11, "unproven")])
def test_two_peers_on_one_device_need_the_jobs_of_both(done: int, expected: DeviceVerdict, tmp_path: Path) -> None:
    engine = Engine(tmp_path)

    with Prover(engine.host).watching(peer("hardware", "Kunpeng"), peer("hardware", "Kunpeng")) as verdict:
        engine.work(done)

        assert verdict(lambda: [5, 7]) == expected


@pytest.mark.parametrize(("done", "expected"), [(5, "proven"), (4, "unproven")])
def test_a_peer_in_software_demands_nothing_of_the_others_device(
    done: int, expected: DeviceVerdict, tmp_path: Path
) -> None:
    engine = Engine(tmp_path)

    with Prover(engine.host).watching(peer("hardware", "Kunpeng"), peer("software", None)) as verdict:
        engine.work(done)

        assert verdict(lambda: [5, 7]) == expected


def test_one_peers_device_proves_nothing_about_the_others(tmp_path: Path) -> None:
    engine = Engine(tmp_path)

    with Prover(engine.host).watching(peer("hardware", "Kunpeng"), peer("hardware", "QAT")) as verdict:
        engine.work(100)

        assert verdict(lambda: [5, 7]) == "unproven"


def test_where_nothing_is_demanded_nothing_is_claimed(tmp_path: Path) -> None:
    with Prover(Engine(tmp_path).host).watching(peer("hardware", "Kunpeng")) as verdict:
        assert verdict(lambda: [0]) == "not claimed"


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


@pytest.mark.parametrize(("done", "noticed"), [(1, True), (0, False)])
def test_work_of_a_device_is_noticed(done: int, noticed: bool, tmp_path: Path) -> None:
    engine = Engine(tmp_path)

    with Prover(engine.host).noticing({"kunpeng"}) as worked:
        engine.work(done)

        assert worked("kunpeng") is noticed


def test_a_host_without_the_device_notices_nothing(tmp_path: Path) -> None:
    with Prover(Host(tmp_path)).noticing({"qat", "iaa"}) as worked:
        assert not worked("qat")


def test_work_of_another_kind_of_device_is_no_news(tmp_path: Path) -> None:
    engine = Engine(tmp_path)

    with Prover(engine.host).noticing({"qat"}) as worked:
        engine.work(9)

        assert not worked("qat")
