"""The contract's models: plain data that nobody changes."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from multifd.result.printable import LONGEST
from multifd.result.record import Cell, Run, Seconds, Tuples
from tests.reports.builder import cell, results


def test_a_record_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        cell().verdict = "pass"


def test_results_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        results().cells = ()


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="colour"):
        cell(colour="red")


@pytest.mark.parametrize("field", ["reason", "error", "aftermath", "reproduce"])
def test_of_what_others_say_at_length_the_beginning_is_kept(field: str) -> None:
    said = getattr(cell(**{field: "no " * 300_000}), field)

    assert said.startswith("no no no")
    assert said.endswith(" more are left out)")
    assert len(said.encode()) <= LONGEST


def test_so_it_is_with_each_of_many_complaints() -> None:
    [said] = cell(complaints=("no " * 300_000,)).complaints

    assert len(said.encode()) <= LONGEST


@pytest.mark.parametrize("field", ["id", "sender", "framing", "corpus"])
def test_a_name_is_not_clipped_but_refused(field: str) -> None:
    with pytest.raises(ValidationError, match=rf"{field}\n  String should have at most 4096 characters"):
        cell(**{field: "a" * 5000})


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    with pytest.raises(ValidationError, match="finite"):
        Seconds.model_validate_json(f'{{"wall": {number}}}')


def test_half_a_character_is_refused() -> None:
    content = cell().model_dump_json().replace('"reason":"', r'"reason":"\ud800')

    with pytest.raises(ValidationError, match="hex escape"):
        Cell.model_validate_json(content)


def test_what_a_shard_combines_is_longer_than_any_text() -> None:
    bits = "A" * 100_000

    assert Tuples(pairs=bits, triples=bits).triples == bits


def test_what_a_run_says_of_its_host_is_clipped_too() -> None:
    run = results().run.model_dump() | {"host": {"cpu": "a" * 9000, "cores": 2}}

    host = Run.model_validate(run).host

    assert (len(host["cpu"]) <= LONGEST, host["cores"]) == (True, 2)


# Why it was predicted


@pytest.mark.parametrize("verdict", ["pass", "refused", "hazard"])
def test_of_what_went_as_predicted_the_reason_is_why_it_was_predicted(verdict: str) -> None:
    assert cell(verdict=verdict, reason="all holds").because == "all holds"


@pytest.mark.parametrize("verdict", ["fail", "known", "skip", "error", "not-run"])
def test_of_anything_else_a_file_from_before_does_not_say_it(verdict: str) -> None:
    assert cell(verdict=verdict, reason="rejected").because is None


def test_a_record_that_is_judged_otherwise_keeps_why_it_was_predicted() -> None:
    once = cell(verdict="hazard", reason="the mask hides the flag").otherwise("nobody lists it", verdict="fail")

    twice = once.otherwise("nobody lists it\nthis is 11.1")

    assert (once.verdict, once.reason, once.because) == ("fail", "nobody lists it", "the mask hides the flag")
    assert (twice.reason, twice.because) == ("nobody lists it\nthis is 11.1", "the mask hides the flag")


def test_why_it_was_predicted_is_not_made_up_for_a_record_from_before() -> None:
    before = cell(verdict="fail", reason="rejected")

    assert before.otherwise("known since").because is None
