"""The packets of a multifd channel as values: read from bytes and written into them.

packet          size in bytes                          source
==============  =====================================  ====================================================
init            64                                     ``MultiFDInit_t``, migration/multifd.c (QEMU 10.2)
RAM             320 + 8 per page slot                  ``MultiFDPacket_t``, migration/multifd.h (QEMU 10.2)
device state    276                                    ``MultiFDPacketDeviceState_t``, QEMU 10.0
==============  =====================================  ====================================================

All integers are big-endian. A RAM packet always has its full length: 512 KiB / page size slots, used or not.
The first 12 bytes (magic, version, flags) are common to RAM and device-state packets.
=======
Where fields stand is in :mod:`multifd.wire.fields`. A RAM packet always has its full length: 512 KiB / page size
slots, used or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
import numpy.typing as npt
from typing_extensions import Buffer

from multifd.errors import TruncatedError, WireError
from multifd.wire.fields import DEVICE_STATE, INIT, MAGIC, PREFIX, RAM, VERSION
from multifd.wire.wording import FROM_9_2, Wording

INIT_SIZE: Final = INIT.size
PREFIX_SIZE: Final = PREFIX.size
DEVICE_STATE_SIZE: Final = DEVICE_STATE.size
OFFSETS_AT: Final = RAM["offset"].offset
PACKET_SIZE: Final = 512 * 1024
"""Bytes of guest memory in a full packet (``MULTIFD_PACKET_SIZE``), whatever the page size."""

PAGE_SIZES: Final = (4096, 16384, 65536)
NO_UUID: Final = bytes(16)

Offsets = npt.NDArray[np.uint64]

_OFFSET_SIZE: Final = RAM["offset"].size
_INIT: Final = INIT.struct()
_PREFIX: Final = PREFIX.struct()
_RAM: Final = RAM.struct()
_DEVICE_STATE: Final = DEVICE_STATE.struct()


def slots(page_size: int) -> int:
    """Page slots of a RAM packet (``multifd_ram_page_count``)."""
    return PACKET_SIZE // page_size


def header_size(page_size: int) -> int:
    """Bytes of a RAM packet header: 1344 for 4 KiB pages, 576 for 16 KiB, 384 for 64 KiB."""
    return OFFSETS_AT + _OFFSET_SIZE * slots(page_size)


def pack_init(channel: int, uuid: bytes = NO_UUID) -> bytes:
    """The packet that opens a channel; ``channel`` is 0 to 254, ``uuid`` 16 bytes."""
    return _INIT.pack(MAGIC, VERSION, uuid, channel)


def unpack_init(data: Buffer, *, channels: int, uuid: bytes = NO_UUID, wording: Wording = FROM_9_2) -> int:
    """Check an init packet as ``multifd_recv_initial_packet`` does and return its channel id.

    QEMU lets the id equal the number of channels pass (``msg.id > migrate_multifd_channels()``), one past
    its array; we refuse it with the same words.
    """
    view = memoryview(data)
    if len(view) < INIT_SIZE:
        raise TruncatedError("init packet", len(view), INIT_SIZE)
    magic, version, sent_uuid, channel = _INIT.unpack_from(view)
    if magic != MAGIC:
        raise WireError("magic", magic, MAGIC, wording.init_magic.format(value=magic, expected=MAGIC))
    if version != VERSION:
        raise WireError("version", version, VERSION, wording.init_version.format(value=version, expected=VERSION))
    if sent_uuid != uuid:
        received, expected = str(UUID(bytes=sent_uuid)), str(UUID(bytes=uuid))
        message = wording.init_uuid.format(value=received, expected=expected, channel=channel)
        raise WireError("uuid", received, expected, message)
    if channel >= channels:
        message = wording.init_id.format(value=channel, expected=channels)
        raise WireError("channel id", channel, f"below {channels}", message)
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


def unpack_prefix(data: Buffer, wording: Wording = FROM_9_2) -> int:
    """Check magic and version of a packet's first 12 bytes and return its flags."""
    magic, version, flags = _PREFIX.unpack_from(data)
    if magic != MAGIC:
        raise WireError("magic", magic, MAGIC, wording.magic.format(value=magic, expected=MAGIC))
    if version != VERSION:
        raise WireError("version", version, VERSION, wording.version.format(value=version, expected=VERSION))
    return int(flags)


def unpack_ram(data: Buffer, page_size: int) -> RamHeader:
    """Read a RAM packet header of ``header_size(page_size)`` bytes, whose prefix was checked."""
    view = memoryview(data)
    if len(view) < header_size(page_size):
        raise TruncatedError("packet header", len(view), header_size(page_size))
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
    """Read a device-state packet header of 276 bytes, whose prefix was checked."""
    view = memoryview(data)
    if len(view) < DEVICE_STATE_SIZE:
        raise TruncatedError("device-state packet", len(view), DEVICE_STATE_SIZE)
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
