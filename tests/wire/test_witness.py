"""The witness: what always holds of a migration is seen to hold, and each thing that does not is named, once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.migrate.capture import Capture
from multifd.wire.dialect import Dialect, MainSync, dialect
from multifd.wire.fields import INIT, RAM
from multifd.wire.invariants import Sender
from multifd.wire.main_writer import MainWriter
from multifd.wire.packet import DeviceStateHeader, Offsets, header_size, pack_device_state
from multifd.wire.promise import Counted, Numbers, Promise, promise_of
from multifd.wire.sending import SendingChannel
from multifd.wire.witness import Watched, Witness

PAGE: Final = 4096
HEADER: Final = header_size(PAGE)
BLOCKS: Final = {"m": 1 << 20, "pc.bios": 1 << 16}
CAPTURES: Final = Path(__file__).parents[1] / "captures"
PAYLOAD: Final = 100
TLS: Final = bytes.fromhex("16030100f8") + bytes(200)
NEW: Final = dialect("qemu-10.0")
OLD: Final = dialect("qemu-5.0")
ZERO: Final = np.empty(0, np.uint64)


def pages(*numbers: int) -> Offsets:
    return np.array(numbers, np.uint64) * np.uint64(PAGE)


def sender(of: Dialect = NEW, method: str = "zlib", **changed: object) -> Sender:
    """A sender of two channels that keeps what its dialect's QEMU promises."""
    promise = promise_of((7, 2) if of is OLD else (10, 0))
    made = Sender(of, of.flag(method), method == "none", PAGE, promise, of.main_sync, 2)
    return replace(made, **changed)  # type: ignore[arg-type]


@dataclass
class Migration:
    """Two rounds on two channels, as a sender sends them; packets may be changed before they are watched."""

    of: Sender = field(default_factory=sender)
    main: bytearray = field(default_factory=bytearray)
    inits: list[bytearray] = field(default_factory=list)
    packets: list[list[bytearray]] = field(default_factory=list)
    """Headers with their payloads, by channel: pages, SYNC, pages, SYNC."""

    def __post_init__(self) -> None:
        numbers, flush = itertools.count(), self.of.main_sync is MainSync.FLUSH
        channels = [
            SendingChannel(self.of.dialect, n, flag=self.of.flag, page_size=PAGE, numbers=numbers) for n in range(2)
        ]
        self.inits = [bytearray(channel.open()) for channel in channels]
        self.packets = [[], []]
        writer = MainWriter(PAGE)
        # The setup section says SYNC too, before there is a page.
        self.main += writer.start("pc", list(BLOCKS.items()), flush=flush)
        self._sync(channels)
        for number in range(2):
            for channel, packets in zip(channels, self.packets, strict=True):
                normal = pages(1 + number, 10 + channel.channel)
                size = len(normal) * PAGE if self.of.raw_pages else PAYLOAD
                packets.append(channel.packet("m", normal, ZERO, size) + bytes(size))
            self._sync(channels)
            part = writer.end if number else writer.part
            self.main += part(b"", flush=flush)

    def _sync(self, channels: Sequence[SendingChannel]) -> None:
        for channel, packets in zip(channels, self.packets, strict=True):
            packets.append(channel.sync())

    @property
    def streams(self) -> list[bytes]:
        """Main, then the channels."""
        joined = (bytes(init) + b"".join(packets) for init, packets in zip(self.inits, self.packets, strict=True))
        return [bytes(self.main), *joined]

    @property
    def carried(self) -> int:
        return sum(map(len, self.streams))

    def watched(self, *, completed: bool = True, transferred: int | None = None) -> Watched:
        """What a witness says of it, if the source says completed and counts every byte."""
        return watch(self.of, self.streams, completed=completed, transferred=transferred)


def watch(
    of: Sender, streams: Sequence[bytes], *, completed: bool = True, transferred: int | None = None, step: int = 1 << 20
) -> Watched:
    """What a witness says of connections that it is fed in pieces of so many bytes."""
    witness = Witness(of)
    for stream in streams:
        onlooker = witness.connection()
        for at in range(0, len(stream), step):
            onlooker.feed(stream[at : at + step])
        onlooker.finish()
    if transferred is None:
        transferred = sum(map(len, streams))
    return witness.conclude(completed=completed, transferred=transferred)


def broken(migration: Migration) -> tuple[str, ...]:
    """What did not hold, where it counted rightly; all of it was looked at."""
    watched = migration.watched()
    assert watched.unseen == ()
    return watched.broken


# What holds


@pytest.mark.parametrize("method", ["none", "zlib"])
def test_what_a_right_sender_sends_holds(method: str) -> None:
    migration = Migration(sender(method=method))

    assert migration.watched() == Watched(migration.carried)


def test_a_sender_before_9_0_is_held_to_what_it_promises() -> None:
    migration = Migration(sender(OLD))

    watched = migration.watched(transferred=8 * HEADER + 8 * PAGE + 2 * HEADER)

    assert watched == Watched(migration.carried)


RECORDINGS: Final = [("qemu-7.2-zlib", (7, 2)), ("qemu-10.0-zstd", (10, 0))]


def recorded(name: str, version: tuple[int, int]) -> tuple[Sender, list[bytes]]:
    """A real QEMU's migration, its count left out."""
    capture = Capture.open(CAPTURES / name)
    assert capture.manifest.method is not None and capture.main_path is not None
    of = Sender(
        capture.dialect, capture.dialect.flag(capture.manifest.method), False, PAGE,
        promise_of(version).without_count(), capture.main_sync, capture.manifest.channels,
    )  # fmt: skip
    return of, [path.read_bytes() for path in (capture.main_path, *capture.channel_paths())]


@pytest.mark.parametrize(("name", "version"), RECORDINGS)
def test_what_a_real_qemu_sent_holds(name: str, version: tuple[int, int]) -> None:
    of, streams = recorded(name, version)

    assert watch(of, streams).broken == ()


def test_connections_may_come_in_any_order() -> None:
    migration = Migration()

    assert watch(migration.of, migration.streams[::-1]) == Watched(migration.carried)


def test_device_state_among_packets_is_passed_over() -> None:
    migration = Migration()
    migration.packets[0].insert(0, bytearray(pack_device_state(DeviceStateHeader(64, "vfio", 0, 5000)) + bytes(5000)))

    assert broken(migration) == ()


def test_a_connection_on_which_nothing_is_said_is_not_missed() -> None:
    migration = Migration()

    assert watch(migration.of, [*migration.streams, b""]) == Watched(migration.carried)


# What does not hold

Wrong = Callable[[Migration], object]


def write(name: str, value: int | str, *, channel: int = 1, packet: int = 1) -> Wrong:
    """A header's field has this value."""
    return lambda migration: RAM[name].write(migration.packets[channel][packet], value)


def offsets(*values: int) -> Wrong:
    """The first offsets of the first packet with pages of channel 1."""

    def change(migration: Migration) -> None:
        packet = migration.packets[1][1]
        np.frombuffer(packet, ">u8", len(values), RAM["offset"].offset)[:] = values

    return change


def init(name: str, value: int, channel: int = 1) -> Wrong:
    return lambda migration: migration.inits[channel].__setitem__(INIT[name].place, value.to_bytes(INIT[name].size))


def lost(channel: int, packet: int) -> Wrong:
    return lambda migration: migration.packets[channel].pop(packet)


def twice(channel: int, packet: int) -> Wrong:
    return lambda migration: migration.packets[channel].insert(packet, migration.packets[channel][packet])


AT: Final = f"channel 1, packet 3, byte {64 + HEADER}: "
WRONG: Final[dict[str, tuple[Wrong, str]]] = {
    "magic": (write("magic", 0x11223345), f"channel 1, byte {64 + HEADER}: magic is 0x11223345, expected 0x11223344"),
    "version": (write("version", 2), f"channel 1, byte {64 + HEADER}: version is 0x2, expected 0x1"),
    "flags": (write("flags", 4), f"{AT}flags is 4, expected 2 with pages"),
    "SYNC with pages": (write("flags", 3), f"{AT}flags is 3, expected 2 with pages"),
    "a bit without meaning": (write("flags", 2 | 1 << 12), f"{AT}flags is 4098, expected 2 with pages"),
    "SYNC with a method": (
        write("flags", 3, packet=2),
        f"channel 1, packet 5, byte {64 + 2 * HEADER + PAYLOAD}: flags is 3, expected 1 without pages",
    ),
    "pages_alloc": (write("pages_alloc", 127), f"{AT}pages_alloc is 127, expected 128"),
    "more pages than slots": (
        write("zero_pages", 127), f"{AT}normal_pages + zero_pages is 129, expected at most pages_alloc",
    ),
    "next_packet_size without pages": (
        write("next_packet_size", 7, packet=2),
        f"channel 1, packet 5, byte {64 + 2 * HEADER + PAYLOAD}: next_packet_size is 7, expected 0 where no page is"
        " normal",
    ),
    "next_packet_size too small": (
        write("next_packet_size", PAYLOAD - 1),
        f"channel 1, byte {64 + 2 * HEADER + PAYLOAD - 1}: magic is 0x112233, expected 0x11223344",
    ),
    "next_packet_size too large": (
        write("next_packet_size", PAYLOAD + HEADER + 50, packet=3),
        f"channel 1, byte {64 + 5 * HEADER + 2 * PAYLOAD}: next_packet_size is 50 bytes too large, expected as many"
        " bytes as follow",
    ),
    "a packet cut": (
        lambda migration: migration.packets[1][4].__delitem__(slice(100, None)),
        f"channel 1, byte {64 + 4 * HEADER + 2 * PAYLOAD + 100}: packet is cut after 88 of 1332 bytes, expected a whole"
        " one",
    ),
    "next_packet_size is nothing": (
        write("next_packet_size", 0), f"{AT}next_packet_size is 0, expected 1 to 1048576 where pages are normal",
    ),
    "unknown RAM block": (write("ramblock", "X"), f"{AT}ramblock is 'X', expected one of main's list: m, pc.bios"),
    "offset behind its RAM block": (
        offsets(1 << 20), f"{AT}offset is 1048576, expected at most 1044480 in RAM block m",
    ),
    "offset unaligned": (offsets(PAGE + 1), f"{AT}offset is 4097, expected a multiple of 4096"),
    "offset twice": (offsets(PAGE, PAGE), f"{AT}offset is 4096, expected each once in a packet"),
    "packet_num twice": (
        write("packet_num", 2), "channel 1, packet 2: packet_num is 2, expected one that no other packet has",
    ),
    "a packet lost": (lost(1, 1), "packet_num is nowhere 3, expected every number from 0 to 9"),
    "the first number": (
        write("packet_num", 10, channel=0, packet=0), "packet_num is nowhere 0, expected every number from 0 to 10",
    ),
    "a packet doubled": (
        twice(1, 1), "channel 1, packet 3: packet_num is 3, expected one that no other packet has",
    ),
    "SYNC lost": (lost(1, 4), "channel 1: SYNC is sent 2 times, expected 3, as main says"),
    "two channels of one id": (init("id", 0), "id is 0, 0, expected 0 to 1, each once"),
    "an id too large": (init("id", 2), "id is 0, 2, expected 0 to 1, each once"),
    "another guest's uuid": (init("uuid", 1), f"channel 1: uuid is {1:032x}, expected {0:032x}, as on channel 0"),
    "the version of an init packet": (init("version", 2), "channel 1, byte 0: version is 2, expected 1"),
}  # fmt: skip
"""What is changed, and all that is said then."""
CONSEQUENCES: Final = {
    "SYNC with pages": "channel 1: SYNC is sent 4 times, expected 3, as main says",
    "next_packet_size is nothing": f"channel 1, byte {64 + 2 * HEADER}: magic is 0x0, expected 0x11223344",
    "packet_num twice": "packet_num is nowhere 3, expected every number from 0 to 9",
}
"""What else does not hold then."""


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_hold_is_named_once(name: str) -> None:
    wrong, expected = WRONG[name]
    migration = Migration()
    wrong(migration)

    first, *others = broken(migration)

    assert first.startswith(expected)
    assert others == ([CONSEQUENCES[name]] if name in CONSEQUENCES else [])


def test_without_compression_the_size_is_that_of_the_pages() -> None:
    migration = Migration(sender(method="none"))
    write("next_packet_size", PAGE)(migration)

    assert broken(migration) == (f"{AT}next_packet_size is 4096, expected the size of the normal pages",)


def test_zero_pages_in_packets_are_no_old_senders() -> None:
    migration = Migration(sender(OLD, promise=promise_of((7, 2)).without_count()))
    write("zero_pages", 1)(migration)

    assert migration.watched().broken == (
        f"{AT}zero_pages is 1, expected 0, for zero pages travel on the main channel",
    )


def test_numbers_of_an_old_sender_do_not_fall() -> None:
    migration = Migration(sender(OLD, promise=promise_of((7, 2)).without_count()))
    write("packet_num", 0)(migration)

    assert migration.watched().broken == (
        f"channel 1, packet 0, byte {64 + HEADER}: packet_num is 0, expected no number below that of the packet before",
    )


def test_a_last_packet_that_is_lost_shows_in_the_count_alone() -> None:
    migration = Migration()
    whole = migration.carried
    for packets in migration.packets:
        del packets[3]
        packets[-1][:] = packets[-1]
    for channel, number in ((0, 6), (1, 7)):
        RAM["packet_num"].write(migration.packets[channel][3], number)

    watched = migration.watched(transferred=whole)

    assert watched.broken == (f"ram.transferred is {whole}, expected {migration.carried}, the sum of all connections",)


def test_the_dropped_packets_of_zero_pages_are_seen() -> None:
    """QEMU commit cdc3970f85: one is numbered and counted, and never sent."""
    migration = Migration()
    counted = migration.carried
    RAM["normal_pages"].write(migration.packets[1][1], 0)
    del migration.packets[1][1][HEADER:]
    counted -= PAYLOAD
    migration.packets[1].pop(1)

    watched = migration.watched(transferred=counted)

    assert watched.broken == (
        "packet_num is nowhere 3, expected every number from 0 to 9",
        f"ram.transferred is {counted}, expected {counted - 1344}, the sum of all connections",
    )


@pytest.mark.parametrize("off", [-1, 1])
def test_an_old_sender_counts_pages_and_at_most_main_beside(off: int) -> None:
    migration = Migration(sender(OLD))
    least = 10 * HEADER + 8 * PAGE
    most = least + len(migration.main)

    watched = migration.watched(transferred=least - 1 if off < 0 else most + 1)

    assert watched.broken == (
        f"ram.transferred is {least - 1 if off < 0 else most + 1}, expected {least} to {most}, headers and pages as"
        " they are in memory, and at most all of main",
    )


def test_many_of_a_kind_are_counted() -> None:
    migration = Migration()
    for packet in (1, 3):
        write("flags", 0, packet=packet)(migration)

    assert broken(migration) == (f"{AT}flags is 0, expected 2 with pages (and 1 more)",)


def test_a_channel_more_than_was_told_is_seen() -> None:
    migration = Migration(sender(channels=1))

    assert broken(migration) == ("id is 0, 1, expected 0 to 0, each once",)


# What is broken off, and what cannot be looked at


def test_of_a_migration_that_was_broken_off_nothing_is_missed() -> None:
    migration = Migration()
    streams = [stream[: len(stream) * 2 // 3] for stream in migration.streams]

    assert watch(migration.of, streams, completed=False, transferred=0).broken == ()


@pytest.mark.parametrize("name", ["flags", "offset twice", "packet_num twice", "two channels of one id"])
def test_what_was_sent_until_then_is_looked_at(name: str) -> None:
    wrong, expected = WRONG[name]
    migration = Migration()
    wrong(migration)

    watched = migration.watched(completed=False, transferred=0)

    assert [text.startswith(expected) for text in watched.broken] == [True]


def test_tls_is_counted_and_not_looked_at() -> None:
    watched = watch(sender(), [TLS, TLS, TLS], transferred=0)

    assert watched == Watched(3 * len(TLS), (), tuple(f"connection {n}: TLS" for n in range(3)))


def test_a_stranger_is_named_and_what_was_looked_at_counts() -> None:
    migration = Migration()
    write("flags", 4)(migration)

    watched = watch(migration.of, [b"\xaa" * 10, *migration.streams])

    assert (watched.broken, watched.unseen) == (
        (f"{AT}flags is 4, expected 2 with pages",), ("connection 0: it begins with aaaaaaaa",),
    )  # fmt: skip


def test_too_few_bytes_to_tell_are_said() -> None:
    migration = Migration()

    watched = watch(migration.of, [*migration.streams, bytes.fromhex("11223344 00")])

    assert watched.unseen == ("connection 3: its 5 bytes do not say what it is",)


def test_a_main_channel_that_cannot_be_followed_is_said() -> None:
    migration = Migration()
    migration.main[migration.main.index(b"\x02\0\0\0\x02")] = 9

    watched = migration.watched()

    assert (watched.broken, watched.unseen) == ((), ("main: Unknown savevm section type 9",))


def test_what_nobody_knows_of_the_count_is_said() -> None:
    migration = Migration(sender(promise=Promise(Numbers.DENSE, exact_sizes=True, counted=None)))

    watched = migration.watched(transferred=0)

    assert (watched.broken, len(watched.unseen)) == ((), 1)
    assert watched.unseen[0].startswith("ram.transferred: ")


def test_a_receiver_that_was_gone_before_the_end_is_said() -> None:
    migration = Migration()
    witness = Witness(migration.of)
    for stream in migration.streams:
        witness.connection().feed(stream[:-100])

    watched = witness.conclude(completed=True, transferred=migration.carried)

    assert watched.unseen == tuple(f"connection {n}: the receiver was gone before its end" for n in range(3))
    assert watched.broken == ()


# However the bytes come


@given(data=st.data(), name=st.sampled_from([*WRONG, ""]))
def test_chunks_of_any_size_say_the_same(data: st.DataObject, name: str) -> None:
    migration = Migration()
    if name:
        WRONG[name][0](migration)
    whole = migration.watched()

    witness = Witness(migration.of)
    for stream in migration.streams:
        cuts = sorted({0, len(stream), *data.draw(st.lists(st.integers(0, len(stream)), max_size=20))})
        onlooker = witness.connection()
        for start, stop in itertools.pairwise(cuts):
            onlooker.feed(stream[start:stop])
        onlooker.finish()

    assert witness.conclude(completed=True, transferred=migration.carried) == whole


@pytest.mark.parametrize("name", [*WRONG, ""])
def test_byte_by_byte_says_the_same(name: str) -> None:
    migration = Migration()
    if name:
        WRONG[name][0](migration)

    assert watch(migration.of, migration.streams, step=1) == migration.watched()


def glimpsed(witness: Witness, streams: Sequence[bytes]) -> int:
    """Show a witness only what it wants to see; returns how many bytes that was."""
    shown = 0
    for stream in streams:
        onlooker, at = witness.connection(), 0
        while at < len(stream):
            if size := min(onlooker.passing, len(stream) - at):
                onlooker.passed(size)
            else:
                size = len(part := stream[at : at + onlooker.wanted])
                onlooker.feed(part)
                shown += size
            at += size
        onlooker.finish()
    return shown


@pytest.mark.parametrize(("name", "version"), RECORDINGS)
def test_payloads_need_not_be_seen(name: str, version: tuple[int, int]) -> None:
    of, streams = recorded(name, version)
    witness = Witness(of)

    glimpsed(witness, streams)

    assert witness.conclude(completed=True, transferred=0) == watch(of, streams)


def test_nothing_but_payloads_is_passed_unseen() -> None:
    migration = Migration(sender(method="none"))

    assert glimpsed(Witness(migration.of), migration.streams) == migration.carried - 4 * 2 * PAGE


# What each version promises


@pytest.mark.parametrize(
    ("version", "numbers", "counted"),
    [
        ((5, 0), Numbers.GROWING, Counted.PAGES),
        ((7, 2, 22), Numbers.GROWING, Counted.PAGES),
        ((8, 0, 5), Numbers.GROWING, Counted.PAGES),
        ((8, 1), Numbers.GROWING, None),
        ((8, 2), Numbers.GROWING, Counted.WIRE),
        ((9, 0), Numbers.DENSE, Counted.WIRE),
        ((11, 1, 3), Numbers.DENSE, Counted.WIRE),
        ((12, 0), Numbers.DENSE, Counted.WIRE),
    ],
)
def test_what_a_version_promises(version: tuple[int, ...], numbers: Numbers, counted: Counted | None) -> None:
    promise = promise_of(version)

    assert (promise.numbers, promise.counted, promise.exact_sizes) == (numbers, counted, version >= (9, 0))
