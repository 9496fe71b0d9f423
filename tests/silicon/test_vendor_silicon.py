"""Whole runs of the real codecs, over vendor libraries that have a device which is not there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from multifd.libraries.find import libraries
from tests.mutants.mutants import LIBRARIES
from tests.mutants.substitute import COMPILER, furnish, substitute
from tests.silicon.runs import Lab, Run

SUITES: Final = ("suites/probe", "suites/wire", "-k", "probe or wire/qatzip or wire/qpl")
"""What both libraries are for."""
DEVICES: Final[Mapping[str, str]] = {"qat": "QAT", "iaa": "IAA"}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the libraries are."""
    found = libraries()
    if lacking := [name for name in LIBRARIES if name not in found]:
        pytest.skip(f"no library for {' and '.join(lacking)} on this host; remedy: multifd vendor fetch")
    if COMPILER is None:
        pytest.skip("no C compiler to build libraries with; remedy: apt install gcc")
    directory = tmp_path_factory.mktemp("silicon")
    furnish(directory, found)
    for library in found.values():
        substitute(library, Path(__file__).with_name(f"lib{library.name}.c"), directory, "-Wextra")
    return directory


def run(
    lab: Lab, built: Path, way: str, *suites: str, policy: str = "require", kinds: tuple[str, ...] = ("qat", "iaa")
) -> Run:
    """With these devices, on which the libraries fare in that way."""
    devices = {kind: {"policy": policy, "libraries": [str(built)]} for kind in kinds}
    profile = {"peers": [{"codec": "zlib"}], "devices": devices, "deadlines": {"hello": 60, "request": 30}}
    return lab.run(profile, *suites, environment={"SILICON_ROOT": str(lab.root), "SILICON_WAY": way})


def test_real_codecs_on_devices_that_work_are_proven(built: Path, tmp_path: Path) -> None:
    lab = Lab.furnished(tmp_path, "QAT", "IAA")

    ended = run(lab, built, "perfect", *SUITES)

    assert ended.code == 0, ended.output
    assert ended.failures == {}
    assert {work.verdict for _, work in ended.demanding} == {"proven"}
    assert {work.witness for _, work in ended.demanding} == {"device"}
    assert {work.device for _, work in ended.demanding} == {"QAT", "IAA"}


def test_where_no_counter_is_there_the_librarys_own_word_proves(built: Path, tmp_path: Path) -> None:
    lab = Lab.furnished(tmp_path, "QAT", "IAA", counted=False)

    ended = run(lab, built, "uncounted", *SUITES)

    assert ended.code == 0, ended.output
    assert {work.verdict for _, work in ended.demanding} == {"proven"}
    assert {work.witness for _, work in ended.demanding} == {"library"}


@pytest.mark.parametrize(
    ("kind", "way", "words"),
    [
        pytest.param("qat", "absent", "NO_HW", id="libqatzip finds no device"),
        pytest.param("qat", "silent", "in software", id="libqatzip computes in software, silently"),
        pytest.param("iaa", "absent", "QPL_STS_INIT_", id="libqpl finds no device"),
        pytest.param("iaa", "full", "the queues were busy", id="libqpl finds every queue full"),
    ],
)
def test_required_silicon_that_does_not_work_ends_the_run_before_its_first_cell(
    kind: str, way: str, words: str, built: Path, tmp_path: Path
) -> None:
    lab = Lab.furnished(tmp_path, DEVICES[kind])

    ended = run(lab, built, way, *SUITES, kinds=(kind,))

    assert ended.code == 3, ended.output
    assert words in ended.output
    assert not (ended.directory / "results.json").exists()


def test_wished_for_silicon_that_does_not_work_leaves_software_and_the_emulation(built: Path, tmp_path: Path) -> None:
    lab = Lab.furnished(tmp_path, "QAT")

    ended = run(lab, built, "absent", "suites/probe", policy="use", kinds=("qat",))

    assert ended.code == 0, ended.output
    assert {peer.name: peer.provenance for peer in ended.results.peers if peer.device == "QAT"} == {
        "qatzip": "vendor-software",
        "qat-emulated": "emulated",
    }
    assert "NO_HW" in ended.output


def test_pages_that_the_real_codec_has_to_make_again_are_counted_and_no_failure(built: Path, tmp_path: Path) -> None:
    lab = Lab.furnished(tmp_path, "IAA")

    ended = run(lab, built, "faults", "suites/wire", "-k", "wire/qpl", kinds=("iaa",))

    assert ended.code == 0, ended.output
    assert {work.verdict for _, work in ended.demanding} == {"proven"}
    assert sum(work.faults for _, work in ended.work) > 0


def test_queues_that_stay_busy_send_the_work_to_software_which_is_told(built: Path, tmp_path: Path) -> None:
    lab = Lab.furnished(tmp_path, "IAA")

    ended = run(lab, built, "filling", "suites/wire", "-k", "wire/qpl", kinds=("iaa",))

    assert ended.code == 0, ended.output
    told = [work for _, work in ended.work if work.verdict == "fell-back"]
    assert told
    assert all("the queues were busy" in work.why and work.busy for work in told)


def test_a_library_that_dies_in_the_middle_costs_the_cell_that_it_was_in(built: Path, tmp_path: Path) -> None:
    lab = Lab.furnished(tmp_path, "QAT")

    ended = run(lab, built, "dying", "suites/wire", "-k", "wire/qpl", kinds=("qat",))

    broken = [cell for cell in ended.cells if cell.id in ended.failures]
    assert {cell.kind for cell in broken} == {"crash"}
    assert {cell.device_verdict for cell in broken} == {"not claimed"}
    assert "proven" in ended.verdicts
