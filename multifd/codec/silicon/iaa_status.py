"""What the accelerator and libqpl call things that go wrong.

The engine reports a completion status and, with an analytics error, an error code; libqpl makes 300 + status or
200 + code of them (``sources/middle-layer/util/completion_record.hpp``, ``convert_status_iaa_to_qpl``) and adds
statuses of its own. Names and numbers are those of ``qpl/c_api/status.h`` (qpl 1.9.0) without their ``QPL_STS_``.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

COMPLETION: Final = 300
"""What libqpl adds to a completion status without an error code."""


class Status(IntEnum):
    """The statuses that compressing and decompressing whole streams can end with."""

    OK = 0
    MORE_OUTPUT_NEEDED = 2
    MORE_INPUT_NEEDED = 3
    QUEUES_ARE_BUSY_ERR = 5
    ARCHIVE_HEADER_ERR = 104
    UNDEF_CL_CODE_ERR = 202
    FIRST_LL_CODE_16_ERR = 203
    FIRST_D_CODE_16_ERR = 204
    NO_LL_CODE_ERR = 205
    WRONG_NUM_LL_CODES_ERR = 206
    WRONG_NUM_DIST_CODES_ERR = 207
    BAD_CL_CODE_LEN_ERR = 208
    BAD_LL_CODE_LEN_ERR = 209
    BAD_DIST_CODE_LEN_ERR = 210
    BAD_LL_CODE_ERR = 211
    BAD_D_CODE_ERR = 212
    INVALID_BLOCK_TYPE = 213
    INVALID_STORED_LEN_ERR = 214
    BAD_EOF_ERR = 215
    BAD_DIST_ERR = 217
    REF_BEFORE_START_ERR = 218
    DST_IS_SHORT_ERR = 225
    TOO_MANY_LL_CODES_ERR = 235
    TOO_MANY_D_CODES_ERR = 236
    INTL_PAGE_FAULT = 303
    TRANSFER_SIZE_INVALID = 319

    @property
    def label(self) -> str:
        """The name in ``status.h``."""
        return f"QPL_STS_{self.name}"


class Refusal(Exception):  # noqa: N818  (the device's answer, not an accident)
    """The engine stops at this; ``output`` is what it had written by then."""

    def __init__(self, status: Status, detail: str, output: bytes = b"") -> None:
        self.status = status
        self.detail = detail
        self.output = output
        super().__init__(f"{status.label}: {detail}")
