"""One block of memory that libqpl knows as a job: allocated, initialised, called, finished; no policy."""

from __future__ import annotations

import ctypes
from typing import Final

from qpl.errors import check
from qpl.header import JobStructure, Numa, Path


class NativeJob:
    """A ``qpl_job`` with the buffers behind it (version 1.9.0: 740,864 bytes for software, 188,736 for hardware).

    The memory is zeroed before ``qpl_init_job``, which leaves most of it as it finds it.
    Raises :class:`~qpl.errors.QplError`: 500 to 503 where ``path`` is hardware and there is none to use.
    """

    def __init__(self, library: ctypes.CDLL, path: Path, numa_id: int = Numa.SOCKET) -> None:
        self._library: Final = library
        self._requested: Final = path
        self._numa_id: Final = numa_id
        size = ctypes.c_uint32()
        check(library.qpl_get_job_size(path, ctypes.byref(size)), "qpl_get_job_size")
        self.size: Final = max(size.value, ctypes.sizeof(JobStructure))
        self._memory: Final = ctypes.create_string_buffer(self.size)
        self.address: Final = ctypes.addressof(self._memory)
        self.fields: Final = JobStructure.from_buffer(self._memory)
        self._initialise()

    def call(self, function: str) -> int:
        """``function`` of the library with this job: its status. Other threads run meanwhile."""
        status: int = getattr(self._library, function)(self.address)
        return status

    def reset(self) -> None:
        """Finish and initialise again: what the job did before has no influence any more."""
        self.call("qpl_fini_job")
        self._initialise()

    def _initialise(self) -> None:
        check(self._library.qpl_init_job(self._requested, self.address), "qpl_init_job")
        self.fields.numa_id = self._numa_id
