"""What the library says about devices (``QzStatus_T``)."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from qatzip.abi import MAX_ALGORITHMS, RETURN_CODES, SessionHandle, StatusRecord
from qatzip.errors import QatzipError
from qatzip.library import load


@dataclass(frozen=True, slots=True)
class Status:
    """One answer of ``qzGetStatus``; field names of ``qatzip.h`` (QATzip 2.0.0).

    ``hw_session_status`` is a name of the return codes. libqatzip 2.0.0 leaves it and all else zero (``QZ_OK``) where
    there is no device: ask :attr:`qatzip.session.Session.hardware` instead. ``algo_hw`` maps an algorithm's number
    (8 is DEFLATE) to the count of devices that offer it, ``algo_sw`` lists those that software offers.
    """

    qat_hw_count: int
    qat_service_init: int
    qat_mem_drvr: int
    qat_instance_attach: int
    memory_alloced: int
    using_huge_pages: bool
    hw_session_status: str
    algo_sw: frozenset[int]
    algo_hw: dict[int, int]


def get_status(handle: SessionHandle) -> Status:
    """Ask for the status of a session. Raises :class:`QatzipError`."""
    record = StatusRecord()
    if (code := load().qzGetStatus(ctypes.byref(handle), ctypes.byref(record))) != 0:
        raise QatzipError("qzGetStatus", code)
    return Status(
        qat_hw_count=record.qat_hw_count,
        qat_service_init=record.qat_service_init,
        qat_mem_drvr=record.qat_mem_drvr,
        qat_instance_attach=record.qat_instance_attach,
        memory_alloced=record.memory_alloced,
        using_huge_pages=bool(record.using_huge_pages),
        hw_session_status=RETURN_CODES.get(record.hw_session_status, "unknown"),
        algo_sw=frozenset(number for number in range(MAX_ALGORITHMS) if record.algo_sw[number]),
        algo_hw={number: record.algo_hw[number] for number in range(MAX_ALGORITHMS) if record.algo_hw[number]},
    )
