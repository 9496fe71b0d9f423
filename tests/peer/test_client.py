"""The harness's end of the peer contract, against tiny peers that break it in one way each."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from multifd.errors import EnvironmentBroke, PeerError
from multifd.memory.image import GuestMemory
from multifd.peer import contract
from multifd.peer.client import PeerProcess
from multifd.process.child import Child
from multifd.process.threads import dead

LONG = 20.0
SHORT = 0.3
"""Seconds: within LONG every peer here answers, within SHORT one that was started hangs."""

PRELUDE = """
import json, os, signal, sys, time
def ask():
    return json.loads(sys.stdin.readline())
def done(request, **more):
    print(json.dumps({"id": request["id"], "reply": "done", "provenance": "software", **more}), flush=True)
"""
HONEST = "while (request := ask())['op'] != 'quit': done(request)"


class Peers:
    """Makes peers of a few lines of Python, and ends them."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def __call__(self, body: str) -> PeerProcess:
        peer = PeerProcess("tiny", [sys.executable, "-S", "-c", PRELUDE + body])
        self._stack.callback(peer.quit)
        return peer


@pytest.fixture
def peers() -> Iterator[Peers]:
    """A maker of peers, all of which are ended."""
    with ExitStack() as stack:
        yield Peers(stack)


def decode(peer: PeerProcess, memory: GuestMemory, within: float = LONG, capture: str = "nowhere") -> contract.Message:
    """Any request that has one answer."""
    return peer.request(
        contract.Decode, within, capture=capture, memory=memory.layout, framing="zlib", dialect="qemu-10.0"
    )


def listen(peer: PeerProcess, memory: GuestMemory, path: Path) -> contract.Listening | contract.Failed:
    """A request that has two answers."""
    return peer.listen(
        path, LONG, memory=memory.layout, framing="zlib", dialect="qemu-10.0", machine="qemu-10.0", channels=1,
        deadline=LONG,
    )  # fmt: skip


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[GuestMemory]:
    """Something to decode into."""
    with GuestMemory.create(tmp_path / "memory", {"m": 4096}, 4096) as memory:
        yield memory


def refusal(peer: PeerProcess, memory: GuestMemory, within: float = LONG) -> PeerError:
    """The error of a peer that breaks its contract."""
    with pytest.raises(PeerError) as raised:
        decode(peer, memory, within)
    return raised.value


def test_an_answer_is_returned(peers: Peers, memory: GuestMemory) -> None:
    assert decode(peers(HONEST), memory) == contract.Done(id=1, provenance="software")


def test_a_process_answers_one_request_after_the_other(peers: Peers, memory: GuestMemory) -> None:
    peer = peers("for packets in range(9): done(ask(), packets=packets)")

    assert [getattr(decode(peer, memory), "packets") for _ in range(3)] == [0, 1, 2]  # noqa: B009


def test_an_answer_in_pieces_is_put_together(peers: Peers, memory: GuestMemory) -> None:
    body = """
line = json.dumps({"id": ask()["id"], "reply": "done", "provenance": "software"})
for letter in line + "\\n":
    os.write(1, letter.encode())
ask()
"""
    assert decode(peers(body), memory) == contract.Done(id=1, provenance="software")


def test_a_refusal_is_an_answer(peers: Peers, memory: GuestMemory) -> None:
    peer = peers(
        'print(json.dumps({"id": ask()["id"], "reply": "failed", "error": "no", "kind": "payload"}), flush=True)'
    )

    assert decode(peer, memory) == contract.Failed(id=1, error="no", kind="payload")


def test_of_a_refusal_at_length_the_beginning_is_kept(peers: Peers, memory: GuestMemory) -> None:
    peer = peers(
        'print(json.dumps({"id": ask()["id"], "reply": "failed", "error": "no " * 300000, "kind": "payload"}))'
        "; sys.stdout.flush()"
    )

    reply = decode(peer, memory)

    assert isinstance(reply, contract.Failed)
    assert reply.error.startswith("no no")
    assert reply.error.endswith(" more are left out)")


def test_a_program_that_does_not_exist_is_the_hosts_fault(memory: GuestMemory) -> None:
    peer = PeerProcess("missing", ["/nowhere/peer"])

    with pytest.raises(EnvironmentBroke) as raised:
        decode(peer, memory)

    assert str(raised.value) == "peer missing: cannot start '/nowhere/peer': No such file or directory"


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crash",
         "peer tiny was killed by signal 11 (Segmentation fault) before it answered"),
        ("os.kill(os.getpid(), signal.SIGRTMIN + 1)", "crash",
         "peer tiny was killed by signal 35 (Real-time signal 1) before it answered"),
        ("ask(); os._exit(3)", "crash", "peer tiny exited with status 3 before it answered"),
        ("ask(); os._exit(0)", "crash", "peer tiny exited with status 0 before it answered"),
        ("ask(); sys.stderr.write('no device'); os._exit(1)", "crash",
         "peer tiny exited with status 1 before it answered; its log ends: no device"),
        ("ask(); os.close(1); time.sleep(60)", "crash", "peer tiny closed its control stream before it answered"),
        ("r = ask(); r['id'] += 1; done(r); time.sleep(60)", "crash", "peer tiny answered request 2, asked was 1"),
        ("ask(); print('hello', flush=True); time.sleep(60)", "crash",
         "peer tiny wrote garbage on the control stream: b'hello': (whole): Invalid JSON: expected value at line 1"
         " column 1 (given: \"b'hello'\")"),
        ("ask(); os.write(1, b'x' * 3_000_000); time.sleep(60)", "crash",
         f"peer tiny wrote garbage on the control stream: {b'x' * 120!r}: a line of more than 1 MiB"),
        ("r = ask(); print(json.dumps({'id': r['id'], 'reply': 'listening', 'address': 'a'}), flush=True); ask()",
         "crash", "peer tiny answered Listening(id=1, reply='listening', address='a'), expected done or failed"),
    ],
)  # fmt: skip
def test_what_a_peer_did_is_said(body: str, kind: str, said: str, peers: Peers, memory: GuestMemory) -> None:
    broken = refusal(peers(body), memory)

    assert (broken.kind, str(broken)) == (kind, said)


@pytest.mark.parametrize(
    "body",
    ["time.sleep(60)", "ask(); time.sleep(60)", "ask(); os.write(1, b'{\"id\": 1'); time.sleep(60)"],
    ids=["never-reads", "never-answers", "half-a-line"],
)
def test_a_peer_that_does_not_answer_in_time_hangs(body: str, peers: Peers, memory: GuestMemory) -> None:
    broken = refusal(peers(body), memory, SHORT)

    assert (broken.kind, str(broken)) == ("hang", "peer tiny did not answer within 0.3 s")


COMPUTE = """
def compute(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end: pass
"""


def test_a_peer_that_computes_at_its_deadline_is_slow_and_does_not_hang(peers: Peers, memory: GuestMemory) -> None:
    peer = peers(COMPUTE + "request = ask(); compute(1); done(request); ask()")

    assert decode(peer, memory, SHORT) == contract.Done(id=1, provenance="software")


def test_a_peer_that_computes_for_ever_hangs(peers: Peers, memory: GuestMemory) -> None:
    broken = refusal(peers(COMPUTE + "compute(60)"), memory, SHORT)

    assert (broken.kind, str(broken)) == ("hang", "peer tiny did not answer within 1.5 s of computing")


def test_a_peer_that_waits_for_another_that_computes_does_not_hang(peers: Peers, memory: GuestMemory) -> None:
    waiting = peers("request = ask(); time.sleep(1); done(request); ask()")
    with ExitStack() as stack:
        other = Child([sys.executable, "-S", "-c", "while True: pass"], {})
        stack.callback(other.end)
        answer = waiting.request(
            contract.Decode, SHORT, beside=(None, other.pid), capture="nowhere", memory=memory.layout, framing="zlib",
            dialect="qemu-10.0",
        )  # fmt: skip

    assert answer == contract.Done(id=1, provenance="software")


def test_a_peer_that_runs_is_not_woken_again(peers: Peers, memory: GuestMemory) -> None:
    peer = peers(HONEST)
    answer = decode(peer, memory)

    peer.wake(SHORT)

    assert answer == contract.Done(id=1, provenance="software")


def test_a_peer_that_does_not_run_is_woken_by_a_question(peers: Peers) -> None:
    with pytest.raises(PeerError, match=r"answered Done\(id=1, .*, expected hello$"):
        peers(HONEST).wake(LONG)


def test_a_peer_that_does_not_read_a_long_request_hangs(peers: Peers, memory: GuestMemory) -> None:
    peer = peers("time.sleep(60)")

    with pytest.raises(PeerError) as raised:
        decode(peer, memory, SHORT, capture="x" * (1 << 20))

    assert raised.value.kind == "hang"


def test_a_long_request_arrives_whole(peers: Peers, memory: GuestMemory) -> None:
    peer = peers("r = ask(); done(r, packets=len(r['capture'])); ask()")

    assert decode(peer, memory, capture="x" * (1 << 20)) == contract.Done(id=1, provenance="software", packets=1 << 20)


def test_two_mebibytes_of_log_are_no_flood(peers: Peers, memory: GuestMemory) -> None:
    peer = peers("while True: request = ask(); sys.stderr.write('x' * (2 << 20)); sys.stderr.flush(); done(request)")

    answers = [decode(peer, memory) for _ in range(4)]

    assert all(isinstance(answer, contract.Done) for answer in answers)


def test_an_endless_log_is_a_flood(peers: Peers, memory: GuestMemory) -> None:
    broken = refusal(peers("ask()\nwhile True: sys.stderr.write('no device, ' * 999)"), memory)

    assert broken.kind == "crash"
    assert str(broken).startswith("peer tiny flooded stderr with more than 4 MiB in one request; its log ends: ")


@pytest.mark.parametrize("body", ["ask(); os._exit(1)", "ask(); print('garbage', flush=True); time.sleep(60)"])
def test_the_next_request_starts_a_new_process(body: str, peers: Peers, memory: GuestMemory, tmp_path: Path) -> None:
    flag = tmp_path / "was here"
    once = f"if not os.path.exists({str(flag)!r}): open({str(flag)!r}, 'w'); {body}\n"
    peer = peers(once + HONEST)
    refusal(peer, memory)

    assert decode(peer, memory) == contract.Done(id=2, provenance="software")


def test_an_end_after_the_last_answer_is_told_with_the_next_request(peers: Peers, memory: GuestMemory) -> None:
    peer = peers("done(ask()); os._exit(5)")
    decode(peer, memory)
    _wait_for_exit(peer)

    assert str(refusal(peer, memory)) == "peer tiny exited with status 5 after its last answer"
    assert isinstance(decode(peer, memory), contract.Done)


def test_an_answer_to_hello_must_be_an_introduction(peers: Peers) -> None:
    with pytest.raises(PeerError, match=r"^peer tiny answered Done\(.*\), expected hello$"):
        peers(HONEST).hello(LONG)


BIND = """server.bind(request["address"][5:])
server.listen()
"""
LISTENS = f"""
import socket
request = ask()
server = socket.socket(socket.AF_UNIX)
{BIND}print(json.dumps({{"id": request["id"], "reply": "listening", "address": request["address"]}}), flush=True)
done(request, packets=7)
ask()
"""


def test_a_receiver_answers_twice(peers: Peers, memory: GuestMemory, tmp_path: Path) -> None:
    peer = peers(LISTENS)

    listening = listen(peer, memory, tmp_path / "socket")

    assert listening == contract.Listening(id=1, address=f"unix:{tmp_path / 'socket'}")
    assert peer.conclusion(LONG) == contract.Done(id=1, provenance="software", packets=7)


def test_a_receiver_that_says_that_it_listens_must_listen(peers: Peers, memory: GuestMemory, tmp_path: Path) -> None:
    path = tmp_path / "socket"

    with pytest.raises(PeerError) as raised:
        listen(peers(LISTENS.replace(BIND, "")), memory, path)

    assert str(raised.value) == f"peer tiny says that it listens at unix:{path}, expected a socket at {path}"


def test_a_receiver_must_listen_where_it_was_told(peers: Peers, memory: GuestMemory, tmp_path: Path) -> None:
    elsewhere = LISTENS.replace('"address": request["address"]', '"address": "tcp:192.0.2.1:4"')

    with pytest.raises(PeerError) as raised:
        listen(peers(elsewhere), memory, tmp_path / "socket")

    assert str(raised.value) == (
        f"peer tiny says that it listens at tcp:192.0.2.1:4, expected a socket at {tmp_path / 'socket'}"
    )


@pytest.mark.parametrize("ending", ["ask()", "time.sleep(60)", "signal.signal(signal.SIGTERM, signal.SIG_IGN); ask()"])
def test_quit_leaves_no_process(ending: str, peers: Peers, memory: GuestMemory) -> None:
    peer = peers(f"r = ask(); done(r, packets=os.getpid()); {ending}")
    answer = decode(peer, memory)
    assert isinstance(answer, contract.Done)

    peer.quit(SHORT)

    assert not Path(f"/proc/{answer.packets}").exists()


def test_children_of_a_peer_go_with_it(peers: Peers, memory: GuestMemory) -> None:
    body = """
child = os.fork()
if child == 0:
    time.sleep(60)
done(ask(), packets=child)
time.sleep(60)
"""
    peer = peers(body)
    answer = decode(peer, memory)
    assert isinstance(answer, contract.Done)

    refusal(peer, memory, SHORT)

    # It was killed, which takes a moment.
    expires = time.monotonic() + LONG
    while not dead(answer.packets):
        assert time.monotonic() < expires
        time.sleep(0.01)


def _wait_for_exit(peer: PeerProcess) -> None:
    process = peer._process
    assert process is not None
    process.wait(LONG)


# Peers that are known from before: whose fault it is that they end


LIVES_IF: Final = """
import pathlib
if not pathlib.Path({there!r}).exists():
    sys.exit("host unreachable")
while (request := ask())["op"] != "quit":
    if request["op"] == "hello":
        print(json.dumps({{"id": request["id"], "reply": "hello", "name": "tiny", "codec": "tiny",
            "device": None, "provenance": "software", "version": "1", "roles": [], "encoder": None, "decoder": None}}),
            flush=True)
    else:
        {end}
"""
"""A peer that can be started as long as a file is there, and ends when it is asked for anything."""


def known(there: Path, end: str) -> PeerProcess:
    """One that has been introduced elsewhere, and can be started now."""
    there.touch()
    body = LIVES_IF.format(there=str(there), end=end)
    return PeerProcess("tiny", [sys.executable, "-S", "-c", PRELUDE + body], introduced=True)


def test_a_death_of_a_peer_that_can_be_started_again_is_its_own(memory: GuestMemory, tmp_path: Path) -> None:
    peer = known(tmp_path / "there", "os._exit(3)")

    assert str(refusal(peer, memory)) == "peer tiny exited with status 3 before it answered"
    assert peer.pid is None


def test_a_peer_that_cannot_be_started_again_has_lost_its_host(memory: GuestMemory, tmp_path: Path) -> None:
    there = tmp_path / "there"
    peer = known(there, "os.unlink(" + repr(str(there)) + "); os._exit(255)")

    with pytest.raises(EnvironmentBroke) as error:
        decode(peer, memory)

    assert str(error.value) == (
        "peer tiny exited with status 255 before it answered; then it could not be started again: peer tiny exited"
        " with status 1 before it answered; its log ends: host unreachable"
    )


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM", "SIGHUP"])
def test_a_peer_that_somebody_else_ends_is_no_verdict(how: str, memory: GuestMemory, tmp_path: Path) -> None:
    peer = known(tmp_path / "there", f"os.kill(os.getpid(), signal.{how})")

    with pytest.raises(EnvironmentBroke, match=r"before it answered: nobody but its host or somebody on it does so$"):
        decode(peer, memory)


def test_what_cannot_be_started_three_times_in_a_row_is_not_tried_again(memory: GuestMemory, tmp_path: Path) -> None:
    there = tmp_path / "there"
    peer = known(there, "done(request)")
    there.unlink()
    said = []

    for number in range(5):
        if number == 4:
            there.touch()
        with pytest.raises(EnvironmentBroke) as error:
            decode(peer, memory)
        said.append(str(error.value).partition(":")[0])

    assert said == [
        *["peer tiny exited with status 1 before it answered; its log ends"] * 3,
        *["peer tiny is not tried again"] * 2,
    ]


def test_what_starts_in_between_is_tried_as_often_again(memory: GuestMemory, tmp_path: Path) -> None:
    there = tmp_path / "there"
    peer = known(there, "done(request)")

    for _ in range(2):
        there.unlink()
        for _ in range(2):
            with pytest.raises(EnvironmentBroke):
                decode(peer, memory)
        there.touch()
        assert isinstance(decode(peer, memory), contract.Done)
        peer.quit()
