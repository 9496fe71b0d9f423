"""report.md: the summary of a CI job."""

from __future__ import annotations

import re

from multifd.result.record import Sides
from reports import markdown
from reports.vocabulary import RECORDED
from tests.reports.builder import FRAMINGS, cell, finding, realistic, results, unable, user_content


def test_the_headline_comes_first() -> None:
    text = markdown.render(results(cell()))

    assert text.startswith(
        "# multifd conformance: Conforming\n\n1 cell went as predicted or as a known issue says: 1 pass.\n"
    )


def test_an_incomplete_run_says_so() -> None:
    text = markdown.render(results(cell(), complete=False))

    assert text.startswith("# multifd conformance: Incomplete\n")


def test_it_says_how_much_of_the_users_content_was_taken() -> None:
    text = markdown.render(results(cell(), content=user_content()))

    assert "\n\nYour content, `/dumps`: 2 MiB of 256 MiB in 3 files (0.8%): 28.9% zero pages, 1.2% equal" in text


def test_devices_of_a_recorded_host_are_taken_for_nothing_else() -> None:
    text = markdown.render(results(cell(), recorded="/hosts/gen4"))

    assert f"\n**{RECORDED.capitalize()}** (`/hosts/gen4`).\n" in text
    assert RECORDED.capitalize() not in markdown.render(results(cell()))


def test_a_failure_is_one_row_with_its_provenance() -> None:
    text = markdown.render(
        results(
            cell(
                id="a|b",
                verdict="fail",
                kind="crash",
                reason="peer\ndied",
                error="<b>`x`",
                reproduce="tox",
                provenance=Sides(sender="software", receiver="emulated"),
            )
        )
    )

    assert r"| ✗ crash | `a\|b` zlib (software) → isal (emulated) | peer died<br>`<b>'x'` | `tox` |" in text


def test_a_matrix_has_symbols_words_and_provenance() -> None:
    text = markdown.render(
        results(
            cell(corpus="text", provenance=Sides(sender="hardware", receiver="emulated")),
            cell(corpus="zero", verdict="refused", provenance=Sides(sender="hardware", receiver="emulated")),
        )
    )

    assert "### zlib\n\n| | isal <sup>E</sup> |\n| --- | --- |\n| zlib <sup>H</sup> | ⊘ refused 1/2 |\n" in text


def test_what_a_peer_cannot_do_is_blank_and_listed_with_its_reason() -> None:
    text = markdown.render(results(cell(framing="zstd"), cannot=(unable(),)))

    assert "| isal |  |\n" in text
    assert "| zstd | isal | sender | it knows DEFLATE only |\n" in text


def test_a_finding_says_what_to_do_about_it() -> None:
    told = finding(remedy="Set it to 12.", upstream="issue 21", fixed_in=None, reproducer="multifd/x.py")

    text = markdown.render(results(findings=(told,)))

    assert "| Set it to 12. | issue 21 | – | 0 | `tox -e conformance`<br>`multifd/x.py` |" in text


def test_complaints_of_a_failure_are_listed() -> None:
    text = markdown.render(results(cell(verdict="fail", kind="hang", complaints=("one", "two|"))))

    assert "<br>one<br>two\\|" in text


def test_failures_beyond_the_limit_are_counted() -> None:
    failures = [cell(id=str(n), verdict="fail", kind="hang") for n in range(markdown.FAILURES + 3)]

    text = markdown.render(results(*failures))

    assert text.count("| ✗ hang | `") == markdown.FAILURES
    assert "And 3 more: see report.html." in text


def test_every_row_of_a_table_has_as_many_columns_as_its_head() -> None:
    blocks = markdown.render(realistic()).split("\n\n")

    tables = [block.strip().splitlines() for block in blocks if block.lstrip().startswith("|")]

    assert len(tables) == 8 + len(FRAMINGS)
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table}) == 1


def test_the_qemus_that_took_part_are_named() -> None:
    assert "\n\nQEMU: qemu-10.2 10.2.0\n\n" in markdown.render(results(cell()))


def test_a_run_without_a_real_qemu_has_the_remedy() -> None:
    run = results(cell()).model_copy(update={"peers": ()})

    text = "\n\nQEMU: no real QEMU took part; remedy: --qemu PATH, or --qemu found\n\n"
    assert text in markdown.render(run)
