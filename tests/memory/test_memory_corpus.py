"""Corpora: every one keeps the promise that its name makes."""

from __future__ import annotations

import heapq
import zlib
from collections import Counter
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from multifd.errors import InputError
from multifd.memory.corpora.edges import CODE_UNIT, RUN_LENGTHS, WINDOWS
from multifd.memory.corpora.stream import STOCK
from multifd.memory.corpus import CORPORA, MIXED_PARTS, SLICE, generate

PAGE = 4096
SIZE = 1 << 18
PERIODS = [window + beyond for window in WINDOWS for beyond in (-1, 0, 1)]
NAMED = (
    *("zero", "constant", "text", "heap", "code", "sparse", "random", "compressed", "runs-258"),
    *("codes-15", "stored-64k", "qemu-test", "host-files", "mixed", "page-edge"),
)


def array(name: str, size: int = SIZE, seed: int = 1) -> NDArray[np.uint8]:
    return np.frombuffer(generate(name, size, seed), np.uint8)


def ratio(name: str, level: int) -> float:
    return len(zlib.compress(generate(name, SIZE, 1), level)) / SIZE


def depth(counts: Counter[int]) -> int:
    """Bits of the longest code of an unlimited Huffman code, the flattest where there is a choice."""
    trees = [(count, 0) for count in counts.values()]
    heapq.heapify(trees)
    while len(trees) > 1:
        (left, low), (right, high) = heapq.heappop(trees), heapq.heappop(trees)
        heapq.heappush(trees, (left + right, 1 + max(low, high)))
    return trees[0][1]


def longest_incompressible(data: bytes, piece: int = 1024) -> int:
    """Bytes of the longest stretch of pieces none of which DEFLATE makes smaller."""
    hard = [len(zlib.compress(data[at : at + piece], 9)) >= piece for at in range(0, len(data), piece)]
    return max(len(list(group)) * piece for value, group in groupby(hard) if value)


def test_there_is_a_corpus_of_each_name() -> None:
    assert sorted(CORPORA) == sorted([*NAMED, *(f"period-{length}" for length in PERIODS)])


@pytest.mark.parametrize("name", CORPORA)
@pytest.mark.parametrize("size", [0, 1, PAGE, 3 * 65536 + 5])
def test_a_corpus_gives_exactly_the_bytes_asked_for(name: str, size: int) -> None:
    assert len(generate(name, size, 0)) == size


@pytest.mark.parametrize("name", CORPORA)
def test_the_same_seed_gives_the_same_content(name: str) -> None:
    assert generate(name, SIZE, 7) == generate(name, SIZE, 7)


@pytest.mark.parametrize("name", [name for name in CORPORA if name != "zero"])
def test_another_seed_gives_other_content(name: str) -> None:
    assert generate(name, SIZE, 7) != generate(name, SIZE, 8)


def test_corpora_do_not_share_their_dice() -> None:
    one, two = (generate(f"period-{length}", 255, 1) for length in (255, 256))

    assert one != two


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError) as error:
        generate("prose", PAGE, 0)

    assert str(error.value) == f"corpus: 'prose' is unknown, expected one of {', '.join(CORPORA)}"


def test_zero_is_zero() -> None:
    assert not array("zero").any()


@pytest.mark.parametrize("page_size", [4096, 16384, 65536])
def test_constant_has_one_byte_in_each_page(page_size: int) -> None:
    pages = array("constant").reshape(-1, page_size)

    assert (pages == pages[:, :1]).all()
    assert pages.all()


def test_sparse_has_few_bytes_set() -> None:
    assert 0 < np.count_nonzero(array("sparse")) <= SIZE // 1024


def test_text_is_ascii_with_spaces() -> None:
    text = bytes(generate("text", SIZE, 1))

    assert text.isascii()
    assert text.count(b" ") > SIZE // 12


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("text", 0.2, 0.5), ("heap", 0.2, 0.6), ("code", 0.3, 0.7), ("host-files", 0.1, 0.7)],
)
def test_real_content_compresses_as_real_content_does(name: str, least: float, most: float) -> None:
    assert least < ratio(name, level=1) < most


@pytest.mark.parametrize("name", ["random", "compressed"])
def test_incompressible_content_grows(name: str) -> None:
    assert ratio(name, level=9) > 1


def test_compressed_is_zlib_streams_one_after_another() -> None:
    rest, sizes = bytes(generate("compressed", SIZE, 1)), []

    while (inflate := zlib.decompressobj()).decompress(rest) and inflate.eof:
        sizes.append(len(rest) - len(inflate.unused_data))
        rest = inflate.unused_data

    assert 900 < min(sizes) < max(sizes) < 8192
    assert sum(sizes) > SIZE - 8192


def test_compressed_repeats_beyond_every_window_only() -> None:
    data = array("compressed", 2 << 20)
    head = data[:4096].tobytes()

    assert data.tobytes().find(head, 1) > 512 << 10


def test_heap_has_aligned_pointers_with_common_high_bytes_and_zeros() -> None:
    words = array("heap").view("<u8")

    pointers = words[words >> np.uint64(40) == 0x7F]
    assert 0.2 < len(pointers) / len(words) < 0.5
    assert not (pointers % 16).any()
    assert 0.2 < np.count_nonzero(words == 0) / len(words) < 0.5


@pytest.mark.parametrize("length", PERIODS)
def test_a_period_is_exact(length: int) -> None:
    data = array(f"period-{length}", 2 * length + PAGE)

    assert (data[length:] == data[:-length]).all()
    assert data.tobytes().find(data[:16].tobytes(), 1) == length


@pytest.mark.parametrize("window", WINDOWS[1:])
def test_a_window_does_not_reach_a_longer_period(window: int) -> None:
    deflate = zlib.compressobj(9, zlib.DEFLATED, 1 - window.bit_length())

    compressed = deflate.compress(generate(f"period-{window + 1}", SIZE, 1)) + deflate.flush()

    assert len(compressed) > 0.9 * SIZE


def test_runs_have_the_lengths_around_the_longest_match() -> None:
    found = Counter(len(list(group)) for _, group in groupby(generate("runs-258", SIZE, 1)))

    assert {257, 258, 259, 516} <= set(RUN_LENGTHS) == {length for length in found if found[length] > 1}
    assert sum(found[length] for length in RUN_LENGTHS) >= found.total() - 1


def test_codes_need_more_than_15_bits_in_every_unit() -> None:
    data = array("codes-15")

    assert {depth(Counter(unit.tolist())) > 15 for unit in data.reshape(-1, CODE_UNIT)} == {True}


def test_codes_are_worth_a_dynamic_block_and_hide_no_matches() -> None:
    literals = zlib.compressobj(9, strategy=zlib.Z_HUFFMAN_ONLY)
    without = len(literals.compress(generate("codes-15", SIZE, 1)) + literals.flush())

    assert without < 0.8 * SIZE
    assert ratio("codes-15", level=9) > 0.95 * without / SIZE


def test_stored_has_stretches_longer_than_a_stored_block_beside_others() -> None:
    data = bytes(generate("stored-64k", 1 << 20, 1))

    assert longest_incompressible(data) > 65535
    assert len(zlib.compress(data, 9)) < 0.99 * len(data)


def test_qemu_test_has_one_edge_between_two_counters() -> None:
    pages = array("qemu-test").reshape(-1, PAGE)

    counters = pages[:, 0].astype(int)
    assert not pages[:, 1:].any()
    assert counters.all()
    assert sorted(np.diff(counters))[0] in {0, -1}
    assert np.count_nonzero(np.diff(counters)) <= 1


def test_mixed_has_something_of_everything() -> None:
    slices = [part.tobytes() for part in array("mixed", 4 << 20).reshape(-1, SLICE)]

    assert bytes(SLICE) in slices
    for length in (window + beyond for window in WINDOWS for beyond in (0, 1)):
        assert any(part[length:] == part[:-length] and len(set(part)) > 100 for part in slices)


def test_mixed_names_every_portable_kind_once() -> None:
    names = [part.name for part in MIXED_PARTS]

    assert sorted(names) == sorted(
        [name for name in NAMED if name not in {"mixed", "host-files", "page-edge"}]
        + [f"period-{window + beyond}" for window in WINDOWS for beyond in (0, 1)]
    )


@settings(max_examples=10)
@given(st.integers(0, 2**63), st.integers(0, 1 << 21))
def test_mixed_is_made_for_any_seed_and_size(seed: int, size: int) -> None:
    assert len(generate("mixed", size, seed)) == size


def test_costly_content_repeats_after_its_stock() -> None:
    data = array("heap", STOCK + PAGE)

    assert (data[STOCK:] == data[:PAGE]).all()


def test_a_link_of_the_library_that_leads_nowhere_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").symlink_to(tmp_path / "gone")
    (tmp_path / "site.py").write_bytes(b"site")
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))

    assert generate("host-files", 8, 1) == b"sitesite"
