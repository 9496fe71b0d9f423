"""What somebody may have meant."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from multifd.nearest import nearest, suggestion

IDS = (
    "probe/zlib",
    "wire/zlib/zlib~isal/qemu-10.0/capture/mixed/4k/2ch",
    "wire/zlib/zlib~qatzip[stream=1]/qemu-10.0/capture/mixed/4k/2ch",
    "wire/zstd/zstd~zstd/qemu-10.0/capture/mixed/4k/2ch",
)


def test_a_typo_in_one_part_of_an_id_counts_once() -> None:
    assert nearest("wire/zlib/zlib~isla/qemu-10.0/capture/mixed/4k/2ch", IDS)[0] == IDS[1]


def test_the_beginning_of_an_id_is_near_to_what_begins_like_that() -> None:
    assert nearest("wire/zsdt/", IDS)[0] == IDS[3]


def test_a_plain_name_is_compared_as_it_is() -> None:
    assert nearest("explian", ("cells", "replay", "explain"), 1) == ("explain",)


def test_whatever_is_wanted_something_is_nearest_unless_there_is_nothing() -> None:
    assert suggestion("?", ["one"]) == "the nearest are one"
    assert suggestion("?", []) == "the nearest are none"


@settings(max_examples=50)
@given(st.sampled_from(IDS))
def test_nothing_is_nearer_than_the_name_itself(name: str) -> None:
    assert nearest(name, IDS)[0] == name
