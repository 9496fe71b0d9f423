"""What errors say. Needs no library."""

from __future__ import annotations

import pytest

from qatzip import OverrunError, QatzipError, ShortOutputError, UnconsumedInputError


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (QatzipError("qzInit", -101), "qzInit: QZ_NOSW_NO_HW (-101): no QAT device that this process could start"),
        (QatzipError("qzInit", 11), "qzInit: QZ_NO_HW (11): no QAT device that this process could start"),
        (QatzipError("qzCompressExt", -101), "qzCompressExt: QZ_NOSW_NO_HW (-101)"),
        (QatzipError("qzInit", -4), "qzInit: QZ_DATA_ERROR (-4)"),
        (QatzipError("qzInit", -3), "qzInit: QZ_BUF_ERROR (-3)"),
        (QatzipError("qzInit", -999), "qzInit: unknown (-999)"),
        (OverrunError("qzCompressExt", 9, 7, 6), "qzCompressExt: QZ_OK (0) with 7 bytes for a destination of 6"),
        (ShortOutputError("qzDecompressExt", 9, 7, 8), "qzDecompressExt: QZ_OK (0) with 7 bytes, expected 8"),
        (
            UnconsumedInputError("qzDecompressExt", 8, 7, 9),
            "qzDecompressExt: QZ_OK (0) after 8 bytes of input, expected 9",
        ),
    ],
)
def test_messages_name_the_call_the_code_and_what_was_expected(error: QatzipError, message: str) -> None:
    assert str(error) == message
