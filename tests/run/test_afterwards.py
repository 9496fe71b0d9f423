"""After the refusal: a source that dies, hangs, forgets, or cannot be migrated any more is found."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest

from multifd.evidence.aftermath import Aftermath
from multifd.qemu.guest import Guest
from multifd.qemu.reset import Reset
from multifd.result.record import Cell
from multifd.run.qemu import bench as running
from multifd.run.qemu.afterwards import afterwards
from multifd.run.qemu.ram import left_in
from tests.qemu.host import QEMU, needs_qemu
from tests.run.test_qemu import Lab, aborting

pytestmark = needs_qemu
SOUND: Final = (
    "the source lives, its memory is what it was, and arrived whole by a further migration, with the method none"
)
Prepare = Callable[[Guest, Path], Awaitable[None]]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with TemporaryDirectory(prefix="multifd-test-") as directory:
        lab = Lab(Path(directory), QEMU)
        yield lab
        lab.bench.close()


def refused(lab: Lab) -> Cell:
    """The record of a cell whose methods do not fit."""
    return lab.outlived(lab.cell("zlib~zstd", "Q~Q", "migrate"))


async def _meddled(meddle: Prepare, lab: Lab, source: Guest, reset: Reset, *rest: Any) -> Aftermath:
    await asyncio.wait_for(reset.over.wait(), 20)
    (ram,) = lab.scratch.glob("main/cell-*/source.ram")
    await meddle(source, ram)
    return await afterwards(source, reset, *rest)


def meddling(monkeypatch: pytest.MonkeyPatch, lab: Lab, meddle: Prepare) -> Cell:
    """A refused cell with something done to the source when it has been reset."""
    monkeypatch.setattr(running, "afterwards", partial(_meddled, meddle, lab))
    return refused(lab)


def test_a_source_that_was_refused_lives_and_can_be_migrated(lab: Lab) -> None:
    record = refused(lab)

    assert (record.verdict, record.aftermath) == ("refused", SOUND), record.reason


def test_a_source_that_dies_after_the_refusal_is_found(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    async def kill(source: Guest, _: Path) -> None:
        source.send_signal(signal.SIGKILL)
        while source.exit_status is None:
            await asyncio.sleep(0.01)

    record = meddling(monkeypatch, lab, kill)

    assert (record.verdict, record.kind, record.observed) == ("fail", "crash", "rejected")
    assert "source killed by signal 9" in record.reason


def test_memory_that_changes_after_the_refusal_is_found(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scribble(_: Guest, ram: Path) -> None:
        with ram.open("r+b") as file:
            file.seek(300 * 4096 + 7)
            file.write(b"\xa5")

    record = meddling(monkeypatch, lab, scribble)

    assert (record.verdict, record.kind) == ("fail", "corrupt")
    assert "the guest's memory is not what it was: 1 pages hold what was never sent" in record.reason


def test_a_source_that_cannot_be_migrated_any_more_is_found(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    async def block(source: Guest, _: Path) -> None:
        await source.execute("migrate-set-parameters", 20, tls_creds="nobody")

    record = meddling(monkeypatch, lab, block)

    # Before 9.0 it takes the command and fails without a word to the destination, which waits.
    assert (record.verdict, record.kind) in (("fail", "wrong-error"), ("fail", "hang"))
    assert "a further migration" in record.reason
    assert "nobody" in record.reason


def test_a_further_migration_that_does_not_arrive_is_found(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(ram: Path, script: Any) -> Any:
        if ram.name == "fresh.ram":
            with ram.open("r+b") as file:
                file.write(b"\xa5")
        return left_in(ram, script)

    monkeypatch.setattr(running, "left_in", blind)

    record = refused(lab)

    assert (record.verdict, record.kind) == ("fail", "corrupt")
    assert "a further migration, everybody says completed: 1 pages" in record.reason


def test_a_source_that_aborts_when_it_is_reset_has_crashed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    aborting(monkeypatch, "migrate-set-parameters", "source", **{"announce-max": 550})

    record = refused(lab)

    assert (record.verdict, record.kind, record.observed) == ("fail", "crash", "rejected")
    assert "what came after: source killed by signal 6: " in record.reason


def test_a_destination_that_aborts_when_it_is_the_next_one_has_crashed(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    aborting(monkeypatch, "migrate-incoming", "fresh")

    record = refused(lab)

    assert (record.verdict, record.kind) == ("fail", "crash")
    assert "fresh killed by signal 6: no message; at migrate-incoming; when it was to be migrated again" in (
        record.aftermath or ""
    )


def test_a_source_that_answers_no_more_when_it_is_reset_hangs(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(source: Guest, reset: Reset, *rest: Any) -> Aftermath:
        await asyncio.wait_for(reset.over.wait(), 20)
        reset.words, reset.gone = "source did not answer migrate-set-parameters within 10 s", True
        return await afterwards(source, reset, *rest)

    monkeypatch.setattr(running, "afterwards", silent)

    record = refused(lab)

    assert (record.verdict, record.kind) == ("fail", "hang")
    assert record.aftermath == "the source answers no more when it was reset"
