"""Whole runs against stand-ins for silicon: what holds must be proven, and nothing else may be.

Each is done once. ``SILICON_REPEATS=3`` does each three times, ``SILICON_SUITES=suites`` has the whole plan, for who
has changed what a proof rests on.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from multifd.result.record import DeviceWork
from tests.reports.packed import held
from tests.silicon.runs import Lab, Run

REPEATS: Final = int(os.environ.get("SILICON_REPEATS", "1"))
_THOROUGH: Final = os.environ.get("SILICON_SUITES")


def _suites(usual: str) -> list[str]:
    return shlex.split(_THOROUGH or usual)


WHOLE: Final = _suites("suites/probe suites/wire suites/integrity -k 'probe or wire or live or qatzip or qpl or uadk'")
"""Every scenario, in the methods of accelerators."""
WIRE: Final = _suites("suites/wire")
MEMBERS: Final = _suites("suites/wire -k 'wire/qatzip or wire/zlib-packet'")
SAMPLE: Final = _suites("suites/wire suites/integrity -k 'wire/qpl or wire/qatzip or wire/raw or live'")
"""Pages and packets, in members and without; captured, and live."""
BRIEF: Final = _suites(
    "suites/wire suites/integrity -k '(wire/qpl or wire/qatzip or wire/raw) and (mixed or qemu-test or few)"
    " or (integrity/qpl or integrity/gzip) and live'"
)
"""Some of each: enough for what every cell says alike."""
SOUND: Final = {"proven", "fell-back", "not claimed"}
SHARED: Final = "the other end may have done any number"
"""IAA's rules have no limit: of two ends at one device that are not ours, whose jobs were counted is not known."""

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.parametrize("repeat", range(REPEATS), ids=lambda number: f"run-{number + 1}"),
]


def assert_all_is_proven(run: Run) -> None:
    """No cell fails, and every end with work for its device is known to have had it done there."""
    assert run.code == 0, run.output
    assert run.failures == {}
    assert [work for _, work in run.work if work.verdict not in SOUND and SHARED not in work.why] == []
    assert "proven" in {work.verdict for _, work in run.demanding}
    assert {work.device for _, work in run.work if SHARED in work.why} <= {"IAA"}


def vague(run: Run) -> list[DeviceWork]:
    """Of ends in captures, whose packets are known: those that were asked for other jobs than were counted.

    The least and the most differ by requests whose output is found to be too large.
    """
    known = [work for cell, work in run.demanding if cell.scenario == "capture"]
    return [work for work in known if work.counted not in (work.asked, work.most)]


@pytest.mark.parametrize(
    ("device", "workers", "suites", "peers", "parameters"),
    [
        pytest.param("QAT", 1, WHOLE, [], {}, id="QAT"),
        pytest.param("QAT", 2, MEMBERS, ["zlib"], {}, id="QAT, workers"),
        pytest.param("QAT", 1, MEMBERS, ["zlib"], {"buffer": 8, "raw": 0}, id="QAT, small buffers"),
        pytest.param(
            "QAT", 1, MEMBERS, ["zlib"], {"threshold": 65536, "stream": 1}, id="QAT, streams, a high threshold"
        ),
        pytest.param("IAA", 2, BRIEF, ["zlib"], {}, id="IAA, workers"),
        pytest.param("Kunpeng", 1, WIRE, [], {}, id="Kunpeng"),
    ],
)
def test_a_device_on_which_nothing_is_wrong_is_proven(
    device: str,
    workers: int,
    suites: list[str],
    peers: list[str],
    parameters: Mapping[str, int],
    tmp_path: Path,
    repeat: int,
) -> None:
    lab = Lab.furnished(tmp_path, device)

    run = lab.stand_in("perfect", *suites, peers=peers, workers=workers, **parameters)

    assert_all_is_proven(run)
    assert vague(run) == []
    assert run.results.run.host["recorded"] == str(lab.root)


def test_what_a_library_keeps_in_software_by_its_own_rules_is_told_in_words(tmp_path: Path, repeat: int) -> None:
    lab = Lab.furnished(tmp_path, "QAT")

    run = lab.stand_in("perfect", *SAMPLE, peers=["zlib"], threshold=65536)

    reasons = [(work.end, work.why) for _, work in run.work if work.verdict == "fell-back"]
    words = {"sender": "compressed in software: ", "receiver": "decoded in software: "}
    assert {end for end, _ in reasons} == {"sender", "receiver"}
    assert [why for end, why in reasons if not why.startswith(words[end])] == []
    assert [why for _, why in reasons if "input_sz_thrshold" not in why and "hw_buff_sz" not in why] == []
    assert "decoded in software" in str(held((run.directory / "report.html").read_text())["device"])


def test_a_device_that_does_nothing_proves_nothing_to_any_worker(tmp_path: Path, repeat: int) -> None:
    lab = Lab.furnished(tmp_path, "QAT")

    run = lab.stand_in("uncounted", *BRIEF, workers=2)

    assert run.code == 1
    assert run.ended("proven") == []
    assert {work.verdict for _, work in run.demanding} == {"unproven"}
    assert {cell.kind for cell in run.cells if cell.verdict == "fail"} == {"unproven"}


@pytest.mark.parametrize("device", ["QAT", "IAA"])
def test_another_run_on_the_device_proves_nothing_for_a_liar(device: str, tmp_path: Path, repeat: int) -> None:
    lab = Lab.furnished(tmp_path, device)

    with lab.neighbour("well-behaved"):
        run = lab.stand_in("uncounted", *BRIEF)

    assert run.ended("proven") == []
    assert {work.verdict for _, work in run.demanding} == {"unproven"}


@pytest.mark.parametrize("device", ["QAT", "IAA"])
def test_one_job_of_ten_that_falls_back_without_a_word_is_missed(device: str, tmp_path: Path, repeat: int) -> None:
    lab = Lab.furnished(tmp_path, device)

    run = lab.stand_in("one-in-ten", *BRIEF)

    # Of ten jobs one after another one is left out.
    assert [cell.id for cell, work in run.demanding if work.verdict == "proven" and work.asked >= 10] == []
    assert {work.verdict for _, work in run.demanding if work.asked >= 10} == {"unproven"}
    assert run.code == 1


def test_a_device_that_another_run_uses_in_turns_is_proven(tmp_path: Path, repeat: int) -> None:
    lab = Lab.furnished(tmp_path, "QAT")

    with lab.neighbour("well-behaved"):
        run = lab.stand_in("perfect", *BRIEF)

    assert_all_is_proven(run)


@pytest.mark.parametrize(("device", "way"), [("QAT", "perfect"), ("IAA", "uncounted")])
def test_jobs_of_a_neighbour_who_does_not_wait_disturb_and_prove_nothing(
    device: str, way: str, tmp_path: Path, repeat: int
) -> None:
    lab = Lab.furnished(tmp_path, device)

    with lab.neighbour("all-the-time"):
        run = lab.stand_in(way, *BRIEF)

    assert run.ended("proven") == []
    assert {work.verdict for _, work in run.demanding} <= {"disturbed", "unproven"}
    assert run.ended("disturbed")


def test_jobs_of_a_neighbour_now_and_then_disturb_and_lack_nothing(tmp_path: Path, repeat: int) -> None:
    lab = Lab.furnished(tmp_path, "QAT")

    with lab.neighbour("now-and-then"):
        run = lab.stand_in("perfect", *SAMPLE)

    assert {work.verdict for _, work in run.demanding} == {"disturbed", "proven"}


@pytest.mark.parametrize(("device", "missed"), [("QAT", "fw_counters"), ("IAA", "iax1")])
def test_counters_that_are_not_there_are_no_failure(device: str, missed: str, tmp_path: Path, repeat: int) -> None:
    lab = Lab.furnished(tmp_path, device, counted=False)

    run = lab.stand_in("uncounted", *BRIEF)

    assert_unverified(run, missed)


def test_counters_that_the_kernel_keeps_are_no_failure(tmp_path: Path, repeat: int) -> None:
    lab = Lab.furnished(tmp_path, "IAA")
    lab.counter("IAA").write_text("EACCES\n")

    run = lab.stand_in("uncounted", *BRIEF)

    assert_unverified(run, "CAP_PERFMON")


def test_a_counter_that_others_want_too_is_no_failure(tmp_path: Path, repeat: int) -> None:
    lab = Lab.furnished(tmp_path, "IAA")

    run = lab.stand_in("multiplexed", *BRIEF)

    assert_unverified(run, "50 %")


def assert_unverified(run: Run, reason: str) -> None:
    """Nothing fails for what is not known, and why it is not is said, in the report too."""
    assert run.code == 0, run.output
    assert run.failures == {}
    assert {work.verdict for _, work in run.demanding} == {"unverified"}
    assert all(reason in work.why for _, work in run.demanding)
    assert reason in str(held((run.directory / "report.html").read_text())["device"])


def test_a_device_that_is_reset_in_the_middle_is_unverified_once(tmp_path: Path, repeat: int) -> None:
    lab = Lab.furnished(tmp_path, "QAT")

    run = lab.stand_in("reset", *BRIEF)

    assert run.failures == {}
    assert {work.verdict for _, work in run.demanding} == {"proven", "unverified"}
    assert all("went backwards" in work.why for _, work in run.demanding if work.verdict == "unverified")


def test_a_device_that_is_gone_in_the_middle_is_missed_from_then_on(tmp_path: Path, repeat: int) -> None:
    lab = Lab.furnished(tmp_path, "QAT")

    run = lab.stand_in("gone", *BRIEF)

    verdicts = [work.verdict for cell, work in run.demanding if work.end == "sender"]
    assert set(verdicts) == {"proven", "unproven"}
    assert run.code == 1


def test_a_process_that_dies_in_the_middle_costs_the_cell_that_it_was_in(tmp_path: Path, repeat: int) -> None:
    lab = Lab.furnished(tmp_path, "QAT")

    run = lab.stand_in("dying", *BRIEF)

    broken = [cell for cell in run.cells if cell.id in run.failures]
    assert {cell.kind for cell in broken} == {"crash"}
    assert {cell.device_verdict for cell in broken} <= {"not claimed"}
    assert len(broken) < len(run.cells) / 2
    assert run.ended("proven")


def test_a_job_that_never_ends_costs_the_cell_that_it_was_in(tmp_path: Path, repeat: int) -> None:
    lab = Lab.furnished(tmp_path, "QAT")

    run = lab.stand_in("stuck", *BRIEF, deadline=3.0)

    broken = [cell for cell in run.cells if cell.id in run.failures]
    assert {cell.kind for cell in broken} == {"hang"}
    assert {cell.device_verdict for cell in broken} == {"not claimed"}
    assert run.ended("proven")


@pytest.mark.parametrize(
    ("trouble", "figure"),
    [pytest.param({"busy": 7, "huffman": 1}, "busy", id="queues"), pytest.param({"fault": 5}, "faults", id="pages")],
)
def test_jobs_that_are_made_again_are_counted_and_no_failure(
    trouble: Mapping[str, int], figure: str, tmp_path: Path, repeat: int
) -> None:
    lab = Lab.furnished(tmp_path, "IAA")

    run = lab.stand_in("perfect", *BRIEF, peers=[], workers=1, **trouble)

    assert_all_is_proven(run)
    assert sum(getattr(work, figure) for _, work in run.work) > 0
