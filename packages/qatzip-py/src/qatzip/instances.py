"""What libqat counts of the jobs that its devices completed for this process: one number for each compression instance.

libqat is the library below libqatzip, which starts its instances (``qzInit``). It counts each answer of a device
(``dcCompression_ProcessCallback``, ``dc_datapath.c``, qatlib 26.08.0), and so nothing that libqatzip did in software,
within a call or without: unlike ``total_in`` of a session, to which ``decompInSWFallback``, ``compInSWFallback`` and
their like add as well (``src/qatzip_sw.c``, QATzip 1.2.0 to 1.3.1), also once a device is dead (``heartbeat``).

Reading needs no privilege. Statistics are on in qatlib (``statsGeneral``, ``adf_common_cfg.c``, qatlib 26.08.0) unless
it was built without (``--disable-stats``); Intel's driver package has them in its files. Where they are off, all stays
0.
"""

from __future__ import annotations

import ctypes
from typing import Any

from qatzip.library import load

_FUNCTIONS = ("cpaDcGetNumInstances", "cpaDcGetInstances", "cpaDcGetStats")


class _Stats(ctypes.Structure):
    """``CpaDcStats`` (``cpa_dc.h``, qatlib 22.07.2 to 26.08.0), 72 bytes."""

    _fields_ = tuple(
        (name, ctypes.c_uint64)
        for name in (
            "numCompRequests",
            "numCompRequestsErrors",
            "numCompCompleted",
            "numCompCompletedErrors",
            "numCompCnvErrorsRecovered",
            "numDecompRequests",
            "numDecompRequestsErrors",
            "numDecompCompleted",
            "numDecompCompletedErrors",
        )
    )


class Instances:
    """Those of this process, all of them: libqatzip gives each call to any.

    Only while a session holds a device: libqat complains on standard error where it has none.
    """

    def __init__(self) -> None:
        library = load()
        self._library: Any = library
        self._handles: tuple[int | None, ...] = ()
        if all(hasattr(library, name) for name in _FUNCTIONS):
            count = ctypes.c_uint16()
            if library.cpaDcGetNumInstances(ctypes.byref(count)) == 0 and count.value:
                handles = (ctypes.c_void_p * count.value)()
                if library.cpaDcGetInstances(count, handles) == 0:
                    self._handles = tuple(handles)

    @property
    def completed(self) -> int | None:
        """Jobs that were completed without error since the process started them, in both directions.

        None where there is no instance, or one does not answer any more.
        """
        if not self._handles:
            return None
        total, stats = 0, _Stats()
        for handle in self._handles:
            if self._library.cpaDcGetStats(ctypes.c_void_p(handle), ctypes.byref(stats)) != 0:
                return None
            total += stats.numCompCompleted + stats.numDecompCompleted
        return total
