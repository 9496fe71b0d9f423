"""Hardware is proven by counters that moved by what was demanded, and by nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from multifd.accelerator import IAA, KUNPENG, QAT, Accelerator
from multifd.device.diagnose import detect
from multifd.device.exclusive import Exclusive
from multifd.device.sysfs import Host
from multifd.evidence import idle
from multifd.evidence.asked import Asked, Part
from multifd.evidence.outcome import Outcome
from multifd.evidence.proof import Prover, lacking, proven
from multifd.framing.coder import Routing
from multifd.lineup.peers import LineUpPeer
from multifd.oracle.verdict import Observation
from multifd.peer import contract
from multifd.result.badness import worst
from multifd.result.record import DeviceVerdict, DeviceWork, Provenance, Role
from tests.evidence.engine import Engine

SOURCE = f"{KUNPENG.counter.source} of hisi_zip-4 0000:75:00.0"


def peer(provenance: Provenance, device: str | None, *, external: bool = True) -> LineUpPeer:
    return LineUpPeer(
        name="p", command=("p",), environment={}, external=external, roles=("sender",), codec="p", device=device,
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
    assert seen.source == seen.why == "no such device on this host"


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

    assert seen == DeviceWork(
        end="sender", device="Kunpeng", asked=512, counted=done, source=SOURCE, verdict=expected, witness="device"
    )


@pytest.mark.parametrize(
    ("required", "expected"), [((), "unverified"), (("qat",), "unverified"), (("kunpeng",), "unproven")]
)
@pytest.mark.parametrize(
    ("count", "why"),
    [
        ("hidden", "hisi_zip-4 0000:75:00.0: there is no /sys/kernel/debug/hisi_zip/0000:75:00.0/*core*/regs: "),
        ("reset", "hisi_zip-4 0000:75:00.0: its count went backwards, from 7 to 0: the device was reset"),
    ],
)
def test_without_a_count_only_what_the_profile_requires_fails(
    required: tuple[str, ...], expected: DeviceVerdict, count: str, why: str, tmp_path: Path
) -> None:
    engine = Engine(tmp_path, done_before=7)

    with Prover(engine.host, required).watching({"receiver": peer("hardware", "Kunpeng")}) as judge:
        if count == "hidden":
            engine.registers.unlink()
        else:
            engine.work(-7)
        (seen,) = judge(lambda: {"receiver": Part(Asked(5))})

    assert (seen.end, seen.asked, seen.counted, seen.source, seen.verdict) == ("receiver", 5, None, SOURCE, expected)
    assert seen.why.startswith(why)


@pytest.mark.parametrize(("done", "expected"), [(12, "proven"), (11, "unproven"), (13, "disturbed")])
def test_two_ends_on_one_device_need_the_jobs_of_both(done: int, expected: DeviceVerdict, tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    both = {"sender": peer("hardware", "Kunpeng"), "receiver": peer("hardware", "Kunpeng")}

    with Prover(engine.host).watching(both) as judge:  # type: ignore[arg-type]
        engine.work(done)
        seen = judge(lambda: {"sender": Part(Asked(5, 5)), "receiver": Part(Asked(7, 7))})

    assert [(each.end, each.asked, each.verdict) for each in seen] == [
        ("sender", 5, expected),
        ("receiver", 7, expected),
    ]


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
    few = work("unproven", 9, 8)
    many = work("disturbed", 9, 10).model_copy(update={"why": "somebody else used it"})

    assert lacking([few, few, work("unproven", 7, None), many, work("proven")]) == (
        "QAT: 9 jobs were asked for, 8 counted (somewhere);"
        " QAT: 7 jobs were asked for, how many were done is not known (somewhere);"
        " QAT: 9 jobs were asked for, 10 counted (somewhere): somebody else used it"
    )


@pytest.mark.parametrize("verdict", ["proven", "unverified", "not claimed", "fell-back"])
def test_nothing_is_lacking_where_nothing_is_unproven_or_disturbed(verdict: DeviceVerdict) -> None:
    assert lacking([work(verdict)]) == ""


@pytest.mark.parametrize(
    ("detail", "told"),
    [("", "QAT: 9 jobs were asked for, 8 counted (somewhere)"), ("the memory is wrong", "the memory is wrong")],
)
def test_an_outcome_says_what_is_lacking_unless_it_has_worse_to_say(detail: str, told: str) -> None:
    few = (work("unproven", 9, 8),)

    outcome = proven(Outcome(Observation("identical", detail=detail)), few)

    assert outcome.observation == Observation("identical", detail=told, device="unproven")
    assert outcome.device == few


def test_an_outcome_without_figures_moved_nothing_and_left_nothing() -> None:
    outcome = Outcome(Observation("rejected"))

    assert (outcome.bytes_memory, outcome.bytes_wire, outcome.device, outcome.artifacts) == (0, 0, (), ())


def told(counted: int) -> contract.Done:
    return contract.Done(
        id=1, provenance="hardware", library=contract.Told(source="its own", unit="jobs", before=0, after=counted)
    )


@pytest.mark.parametrize(("external", "verdict"), [(False, "proven"), (True, "unverified")])
def test_the_library_of_a_peer_of_ours_is_believed_where_nothing_can_be_read(
    external: bool, verdict: DeviceVerdict, tmp_path: Path
) -> None:
    engine = Engine(tmp_path)
    engine.registers.unlink()

    with Prover(engine.host).watching({"sender": peer("hardware", "Kunpeng", external=external)}) as judge:
        (seen,) = judge(lambda: {"sender": Part(Asked(5, 5), told(5))})

    assert seen.verdict == verdict


def test_a_library_on_a_host_that_shows_no_device_is_believed_as_well(tmp_path: Path) -> None:
    with Prover(Host(tmp_path)).watching({"sender": peer("hardware", "QAT", external=False)}) as judge:
        (seen,) = judge(lambda: {"sender": Part(Asked(5, 5), told(5))})

    assert (seen.verdict, seen.witness, seen.why) == ("proven", "library", "no such device on this host")


@pytest.mark.parametrize(("role", "jobs"), [("sender", 10), ("receiver", 11)])
def test_a_call_of_a_sender_is_as_many_jobs_as_its_routing_says(role: Role, jobs: int, tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    routed = peer("hardware", "Kunpeng", external=False).model_copy(update={"routing": Routing(jobs=2)})
    said = contract.Done(id=1, provenance="hardware", software=1, busy=3)

    with Prover(engine.host).watching({role: routed}) as judge:
        engine.work(11)
        (seen,) = judge(lambda: {role: Part(Asked(12, 12), said)})

    assert seen.asked == jobs


def test_what_the_work_itself_takes_to_be_told_is_not_counted(tmp_path: Path) -> None:
    engine = Engine(tmp_path)

    def parts() -> dict[Role, Part]:
        engine.work(3)
        return {"sender": Part(Asked(5, 5))}

    with Prover(engine.host).watching({"sender": peer("hardware", "Kunpeng")}) as judge:
        engine.work(5)
        (seen,) = judge(parts)

    assert (seen.counted, seen.verdict) == (5, "proven")


def test_where_there_is_no_limit_the_device_is_to_be_idle_afterwards(tmp_path: Path) -> None:
    engine = Engine(tmp_path)

    def parts() -> dict[Role, Part]:
        engine.work(3)
        return {"sender": Part(Asked(5))}

    with Prover(engine.host).watching({"sender": peer("hardware", "Kunpeng")}) as judge:
        engine.work(5)
        (seen,) = judge(parts)

    assert (seen.counted, seen.verdict) == (5, "disturbed")
    assert seen.why == "the device was not idle: it counted 3 afterwards, which nobody here had asked for"


def test_a_device_at_work_before_is_disturbed_whatever_it_counts(tmp_path: Path) -> None:
    engine = Engine(tmp_path)

    with at_work(engine), Prover(engine.host).watching({"sender": peer("hardware", "Kunpeng")}) as judge:
        (seen,) = judge(lambda: {"sender": Part(Asked(1, 10**6))})

    assert seen.verdict in ("disturbed", "unproven")
    with at_work(engine), Prover(engine.host).watching({"sender": peer("hardware", "Kunpeng")}) as judge:
        engine.work(5)
        (seen,) = judge(lambda: {"sender": Part(Asked(1, 10**6))})

    assert seen.verdict == "disturbed"
    assert seen.why.startswith("the device was not idle: it counted ")


@contextmanager
def at_work(engine: Engine) -> Iterator[None]:
    """Somebody else works on it all the time."""
    ended = Event()

    def work_on() -> None:
        while not ended.wait(0.002):
            engine.work(1)

    thread = Thread(target=work_on)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_disturbed_device_is_looked_at_for_long_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, slept = Engine(tmp_path), list[float]()
    monkeypatch.setattr(time, "sleep", slept.append)
    prover = Prover(engine.host)

    for jobs in (5, 6, 5):
        with prover.watching({"sender": peer("hardware", "Kunpeng")}) as judge:
            engine.work(jobs)
            judge(lambda: {"sender": Part(Asked(5, 5))})

    assert slept == [idle.LONG, idle.SHORT, idle.LONG]


# The device is held alone.


def refusal(engine: Engine) -> str:
    """Why somebody else cannot have the device, empty if they can."""
    theirs, devices = Exclusive(engine.host, 0.02), detect(engine.host)
    with theirs.holding(devices):
        return theirs.without(devices)


def test_the_device_is_held_alone_from_the_first_look_to_the_last(tmp_path: Path) -> None:
    engine = Engine(tmp_path)

    with Prover(engine.host).watching({"sender": peer("hardware", "Kunpeng")}) as judge:
        assert refusal(engine)
        judge(lambda: {"sender": Part(Asked(5), None)} if refusal(engine) else {})
    assert not refusal(engine)


@pytest.mark.parametrize("other", [peer("software", None), peer("emulated", "Kunpeng")])
def test_who_claims_no_hardware_holds_nothing(other: LineUpPeer, tmp_path: Path) -> None:
    engine = Engine(tmp_path)

    with Prover(engine.host).watching({"sender": other}):
        assert not refusal(engine)


def test_a_device_may_be_held_for_more_than_is_watched(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    prover = Prover(engine.host)

    with prover.holding(["Kunpeng", "QAT", "Kunpeng"]):
        with prover.watching({"sender": peer("hardware", "Kunpeng")}) as judge:
            engine.work(5)
            (seen,) = judge(lambda: {"sender": Part(Asked(5, 5))})
        assert refusal(engine)

    assert seen.verdict == "proven"
    with prover.holding(["QAT", "unnamed"]):
        assert not refusal(engine)


@pytest.mark.parametrize(("required", "verdict"), [((), "unverified"), (("kunpeng",), "unproven")])
def test_a_device_that_somebody_else_does_not_give_free_is_unverified(
    required: tuple[str, ...], verdict: DeviceVerdict, tmp_path: Path
) -> None:
    engine = Engine(tmp_path)

    with (
        Prover(engine.host).holding(["Kunpeng"]),
        Prover(engine.host, required, patience=0.02).watching({"sender": peer("hardware", "Kunpeng")}) as judge,
    ):
        engine.work(5)
        (seen,) = judge(lambda: {"sender": Part(Asked(5, 5))})

    assert seen.verdict == verdict
    assert seen.why.startswith(f"process {os.getpid()} does not give the device free (")


def test_a_device_without_locks_is_unverified_and_no_crash(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    (tmp_path / "run").write_text("no directory")

    with Prover(engine.host).watching({"sender": peer("hardware", "Kunpeng")}) as judge:
        engine.work(5)
        (seen,) = judge(lambda: {"sender": Part(Asked(5, 5))})

    assert (seen.verdict, seen.counted) == ("unverified", 5)
    assert seen.why.startswith("no lock can be had: ")


# Real QEMUs.


@pytest.mark.parametrize(
    ("jobs", "verdict"), [(4, "not claimed"), (5, "proven"), (6, "unverified")], ids=["too few", "enough", "too many"]
)
def test_a_qemu_is_judged_by_the_device_of_its_method(jobs: int, verdict: DeviceVerdict, tmp_path: Path) -> None:
    engine = Engine(tmp_path)

    with Prover(engine.host).watching({}, {"sender": KUNPENG}) as judge:
        assert refusal(engine)
        engine.work(jobs)
        (seen,) = judge(lambda: {"sender": Part(Asked(5, 5))})

    assert (seen.end, seen.device, seen.asked, seen.counted, seen.verdict) == ("sender", "Kunpeng", 5, jobs, verdict)


@pytest.mark.parametrize(
    ("ends", "qemus", "watched"),
    [
        ({"sender": peer("hardware", "QAT")}, {}, True),
        ({"sender": peer("emulated", "Kunpeng")}, {}, False),
        ({}, {"receiver": KUNPENG}, True),
        ({}, {"receiver": QAT}, False),
        ({}, {}, False),
    ],
)
def test_what_is_watched_is_known_beforehand_and_nobody_else_is_asked(
    ends: dict[Role, LineUpPeer], qemus: dict[Role, Accelerator], watched: bool, tmp_path: Path
) -> None:
    prover, asked = Prover(Engine(tmp_path).host), list[Role]()

    def parts() -> dict[Role, Part]:
        asked.extend([*ends, *qemus])
        return {end: Part(Asked(5, 5)) for end in asked}

    with prover.watching(ends, qemus) as judge:
        judge(parts)

    assert prover.watches(ends, qemus) is watched
    assert bool(asked) is watched


def test_of_a_qemu_whose_device_is_not_there_nothing_is_told(tmp_path: Path) -> None:
    with Prover(Engine(tmp_path).host).watching({}, {"sender": QAT, "receiver": IAA}) as judge:
        assert judge(lambda: {}) == ()


def test_nor_of_one_whose_device_nobody_can_use(tmp_path: Path) -> None:
    engine = Engine(tmp_path, change="/dev/hisi_zip-4 0000")

    assert not any(device.usable for device in detect(engine.host))
    with Prover(engine.host).watching({}, {"sender": KUNPENG}) as judge:
        assert judge(lambda: {}) == ()


def test_but_a_peer_that_uses_it_all_the_same_is_proven_by_it(tmp_path: Path) -> None:
    engine = Engine(tmp_path, change="/dev/hisi_zip-4 0000")

    with Prover(engine.host).watching({"sender": peer("hardware", "Kunpeng")}) as judge:
        engine.work(5)
        (seen,) = judge(lambda: {"sender": Part(Asked(5, 5))})

    assert seen.verdict == "proven"


def test_a_qemu_and_a_peer_of_ours_share_a_device(tmp_path: Path) -> None:
    engine = Engine(tmp_path)

    with Prover(engine.host).watching({"receiver": peer("hardware", "Kunpeng")}, {"sender": KUNPENG}) as judge:
        engine.work(12)
        seen = judge(lambda: {"sender": Part(Asked(5, 5)), "receiver": Part(Asked(7, 7))})

    assert [(each.end, each.counted, each.verdict) for each in seen] == [
        ("sender", 5, "proven"),
        ("receiver", 7, "proven"),
    ]
