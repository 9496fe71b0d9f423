"""report.html: what a reader sees and where the links lead."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from multifd.result.content import in_words
from multifd.result.record import DeviceWork, Results, Setting, Sides, Verdict
from reports import html, matrix
from reports.vocabulary import NO_QEMU, RECORDED, VERDICTS
from tests.reports.builder import cell, finding, realistic, results, unable, user_content

VOID = {"meta", "input", "br"}


class Document(HTMLParser):
    """Ids, links and text of a document; a link and an id know the ids that they stand in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.inside: dict[str, set[str]] = {}
        self.matrix_links: set[str] = set()
        self.links: set[str] = set()
        self.words: list[str] = []
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.add(tag)
        if name := attributes.get("id"):
            self.ids.append(name)
            for _, outer in self._open:
                self.inside.setdefault(str(outer.get("id")), set()).add(name)
        if target := attributes.get("href"):
            self.links.add(target)
            if any(outer.get("class") == "matrix" for _, outer in self._open):
                self.matrix_links.add(target)
        if tag not in VOID:
            self._open.append((tag, attributes))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


def document(run: Results) -> Document:
    return Document(html.render(run))


def test_devices_of_a_recorded_host_are_taken_for_nothing_else() -> None:
    assert f"{RECORDED.capitalize()}." in document(results(cell(), recorded="/hosts/gen4")).text
    assert RECORDED.capitalize() not in document(results(cell())).text


@pytest.mark.parametrize("verdict", VERDICTS)
def test_each_verdict_shows_its_symbol_and_its_reason(verdict: Verdict) -> None:
    page = document(results(cell(verdict=verdict, reason="because of the window")))

    assert f"{VERDICTS[verdict].symbol} {VERDICTS[verdict].word} wire/zlib" in page.text
    assert "because of the window" in page.text


def test_a_failure_comes_first_with_kind_error_and_reproduce_line() -> None:
    run = results(
        cell(id="good"),
        cell(
            id="bad",
            verdict="fail",
            kind="crash",
            reason="the peer died",
            error="signal 11",
            reproduce="tox -x",
        ),
    )

    text = document(run).text

    failures = text[text.index("What disagreed") : text.index("None in this run.")]
    assert "✗ crash bad" in failures
    assert "the peer died signal 11 tox -x" in failures


def test_a_finding_and_its_cell_name_the_setting_and_the_remedy_is_one() -> None:
    setting = Setting(name="zero-page-detection", value="multifd", default="legacy", machine="pc-i440fx-7.2")
    shown = cell(predicted="hazard", observed="hazard", verdict="hazard", issues=("x",), setting=(setting,))
    told = finding(
        id="x", cells=(shown.id,), setting=(setting,), instead={"zero-page-detection": "legacy"}, remedy="Or wait."
    )

    text = document(results(shown, findings=(told,))).text

    assert "▲ hazard with zero-page-detection=multifd" in text
    assert "Setting: with zero-page-detection=multifd; the default of pc-i440fx-7.2 is legacy" in text
    assert "Remedy: zero-page-detection=legacy. Or wait." in text


def test_a_finding_says_what_to_do_about_it() -> None:
    known = cell(verdict="known", issues=("x",))
    told = finding(
        id="x", remedy="Set the window to 12.", upstream="issue 21", fixed_in="10.2", reproducer="multifd/x.py",
        cells=(known.id,),
    )  # fmt: skip

    text = document(results(known, findings=(told,))).text

    assert "Remedy: Set the window to 12. Upstream: issue 21 · fixed in: 10.2 · reproducer: multifd/x.py" in text


def test_a_finding_says_what_is_not_known_about_it() -> None:
    text = document(results(findings=(finding(fixed_in=None),))).text

    assert "Upstream: no report known · fixed in: no version known · reproducer: none that stands alone" in text


def test_a_cell_leads_to_the_finding_that_it_shows() -> None:
    run = results(cell(verdict="known", issues=("x", "unlisted")), findings=(finding(id="x"),))

    page = document(run)

    assert "#finding-x" in page.links
    assert "shows x , unlisted" in page.text


def test_complaints_are_listed_one_by_one() -> None:
    run = results(cell(verdict="fail", kind="corrupt", complaints=("one is short", "two is <long>")))

    text = document(run).text

    assert text.count("one is short two is <long>") == 2


def test_the_numbers_behind_a_device_verdict_are_shown() -> None:
    sent = DeviceWork(end="sender", device="QAT", asked=1200, counted=1300, source="fw_counters", verdict="proven")
    read = DeviceWork(end="receiver", device="IAA", asked=7, counted=None, source="PMU", verdict="unverified")

    text = document(results(cell(device=(sent, read), device_verdict="proven"))).text

    assert "sender on QAT: asked at least 1,200 jobs, counted 1,300 (fw_counters): proven" in text
    assert "receiver on IAA: asked at least 7 jobs, counted unknown (PMU): unverified" in text


def test_what_a_peer_cannot_do_is_blank_in_the_matrix_and_listed_with_its_reason() -> None:
    run = results(cell(framing="zstd"), cannot=(unable(), unable(peer="qpl", tried=False)))

    text = html.render(run)

    assert '<td title="isal cannot send zstd: it knows DEFLATE only"></td>' in text
    assert "zstd isal sender it knows DEFLATE only zstd qpl sender it knows DEFLATE only (not tried)" in (
        document(run).text
    )


def test_workers_that_died_are_told() -> None:
    run = results(cell())

    assert "died" not in document(run).text
    lost = run.model_copy(update={"run": run.run.model_copy(update={"workers_lost": 2})})
    assert "Workers 2 died" in document(lost).text


def test_emulated_is_written_out_beside_the_peer() -> None:
    run = results(cell(receiver="iaa-emulated", provenance=Sides(sender="hardware", receiver="emulated")))

    assert "zlib hardware → iaa-emulated emulated" in document(run).text


def test_emulated_is_marked_in_the_matrix() -> None:
    run = results(cell(receiver="iaa-emulated", provenance=Sides(sender="software", receiver="emulated")))

    assert 'iaa-emulated<sup class="mark emulated"' in html.render(run)


def test_a_place_of_integrity_is_marked_by_its_own_cells() -> None:
    run = results(cell(suite="integrity", provenance=Sides(sender="emulated", receiver="emulated")))

    assert '✓</b> pass</a><sup class="mark emulated"' in html.render(run)


def test_a_run_without_an_accelerator_says_so() -> None:
    run = results(cell(provenance=Sides(sender="emulated", receiver="vendor-software")))

    assert "Nothing in this run was checked on an accelerator." in document(run).text


def test_a_run_with_an_accelerator_does_not_say_that_it_had_none() -> None:
    run = results(cell(provenance=Sides(sender="hardware", receiver="emulated")))

    assert "Nothing in this run was checked on an accelerator." not in document(run).text


def test_every_cell_is_reached_from_a_matrix_or_a_listing() -> None:
    run = realistic()

    page = document(run)

    direct = {link[1:] for link in page.matrix_links}
    reached = direct.union(*(page.inside.get(name, set()) for name in direct))
    listed = {matrix.anchor(c) for c in run.cells if c.scenario in ("splice", "init-version-2")}
    assert {matrix.anchor(c) for c in run.cells} - reached == listed
    assert {f"#{name}" for name in listed} <= page.links


def test_every_link_has_its_target() -> None:
    page = document(realistic())

    assert {link[1:] for link in page.links} <= set(page.ids)


def test_no_id_appears_twice() -> None:
    page = document(realistic())

    assert len(page.ids) == len(set(page.ids))


def test_markup_in_an_error_is_shown_as_text() -> None:
    page = document(results(cell(verdict="fail", kind="crash", error="<script>alert(1)</script>")))

    assert "<script>alert(1)</script>" in page.text
    assert "script" not in page.tags


def test_an_incomplete_run_says_so_even_if_it_failed() -> None:
    text = document(results(cell(verdict="fail", kind="hang"), complete=False)).text

    assert "Not conforming Incomplete run" in text
    assert "The run is incomplete" in text


def test_a_run_with_nothing_checked_is_headlined_as_such() -> None:
    assert "<h1>Nothing was checked</h1>" in html.render(results())


def test_artifacts_are_linked() -> None:
    page = document(results(cell(artifacts=("cells/1/stderr.txt",))))

    assert "cells/1/stderr.txt" in page.links


def test_the_file_stands_alone() -> None:
    text = html.render(realistic())

    assert not {"script", "link", "img", "iframe"} & Document(text).tags
    assert "url(" not in text
    assert "@import" not in text


def test_a_cell_costs_less_than_two_kilobytes() -> None:
    run = realistic()

    assert len(html.render(run).encode()) < 2000 * len(run.cells)


def said_of_qemu(run: Results) -> list[str]:
    """Words from the label QEMU to the next one."""
    words = Document(html.render(run)).words
    return words[words.index("QEMU", words.index("Profile")) : words.index("Host")]


def test_the_header_says_which_qemus_took_part() -> None:
    assert said_of_qemu(results(cell())) == ["QEMU", "qemu-10.2", "1.3.1"]


def test_the_header_says_how_much_of_the_users_content_was_taken() -> None:
    content = user_content()

    assert f"Your content {in_words(content)} /dumps" in document(results(cell(), content=content)).text
    assert "Your content" not in document(results(cell())).text


def test_without_a_real_qemu_the_header_has_the_remedy() -> None:
    run = results(cell()).model_copy(update={"peers": ()})

    assert " ".join(said_of_qemu(run)) == f"QEMU {NO_QEMU}"
