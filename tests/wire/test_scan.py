"""Walking a recorded channel: where it ends too early is said."""

from __future__ import annotations

import pytest

from multifd.errors import TruncatedError
from multifd.wire.dialect import dialect
from multifd.wire.packet import INIT_SIZE
from multifd.wire.scan import scan


@pytest.mark.parametrize("received", [0, 1, INIT_SIZE - 1])
def test_a_recording_shorter_than_the_init_packet_is_truncated(received: int) -> None:
    with pytest.raises(TruncatedError) as error:
        list(scan(bytes(received), 4096, dialect("qemu-10.0"), raw_pages=False))

    assert str(error.value) == (
        f"multifd: init packet: stream ended after {received} of 64 bytes"
        " (Unexpected end-of-file before all data were read)"
    )


def test_a_recording_of_the_init_packet_only_has_no_packets() -> None:
    assert list(scan(bytes(INIT_SIZE), 4096, dialect("qemu-10.0"), raw_pages=False)) == []
