"""What QEMU's own checks refuse: by the capabilities and methods that a binary names, and by its release."""

from __future__ import annotations

import re

import pytest

from multifd.oracle.predict import predict
from multifd.oracle.question import Told
from multifd.oracle.refusal import CLASHES, LEVELS
from tests.oracle.builder import ask, telling

ZERO_COPY = "Zero copy only available for non-compressed non-TLS multifd migration"
SNAPSHOT = "Background-snapshot is not (compatible|supported)"
OLD, NEW = "10.0", "11.1"


def refusal(*told: Told) -> str | None:
    """What is expected to be said."""
    prediction = predict(ask("zlib", to_qemu=True, told=told))
    assert (prediction.rule == "told") == (prediction.outcome == "rejected")
    return prediction.error


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (telling(OLD, "zlib", "zero-copy-send"), ZERO_COPY),
        (telling(OLD, "none", "zero-copy-send", tls=True), ZERO_COPY),
        (telling(OLD, "none", "background-snapshot"), SNAPSHOT),
        (telling("7.2", "none", "compress"), "Multifd is not compatible with compress"),
        (telling(OLD, "none", "xbzrle"), "Multifd is not compatible with xbzrle"),
        (telling(OLD, "zstd", "mapped-ram"), "Mapped-ram only available for non-compressed non-TLS multifd migration"),
        (telling(OLD, "zlib", "postcopy-ram"), "Postcopy is not yet compatible with multifd"),
        (telling(OLD, "uadk"), "Parameter 'multifd-compression' does not accept value 'uadk'"),
    ],
)
def test_what_does_not_fit_is_refused_in_its_words(told: Told, said: str) -> None:
    assert refusal(told) == said


@pytest.mark.parametrize(
    "told",
    [
        telling(OLD, "none", "zero-copy-send"),
        telling(OLD, "none", "mapped-ram"),
        telling("7.2", "zlib", "xbzrle"),
        telling("7.2", "zlib", "postcopy-ram"),
        telling(NEW, "zlib", "postcopy-ram"),
        telling(OLD, "zlib", "return-path"),
        telling(OLD, "zstd"),
    ],
)
def test_what_fits_is_taken(told: Told) -> None:
    assert refusal(told) is None


@pytest.mark.parametrize("clash", [clash for clash in CLASHES if clash.since > (5, 0)], ids=lambda c: c.capability)
def test_a_check_holds_from_one_release_to_another(clash: object) -> None:
    before = {(7, 2): (7, 1), (8, 2): (8, 1), (8, 0): (7, 2)}

    for check in (each for each in CLASHES if each is clash):
        first = telling(OLD, "zlib", check.capability, release=check.since)
        earlier = telling(OLD, "zlib", check.capability, release=before[check.since])
        after = telling(OLD, "zlib", check.capability, release=check.before)
        assert (refusal(earlier), refusal(first), refusal(after)) == (None, check.words, None)


@pytest.mark.parametrize("name", LEVELS)
@pytest.mark.parametrize("written", ["Parameter '{0}' expects", "Option {1} expects"], ids=["10.0", "11.1"])
def test_a_level_beyond_the_last_is_refused_as_both_generations_put_it(name: str, written: str) -> None:
    least, most = LEVELS[name]
    underscored = name.replace("-", "_")
    said = written.format(underscored, name) + f" a value between {least} and {most}"

    error = refusal(telling(OLD, "zlib", level={name: most + 1}))

    assert error is not None
    assert re.search(error, said)
    assert refusal(telling(OLD, "zlib", level={name: most})) is None


def test_the_destination_is_told_first() -> None:
    first, second = telling(OLD, "zlib", "background-snapshot"), telling(OLD, "qpl")

    assert refusal(first, second) == SNAPSHOT
    assert refusal(telling(OLD), second) == "Parameter 'multifd-compression' does not accept value 'qpl'"
