"""What libqatzip gives to its device is known beforehand, and is what the model of the library gives to its engine."""

from __future__ import annotations

import contextlib
import zlib
from typing import Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from multifd.codec import create
from multifd.codec.qat_emulated import _QatCodec
from multifd.codec.silicon.libqatzip_routing import Rules, Share
from multifd.codec.silicon.qat import Engine, Result, Status
from multifd.codec.silicon.qat_member import PLAIN_GZIP
from multifd.errors import PayloadError
from multifd.framing.coder import Bytes
from multifd.framing.container import Container, four_b_header, gzip_ext_header, trailer

KIB: Final = 1 << 10
CONTAINERS: Final = (Container.GZIP_EXT, Container.GZIP, Container.RAW, Container.FOUR_B, Container.ZLIB)
MEMBERED: Final = (Container.GZIP_EXT, Container.GZIP, Container.FOUR_B, Container.ZLIB)
SIZED: Final = (Container.GZIP_EXT, Container.GZIP)
TEXT: Final = b"".join(b"page %d of some text; " % (number * number) for number in range(12_000))
NOISE: Final = b"".join(zlib.crc32(number.to_bytes(4, "big")).to_bytes(4, "big") for number in range(64 * KIB))
CONTENTS: Final = {"text": TEXT, "noise": NOISE, "zeros": bytes(256 * KIB)}
USUAL: Final = Rules(buffer=64 * KIB, threshold=KIB)


class Watched(Engine):
    """An engine that keeps how its decompressions ended."""

    def __init__(self) -> None:
        super().__init__(strict=False)
        self.ended: list[Status] = []

    def decompress(self, source: bytes, room: int) -> Result:
        result = super().decompress(source, room)
        self.ended.append(result.status)
        return result


def modelled(rules: Rules, device: bool = True) -> tuple[_QatCodec, Watched]:
    """The model of the library by these rules, and its engine."""
    codec = create(
        "qat-emulated",
        {
            "buffer": rules.buffer // KIB, "threshold": rules.threshold, "raw": int(rules.raw), "device": int(device),
            "level": 1, "backup": 1, "stream": 0,
        },
    )  # fmt: skip
    assert isinstance(codec, _QatCodec)
    codec.engine = Watched()
    return codec, codec.engine


def by(writer: str, data: bytes, container: Container, rules: Rules) -> bytes:
    """A payload with this data, by libqatzip on a device, by its software, or by zlib in the same container."""
    if writer != "zlib":
        return bytes(modelled(rules, device=writer == "device")[0].compress(data, container, 15))
    stream = zlib.compressobj(6, zlib.DEFLATED, {Container.GZIP: 31, Container.ZLIB: 15}.get(container, -15))
    deflated = stream.compress(data) + stream.flush()
    match container:
        case Container.FOUR_B:
            return four_b_header(len(deflated)) + deflated
        case Container.GZIP_EXT:
            return gzip_ext_header(len(data), len(deflated)) + deflated + trailer(zlib.crc32(data), len(data))
        case _:
            return deflated


SETTINGS: Final = st.builds(
    Rules,
    buffer=st.sampled_from([KIB, 4 * KIB, 16 * KIB, 64 * KIB]),
    threshold=st.sampled_from([128, 512, 1024, 4096, 20_000]),
    raw=st.booleans(),
)
DATA: Final = st.builds(
    lambda content, start, size: CONTENTS[content][start : start + size],
    st.sampled_from(sorted(CONTENTS)),
    st.integers(0, 1000),
    st.one_of(st.integers(1, 9000), st.sampled_from([4096, 16 * KIB, 64 * KIB, 65 * KIB, 128 * KIB, 200_000])),
)


# Compression


@given(data=DATA, rules=SETTINGS, container=st.sampled_from(CONTAINERS), last=st.booleans())
@settings(max_examples=60)
def test_what_the_model_compresses_on_its_engine_is_what_is_routed(
    data: bytes, rules: Rules, container: Container, last: bool
) -> None:
    codec, engine = modelled(rules)

    codec.compressed(codec.session(container), data, last=last)

    share = rules.compressed(len(data))
    assert (share.least, share.most) == (engine.requests, engine.requests)
    assert bool(share.software) == bool(codec.effort.software)
    assert share.read == (len(data) if engine.requests else 0)


@pytest.mark.parametrize(
    ("size", "requests"), [(1024, 1), (64 * KIB, 1), (64 * KIB + 1, 2), (512 * KIB, 8), (511 * KIB + 1, 8)]
)
def test_every_piece_is_a_request(size: int, requests: int) -> None:
    assert USUAL.compressed(size) == Share(requests, requests, size)


def test_an_input_below_the_threshold_is_softwares_and_it_says_so() -> None:
    assert USUAL.compressed(1023) == Share(software="1,023 bytes are below input_sz_thrshold (1,024)")


# Decompression


def counted(codec: _QatCodec, payload: Bytes, container: Container, size: int) -> bool:
    """Whether the payload was decoded."""
    with contextlib.suppress(PayloadError):
        codec.decompress(payload, container, size)
        return True
    return False


@given(
    data=DATA,
    rules=SETTINGS,
    writing=SETTINGS,
    container=st.sampled_from(CONTAINERS),
    writer=st.sampled_from(["device", "software", "zlib"]),
)
@settings(max_examples=300)
def test_what_the_model_decompresses_on_its_engine_is_what_is_routed(
    data: bytes, rules: Rules, writing: Rules, container: Container, writer: str
) -> None:
    payload = by(writer, data, container, writing)
    codec, engine = modelled(rules)

    decoded = counted(codec, payload, container, len(data))

    share = rules.decompressed(payload, container, len(data))
    assert decoded or container is Container.FOUR_B, "only a member of 4B cannot be of any size"
    if decoded:
        assert share.most == engine.requests or (share.most is None and container is Container.FOUR_B)
        assert share.least == engine.ended.count(Status.OK) or share.most is None
        assert bool(share.software) == bool(codec.effort.software)
        assert share.read == len(payload) or share.software


@given(
    data=DATA,
    rules=SETTINGS,
    container=st.sampled_from(CONTAINERS),
    writer=st.sampled_from(["device", "software", "zlib"]),
    place=st.floats(0, 1, exclude_max=True),
    change=st.sampled_from(["cut", "flip", "more", "header"]),
)
@settings(max_examples=300)
def test_of_what_is_damaged_and_decoded_all_the_same_it_is_the_same(
    data: bytes, rules: Rules, container: Container, writer: str, place: float, change: str
) -> None:
    """What stops the model, a wrong checksum, is not seen beforehand: then no more was given than is routed.

    Of gzip the beginnings of members are searched, and one that is damaged is not found.
    """
    assume(container is not Container.GZIP or change in ("cut", "more"))
    payload = bytearray(by(writer, data, container, rules))
    at = int(place * len(payload))
    match change:
        case "cut":
            del payload[at:]
        case "flip":
            payload[at] ^= 1 << at % 8
        case "header":
            payload[at % min(24, len(payload))] ^= 1 << at % 8
        case _:
            payload += payload[at:]
    codec, engine = modelled(rules)

    decoded = counted(codec, bytes(payload), container, len(data))

    share = rules.decompressed(bytes(payload), container, len(data))
    if share.most is not None:
        assert engine.requests == share.most if decoded else engine.requests <= share.most


@given(payload=st.binary(min_size=1, max_size=200), rules=SETTINGS, container=st.sampled_from(CONTAINERS))
@settings(max_examples=200)
def test_of_noise_no_more_is_given_to_the_engine_than_is_routed(
    payload: bytes, rules: Rules, container: Container
) -> None:
    codec, engine = modelled(rules)

    counted(codec, payload, container, 4096)

    share = rules.decompressed(payload, container, 4096)
    assert share.most is None or engine.requests <= share.most


def test_nothing_is_given_of_nothing() -> None:
    assert USUAL.decompressed(b"", Container.GZIP_EXT, 4096) == Share()


@pytest.mark.parametrize("container", SIZED)
def test_of_a_device_every_member_comes_back_to_one(container: Container) -> None:
    payload = by("device", TEXT[: 200 * KIB], container, USUAL)

    assert USUAL.decompressed(payload, container, 200 * KIB) == Share(4, 4, len(payload))


@pytest.mark.parametrize("container", SIZED)
def test_a_member_larger_than_the_buffer_is_softwares_and_it_says_so(container: Container) -> None:
    payload = by("software", TEXT[: 128 * KIB], container, USUAL)

    share = USUAL.decompressed(payload, container, 128 * KIB)

    assert (share.least, share.most) == (0, 0)
    assert share.software == "a member of 131,072 bytes is larger than hw_buff_sz (65,536)"


def test_from_the_first_member_that_is_too_large_all_is_softwares() -> None:
    small, large = TEXT[: 8 * KIB], TEXT[: 80 * KIB]
    members = [by("software", data, Container.GZIP_EXT, USUAL) for data in (small, small, large, small)]
    payload = b"".join(members)

    share = USUAL.decompressed(payload, Container.GZIP_EXT, 104 * KIB)

    assert (share.least, share.most) == (2, 2)
    assert share.read == len(payload)
    assert share.software == "a member of 81,920 bytes is larger than hw_buff_sz (65,536)"


def test_a_device_is_given_4b_that_it_cannot_have_room_for() -> None:
    payload = by("zlib", bytes(128 * KIB), Container.FOUR_B, USUAL)

    share = USUAL.decompressed(payload, Container.FOUR_B, 128 * KIB)

    assert (share.least, share.most) == (0, 1)
    assert share.software == "a member of more than 65,536 bytes is larger than hw_buff_sz"


def test_how_often_it_is_given_4b_behind_that_is_not_known() -> None:
    member = by("zlib", bytes(128 * KIB), Container.FOUR_B, USUAL)

    share = USUAL.decompressed(2 * member, Container.FOUR_B, 256 * KIB)

    assert (share.least, share.most) == (0, None)


@pytest.mark.parametrize("room", [64 * KIB, 64 * KIB + 1])
def test_raw_is_one_request_where_all_of_its_output_has_room(room: int) -> None:
    payload = by("zlib", TEXT[:room], Container.RAW, USUAL)

    share = USUAL.decompressed(payload, Container.RAW, room)

    fits = room == 64 * KIB
    assert (share.least, share.most) == ((1, 1) if fits else (0, 0))
    assert share.software == ("" if fits else "a member of 65,537 bytes is larger than hw_buff_sz (65,536)")


def test_a_release_may_have_no_way_to_its_device_for_raw() -> None:
    payload = by("zlib", TEXT[: 8 * KIB], Container.RAW, USUAL)

    share = Rules(buffer=64 * KIB, threshold=KIB, raw=False).decompressed(payload, Container.RAW, 8 * KIB)

    assert share == Share(software="this release of libqatzip decompresses raw DEFLATE on no device")


@pytest.mark.parametrize(
    ("payload", "container", "why"),
    [
        (b"x" * 100, Container.RAW, "100 bytes are below input_sz_thrshold (1,024)"),
        (gzip_ext_header(500, 80) + bytes(88), Container.GZIP_EXT,
         "the 500 bytes of a member are below input_sz_thrshold (1,024)"),
        (four_b_header(80_000) + bytes(9), Container.FOUR_B, "a member is larger than hw_buff_sz (65,536) allows"),
        (b"no zlib", Container.ZLIB, "it does not begin as zlib does"),
        (PLAIN_GZIP[:3] + b"\x08" + bytes(4096), Container.GZIP, "its header is not the library's own"),
    ],
)  # fmt: skip
def test_what_decides_before_anything_is_given_is_said(payload: bytes, container: Container, why: str) -> None:
    assert USUAL.decompressed(payload, container, 4096) == Share(software=why)


def test_a_stream_that_does_not_end_is_softwares_once_the_device_has_refused_it() -> None:
    stream = zlib.compressobj(1)
    payload = stream.compress(TEXT[: 8 * KIB]) + stream.flush(zlib.Z_SYNC_FLUSH)

    share = USUAL.decompressed(payload, Container.ZLIB, 8 * KIB)

    assert share == Share(0, 1, software="a stream that does not end is software's")


# The edges of each rule

STRANGE: Final = "its header is not the library's own"


@pytest.mark.parametrize(("size", "why"), [(1024, ""), (1023, "1,023 bytes are below input_sz_thrshold (1,024)")])
def test_raw_at_the_threshold_is_the_devices(size: int, why: str) -> None:
    assert USUAL.decompressing(bytes(size), Container.RAW) == why


@pytest.mark.parametrize(("size", "least"), [(1024, 1), (1023, 0)])
def test_a_member_of_gzip_ext_at_the_threshold_is_the_devices(size: int, least: int) -> None:
    payload = by("zlib", TEXT[:size], Container.GZIP_EXT, USUAL)

    assert USUAL.decompressed(payload, Container.GZIP_EXT, size).least == least


@pytest.mark.parametrize(
    ("size", "share"),
    [
        (74_752, Share(0, 1)),
        (74_753, Share(software="a member is larger than hw_buff_sz (65,536) allows")),
    ],
)
def test_what_is_compressed_may_be_an_eighth_larger_and_1024_bytes(size: int, share: Share) -> None:
    payload = four_b_header(size) + b"\xff" * size

    assert USUAL.decompressed(payload, Container.FOUR_B, 64 * KIB) == share


def test_gzip_that_is_too_large_is_known_before_and_is_no_call_of_the_devices() -> None:
    payload = by("software", TEXT[: 128 * KIB], Container.GZIP, USUAL)

    assert USUAL.decompressed(payload, Container.GZIP, 128 * KIB).read == 0


def test_gzip_ext_that_is_too_large_is_found_in_a_call_of_the_devices() -> None:
    payload = by("software", TEXT[: 128 * KIB], Container.GZIP_EXT, USUAL)

    assert USUAL.decompressed(payload, Container.GZIP_EXT, 128 * KIB).read == len(payload)


def test_the_trailer_of_gzip_is_searched_in_as_much_as_a_request_has_room_for() -> None:
    stored = zlib.compressobj(0, zlib.DEFLATED, 31)
    payload = stored.compress(bytes(80 * KIB)) + stored.flush()

    share = USUAL.decompressed(payload, Container.GZIP, 80 * KIB)

    assert (share.least, share.read) == (0, len(payload)), "the zeros of the content were taken for its size"


@pytest.mark.parametrize(
    "payload", [b"x" * 4096, b"\x1f\x8b\x08\x04" + bytes(4) + b"\0\3" + gzip_ext_header(4096, 99)[10:]]
)
def test_what_does_not_begin_as_the_library_writes_it_is_given_up_at_its_header(payload: bytes) -> None:
    assert USUAL.decompressed(payload, Container.GZIP_EXT, 4096) == Share(0, 0, len(payload), STRANGE)


@pytest.mark.parametrize(
    ("container", "taken"),
    [
        (Container.GZIP_EXT, Container.GZIP),
        (Container.GZIP, Container.GZIP),
        (Container.RAW, Container.RAW),
        (Container.FOUR_B, Container.FOUR_B),
    ],
)
def test_a_plain_gzip_header_makes_a_session_of_gzip(container: Container, taken: Container) -> None:
    assert USUAL.taken_for(PLAIN_GZIP + bytes(99), container) is taken
    assert USUAL.taken_for(gzip_ext_header(99, 99), container) is container


def test_plain_gzip_is_the_devices_in_a_session_of_gzip_ext() -> None:
    payload = by("device", NOISE[: 100 * KIB], Container.GZIP, USUAL)

    assert USUAL.decompressed(payload, Container.GZIP_EXT, 100 * KIB) == Share(2, 2, len(payload))


def test_zlib_is_a_request_for_each_member_while_all_that_is_left_is_small_enough() -> None:
    payload = by("device", bytes(128 * KIB), Container.ZLIB, USUAL)

    assert USUAL.decompressed(payload, Container.ZLIB, 128 * KIB) == Share(2, 2, len(payload))


@pytest.mark.parametrize("container", [Container.GZIP_EXT, Container.FOUR_B])
def test_a_member_that_is_cut_is_given_to_nobody(container: Container) -> None:
    payload = by("zlib", TEXT[: 8 * KIB], container, USUAL)[:-1]

    assert USUAL.decompressed(payload, container, 8 * KIB) == Share()


def test_gzip_that_is_shorter_than_its_header_and_trailer_is_taken_for_a_very_large_one() -> None:
    share = USUAL.decompressed(PLAIN_GZIP + bytes(8), Container.GZIP, 4096)

    assert share == Share(software="a member is larger than hw_buff_sz (65,536) allows")


@pytest.mark.parametrize("container", [Container.GZIP_EXT, Container.ZLIB])
def test_what_has_no_room_any_more_is_not_asked_for(container: Container) -> None:
    member = by("zlib", bytes(64 * KIB), container, USUAL)

    share = USUAL.decompressed(2 * member, container, 64 * KIB)

    assert (share.least, share.most) == (1, 1)


def test_a_member_that_has_less_room_than_it_says_is_given_to_nobody() -> None:
    payload = by("zlib", TEXT[: 8 * KIB], Container.GZIP_EXT, USUAL)

    assert USUAL.decompressed(payload, Container.GZIP_EXT, 8 * KIB - 1) == Share()


SMALL: Final = by("zlib", bytes(32 * KIB), Container.FOUR_B, USUAL)
LARGE: Final = by("zlib", bytes(128 * KIB), Container.FOUR_B, USUAL)


@pytest.mark.parametrize(
    ("payload", "least", "most"),
    [
        pytest.param(SMALL + LARGE, 1, 2, id="the last one"),
        pytest.param(LARGE + SMALL, 1, None, id="the first one"),
        pytest.param(LARGE + four_b_header(80_000) + bytes(9), 0, None, id="and one that says so"),
    ],
)
def test_of_4b_that_there_is_no_room_for_the_first_says_why(payload: bytes, least: int, most: int | None) -> None:
    share = USUAL.decompressed(payload, Container.FOUR_B, 256 * KIB)

    assert (share.least, share.most) == (least, most)
    assert share.software == "a member of more than 65,536 bytes is larger than hw_buff_sz"
