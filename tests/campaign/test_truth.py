"""What a run says of itself agrees, wherever it is said: exit code, results, junit.xml, report, and the command.

==================  ====  ========  ========================================================
what was done       exit  complete  because
==================  ====  ========  ========================================================
all, or a part      0     yes       every cell that was asked for went as predicted
a liar takes part   1     yes       a cell failed
a skipped cell      1     yes       a run in which nothing was checked is not green
a test broke        3     yes       outside its cell, before it or after it passed
kill -9 of worker   3     yes       the cell that it ran broke; run again it passes, and
                                    that is no excuse
the last worker     3     no        cells that were planned were not run
Ctrl-C, full disk   3     no        the run did not come to its own end
==================  ====  ========  ========================================================
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import psutil
import pytest
import yaml

from multifd.result import store
from tests.campaign.breaking import BREAKS
from tests.campaign.runs import CELL, Conformance, Ended, OneCell, end, wait_until
from tests.cli.command import multifd
from tests.liars.court import entry

WORKERS = ("-n", "2", "--dist", "loadgroup")
PROBE = "suites/probe/test_probe.py::test_peer_keeps_its_word[probe/zlib]"


@dataclass(frozen=True)
class Said:
    """What a run says of itself."""

    code: int
    complete: bool
    lost: int
    verdicts: Counter[str]


def agreed(conformance: Conformance, ended: Ended) -> Said:
    """What all of them say."""
    results = conformance.read()
    verdicts = Counter(cell["verdict"] for cell in results["cells"])
    tree = ElementTree.parse(conformance.results / "junit.xml").getroot()
    junit, cases = tree.attrib, [case for case in tree.iter("testcase") if case.get("name") != "run"]
    assert "Traceback" not in ended.output
    assert len(cases) == verdicts.total()
    assert (int(junit["failures"]), int(junit["errors"])) >= (verdicts["fail"], verdicts["error"] + verdicts["not-run"])
    assert (junit["failures"] == junit["errors"] == "0") == (ended.code == 0)
    title = (conformance.results / "report.md").read_text().splitlines()[0]
    assert title.endswith("Conforming") == (ended.code == 0), title
    again = multifd("report", conformance.results)
    assert again.code == ended.code, again.err
    assert conformance.read() == results
    return Said(ended.code, results["run"]["complete"], results["run"]["workers_lost"], verdicts)


@pytest.mark.parametrize(
    "arguments",
    [
        ("suites/probe",),
        ("suites/probe", "-p", "no:xdist"),
        ("suites/probe", *WORKERS),
        ("suites", "-k", "probe/"),
        ("suites", "-p", "no:xdist", "--cell", CELL),
        ("suites/probe", "--deselect", PROBE),
        (PROBE,),
    ],
    ids=" ".join,
)
def test_what_was_asked_for_and_done_is_conforming(arguments: tuple[str, ...], conformance: Conformance) -> None:
    assert_conforming(agreed(conformance, end(conformance.start(*arguments))))


def test_one_cell_that_was_asked_for_and_done_is_conforming(one_cell: OneCell) -> None:
    assert_conforming(agreed(*one_cell))


def assert_conforming(said: Said) -> None:
    """Every cell that was asked for passes, and nothing was lost."""
    assert (said.code, said.complete, said.lost) == (0, True, 0)
    assert set(said.verdicts) == {"pass"}


def test_a_whole_run_is_complete(conformance: Conformance) -> None:
    conformance.choose("none")

    said = agreed(conformance, end(conformance.start("suites", *WORKERS)))

    assert (said.code, said.complete, said.lost) == (0, True, 0)
    assert said.verdicts["skip"] > 0


def lie(conformance: Conformance, lie: str) -> None:
    """A liar takes part."""
    profile = yaml.safe_load(conformance.profile.read_text())
    profile["peers"].append(entry(lie).model_dump(mode="json", exclude_defaults=True))
    conformance.profile.write_text(yaml.safe_dump(profile))


def test_a_cell_that_failed_is_not_conforming(conformance: Conformance) -> None:
    lie(conformance, "accepts-impossible")

    said = agreed(conformance, end(conformance.start("suites/probe")))

    assert (said.code, said.complete) == (1, True)
    assert said.verdicts == Counter({"pass": 3, "fail": 1})


def test_a_test_that_breaks_outside_its_cell_is_an_error_of_that_cell(conformance: Conformance) -> None:
    conformance.choose(*BREAKS.values(), "libdeflate")

    said = agreed(conformance, end(conformance.start("suites/probe", "-p", "tests.campaign.breaking")))

    assert (said.code, said.complete) == (3, True)
    cells = conformance.read()["cells"]
    assert {cell["id"]: cell["verdict"] for cell in cells} == {
        **{f"probe/{peer}": "error" for peer in BREAKS.values()},
        "probe/libdeflate": "pass",
    }
    broken = [cell for cell in cells if cell["verdict"] == "error"]
    assert {cell["observed"] for cell in broken} == {"broken"}
    assert all(cell["reason"].startswith("the harness or the host broke: ") for cell in broken)
    assert all(cell["predicted_because"].endswith(" keeps its word") for cell in broken)


def test_a_run_in_which_nothing_was_checked_is_not_green(conformance: Conformance) -> None:
    lie(conformance, "accepts-impossible")

    ended = end(conformance.start("suites", "-k", "test_pairing and accepts-impossible"))
    said = agreed(conformance, ended)

    assert (said.code, said.complete, set(said.verdicts)) == (1, True, {"skip"})
    assert "Nothing was checked: this run says nothing." in ended.output
    assert {cell["reason"] for cell in conformance.read()["cells"]} == {
        "accepts-impossible failed its probe (peer accepts-impossible did what cannot be done (framing"
        " no-such-framing), expected a refusal); remedy: mend it or take it out of the run"
    }


# A worker that is killed


def workers(run: subprocess.Popen[str]) -> list[psutil.Process]:
    """Processes that run cells."""
    return [child for child in psutil.Process(run.pid).children() if "sys.stdin.readline" in " ".join(child.cmdline())]


def killed(conformance: Conformance, *arguments: str) -> Ended:
    """A run one of whose workers is killed in the middle of it, as the kernel does when memory is short."""
    run = conformance.start("suites/negotiation", "-k", "none and qemu-5.0", *WORKERS, *arguments)
    log = conformance.results / store.EVENTS
    wait_until(lambda: run.poll() is not None or (log.exists() and len(conformance.finished()) >= 20))
    workers(run)[0].kill()
    return end(run)


def test_a_worker_that_was_killed_stays_visible_though_its_cell_passes_when_it_is_run_again(
    conformance: Conformance,
) -> None:
    said = agreed(conformance, killed(conformance))

    assert (said.code, said.complete, said.lost) == (3, True, 1)
    assert said.verdicts["error"] == 1
    assert said.verdicts["not-run"] == 0


def test_what_nobody_is_left_to_run_is_an_alarm(conformance: Conformance) -> None:
    said = agreed(conformance, killed(conformance, "--max-worker-restart", "0"))

    assert (said.code, said.complete, said.lost) == (3, False, 1)
    assert said.verdicts["not-run"] > 0


# Two runs, and a run that is cut off


def test_two_runs_do_not_share_a_directory(conformance: Conformance) -> None:
    first = conformance.begun("-n", "0")

    second = end(conformance.start("suites/probe"))
    first.terminate()
    said = agreed(conformance, end(first))

    assert second.code == 2
    assert f"multifd: {conformance.results}: a run is going on there (process {first.pid})" in second.output
    assert (said.code, said.complete) == (3, False)
    assert not [cell for cell in conformance.finished() if cell.startswith("probe/")]


RESULTS: Final = ("events.jsonl", "results.json", "report.html", "report.md", "junit.xml")


def no_plan(conformance: Conformance) -> tuple[str, ...]:
    """Nothing is in the plan that was asked for."""
    return ("suites", "-k", "nothing_is_called_so")


def bad_input(conformance: Conformance) -> tuple[str, ...]:
    """An option is wrong."""
    return ("suites", "--memory", "3")


@pytest.mark.parametrize("arguments", [no_plan, bad_input])
def test_a_run_without_a_plan_leaves_the_results_before_it(
    arguments: Callable[[Conformance], tuple[str, ...]], conformance: Conformance
) -> None:
    conformance.results.mkdir()
    for name in RESULTS:
        (conformance.results / name).write_text("precious")

    ended = end(conformance.start(*arguments(conformance)))

    assert ended.code == 2, ended.output
    left = {path.name: path.read_text() for path in conformance.results.glob("[!.]*.*")}
    assert left == dict.fromkeys(RESULTS, "precious")


def test_one_cell_is_run_beside_the_whole_run(conformance: Conformance, tmp_path: Path) -> None:
    run = conformance.start("suites", "--cell", CELL, "--rootdir", str(tmp_path))
    ended = end(run)

    assert ended.code == 0, ended.output
    assert not (tmp_path / "build/conformance").exists()


# What is asked for and cannot be


def test_an_option_without_a_sensible_value_is_named(conformance: Conformance) -> None:
    ended = end(conformance.start("suites", "--seed=-1"))

    assert (ended.code, ended.complaint) == (
        2,
        "multifd: --seed '-1': expected a whole number, 0 or more, of at most 1000 digits",
    )


# Interrupted at the wrong moment


def test_interrupted_before_it_has_a_plan_it_says_so_and_touches_nothing(conformance: Conformance) -> None:
    conformance.results.mkdir()
    (conformance.results / store.EVENTS).write_text("precious")
    run = conformance.start("suites", "-n", "0")
    wait_until(lambda: run.poll() is not None or bool(conformance.peers()))

    run.terminate()
    ended = end(run)

    assert ended.code == 3, ended.output
    assert "interrupted before there was a plan" in ended.output
    assert (conformance.results / store.EVENTS).read_text() == "precious"


@pytest.mark.parametrize("written", ["results.json", "report.html"])
def test_interrupted_while_it_writes_its_results_it_ends_writing(conformance: Conformance, written: str) -> None:
    run = conformance.start("suites", "-n", "0", "--cell", CELL)
    wait_until(lambda: run.poll() is not None or (conformance.results / written).exists())

    run.terminate()
    said = agreed(conformance, end(run))

    assert (said.code, said.complete) == (0, True)


# Checks without cells


def test_a_check_without_a_cell_is_told_and_nobodys_success(conformance: Conformance) -> None:
    ended = end(conformance.start("suites/qemu", "-rs"))

    assert ended.code == 1, ended.output
    assert "the plan has no cells of qemu splice (multifd cells lists all)" in ended.output
    assert not (conformance.results / store.EVENTS).exists()
