"""A process that is not trusted ends, whatever it does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from multifd.errors import EnvironmentBroke
from multifd.process.run import Ended
from multifd.process.run import run as run_program


def run(program: str, deadline: float = 20, most: int = 1000) -> Ended:
    return run_program([sys.executable, "-c", program], {}, deadline, most)


def test_output_and_log_are_kept_apart() -> None:
    assert run("import sys; print('out'); print('log', file=sys.stderr)") == Ended(0, b"out\n", b"log\n")


def test_its_status_is_kept() -> None:
    assert run("raise SystemExit(3)").status == 3


def test_death_is_told_by_the_signal() -> None:
    assert run("import os; os.abort()").died == "signal 6 (Aborted)"


def test_one_that_ends_by_itself_has_not_died() -> None:
    assert run("").died is None


def test_one_that_hangs_is_stopped_and_what_it_said_is_kept() -> None:
    ended = run("import time; print('here', flush=True); time.sleep(60)", deadline=1)

    assert (ended.stopped, ended.output) == ("hung", b"here\n")


WORK = "import time\nend = time.monotonic() + {}\nwhile time.monotonic() < end: pass\n"


def test_one_that_computes_at_its_deadline_is_waited_for() -> None:
    assert run(WORK.format(1.5) + "print('done')", deadline=0.5) == Ended(0, b"done\n", b"")


def test_one_that_computes_with_closed_ends_is_waited_for() -> None:
    assert run("import os\nos.close(1); os.close(2)\n" + WORK.format(1.5), deadline=0.5).stopped is None


def test_one_that_computes_for_ever_is_stopped() -> None:
    ended = run(WORK.format(60), deadline=0.3)

    assert (ended.stopped, ended.within) == ("hung", "within 1.5 s of computing")


def test_one_that_hangs_is_told_with_its_deadline() -> None:
    assert run("import time; time.sleep(60)", deadline=1).within == "within 1 s"


def test_it_runs_where_it_is_told_to(tmp_path: Path) -> None:
    program = "import os; print(os.getcwd())"

    assert run_program([sys.executable, "-c", program], {}, 20, directory=tmp_path).output == f"{tmp_path}\n".encode()


def test_one_that_closes_its_ends_and_hangs_is_stopped() -> None:
    assert run("import os, time; os.close(1); os.close(2); time.sleep(60)", deadline=1).stopped == "hung"


@pytest.mark.parametrize("descriptor", [1, 2])
def test_one_that_floods_is_stopped(descriptor: int) -> None:
    assert run(f"import os\nwhile True: os.write({descriptor}, b'x' * 100)").stopped == "flooded"


def test_a_child_that_keeps_its_ends_open_does_not_outlive_the_deadline() -> None:
    assert run("import os, time\nif os.fork() == 0: time.sleep(60)", deadline=1).stopped == "hung"


def test_a_program_that_is_not_there_is_the_hosts_fault() -> None:
    with pytest.raises(EnvironmentBroke, match=r"^cannot start '/nowhere/program': No such file or directory$"):
        run_program(["/nowhere/program"], {}, 1)
