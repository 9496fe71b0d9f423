"""Rounds: playing a script on zero memory gives its last image, and each shape shows what it is for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from multifd.errors import EnvironmentBroke, InputError
from multifd.memory import rounds
from multifd.memory.corpus import CORPORA, Corpus
from multifd.memory.image import GuestMemory
from multifd.memory.layout import MemoryLayout, PageSize, Round, Script
from multifd.memory.rounds import SHAPES, build, load

PAGE_SIZES: tuple[PageSize, ...] = (4096, 16384, 65536)
BLOCKS = ("pc.ram", "/rom@etc/acpi")


def make(directory: Path, shape: str, page_size: PageSize = 4096, corpus: str = "mixed", seed: int = 1) -> Script:
    sizes = {"pc.ram": 37 * page_size, "/rom@etc/acpi": 3 * page_size}
    return build(directory, CORPORA[corpus], seed, sizes, page_size, shape)


def content(image: MemoryLayout) -> NDArray[np.uint8]:
    """All pages of an image, block after block."""
    with GuestMemory.open(image, writable=False) as memory:
        return np.concatenate([memory.pages(block.name) for block in image.blocks])


def sent(each: Round) -> list[int]:
    """Indices, into ``content``, of the pages of a round."""
    starts = {"pc.ram": 0, "/rom@etc/acpi": each.image.page_counts["pc.ram"]}
    return [starts[run.block] + page for run in each.pages for page in range(run.first, run.stop)]


def is_zero(pages: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.array([not page.any() for page in pages])


@contextmanager
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@settings(max_examples=40)
@given(
    shape=st.sampled_from(sorted(SHAPES)),
    page_size=st.sampled_from(PAGE_SIZES),
    corpus=st.sampled_from(["mixed", "zero", "random", "qemu-test", "period-256", "host-files"]),
    seed=st.integers(0, 2**32),
)
def test_sending_the_rounds_in_order_makes_the_last_image(shape: str, page_size: Any, corpus: str, seed: int) -> None:
    with scratch() as directory:
        script = make(directory, shape, page_size, corpus, seed)
        images = [content(each.image) for each in script.rounds]

    memory = np.zeros_like(images[0])
    for each, image in zip(script.rounds, images, strict=True):
        memory[sent(each)] = image[sent(each)]
        assert np.array_equal(memory, image)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_seed_gives_the_same_script(tmp_path: Path, shape: str) -> None:
    one, two = (make(tmp_path / name, shape) for name in ("one", "two"))

    assert [each.pages for each in one.rounds] == [each.pages for each in two.rounds]
    assert np.array_equal(content(one.expected), content(two.expected))


@pytest.mark.parametrize("shape", SHAPES)
def test_another_seed_gives_other_content(tmp_path: Path, shape: str) -> None:
    one, two = (make(tmp_path / str(seed), shape, seed=seed) for seed in (1, 2))

    assert not np.array_equal(content(one.expected), content(two.expected))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_saved_script_can_be_loaded(tmp_path: Path, shape: str) -> None:
    assert make(tmp_path, shape) == load(tmp_path)


def test_paths_do_not_depend_on_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    script = make(Path("script"), "single")

    assert script.expected.blocks[0].path == f"{tmp_path}/script/round-0/pc.ram.ram"


def test_zero_pages_take_no_space(tmp_path: Path) -> None:
    script = make(tmp_path, "single", corpus="zero")

    assert [Path(block.path).stat().st_blocks for block in script.expected.blocks] == [0, 0]


def test_single_sends_all_pages_once(tmp_path: Path) -> None:
    script = make(tmp_path, "single")

    assert [sent(each) for each in script.rounds] == [list(range(40))]


@pytest.mark.parametrize("page_size", PAGE_SIZES)
@pytest.mark.parametrize("corpus", ["zero", "random", "mixed"])
def test_dirty_pages_lose_and_gain_content(tmp_path: Path, page_size: PageSize, corpus: str) -> None:
    script = make(tmp_path, "dirty", page_size, corpus)

    before, after, last = (content(each.image) for each in script.rounds)
    first, second, third = (sent(each) for each in script.rounds)
    assert len(first) == 40
    assert len(second) == 10
    assert set(third) < set(second)
    for old, new, pages in ((before, after, second), (after, last, third)):
        assert all((old[page] != new[page]).any() for page in pages)
        assert any(is_zero(old)[pages] & ~is_zero(new)[pages])
        assert any(~is_zero(old)[pages] & is_zero(new)[pages])
    assert np.count_nonzero(~is_zero(before)[second] & is_zero(after)[second]) == 3


def test_dirty_pages_change_even_if_the_corpus_never_does(tmp_path: Path) -> None:
    same = Corpus("same", "always the same byte", lambda size, rng: b"s" * size)

    script = build(tmp_path, same, 1, {"m": 40 * 4096}, 4096, "dirty")

    before, after, _ = (content(each.image) for each in script.rounds)
    dirty = [page for run in script.rounds[1].pages for page in range(run.first, run.stop)]
    assert (before != after).any(axis=1)[dirty].all()


@pytest.mark.parametrize("page_size", PAGE_SIZES)
def test_the_last_dirty_round_does_not_fill_a_packet(tmp_path: Path, page_size: PageSize) -> None:
    sizes = {"m": 4096 * 1024 * 4} if page_size == 4096 else {"m": 128 * page_size}

    script = build(tmp_path, CORPORA["random"], 1, sizes, page_size, "dirty")

    assert 0 < sum(run.count for run in script.rounds[2].pages) < 524288 // page_size


@pytest.mark.parametrize("corpus", ["zero", "mixed"])
def test_zero_only_sends_zero_pages_that_had_content(tmp_path: Path, corpus: str) -> None:
    script = make(tmp_path, "zero-only", corpus=corpus)

    before, after = (content(each.image) for each in script.rounds)
    assert not is_zero(before).any()
    assert is_zero(after)[sent(script.rounds[1])].all()
    assert len(sent(script.rounds[1])) == 10


@pytest.mark.parametrize("page_size", PAGE_SIZES)
def test_partial_rounds_never_fill_a_packet(tmp_path: Path, page_size: PageSize) -> None:
    sizes = {"pc.ram": 300 * page_size, "m": page_size}

    script = build(tmp_path, CORPORA["sparse"], 1, sizes, page_size, "partial")

    for each in script.rounds:
        counts = [sum(run.count for run in each.pages if run.block == block) for block in sizes]
        assert all(0 < count < 524288 // page_size for count in counts)
        assert len(each.pages) > 2
        assert max(run.count for run in each.pages) <= 6


def test_partial_leaves_pages_that_are_never_sent_zero(tmp_path: Path) -> None:
    script = make(tmp_path, "partial", corpus="random")

    never = sorted(set(range(40)) - {page for each in script.rounds for page in sent(each)})
    assert never
    assert all(is_zero(content(each.image))[never].all() for each in script.rounds)


def test_empty_rounds_lie_between_others_and_at_the_end(tmp_path: Path) -> None:
    script = make(tmp_path, "empty")

    assert [len(sent(each)) for each in script.rounds] == [40, 0, 10, 0]


def test_an_empty_round_shares_the_image_before_it(tmp_path: Path) -> None:
    script = make(tmp_path, "empty")

    assert script.rounds[1].image == script.rounds[0].image
    assert script.rounds[3].image == script.rounds[2].image


@pytest.mark.parametrize("corpus", ["zero", "sparse", "mixed"])
def test_stale_has_no_zero_page(tmp_path: Path, corpus: str) -> None:
    script = make(tmp_path, "stale", corpus=corpus)

    assert [sent(each) for each in script.rounds] == [list(range(40))]
    assert not is_zero(content(script.expected)).any()


@pytest.mark.parametrize("page_size", PAGE_SIZES)
def test_guest_changes_only_what_lies_above_a_pcs_low_memory(tmp_path: Path, page_size: PageSize) -> None:
    script = build(tmp_path, CORPORA["mixed"], 1, {"pc.ram": 8 << 20}, page_size, "guest")

    first, *later = map(sent, script.rounds)
    low = (1 << 20) // page_size
    assert first == list(range((8 << 20) // page_size))
    assert all(pages and min(pages) >= low for pages in later)


def test_guest_has_pages_that_become_zero_for_good_pages_that_return_and_pages_that_appear(tmp_path: Path) -> None:
    script = build(tmp_path, CORPORA["text"], 1, {"m": 2 << 20}, 4096, "guest")

    histories = {tuple(history) for history in zip(*(is_zero(content(r.image)) for r in script.rounds), strict=True)}
    assert histories >= {(False, True, True), (False, True, False), (True, False, False), (False, False, False)}


GUEST = 4 << 20
"""Bytes: 1024 pages, of which 256 are low memory."""


def guest(directory: Path, shape: str, corpus: str = "mixed", size: int = GUEST) -> tuple[Any, Any, list[int]]:
    """The pages of a guest before and after the second round, and which pages that sends."""
    script = build(directory, CORPORA[corpus], 1, {"pc.ram": size}, 4096, shape)
    before, after = (content(each.image) for each in script.rounds)
    assert sent(script.rounds[0]) == list(range(size // 4096))
    return before, after, sent(script.rounds[1])


@pytest.mark.parametrize("corpus", ["zero", "mixed"])
@pytest.mark.parametrize(("shape", "count"), [("one", 1), ("packet-and-one", 129)])
def test_so_many_pages_of_a_guest_change(tmp_path: Path, shape: str, count: int, corpus: str) -> None:
    before, after, pages = guest(tmp_path, shape, corpus)

    assert np.flatnonzero((before != after).any(axis=1)).tolist() == pages
    assert len(pages) == count
    assert min(pages) >= 256


@pytest.mark.parametrize("corpus", ["zero", "mixed"])
def test_every_second_page_of_what_is_sent_again_becomes_zero(tmp_path: Path, corpus: str) -> None:
    before, after, pages = guest(tmp_path, "halves", corpus)

    assert pages == list(range(256, 1024))
    assert not is_zero(before)[pages].any()
    assert is_zero(after)[pages].tolist() == [True, False] * 384
    assert (before != after).any(axis=1)[pages].all()


@pytest.mark.parametrize("corpus", ["zero", "mixed"])
def test_whole_packets_become_zero_aligned_and_not(tmp_path: Path, corpus: str) -> None:
    before, after, pages = guest(tmp_path, "zero-run", corpus)

    packets = [is_zero(after)[pages[at : at + 128]] for at in range(0, len(pages), 128)]
    assert not is_zero(before).any()
    assert [packet.all() for packet in packets] == [True, True, False, True, True, True]
    assert packets[2].tolist() == [False] * 37 + [True] * 91


@pytest.mark.parametrize(("stretches", "share"), [(128, 1 / 8), (2, 1 / 16)])
def test_a_large_guest_is_mostly_zero_and_the_more_so_the_larger_it_is(
    stretches: int, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "_STRETCHES", stretches)

    before, after, pages = guest(tmp_path, "spread", size=16 << 20)

    assert (~is_zero(before)).mean() == share
    assert len(pages) / len(before) == pytest.approx(share / 2, rel=0.1)
    assert is_zero(after)[pages].mean() == pytest.approx(1 / 2, abs=0.1)
    assert min(pages) >= 256


def test_few_fits_into_the_buffer_of_a_socket(tmp_path: Path) -> None:
    script = make(tmp_path, "few")

    (only,) = script.rounds
    assert sent(only) == list(range(40))
    assert (~is_zero(content(script.expected))).sum() == 8


def test_an_unknown_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        make(tmp_path, "round")

    assert str(error.value) == (
        "shape: 'round' is unknown, expected one of single, dirty, zero-only, partial, empty, stale, guest,"
        " eights, one, packet-and-one, halves, zero-run, spread, again, few"
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_eight_pages_are_enough(tmp_path: Path, shape: str) -> None:
    assert build(tmp_path, CORPORA["text"], 0, {"m": 8 * 65536}, 65536, shape).rounds


def test_fewer_pages_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        build(tmp_path, CORPORA["text"], 0, {"m": 7 * 65536}, 65536, "single")

    assert str(error.value) == "memory: 7 pages of 65536 bytes, expected at least 8"


def test_a_directory_without_script_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        load(tmp_path)

    assert str(error.value) == f"{tmp_path}/script.json: no such file, expected a script of dirty rounds"


def test_a_broken_script_is_refused_with_the_field(tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text('{"page_size": 4096}')

    with pytest.raises(InputError, match=r"^\S+/script\.json: 1 validation error for Script\nrounds\n"):
        load(tmp_path)


def test_a_script_that_cannot_be_written_is_the_hosts_fault(tmp_path: Path) -> None:
    (tmp_path / "script.json").mkdir()

    with pytest.raises(EnvironmentBroke) as error:
        make(tmp_path, "single")

    assert str(error.value) == f"{tmp_path}/script.json: Is a directory"
