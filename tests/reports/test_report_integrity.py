"""The table of flipped bits: shares for each framing and decoder, with how the decoder ran."""

from __future__ import annotations

from multifd.result.record import Cell, Integrity, Sides
from reports import html, integrity
from tests.reports.builder import cell, results


def flipped(receiver: str, silent: int) -> Cell:
    return cell(
        suite="flips", framing="zlib-page[window=15]", receiver=receiver, scenario="flips",
        provenance=Sides(sender="software", receiver="emulated"),
        integrity=Integrity(flips=50, detected=40 - silent, harmless=10, silent=silent),
    )  # fmt: skip


def test_shares_are_of_the_bits_that_were_flipped() -> None:
    (row,) = integrity.guards(results(flipped("qpl", 5)))

    assert (row.detected, row.harmless, row.silent) == (0.7, 0.2, 0.1)


def test_cells_without_flipped_bits_have_no_row() -> None:
    assert integrity.guards(results(cell())) == ()


def test_the_report_has_a_row_with_the_provenance_of_the_decoder() -> None:
    page = html.render(results(flipped("iaa-emulated", 5)))

    assert '<td>iaa-emulated <i class="mark emulated">emulated</i></td><td class="num">50</td>' in page
    assert '<td class="num">70%</td><td class="num">20%</td><td class="num">10%</td>' in page


def test_a_run_without_flipped_bits_has_no_table() -> None:
    assert "single-bit faults" not in html.render(results(cell()))
