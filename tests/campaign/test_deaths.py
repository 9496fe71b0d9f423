"""Sudden deaths: nothing is left behind, nothing is lost, and the exit code is the contract's.

====================  =============================  ====  ========  =======================================
who                   how                            exit  complete  because
====================  =============================  ====  ========  =======================================
a peer of ours        kill -9, SIGHUP                3     yes       the cell that it cost broke
another's peer        SIGTERM                        3     yes       the same
the nursery           kill -9, SIGTERM               3     yes       the same; the third time nobody forks
a QEMU                kill -9                        3     yes       the same
``/dev/shm``          full for a while               3     yes       cells broke, and no codec is to blame
a worker              SIGHUP, with others            3     no        and then the run was interrupted
the controller        two Ctrl-C, workers besides    3     no        it was interrupted
the controller        its terminal closed            3     no        the same
the controller        kill -9                        -9    no        ``multifd report`` says 3
``multifd run``       kill -9                        -9    no        the run ends as by SIGTERM
others that run       kill -9                        -9              they leave no results
who reads its words   leaves                         0     yes       they go nowhere, and the run goes on
====================  =============================  ====  ========  =======================================

What other runs meet stands in test_whole_run.py and test_truth.py; a QEMU that is asked to end, in test_guest.py.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import psutil
import pytest
import yaml

from multifd.result import store
from tests.campaign.runs import CELL, PATIENCE, Conformance, end, wait_until
from tests.cli.command import PROGRAM, ROOT, process
from tests.qemu.host import QEMU, needs_qemu

DAEMON: Final = "setsid sh -c 'exec sleep 31{mark}' </dev/null >/dev/null 2>&1 & exec {python} -P -m multifd.peer none"
"""A peer that leaves a process in a session of its own, which nobody waits for."""
CELLS: Final = ("-k", "capture and none and sweep-")
GOOD: Final = {"pass", "refused", "hazard", "skip"}


def attended(conformance: Conformance) -> None:
    """A peer of ours, which is forked, and somebody else's, which has a daemon."""
    command = DAEMON.format(python=sys.executable, mark=os.getpid())
    other = {"name": "attended", "command": ["sh", "-c", command], "environment": {"PYTHONPATH": str(ROOT)}}
    conformance.profile.write_text(yaml.safe_dump({"description": "two", "peers": [{"codec": "none"}, other]}))


@pytest.fixture
def two(conformance: Conformance, monkeypatch: pytest.MonkeyPatch) -> Conformance:
    """Runs of these two, whose scratch space is also their wardens'."""
    monkeypatch.setenv("MULTIFD_SHM", str(conformance.scratch))
    attended(conformance)
    return conformance


def daemons() -> list[int]:
    """Of these tests."""
    return [
        each.pid for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"] == ["sleep", f"31{os.getpid()}"]
    ]


def nothing_left(conformance: Conformance) -> None:
    """No process, no scratch space, and no socket, for they are in it."""
    wait_until(lambda: not daemons())
    wait_until(lambda: not conformance.left())


def family(run: subprocess.Popen[str]) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(run.pid).children(recursive=True)
    return []


def nurseries(run: subprocess.Popen[str]) -> list[psutil.Process]:
    """Those that have peers; the one that is asked for them last."""
    found = []
    for each in family(run):
        with suppress(psutil.Error):
            if "--forks" in each.cmdline() and each.parent() != each and each.children():
                found.append(each)
    return found[:1]


def forked(run: subprocess.Popen[str]) -> list[psutil.Process]:
    return [ward for nursery in nurseries(run) for ward in nursery.children()]


def executed(run: subprocess.Popen[str]) -> list[psutil.Process]:
    return [each for each in family(run) if each.is_running() and each.cmdline()[-2:] == ["multifd.peer", "none"]]


def workers(run: subprocess.Popen[str]) -> list[psutil.Process]:
    """Of pytest-xdist, which starts them so."""
    return [each for each in psutil.Process(run.pid).children() if "sys.stdin.readline" in " ".join(each.cmdline())]


def more(conformance: Conformance, run: subprocess.Popen[str], cells: int) -> None:
    """Wait until so many more have ended."""
    before = len(conformance.finished())
    wait_until(lambda: run.poll() is not None or len(conformance.finished()) >= before + cells)


def dies(run: subprocess.Popen[str], whom: Callable[[subprocess.Popen[str]], list[psutil.Process]], how: int) -> None:
    """One of them does, as soon as there is one."""
    wait_until(lambda: run.poll() is not None or bool(whom(run)))
    assert run.poll() is None, "the run has ended"
    whom(run)[0].send_signal(how)


def verdicts(results: dict[str, Any]) -> set[str]:
    return {cell["verdict"] for cell in results["cells"]}


def words(results: dict[str, Any]) -> list[str]:
    """What the cells that broke say."""
    return [cell["reason"] for cell in results["cells"] if cell["verdict"] == "error"]


# What takes part dies: its cell breaks, and the run goes on


def test_who_takes_part_and_is_killed_costs_its_cells_and_no_verdict(two: Conformance) -> None:
    run = two.start("suites/wire", *CELLS, "-n", "0")
    log = two.results / store.EVENTS
    wait_until(lambda: run.poll() is not None or (log.exists() and len(two.finished()) >= 2))

    for whom, how in (
        (forked, signal.SIGKILL),
        (executed, signal.SIGTERM),
        (forked, signal.SIGHUP),
        (nurseries, signal.SIGKILL),
        (nurseries, signal.SIGTERM),
    ):
        dies(run, whom, how)
        more(two, run, 3)
    ended = end(run)

    results = two.read()
    assert (ended.code, results["run"]["complete"]) == (3, True), ended.output
    assert verdicts(results) <= GOOD | {"error"}
    assert 3 <= len(words(results)) <= 5
    killed = r"peer (none|attended) was killed by signal (9|15|1) .*: nobody but its host or somebody on it does so"
    assert all(
        re.fullmatch(rf"{killed}|(peer \w+: )?the nursery of our peers was killed by signal .*", each)
        for each in words(results)
    ), words(results)
    nothing_left(two)


@needs_qemu
def test_a_qemu_that_is_killed_costs_its_cell_and_no_verdict(two: Conformance) -> None:
    two.add_qemu(*QEMU.command)
    run = two.start("suites/qemu", "-k", "/tcp/ and zlib", "-n", "0")
    wait_until(lambda: run.poll() is not None or len(two.guests()) >= 2)

    with suppress(ProcessLookupError):
        os.kill(two.guests()[0], signal.SIGKILL)
    ended = end(run)

    assert (ended.code, verdicts(two.read())) == (3, {"error"}), ended.output
    assert re.match("(source|destination) was killed by signal 9", words(two.read())[0])
    nothing_left(two)


# There is no room for a while: cells break, and the run goes on


@pytest.fixture
def small(two: Conformance) -> Iterator[Conformance]:
    """Scratch space in a file system with little more than is asked for, on hosts that let us make one."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=640m", "tmpfs", str(two.scratch)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this host lets us mount nothing; remedy: run as root")
    yield two
    subprocess.run(["umount", "--lazy", str(two.scratch)], check=True)


def test_full_shared_memory_is_no_verdict_against_a_codec(small: Conformance) -> None:
    run = small.start("suites/wire", *CELLS, "-n", "0")
    log = small.results / store.EVENTS
    wait_until(lambda: run.poll() is not None or (log.exists() and len(small.finished()) >= 2))

    ballast = small.scratch / "ballast"
    with ballast.open("wb", buffering=0) as file:
        while run.poll() is None and "error" not in small.finished().values():
            with suppress(OSError):
                while file.write(bytes(1 << 20)):
                    pass
    ballast.unlink()
    more(small, run, 3)
    ended = end(run)

    results = small.read()
    assert (ended.code, results["run"]["complete"]) == (3, True), ended.output
    assert verdicts(results) <= GOOD | {"error"}
    assert all("No space left on device" in each for each in words(results)), words(results)
    nothing_left(small)


# The run itself is interrupted, or dies


def begun(conformance: Conformance, *arguments: str) -> subprocess.Popen[str]:
    """A run with a few cells behind it, one that broke among them if a worker was lost."""
    run = conformance.start("suites/wire", *CELLS, *arguments)
    log = conformance.results / store.EVENTS
    wait_until(lambda: run.poll() is not None or (log.exists() and len(conformance.finished()) >= 2))
    return run


def kept(conformance: Conformance, code: int) -> dict[str, Any]:
    """Results, from a log that is kept, of a run that is not complete."""
    results = conformance.read()
    finished = conformance.finished()
    assert results["run"]["complete"] is False
    assert {cell["id"]: cell["verdict"] for cell in results["cells"] if cell["id"] in finished} == finished
    assert verdicts(results) <= GOOD | {"error", "not-run"}
    assert process("report", conformance.results).code == code
    nothing_left(conformance)
    return results


def test_two_ctrl_c_are_one(two: Conformance) -> None:
    run = begun(two, "-n", "2", "--dist", "loadgroup")
    workers(run)[0].send_signal(signal.SIGHUP)
    more(two, run, 2)

    os.killpg(run.pid, signal.SIGINT)
    os.killpg(run.pid, signal.SIGINT)
    ended = end(run)

    assert ended.code == 3, ended.output
    assert "Traceback" not in ended.output
    assert kept(two, 3)["run"]["workers_lost"] >= 1


def front_door(conformance: Conformance, **streams: Any) -> subprocess.Popen[str]:
    """``multifd run``, with some cells behind it."""
    where = ("--hwprofile", str(conformance.profile), "--results", str(conformance.results))
    command = (*PROGRAM, "run", "--suite", "wire", *CELLS, "--qemu", "none", "--memory", "2M", *where, "-n", "0")
    run = subprocess.Popen(command, cwd=ROOT, start_new_session=True, text=True, **streams)
    log = conformance.results / store.EVENTS
    wait_until(lambda: run.poll() is not None or (log.exists() and len(conformance.finished()) >= 2))
    return run


def test_a_terminal_that_closes_ends_the_run(two: Conformance) -> None:
    terminal, theirs = pty.openpty()
    run = front_door(
        two, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    )
    os.close(theirs)

    os.close(terminal)

    assert run.wait(PATIENCE) == 3
    kept(two, 3)


def test_a_run_whose_command_is_killed_ends(two: Conformance) -> None:
    run = front_door(two, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (controller,) = psutil.Process(run.pid).children()

    run.kill()
    run.wait()

    wait_until(lambda: not controller.is_running())
    kept(two, 3)


def test_a_run_that_is_killed_leaves_nothing_but_its_results(two: Conformance) -> None:
    run = begun(two, "-n", "2", "--dist", "loadgroup")
    assert daemons()

    run.kill()
    run.wait()

    nothing_left(two)
    assert process("report", two.results).code == 3
    kept(two, 3)


@pytest.fixture(scope="module")
def unread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Conformance]]:
    """The exit code and the results of a cell by ``multifd run``, whose words nobody reads."""
    with TemporaryDirectory(prefix="multifd-test-") as scratch:
        conformance = Conformance(tmp_path_factory.mktemp("unread"), Path(scratch))
        conformance.choose("zlib")
        where = ("--hwprofile", str(conformance.profile), "--results", str(conformance.results))
        run = subprocess.Popen(
            (*PROGRAM, "run", "--cell", CELL, "--qemu", "none", "--memory", "2M", *where, "-n", "0"),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert run.stdout is not None
        run.stdout.close()
        yield run.wait(PATIENCE), conformance


def test_who_reads_the_words_of_a_run_and_leaves_does_not_end_it(unread: tuple[int, Conformance]) -> None:
    code, conformance = unread

    assert (code, conformance.read()["run"]["complete"]) == (0, True)


def test_the_front_door_leaves_results_for_allure_too(unread: tuple[int, Conformance]) -> None:
    _, conformance = unread

    assert len(list((conformance.results / "allure").glob("*-result.json"))) == 1


@pytest.mark.parametrize("command", ["bundle", "bisect-step"])
def test_a_command_that_runs_a_cell_and_is_killed_leaves_nothing(command: str, two: Conformance) -> None:
    cell = "wire/none/attended~none/qemu-10.0/capture/mixed/4k/2ch"
    options = ("--hwprofile", str(two.profile), "--qemu", "none", "--memory", "2M")
    run = subprocess.Popen(
        (*PROGRAM, command, cell, *options), cwd=two.results.parent, start_new_session=True, stdout=subprocess.DEVNULL
    )
    wait_until(lambda: run.poll() is not None or (bool(daemons()) and bool(two.left())))

    run.kill()

    assert run.wait() == -signal.SIGKILL
    nothing_left(two)
