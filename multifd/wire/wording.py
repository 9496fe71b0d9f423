"""What a QEMU says of a packet that it refuses, by generation.

Templates for :meth:`str.format`: ``value`` is what was received, ``expected`` what should have been, ``channel`` the
channel's number. Sources: migration/multifd.c (QEMU 7.2.22 to 10.0.2: ``multifd_recv_initial_packet``,
``multifd_recv_new_channel``, ``multifd_recv_unfill_packet``), migration/multifd-nocomp.c (QEMU 10.0.2:
``multifd_ram_unfill_packet``), and for the payload's size migration/multifd-qatzip.c (QEMU 10.0.2, which does
not look at it under zlib and zstd). Where versions of one generation differ is the oracle's to know
(:mod:`multifd.oracle.qemu`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Wording:
    """QEMU's messages, by what is wrong; empty where a generation does not look."""

    init_magic: str = "multifd: received packet magic {value:x} expected {expected:x}"
    init_version: str = "multifd: received packet version {value} expected {expected}"
    init_uuid: str = "multifd: received uuid '{value}' and expected uuid '{expected}' for channel {channel}"
    init_id: str = "multifd: received channel id {value} is greater than number of channels {expected}"
    init_id_twice: str = "multifd: received id '{value}' already setup'"
    magic: str = "multifd: received packet magic {value:x} and expected magic {expected:x}"
    version: str = "multifd: received packet version {value} and expected version {expected}"
    flags: str = "multifd {channel}: flags received {value:x} flags expected {expected:x}"
    pages_alloc: str = "multifd: received packet with size {value} and expected a size of {expected}"
    normal_pages: str = "multifd: received packet with {value} normal pages and expected maximum pages are {expected}"
    zero_pages: str = "multifd: received packet with {value} zero pages and expected maximum zero pages are {expected}"
    next_packet_size: str = "multifd {channel}: received unexpectedly large packet"
    ramblock: str = "multifd: unknown ram block {value}"
    offset: str = "multifd: offset too long {value} (max {expected})"
    """``expected`` is the RAM block's size, in hexadecimal digits."""


FROM_9_0: Final = Wording()
BEFORE_9_0: Final = replace(
    FROM_9_0,
    # It names the version where it means the id, and both are right.
    init_id="multifd: received channel version 1 expected 1",
    normal_pages="multifd: received packet with {value} pages and expected maximum pages are {expected}",
    zero_pages="",
)
FROM_9_2: Final = replace(
    FROM_9_0,
    magic="multifd: received packet magic {value:x}, expected {expected:x}",
    version="multifd: received packet version {value}, expected {expected}",
    pages_alloc="multifd: received packet with {value} pages, expected {expected}",
    normal_pages="multifd: received packet with {value} non-zero pages,"
    " which exceeds maximum expected pages {expected}",
    zero_pages="multifd: received packet with {value} zero pages, expected maximum {expected}",
)
