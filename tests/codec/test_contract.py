"""Codecs are made by name; what is not allowed is refused before anything runs."""

from __future__ import annotations

import pytest

from multifd.codec import create, factories
from multifd.codec.contract import Factory, Parameter, peer_name
from multifd.errors import InputError
from multifd.framing.coder import Codec, StreamDecoder, StreamEncoder

NAMES = (
    "iaa-emulated", "isal", "libdeflate", "none", "qat-emulated", "qatzip", "qpl", "uadk-emulated", "zlib", "zlib-ng",
    "zstd",
)  # fmt: skip
HERE = [name for name in NAMES if name not in ("qatzip", "qpl")]
"""Without those that need a vendor library."""

ALLOWED = [
    (name, key, value)
    for name, factory in factories().items()
    if name in HERE
    for key, parameter in factory.parameters.items()
    for value in (parameter.allowed[0], parameter.allowed[-1])
]


def test_every_codec_of_the_package_is_found_in_the_order_of_the_names() -> None:
    assert list(factories()) == [*NAMES]


@pytest.mark.parametrize("name", HERE)
def test_a_codec_with_its_defaults_has_its_plain_name(name: str) -> None:
    assert create(name).name == name


@pytest.mark.parametrize("name", HERE)
def test_a_codec_that_declares_streams_has_them_and_no_other(name: str) -> None:
    codec = create(name)

    assert codec.encoder is not None and codec.decoder is not None
    assert codec.encoder.streaming is isinstance(codec, StreamEncoder)
    assert codec.decoder.streaming is isinstance(codec, StreamDecoder)


@pytest.mark.parametrize(("name", "key", "value"), ALLOWED)
def test_both_ends_of_a_range_are_allowed(name: str, key: str, value: int) -> None:
    assert create(name, {key: value}).name in (name, f"{name}[{key}={value}]")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({}, "zlib"),
        ({"level": 1, "window": 15}, "zlib"),
        ({"level": 6}, "zlib[level=6]"),
        ({"window": 12, "level": 1}, "zlib[window=12]"),
        ({"window": 12, "level": 6}, "zlib[level=6,window=12]"),
    ],
)
def test_a_name_has_the_parameters_that_are_not_the_defaults(given: dict[str, int], name: str) -> None:
    assert create("zlib", given).name == peer_name(factories()["zlib"], given) == name


def test_an_unknown_codec_is_named() -> None:
    with pytest.raises(InputError) as caught:
        create("lz4")

    assert str(caught.value) == f"codec 'lz4' is unknown; expected one of {', '.join(NAMES)}"


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("zlib", {"levle": 1}, "codec zlib: parameter 'levle' is unknown; expected one of level, window"),
        ("isal", {"window": 12}, "codec isal: parameter 'window' is unknown; expected one of level"),
        ("none", {"level": 1}, "codec none: parameter 'level' is unknown; expected one of none"),
        ("zlib", {"level": 10}, "codec zlib: level is 10; expected 0 to 9"),
        ("zlib", {"level": -1}, "codec zlib: level is -1; expected 0 to 9"),
        ("zlib", {"window": 8}, "codec zlib: window is 8; expected 9 to 15"),
        ("zlib-ng", {"level": 10}, "codec zlib-ng: level is 10; expected 0 to 9"),
        ("isal", {"level": 4}, "codec isal: level is 4; expected 0 to 3"),
        ("libdeflate", {"level": 13}, "codec libdeflate: level is 13; expected 0 to 12"),
        ("zstd", {"level": 0}, "codec zstd: level is 0; expected 1 to 20"),
        ("zstd", {"level": 21}, "codec zstd: level is 21; expected 1 to 20"),
    ],
)
def test_a_parameter_that_is_not_allowed_is_named(name: str, given: dict[str, int], message: str) -> None:
    with pytest.raises(InputError) as caught:
        create(name, given)

    assert str(caught.value) == message


def test_a_codec_is_made_with_its_name_and_all_its_parameters() -> None:
    made: list[tuple[str, dict[str, int]]] = []

    def make(name: str, **values: int) -> Codec:
        made.append((name, values))
        return create("none")

    parameters = {"level": Parameter(1, range(10)), "window": Parameter(15, range(9, 16))}

    Factory("x", make, parameters).create({"level": 3})

    assert made == [("x[level=3]", {"level": 3, "window": 15})]
