"""Threads over connections end together: at the first error, or at a deadline at which nobody works any more."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from multifd.errors import WireError
from multifd.migrate.address import listen
from multifd.migrate.crew import Crew, DeadlineError, Stopped

LONG: Final = 20.0
SHORT: Final = 0.3


@pytest.fixture
def crew() -> Iterator[Crew]:
    """One that has time."""
    with closing(Crew(LONG)) as crew:
        yield crew


def hurried() -> Crew:
    """One that has not."""
    crew = Crew(SHORT)
    crew.awaited = lambda: "nothing came"
    return crew


def pair(crew: Crew) -> tuple[socket.socket, socket.socket]:
    """A connection of the crew's, and its other end."""
    ours, theirs = socket.socketpair()
    return crew.add(ours), theirs


def test_all_tasks_run_at_once(crew: Crew) -> None:
    together = threading.Barrier(3, timeout=LONG)

    with crew.watching():
        crew.run([lambda: (together.wait(), None)[1]] * 3)


def test_all_lanes_are_at_work_at_once(crew: Crew) -> None:
    together = threading.Barrier(3, timeout=LONG)

    with crew.watching():
        crew.run_in_lanes([lambda: (together.wait(), None)[1]] * 3)


def test_a_lane_has_one_thread_for_all_rounds(crew: Crew) -> None:
    threads: list[list[int]] = [[], []]
    tasks = [lambda: threads[0].append(threading.get_ident()), lambda: threads[1].append(threading.get_ident())]

    with crew.watching():
        crew.run_in_lanes(tasks)
        crew.run_in_lanes(tasks)

    assert [len(set(idents)) for idents in threads] == [1, 1]
    assert threads[0] != threads[1]


def test_no_thread_of_a_lane_is_left(crew: Crew) -> None:
    before = threading.active_count()

    with crew.watching():
        crew.run_in_lanes([lambda: None] * 3)

    assert threading.active_count() == before


def test_nothing_more_is_done_in_lanes_after_a_task_has_failed(crew: Crew) -> None:
    waiting, _theirs = pair(crew)
    done = []

    def fail() -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"), crew.watching():
        crew.run_in_lanes([lambda: (waiting.recv(1), None)[1], fail])
        done.append("something")

    assert done == []


def test_the_first_error_wakes_everybody_and_is_raised(crew: Crew) -> None:
    waiting, _theirs = pair(crew)
    seen = []

    def wait() -> None:
        seen.append(waiting.recv(1))
        raise ValueError("the second error")

    def fail() -> None:
        raise WireError("field", 1, 2, "the first error")

    with pytest.raises(WireError, match="the first error"), crew.watching():
        crew.run([wait, fail])

    assert seen == [b""]


def test_nothing_is_done_after_a_task_has_failed(crew: Crew) -> None:
    done = []

    def fail() -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"), crew.watching():
        crew.run([fail])
        done.append("something")

    assert done == []


def test_who_ends_because_another_has_failed_has_no_error_of_its_own(crew: Crew) -> None:
    def stop() -> None:
        raise Stopped

    with crew.watching():
        crew.run([stop])


def test_an_error_of_the_block_wakes_a_thread(crew: Crew) -> None:
    waiting, _theirs = pair(crew)
    seen = []

    with pytest.raises(KeyError), crew.watching():
        crew.start(lambda: seen.append(waiting.recv(1)))
        raise KeyError

    assert seen == [b""]


def test_an_error_that_is_noted_ends_nothing(crew: Crew) -> None:
    ours, theirs = pair(crew)
    crew.begin()
    crew.note(WireError("field", 1, 2, "noted"))

    theirs.sendall(b"x")

    assert ours.recv(1) == b"x"
    assert str(crew.error) == "noted"
    crew.end()


def test_the_deadline_wakes_everybody_and_says_what_was_awaited() -> None:
    crew = hurried()
    waiting, _theirs = pair(crew)

    with closing(crew), pytest.raises(DeadlineError, match=r"^nothing came within 0\.3 s$"), crew.watching():
        crew.run([lambda: (waiting.recv(1), None)[1]])


def test_a_connection_that_comes_too_late_is_cut_too(crew: Crew) -> None:
    with crew.watching():
        pass

    ours, _theirs = pair(crew)

    assert ours.recv(1) == b""


def test_a_sender_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    server, _ = listen(f"unix:{tmp_path / 'socket'}", 3)
    crew = Crew(SHORT)

    with closing(crew), pytest.raises(DeadlineError, match=r"^0 of 3 connections came within 0\.3 s$"), crew.watching():
        list(crew.accept(server, 2))


# Who is at work


def test_a_thread_of_ours_that_works_is_waited_for() -> None:
    crew = hurried()

    def work() -> None:
        end = time.monotonic() + 3 * SHORT
        while time.monotonic() < end:
            pass

    with closing(crew), crew.watching():
        crew.run([work])


SENDER: Final = """
import socket, sys, time
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
end = time.monotonic() + float(sys.argv[2])
while time.monotonic() < end: {}
connection.sendall(b"late")
time.sleep(60)
"""


def from_sender(work: str, seconds: float, directory: Path) -> bytes:
    """What a sender sends that does this for so long before, to a crew that waits for it."""
    server, _ = listen(f"unix:{directory / 'socket'}", 1)
    crew = hurried()
    command = [sys.executable, "-S", "-c", SENDER.format(work), str(directory / "socket"), str(seconds)]
    with closing(server), closing(crew), subprocess.Popen(command) as sender:
        try:
            connection = crew.add(server.accept()[0])
            with crew.watching():
                return connection.recv(4)
        finally:
            sender.kill()
    raise AssertionError


def test_a_sender_that_works_is_waited_for(tmp_path: Path) -> None:
    assert from_sender("pass", 3 * SHORT, tmp_path) == b"late"


def test_a_sender_that_sleeps_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(DeadlineError, match=r"^nothing came within 0\.3 s$"):
        from_sender("time.sleep(60)", 60, tmp_path)


def test_a_sender_that_works_for_ever_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(DeadlineError, match=r"^nothing came within 1\.5 s of computing$"):
        from_sender("pass", 60, tmp_path)
