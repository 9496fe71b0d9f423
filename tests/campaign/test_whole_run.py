"""A whole run as a process: good input, bad input, and whatever interrupts it."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from multifd.nearest import suggestion
from multifd.oracle.rules import RULES
from multifd.profile.load import shipped
from multifd.result import store
from tests.campaign.runs import CELL, Conformance, OneCell, end, wait_until
from tests.cli.command import process
from tests.qemu.host import QEMU, needs_qemu

# A run that goes to its end


def test_a_good_run_is_exit_0_and_complete(one_cell: OneCell) -> None:
    conformance, ended = one_cell

    results = conformance.read()
    assert ended.code == 0, ended.output
    assert results["run"]["complete"] is True
    assert [(cell["id"], cell["verdict"]) for cell in results["cells"]] == [(CELL, "pass")]
    assert list(conformance.finished()) == [CELL]
    assert (conformance.results / "report.html").is_file()


def test_a_run_has_its_rules_and_a_cell_which_of_them_decided(one_cell: OneCell) -> None:
    results = one_cell.conformance.read()

    assert [rule["name"] for rule in results["run"]["rules"]] == [rule.name for rule in RULES]
    assert [(cell["rule"], cell["predicted_because"]) for cell in results["cells"]] == [("all-hold", None)]


def test_allure_gets_one_file_for_a_cell_and_what_it_is_of(one_cell: OneCell) -> None:
    pytest.importorskip("allure_pytest")

    files = {path.name.rpartition("-")[2]: path for path in (one_cell.conformance.results / "allure").iterdir()}
    assert sorted(files) == ["categories.json", "environment.properties", "result.json"]
    result = json.loads(files["result.json"].read_text())
    assert (result["name"], result["status"], result["testCaseId"]) == (CELL, "passed", result["historyId"])
    parameters = {each["name"]: each["value"] for each in result["parameters"]}
    assert (parameters["cell"], parameters["sender"]) == (CELL, "zlib")
    assert not any(each.get("excluded") for each in result["parameters"])
    assert {"name": "framing", "value": "zlib"} in result["labels"]


def test_the_part_that_was_asked_for_is_what_is_planned(conformance: Conformance) -> None:
    ended = conformance.run("-k", "probe/zlib")

    results = conformance.read()
    assert ended.code == 0, ended.output
    assert results["run"]["complete"] is True
    assert results["run"]["command"].endswith("suites -k probe/zlib --qemu none")
    assert [cell["id"] for cell in results["cells"]] == ["probe/zlib"]


def test_a_peer_that_the_plan_wants_and_the_profile_lacks_is_declared_and_skipped(conformance: Conformance) -> None:
    conformance.choose("zlib", "none")

    ended = conformance.run("-k", "probe/zlib or (live and qemu-9.2/)")

    results = conformance.read()
    skipped = [cell for cell in results["cells"] if cell["verdict"] == "skip"]
    assert ended.code == 0, ended.output
    assert [peer["name"] for peer in results["peers"] if not peer["roles"]] == ["zstd"]
    assert skipped
    assert "%]" not in ended.output, "letters of some cells, and the share of letters, tell nobody how far a run is"
    assert all("zstd" in (cell["sender"], cell["receiver"]) for cell in skipped)


@needs_qemu
def test_a_real_qemu_takes_part(conformance: Conformance) -> None:
    conformance.add_qemu(*QEMU.command)

    ended = conformance.run("-k", "probe/qemu-own or (/tcp/ and zstd)")

    assert ended.code == 0, ended.output
    assert {cell.split("/")[0]: verdict for cell, verdict in conformance.finished().items()} == {
        "probe": "pass",
        "qemu": "pass",
    }
    assert [peer["kind"] for peer in conformance.read()["peers"] if peer["name"] == "qemu-own"] == ["qemu"]
    assert conformance.peers() == []


def test_looking_at_the_plan_leaves_the_last_results_alone(conformance: Conformance) -> None:
    conformance.results.mkdir()
    (conformance.results / store.RESULTS).write_text("precious")
    (conformance.results / store.EVENTS).write_text("precious")

    ended = conformance.run("--collect-only", "--cell", CELL)

    assert ended.code == 0, ended.output
    assert [path.read_text() for path in sorted(conformance.results.glob("*.json*"))] == ["precious", "precious"]


def test_the_peer_of_the_example_works_in_every_suite(conformance: Conformance) -> None:
    own = "huffman-only"

    ended = conformance.run(
        "--hwprofile",
        "examples/own_peer/profile.yaml",
        "-k",
        f"probe/{own} or ({own} and raw-packet/ and (capture or text))",
    )

    verdicts: dict[str, set[str]] = {}
    for cell, verdict in conformance.finished().items():
        verdicts.setdefault(cell.partition("/")[0], set()).add(verdict)
    assert ended.code == 0, ended.output
    assert verdicts.pop("negotiation", {"refused"}) == {"refused"}
    assert verdicts == {"probe": {"pass"}, "wire": {"pass"}, "integrity": {"pass"}}


def test_a_run_with_content_of_the_users_own_says_how_much_of_it_was_taken(
    conformance: Conformance, tmp_path: Path
) -> None:
    (tmp_path / "dumps").mkdir()
    (tmp_path / "dumps" / "guest").write_bytes(b"page" * (3 << 18))

    ended = conformance.run("--corpus", str(tmp_path / "dumps"), "--cell", CELL.replace("mixed", "user"))

    said = "2 MiB of 3 MiB in 1 file (66.7%): 0.0% zero pages, 99.8% equal to one before"
    assert ended.code == 0, ended.output
    assert f"multifd: corpus: {said}; --memory takes more\n" in ended.output
    assert f"Your content: {said}.\n" in ended.output
    assert conformance.read()["run"]["corpus"]["bytes_taken"] == 2 << 20


# Input that is wrong: exit 2 and one line


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("--hwprofile", "lab"),
            f"profile 'lab' is neither a file nor one of {', '.join(shipped())}; {suggestion('lab', shipped())}",
        ),
        (
            ("--qemu", "/nowhere/qemu -L /share"),
            "--qemu '/nowhere/qemu -L /share': no such program; expected a path, a command line, or 'found'",
        ),
        (("--memory", "abc"), "--memory 'abc': expected a number of bytes with K, M or G, such as 4M"),
        (("--corpus", "/nowhere"), "corpus: /nowhere does not exist, expected a directory with files"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else None,
)
def test_an_option_that_is_wrong_is_named(conformance: Conformance, arguments: tuple[str, ...], complaint: str) -> None:
    ended = conformance.run(*arguments)

    assert (ended.code, ended.complaint) == (2, f"multifd: {complaint}")
    assert not conformance.results.exists()


def test_a_wrong_key_of_a_profile_is_named_with_its_path(conformance: Conformance) -> None:
    conformance.profile.write_text("description: two\npeers: [{codec: zlib, colour: red}]\n")

    ended = conformance.run()

    assert ended.code == 2
    assert ended.complaint.startswith(
        f"multifd: profile {conformance.profile}: $.peers[0].colour: unknown key; expected one of codec, "
    )


def test_a_qemu_of_a_profile_that_is_not_there_is_named_with_its_path(conformance: Conformance) -> None:
    conformance.add_qemu("/nowhere/qemu")

    ended = conformance.run()

    line = "profile: $.qemu[0].command '/nowhere/qemu': no such program; expected a path, a command line, or 'found'"
    assert (ended.code, ended.complaint) == (2, f"multifd: {line}")


def test_a_selection_that_pytest_cannot_read_is_bad_input(conformance: Conformance) -> None:
    ended = conformance.run("-k", "zlib~zstd")

    assert ended.code == 2
    assert "Wrong expression passed to '-k'" in ended.output
    assert not (conformance.results / store.EVENTS).exists()


def test_an_unknown_cell_is_refused_with_the_nearest(conformance: Conformance) -> None:
    ended = conformance.run("--cell", CELL.replace("mixed", "mixd"))

    assert ended.code == 2
    assert f"; the nearest are {CELL}, " in ended.complaint


def test_a_program_that_is_no_qemu_is_the_environments_fault(conformance: Conformance) -> None:
    ended = conformance.run("--qemu", "/bin/false")

    assert ended.code == 3
    assert "multifd: qemu exited with status 1 before it answered: no message; started as: /bin/" in ended.output


@pytest.mark.parametrize("option", ["--results", "--record"])
def test_a_file_where_a_directory_is_wanted_is_bad_input(option: str, conformance: Conformance, tmp_path: Path) -> None:
    place = tmp_path / "in the way"
    place.touch()

    ended = conformance.run("--cell", CELL, option, str(place))

    expected = f"{place} is no directory, expected one, or a path where there is none yet"
    assert (ended.code, ended.complaint) == (2, f"multifd: {option} {str(place)!r}: {expected}")


# Whatever interrupts it


def ctrl_c(run: subprocess.Popen[str]) -> None:
    """A terminal signals the whole process group."""
    os.killpg(run.pid, signal.SIGINT)


def terminate(run: subprocess.Popen[str]) -> None:
    """A service manager, or a job of CI that takes too long, signals the process that was started."""
    run.terminate()


@pytest.mark.parametrize("interrupt", [ctrl_c, terminate])
@pytest.mark.parametrize("workers", ["0", "2"])
def test_an_interrupted_run_keeps_what_was_finished_and_leaves_nothing_behind(
    conformance: Conformance, workers: str, interrupt: Callable[[subprocess.Popen[str]], None]
) -> None:
    run = conformance.begun("-n", workers, "--dist", "loadgroup")

    interrupt(run)
    ended = end(run)

    results = conformance.read()
    finished = conformance.finished()
    assert ended.code == 3, ended.output
    assert "Traceback" not in ended.output
    assert results["run"]["complete"] is False
    assert {cell["id"]: cell["verdict"] for cell in results["cells"] if cell["id"] in finished} == finished
    assert {cell["verdict"] for cell in results["cells"] if cell["id"] not in finished} == {"not-run"}
    assert conformance.left() == []
    wait_until(lambda: not conformance.peers())


def kill(run: subprocess.Popen[str]) -> None:
    """Nobody can clean up after this."""
    run.kill()


@needs_qemu
@pytest.mark.parametrize("interrupt", [ctrl_c, kill])
def test_an_interrupted_run_leaves_no_qemu(
    conformance: Conformance, interrupt: Callable[[subprocess.Popen[str]], None]
) -> None:
    conformance.add_qemu(*QEMU.command)
    run = conformance.start("suites/qemu", "-k", "/migrate/", "-n", "0")
    wait_until(lambda: run.poll() is not None or len(conformance.guests()) >= 2)
    assert run.poll() is None

    interrupt(run)
    end(run)

    wait_until(lambda: not conformance.peers())


def test_a_run_that_was_killed_can_be_reported(conformance: Conformance) -> None:
    run = conformance.begun("-n", "0")

    run.kill()
    end(run)
    answer = process("report", conformance.results)

    results = conformance.read()
    finished = conformance.finished()
    assert (answer.code, answer.out) == (3, f"{conformance.results}/report.html\n")
    assert results["run"]["complete"] is False
    assert {cell["id"]: cell["verdict"] for cell in results["cells"] if cell["verdict"] != "not-run"} == finished
    wait_until(lambda: not conformance.peers())


# A disk that is full


def no_space(conformance: Conformance, run: subprocess.Popen[str]) -> str:
    """The file system of the results is full."""
    with (conformance.results / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        while ballast.write(bytes(1 << 16)):
            pass
    return "No space left on device"


def no_quota(conformance: Conformance, run: subprocess.Popen[str]) -> str:
    """The log may grow no more."""
    size = (conformance.results / store.EVENTS).stat().st_size
    resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (size, size))
    return "File too large"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB, on hosts that let us make one."""
    directory = tmp_path / "disk"
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(directory)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this host lets us mount nothing; remedy: run as root")
    yield directory
    subprocess.run(["umount", "--lazy", str(directory)], check=True)


def full(conformance: Conformance, fill: Callable[[Conformance, subprocess.Popen[str]], str]) -> None:
    """The disk becomes full in the middle of a run: it ends, says why, and what was finished is kept."""
    run = conformance.begun("-n", "0")

    reason = fill(conformance, run)
    ended = end(run)

    assert ended.code == 3, ended.output
    assert f"multifd: {conformance.results}/events.jsonl: cannot write: {reason}" in ended.output
    assert "Traceback" not in ended.output
    assert len(conformance.finished()) >= 3
    assert conformance.left() == []
    wait_until(lambda: not conformance.peers())


def test_a_log_that_may_not_grow_ends_the_run(conformance: Conformance) -> None:
    full(conformance, no_quota)


def test_a_full_disk_ends_the_run(conformance: Conformance, small_disk: Path) -> None:
    conformance.results = small_disk / "results"

    full(conformance, no_space)
