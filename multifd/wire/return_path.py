"""The return path: what a receiver says on the main connection, and when.

A source with the capability ``return-path`` stays in ``device`` or ``active`` until it is told SHUT
(``migrate_send_rp_shut``, migration/savevm.c, QEMU 11.1). A message is be16 type, be16 length, data; all numbers are
big-endian.

==============  ====  =========================================================================
message         type  data (``MIG_RP_MSG_*``, migration/migration.h, QEMU 11.1)
==============  ====  =========================================================================
SHUT            1     be32: 0 if all went well
PONG            2     be32 of the PING that it answers; a source of a precopy does not wait for it
REQ_PAGES_ID    3     postcopy, as the next three
REQ_PAGES       4
RECV_BITMAP     5
RESUME_ACK      6
SWITCHOVER_ACK  7     none; only with the capability ``switchover-ack``
==============  ====  =========================================================================

SHUT must come after the end of the *stream*, not of RAM: a QEMU 7.2 closes the connection for both directions when it
reads it (``source_return_path_thread``, ``migration_release_dst_files``, migration/migration.c, QEMU 7.2), and would
cut its own device state short. Nothing but the device state's own layout says where it ends, and the source does not
close the connection before it is answered. But the end can be recognized (``qemu_savevm_state_complete_precopy``): the
last section's footer, ``0x7e`` be32, is followed by EOF ``0x00``, where any other has a section type other than 0; and
then comes, unless the machine type suppresses it, the description of what was sent: ``0x06`` be32 length, JSON text.
"""

from __future__ import annotations

import re
import struct
from typing import Final

from typing_extensions import Buffer

_SHUT: Final = 1
_VALUE: Final = struct.Struct(">HHI")

_DESCRIBED: Final = re.compile(rb'\x7e.{4}\x00\x06(?P<size>.{4})\{"', re.DOTALL)
"""Last footer, EOF, and how the description begins."""
_ENDED: Final = re.compile(rb"\x7e.{4}\x00\Z", re.DOTALL)
"""Last footer and EOF, and nothing after it."""
_KEPT: Final = 12
"""Bytes of the past that may begin what matches now."""


def shut(error: int = 0) -> bytes:
    """The message that lets the source end its migration, 8 bytes; ``error`` other than 0 says that it failed."""
    return _VALUE.pack(_SHUT, 4, error)


class StreamEnd:
    """Finds the end of a main channel in what follows RAM, in chunks of any size.

    A stream with a description whose chunk ends just before it is taken for one without: once in as many migrations
    as QEMU's buffer has bytes (32 KiB), and a source after 7.2 does not mind.
    """

    def __init__(self) -> None:
        self._tail = b""
        self._left: int | None = None
        """Bytes of the description that are still to come, None where it has not begun."""

    def feed(self, data: Buffer) -> bool:
        """Take the next bytes; True if the stream ends with them."""
        chunk = memoryview(data).cast("B")
        if self._left is None:
            seen = self._tail + bytes(chunk)
            description = _DESCRIBED.search(seen)
            if description is None:
                self._tail = seen[-_KEPT:]
                return _ENDED.search(self._tail) is not None
            self._left = int.from_bytes(description["size"])
            chunk = memoryview(seen)[description.end("size") :]
        self._left -= len(chunk)
        return self._left <= 0
