"""A recording as a sender that misbehaves would have sent it: what is declared happens, and nothing else."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.errors import HarnessError
from multifd.framing.model import FRAMINGS
from multifd.memory import rounds
from multifd.memory.corpus import CORPORA
from multifd.migrate.capture import Capture
from multifd.migrate.misbehave import Recorded, misbehave, places
from multifd.plan.faults import PLACES, SIZES, applies
from multifd.wire.dialect import DIALECTS
from multifd.wire.fault import CHANNELS, FAULTS, PACKETS, SENT, Fault, Overwrite, Place, fault
from multifd.wire.fields import INIT
from multifd.wire.packet import INIT_SIZE, DeviceStateHeader, RamHeader, header_size
from multifd.wire.scan import Scanned, scan
from tests.run.recording import PAGE, encoded


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Capture]:
    """Captures of the rounds that faults are put into, each made once."""
    directory = tmp_path_factory.mktemp("faults")
    script = rounds.build(directory / "memory", CORPORA["random"], 1, SIZES, PAGE, "eights")
    made: dict[tuple[str, str], Capture] = {}

    def recording(framing: str, dialect: str) -> Capture:
        key = framing, dialect
        if key not in made:
            made[key] = encoded(directory / f"{len(made)}", script, framing, dialect=dialect, channels=CHANNELS)
        return made[key]

    return recording


def channels(capture: Capture) -> list[bytes]:
    return [path.read_bytes() for path in capture.channel_paths()]


def recorded(capture: Capture) -> Recorded:
    return Recorded(PAGE, capture.dialect, capture.framing, capture.manifest.ramblocks, frozenset(SIZES))


def misdone(capture: Capture, written: str) -> list[bytes]:
    return misbehave(channels(capture), fault(written), recorded(capture))


def packets(capture: Capture, data: bytes) -> list[Scanned]:
    return list(scan(data, PAGE, capture.dialect, raw_pages=capture.framing.raw_pages))


def with_pages(capture: Capture, data: bytes) -> list[bytes]:
    """Payloads of a channel, in order."""
    return [bytes(seen.payload) for seen in packets(capture, data) if len(seen.payload)]


def syncs(capture: Capture, data: bytes) -> int:
    return sum(bool(seen.header.flags & 1) for seen in packets(capture, data))


@pytest.mark.parametrize("dialect", ["qemu-5.0", "qemu-10.0"])
def test_each_channel_has_the_packets_that_places_speak_of(
    dialect: str, recordings: Callable[[str, str], Capture]
) -> None:
    capture = recordings("none", dialect)

    sizes = [[len(payload) // PAGE for payload in with_pages(capture, data)] for data in channels(capture)]

    assert sizes == [[len(normal) for normal, _ in SENT.values() for _ in range(PACKETS)]] * CHANNELS


@pytest.mark.parametrize(("dialect", "carries"), [("qemu-5.0", True), ("qemu-10.0", False)])
def test_it_is_known_of_each_packet_with_pages_whether_a_sync_goes_with_it(
    dialect: str, carries: bool, recordings: Callable[[str, str], Capture]
) -> None:
    capture = recordings("zlib", dialect)

    found = [places(channels(capture), number, recorded(capture)) for number in range(CHANNELS)]

    assert [[[spot.sync for spot in part] for part in rounds] for rounds in found] == (
        [[[False, False, carries]] * len(SENT)] * CHANNELS
    )
    assert all(spot.again for rounds in found for part in rounds for spot in part)


@pytest.mark.parametrize("name", [name for name, each in FAULTS.items() if isinstance(each.deed, Overwrite)])
def test_a_field_is_overwritten_and_nothing_else(name: str, recordings: Callable[[str, str], Capture]) -> None:
    capture = recordings("zlib", "qemu-9.2")
    deed = FAULTS[name].deed
    assert isinstance(deed, Overwrite)

    changed = misdone(capture, name)

    differing = [
        (number, at)
        for number, (one, other) in enumerate(zip(changed, channels(capture), strict=True))
        for at in range(len(other))
        if one[at] != other[at]
    ]
    first = next(seen.at for seen in packets(capture, channels(capture)[1]) if len(seen.payload))
    start = (0 if deed.packet is INIT else first) + deed.place.offset
    assert {number for number, _ in differing} <= {1}
    assert {at for _, at in differing} <= set(range(start, start + deed.place.size))
    assert differing or name == "zero-one-less"


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_packet_is_lost_where_it_is_said(place: Place, recordings: Callable[[str, str], Capture]) -> None:
    capture = recordings("zlib-page[window=15]", "qemu-10.0")
    original = channels(capture)

    changed = misdone(capture, f"lost[{place}]")

    at = (place.round - 1) * PACKETS + ("first", "middle", "last").index(place.packet)
    left = with_pages(capture, original[place.channel])
    del left[at]
    assert with_pages(capture, changed[place.channel]) == left
    assert [changed[n] == original[n] for n in range(CHANNELS)] == [n != place.channel for n in range(CHANNELS)]


def test_a_packet_is_sent_twice_in_a_row(recordings: Callable[[str, str], Capture]) -> None:
    capture = recordings("zlib-page[window=15]", "qemu-10.0")

    sent = with_pages(capture, misdone(capture, "duplicated[r1-middle-c1]")[1])

    assert sent[1] == sent[2]
    assert len(sent) == 2 * PACKETS + 1


@pytest.mark.parametrize("dialect", ["qemu-5.0", "qemu-10.0"])
def test_a_packet_on_another_channel_stays_in_its_round(
    dialect: str, recordings: Callable[[str, str], Capture]
) -> None:
    capture = recordings("none", dialect)

    changed = misdone(capture, "other-channel[r1-middle-c1]")

    assert [len(with_pages(capture, data)) for data in changed] == [6, 5, 7]
    assert [syncs(capture, data) for data in changed] == [syncs(capture, data) for data in channels(capture)]


@pytest.mark.parametrize("dialect", ["qemu-5.0", "qemu-10.0"])
@pytest.mark.parametrize(("written", "more"), [("sync-lost", -1), ("sync-twice", 1)])
def test_a_sync_is_lost_or_there_twice_on_one_channel(
    written: str, more: int, dialect: str, recordings: Callable[[str, str], Capture]
) -> None:
    capture = recordings("none", dialect)

    changed = misdone(capture, written)

    before = [syncs(capture, data) for data in channels(capture)]
    assert [syncs(capture, data) for data in changed] == [before[0], before[1] + more, before[2]]
    assert [with_pages(capture, data) for data in changed] == [with_pages(capture, d) for d in channels(capture)]


def test_a_stream_ends_with_the_checksum_of_all_that_was_sent(recordings: Callable[[str, str], Capture]) -> None:
    capture = recordings("zlib", "qemu-10.0")

    sent = with_pages(capture, misdone(capture, "stream-ended[r2-first-c0]")[0])

    stream = zlib.decompressobj()
    for payload in sent[: PACKETS + 1]:
        stream.decompress(payload)
    assert stream.eof


def test_device_state_comes_before_the_packet(recordings: Callable[[str, str], Capture]) -> None:
    capture = recordings("none", "qemu-10.0")

    kinds = [type(seen.header) for seen in packets(capture, misdone(capture, "device-state")[1])]

    assert kinds[:3] == [RamHeader, DeviceStateHeader, RamHeader]


@pytest.mark.parametrize(
    ("written", "rest"),
    [("ends-in-init", 32), ("ends-in-header", INIT_SIZE + header_size(PAGE) + header_size(PAGE) // 2)],
)
def test_a_channel_ends_where_it_is_said(written: str, rest: int, recordings: Callable[[str, str], Capture]) -> None:
    capture = recordings("none", "qemu-10.0")

    assert misdone(capture, written)[1] == channels(capture)[1][:rest]


@pytest.mark.parametrize(
    ("place", "there"), [(Place(round=3), "2 rounds with pages"), (Place(channel=3), "3 channels")]
)
def test_a_place_that_is_not_there_is_our_defect(
    place: Place, there: str, recordings: Callable[[str, str], Capture]
) -> None:
    with pytest.raises(HarnessError, match=there):
        misdone(recordings("none", "qemu-10.0"), f"lost[{place}]")


def _applicable() -> Iterator[tuple[Fault, str, str]]:
    for each in FAULTS.values():
        for framing in ("none", "zlib", "qatzip", "zlib-page[window=15]"):
            for dialect in ("rfc-2023", "qemu-10.0"):
                for place in PLACES:
                    known = FRAMINGS[framing].travels_as in DIALECTS[dialect].flags
                    if known and applies(each.at(place), FRAMINGS[framing], DIALECTS[dialect]):
                        yield each.at(place), framing, dialect


@given(st.sampled_from(list(_applicable())))
def test_whatever_applies_changes_what_is_sent_or_only_what_nobody_sends(
    recordings: Callable[[str, str], Capture], chosen: tuple[Fault, str, str]
) -> None:
    misdeed, framing, dialect = chosen
    capture = recordings(framing, dialect)

    changed = misbehave(channels(capture), misdeed, recorded(capture))

    unchanged = changed == channels(capture)
    assert not unchanged or misdeed.name in ("flags-no-method", "flags-unknown-method", "init-id-twice")
    assert misbehave(channels(capture), fault(str(misdeed)), recorded(capture)) == changed
