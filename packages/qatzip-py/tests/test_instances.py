"""libqat's count of completed jobs, asked of a stand-in for its functions. Needs no library."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace
from typing import Any

import pytest

from qatzip import instances
from qatzip.instances import Instances, _Stats


class Libqat:
    """Two instances, at the addresses 0x10 and 0x20."""

    def __init__(self) -> None:
        self.completed = {0x10: (3, 4), 0x20: (10, 0)}
        self.status = 0

    def cpaDcGetNumInstances(self, count: Any) -> int:  # noqa: N802  (the library's name)
        count._obj.value = len(self.completed)
        return self.status

    def cpaDcGetInstances(self, count: ctypes.c_uint16, handles: Any) -> int:  # noqa: N802
        for at, handle in zip(range(count.value), self.completed, strict=True):
            handles[at] = handle
        return self.status

    def cpaDcGetStats(self, handle: ctypes.c_void_p, stats: Any) -> int:  # noqa: N802
        assert handle.value is not None
        stats._obj.numCompCompleted, stats._obj.numDecompCompleted = self.completed[handle.value]
        stats._obj.numCompRequests = stats._obj.numDecompCompletedErrors = 1000
        return self.status


@pytest.fixture
def libqat(monkeypatch: pytest.MonkeyPatch) -> Libqat:
    library = Libqat()
    monkeypatch.setattr(instances, "load", lambda: library)
    return library


@pytest.mark.usefixtures("libqat")
def test_jobs_of_all_instances_in_both_directions_are_added_up() -> None:
    assert Instances().completed == 17


def test_they_are_read_when_asked(libqat: Libqat) -> None:
    found = Instances()
    libqat.completed[0x20] = (11, 5)

    assert found.completed == 23


def test_where_no_instance_was_started_nothing_is_counted(libqat: Libqat) -> None:
    libqat.status = -3

    assert Instances().completed is None


def test_neither_is_without_any(libqat: Libqat) -> None:
    libqat.completed.clear()

    assert Instances().completed is None


def test_an_instance_that_does_not_answer_any_more_spoils_the_count(libqat: Libqat) -> None:
    found = Instances()
    libqat.status = -1

    assert found.completed is None


def test_a_libqatzip_without_libqat_behind_it_counts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instances, "load", SimpleNamespace)

    assert Instances().completed is None


def test_the_statistics_have_the_size_that_a_c_compiler_gives_them() -> None:
    assert ctypes.sizeof(_Stats) == 72
    assert (_Stats.numCompCompleted.offset, _Stats.numDecompCompleted.offset) == (16, 56)
