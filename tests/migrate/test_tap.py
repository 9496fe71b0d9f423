"""The tap: what a sender sends becomes a capture, and neither end notices."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from multifd.errors import EnvironmentBroke, InputError, TruncatedError, WireError
from multifd.memory.image import GuestMemory
from multifd.memory.layout import Script
from multifd.migrate.address import connect, listen
from multifd.migrate.capture import Capture, Manifest
from multifd.migrate.crew import DeadlineError
from multifd.migrate.tap import Tap
from multifd.peer import contract
from multifd.wire.dialect import MainSync
from multifd.wire.invariants import Sender
from multifd.wire.main_writer import MainWriter
from multifd.wire.packet import pack_init
from multifd.wire.promise import promise_of
from multifd.wire.sending import SendingChannel
from multifd.wire.witness import Watched, Witness
from tests.migrate.live import CHANNELS, LONG, SIZES, End, Peers, destination, identical, read

CAPTURES: Final = Path(__file__).parents[1] / "captures"
LATEST: Final = End("none", "qemu-10.0")
SHUT: Final = bytes.fromhex("0001 0004 00000000")
MAIN: Final = MainWriter(4096).start("pc", [("m", 1 << 20)], flush=True)


def send(peers: Peers, migration: Script, end: End, address: str) -> contract.Conclusion:
    """A whole migration of a real sender."""
    return peers("sender", end.framing).request(
        contract.Send, LONG, script=migration, framing=end.framing, dialect=end.dialect_name,
        machine=end.dialect_name, zero_pages=end.dialect.zero_pages.value, channels=CHANNELS, address=address,
        deadline=LONG,
    )  # fmt: skip


def save(tap: Tap, end: End = LATEST) -> Manifest:
    """The manifest of what was recorded."""
    return tap.save(method=end.framing, dialect=end.dialect_name, page_size=4096)


def replayed(peers: Peers, directory: Path, capture: Path, migration: Script, end: End) -> bool:
    """A capture decodes to what the sender had."""
    with destination(directory, migration) as memory:
        done = peers("receiver", end.framing).request(
            contract.Decode, LONG, capture=str(capture), memory=memory.layout, framing=end.framing,
            dialect=end.dialect_name,
        )  # fmt: skip
        assert isinstance(done, contract.Done)
        return identical(memory, migration)


class Sockets:
    """Connections that are closed in the end, each of which answers within LONG."""

    def __init__(self, stack: ExitStack, directory: Path) -> None:
        self._stack = stack
        self.upstream = f"unix:{directory / 'receiver'}"
        self.directory = directory / "capture"
        self._listener = stack.enter_context(listen(self.upstream, 8)[0])
        self._listener.settimeout(LONG)
        self._address = f"unix:{directory / 'tap'}"

    def tap(self, *, to_receiver: bool = True, deadline: float = LONG, answering: bool = False) -> Tap:
        """A tap, before the receiver or without one."""
        upstream = self.upstream if to_receiver else None
        made = Tap(self._address, upstream, self.directory, deadline, answering=4096 if answering else None)
        return self._stack.enter_context(made)

    def connect(self, first: bytes = b"") -> socket.socket:
        """A connection of the sender, on which this is said first."""
        connection = self._stack.enter_context(connect(self._address, LONG))
        if first:
            connection.sendall(first)
        return connection

    def accept(self) -> socket.socket:
        """The receiver's next connection."""
        connection = self._stack.enter_context(self._listener.accept()[0])
        connection.settimeout(LONG)
        return connection

    def recorded(self, name: str) -> bytes:
        """A file of the capture."""
        return (self.directory / name).read_bytes()


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[Sockets]:
    """A sender and a receiver made of sockets."""
    with ExitStack() as stack:
        yield Sockets(stack, tmp_path)


@pytest.mark.parametrize(
    "end",
    [End("none", "qemu-5.0"), End("zlib", "qemu-5.0"), End("zlib", "qemu-10.0"), End("zstd", "qemu-9.1")],
    ids=str,
)
def test_a_recorded_migration_replays_identical(end: End, peers: Peers, migration: Script, tmp_path: Path) -> None:
    with destination(tmp_path, migration) as memory:
        receiver = peers("receiver", end.framing)
        receiver.listen(
            tmp_path / "receiver", LONG, memory=memory.layout, framing=end.framing, dialect=end.dialect_name,
            machine=end.dialect_name, channels=CHANNELS, deadline=LONG,
        )  # fmt: skip
        with Tap(f"unix:{tmp_path / 'tap'}", f"unix:{tmp_path / 'receiver'}", tmp_path / "capture", LONG) as tap:
            assert isinstance(send(peers, migration, end, tap.address), contract.Done)
            assert isinstance(receiver.conclusion(LONG), contract.Done)
            save(tap, end)
        assert identical(memory, migration)

    assert replayed(peers, tmp_path / "again", tmp_path / "capture", migration, end)


def test_without_a_receiver_it_records_as_well(peers: Peers, migration: Script, tmp_path: Path) -> None:
    end = End("zlib", "qemu-10.0")
    with Tap("tcp:127.0.0.1:0", None, tmp_path / "capture", LONG) as tap:
        assert isinstance(send(peers, migration, end, tap.address), contract.Done)
        save(tap, end)

    assert replayed(peers, tmp_path / "again", tmp_path / "capture", migration, end)


def test_the_manifest_says_what_was_recorded(peers: Peers, migration: Script, tmp_path: Path) -> None:
    end = End("zlib", "qemu-10.0")
    with GuestMemory.open(migration.expected, writable=False) as memory:
        digest = memory.digest()
    with Tap(f"unix:{tmp_path / 'tap'}", None, tmp_path / "capture", LONG) as tap:
        send(peers, migration, end, tap.address)
        tap.save(
            method="zlib", dialect="qemu-10.0", page_size=4096, main_sync=MainSync.FLUSH, sha256=digest, source="me"
        )

    assert Capture.open(tmp_path / "capture").manifest == Manifest(
        page_size=4096, method="zlib", dialect="qemu-10.0", channels=CHANNELS, main_sync="flush", ramblocks=SIZES,
        sha256=digest, source="me",
    )  # fmt: skip


def test_channels_are_named_by_their_ids(sockets: Sockets) -> None:
    tap = sockets.tap(to_receiver=False)

    for first in (pack_init(1) + b"one", MAIN, pack_init(0, bytes(range(16))) + b"zero"):
        sockets.connect(first).close()

    assert save(tap).channels == 2
    assert sockets.recorded("main.bin") == MAIN
    assert sockets.recorded("channel-0.bin") == pack_init(0, bytes(range(16))) + b"zero"
    assert sockets.recorded("channel-1.bin") == pack_init(1) + b"one"


def test_bytes_go_both_ways(sockets: Sockets) -> None:
    sockets.tap()
    sender = sockets.connect(MAIN)
    receiver = sockets.accept()

    receiver.sendall(SHUT)

    assert (read(receiver, len(MAIN)), read(sender, len(SHUT))) == (MAIN, SHUT)


def test_the_receiver_sees_connections_in_the_order_of_the_sender(sockets: Sockets) -> None:
    sockets.tap()
    said = (MAIN, pack_init(1), pack_init(0))
    for first in said:
        sockets.connect(first)

    assert [read(sockets.accept(), len(first)) for first in said] == list(said)


def test_the_return_path_stays_open_when_the_stream_has_ended(sockets: Sockets) -> None:
    sockets.tap()
    sender = sockets.connect(MAIN)
    receiver = sockets.accept()
    sender.shutdown(socket.SHUT_WR)
    assert read(receiver, len(MAIN) + 1) == MAIN

    receiver.sendall(SHUT)

    assert read(sender, len(SHUT)) == SHUT


def test_a_sender_that_closes_closes_the_receivers_connection(sockets: Sockets) -> None:
    sockets.tap()
    sender = sockets.connect(MAIN)
    receiver = sockets.accept()

    sender.close()

    assert read(receiver, len(MAIN) + 1) == MAIN


def test_a_receiver_that_closes_closes_the_senders_connection(sockets: Sockets) -> None:
    sockets.tap()
    sender = sockets.connect(MAIN)
    receiver = sockets.accept()
    read(receiver, len(MAIN))

    receiver.close()

    assert read(sender, 1) == b""
    with pytest.raises(ConnectionError):
        while True:
            sender.sendall(bytes(1 << 16))


@pytest.mark.parametrize("capture", ["qemu-7.2-zlib", "qemu-10.0-zstd"])
def test_a_source_that_waits_is_answered_when_its_stream_ends(capture: str, sockets: Sockets) -> None:
    sockets.tap(to_receiver=False, answering=True)
    stream = (CAPTURES / capture / "main.bin").read_bytes()

    sender = sockets.connect(stream)

    assert read(sender, len(SHUT)) == SHUT


def test_a_source_whose_stream_has_not_ended_is_not_answered(sockets: Sockets) -> None:
    tap = sockets.tap(to_receiver=False, answering=True)
    sender = sockets.connect((CAPTURES / "qemu-7.2-zlib" / "main.bin").read_bytes()[:-1])
    sockets.connect(pack_init(0)).close()
    sender.shutdown(socket.SHUT_WR)
    save(tap)

    tap.__exit__()

    assert read(sender, 1) == b""


def test_a_source_that_does_not_wait_is_not_answered(sockets: Sockets) -> None:
    tap = sockets.tap(to_receiver=False)
    sender = sockets.connect((CAPTURES / "qemu-7.2-zlib" / "main.bin").read_bytes())
    sockets.connect(pack_init(0)).close()
    sender.shutdown(socket.SHUT_WR)
    save(tap)

    tap.__exit__()

    assert read(sender, 1) == b""


def test_a_receiver_that_is_not_there_is_said(sockets: Sockets, tmp_path: Path) -> None:
    (tmp_path / "receiver").unlink()
    tap = sockets.tap()
    sender = sockets.connect()
    assert read(sender, 1) == b""

    with pytest.raises(EnvironmentBroke) as raised:
        save(tap)

    assert str(raised.value) == f"{sockets.upstream}: cannot connect: No such file or directory"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ((b"\xaa" * 64,), "multifd: received packet magic aaaaaaaa expected 11223344"),
        ((MAIN, MAIN), "multifd: connection is 'a second one for main.bin', expected main and each channel once"),
        (
            (pack_init(3), pack_init(3)),
            "multifd: connection is 'a second one for channel-3.bin', expected main and each channel once",
        ),
    ],
    ids=["garbage", "main", "channel"],
)
def test_a_connection_that_is_no_part_of_a_migration_is_refused(
    said: tuple[bytes, ...], message: str, sockets: Sockets
) -> None:
    tap = sockets.tap(to_receiver=False)
    for first in said:
        sockets.connect(first).close()

    with pytest.raises(WireError) as raised:
        save(tap)

    assert str(raised.value) == message


def test_a_migration_that_never_ends_is_cut_at_the_deadline(sockets: Sockets) -> None:
    tap = sockets.tap(to_receiver=False, deadline=0.2)
    sender = sockets.connect(MAIN)

    with pytest.raises(DeadlineError) as raised:
        save(tap)

    assert str(raised.value) == "no end of the migration within 0.2 s"
    assert read(sender, 1) == b""


def test_a_recording_without_main_is_no_capture(sockets: Sockets) -> None:
    tap = sockets.tap(to_receiver=False)
    sockets.connect(pack_init(0)).close()

    with pytest.raises(InputError) as raised:
        save(tap)

    assert str(raised.value) == f"{sockets.directory / 'main.bin'}: cannot read: No such file or directory"


def test_a_recording_without_ram_blocks_is_no_capture(sockets: Sockets) -> None:
    tap = sockets.tap(to_receiver=False)
    sockets.connect(MAIN[:40]).close()
    sockets.connect(pack_init(0)).close()

    with pytest.raises(TruncatedError) as raised:
        save(tap)

    assert raised.value.field.startswith("main channel ")


# What it watches


SENDER: Final = Sender(LATEST.dialect, 0, True, 4096, promise_of((10, 0)), MainSync.FLUSH, 1)


def watching(sockets: Sockets, stack: ExitStack) -> tuple[Tap, Witness]:
    """A tap that only watches."""
    witness = Witness(SENDER)
    tap = Tap(f"unix:{sockets.directory}-tap", sockets.upstream, None, LONG, witness=witness)
    return stack.enter_context(tap), witness


def test_a_stranger_is_forwarded_and_named(sockets: Sockets) -> None:
    with ExitStack() as stack:
        tap, witness = watching(sockets, stack)
        stranger = stack.enter_context(connect(tap.address, LONG))
        stranger.sendall(b"\xaa" * 3)
        receiver = sockets.accept()
        assert read(receiver, 3) == b"\xaa" * 3

        stranger.sendall(b"\xaa" * 100000)
        stranger.shutdown(socket.SHUT_WR)

        assert read(receiver, 100001) == b"\xaa" * 100000
        receiver.close()
        stranger.close()
        tap.wait()
        watched = witness.conclude(completed=False, transferred=0)
        assert watched == Watched(100003, (), ("connection 0: it begins with aaaaaaaa",))


def test_payloads_arrive_as_they_were_sent(sockets: Sockets) -> None:
    payload = bytes(range(256)) * 2048
    header = SendingChannel(LATEST.dialect, 0, flag=0, page_size=4096).packet(
        "m", np.arange(128, dtype=np.uint64) * np.uint64(4096), np.empty(0, np.uint64), len(payload)
    )
    stream = pack_init(0) + (bytes(header) + payload) * 3
    with ExitStack() as stack:
        tap, witness = watching(sockets, stack)
        sender = stack.enter_context(connect(tap.address, LONG))
        receiver = sockets.accept()
        sending = threading.Thread(target=sender.sendall, args=(stream,))
        sending.start()

        assert read(receiver, len(stream)) == stream

        sending.join()
        sender.close()
        tap.wait()
        watched = witness.conclude(completed=False, transferred=0)
        assert watched.carried == len(stream)
        assert [text.partition(": ")[2].partition(" ")[0] for text in watched.broken] == ["packet_num"]
