"""Hardware is proven by counters that moved by what was demanded, and by nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.accelerator import KUNPENG
from multifd.device.sysfs import Host
from multifd.evidence.asked import Asked, Part
from multifd.evidence.outcome import Outcome
from multifd.evidence.proof import Prover, proven, unproven, worst
from multifd.lineup.peers import LineUpPeer
from multifd.oracle.verdict import Observation
from multifd.result.record import DeviceVerdict, DeviceWork, Provenance
from tests.evidence.engine import Engine

SOURCE = f"{KUNPENG.counter.source} of hisi_zip-4 0000:75:00.0"


def peer(provenance: Provenance, device: str | None) -> LineUpPeer:
    return LineUpPeer(
        name="p", command=("p",), environment={}, external=True, roles=("sender",), codec="p", device=device,
        provenance=provenance, version="1", encoder=None, decoder=None, probe=None,
    )  # fmt: skip


def work(verdict: DeviceVerdict, asked: int = 5, counted: int | None = 5) -> DeviceWork:
    return DeviceWork(end="sender", device="QAT", asked=asked, counted=counted, source="somewhere", verdict=verdict)


@pytest.mark.parametrize("provenance", ["software", "vendor-software", "emulated"])
def test_who_claims_no_hardware_needs_no_proof(provenance: Provenance, tmp_path: Path) -> None:
    with Prover(Host(tmp_path)).watching({"sender": peer(provenance, "IAA")}) as judge:
        assert judge(lambda: {"sender": Part(Asked(5))}) == ()


@pytest.mark.parametrize("device", ["QAT", "IAA", "Kunpeng", None])
def test_a_claim_on_a_host_without_the_device_is_unproven(device: str | None, tmp_path: Path) -> None:
    with Prover(Host(tmp_path)).watching({"sender": peer("hardware", device)}) as judge:
        (seen,) = judge(lambda: {"sender": Part(Asked(5))})

    assert (seen.asked, seen.counted, seen.verdict) == (5, None, "unproven")
    assert seen.source == "no usable device on this host"


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

    with Prover(engine.host).watching({"sender": peer("hardware", "Kunpeng")}) as judge:
        engine.work(done)
        (seen,) = judge(lambda: {"sender": Part(Asked(512))})

    assert seen == DeviceWork(end="sender", device="Kunpeng", asked=512, counted=done, source=SOURCE, verdict=expected)


@pytest.mark.parametrize(
    ("required", "expected"), [((), "unverified"), (("qat",), "unverified"), (("kunpeng",), "unproven")]
)
@pytest.mark.parametrize("count", ["hidden", "reset"])
def test_without_a_count_only_what_the_profile_requires_fails(
    required: tuple[str, ...], expected: DeviceVerdict, count: str, tmp_path: Path
) -> None:
    engine = Engine(tmp_path, done_before=7)

    with Prover(engine.host, required).watching({"receiver": peer("hardware", "Kunpeng")}) as judge:
        if count == "hidden":
            engine.registers.unlink()
        else:
            engine.work(-7)
        (seen,) = judge(lambda: {"receiver": Part(Asked(5))})

    assert seen == DeviceWork(end="receiver", device="Kunpeng", asked=5, counted=None, source=SOURCE, verdict=expected)


@pytest.mark.parametrize(("done", "expected"), [(12, "proven"), (11, "unproven")])
def test_two_ends_on_one_device_need_the_jobs_of_both(done: int, expected: DeviceVerdict, tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    both = {"sender": peer("hardware", "Kunpeng"), "receiver": peer("hardware", "Kunpeng")}

    with Prover(engine.host).watching(both) as judge:  # type: ignore[arg-type]
        engine.work(done)
        seen = judge(lambda: {"sender": Part(Asked(5)), "receiver": Part(Asked(7))})

    assert [(each.end, each.asked, each.counted, each.verdict) for each in seen] == [
        ("sender", 12, done, expected),
        ("receiver", 12, done, expected),
    ]
    assert {each.source for each in seen} == {f"{SOURCE}, of both ends together"}


@pytest.mark.parametrize(
    "other", [peer("software", None), peer("emulated", "Kunpeng"), peer("vendor-software", "Kunpeng")]
)
@pytest.mark.parametrize(("done", "expected"), [(5, "proven"), (4, "unproven")])
def test_a_peer_in_software_demands_nothing_of_the_others_device(
    done: int, expected: DeviceVerdict, other: LineUpPeer, tmp_path: Path
) -> None:
    engine = Engine(tmp_path)

    with Prover(engine.host).watching({"sender": peer("hardware", "Kunpeng"), "receiver": other}) as judge:
        engine.work(done)
        seen = judge(lambda: {"sender": Part(Asked(5)), "receiver": Part(Asked(7))})

    assert [(each.end, each.asked, each.verdict) for each in seen] == [("sender", 5, expected)]
    assert seen[0].source == SOURCE


def test_one_ends_device_proves_nothing_about_the_others(tmp_path: Path) -> None:
    engine = Engine(tmp_path)

    with Prover(engine.host).watching(
        {"sender": peer("hardware", "Kunpeng"), "receiver": peer("hardware", "QAT")}
    ) as judge:
        engine.work(100)
        seen = judge(lambda: {"sender": Part(Asked(5)), "receiver": Part(Asked(7))})

    assert [(each.end, each.device, each.verdict) for each in seen] == [
        ("sender", "Kunpeng", "proven"),
        ("receiver", "QAT", "unproven"),
    ]


def test_where_nothing_is_demanded_nothing_is_claimed(tmp_path: Path) -> None:
    with Prover(Engine(tmp_path).host).watching({"sender": peer("hardware", "Kunpeng")}) as judge:
        (seen,) = judge(lambda: {"sender": Part(Asked(0))})

    assert (seen.asked, seen.verdict) == (0, "not claimed")


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((), "not claimed"),
        (("not claimed", "not claimed"), "not claimed"),
        (("proven", "not claimed"), "proven"),
        (("proven", "unverified"), "unverified"),
        (("unverified", "unproven"), "unproven"),
        (("proven", "unproven"), "unproven"),
    ],
)
def test_the_weaker_end_decides(ends: tuple[DeviceVerdict, ...], expected: DeviceVerdict) -> None:
    assert worst(map(work, ends)) == expected


def test_what_is_lacking_is_said_in_numbers_once() -> None:
    lacking = work("unproven", 9, 8)

    assert unproven([lacking, lacking, work("unproven", 7, None), work("proven")]) == (
        "QAT: 9 jobs were asked for, 8 counted (somewhere); QAT: 7 jobs were asked for, none counted (somewhere)"
    )


@pytest.mark.parametrize("verdict", ["proven", "unverified", "not claimed", "disturbed", "fell-back"])
def test_nothing_is_lacking_where_nothing_is_unproven(verdict: DeviceVerdict) -> None:
    assert unproven([work(verdict)]) == ""


@pytest.mark.parametrize(
    ("detail", "told"),
    [("", "QAT: 9 jobs were asked for, 8 counted (somewhere)"), ("the memory is wrong", "the memory is wrong")],
)
def test_an_outcome_says_what_is_lacking_unless_it_has_worse_to_say(detail: str, told: str) -> None:
    lacking = (work("unproven", 9, 8),)

    outcome = proven(Outcome(Observation("identical", detail=detail)), lacking)

    assert outcome.observation == Observation("identical", detail=told, device="unproven")
    assert outcome.device == lacking


def test_an_outcome_without_figures_moved_nothing_and_left_nothing() -> None:
    outcome = Outcome(Observation("rejected"))

    assert (outcome.bytes_memory, outcome.bytes_wire, outcome.device, outcome.artifacts) == (0, 0, (), ())


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
