"""Figures: totals of one peer as it ran, of the user's content beside ours."""

from __future__ import annotations

from typing import Any

import pytest

from multifd.result.record import Cell, CpuSeconds, Provenance, Seconds, Sides
from reports import html, performance
from tests.reports.builder import cell, results, user_content

GIB = 1 << 30


def figures_of(*cells: Cell) -> dict[str, performance.Cost]:
    return {row.peer: row.cost for row in performance.figures(results(*cells))}


def compared(*cells: Cell) -> dict[str, performance.Comparison]:
    return {row.peer: row for row in performance.compared(results(*cells))}


def ran(corpus: str, wire: int, cpu: tuple[float, float] = (2, 1), **changes: Any) -> Cell:
    """A cell from zlib to isal with 1 GiB of memory, a wire of so many eighths of it, CPU seconds of both ends."""
    return cell(
        corpus=corpus, bytes_memory=GIB, bytes_wire=wire * GIB // 8,
        cpu_seconds=CpuSeconds(sender=cpu[0], receiver=cpu[1]), **changes,
    )  # fmt: skip


def test_ratio_and_speed_are_totals_per_peer_in_its_role() -> None:
    one = {"sender": "zlib", "receiver": "isal", "bytes_memory": 10_000_000}

    costs = figures_of(
        cell(**one, corpus="text", bytes_wire=2_000_000, seconds=Seconds(encode=0.1, decode=0.05)),
        cell(**one, corpus="zero", bytes_wire=1_000_000, seconds=Seconds(encode=0.3, decode=0.05)),
    )

    assert (costs["zlib"].ratio, costs["zlib"].encode, costs["zlib"].decode) == (0.15, 50.0, None)
    assert (costs["isal"].ratio, costs["isal"].encode, costs["isal"].decode) == (None, None, 200.0)


def test_cost_is_cpu_time_of_the_peers_own_role_for_each_gib() -> None:
    costs = figures_of(ran("text", 4, (2, 1)), ran("heap", 4, (4, 5)))

    assert (costs["zlib"].encode_cpu, costs["zlib"].decode_cpu) == (3, None)
    assert (costs["isal"].encode_cpu, costs["isal"].decode_cpu) == (None, 3)


def test_a_cell_that_did_not_pass_has_no_figures() -> None:
    assert figures_of(cell(verdict="fail", kind="corrupt")) == {}
    assert compared(ran("user", 2, verdict="fail", kind="corrupt")) == {}


def test_a_peer_that_measured_nothing_has_no_speed() -> None:
    costs = figures_of(cell(seconds=Seconds(wall=1.0)))

    assert (costs["zlib"].encode, costs["isal"].decode) == (None, None)
    assert (costs["zlib"].encode_cpu, costs["isal"].decode_cpu) == (None, None)


@pytest.mark.parametrize("corpus", ["text", "user"])
def test_silicon_library_and_emulation_are_never_added_up(corpus: str) -> None:
    kinds: tuple[Provenance, ...] = ("hardware", "vendor-software", "emulated")
    run = results(
        *(
            ran(corpus, at, (at, 1), sender="qpl", id=kind, provenance=Sides(sender=kind, receiver="software"))
            for at, kind in enumerate(kinds, 1)
        )
    )

    costs = [(row.peer, row.provenance, row.cost) for row in performance.figures(run)]
    costs += [(row.peer, row.provenance, row.yours) for row in performance.compared(run)]

    assert {provenance: (cost.ratio, cost.encode_cpu) for peer, provenance, cost in costs if peer == "qpl"} == {
        "hardware": (1 / 8, 1), "vendor-software": (2 / 8, 2), "emulated": (3 / 8, 3),
    }  # fmt: skip


def test_the_users_content_is_not_among_ours() -> None:
    rows = performance.figures(results(ran("mixed", 4), ran("user", 2)))

    assert [(row.peer, row.corpora, row.cells) for row in rows] == [("zlib", ("mixed",), 1), ("isal", ("mixed",), 1)]
    assert rows[0].cost.ratio == 0.5


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
