"""The release of the qatmgr that runs: it tells it to whoever asks.

Every message of qatmgr has a header with the version of its sender, major in the high byte and minor in the low one
(``THIS_LIB_VERSION``, adf_io/vfio/qat_mgr.h, qatlib 21.08 to 26.08), also where it refuses to answer one of another
version (``err_msg``, adf_io/vfio/qat_mgr_lib.c, qatlib 26.08). Its program may have been replaced since it was started.
"""

from __future__ import annotations

import socket
import struct
from typing import Final

SOCKET: Final = "/run/qat/qatmgr.sock"
"""adf_io/vfio/qat_mgr.h (qatlib 26.08), ``QATMGR_SOCKET``."""
NAME: Final = "qatmgr"
"""Of its process, and of its release among the libraries of a host."""
_HEADER: Final = struct.Struct("=HHHH")
"""``struct qatmgr_msg_hdr`` (qat_mgr.h): bytes of the message, version, type, filler."""
_COUNT_PFS: Final = 10
"""``QATMGR_MSGTYPE_NUM_PF_DEVS`` (qat_mgr.h), which takes nothing from anybody."""
_SECONDS: Final = 1.0


def ask_release(path: str = SOCKET) -> str | None:
    """The version of the qatmgr that answers on a socket of this host; None where none is had within a second."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as ours:
        ours.settimeout(_SECONDS)
        try:
            ours.connect(path)
            ours.sendall(_HEADER.pack(_HEADER.size, 0, _COUNT_PFS, 0))
            answer = ours.recv(_HEADER.size, socket.MSG_WAITALL)
        except OSError:
            return None
    if len(answer) < _HEADER.size:
        return None
    _, version, _, _ = _HEADER.unpack(answer)
    return f"{version >> 8}.{version & 0xFF:02}"
