"""One channel, each direction: what a receiver of each dialect takes, and how it refuses what it does not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.errors import HarnessError, TruncatedError, WireError
from multifd.wire.channel import (
    MAX_PAYLOAD,
    TRANSITIONS,
    DeviceState,
    Event,
    Opened,
    Packet,
    ReceivingChannel,
    State,
)
from multifd.wire.dialect import DIALECTS, SyncCarrier, ZeroPages
from multifd.wire.packet import (
    PAGE_SIZES,
    DeviceStateHeader,
    Offsets,
    RamHeader,
    header_size,
    pack_device_state,
    pack_init,
    pack_ram,
    slots,
    unpack_ram,
)
from multifd.wire.sending import SendingChannel

PAGE: Final = 4096
BLOCKS: Final = {"m": 1 << 20, "pc.bios": 1 << 16}
CAPTURES: Final = Path(__file__).parents[1] / "captures"
ZLIB: Final = 2

OLD: Final = ("qemu-5.0", "rfc-2023")
NEW: Final = ("qemu-9.0", "qemu-9.1", "qemu-9.2", "qemu-10.0")


def offsets(*pages: int) -> Offsets:
    return np.array(pages, np.uint64) * np.uint64(PAGE)


HEADER: Final = RamHeader(
    flags=ZLIB,
    pages_alloc=128,
    normal_pages=3,
    next_packet_size=1000,
    packet_num=7,
    zero_pages=2,
    ramblock="m",
    offsets=offsets(1, 2, 5, 3, 4),
)


def receiver(
    dialect: str = "qemu-10.0", *, flag: int = ZLIB, raw_pages: bool = False, page_size: int = PAGE
) -> ReceivingChannel:
    """A receiver of one channel that has just been created."""
    return ReceivingChannel(
        DIALECTS[dialect], flag=flag, raw_pages=raw_pages, page_size=page_size, blocks=BLOCKS, channels=1
    )


def opened(dialect: str = "qemu-10.0", **options: Any) -> ReceivingChannel:
    """A receiver that has taken the init packet."""
    channel = receiver(dialect, **options)
    channel.feed(pack_init(0))
    return channel


def feed(channel: ReceivingChannel, packet: bytes | bytearray) -> Event:
    """Feed what is wanted until there is an event; the whole packet must have been wanted."""
    event, at = None, 0
    while event is None:
        wanted = channel.wanted
        assert wanted, "the packet was over before there was an event"
        event = channel.feed(packet[at : at + wanted])
        at += wanted
    assert at == len(packet)
    return event


def received(dialect: str = "qemu-10.0", *, raw_pages: bool = False, flag: int = ZLIB, **fields: Any) -> Packet:
    """The event that a receiver of this dialect makes of :data:`HEADER` with these fields changed."""
    event = feed(opened(dialect, raw_pages=raw_pages, flag=flag), pack_ram(replace(HEADER, **fields), PAGE))
    assert isinstance(event, Packet)
    return event


def refusal(dialect: str = "qemu-10.0", **fields: Any) -> WireError:
    with pytest.raises(WireError) as caught:
        received(dialect, **fields)
    return caught.value


def pages(packet: Packet) -> tuple[list[int], list[int]]:
    """Numbers of the normal and of the zero pages."""
    return (packet.normal // np.uint64(PAGE)).tolist(), (packet.zero // np.uint64(PAGE)).tolist()


# --- states -------------------------------------------------------------------------------------------------


def test_a_channel_opens_with_its_init_packet() -> None:
    channel = receiver()

    assert (channel.state, channel.wanted) == (State.INIT, 64)
    assert channel.feed(pack_init(0)) == Opened(0)
    assert (channel.state, channel.wanted, channel.channel) == (State.IDLE, 12, 0)


@pytest.mark.parametrize("page_size", PAGE_SIZES)
def test_a_header_is_asked_for_in_two_pieces(page_size: int) -> None:
    channel = opened(page_size=page_size)

    event = channel.feed(pack_ram(HEADER, page_size)[:12])

    assert (event, channel.state, channel.wanted) == (None, State.HEADER, header_size(page_size) - 12)


def test_a_payload_is_left_to_the_framing() -> None:
    channel = opened()

    event = feed(channel, pack_ram(HEADER, PAGE))

    assert isinstance(event, Packet)
    assert (event.payload_size, channel.state, channel.wanted) == (1000, State.PAYLOAD, 0)


def test_the_next_packet_follows_the_payload() -> None:
    channel = opened()
    feed(channel, pack_ram(HEADER, PAGE))

    channel.payload_done()

    assert (channel.state, channel.wanted) == (State.IDLE, 12)


def test_an_idle_channel_may_end() -> None:
    channel = opened()

    channel.finish()

    assert (channel.state, channel.wanted) == (State.CLOSED, 0)


def in_state(state: State) -> ReceivingChannel:
    channel = receiver() if state is State.INIT else opened()
    if state is State.HEADER:
        channel.feed(pack_ram(HEADER, PAGE)[:12])
    if state is State.PAYLOAD:
        feed(channel, pack_ram(HEADER, PAGE))
    return channel


@pytest.mark.parametrize(
    ("state", "got", "field", "expected"),
    [
        (State.INIT, 0, "init packet", 64),
        (State.INIT, 63, "init packet", 64),
        (State.IDLE, 1, "packet header", 12),
        (State.IDLE, 11, "packet header", 12),
        (State.HEADER, 0, "packet header", 1332),
        (State.HEADER, 1331, "packet header", 1332),
        (State.PAYLOAD, 0, "packet payload", 1000),
        (State.PAYLOAD, 999, "packet payload", 1000),
    ],
)
def test_a_stream_that_ends_anywhere_else_is_truncated(state: State, got: int, field: str, expected: int) -> None:
    with pytest.raises(TruncatedError) as caught:
        in_state(state).finish(got)

    assert str(caught.value) == (
        f"multifd: {field}: stream ended after {got} of {expected} bytes"
        " (Unexpected end-of-file before all data were read)"
    )


# --- errors and mistakes ------------------------------------------------------------------------------------


def broken() -> tuple[ReceivingChannel, WireError]:
    """A channel that has refused a header, and the refusal."""
    channel = opened()
    with pytest.raises(WireError) as caught:
        feed(channel, pack_ram(replace(HEADER, offsets=offsets(1, 2, 256)), PAGE))
    return channel, caught.value


LATER: Final[dict[str, Callable[[ReceivingChannel], object]]] = {
    "feed": lambda channel: channel.feed(pack_ram(HEADER, PAGE)[:12]),
    "feed nothing": lambda channel: channel.feed(b""),
    "finish": lambda channel: channel.finish(),
    "finish within": lambda channel: channel.finish(5),
    "payload_done": lambda channel: channel.payload_done(),
    "next": lambda channel: channel.next(bytes),
}


@pytest.mark.parametrize("later", LATER.values(), ids=list(LATER))
def test_an_error_is_final_whatever_is_asked_later(later: Callable[[ReceivingChannel], object]) -> None:
    channel, first = broken()

    for _ in range(2):
        with pytest.raises(WireError) as caught:
            later(channel)

        assert caught.value is first
        assert (channel.state, channel.wanted) == (State.ERROR, 0)


BREAKS: Final = {
    "init packet": (receiver, bytes(64)),
    "prefix": (opened, bytes(12)),
}


@pytest.mark.parametrize("name", BREAKS)
def test_every_refusal_ends_in_the_same_state(name: str) -> None:
    make, data = BREAKS[name]
    channel = make()

    with pytest.raises(WireError):
        channel.feed(data)

    assert (channel.state, channel.wanted) == (State.ERROR, 0)


@pytest.mark.parametrize("state", [State.INIT, State.HEADER, State.PAYLOAD])
def test_a_truncated_stream_is_such_an_error(state: State) -> None:
    channel = in_state(state)
    with pytest.raises(TruncatedError) as first:
        channel.finish(3)

    with pytest.raises(TruncatedError) as second:
        channel.finish(3)

    assert second.value is first.value
    assert channel.state is State.ERROR


@pytest.mark.parametrize("size", [0, 11, 13, 64])
def test_any_other_number_of_bytes_than_wanted_is_our_mistake_and_changes_nothing(size: int) -> None:
    channel = opened()

    with pytest.raises(HarnessError) as caught:
        channel.feed(bytes(size))

    assert str(caught.value) == f"{size} bytes were fed in state IDLE, 12 are wanted"
    assert channel.feed(pack_ram(HEADER, PAGE)[:12]) is None


def closed() -> ReceivingChannel:
    channel = opened()
    channel.finish()
    return channel


@pytest.mark.parametrize("make", [lambda: in_state(State.PAYLOAD), closed], ids=["PAYLOAD", "CLOSED"])
@pytest.mark.parametrize("data", [b"", b"x"])
def test_nothing_is_fed_where_nothing_is_wanted(make: Callable[[], ReceivingChannel], data: bytes) -> None:
    channel = make()
    state = channel.state

    with pytest.raises(HarnessError, match=rf"^{len(data)} bytes were fed in state {state}, 0 are wanted$"):
        channel.feed(data)

    assert channel.state is state


def test_a_stream_ends_only_once() -> None:
    with pytest.raises(HarnessError, match=r"^the end of the stream cannot happen in state CLOSED$"):
        closed().finish()


@pytest.mark.parametrize(
    ("state", "due"), [(State.INIT, 64), (State.IDLE, 12), (State.HEADER, 1332), (State.PAYLOAD, 1000)]
)
def test_a_stream_that_ended_after_all_that_was_due_has_not_been_fed(state: State, due: int) -> None:
    with pytest.raises(HarnessError) as caught:
        in_state(state).finish(due)

    assert str(caught.value) == f"the stream ended in state {state} after {due} of {due} bytes, which is all"


@pytest.mark.parametrize("state", [State.INIT, State.IDLE, State.HEADER])
def test_no_payload_is_done_where_none_was_announced(state: State) -> None:
    channel = in_state(state)

    with pytest.raises(HarnessError, match=rf"^the end of a payload cannot happen in state {state}$"):
        channel.payload_done()

    assert channel.state is state


def test_a_reader_that_gives_too_much_is_our_mistake() -> None:
    with pytest.raises(HarnessError, match=r"^13 bytes were fed in state IDLE, 12 are wanted$"):
        opened().next(lambda size: bytes(size + 1))


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(State)
    assert {state for row in TRANSITIONS.values() for state in row.values()} == set(State) - {State.INIT, State.ERROR}


# --- pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", NEW)
def test_normal_pages_come_first_and_zero_pages_after_them(dialect: str) -> None:
    assert pages(received(dialect)) == ([1, 2, 5], [3, 4])


@pytest.mark.parametrize("dialect", OLD)
def test_dialects_before_9_0_ignore_the_count_of_zero_pages(dialect: str) -> None:
    assert pages(received(dialect)) == ([1, 2, 5], [])


@pytest.mark.parametrize("dialect", OLD)
def test_dialects_before_9_0_take_a_packet_of_zero_pages_only_as_empty(dialect: str) -> None:
    packet = received(dialect, normal_pages=0, flags=0x20)

    assert (pages(packet), packet.payload_size) == (([], []), 0)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stale_size_is_no_payload_where_there_are_no_normal_pages(dialect: str) -> None:
    channel = opened(dialect)

    event = feed(channel, pack_ram(replace(HEADER, normal_pages=0, zero_pages=0), PAGE))

    assert isinstance(event, Packet)
    assert (event.payload_size, channel.state) == (0, State.IDLE)


@pytest.mark.parametrize("dialect", NEW)
def test_a_packet_of_zero_pages_only_has_no_payload(dialect: str) -> None:
    packet = received(dialect, normal_pages=0, next_packet_size=0)

    assert (pages(packet), packet.payload_size) == (([], [1, 2]), 0)


@pytest.mark.parametrize("dialect", NEW)
def test_where_qemu_asserts_that_there_is_no_payload_the_receiver_says_so(dialect: str) -> None:
    with pytest.raises(WireError) as error:
        received(dialect, normal_pages=0, next_packet_size=77)

    assert "payload of 77 bytes where no page is normal: QEMU asserts that there is none" in str(error.value)


@pytest.mark.parametrize("dialect", NEW)
def test_without_compression_the_size_of_zero_pages_is_not_looked_at(dialect: str) -> None:
    packet = received(dialect, flag=0, raw_pages=True, flags=0, normal_pages=0, next_packet_size=77)

    assert (pages(packet), packet.payload_size) == (([], [1, 2]), 0)


@pytest.mark.parametrize("size", [0, 1000, 3 * PAGE, 0xFFFFFFFF])
def test_without_compression_whole_pages_follow_whatever_the_size_says(size: int) -> None:
    packet = received(flag=0, raw_pages=True, flags=0, next_packet_size=size)

    assert packet.payload_size == 3 * PAGE


@pytest.mark.parametrize("sync", [False, True])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_sync_is_seen_on_data_packets_of_every_dialect(dialect: str, sync: bool) -> None:
    assert received(dialect, flags=ZLIB | sync).sync is sync


@pytest.mark.parametrize("dialect", DIALECTS)
def test_sync_is_seen_on_empty_packets_of_every_dialect(dialect: str) -> None:
    packet = received(dialect, flags=1, pages_alloc=0, normal_pages=0, zero_pages=0, ramblock="")

    assert (packet.sync, pages(packet)) == (True, ([], []))


# --- refusals -----------------------------------------------------------------------------------------------

WORDINGS: Final = {
    OLD: (
        "multifd: received packet with size 129 and expected a size of 128",
        "multifd: received packet with 6 pages and expected maximum pages are 5",
        None,
    ),
    ("qemu-9.0", "qemu-9.1"): (
        "multifd: received packet with size 129 and expected a size of 128",
        "multifd: received packet with 6 normal pages and expected maximum pages are 5",
        "multifd: received packet with 3 zero pages and expected maximum zero pages are 2",
    ),
    ("qemu-9.2", "qemu-10.0"): (
        "multifd: received packet with 129 pages, expected 128",
        "multifd: received packet with 6 non-zero pages, which exceeds maximum expected pages 5",
        "multifd: received packet with 3 zero pages, expected maximum 2",
    ),
}
"""Dialects to their words for too many allocated, normal and zero pages; before 9.0 the last are not read."""

BY_DIALECT: Final = [(dialect, words) for dialects, words in WORDINGS.items() for dialect in dialects]


@pytest.mark.parametrize(("dialect", "words"), BY_DIALECT)
def test_more_slots_than_a_packet_has_are_refused(dialect: str, words: tuple[str, ...]) -> None:
    error = refusal(dialect, pages_alloc=129)

    assert (error.field, error.value, error.expected, str(error)) == ("pages_alloc", 129, 128, words[0])


@pytest.mark.parametrize(("dialect", "words"), BY_DIALECT)
def test_more_normal_pages_than_slots_are_refused(dialect: str, words: tuple[str, ...]) -> None:
    error = refusal(dialect, pages_alloc=5, normal_pages=6)

    assert (error.field, error.value, error.expected, str(error)) == ("normal_pages", 6, 5, words[1])


@pytest.mark.parametrize(("dialect", "words"), [row for row in BY_DIALECT if row[0] in NEW])
def test_more_zero_pages_than_slots_left_are_refused(dialect: str, words: tuple[str, ...]) -> None:
    error = refusal(dialect, pages_alloc=5, normal_pages=3, zero_pages=3)

    assert (error.field, error.value, error.expected, str(error)) == ("zero_pages", 3, 2, words[2])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_all_slots_may_be_used(dialect: str) -> None:
    packet = received(dialect, normal_pages=100, zero_pages=28, offsets=offsets(*range(128)))

    assert len(packet.normal) == 100
    assert len(packet.zero) == (28 if dialect in NEW else 0)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"ramblock": "pc.ram"}, "ramblock", "multifd: unknown ram block pc.ram"),
        (
            {"offsets": offsets(1, 2, 256)},
            "offset",
            "multifd: offset too long 1048576 (max 100000)",
        ),
        (
            {"offsets": np.array([PAGE, 100, 0], np.uint64)},
            "offset",
            "multifd: offset is 100, expected a multiple of the page size 4096",
        ),
        ({"flags": 4}, "flags", "multifd 0: flags received 4 flags expected 2"),
        ({"flags": 0}, "flags", "multifd 0: flags received 0 flags expected 2"),
        (
            {"next_packet_size": MAX_PAYLOAD + 1},
            "next_packet_size",
            "multifd 0: received unexpectedly large packet",
        ),
    ],
)
def test_a_header_that_no_sender_makes_is_refused_in_qemus_words(
    dialect: str, fields: dict[str, Any], field: str, message: str
) -> None:
    error = refusal(dialect, **fields)

    assert (error.field, str(error)) == (field, message)


def test_offsets_of_zero_pages_are_checked_too() -> None:
    assert str(refusal("qemu-9.0", offsets=offsets(0, 1, 2, 3, 300))) == (
        "multifd: offset too long 1228800 (max 100000)"
    )


def test_offsets_behind_the_last_page_are_not_looked_at() -> None:
    assert pages(received("qemu-5.0", offsets=offsets(1, 2, 5, 300, 400))) == ([1, 2, 5], [])


def test_the_last_page_of_a_block_is_accepted() -> None:
    assert pages(received(ramblock="pc.bios", offsets=offsets(0, 14, 15)))[0] == [0, 14, 15]


def test_a_payload_of_a_mebibyte_is_accepted() -> None:
    assert received(next_packet_size=1 << 20).payload_size == MAX_PAYLOAD == 1 << 20


@pytest.mark.parametrize("dialect", DIALECTS)
def test_flags_are_not_looked_at_where_there_are_no_pages(dialect: str) -> None:
    packet = received(dialect, flags=0x20, normal_pages=0, zero_pages=0)

    assert (packet.flags, packet.payload_size) == (0x20, 0)


# --- flags under the receiver's mask ------------------------------------------------------------------------

ACCEPTED: Final[dict[tuple[str, int], set[int]]] = {
    ("qemu-5.0", 0): {0x00, 0x10, 0x20},
    ("qemu-5.0", ZLIB): {0x02},
    ("rfc-2023", 0): {0x00, 0x10, 0x20},
    ("rfc-2023", 6): {0x06},
    ("qemu-9.0", 0): {0x00, 0x10, 0x20},
    ("qemu-9.1", 0): {0x00, 0x20},
    ("qemu-9.1", 8): {0x08},
    ("qemu-9.1", 16): {0x10},
    ("qemu-9.2", 0): {0x00},
    ("qemu-9.2", 32): {0x20},
    ("qemu-10.0", 0): {0x00},
    ("qemu-10.0", 32): {0x20},
}
"""Which methods' flags a receiver of a dialect takes for its own: those beyond its mask read as none."""


@pytest.mark.parametrize(("dialect", "flag"), ACCEPTED)
@pytest.mark.parametrize("sent", [0x00, 0x02, 0x04, 0x06, 0x08, 0x10, 0x20])
def test_a_receiver_takes_what_its_mask_leaves_of_the_flags(dialect: str, flag: int, sent: int) -> None:
    channel = opened(dialect, flag=flag)
    header = pack_ram(replace(HEADER, flags=sent), PAGE)

    if sent in ACCEPTED[dialect, flag]:
        assert isinstance(feed(channel, header), Packet)
        return
    with pytest.raises(WireError) as caught:
        feed(channel, header)

    shown = sent & DIALECTS[dialect].mask
    assert str(caught.value) == f"multifd 0: flags received {shown:x} flags expected {flag:x}"


# --- device state -------------------------------------------------------------------------------------------

DEVICE_STATE: Final = pack_device_state(DeviceStateHeader(64, "0000:00:02.0/vfio", 3, 5000))


def test_a_device_state_packet_is_announced_to_be_skipped() -> None:
    channel = opened("qemu-10.0")

    event = feed(channel, DEVICE_STATE)

    assert event == DeviceState("0000:00:02.0/vfio", 3, 5000)
    assert channel.state is State.PAYLOAD


def test_a_device_state_packet_may_be_empty() -> None:
    channel = opened("qemu-10.0")

    feed(channel, pack_device_state(DeviceStateHeader(64, "vfio", 0, 0)))

    assert channel.state is State.IDLE


def test_a_device_state_packet_above_a_mebibyte_is_refused() -> None:
    with pytest.raises(WireError, match=r"^multifd 0: received unexpectedly large packet$"):
        feed(opened("qemu-10.0"), pack_device_state(DeviceStateHeader(64, "vfio", 0, MAX_PAYLOAD + 1)))


def test_a_dialect_without_device_state_reads_its_name_as_a_page_count() -> None:
    data = DEVICE_STATE + bytes(header_size(PAGE) - len(DEVICE_STATE))

    with pytest.raises(WireError) as caught:
        feed(opened("qemu-9.2"), data)

    assert str(caught.value) == (f"multifd: received packet with {int.from_bytes(b'0000')} pages, expected 128")


# --- sending ------------------------------------------------------------------------------------------------


def sender(dialect: str, *, page_size: int = PAGE, flag: int = ZLIB) -> SendingChannel:
    return SendingChannel(DIALECTS[dialect], 0, flag=flag, page_size=page_size)


@pytest.mark.parametrize("dialect", NEW)
def test_sync_is_a_packet_of_its_own_since_9_0(dialect: str) -> None:
    channel = sender(dialect)
    channel.packet("m", offsets(1), offsets(), 1000)

    header = unpack_ram(channel.sync(), PAGE)

    assert (header.flags, header.pages_alloc, header.normal_pages, header.next_packet_size) == (1, 0, 0, 0)
    assert (header.packet_num, header.zero_pages, header.ramblock) == (1, 0, "")


@pytest.mark.parametrize("dialect", OLD)
def test_empty_packets_keep_the_last_size_and_block_before_9_0(dialect: str) -> None:
    channel = sender(dialect)
    channel.packet("m", offsets(1), offsets(), 1000)

    for packet, flags in ((channel.sync(), 1), (channel.trailing(), 0)):
        header = unpack_ram(packet, PAGE)

        assert (header.flags, header.pages_alloc, header.normal_pages) == (flags, 128, 0)
        assert (header.next_packet_size, header.ramblock, header.packet_num) == (1000, "m", 1)


@pytest.mark.parametrize("dialect", OLD)
def test_a_packet_without_payload_leaves_the_last_size_before_9_0(dialect: str) -> None:
    channel = sender(dialect)
    channel.packet("m", offsets(1), offsets(), 1000)
    channel.packet("m", offsets(), offsets(), 0)

    assert unpack_ram(channel.sync(), PAGE).next_packet_size == 1000


@pytest.mark.parametrize("dialect", OLD)
def test_a_data_packet_carries_sync_before_9_0(dialect: str) -> None:
    packet = sender(dialect).packet("m", offsets(1), offsets(), 1000, sync=True)

    assert unpack_ram(packet, PAGE).flags == ZLIB | 1


def test_packet_numbers_count_over_all_channels() -> None:
    numbers = count()
    channels = [
        SendingChannel(DIALECTS["qemu-10.0"], channel, flag=0, page_size=PAGE, numbers=numbers) for channel in range(3)
    ]

    packets = [channel.sync() for channel in channels * 2]

    assert [unpack_ram(packet, PAGE).packet_num for packet in packets] == list(range(6))


@given(st.sampled_from(sorted(DIALECTS)), st.sampled_from(PAGE_SIZES), st.data())
def test_what_a_sender_says_its_receiver_hears(dialect: str, page_size: int, data: st.DataObject) -> None:
    known = DIALECTS[dialect]
    flag = data.draw(st.sampled_from(list(known.flags.values())))
    block = data.draw(st.sampled_from(sorted(BLOCKS)))
    numbers = st.integers(0, BLOCKS[block] // page_size - 1)
    chosen = data.draw(st.lists(numbers, unique=True, max_size=slots(page_size)))
    zero_count = data.draw(st.integers(0, len(chosen))) if known.zero_pages is ZeroPages.PACKET else 0
    sent = np.array(chosen, np.uint64) * np.uint64(page_size)
    normal, zero = sent[: len(sent) - zero_count], sent[len(sent) - zero_count :]
    size = data.draw(st.integers(1, MAX_PAYLOAD)) if len(normal) else 0
    sync = known.sync is SyncCarrier.DATA and data.draw(st.booleans())
    source, target = (
        sender(dialect, page_size=page_size, flag=flag),
        receiver(dialect, page_size=page_size, flag=flag),
    )
    target.feed(source.open())

    packet = feed(target, source.packet(block, normal, zero, size, sync=sync))
    if size:
        target.payload_done()
    last = feed(target, source.sync())

    assert isinstance(packet, Packet)
    assert (packet.block, packet.normal.tolist(), packet.zero.tolist()) == (
        block if len(sent) else packet.block,
        normal.tolist(),
        zero.tolist(),
    )
    assert (packet.payload_size, packet.sync, packet.number) == (size, sync, 0)
    assert isinstance(last, Packet)
    assert (last.sync, last.payload_size, len(last.normal), len(last.zero)) == (True, 0, 0, 0)


# --- real streams -------------------------------------------------------------------------------------------


READ: Final = {
    ("qemu-7.2-zlib", 0): {"packets": 4, "normal": 42, "zero": 0, "sync": 3},
    ("qemu-7.2-zlib", 1): {"packets": 6, "normal": 3, "zero": 0, "sync": 3},
    ("qemu-10.0-zstd", 0): {"packets": 23, "normal": 19, "zero": 2206, "sync": 3},
    ("qemu-10.0-zstd", 1): {"packets": 20, "normal": 27, "zero": 1926, "sync": 3},
}
"""What each captured channel holds."""


@pytest.mark.parametrize(("capture", "number"), READ)
def test_a_captured_channel_is_read_to_its_end(capture: str, number: int) -> None:
    manifest = json.loads((CAPTURES / capture / "manifest.json").read_text())
    stream = (CAPTURES / capture / f"channel-{number}.bin").read_bytes()
    dialect = DIALECTS[manifest["dialect"]]
    channel = ReceivingChannel(
        dialect,
        flag=dialect.flag(manifest["method"]),
        raw_pages=False,
        page_size=manifest["page_size"],
        blocks=manifest["ramblocks"],
        channels=manifest["channels"],
    )
    seen: Counter[str] = Counter()
    at = 0

    while at < len(stream):
        wanted = channel.wanted
        event = channel.feed(stream[at : at + wanted])
        at += wanted
        if isinstance(event, Packet):
            seen.update(packets=1, normal=len(event.normal), zero=len(event.zero), sync=event.sync)
            if event.payload_size:
                at += event.payload_size
                channel.payload_done()
    channel.finish()

    assert seen == READ[capture, number]
