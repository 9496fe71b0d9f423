"""report.html in a browser: what a reader can do with it, with a mouse, with a keyboard alone, and on paper."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Final, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pypdfium2 import PdfDocument

from multifd.comparison.abreast import abreast
from multifd.comparison.compared import compare
from multifd.comparison.merged import Part, joined
from multifd.result.record import Cell, DeviceWork, Integrity, Invariants, Results, Rule, Sides
from reports import abreast as side_by_side
from reports import html
from reports.difference import difference, lines
from reports.past import of_run
from tests.reports.builder import cell, finding, realistic, results
from tests.reports.chromium import Reader, started

COUNTED: Final = DeviceWork(
    end="sender", device="QAT", asked=9, most=9, counted=9, source="fw_counters", verdict="proven", witness="device"
)  # fmt: skip
WIRE: Final = ("zlib", "zstd", "qatzip")
SENDERS: Final = ("zlib", "zlib[level=9]", "qatzip", "qat-emulated", "zstd", "qemu-10.2")
HOSTILE: Final = '<img src=x onerror="alert(1)">\u202e'
PAPER: Final[dict[Literal["light", "dark"], str]] = {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 24, 27)"}

Opening = Callable[..., Reader]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests here; it ends with them, for its event loop must not run while others have theirs."""
    with started() as one:
        yield one


@cache
def rich() -> Results:
    """A run of some hundred cells with a map of wrong pages, flipped bits, and words of others that are markup."""
    run = realistic()
    some = [
        c
        for c in run.cells
        if (c.suite != "wire" and "9.1" not in c.dialect.partition(">")[0])
        or (c.suite == "wire" and c.framing in WIRE and c.sender in SENDERS and c.corpus in ("text", "zero"))
    ]
    more = (
        cell(id="exhibited", suite="qemu", verdict="fail", kind="corrupt", reason="because of a; because of b",
             error=HOSTILE, complaints=(HOSTILE,), artifacts=("pages.json", "../outside"), aftermath="the source lives",
             framing="zlib", dialect="qemu-5.0>qemu-10.0", sender="qemu-10.2", receiver="qemu-10.2"),
        cell(id="flipped", suite="flips", framing="zlib-packet[window=12]", scenario="flips", verdict="hazard",
             reason="pages have no checksum; nothing notices",
             integrity=Integrity(flips=10, detected=5, harmless=2, silent=3)),
        cell(id="plain", suite="negotiation", framing="zlib>qpl", dialect="qemu-5.0>qemu-9.1", scenario="live",
             verdict="refused", predicted="rejected", observed="rejected"),
        cell(id="on-silicon", framing="qatzip", sender="qatzip", receiver="qatzip", corpus="text",
             provenance=Sides(sender="hardware", receiver="hardware"), device_verdict="proven", device=(COUNTED,)),
    )  # fmt: skip
    return run.model_copy(update={"cells": (*some, *more)})


def before() -> Results:
    """A run before it, which had one of its cells, and another library."""
    older = cell(id="exhibited", suite="qemu", sender="qemu-10.2", receiver="qemu-10.2", verdict="pass")
    run = results(older)
    peers = tuple(p.model_copy(update={"version": "10.1.9"}) if p.kind == "qemu" else p for p in run.peers)
    return run.model_copy(update={"run": run.run.model_copy(update={"id": "the-one-before"}), "peers": peers})


@cache
def thin() -> Results:
    """The same with two cells of each kind: every element that a page has is there, none of them a hundred times."""
    kinds: dict[tuple[str, str], list[Cell]] = {}
    for each in rich().cells:
        kinds.setdefault((each.suite, each.verdict), []).append(each)
    own = cell(corpus="user", id="own content")
    few = (*(each for alike in kinds.values() for each in alike[-2:]), own)
    return rich().model_copy(update={"cells": few, "peers": rich().peers[:6]})


def written(directory: Path, run: Results) -> Path:
    """Its page, held against the run before."""
    pages = [{"block": "pc.ram", "first": first, "count": 1, "holds": "older"} for first in range(8, 80, 8)]
    (directory / "pages.json").write_text(json.dumps(pages))
    since = list(lines(difference(compare(before(), run))))
    (directory / "report.html").write_text(html.render(run, directory, since, of_run(before())), encoding="utf-8")
    return directory / "report.html"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of that run."""
    return written(tmp_path_factory.mktemp("report"), rich())


@pytest.fixture
def reading(browser: Browser, report: Path) -> Iterator[Opening]:
    """Opens the page for a reader."""
    readers = []

    def opened(**how: bool | int) -> Reader:
        readers.append(Reader(browser, report, **how))  # type: ignore[arg-type]
        return readers[-1]

    yield opened
    for one in readers:
        one.close()


@pytest.fixture(scope="module")
def led(browser: Browser, report: Path) -> Iterator[Reader]:
    """One reader of one page, for what an address alone decides."""
    reader = Reader(browser, report)
    reader.open()
    yield reader
    reader.close()


def counts(page: Page, cells: int) -> None:
    """The list comes to say that it shows so many: what a click, a key or a link leads to may come a moment later."""
    assert cells > 0
    expect(page.locator("#count")).to_have_text(re.compile(rf"^{cells:,} (of [\d,]+ )?cells?\b"))


def says(page: Page, *words: str, of: str = "#cell") -> None:
    """That part of the page comes to say each of these."""
    for each in words:
        expect(page.locator(of)).to_contain_text(each, use_inner_text=True)


def drawn(page: Page) -> None:
    """Everything that is drawn when a reader comes near it."""
    for place in ("parts", "plots", "peers"):
        page.evaluate("id => document.getElementById(id).scrollIntoView()", place)
        page.wait_for_selector(f"#{place} > *")


def test_it_opens_from_disk_complains_of_nothing_and_asks_for_nothing(reading: Opening) -> None:
    reader = reading()

    page = reader.open()
    drawn(page)

    assert page.inner_text("h1").startswith("Not conforming")
    counts(page, len(rich().cells))
    assert (reader.complaints, reader.asked) == ([], [])


def test_tab_reaches_the_list_of_all_cells_in_less_than_twenty_stops(reading: Opening) -> None:
    reader = reading()
    page = reader.open()

    stop = reader.tabs_to("#seek", 19)
    page.keyboard.type("exhibited")
    page.keyboard.press("Enter")
    expect(page.locator("#list [role=grid]")).to_be_focused()

    assert stop is not None
    expect(page.locator("#count")).to_contain_text("1 of ")
    page.keyboard.press("Enter")
    says(page, "exhibited", of="#cell h2")


def test_filters_choose_cells_and_the_address_says_which(led: Reader) -> None:
    page = led.go("#?")

    page.check("#facets [value=hazard]")
    page.select_option("#facets [name=receiver]", "qpl")

    expected = [c for c in rich().cells if c.verdict == "hazard" and c.receiver == "qpl"]
    counts(page, len(expected))
    expect(page).to_have_url(re.compile(r"#\?verdict=hazard&receiver=qpl$"))


@pytest.mark.parametrize(
    ("facet", "value", "holds"),
    [
        ("framing", "zlib", lambda c: "zlib" in c.framing.split(">")),
        ("dialect", "qemu-5.0", lambda c: "qemu-5.0" in c.dialect.split(">")),
        ("peer", "iaa-emulated", lambda c: "iaa-emulated" in (c.sender, c.receiver)),
        ("version", "10.2.0", lambda c: "qemu-10.2" in (c.sender, c.receiver)),
        ("provenance", "hardware", lambda c: c.provenance.sender == "hardware"),
        ("suite", "flips", lambda c: c.suite == "flips"),
        ("scenario", "live", lambda c: c.scenario == "live"),
    ],
)
def test_a_facet_looks_at_both_ends(facet: str, value: str, holds: Callable[..., bool], led: Reader) -> None:
    page = led.go(f"#?{facet}={value}")

    counts(page, sum(map(holds, rich().cells)))
    assert page.input_value(f"#facets [name={facet}]") == value


def test_words_are_sought_in_ids_reasons_and_errors(led: Reader) -> None:
    page = led.go("#?text=negotiation%20MASK")

    found = [c for c in rich().cells if c.id.startswith("negotiation") and "mask" in c.reason]
    counts(page, len(found))


def test_a_link_opens_its_cell_and_keeps_its_filter(led: Reader) -> None:
    page = led.go("#?verdict=fail&suite=qemu&cell=exhibited")

    says(page, "✗ corrupt exhibited", of="#cell h2")
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"#\?verdict=fail&suite=qemu$"))
    counts(page, 1)


def test_a_link_to_a_cell_that_is_not_there_says_so(led: Reader) -> None:
    page = led.go("#?cell=nowhere")

    assert page.inner_text("#count") == "No cell has the id nowhere"


def test_a_cell_says_all_that_is_known_of_it(led: Reader) -> None:
    page = led.go("#?cell=exhibited")

    text = page.inner_text("#cell")
    for said in (
        "qemu-10.2 software → qemu-10.2 software",
        "qemu-5.0 (QEMU 5.0–8.2) → qemu-10.0 (QEMU 10.0–11.1)",
        "because of a; because of b", "memory arrives identical",
        "memory is wrong and neither side said so", "What came after: the source lives",
        "RAM block pc.ram", "9 pages, every 8 pages from page 8",
        "10.2.0", "encoding", "40 ms", "--cell 'exhibited'", "pages.json",
    ):  # fmt: skip
        assert said in text
    assert page.locator("#cell .map rect.older").count() == 9
    assert [a.get_attribute("href") for a in page.locator("#cell a[href$=json]").all()] == ["./pages.json"]
    assert "../outside" in text


def test_a_cell_shows_what_became_of_it_in_other_runs_and_who_its_ends_were_there(led: Reader) -> None:
    page = led.go("#?cell=exhibited")

    rows = page.locator("#cell [aria-label=History] tbody tr").all_inner_texts()
    assert [row.split("\t")[1:4] for row in rows] == [
        ["the-one-before", "✓ pass", "10.1.9, software"],
        [f"{rich().run.id} this run", "✗ corrupt", "10.2.0, software"],
    ]


def test_a_cell_that_no_other_run_had_says_so(led: Reader) -> None:
    page = led.go("#?cell=flipped")

    assert "None of 1 other run had this cell." in page.inner_text("#cell")


def test_a_prediction_has_its_reasons_one_by_one(led: Reader) -> None:
    page = led.go("#?cell=flipped")

    assert page.locator("#cell .chain li").all_inner_texts() == ["pages have no checksum", "nothing notices"]
    assert "10 bits flipped one at a time: 5 detected, 2 harmless, 3 silent" in page.inner_text("#cell")


RULES: Final = tuple(Rule(name=name, holds=f"{name} is as it should be") for name in ("told", "flags", "container"))
RED: Final = cell(
    id="red", suite="qemu", predicted="rejected", observed="rejected", verdict="fail", kind="wrong-error",
    rule="container", predicted_because="zlib is sent; raw is read", invariants=Invariants(),
    reason="rejected with 'x', expected an error like 'y'", error="x",
    reproduce="python3 bootstrap.py conformance --cell red --qemu found",
)  # fmt: skip


@pytest.fixture(scope="module")
def told(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A reader of cells of which it is not obvious why they ended as they did."""
    found = finding(id="raw-exact", cells=("library",))
    run = results(
        RED,
        cell(id="before", verdict="fail", kind="crash", reason="it died"),
        cell(id="holds", rule="all-hold", reason="all that is sent is read"),
        cell(id="library", suite="vendor", sender="qatzip", receiver="qatzip", verdict="known", kind="invariant",
             rule="vendor", predicted_because="libqatzip does what it says", error="an exact one is refused",
             reason="raw-exact: qzCompress wants one byte more", issues=("raw-exact",)),
        findings=(found,),
    )  # fmt: skip
    run = run.model_copy(update={"run": run.run.model_copy(update={"rules": RULES})})
    path = tmp_path_factory.mktemp("told") / "report.html"
    path.write_text(html.render(run), encoding="utf-8")
    reader = Reader(browser, path)
    reader.open()
    yield reader
    reader.close()


def test_a_red_cell_says_why_it_was_predicted_and_then_what_disagreed(told: Reader) -> None:
    page = told.go("#?cell=red")

    expect(page.locator("#cell .chain li")).to_have_text(["zlib is sent", "raw is read"])
    expect(page.locator("#cell .disagreed")).to_have_text(["rejected with 'x', expected an error like 'y'"])
    expect(page.locator("#cell")).to_contain_text("Decided by rule container")


def test_the_rules_that_hold_before_it_unfold(told: Reader) -> None:
    page = told.go("#?cell=red")

    page.locator("#cell .held summary").click()

    expect(page.locator("#cell .held summary")).to_have_text("2 rules hold before it")
    expect(page.locator("#cell .held li")).to_have_text(
        [f"{name}: {name} is as it should be" for name in ("told", "flags")]
    )
    page.goto(page.url.partition("#")[0] + "#?cell=holds")
    expect(page.locator("#cell .held summary")).to_have_text("3 rules hold")


def test_a_red_cell_of_results_from_before_says_that_they_do_not_say_why(told: Reader) -> None:
    page = told.go("#?cell=before")

    expect(page.locator("#cell .chain")).to_have_text(
        "These results are from before they said why: multifd explain 'before' asks the oracle again."
    )
    expect(page.locator("#cell .disagreed")).to_have_text(["it died"])


def test_a_library_that_breaks_its_word_does_not_read_as_a_migration_that_was_rejected(told: Reader) -> None:
    page = told.go("#?cell=library")

    text = page.locator("#cell")
    expect(text).to_contain_text("identical: every byte is right")
    expect(text).to_contain_text("of what a peer or a library says of itself")
    expect(text).to_contain_text("an exact one is refused")
    expect(text).not_to_contain_text("the error is not what was predicted")
    expect(page.locator("#cell .disagreed")).to_have_count(0)  # its finding says it


def test_no_kind_of_failure_is_cut_in_the_list(told: Reader) -> None:
    page = told.go("#?text=red")

    expect(page.locator("#list .rows [role=row]")).to_have_count(1)
    assert page.evaluate("""() => {
        const place = document.querySelector('#list .rows [role=row] > *');
        return [place.textContent, place.scrollWidth <= place.clientWidth];
    }""") == ["✗ wrong-error", True]


def test_where_no_packet_can_be_named_it_says_why_and_what_to_run(told: Reader) -> None:
    page = told.go("#?cell=red")

    expect(page.locator("#cell h3", has_text="Why no packet is shown")).to_have_count(1)
    expect(page.locator("#cell .unnamed")).to_contain_text("Which packet it was this run cannot say")
    expect(page.locator("#cell .unnamed ~ code.run").first).to_have_text(
        "multifd bundle red --qemu found -o cell.tar.gz"
    )


def test_neighbours_lead_from_cell_to_cell(led: Reader) -> None:
    first = rich().cells[0]
    page = led.go(f"#?suite=wire&cell={first.id}")

    page.locator("#cell .neighbours a").first.click()

    expect(page.locator("#cell h2")).not_to_contain_text(first.id)
    expect(page).to_have_url(re.compile("suite=wire&cell="))
    other = next(c for c in rich().cells if c.id in page.inner_text("#cell h2") and c.id != first.id)
    assert (other.sender, other.framing) == (first.sender, first.framing)


def test_text_of_others_is_text(led: Reader) -> None:
    page = led.go("#?cell=exhibited")

    assert '<img src=x onerror="alert(1)">\\u202e' in page.inner_text("#cell")
    assert page.locator("img").count() == 0
    assert led.complaints == []


def test_of_hundreds_of_cells_only_those_are_drawn_that_can_be_seen(led: Reader) -> None:
    page = led.go("#?")

    assert 10 < page.locator("#list [data-place]").count() < 80
    page.focus("#list [role=grid]")
    page.keyboard.press("End")
    last = len(rich().cells) - 1
    assert page.locator(f"#line-{last}[aria-selected=true]").is_visible()


def test_a_matrix_is_one_stop_and_arrows_move_in_it(led: Reader) -> None:
    page = led.go("#?")

    assert page.locator("#methods td a[tabindex='0']").count() == 1
    page.locator("#methods td a").first.focus()
    before = page.evaluate("document.activeElement.title")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('#methods') !== null")
    assert page.evaluate("document.activeElement.title") != before


def test_rows_that_ended_alike_fold_and_predicted_refusals_hide(reading: Opening) -> None:
    page = reading().open("#matrices")
    drawn(page)
    page.locator(".part summary", has_text="qatzip").first.click()

    says(page, "zlib +1", of=".part[open]")
    page.uncheck("#switches [name=fold]")
    says(page, "zlib[level=9]", of=".part[open]")
    expect(page.locator("#methods td .v.refused").first).to_be_visible()
    page.check("#methods [name=quiet]")
    expect(page.locator("#methods td .v.refused").first).to_be_hidden()


def test_a_place_of_a_matrix_leads_to_its_cells(led: Reader) -> None:
    page = led.go("#matrices")
    drawn(page)
    page.locator(".part summary").first.click()

    page.locator(".part[open] td a", has_text="×2").first.click()

    counts(page, 2)
    page.locator("#chosen button").click()
    counts(page, len(rich().cells))


def test_silicon_libraries_models_and_software_have_axes_of_their_own(led: Reader) -> None:
    page = led.go("#costs")
    drawn(page)

    page.select_option("#measures [name=framing]", "qatzip")
    page.select_option("#measures [name=measure]", "speed")

    titles = page.locator("#plots figcaption").all_inner_texts()
    assert titles == [
        "On the accelerator", "Vendor libraries on the CPU", "Models of silicon: their time says nothing of a device",
        "Software",
    ]  # fmt: skip
    for figure in page.locator("#plots figure").all():
        assert figure.locator("circle").count() == figure.locator("tbody tr").count() > 0


def test_without_script_what_a_decision_needs_is_there(reading: Opening) -> None:
    page = reading(script=False).open()

    for part in ("h1", "#unchecked li", "#set", "#methods td", "#findings .finding"):
        assert page.locator(part).first.is_visible()
    for control in ("#facets", "#measures", "#list"):
        assert not page.locator(control).is_visible()
    assert page.locator("noscript").count() > 0


def test_on_paper_every_column_of_every_matrix_is_there(led: Reader, tmp_path: Path) -> None:
    page = led.go("#?")
    shown = page.locator("details[open]").count()

    page.pdf(path=tmp_path / "report.pdf", format="A4")

    said = paper(tmp_path / "report.pdf")
    for name in ("What to set", "Methods in a release", "columns 1 to 9 of 12", "columns 10 to 12 of 12", "exhibited"):
        assert name.replace(" ", "") in said
    for each in [peer.name for peer in rich().peers] + [found.id for found in rich().findings]:
        assert each in said
    assert (page.locator("details[open]").count(), page.locator(".copy").count()) == (shown, 0)


def paper(path: Path) -> str:
    """What is printed, without spaces, for a line may end anywhere."""
    document = PdfDocument(path)
    try:
        return "".join("".join(sheet.get_textpage().get_text_bounded().split()) for sheet in document)
    finally:
        document.close()


def violations(page: Page, scheme: Literal["light", "dark"], part: str = "html") -> list[tuple[str, str]]:
    """What axe-core finds by all its rules in what is seen of a part, with the first place of each."""
    page.emulate_media(color_scheme=scheme)
    found = Axe().run(page, context={"include": [[part]]}).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found]


@pytest.fixture(scope="module")
def unfolded(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A page that has a little of everything, with all of it drawn and open."""
    reader = Reader(browser, written(tmp_path_factory.mktemp("thin"), thin()))
    page = reader.open()
    drawn(page)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    page.wait_for_selector(".part .matrix")
    yield reader
    reader.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(scheme: Literal["light", "dark"], unfolded: Reader) -> None:
    page = unfolded.go("#?")

    assert violations(page, scheme) == []
    unfolded.go("#?cell=exhibited")
    assert violations(page, scheme, "#cell") == []
    page.keyboard.press("Escape")


def test_axe_finds_nothing_in_runs_side_by_side(browser: Browser, tmp_path: Path) -> None:
    few = thin().model_copy(update={"cells": thin().cells[-8:]})
    found = abreast(joined(Part(run.run.id, run) for run in (before(), few)))
    (tmp_path / "report.html").write_text(side_by_side.html(found), encoding="utf-8")
    reader = Reader(browser, tmp_path / "report.html")

    page = reader.open(ready="table")

    assert page.locator(".v.fail").count() > 0
    for scheme, color in PAPER.items():
        assert violations(page, scheme) == []
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == color
    assert (reader.complaints, reader.asked) == ([], [])
    reader.close()


@pytest.fixture
def narrow(led: Reader) -> Iterator[Callable[[int], Page]]:
    """Makes a reader's screen so many pixels wide."""

    def made(width: int) -> Page:
        led.page.set_viewport_size({"width": width, "height": 900})
        return led.go("#?verdict=fail")

    yield made
    led.page.keyboard.press("Escape")
    led.page.set_viewport_size({"width": 1440, "height": 900})


@pytest.mark.parametrize("width", [1440, 820, 390])
def test_on_a_narrow_screen_nothing_sticks_out(width: int, narrow: Callable[[int], Page]) -> None:
    page = narrow(width)
    drawn(page)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#list [data-place]").first.click()
    expect(page.locator("#cell")).to_be_visible()
    assert page.evaluate("document.getElementById('cell').scrollWidth") <= width


# The ways of docs/report.md, for somebody who has not seen the page before.


def test_a_developer_comes_from_a_red_cell_to_its_reasons_map_files_and_command(led: Reader) -> None:
    page = led.go("#?")

    page.locator("#failures td a").first.click()

    says(page, "because of a", "RAM block pc.ram", "pages.json", "--cell 'exhibited'")


def test_a_platform_engineer_comes_to_the_lines_to_paste_there_and_back(led: Reader) -> None:
    page = led.go("#?")

    for sender, receiver in (("QEMU 5.0-8.2", "QEMU 10.0-11.1"), ("QEMU 10.0-11.1", "QEMU 5.0-8.2")):
        page.locator(f"#set td a[title='{sender} → {receiver}']").click()
        expect(page.locator("#set section:target h3")).to_have_text(f"{sender} → {receiver}")
        says(page, "migrate-set-parameters", of="#set section:target")


def test_a_release_manager_comes_to_what_nobody_expected_of_one_version(led: Reader) -> None:
    page = led.go("#?")

    page.select_option("#facets [name=version]", "10.2.0")
    page.check("#facets [value=fail]")

    failed = [c for c in rich().cells if "qemu-10.2" in (c.sender, c.receiver) and c.verdict == "fail"]
    counts(page, len(failed))


def test_a_lab_comes_to_what_was_proven_and_to_the_numbers(led: Reader) -> None:
    page = led.go("#?")

    page.select_option("#facets [name=device]", "proven")
    page.locator("#list [data-place]").first.click()

    says(page, "QAT: asked 9 jobs, counted 9 (fw_counters): proven by the device's own counters")


def test_a_run_without_cells_has_a_page_too(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(html.render(results()), encoding="utf-8")
    reader = Reader(browser, tmp_path / "report.html")

    page = reader.open()

    assert page.inner_text("h1") == "Nothing was checked"
    assert page.inner_text("#count") == "0 cells"
    assert reader.complaints == []
    reader.close()
