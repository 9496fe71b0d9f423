"""Our own peers, forked from a nursery: to their client they are what they are when executed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import psutil
import pytest

from multifd.errors import EnvironmentBroke, PeerError
from multifd.peer.client import PeerProcess
from multifd.peer.nursery import MODULE, PROGRAM, Nursery
from multifd.process.python import ENVIRONMENT, python

LONG: Final = 30.0
"""Seconds in which whatever must happen has happened."""


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    """A nursery that is closed in the end."""
    with Nursery() as nursery:
        yield nursery


def ward(nursery: Nursery, *arguments: str) -> PeerProcess:
    """A peer of ours, forked."""
    return PeerProcess(arguments[0], (*PROGRAM, *arguments), ENVIRONMENT, nursery.start)


def pid(peer: PeerProcess) -> int:
    """Of a peer that has been asked something."""
    assert peer.pid is not None
    return peer.pid


def wait_until(condition: Callable[[], bool]) -> None:
    """Look again until it holds."""
    expires = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < expires, "it did not happen"
        time.sleep(0.01)


def server() -> psutil.Process:
    """The only nursery of this process."""
    (found,) = (child for child in psutil.Process().children() if "--forks" in child.cmdline())
    return found


def test_a_forked_peer_introduces_itself(nursery: Nursery) -> None:
    assert ward(nursery, "zlib", "level=6").hello(LONG).name == "zlib[level=6]"


def test_peers_are_forked_from_one_process(nursery: Nursery) -> None:
    one, other = ward(nursery, "zlib"), ward(nursery, "none")

    names = [peer.hello(LONG).name for peer in (one, other, one, other)]

    assert names == ["zlib", "none", "zlib", "none"]
    assert {psutil.Process(pid(peer)).ppid() for peer in (one, other)} == {server().pid}


def test_a_forked_peer_leads_a_session_of_its_own(nursery: Nursery) -> None:
    peer = ward(nursery, "zlib")
    peer.hello(LONG)

    assert os.getsid(pid(peer)) == os.getpgid(pid(peer)) == pid(peer)


def test_a_forked_peer_has_nothing_open_but_its_own_streams(nursery: Nursery) -> None:
    first, second = ward(nursery, "zlib"), ward(nursery, "zlib")
    first.hello(LONG)
    second.hello(LONG)

    # Replies go through the fourth, for what a library prints on stdout goes to the log. libffi keeps its own file
    # open, for its trampolines, in every process that uses ctypes.
    descriptors = {path.name: path.readlink().name for path in Path(f"/proc/{pid(second)}/fd").iterdir()}
    assert {number for number, file in descriptors.items() if not file.startswith("libffi.so")} == {"0", "1", "2", "3"}


def test_its_log_reaches_the_client(nursery: Nursery) -> None:
    with pytest.raises(PeerError) as raised:
        ward(nursery, "zlib", "speed=9").hello(LONG)

    assert str(raised.value) == (
        "peer zlib exited with status 2 before it answered; its log ends: multifd peer: codec zlib: parameter"
        " 'speed' is unknown; expected one of level, window"
    )


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (signal.SIGSEGV, "peer zlib was killed by signal 11 (Segmentation fault) after its last answer"),
        (signal.SIGKILL, "peer zlib was killed by signal 9 (Killed) after its last answer"),
    ],
)
def test_the_signal_that_ends_a_forked_peer_is_told(sent: signal.Signals, said: str, nursery: Nursery) -> None:
    peer = ward(nursery, "zlib")
    peer.hello(LONG)

    os.kill(pid(peer), sent)
    wait_until(lambda: psutil.Process(pid(peer)).status() == psutil.STATUS_ZOMBIE)

    with pytest.raises(PeerError) as raised:
        peer.hello(LONG)
    assert str(raised.value) == said


def test_a_death_that_the_nursery_has_yet_to_tell_is_no_life(nursery: Nursery) -> None:
    peer = ward(nursery, "zlib")
    peer.hello(LONG)
    server().suspend()
    os.kill(pid(peer), signal.SIGKILL)
    wait_until(lambda: psutil.Process(pid(peer)).status() == psutil.STATUS_ZOMBIE)
    telling = threading.Timer(0.3, server().resume)
    telling.start()

    with pytest.raises(PeerError) as raised:
        peer.hello(LONG)
    telling.join()

    assert str(raised.value) == "peer zlib was killed by signal 9 (Killed) after its last answer"


def test_a_killed_peer_costs_itself_only(nursery: Nursery) -> None:
    killed, other = ward(nursery, "zlib"), ward(nursery, "none")
    killed.hello(LONG)
    before = other.hello(LONG), pid(other)
    os.kill(pid(killed), signal.SIGKILL)

    with pytest.raises(PeerError, match="was killed by signal 9"):
        killed.hello(LONG)

    assert killed.hello(LONG).name == "zlib"
    assert (other.hello(LONG).name, pid(other)) == (before[0].name, before[1])


def test_a_forked_peer_that_hangs_is_killed(nursery: Nursery) -> None:
    peer = ward(nursery, "zlib")
    peer.hello(LONG)
    stopped = pid(peer)
    os.kill(stopped, signal.SIGSTOP)

    with pytest.raises(PeerError) as raised:
        peer.hello(0.3)

    assert str(raised.value) == "peer zlib did not answer within 0.3 s"
    assert not psutil.pid_exists(stopped)


def test_quit_leaves_no_process(nursery: Nursery) -> None:
    peer = ward(nursery, "zlib")
    peer.hello(LONG)
    quitting = pid(peer)

    peer.quit()

    assert not psutil.pid_exists(quitting)


def test_a_closed_nursery_leaves_no_process() -> None:
    with Nursery() as nursery:
        peer = ward(nursery, "zlib")
        peer.hello(LONG)
        pids = [pid(peer), server().pid]

    wait_until(lambda: not any(map(psutil.pid_exists, pids)))


def killed_nursery() -> None:
    """The nursery has been killed, and all that can be seen of it is that."""
    died = server()
    died.kill()
    wait_until(lambda: died.status() == psutil.STATUS_ZOMBIE)


def test_peers_die_with_their_nursery(nursery: Nursery) -> None:
    peer = ward(nursery, "zlib")
    peer.hello(LONG)
    orphan = pid(peer)
    os.kill(orphan, signal.SIGSTOP)

    killed_nursery()

    wait_until(lambda: not psutil.pid_exists(orphan) or psutil.Process(orphan).status() == psutil.STATUS_ZOMBIE)


def test_a_question_that_the_nursery_dies_on_is_the_hosts_fault(nursery: Nursery) -> None:
    peer = ward(nursery, "zlib")
    peer.hello(LONG)
    os.kill(pid(peer), signal.SIGSTOP)
    dying = threading.Timer(0.3, server().kill)
    dying.start()

    with pytest.raises(EnvironmentBroke) as asked:
        peer.hello(LONG)
    dying.join()

    assert str(asked.value) == "the nursery of our peers was killed by signal 9 (Killed)"
    assert peer.hello(LONG).name == "zlib"


def test_a_dead_nursery_costs_no_peer_that_was_not_asked(nursery: Nursery) -> None:
    idle, later = ward(nursery, "zlib"), ward(nursery, "none")
    idle.hello(LONG)
    killed_nursery()

    names = [idle.hello(LONG).name, later.hello(LONG).name]

    assert names == ["zlib", "none"]
    assert {psutil.Process(pid(peer)).ppid() for peer in (idle, later)} == {server().pid}


def test_a_nursery_is_started_again_once_and_then_peers_are_executed(nursery: Nursery) -> None:
    peer = ward(nursery, "zlib")
    ours = psutil.Process()

    for _ in range(2):
        peer.hello(LONG)
        assert psutil.Process(pid(peer)).ppid() == server().pid
        killed_nursery()
    peer.hello(LONG)

    assert psutil.Process(pid(peer)).ppid() == ours.pid
    assert [child for child in ours.children() if "--forks" in child.cmdline()] == []
    peer.quit()


BREEDING: Final = """
import os, time
from multifd.peer.forks import serve
if serve():
    if child := os.fork():
        os.write(2, b"%d" % child)
        os.write(1, b"garbage\\n")
    time.sleep(60)
"""
"""A nursery of peers that have a child each."""


def test_children_of_a_forked_peer_go_with_it(nursery: Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    program = (sys.executable, "-c", BREEDING)
    monkeypatch.setattr("multifd.peer.nursery.PROGRAM", program)
    peer = PeerProcess("breeding", (*program, "any"), ENVIRONMENT, nursery.start)

    with pytest.raises(PeerError, match="garbage"):
        peer.hello(LONG)

    wait_until(lambda: not psutil.pid_exists(int(peer.log)))


LOADER: Final = ("/lib64/ld-linux-x86-64.so.2", "--library-path", "/nowhere")


def test_peers_under_a_loader_are_forked_from_one_process_under_it(nursery: Nursery) -> None:
    command = python(*MODULE, "zlib", loader=LOADER)
    one, other = (PeerProcess("zlib", command, ENVIRONMENT, nursery.start) for _ in range(2))

    for peer in (one, other, plain := ward(nursery, "zlib")):
        assert peer.hello(LONG).name == "zlib"

    parents = [psutil.Process(pid(peer)).parent() for peer in (one, other, plain)]
    assert parents[0] == parents[1] != parents[2]
    assert parents[0] is not None
    assert parents[0].cmdline()[: len(LOADER)] == list(LOADER)


def test_peers_in_an_environment_of_their_own_are_forked_in_it(nursery: Nursery) -> None:
    plain = ward(nursery, "zlib")
    plain.hello(LONG)
    peer = PeerProcess("zlib", (*PROGRAM, "zlib"), {**ENVIRONMENT, "A": "b"}, nursery.start)

    peer.hello(LONG)

    forking, other = (psutil.Process(pid(each)).parent() for each in (peer, plain))
    assert forking != other
    assert forking is not None
    assert "--forks" in forking.cmdline()
    assert psutil.Process(pid(peer)).environ()["A"] == "b"


@pytest.mark.parametrize("loader", ["/bin/false", "/nowhere/ld.so"])
def test_under_a_loader_that_does_not_work_a_peer_says_so_itself(loader: str, nursery: Nursery) -> None:
    command = python(*MODULE, "zlib", loader=(loader, "--library-path", "/nowhere"))

    with pytest.raises((PeerError, EnvironmentBroke)) as raised:
        PeerProcess("zlib", command, ENVIRONMENT, nursery.start).hello(LONG)

    assert str(raised.value) in (
        "peer zlib exited with status 1 before it answered",
        "peer zlib: cannot start '/nowhere/ld.so': No such file or directory",
    )


@pytest.mark.parametrize(
    "command",
    [(sys.executable, "-c", "import sys; sys.exit(5)"), ("env", "-u", "A", *PROGRAM, "zlib", "speed=9")],
    ids=["another-program", "another-program-before-ours"],
)
def test_what_is_not_our_own_peer_is_executed(command: tuple[str, ...], nursery: Nursery) -> None:
    with pytest.raises(PeerError):
        PeerProcess("other", command, ENVIRONMENT, nursery.start).hello(LONG)

    assert [child for child in psutil.Process().children() if "--forks" in child.cmdline()] == []


OWNER: Final = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # deaf to it where these tests run in the background
from multifd.peer.client import PeerProcess
from multifd.peer.nursery import PROGRAM, Nursery
from multifd.process.python import ENVIRONMENT
nursery = Nursery()
peers = [PeerProcess(name, (*PROGRAM, name), ENVIRONMENT, nursery.start) for name in ("zlib", "none")]
for peer in peers:
    peer.hello(30)
os.kill(peers[0].pid, signal.SIGSTOP)
print("started", flush=True)
time.sleep(60)
"""
"""Someone with two peers, one of which will not notice that it has been left."""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_when_the_owner_goes(sent: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"started\n"
        family = psutil.Process(owner.pid).children(recursive=True)
        assert len(family) == 3

        owner.send_signal(sent)

        wait_until(lambda: not any(process.is_running() for process in family))
