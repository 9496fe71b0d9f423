"""Lifetimes between real QEMUs: they end as they should, and what goes wrong in a step is told with the step."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest

from multifd.process.footprint import Footprint
from multifd.qemu.guest import Guest
from multifd.result.record import Cell
from multifd.run.qemu.lifetime import Lifetime
from tests.qemu.host import BINARIES, QEMU, facts, needs_qemu
from tests.run.test_qemu import Lab, aborting

pytestmark = needs_qemu
NEW: Final = next((binary for binary in BINARIES if facts(binary).version >= (11, 0)), QEMU)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with TemporaryDirectory(prefix="multifd-test-") as directory:
        lab = Lab(Path(directory), NEW)
        yield lab
        lab.bench.close()


def life(lab: Lab, scenario: str, method: str = "zlib") -> Cell:
    return lab.run(lab.cell(method, "Q~Q", scenario))


@pytest.mark.parametrize(
    ("scenario", "story"),
    [
        ("cancel-active", "cancelled in active, retry: arrived with zstd"),
        ("cancel-device", "cancelled in device, retry: arrived with zstd"),
        ("quit-source-pre-switchover", "source quits in pre-switchover: it ended"),
        ("ping-pong", "back: arrived with zstd"),
    ],
)
def test_a_life_ends_well(scenario: str, story: str, lab: Lab) -> None:
    record = life(lab, scenario)

    assert record.verdict in ("pass", "known"), record.reason
    assert record.verdict == "known" or record.aftermath == story


def test_a_cancelled_migration_whose_destination_stands_still_is_known(lab: Lab) -> None:
    record = life(lab, "cancel-stalled", "none")

    assert (record.verdict, record.issues) == ("known", ("qemu-cancel-waits-for-destination",))
    assert "cancelled in stalled, retry: arrived with zlib" in (record.aftermath or "")


def test_a_source_that_dies_in_a_step_is_told_with_the_step(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    settled = Lifetime.settled

    async def kill(self: Lifetime, *guests: Guest) -> None:
        await settled(self, *guests)
        if self.step == "cancelled in active, then let go":
            guests[0].send_signal(signal.SIGKILL)

    monkeypatch.setattr(Lifetime, "settled", kill)

    record = life(lab, "cancel-active")

    assert (record.verdict, record.kind, record.observed) == ("fail", "crash", "crash")
    assert "cancelled in active, retry: source killed by signal 9" in record.reason


def test_a_source_that_dies_at_a_command_of_a_step_has_crashed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    aborting(monkeypatch, "migrate_cancel", "source")

    record = life(lab, "cancel-active")

    assert (record.verdict, record.kind, record.observed) == ("fail", "crash", "crash")
    assert "cancelled in active: source killed by signal 6: no message; at migrate_cancel" in record.reason


def test_memory_that_changes_on_the_way_back_is_found(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    arrive = Lifetime.arrive

    async def scribble(self: Lifetime, source: Guest, step: str, *how: Any, **more: Any) -> bool:
        with self.ends.ram(source.name).open("r+b") as file:
            file.seek(300 * 4096 + 7)
            file.write(b"\xa5")
        return await arrive(self, source, step, *how, **more)

    monkeypatch.setattr(Lifetime, "arrive", scribble)

    record = life(lab, "ping-pong")

    assert (record.verdict, record.kind) == ("fail", "corrupt")
    assert "back: a further migration, everybody says completed: 1 pages" in record.reason


def test_a_process_that_does_not_end_when_it_quits_hangs(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any) -> bool:
        return False

    monkeypatch.setattr(Lifetime, "ended", never)

    record = life(lab, "quit-source-pre-switchover")

    assert (record.verdict, record.kind) == ("fail", "hang")
    assert "source quits in pre-switchover: source does not end" in record.reason


def test_a_descriptor_that_a_source_loses_each_time_is_found(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    true = Footprint.of

    def leaky(_: int) -> Footprint:
        held.append(os.open(os.devnull, os.O_RDONLY))
        return true(os.getpid())

    monkeypatch.setattr(Footprint, "of", leaky)

    record = life(lab, "many-completed")

    for descriptor in held:
        os.close(descriptor)
    assert (record.verdict, record.kind) == ("fail", "invariant")
    assert "the source's file descriptors grow" in record.reason
