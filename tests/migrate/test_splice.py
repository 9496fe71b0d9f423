"""The splice: whatever a sender speaks, the receiver gets what it expects, and nobody is left waiting."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from multifd.codec import create
from multifd.errors import InputError, PayloadError, TruncatedError, Unsupported, WireError
from multifd.framing.coder import decompressor_of
from multifd.memory.layout import Script
from multifd.migrate.address import connect, listen
from multifd.migrate.crew import DeadlineError
from multifd.migrate.splice import Side, Splice, Splicing
from multifd.peer import contract
from multifd.wire.dialect import DIALECTS
from multifd.wire.packet import (
    INIT_SIZE,
    DeviceStateHeader,
    RamHeader,
    header_size,
    pack_device_state,
    pack_init,
    pack_ram,
    unpack_ram,
)
from tests.migrate.live import (
    CHANNELS,
    LONG,
    SIZES,
    End,
    Peers,
    destination,
    identical,
    machine,
    read,
    script,
    zero_pages,
)

PAGE: Final = 4096
MAIN: Final = b"QEVM and what else there is on main"
HEADER: Final = header_size(PAGE)
OLD: Final = "qemu-5.0"
NEW: Final = "qemu-10.0"
SYNC: Final = 1
ZLIB: Final = 2
ZSTD: Final = 4
QATZIP: Final = 32


class Chain:
    """A sender, one splice after the other, and a receiver, all of them processes."""

    def __init__(self, peers: Peers, directory: Path, migration: Script, channels: int = CHANNELS) -> None:
        self._peers = peers
        self._directory = directory
        self._migration = migration
        self._channels = channels

    def run(
        self, hops: Sequence[tuple[str, End, End]], codecs: tuple[str, str], expected: str | None = None
    ) -> list[contract.Conclusion]:
        """Migrate; how it ended for the sender, each splice and the receiver, which may expect another framing."""
        migration = self._migration
        (_, sender, _), (_, _, receiver) = hops[0], hops[-1]
        with destination(self._directory, migration) as memory:
            listener = self._peers("receiver", codecs[1])
            upstream = self._directory / "receiver"
            listener.listen(
                upstream, LONG, contract.Receive, memory=memory.layout, framing=expected or receiver.framing,
                dialect=receiver.dialect_name, machine=machine(sender, receiver), channels=self._channels,
                deadline=LONG,
            )  # fmt: skip
            splices = []
            for number, (codec, before, after) in reversed(list(enumerate(hops))):
                splice = self._peers(f"splice {number}", codec)
                address = self._directory / f"splice-{number}"
                splice.listen(
                    address, LONG, contract.Splice, upstream=f"unix:{upstream}",
                    sender_framing=before.framing, sender_dialect=before.dialect_name,
                    receiver_framing=after.framing, receiver_dialect=after.dialect_name,
                    page_size=migration.page_size, ramblocks=migration.expected.sizes, channels=self._channels,
                    deadline=LONG,
                )  # fmt: skip
                splices.append(splice)
                upstream = address
            sent = self._peers("sender", codecs[0]).request(
                contract.Send, LONG, script=migration, framing=sender.framing, dialect=sender.dialect_name,
                machine=machine(sender, receiver), zero_pages=zero_pages(sender, receiver).value,
                channels=self._channels, address=f"unix:{upstream}", deadline=LONG,
            )  # fmt: skip
            ended = [splice.conclusion(LONG) for splice in reversed(splices)]
            received = listener.conclusion(LONG)
            assert isinstance(received, contract.Failed) or identical(memory, migration)
            return [sent, *ended, received]


def all_done(conclusions: list[contract.Conclusion]) -> bool:
    """Everybody says done; the memory has been compared."""
    assert [c for c in conclusions if isinstance(c, contract.Failed)] == []
    return True


# Real peers on both ends

PAIRS: Final = (
    ("none", "none", "none"),
    ("none", "zlib", "zlib"),
    ("zlib", "none", "zlib"),
    ("zlib", "zlib", "zlib"),
    ("none", "zstd", "zstd"),
    ("zstd", "none", "zstd"),
    ("zstd", "zstd", "zstd"),
)
"""Framing of the sender and of the receiver, and the codec between them."""


@pytest.mark.parametrize(("sender", "receiver"), list(product((OLD, NEW), repeat=2)))
@pytest.mark.parametrize(("before", "after", "codec"), PAIRS)
def test_memory_is_identical_behind_a_splice(
    before: str, after: str, codec: str, sender: str, receiver: str, peers: Peers, migration: Script, tmp_path: Path
) -> None:
    hop = (codec, End(before, sender), End(after, receiver))

    assert all_done(Chain(peers, tmp_path, migration).run([hop], (before, after)))


@pytest.mark.parametrize(("before", "after"), [("zlib", "zstd"), ("zstd", "zlib")])
def test_two_splices_in_a_row_change_one_method_into_another(
    before: str, after: str, peers: Peers, migration: Script, tmp_path: Path
) -> None:
    hops = [
        (before, End(before, OLD), End("none", NEW)),
        (after, End("none", NEW), End(after, NEW)),
    ]

    assert all_done(Chain(peers, tmp_path, migration).run(hops, (before, after)))


@pytest.mark.parametrize("framing", ["qpl", "qatzip", "zlib-packet[window=12]"])
@pytest.mark.parametrize("coded", ["sender", "receiver"])
def test_every_scope_of_framing_is_spliced(
    framing: str, coded: str, peers: Peers, migration: Script, tmp_path: Path
) -> None:
    names = (framing, "none") if coded == "sender" else ("none", framing)
    hop = ("zlib", End(names[0], NEW), End(names[1], NEW))
    codecs = ("zlib", "none") if coded == "sender" else ("none", "zlib")

    assert all_done(Chain(peers, tmp_path, migration).run([hop], codecs))


@pytest.mark.parametrize("page_size", [16384, 65536])
def test_pages_of_every_size_are_spliced(page_size: int, peers: Peers, tmp_path: Path) -> None:
    migration = script(tmp_path / "script", page_size)  # type: ignore[arg-type]

    assert all_done(
        Chain(peers, tmp_path, migration).run([("zlib", End("none", NEW), End("zlib", NEW))], ("none", "zlib"))
    )


def test_sixteen_channels_are_spliced(peers: Peers, migration: Script, tmp_path: Path) -> None:
    hop = ("zstd", End("none", NEW), End("zstd", NEW))

    assert all_done(Chain(peers, tmp_path, migration, channels=16).run([hop], ("none", "zstd")))


def test_a_splice_counts_its_packets_and_what_it_sent(peers: Peers, migration: Script, tmp_path: Path) -> None:
    hop = ("zlib", End("none", NEW), End("zlib", NEW))

    sent, spliced, _ = Chain(peers, tmp_path, migration).run([hop], ("none", "zlib"))

    assert isinstance(sent, contract.Done) and isinstance(spliced, contract.Done)
    assert spliced.packets == sent.packets > 0
    assert 0 < spliced.bytes_wire < sent.bytes_wire / 2


def test_a_receiver_that_refuses_ends_everybody(peers: Peers, tmp_path: Path) -> None:
    more_than_sockets_hold = script(tmp_path / "script", sizes={"m": 24 << 20})
    chain = Chain(peers, tmp_path, more_than_sockets_hold)

    hop = ("none", End("none", NEW), End("none", NEW))
    sent, spliced, received = chain.run([hop], ("none", "zlib"), expected="zlib")

    assert [c.kind for c in (sent, spliced, received) if isinstance(c, contract.Failed)] == ["closed", "closed", "wire"]
    assert isinstance(received, contract.Failed) and isinstance(spliced, contract.Failed)
    assert received.error.endswith("flags received 0 flags expected 2")
    assert spliced.error.startswith("receiver closed ")


def test_a_codec_that_cannot_do_it_refuses_before_it_listens(peers: Peers, tmp_path: Path) -> None:
    reply = peers("splice 0", "zlib").listen(
        tmp_path / "splice", LONG, contract.Splice, upstream="unix:/nowhere", sender_framing="none",
        sender_dialect=NEW, receiver_framing="zstd", receiver_dialect=NEW, page_size=PAGE, ramblocks=SIZES,
        channels=CHANNELS, deadline=LONG,
    )  # fmt: skip

    assert isinstance(reply, contract.Failed)
    assert (reply.kind, reply.error) == ("unsupported", "zlib cannot emit container zstd")
    assert not (tmp_path / "splice").exists()


# A sender and a receiver made of sockets


class Between:
    """A splice in a thread of its own; the test is its sender and its receiver."""

    def __init__(self, directory: Path, splicing: Splicing, deadline: float = LONG) -> None:
        self._stack = ExitStack()
        self.upstream = f"unix:{directory / 'receiver'}"
        self._listener = self._stack.enter_context(listen(self.upstream, 8)[0])
        self._listener.settimeout(LONG)
        self._server, self._address = listen(f"unix:{directory / 'splice'}", 8)
        self._splice = Splice(splicing, self.upstream, deadline)
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def connect(self, first: bytes) -> socket.socket:
        """A connection of the sender, on which this is said first."""
        connection = self._stack.enter_context(connect(self._address, LONG))
        connection.sendall(first)
        return connection

    def accept(self) -> socket.socket:
        """The receiver's next connection."""
        connection = self._stack.enter_context(self._listener.accept()[0])
        connection.settimeout(LONG)
        return connection

    def outcome(self) -> tuple[type[Exception], str] | None:
        """How the splice ended: None if it is done."""
        self._thread.join(LONG)
        assert not self._thread.is_alive()
        return None if self._problem is None else (type(self._problem), str(self._problem))

    def close(self) -> None:
        """Close our ends; the splice must end by that."""
        self._stack.close()
        self._thread.join(LONG)

    def _run(self) -> None:
        with closing(self._server), closing(self._splice):
            try:
                self._splice.run(self._server)
            except Exception as problem:
                self._problem = problem


def between(directory: Path, sender: End, receiver: End, channels: int = 1, deadline: float = LONG) -> Between:
    """A splice with zlib on both sides where they are not none."""
    codec = create("zlib")
    sides = [Side.of(end.framing, end.dialect_name, codec) for end in (sender, receiver)]
    return Between(directory, Splicing(sides[0], sides[1], PAGE, {"m": 1 << 20}, channels), deadline)


@pytest.fixture
def old_to_new(tmp_path: Path) -> Iterator[Between]:
    """QEMU 7.2 without compression to QEMU 10 with zlib."""
    with closing(between(tmp_path, End("none", OLD), End("zlib", NEW))) as made:
        yield made


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Between]:
    """None to none, QEMU 10 on both sides, with two channels."""
    with closing(between(tmp_path, End("none", NEW), End("none", NEW), channels=2)) as made:
        yield made


Sockets = tuple[socket.socket, socket.socket, socket.socket, socket.socket]


def ends(made: Between, *, uuid: bytes = bytes(16)) -> Sockets:
    """Main and channel 0 of sender and receiver; the init packet has been received."""
    sender, channel = made.connect(MAIN), made.connect(pack_init(0, uuid))
    receiver, received = made.accept(), made.accept()
    assert read(receiver, len(MAIN)) == MAIN
    assert read(received, INIT_SIZE) == pack_init(0, uuid)
    return sender, channel, receiver, received


def over(*connections: socket.socket) -> bool:
    """All of them have ended; what the splice had not read yet makes that a reset."""
    for connection in connections:
        with suppress(ConnectionResetError):
            assert read(connection, 1) == b""
    return True


def header(flags: int, normal: int, size: int, zero: int = 0, *, block: str = "m") -> bytearray:
    """A packet header whose other fields are all something."""
    offsets = np.arange(normal + zero + 3, dtype=np.uint64) * np.uint64(PAGE)
    made = pack_ram(RamHeader(flags, 128, normal, size, 77, zero, block, offsets), PAGE)
    made[36:40] = b"rsvd"
    return made


def rewritten(original: bytearray, flags: int, size: int) -> bytes:
    """The same header with these two fields."""
    return bytes(original[:8] + struct.pack(">I", flags) + original[12:20] + struct.pack(">I", size) + original[24:])


@pytest.mark.parametrize("sync", [0, SYNC])
def test_of_a_packets_header_only_flags_and_size_change(sync: int, old_to_new: Between) -> None:
    _, channel, _, received = ends(old_to_new)
    original = header(sync, 2, 999)

    channel.sendall(original + b"a" * 2 * PAGE)
    arrived = read(received, HEADER)

    size = unpack_ram(arrived, PAGE).next_packet_size
    assert arrived == rewritten(original, ZLIB | sync, size)
    stream = decompressor_of(create("zlib"), Side.of("zlib", NEW, create("zlib")).framing.container)
    assert bytes(stream.decompress(read(received, size), 2 * PAGE)) == b"a" * 2 * PAGE


def test_an_empty_packet_of_old_loses_its_stale_size_and_its_method(tmp_path: Path) -> None:
    with closing(between(tmp_path, End("zlib", OLD), End("none", NEW))) as made:
        _, channel, _, received = ends(made)
        original = header(ZLIB | SYNC, 0, 4711)

        channel.sendall(original)

        assert read(received, HEADER) == rewritten(original, SYNC, 0)


def test_a_packet_with_zero_pages_only_gets_the_receivers_method(tmp_path: Path) -> None:
    with closing(between(tmp_path, End("none", NEW), End("qatzip", NEW))) as made:
        _, channel, _, received = ends(made)
        original = header(0, 0, 0, zero=5)

        channel.sendall(original)

        assert read(received, HEADER) == rewritten(original, QATZIP, 0)


def test_a_method_has_the_flag_of_the_receivers_dialect(tmp_path: Path) -> None:
    with closing(between(tmp_path, End("qatzip", "rfc-2023"), End("qatzip", NEW))) as made:
        _, channel, _, received = ends(made)
        content = create("zlib").compress(bytes(PAGE), Side.of("qatzip", NEW, create("zlib")).framing.container, 15)

        channel.sendall(header(6, 1, len(memoryview(content))) + content)

        assert unpack_ram(read(received, HEADER), PAGE).flags == QATZIP


@pytest.mark.parametrize(("sender", "beyond"), [(OLD, 0xFFFFFFF0), (NEW, 0xFFFFFF80)])
def test_flags_beyond_the_senders_mask_pass_as_they_are(sender: str, beyond: int, tmp_path: Path) -> None:
    with closing(between(tmp_path, End("none", sender), End("zlib", NEW))) as made:
        _, channel, _, received = ends(made)
        # With a page, with zero pages only, and with none; under the mask there is the method and nothing else.
        sent = [header(beyond | SYNC, 1, PAGE) + bytes(PAGE), header(beyond, 0, 0), header(beyond | SYNC, 0, 0)]

        channel.sendall(b"".join(sent))

        first = read(received, HEADER)
        read(received, unpack_ram(first, PAGE).next_packet_size)
        flags = [unpack_ram(packet, PAGE).flags for packet in (first, read(received, HEADER), read(received, HEADER))]
        assert flags == [beyond | ZLIB | SYNC, beyond, beyond | SYNC]


@pytest.mark.parametrize("flags", [ZLIB, ZLIB | SYNC, 0x1C | SYNC])
def test_of_an_empty_packet_no_bit_under_the_senders_mask_passes(flags: int, tmp_path: Path) -> None:
    with closing(between(tmp_path, End("none", NEW), End("zlib", NEW))) as made:
        _, channel, _, received = ends(made)

        channel.sendall(header(flags, 0, 0))

        assert unpack_ram(read(received, HEADER), PAGE).flags == flags & SYNC


def test_a_sync_packet_passes_as_it_is(old_to_new: Between) -> None:
    _, channel, _, received = ends(old_to_new)
    sync = pack_ram(RamHeader(SYNC, 0, 0, 0, 5, 0, "", np.empty(0, np.uint64)), PAGE)

    channel.sendall(sync)

    assert read(received, HEADER) == sync


def test_device_state_passes_as_it_is(tmp_path: Path) -> None:
    with closing(between(tmp_path, End("none", NEW), End("zlib", NEW))) as made:
        _, channel, _, received = ends(made)
        state = pack_device_state(DeviceStateHeader(64, "vfio", 1, 100)) + bytes(range(100))

        channel.sendall(state)

        assert read(received, len(state)) == state


def test_a_guest_with_a_uuid_keeps_it(old_to_new: Between) -> None:
    ends(old_to_new, uuid=bytes(range(16)))


def test_main_is_connected_first_whatever_the_sender_connected_first(plain: Between) -> None:
    plain.connect(pack_init(1))
    plain.connect(pack_init(0))
    plain.connect(MAIN)

    assert [read(plain.accept(), 4) for _ in range(3)] == [MAIN[:4], pack_init(1)[:4], pack_init(0)[:4]]


def test_the_return_path_goes_on_after_the_sender_has_ended_its_stream(old_to_new: Between) -> None:
    sender, channel, receiver, received = ends(old_to_new)
    for connection in (sender, channel):
        connection.shutdown(socket.SHUT_WR)
    assert (read(receiver, 1), read(received, 1)) == (b"", b"")

    receiver.sendall(b"all went well")
    receiver.close()

    assert read(sender, 100) == b"all went well"
    assert old_to_new.outcome() is None


def test_a_receiver_that_has_all_may_go_before_the_senders_last_empty_packet(old_to_new: Between) -> None:
    sender, channel, receiver, received = ends(old_to_new)
    receiver.close()
    received.close()
    assert read(sender, 1) == b""

    channel.sendall(header(0, 0, 4711))
    channel.close()
    sender.close()

    assert old_to_new.outcome() is None


def test_a_receiver_that_goes_away_is_named_and_the_sender_cut(old_to_new: Between) -> None:
    sender, channel, _, received = ends(old_to_new)
    received.close()

    channel.sendall(header(0, 1, PAGE) + bytes(PAGE))

    assert old_to_new.outcome() == (ConnectionError, "receiver closed channel 0: Broken pipe")
    assert over(sender, channel)


def test_a_receiver_that_is_not_there_is_named(tmp_path: Path) -> None:
    with closing(between(tmp_path, End("none", NEW), End("none", NEW))) as made:
        (tmp_path / "receiver").unlink()
        sender = made.connect(MAIN)
        made.connect(pack_init(0))

        assert made.outcome() == (
            ConnectionError, f"receiver at {made.upstream}: cannot connect: No such file or directory",
        )  # fmt: skip
        assert over(sender)


BAD: Final[Mapping[str, tuple[bytes | bytearray, type[Exception], str]]] = {
    "garbage": (
        b"\xaa" * HEADER, WireError,
        "multifd: received packet magic aaaaaaaa, expected 11223344",
    ),
    "another method": (
        header(ZSTD, 1, PAGE) + bytes(PAGE), WireError, "multifd 0: flags received 4 flags expected 2",
    ),
    "a block that is not there": (
        header(ZLIB, 1, PAGE, block="x") + bytes(PAGE), WireError, "multifd: unknown ram block x",
    ),
    "no zlib": (
        header(ZLIB, 1, 10) + b"0123456789", PayloadError,
        "zlib: Error -3 while decompressing data: incorrect header check"
        f" (channel 0, packet 77, RAM block m, byte {INIT_SIZE + HEADER}; found no header: 30313233343536373839)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_what_a_sender_does_wrong_is_said_and_both_sides_are_cut(bad: str, tmp_path: Path) -> None:
    packet, kind, message = BAD[bad]
    with closing(between(tmp_path, End("zlib", NEW), End("none", NEW))) as made:
        sender, channel, receiver, received = ends(made)

        channel.sendall(packet)

        assert made.outcome() == (kind, message)
        assert over(sender, channel, receiver, received)


def test_a_channel_that_comes_twice_is_refused(plain: Between) -> None:
    for first in (MAIN, pack_init(1), pack_init(1)):
        plain.connect(first)

    assert plain.outcome() == (WireError, "multifd: received id '1' already setup'")


def test_a_sender_that_vanishes_within_a_packet_is_an_error(old_to_new: Between) -> None:
    sender, channel, receiver, _ = ends(old_to_new)

    channel.sendall(header(0, 2, 2 * PAGE) + bytes(PAGE))
    channel.close()

    assert old_to_new.outcome() == (
        TruncatedError,
        "multifd: packet payload: stream ended after 4096 of 8192 bytes"
        " (Unexpected end-of-file before all data were read)",
    )
    assert over(sender, receiver)


def test_a_sender_that_vanishes_between_packets_is_the_receivers_to_judge(old_to_new: Between) -> None:
    sender, channel, receiver, received = ends(old_to_new)

    sender.close()
    channel.close()

    assert (read(receiver, 1), read(received, 1)) == (b"", b"")
    receiver.close()
    assert old_to_new.outcome() is None


def test_at_the_deadline_it_is_said_what_has_not_ended(tmp_path: Path) -> None:
    with closing(between(tmp_path, End("none", NEW), End("none", NEW), deadline=0.5)) as made:
        _, channel, receiver, received = ends(made)
        channel.close()

        assert read(received, 1) == b""
        assert made.outcome() == (
            DeadlineError,
            "no end of the receiver's main channel, the sender's main channel within 0.5 s",
        )
        assert read(receiver, 1) == b""


def test_at_the_deadline_it_is_said_who_has_not_come(tmp_path: Path) -> None:
    with closing(between(tmp_path, End("none", NEW), End("none", NEW), channels=2, deadline=0.2)) as made:
        made.connect(MAIN)

        assert made.outcome() == (DeadlineError, "1 of 3 connections came within 0.2 s")


@pytest.mark.parametrize(
    ("end", "kind", "message"),
    [
        (End("zstd", NEW), Unsupported, "zlib cannot read container zstd"),
        (
            End("qatzip", OLD), InputError,
            "method 'qatzip' does not exist in dialect qemu-5.0; expected one of none, zlib, zstd",
        ),
        (End("none", "qemu-4"), InputError, f"dialect 'qemu-4' is unknown; expected one of {', '.join(DIALECTS)}"),
    ],
)  # fmt: skip
def test_what_cannot_be_spliced_is_refused_at_once(
    end: End, kind: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(kind) as raised:
        between(tmp_path, end, End("none", NEW))

    assert str(raised.value) == message
