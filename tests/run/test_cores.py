"""Processes that work in turns share a core, and nobody else is touched."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from multifd.evidence.observe import compare
from multifd.lineup.introduce import resolve
from multifd.plan.whole import plan
from multifd.plan.work import Pairing
from multifd.profile.model import PeerEntry, Profile
from multifd.run import receiving as module
from multifd.run.bench import Bench
from multifd.run.cores import own_core, sharing
from multifd.run.stage import Stage

HERE = os.sched_getaffinity(0)
ONE = min(HERE)


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """One that only waits."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as waiting:
        yield waiting
        waiting.kill()


def test_enough_workers_have_a_core_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {2, 3, 7})

    assert [own_core(worker, 3) for worker in range(3)] == [2, 3, 7]
    assert own_core(3, 4) == 2


@pytest.mark.parametrize(("cores", "workers"), [({0, 1, 2}, 2), ({0}, 1), ({0}, 3)])
def test_where_there_is_nothing_to_choose_the_kernel_does(
    cores: set[int], workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: cores)

    assert own_core(0, workers) is None


def test_they_share_the_core_and_are_free_afterwards(process: subprocess.Popen[bytes]) -> None:
    with sharing(ONE, [process.pid]):
        during = os.sched_getaffinity(0), os.sched_getaffinity(process.pid)

    assert during == ({ONE}, {ONE})
    assert (os.sched_getaffinity(0), os.sched_getaffinity(process.pid)) == (HERE, HERE)


def test_they_are_free_after_a_failure(process: subprocess.Popen[bytes]) -> None:
    with pytest.raises(KeyError), sharing(ONE, [process.pid]):
        raise KeyError

    assert (os.sched_getaffinity(0), os.sched_getaffinity(process.pid)) == (HERE, HERE)


@pytest.mark.skipif(len(HERE) == 1, reason="there is one core")
def test_what_somebody_else_has_placed_stays_there(process: subprocess.Popen[bytes]) -> None:
    os.sched_setaffinity(process.pid, {max(HERE)})

    with sharing(ONE, [process.pid]):
        during = os.sched_getaffinity(process.pid)

    assert (during, os.sched_getaffinity(process.pid)) == ({max(HERE)}, {max(HERE)})


def test_what_does_not_run_is_no_obstacle(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()

    with sharing(ONE, [None, process.pid]):
        assert os.sched_getaffinity(0) == {ONE}


def test_without_a_core_of_its_own_nothing_moves(process: subprocess.Popen[bytes]) -> None:
    with sharing(None, [process.pid]):
        assert (os.sched_getaffinity(0), os.sched_getaffinity(process.pid)) == (HERE, HERE)


@pytest.mark.skipif(len(HERE) == 1, reason="there is one core")
@pytest.mark.parametrize(("mode", "where"), [("capture", {ONE}), ("live", HERE)])
def test_a_bench_keeps_captured_cells_on_its_core_and_live_ones_not(
    mode: str, where: set[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line_up = resolve(
        "cores", Profile(description="Two codecs.", peers=(PeerEntry(codec="none"), PeerEntry(codec="zlib"))), None
    )
    cell = next(
        c
        for c in plan(line_up, {}).cells.values()
        if isinstance(c.work, Pairing) and c.work.plan.mode == mode and c.prediction.outcome == "identical"
    )
    seen: list[set[int]] = []

    def looking(*given: Any) -> Any:
        seen.extend(os.sched_getaffinity(pid) for pid in pids())
        return compare(*given)

    monkeypatch.setattr(module, "compare", looking)
    with closing(Bench(line_up, Stage(tmp_path, "only", 1, None), core=ONE)) as bench:

        def pids() -> list[int]:
            return [0, *(peer.pid for peer in bench.means.processes.values() if peer.pid is not None)]

        bench.run(cell.pairing)
        seen.clear()
        bench.run(cell.pairing)

    assert seen == [where] * 3
