"""What must be true of gzip input before libqpl may see it.

A gzip member is a header of at least 10 bytes, DEFLATE, and 8 bytes of trailer (RFC 1952, section 2.3). libqpl
(``middle-layer/compression/stream_decorators/gzip_decorator.cpp``, qpl 1.6.0, seen with 1.9.0) does not ask whether
they are there:

* fewer than 10 bytes: it goes on with a header size that nobody set;
* it takes 8 bytes off what follows the header, so that fewer wrap around to 4 GiB, and reads until memory ends: the
  first 10 to 17 bytes of any member suffice;
* it looks for the zero that ends a name or comment from the second byte on, so it runs past an empty one, and looks
  at the byte behind the input before it sees that the input has ended; nor does it skip the zero, so that DEFLATE
  starts one byte early (status 214).
"""

from __future__ import annotations

import ctypes
from typing import Final

from qpl.errors import UnsafeInputError

TRAILER: Final = 8
_FIXED_HEADER: Final = 10
_LONGEST_SEARCHED: Final = 1 << 17  # more than a FEXTRA of 65,535 and the names that writers put there
_FHCRC, _FEXTRA, _FNAME, _FCOMMENT = 2, 4, 8, 16


def check_member(address: int, size: int, *, first: bool, last: bool) -> None:
    """Raise :class:`~qpl.errors.UnsafeInputError` unless ``size`` bytes hold the whole header (if ``first``) and the
    whole trailer (if ``last``)."""
    head = ctypes.string_at(address, min(size, _LONGEST_SEARCHED)) if first else b""
    needed = (_header_size(head) if first else 0) + (TRAILER if last else 0)
    if size < needed:
        raise UnsafeInputError(size, needed)


def _header_size(head: bytes) -> int:
    """The header's size as libqpl counts it; more than there is where it would read beyond ``head``."""
    flags = head[3] if len(head) >= _FIXED_HEADER else 0
    end = _FIXED_HEADER
    if flags & _FEXTRA:
        end += 2 + int.from_bytes(head[end : end + 2], "little")
    for text in (_FNAME, _FCOMMENT):
        if flags & text:
            zero = head.find(0, end + 1)
            end = zero if zero >= 0 else max(end, len(head)) + 1
    return end + (2 if flags & _FHCRC else 0)
