"""Faults that a receiver must notice, or is known not to: one field of one packet, overwritten on its way.

The texts are those of QEMU (``multifd_recv_initial_packet``, ``multifd_recv_unfill_packet``).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from multifd.oracle.question import Fault

INIT_FIELDS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {"init.magic": (0, 4), "init.version": (4, 4), "init.uuid": (8, 16), "init.id": (24, 1)}
)
"""Offset and size in bytes of the fields of an init packet."""
PACKET_FIELDS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "magic": (0, 4),
        "version": (4, 4),
        "flags": (8, 4),
        "pages_alloc": (12, 4),
        "normal_pages": (16, 4),
        "next_packet_size": (20, 4),
        "ramblock": (64, 1),
        "offset": (320, 8),
    }
)
"""Offset and size in bytes of the fields of a RAM packet header."""

_UUID = "00000000-0000-0000-0000-000000000000"

FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            Fault("init-magic", "init.magic", 0x11223345,
                  "multifd: received packet magic 11223345 expected 11223344|unknown channel magic",
                  "the init packet's magic is wrong"),
            Fault("init-version", "init.version", 2,
                  "multifd: received packet version 2 expected 1", "the init packet's version is wrong"),
            Fault("init-uuid", "init.uuid", 1,
                  f"multifd: received uuid '{_UUID[:-1]}1' and expected uuid '{_UUID}' for channel 1",
                  "the init packet carries another guest's uuid"),
            Fault("init-id", "init.id", 200,
                  r"multifd: received channel id 200 (is greater than number of channels|exceeds channel count) 2",
                  "the channel id is beyond the number of channels"),
            Fault("init-id-twice", "init.id", 0, "multifd: received id '0' already setup", "two channels have one id"),
            Fault("magic", "magic", 0x11223345,
                  "multifd: received packet magic 11223345(, expected| and expected magic) 11223344",
                  "a packet's magic is wrong"),
            Fault("version", "version", 2,
                  "multifd: received packet version 2(, expected| and expected version) 1",
                  "a packet's version is wrong"),
            Fault("flags-unknown-method", "flags", 3 << 1,
                  r"multifd 1: flags received 6 flags expected \d+", "the flags name a method that does not exist"),
            Fault("flags-all", "flags", 0x1F << 1,
                  r"multifd 1: flags received (e|1e|3e) flags expected \d+", "every method's flag is set"),
            Fault("pages-alloc", "pages_alloc", 129,
                  r"multifd: received packet with (size 129 and expected a size of 128|129 pages, expected 128)",
                  "the packet announces more slots than fit"),
            Fault("normal-pages", "normal_pages", 129,
                  r"multifd: received packet with 129 (normal pages and|pages and|non-zero pages, which exceeds)",
                  "more normal pages than slots"),
            Fault("packet-size", "next_packet_size", 3 << 20,
                  r"multifd 1: (received unexpectedly large packet|next_packet_size 3145728 exceeds allocated \d+)",
                  "the payload is larger than any packet's"),
            Fault("ramblock", "ramblock", ord("X"), "multifd: unknown ram block X", "the RAM block does not exist"),
            Fault("offset", "offset", 1 << 40, r"multifd: offset too long \d+", "a page lies beyond its RAM block"),
            Fault("flags-ignored-bit", "flags", -(1 << 12), "",
                  "a flag bit that no mask covers is not looked at"),
        )
    }
)  # fmt: skip
"""All faults by name. A negative value sets these bits instead of replacing the field."""
