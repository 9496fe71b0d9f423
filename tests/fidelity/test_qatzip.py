"""The model of libqatzip beside libqatzip: what the payloads are, what the differences recognise, and that they do."""

from __future__ import annotations

import zlib
from collections import Counter
from typing import Final

import pytest

from multifd.codec.silicon.libqatzip import Device, Parameters, Session
from multifd.codec.silicon.qat import Engine
from multifd.errors import EnvironmentBroke, InputError
from multifd.fidelity import library
from multifd.fidelity.compare import AGREE, Pair, verdict
from multifd.fidelity.grammar import Stream
from multifd.fidelity.qatzip import ABSENT, DEFAULT, SMALL, differences, outcome
from multifd.fidelity.qatzip_streams import CONTAINERS, SPOILT, payloads
from multifd.framing.container import Container, gzip_ext_header, trailer

PAGE: Final = b"".join(b"line %d of a page, " % number for number in range(400))[:4096]
LARGE: Final = bytes(1 << 17)


def written(container: Container, plain: bytes, **parameters: int) -> bytes:
    settled = Parameters(container=container, threshold=128, device=Device.READY, **parameters)  # type: ignore[arg-type]
    return Session(settled, Engine()).compress(plain).output


def judged(data: bytes, room: int, container: Container) -> str | None:
    """The verdict on the device, with the model of the software path for the library."""
    stream = Stream("", data, room, container)
    return verdict(differences(DEFAULT), Pair(stream, outcome(DEFAULT, stream), outcome(ABSENT, stream)))


def test_payloads_follow_from_seed_and_index() -> None:
    assert list(payloads(50, 1)) == list(payloads(50, 1))
    assert list(payloads(50, 1)) != list(payloads(50, 2))


def test_every_defect_meets_every_container() -> None:
    met = {(made.kind.partition(", ")[2], made.container) for made in payloads(2000, 1)}

    assert met == {(wrong, container) for wrong in ("", *SPOILT) for container in CONTAINERS}


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_page_is_agreed_upon(container: Container) -> None:
    assert judged(written(container, PAGE), len(PAGE), container) == AGREE


@pytest.mark.parametrize(
    ("name", "data", "room", "container"),
    [
        ("room-is-checked-first", written(Container.GZIP_EXT, PAGE), 4095, Container.GZIP_EXT),
        ("room-is-checked-first", written(Container.GZIP_EXT, PAGE) + b"!", 4096, Container.GZIP_EXT),
        ("4B-reserves-hw_buff_sz", 2 * written(Container.FOUR_B, PAGE), 8192, Container.FOUR_B),
        ("refused-piece-keeps-its-room", zlib.compress(LARGE), len(LARGE), Container.ZLIB),
        ("one-request", 2 * written(Container.ZLIB, PAGE), 8192, Container.ZLIB),
        ("members-are-whole", written(Container.GZIP_EXT, PAGE)[:-1], 4096, Container.GZIP_EXT),
        (
            "sizes-are-believed",
            gzip_ext_header(4096, 9999) + written(Container.GZIP_EXT, PAGE)[24:],
            4096,
            Container.GZIP_EXT,
        ),
        ("header-is-not-looked-at", b"??" + written(Container.GZIP, PAGE)[2:], 4096, Container.GZIP),
        (
            "rest-of-member-is-skipped",
            written(Container.GZIP, PAGE)[:-8] + b"!" + trailer(zlib.crc32(PAGE), 4096),
            4096,
            Container.GZIP,
        ),
    ],
)
def test_a_difference_has_its_name(name: str, data: bytes, room: int, container: Container) -> None:
    assert judged(data, room, container) == name


def test_no_difference_explains_other_bytes() -> None:
    stream = Stream("", written(Container.GZIP_EXT, PAGE), 4096, Container.GZIP_EXT)
    ours = outcome(DEFAULT, stream)

    assert verdict(differences(DEFAULT), Pair(stream, ours, library.Outcome(0, PAGE[::-1]))) is None
    assert verdict(differences(DEFAULT), Pair(stream, ours, library.Outcome(-4, b""))) is None


def test_the_model_is_like_libqatzip_where_that_is_within_reach() -> None:
    batch = list(payloads(1000, seed=3))
    try:
        worker, _ = library.worker("qatzip")
        worker.begin(batch)
    except (InputError, EnvironmentBroke) as problem:
        pytest.skip(str(problem))

    theirs = worker.finish(batch)
    worker.close()

    assert [outcome(ABSENT, stream) for stream in batch] == theirs
    for parameters in (DEFAULT, SMALL):
        pairs = [Pair(stream, outcome(parameters, stream), found) for stream, found in zip(batch, theirs, strict=True)]
        unexplained = Counter(pair.stream.kind for pair in pairs if verdict(differences(parameters), pair) is None)
        assert unexplained == {}
