"""Whom the sockets of processes lead to and what has not been read from them, as the kernel tells (``sock_diag(7)``).

Only of Unix sockets: what is written to one is in the reader's queue at once, and a process at the other end has it or
nobody has.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

_SOCK_DIAG: Final = 4
_BY_FAMILY: Final = 20
_DUMP: Final = 0x301
_DONE, _ERROR = 3, 2
_NAME, _PEER, _PENDING, _QUEUES = 0, 2, 3, 4
"""Attributes of an answer (include/uapi/linux/unix_diag.h, Linux 6.18); each is asked for with the bit of its number,
names and queues as below."""
_SHOW: Final = 0x01 | 0x04 | 0x08 | 0x10
_HEADER: Final = struct.Struct("=IHHII")
_REQUEST: Final = struct.Struct("=BBHIII2I")
_MESSAGE: Final = struct.Struct("=BBBBI2I")
_ATTRIBUTE: Final = struct.Struct("=HH")
_U32: Final = struct.Struct("=I")


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """One of them."""

    peer: int
    """Inode of the other end; 0 if that has not been accepted yet, or is closed."""
    name: str
    """Path that it is bound to, or was accepted at."""
    pending: frozenset[int]
    """Inodes of those whose connections wait to be accepted."""
    unread: int
    """Bytes that have come and have not been read."""


def unix_sockets() -> Mapping[int, UnixSocket]:
    """All of this network namespace by inode, none where the kernel does not tell."""
    request = _REQUEST.pack(socket.AF_UNIX, 0, 0, 0xFFFFFFFF, 0, _SHOW, 0xFFFFFFFF, 0xFFFFFFFF)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as diagnosis:
            diagnosis.send(_HEADER.pack(_HEADER.size + len(request), _BY_FAMILY, _DUMP, 1, 0) + request)
            return dict(_answers(diagnosis))
    except OSError:
        return {}


def open_by(pid: int) -> set[int]:
    """Inodes of the sockets that a process has open, of any family; none of one that is gone."""
    found = set[int]()
    with suppress(OSError), os.scandir(f"/proc/{pid}/fd") as descriptors:
        for descriptor in descriptors:
            with suppress(FileNotFoundError):  # closed meanwhile
                kind, _, inode = os.readlink(descriptor.path).partition(":")  # noqa: PTH115  (thousands a second)
                if kind == "socket":
                    found.add(int(inode.strip("[]")))
    return found


def among_themselves(
    own: Collection[int], names: Collection[str], all_of_them: Mapping[int, UnixSocket], sure: Collection[int] = ()
) -> bool:
    """Whether these sockets lead to each other, to nobody, or to one that was accepted at one of these paths; of those
    that are ``sure`` it is known."""
    if not all_of_them.keys() >= set(own):
        return False
    elsewhere = {inode for at, each in all_of_them.items() if at not in own for inode in each.pending}
    return all(_is_known(inode, own, names, all_of_them, elsewhere) for inode in own if inode not in sure)


def _is_known(
    inode: int, own: Collection[int], names: Collection[str], all_of_them: Mapping[int, UnixSocket], elsewhere: set[int]
) -> bool:
    peer = all_of_them[inode].peer
    if peer not in all_of_them:  # it waits to be accepted, or is closed
        return inode not in elsewhere
    return peer in own or all_of_them[peer].name in names


def unread(own: Collection[int], names: Collection[str], all_of_them: Mapping[int, UnixSocket]) -> Mapping[int, int]:
    """Bytes on the way to these sockets and from them, by the inode of the reader; but not between them and one that
    was accepted at one of these paths."""
    readers = set()
    for inode in own:
        each = all_of_them.get(inode)
        if each is not None and not (each.peer in all_of_them and all_of_them[each.peer].name in names):
            readers |= {inode, each.peer} & all_of_them.keys()
    return {inode: all_of_them[inode].unread for inode in readers if all_of_them[inode].unread}


def _answers(diagnosis: socket.socket) -> Iterator[tuple[int, UnixSocket]]:
    while True:
        data = memoryview(diagnosis.recv(1 << 16))
        while data:
            length, kind, *_ = _HEADER.unpack_from(data)
            if kind == _DONE:
                return
            if kind == _ERROR:
                raise OSError(-struct.unpack_from("=i", data, _HEADER.size)[0], "sock_diag")
            yield _read(data[_HEADER.size : length])
            data = data[_aligned(length) :]


def _read(answer: memoryview) -> tuple[int, UnixSocket]:
    *_, inode, _, _ = _MESSAGE.unpack_from(answer)
    found, rest = {}, answer[_MESSAGE.size :]
    while rest:
        length, kind = _ATTRIBUTE.unpack_from(rest)
        found[kind] = bytes(rest[_ATTRIBUTE.size : length])
        rest = rest[_aligned(length) :]
    pending = frozenset(number for (number,) in _U32.iter_unpack(found.get(_PENDING, b"")))
    (peer,) = _U32.unpack(found.get(_PEER, bytes(_U32.size)))
    (waits,) = _U32.unpack_from(found.get(_QUEUES, bytes(_U32.size)))
    return inode, UnixSocket(peer, os.fsdecode(found.get(_NAME, b"").rstrip(b"\0")), pending, waits)


def _aligned(length: int) -> int:
    return (length + 3) & ~3
