"""Figures: what one peer took as it ran, with its spread; the user's content beside ours."""

from __future__ import annotations

from typing import Any

import pytest

from multifd.result.record import Cell, CpuSeconds, Provenance, Seconds, Sides
from reports import html, performance
from tests.reports.builder import cell, results, user_content

GIB = 1 << 30


def points(*cells: Cell) -> dict[str, performance.Point]:
    return {point.peer: point for point in performance.points(results(*cells))}


def compared(*cells: Cell) -> dict[str, performance.Comparison]:
    return {row.peer: row for row in performance.compared(results(*cells))}


def ran(corpus: str, wire: int, cpu: tuple[float, float] = (2, 1), **changes: Any) -> Cell:
    """A cell from zlib to isal with 1 GiB of memory, a wire of so many eighths of it, CPU seconds of both ends."""
    return cell(
        corpus=corpus, bytes_memory=GIB, bytes_wire=wire * GIB // 8,
        cpu_seconds=CpuSeconds(sender=cpu[0], receiver=cpu[1]), **changes,
    )  # fmt: skip


def test_each_end_is_a_point_of_its_own_role() -> None:
    found = points(cell(corpus="text", bytes_memory=10_000_000, bytes_wire=2_000_000, cpu_seconds=CpuSeconds(sender=1),
                        seconds=Seconds(encode=0.1, decode=0.05)))  # fmt: skip

    zlib, isal = found["zlib"], found["isal"]
    assert (zlib.role, isal.role) == ("sender", "receiver")
    assert (zlib.speed, isal.speed) == (performance.Spread(100, 100, 100), performance.Spread(200, 200, 200))
    assert zlib.ratio == isal.ratio == performance.Spread(0.2, 0.2, 0.2)
    assert (zlib.cpu and round(zlib.cpu.median, 1), isal.cpu) == (107.4, None)


def test_a_point_shows_the_spread_of_its_cells() -> None:
    found = points(*(ran("text", wire, (cpu, 1), id=str(cpu)) for wire, cpu in ((4, 2), (1, 9), (2, 4))))

    assert (found["zlib"].cells, found["zlib"].ratio) == (3, performance.Spread(1 / 8, 2 / 8, 4 / 8))
    assert found["zlib"].cpu == performance.Spread(2, 4, 9)


def test_content_of_one_kind_is_not_added_to_that_of_another() -> None:
    found = performance.points(results(ran("text", 4), ran("zero", 1), ran("user", 2)))

    sent = [(point.corpus, point.ratio and point.ratio.median) for point in found if point.role == "sender"]
    assert sent == [("text", 4 / 8), ("zero", 1 / 8), ("user", 2 / 8)]


def test_a_cell_that_did_not_pass_has_no_figures() -> None:
    assert points(cell(verdict="fail", kind="corrupt")) == {}
    assert compared(ran("user", 2, verdict="fail", kind="corrupt")) == {}


def test_a_peer_that_measured_nothing_has_no_speed() -> None:
    found = points(cell(seconds=Seconds(wall=1.0)))

    assert (found["zlib"].speed, found["isal"].speed, found["zlib"].cpu, found["isal"].cpu) == (None,) * 4


@pytest.mark.parametrize("corpus", ["text", "user"])
def test_silicon_library_and_emulation_are_never_added_up(corpus: str) -> None:
    kinds: tuple[Provenance, ...] = ("hardware", "vendor-software", "emulated")
    run = results(
        *(
            ran(corpus, at, (at, 1), sender="qpl", id=kind, provenance=Sides(sender=kind, receiver="software"))
            for at, kind in enumerate(kinds, 1)
        )
    )

    shown = {
        point.provenance: point.ratio and point.ratio.most for point in performance.points(run) if point.peer == "qpl"
    }
    beside = {row.provenance: row.yours.ratio for row in performance.compared(run) if row.peer == "qpl"}

    assert shown == {"hardware": 1 / 8, "vendor-software": 2 / 8, "emulated": 3 / 8}
    assert beside == (shown if corpus == "user" else {})


def test_the_users_content_stands_beside_ours() -> None:
    rows = compared(ran("mixed", 4, (2, 1)), ran("user", 2, (3, 4)))

    zlib, isal = rows["zlib"], rows["isal"]
    assert (zlib.ours.ratio, zlib.yours.ratio, zlib.ours.encode_cpu, zlib.yours.encode_cpu) == (0.5, 0.25, 2, 3)
    assert (isal.ours.decode_cpu, isal.yours.decode_cpu) == (1, 4)


def test_it_is_compared_with_what_has_something_of_every_kind_where_that_was_run() -> None:
    rows = compared(ran("text", 1), ran("mixed", 4), ran("zero", 1), ran("user", 2))

    assert (rows["zlib"].corpora, rows["zlib"].ours.ratio) == (("mixed",), 0.5)


def test_it_is_compared_with_all_of_ours_where_that_was_not() -> None:
    rows = compared(ran("text", 1), ran("heap", 5), ran("user", 2))

    assert (rows["zlib"].corpora, rows["zlib"].ours.ratio) == (("text", "heap"), 3 / 8)


def test_pages_of_other_sizes_are_not_compared() -> None:
    rows = compared(ran("mixed", 1, page_size=65536), ran("user", 2))

    assert (rows["zlib"].corpora, rows["zlib"].ours.ratio, rows["zlib"].yours.ratio) == ((), None, 0.25)


def test_without_content_of_the_user_there_is_nothing_to_compare() -> None:
    run = results(ran("mixed", 4))

    assert performance.compared(run) == ()
    assert "beside ours" not in html.render(run)


def test_the_report_has_both_in_neighbouring_columns() -> None:
    run = results(ran("mixed", 4, (2, 1)), ran("user", 2, (3, 4)), content=user_content())

    row = "".join(f'<td class="num">{value}</td>' for value in ("0.500", "0.250", "2.00", "3.00", "–", "–"))
    assert row in html.render(run)
