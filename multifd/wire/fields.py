"""The packets of a multifd channel, field by field: what is written down nowhere else.

Structs, faults, splice, tap, ``multifd dissect``, docs/wire.md and docs/multifd.ksy take places and sizes from here, or
are held against it. All integers are big-endian; every offset counts from the packet's first byte.

==============  =====================================  ===========================================
packet          size in bytes                          source
==============  =====================================  ===========================================
init            64                                     ``MultiFDInit_t``, migration/multifd.c (QEMU 10.2)
RAM             320 + 8 per page slot                  ``MultiFDPacket_t``, migration/multifd.h (QEMU 10.2)
device state    276                                    ``MultiFDPacketDeviceState_t``, the same
==============  =====================================  ===========================================

The first 12 bytes (magic, version, flags) are common to RAM and device-state packets: a reader tells them by the flags.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from typing import Final
from uuid import UUID

MAGIC: Final = 0x11223344
VERSION: Final = 1

_INTEGERS: Final = {1: "B", 4: "I", 8: "Q"}


class Form(Enum):
    """How a field's bytes are read."""

    INTEGER = "integer"
    UUID = "uuid"
    TEXT = "text"
    """Latin-1, ended by a zero byte or by the field."""
    RESERVED = "reserved"
    """Sent as zeros, not looked at."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a packet."""

    name: str
    offset: int
    """Bytes from the start of the packet."""
    size: int
    """Bytes; of an array, those of one element."""
    form: Form
    meaning: str
    always: int | None = None
    """The only value that a receiver accepts."""
    array: bool = False
    """One for each page slot, to the end of the packet."""

    @property
    def place(self) -> slice:
        """Where it is in a packet; of an array, the first element."""
        return slice(self.offset, self.offset + self.size)

    @property
    def code(self) -> str:
        """The field as :mod:`struct` writes it."""
        match self.form:
            case Form.INTEGER:
                return _INTEGERS[self.size]
            case Form.RESERVED:
                return f"{self.size}x"
            case Form.UUID | Form.TEXT:
                return f"{self.size}s"

    def read(self, packet: bytes | bytearray | memoryview, at: int = 0) -> int | str | UUID:
        """The value in a packet that starts at byte ``at``; reserved bytes as one integer."""
        data = bytes(packet[at + self.offset : at + self.offset + self.size])
        match self.form:
            case Form.UUID:
                return UUID(bytes=data)
            case Form.TEXT:
                return data.split(b"\0", 1)[0].decode("latin-1")
            case Form.INTEGER | Form.RESERVED:
                return int.from_bytes(data)

    def write(self, packet: bytearray, value: int | str | UUID, at: int = 0) -> None:
        """Overwrite the whole field in a packet that starts at byte ``at``.

        Raises :class:`OverflowError` for an integer that does not fit.
        """
        match value:
            case int():
                data = value.to_bytes(self.size)
            case str():
                data = value.encode("latin-1").ljust(self.size, b"\0")
            case UUID():
                data = value.bytes
        if len(data) != self.size:
            raise OverflowError(f"{self.name} has {self.size} bytes, {value!r} needs {len(data)}")
        packet[at + self.offset : at + self.offset + self.size] = data


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of one packet, in order and without gaps."""

    name: str
    fields: tuple[Field, ...]

    def __getitem__(self, name: str) -> Field:
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    @property
    def size(self) -> int:
        """Bytes of all fields but an array."""
        return sum(field.size for field in self.fields if not field.array)

    def struct(self) -> struct.Struct:
        """All fields but an array, reserved ones skipped; to be compiled once."""
        return struct.Struct(">" + "".join(field.code for field in self.fields if not field.array))


@dataclass(frozen=True, slots=True)
class _Row:
    """A field before it is known where it stands."""

    name: str
    size: int
    meaning: str
    form: Form = Form.INTEGER
    always: int | None = None
    array: bool = False


def _layout(name: str, *rows: _Row) -> Layout:
    fields: list[Field] = []
    offset = 0
    for row in rows:
        fields.append(Field(row.name, offset, row.size, row.form, row.meaning, row.always, row.array))
        offset += row.size
    return Layout(name, tuple(fields))


_MAGIC: Final = _Row("magic", 4, "`0x11223344`", always=MAGIC)
_VERSION: Final = _Row("version", 4, "1", always=VERSION)
_FLAGS: Final = _Row("flags", 4, "SYNC, the method under the dialect's mask, device state")

INIT: Final = _layout(
    "init",
    _MAGIC,
    _VERSION,
    _Row("uuid", 16, "the guest's, zeros without `-uuid`", Form.UUID),
    _Row("id", 1, "number of the channel, from 0"),
    _Row("reserved", 39, "zeros", Form.RESERVED),
)
"""Opens a channel."""

PREFIX: Final = _layout("prefix", _MAGIC, _VERSION, _FLAGS)
"""What every later packet begins with."""

RAM: Final = _layout(
    "RAM",
    _MAGIC,
    _VERSION,
    _FLAGS,
    _Row("pages_alloc", 4, "page slots that the sender has; 0 in a SYNC packet since 9.0"),
    _Row("normal_pages", 4, "pages whose content follows"),
    _Row("next_packet_size", 4, "bytes of the payload; stale before 9.0 where no normal page follows"),
    _Row("packet_num", 8, "number of the packet over all channels; not unique before 9.0"),
    _Row("zero_pages", 4, "pages of zeros; unused before 9.0"),
    _Row("reserved", 28, "zeros", Form.RESERVED),
    _Row("ramblock", 256, "name of the RAM block, ended by a zero byte", Form.TEXT),
    _Row("offset", 8, "one for each slot, bytes in the RAM block: normal pages, zero pages, unused ones", array=True),
)
"""Announces pages of one RAM block."""

DEVICE_STATE: Final = _layout(
    "device state",
    _MAGIC,
    _VERSION,
    _FLAGS,
    _Row("idstr", 256, "name of the device, ended by a zero byte", Form.TEXT),
    _Row("instance_id", 4, "which of the devices of that name"),
    _Row("next_packet_size", 4, "bytes of device state that follow"),
)
"""Announces the state of a device that sends it beside RAM (VFIO)."""

LAYOUTS: Final = (INIT, RAM, DEVICE_STATE)
"""Every packet of a channel."""
