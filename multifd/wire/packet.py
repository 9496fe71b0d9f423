"""The three packets of a multifd channel, byte for byte.

==============  =====================================  ====================================================
packet          size in bytes                          source
==============  =====================================  ====================================================
init            64                                     ``MultiFDInit_t``, migration/multifd.c (QEMU 10.2)
RAM             320 + 8 per page slot                  ``MultiFDPacket_t``, migration/multifd.h (QEMU 10.2)
device state    276                                    ``MultiFDPacketDeviceState_t``, QEMU 10.0
==============  =====================================  ====================================================

All integers are big-endian. A RAM packet always has its full length: 512 KiB / page size slots, used or not.
The first 12 bytes (magic, version, flags) are common to RAM and device-state packets.
"""

from __future__ import annotations

import struct
import uuid as uuid_module
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from typing_extensions import Buffer

from multifd.errors import TruncatedError, WireError

MAGIC: Final = 0x11223344
VERSION: Final = 1
INIT_SIZE: Final = 64
PREFIX_SIZE: Final = 12
DEVICE_STATE_SIZE: Final = 276
OFFSETS_AT: Final = 320
PACKET_SIZE: Final = 512 * 1024
"""Bytes of guest memory in a full packet (``MULTIFD_PACKET_SIZE``), whatever the page size."""

PAGE_SIZES: Final = (4096, 16384, 65536)
NO_UUID: Final = bytes(16)

Offsets = npt.NDArray[np.uint64]

_INIT = struct.Struct(">II16sB39x")
_PREFIX = struct.Struct(">III")
_RAM = struct.Struct(">IIIIIIQI28x256s")
_DEVICE_STATE = struct.Struct(">III256sII")


def slots(page_size: int) -> int:
    """Page slots of a RAM packet (``multifd_ram_page_count``)."""
    return PACKET_SIZE // page_size


def header_size(page_size: int) -> int:
    """Bytes of a RAM packet header: 1344 for 4 KiB pages, 576 for 16 KiB, 384 for 64 KiB."""
    return OFFSETS_AT + 8 * slots(page_size)


def pack_init(channel: int, uuid: bytes = NO_UUID) -> bytes:
    """The packet that opens a channel; ``channel`` is 0 to 254, ``uuid`` 16 bytes."""
    return _INIT.pack(MAGIC, VERSION, uuid, channel)


def unpack_init(data: Buffer, *, channels: int, uuid: bytes = NO_UUID) -> int:
    """Check an init packet as ``multifd_recv_initial_packet`` does and return its channel id.

    QEMU lets the id equal the number of channels pass (``msg.id > migrate_multifd_channels()``), one past
    its array; we refuse it with the same words.
    """
    view = memoryview(data)
    if len(view) < INIT_SIZE:
        raise TruncatedError("init packet", len(view), INIT_SIZE)
    magic, version, sent_uuid, channel = _INIT.unpack_from(view)
    if magic != MAGIC:
        raise WireError("magic", magic, MAGIC, f"multifd: received packet magic {magic:x} expected {MAGIC:x}")
    if version != VERSION:
        raise WireError("version", version, VERSION, f"multifd: received packet version {version} expected {VERSION}")
    if sent_uuid != uuid:
        received, expected = uuid_module.UUID(bytes=sent_uuid), uuid_module.UUID(bytes=uuid)
        raise WireError(
            "uuid",
            str(received),
            str(expected),
            f"multifd: received uuid '{received}' and expected uuid '{expected}' for channel {channel}",
        )
    if channel >= channels:
        raise WireError(
            "channel id",
            channel,
            f"below {channels}",
            f"multifd: received channel id {channel} is greater than number of channels {channels}",
        )
    return int(channel)


@dataclass(slots=True)
class RamHeader:
    """A RAM packet header as it stands on the wire; :class:`multifd.wire.channel.ReceivingChannel` judges it."""

    flags: int
    pages_alloc: int
    normal_pages: int
    next_packet_size: int
    packet_num: int
    zero_pages: int
    ramblock: str
    offsets: Offsets
    """All slots in wire order: normal pages first, then (9.0 and later) zero pages, then unused ones."""


def unpack_prefix(data: Buffer) -> int:
    """Check magic and version of a packet's first 12 bytes and return its flags."""
    magic, version, flags = _PREFIX.unpack_from(data)
    if magic != MAGIC:
        raise WireError("magic", magic, MAGIC, f"multifd: received packet magic {magic:x} and expected magic {MAGIC:x}")
    if version != VERSION:
        raise WireError(
            "version",
            version,
            VERSION,
            f"multifd: received packet version {version} and expected version {VERSION}",
        )
    return int(flags)


def unpack_ram(data: Buffer, page_size: int) -> RamHeader:
    """Read a RAM packet header of ``header_size(page_size)`` bytes; magic and version are checked."""
    view = memoryview(data)
    if len(view) < header_size(page_size):
        raise TruncatedError("packet header", len(view), header_size(page_size))
    unpack_prefix(view)
    _, _, flags, alloc, normal, size, number, zero, name = _RAM.unpack_from(view)
    offsets = np.frombuffer(view, ">u8", slots(page_size), OFFSETS_AT).astype(np.uint64)
    # QEMU sets byte 255 to zero before it looks the name up, so an unterminated name loses its last byte.
    block = name[:255].split(b"\0", 1)[0].decode("latin-1")
    return RamHeader(flags, alloc, normal, size, number, zero, block, offsets)


def pack_ram(header: RamHeader, page_size: int) -> bytearray:
    """A RAM packet header of ``header_size(page_size)`` bytes; missing offsets are zero."""
    data = bytearray(header_size(page_size))
    _RAM.pack_into(
        data,
        0,
        MAGIC,
        VERSION,
        header.flags,
        header.pages_alloc,
        header.normal_pages,
        header.next_packet_size,
        header.packet_num,
        header.zero_pages,
        header.ramblock.encode("latin-1"),
    )
    np.frombuffer(data, ">u8", len(header.offsets), OFFSETS_AT)[:] = header.offsets
    return data


@dataclass(frozen=True, slots=True)
class DeviceStateHeader:
    """A device-state packet header (QEMU 10.0 and later, VFIO); ``next_packet_size`` bytes of state follow."""

    flags: int
    idstr: str
    instance_id: int
    next_packet_size: int


def unpack_device_state(data: Buffer) -> DeviceStateHeader:
    """Read a device-state packet header of 276 bytes; magic and version are checked."""
    view = memoryview(data)
    if len(view) < DEVICE_STATE_SIZE:
        raise TruncatedError("device-state packet", len(view), DEVICE_STATE_SIZE)
    unpack_prefix(view)
    _, _, flags, idstr, instance, size = _DEVICE_STATE.unpack_from(view)
    return DeviceStateHeader(flags, idstr.split(b"\0", 1)[0].decode("latin-1"), instance, size)


def pack_device_state(header: DeviceStateHeader) -> bytes:
    """A device-state packet header of 276 bytes."""
    return _DEVICE_STATE.pack(
        MAGIC,
        VERSION,
        header.flags,
        header.idstr.encode("latin-1"),
        header.instance_id,
        header.next_packet_size,
    )
