"""The thread's questions as data: what a query selects, and what the shipped ones have to have."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from multifd.errors import HarnessError
from multifd.result import questions
from multifd.result.questions import Price, Query, Question, shipped
from tests.result.thread import ran


def test_every_question_has_an_answer_and_evidence() -> None:
    for question in shipped().questions:
        assert question.answer
        assert question.claims or question.unable or question.prices


def test_no_two_questions_have_one_id_and_no_two_claims_one_wording() -> None:
    ids = Counter(question.id for question in shipped().questions)
    wordings = Counter(claim.shows for question in shipped().questions for claim in question.claims)

    assert (ids.total(), wordings.total()) == (len(ids), len(wordings))


def test_a_question_without_a_claim_is_refused() -> None:
    with pytest.raises(ValidationError, match="an answer without evidence is an opinion"):
        Question(id="why", question="Why?", answer="Because.")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("a: [", "is not YAML"), ("question: Why?\ncolour: red\n", "colour"), ("question: 1\nquestion: 2\n", "already")],
)
def test_data_that_are_not_as_they_should_be_are_a_defect(
    content: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "questions.yaml"
    path.write_text(content)
    monkeypatch.setattr(questions, "PATH", path)

    with pytest.raises(HarnessError, match=complaint):
        shipped.__wrapped__()


@pytest.mark.parametrize(
    ("query", "changes", "selected"),
    [
        ({}, {}, True),
        ({"sender": "zlib"}, {}, True),
        ({"sender": "zlib-ng"}, {}, False),
        ({"sender": ["zlib-ng", "zlib"]}, {}, True),
        ({"sender": "zl*"}, {}, True),
        ({"receiver": "qpl"}, {}, False),
        ({"suite": "qemu"}, {}, False),
        ({"suite": "qemu"}, {"suite": "qemu"}, True),
        ({}, {"suite": "negotiation"}, False),
        ({"framing": "zlib"}, {}, True),
        ({"framing": "zlib"}, {"framing": "zlib>gzip"}, False),
        ({"sent": "zlib", "read": "gzip"}, {"framing": "zlib>gzip"}, True),
        ({"sent": "gzip", "read": "zlib"}, {"framing": "zlib>gzip"}, False),
        ({}, {"dialect": "qemu-10.0>qemu-9.0"}, True),
        ({}, {"dialect": "qemu-10.0>qemu-9.0", "verdict": "hazard"}, False),
        ({"heard": "qemu-9.0"}, {"dialect": "qemu-10.0>qemu-9.0", "verdict": "hazard"}, True),
        ({"heard": "qemu-10.0"}, {"dialect": "qemu-10.0>qemu-9.0", "verdict": "hazard"}, False),
        ({}, {"page_size": 65536}, True),
        ({}, {"page_size": 65536, "verdict": "refused"}, False),
        ({}, {"scenario": "fault-magic", "verdict": "refused"}, False),
        ({"scenario": "fault-*"}, {"scenario": "fault-magic", "verdict": "refused"}, True),
        ({"scenario": "fault-*"}, {}, False),
        ({"sender_ran": "software"}, {}, True),
        ({"sender_ran": "hardware"}, {}, False),
        ({"receiver_ran": "vendor-software"}, {}, True),
        ({"receiver_ran": "hardware"}, {}, False),
    ],
)
def test_a_query_selects_by_what_a_cell_is(query: dict[str, Any], changes: dict[str, Any], selected: bool) -> None:
    cell = ran("zlib", "qatzip", **{"framing": "zlib", **changes})

    assert Query.model_validate(query).selects(cell) is selected


def test_what_a_cell_came_to_does_not_take_it_out_of_a_query() -> None:
    cell = ran("zlib", "qatzip", "zlib", dialect="qemu-10.0>qemu-9.0", page_size=65536)

    for verdict in ("pass", "refused", "hazard", "fail"):
        assert Query().selects(cell.model_copy(update={"verdict": verdict}))


@pytest.mark.parametrize("wrong", [{"sent": "zlib"}, {"read": "zlib"}, {"framing": "zlib", "sent": "a", "read": "b"}])
def test_a_query_has_one_framing_or_both(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="expected framing, or sent and read"):
        Query.model_validate(wrong)


@pytest.mark.parametrize("wrong", [{"dearer": "zlib"}, {"dearer": "zlib", "cheaper": "gzip"}])
def test_a_price_compares_two_of_its_framings(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="expected dearer and cheaper"):
        Price.model_validate({"shows": "it costs", "framings": ["zlib", "qpl"], **wrong})
