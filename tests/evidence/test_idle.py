"""A device is looked at before it is asked for anything: what its counter counts then is somebody else's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from multifd.evidence import idle
from multifd.evidence.counters import Counters
from multifd.evidence.idle import Idle, Look
from multifd.evidence.reading import Count, Reading, Unknown


class Clock:
    """Time that passes when somebody sleeps, and is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(round(seconds, 6))


class Counter(Counters):
    """One that counts by itself at these times it is read, and not at others."""

    def __init__(self, *jobs: int | None) -> None:
        self._jobs = iter(jobs)
        self._total = 100

    def read(self) -> Reading:
        jobs = next(self._jobs, 0)
        if jobs is None:
            return {"4xxx": Unknown("closed")}
        self._total += jobs
        return {"4xxx": Count(self._total)}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_the_first_look_is_a_long_one_the_next_are_short(clock: Clock) -> None:
    looks = Idle()

    for _ in range(3):
        assert looks.before({"QAT": Counter()})["QAT"].noise == ""

    assert clock.slept == [idle.LONG, idle.SHORT, idle.SHORT]


def test_work_is_counted_from_the_last_look(clock: Clock) -> None:
    assert Idle().before({"QAT": Counter(3)}) == {"QAT": Look({"4xxx": Count(103)}, clock.now, "")}


def test_a_device_that_is_at_work_is_looked_at_again(clock: Clock) -> None:
    look = Idle().before({"QAT": Counter(0, 5, 0, 0)})["QAT"]

    assert look == Look({"4xxx": Count(105)}, clock.now, "")
    assert clock.slept == [idle.LONG, idle.LONG]


def test_a_device_that_stays_at_work_is_not_idle(clock: Clock) -> None:
    look = Idle().before({"QAT": Counter(0, 5, 1, 2, 3, 4, 9, 9)})["QAT"]

    assert look.noise == "the device was not idle: it counted 4 in 50 ms before, which nobody here had asked for"
    assert look.reading == {"4xxx": Count(115)}
    assert clock.slept == [idle.LONG] * idle.LOOKS


def test_one_that_was_at_work_is_looked_at_for_long_until_it_stands_still(clock: Clock) -> None:
    looks = Idle()
    looks.before({"QAT": Counter()})
    looks.before({"QAT": Counter(0, 1)})
    looks.before({"QAT": Counter()})

    assert clock.slept == [idle.LONG, idle.SHORT, idle.LONG, idle.SHORT]


def test_a_count_that_says_too_much_makes_the_next_look_a_long_one(clock: Clock) -> None:
    looks = Idle()
    looks.before({"QAT": Counter()})
    looks.disturbed("QAT")
    looks.before({"QAT": Counter()})

    assert clock.slept == [idle.LONG, idle.LONG]


def test_two_devices_are_looked_at_together_and_each_has_its_own_noise(clock: Clock) -> None:
    looks = Idle()
    looks.before({"QAT": Counter()})

    found = looks.before({"QAT": Counter(), "IAA": Counter(*range(1, 9))})

    assert found["QAT"].noise == ""
    assert found["IAA"].noise
    assert clock.slept == [idle.LONG] * (1 + idle.LOOKS)


def test_what_cannot_be_read_is_not_waited_for(clock: Clock) -> None:
    found = Idle().before({"QAT": Counter(None, None)})

    assert found == {"QAT": Look({"4xxx": Unknown("closed")}, clock.now, "")}
    assert clock.slept == []


def test_what_cannot_be_read_any_more_makes_no_noise(clock: Clock) -> None:
    assert Idle().before({"QAT": Counter(0, None)})["QAT"].noise == ""


@pytest.mark.parametrize(
    ("took", "spent", "slept"),
    [
        pytest.param(0.02, 0.0, 0.02, id="as long as the work took"),
        pytest.param(0.02, 0.015, 0.005, id="less what has passed since"),
        pytest.param(0.02, 0.5, 0.0, id="which may be enough"),
        pytest.param(9.0, 0.0, idle.LONG, id="at most for long"),
    ],
)
def test_a_device_is_looked_at_once_more_afterwards(took: float, spent: float, slept: float, clock: Clock) -> None:
    counter = Counter()
    first = Look(counter.read(), clock.now)
    clock.now += took
    last = Look(counter.read(), clock.now)
    clock.now += spent

    assert Idle().after("QAT", counter, first, last) == ""

    assert clock.slept == [slept]


def test_what_works_afterwards_has_worked_before(clock: Clock) -> None:
    looks, counter = Idle(), Counter(0, 0, 3)
    looks.before({"QAT": Counter()})
    first, last = Look(counter.read(), 0.0), Look(counter.read(), 1.0)

    noise = looks.after("QAT", counter, first, last)
    looks.before({"QAT": Counter()})

    assert noise == "the device was not idle: it counted 3 afterwards, which nobody here had asked for"
    assert clock.slept == [idle.LONG, 0.0, idle.LONG]


@contextmanager
def neighbour(counts: list[int], every: float) -> Iterator[None]:
    """Somebody who works on the same device all the time."""
    ended = Event()

    def work() -> None:
        while not ended.wait(every):
            counts[0] += 1

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Shared(Counters):
    """A counter that a neighbour moves."""

    def __init__(self, counts: list[int]) -> None:
        self._counts = counts

    def read(self) -> Reading:
        return {"4xxx": Count(self._counts[0])}


def test_a_neighbour_is_noticed() -> None:
    counts = [0]

    with neighbour(counts, every=0.004):
        assert Idle().before({"QAT": Shared(counts)})["QAT"].noise


def test_the_looks_are_short_enough_to_be_made_for_every_cell() -> None:
    looks, started = Idle(), time.perf_counter()

    for _ in range(20):
        looks.before({"QAT": Shared([0])})

    assert time.perf_counter() - started < 1
