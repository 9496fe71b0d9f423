"""report.md: one screen for the page of a CI job, whatever happened and whatever peers say."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multifd.result.record import Cell, DeviceWork, Kind, Reach, Results, Sides, Subset
from reports import markdown
from reports.markdown import BYTES, LINES
from reports.vocabulary import RECORDED
from tests.reports.builder import cell, finding, peer, realistic, results, user_content
from tests.result.thread import ran

HOSTILE = "<img src=x> | `a` [b](http://evil) www.evil.com @someone \x1b[31m \u202e" * 50


WORK = DeviceWork(end="sender", device="QAT", asked=1, counted=1, source="s", verdict="proven", witness="library")
KINDS: tuple[Kind, Kind] = ("crash", "hang")


def migrated(sender: str, receiver: str, **changes: Any) -> Cell:
    """A plain migration from one method to another."""
    framing = sender if sender == receiver else f"{sender}>{receiver}"
    ends = {"sender": sender, "receiver": receiver}
    return cell(**{"suite": "negotiation", "scenario": "live", "framing": framing, **ends, **changes})


def test_the_headline_comes_first() -> None:
    text = markdown.render(results(cell()))

    assert text.startswith(
        "# multifd conformance: Conforming\n\n1 cell went as predicted or as a known issue says: 1 pass.\n\n✓ 1 pass\n"
    )


def test_an_incomplete_run_says_so() -> None:
    text = markdown.render(results(cell(), complete=False))

    assert text.startswith("# multifd conformance: Incomplete\n")


def test_it_says_how_much_of_the_users_content_was_taken() -> None:
    text = markdown.render(results(cell(), content=user_content()))

    assert "\n- Your content, `/dumps`: 2 MiB of 256 MiB in 3 files (0.8%): 28.9% zero pages, 1.2% equal" in text


def test_devices_of_a_recorded_host_are_taken_for_nothing_else() -> None:
    text = markdown.render(results(cell(), recorded="/hosts/gen4"))

    assert f"\n- **{RECORDED.capitalize()}** (`/hosts/gen4`)\n" in text
    assert RECORDED.capitalize() not in markdown.render(results(cell()))


def test_it_says_that_no_accelerator_took_part() -> None:
    run = results(cell()).model_copy(update={"peers": (peer("qatzip", "vendor-software"),)})

    text = markdown.render(run)

    assert "\n- No accelerator took part. In its place: QAT (the vendor library's own CPU path).\n" in text


def test_where_one_took_part_that_is_not_said() -> None:
    run = results(cell()).model_copy(update={"peers": (peer("qatzip", "hardware"),)})

    assert "In its place" not in markdown.render(run)


def test_each_checked_cell_is_counted_once_by_its_end_nearest_to_silicon() -> None:
    ends: tuple[Sides, ...] = (
        Sides(sender="hardware", receiver="emulated"),
        Sides(sender="emulated", receiver="vendor-software"),
        Sides(sender="software", receiver="emulated"),
        Sides(sender="software"),
        Sides(),
    )
    cells = [cell(id=str(number), provenance=each) for number, each in enumerate(ends)]

    text = markdown.render(results(*cells, cell(id="left out", verdict="skip")))

    told = "1 hardware, 1 vendor-software, 1 emulated, 1 software, 1 that coded nothing"
    assert f"\n- Cells checked, each by its end nearest to silicon: {told}\n" in text


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

    assert r"| ✗ crash | `a\|b` (software → emulated) | `peer died`<br>`<b>'x'` | `tox` |" in text


def test_the_matrix_of_methods_has_versions_symbols_and_words() -> None:
    text = markdown.render(
        results(
            migrated("zlib", "zlib"),
            migrated("zlib", "zlib", id="b", verdict="hazard", predicted="hazard"),
            migrated("none", "zlib", id="c", verdict="refused", predicted="rejected", dialect="qemu-5.0"),
        )
    )

    assert "|  | zlib 5.0–11.1 |\n| --- | --- |\n| none 5.0–8.2 | ⊘ refused |\n" in text
    assert "| zlib 10.0–11.1 | ▲ hazard 1/2 |\n" in text


def test_proposals_are_no_methods() -> None:
    assert "## Methods" not in markdown.render(results(migrated("gzip-packet", "gzip-packet")))


def test_a_finding_says_what_to_do_about_it() -> None:
    told = finding(remedy="Set it to 12.", cells=(cell().id,))

    text = markdown.render(results(cell(), findings=(told,)))

    assert "| corruption | `mask-hides-qatzip`<br>QEMU 5.0 to 8.2 | 1 S | Set it to 12. |" in text


def test_what_pairings_show_comes_before_what_a_library_does_by_itself() -> None:
    cells = (cell(id="v", suite="vendor"), cell(id="w", suite="negotiation"))
    found = (finding(id="library", cells=("v",)), finding(id="pairing", severity="leak", cells=("w",)))

    text = markdown.render(results(*cells, findings=found))

    assert text.index("`pairing`") < text.index("`library`")


def test_failures_beyond_the_limit_are_counted() -> None:
    failures = [cell(id=str(n), verdict="fail", kind="hang") for n in range(20)]

    text = markdown.render(results(*failures))

    shown = text.count("| ✗ hang | `")
    assert f"| and {20 - shown} more bad cells: see report.html |" in text


def test_what_was_skipped_has_its_remedy_and_the_rest_is_counted() -> None:
    skipped = [cell(id=f"{kind}{n}", verdict="skip", reason=f"install {kind}") for kind in "abcd" for n in range(3)]

    text = markdown.render(results(*skipped))

    assert "\n- 3 skipped: install a\n" in text
    assert "\n- 6 skipped for other reasons: see report.html\n" in text


def test_every_row_of_a_table_has_as_many_columns_as_its_head() -> None:
    blocks = markdown.render(realistic()).split("\n\n")

    tables = [block.strip().splitlines() for block in blocks if block.lstrip().startswith("|")]

    assert len(tables) == 3
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table}) == 1


def test_the_qemus_that_took_part_are_named() -> None:
    assert "\n- QEMU: qemu-10.2 10.2.0\n" in markdown.render(results(cell()))


def test_a_run_without_a_real_qemu_has_the_remedy() -> None:
    run = results(cell()).model_copy(update={"peers": ()})

    assert "\n- QEMU: no real QEMU took part; remedy: --qemu PATH, or --qemu found\n" in markdown.render(run)


def everything(text: str) -> Results:
    """A run in which everything that can be said is, and as often as can be."""
    cells = [
        migrated("zlib", "zlib", id=f"{n}/{text}", verdict="fail", kind="corrupt", reason=text, error=text,
                 complaints=(text,) * 9, reproduce=text, dialect=f"dialect-{n}>other-{n}")
        for n in range(30)
    ] + [
        migrated("zlib", "zlib", id=f"m{n}/{m}", dialect=f"a{n:02}>b{m:02}", verdict="fail", kind=KINDS[(n + m) % 2])
        for n in range(20) for m in range(20)
    ] + [
        ran("qatzip", "zlib", "qatzip", verdict="refused", id="contradicts", device_verdict="proven", device=(WORK,)),
    ] + [cell(id=f"s{n}", verdict="skip", reason=f"{n}{text}") for n in range(9)]  # fmt: skip
    found = tuple(
        finding(id=f"{n}{text}", component=text, versions=text, remedy=text, cells=("s0",)) for n in range(30)
    )
    run = results(*cells, findings=found, content=user_content(path=text), recorded=text)
    reached = Reach(had=1, feasible=2)
    covered = run.run.coverage.model_copy(update={"pairs": reached, "triples": reached})
    circumstances = {
        "coverage": covered,
        "subset": Subset(cells=1, of=2),
        "remarks": (text,) * 30,
        "profile": text,
        "command": text,
        "started": text,
    }
    qemus = tuple(peer(f"qemu-{n}{text}", "software") for n in range(20))
    return run.model_copy(update={"run": run.run.model_copy(update=circumstances), "peers": qemus})


@pytest.mark.parametrize("text", [HOSTILE, "x" * 4000, "\n" * 4000, "漢" * 4000, "\\" * 4000])
def test_it_is_one_screen_whatever_peers_say(text: str) -> None:
    made = markdown.render(everything(text))

    assert made.count("\n") <= LINES
    assert len(made.encode()) <= BYTES


@pytest.mark.parametrize("text", [HOSTILE, "漢" * 4000, "\\" * 4000])
def test_it_is_one_screen_where_nothing_failed_too(text: str) -> None:
    run = everything(text)
    good = tuple(each for each in run.cells if each.verdict != "fail" and each.id != "contradicts")

    made = markdown.render(run.model_copy(update={"cells": good}))

    assert made.count("| corruption |") > 5
    assert made.count("\n") <= LINES
    assert len(made.encode()) <= BYTES


def test_no_word_of_a_peer_becomes_markup_a_link_or_a_control_character() -> None:
    made = markdown.render(everything(HOSTILE))

    prose = re.sub(r"`[^`\n]*`", "", made)
    assert not re.search(r"(?<!\\)[\[\]]|<(?!br>)|://|www\.|@", re.sub(r"\\[<:.]", "", prose))
    assert {character for character in made if not character.isprintable()} == {"\n"}


@settings(max_examples=50)
@given(st.text())
def test_any_text_keeps_its_lines_and_tables(text: str) -> None:
    made = markdown.render(results(cell(verdict="fail", kind="crash", reason=text, error=text, id=f"cell {text}")))

    (row,) = [line for line in made.splitlines() if line.startswith("| ✗ crash")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 5


def test_a_failure_says_why_it_should_have_been_otherwise() -> None:
    text = markdown.render(
        results(
            cell(id="red", verdict="fail", kind="crash", reason="it died", predicted_because="all that is sent is read")
        )
    )

    assert "`predicted identical: all that is sent is read`<br>`it died`" in text
