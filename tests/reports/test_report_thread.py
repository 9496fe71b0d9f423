"""What the thread asked, in the reports: the table, the answers with provenance, and what a run contradicts."""

from __future__ import annotations

from typing import Final

from multifd.result.questions import shipped
from reports import html, markdown
from reports.thread import page, states, thread
from tests.reports.builder import results
from tests.result.thread import ran

GOOD: Final = ran("qatzip", "zlib", "qatzip")
EDITED: Final = GOOD.model_copy(update={"verdict": "refused", "predicted": "rejected", "error": "<b>no</b>"})
CLAIM: Final = "zlib reads the gzip-ext that libqatzip writes under the method qatzip"


def test_the_section_has_both_halves_of_the_table_and_every_question() -> None:
    text = html.render(results(GOOD))

    assert "What the thread asked" in text
    assert text.index("libqatzip for QAT and libqpl for IAA") < text.index("models of the silicon")
    for question in shipped().questions:
        assert question.id in text


def test_a_place_of_the_table_leads_to_its_cell() -> None:
    text = html.render(results(GOOD))

    assert '<td title="qatzip → zlib"><a class="v pass" href="#cell-' in text


def test_a_claim_has_its_state_and_provenance() -> None:
    text = html.render(results(GOOD))

    shown = text[text.index(CLAIM) :].partition("</li>")[0]
    assert "vendor-software" in shown
    assert f"<code>{GOOD.id}</code>" in shown
    assert text[: text.index(CLAIM)].endswith("<b>✓ shown</b>: ")


def test_what_a_run_contradicts_is_in_headline_table_and_answer() -> None:
    for text in (html.render(results(EDITED)), markdown.render(results(EDITED))):
        assert "Not conforming" in text
        assert "is contradicted by cells in 3 claims" in text
        assert "4 of 9 identical" in text
        assert "expected pass, seen refused" in text
    assert "<b>no</b>" not in html.render(results(EDITED))


def test_states_are_counted_worst_first() -> None:
    (head, first, *_) = (thread(results(EDITED)).head, *thread(results(EDITED)).answers)

    assert states(head)[0] == ("contradicted", 1)
    assert [state for state, _ in states(first)] == ["contradicted", "not shown"]


def test_the_page_names_no_run() -> None:
    text = page()

    assert text.startswith("# What the thread asked")
    assert "not in this run" not in text
