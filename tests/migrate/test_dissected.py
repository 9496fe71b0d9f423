"""The packets around a place, and the packet that carries a page."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from multifd.errors import Place
from multifd.framing.pages import runs
from multifd.migrate.capture import Capture
from multifd.migrate.dissected import AROUND, around, carrying, dissected
from multifd.wire.packet import RamHeader

ZLIB: Final = Path(__file__).parents[1] / "captures/qemu-7.2-zlib"
MARK: Final = "  <- here"


@pytest.fixture
def capture() -> Capture:
    return Capture.open(ZLIB)


def headers(capture: Capture, channel: int) -> list[RamHeader]:
    return [packet.header for packet in dissected(capture, channel) if isinstance(packet.header, RamHeader)]


def test_the_packet_at_a_place_is_marked_between_those_around_it(capture: Capture) -> None:
    numbers = [header.packet_num for header in headers(capture, 1)]
    at = len(numbers) // 2

    lines = around(capture, Place(channel=1, packet=numbers[at]))

    (marked,) = (line for line in lines if line.endswith(MARK))
    assert f" #{numbers[at]} " in marked
    assert lines.index(marked) == min(at, AROUND)
    assert len(lines) <= 2 * AROUND + 1
    assert all(line.startswith("ch 1 ") for line in lines)


def test_without_a_place_they_are_the_first_ones(capture: Capture) -> None:
    lines = around(capture, None)

    assert f" #{headers(capture, 0)[0].packet_num} " in lines[0]
    assert not any(line.endswith(MARK) for line in lines)


def test_a_packet_that_is_not_there_has_the_last_ones_before_it(capture: Capture) -> None:
    lines = around(capture, Place(channel=0, packet=1 << 40))

    assert len(lines) == min(AROUND, len(headers(capture, 0)))
    assert f" #{headers(capture, 0)[-1].packet_num} " in lines[-1]


def test_a_channel_that_is_not_there_has_none(capture: Capture) -> None:
    assert around(capture, Place(channel=99, packet=0)) == ()


def test_the_last_packet_with_a_page_is_found(capture: Capture) -> None:
    sent = [
        (header.packet_num, number, header)
        for number in range(capture.manifest.channels)
        for header in headers(capture, number)
    ]
    number, channel, header = max((entry for entry in sent if entry[2].normal_pages), key=lambda entry: entry[0])
    ((page, _), *_) = runs(header.offsets[: header.normal_pages] // capture.manifest.page_size)

    found = carrying(capture, header.ramblock, page)

    assert found is not None
    assert (found.channel, found.packet) == (channel, number)


def test_a_page_that_nobody_sent_is_in_no_packet(capture: Capture) -> None:
    assert carrying(capture, "no-such-block", 0) is None
