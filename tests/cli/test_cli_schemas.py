"""``multifd schema``: what machines may rely on."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from multifd.result import schema, store
from tests.cli.command import multifd
from tests.reports.builder import agreeing, cell, finding, results


def test_without_a_name_it_is_that_of_results() -> None:
    assert multifd("schema").out == schema.PATH.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["results", "comparison", "profile"])
def test_each_is_a_json_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(multifd("schema", name).out))


def test_what_diff_prints_is_valid_by_its_own(tmp_path: Path) -> None:
    before = results(cell(id="a"), cell(id="b"), findings=(finding(cells=("a",)),))
    after = results(cell(id="a", verdict="fail", kind="corrupt"), cell(id="c", error="x"))
    for name, run in (("before", before), ("after", after)):
        (tmp_path / name).mkdir()
        store.save(agreeing(run), tmp_path / name)

    found = json.loads(multifd("diff", tmp_path / "before", tmp_path / "after", "--json").out)

    published = json.loads(multifd("schema", "comparison").out)
    jsonschema.validate(found, published)
    assert published["$id"] == "urn:multifd-conformance:comparison:2"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found | {"regressions": None}, published)


def test_an_unknown_name_is_refused() -> None:
    answer = multifd("schema", "lunch")

    assert (answer.code, answer.out) == (2, "")
    assert "'lunch' is not one of 'results', 'comparison', 'profile'" in answer.err
