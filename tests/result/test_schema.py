"""The published schema of results.json, for whoever reads it without our code."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from multifd.result import handbook, schema
from tests.reports.builder import cell, finding, realistic, results


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(schema.PATH.read_text(encoding="utf-8"))
    return content


def written(**changes: Any) -> dict[str, Any]:
    """A results file as it is written, its first cell changed."""
    content: dict[str, Any] = json.loads(results(cell(), findings=(finding(),)).model_dump_json(by_alias=True))
    content["cells"][0] |= changes
    return content


def test_the_file_is_what_the_models_say_now() -> None:
    """If this fails: ``python -m multifd.result.schema``."""
    assert schema.PATH.read_text(encoding="utf-8") == schema.text()


def test_the_file_is_a_json_schema(published: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(published)


def test_what_a_run_writes_is_valid(published: dict[str, Any]) -> None:
    jsonschema.validate(json.loads(realistic().model_dump_json(by_alias=True)), published)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("verdict", "ok"),
        ("predicted", "broken"),
        ("observed", None),
        ("kind", "bad"),
        ("channels", 0),
        ("channels", 256),
        ("page_size", 0),
        ("provenance", {"sender": "magic", "receiver": None}),
        ("colour", "red"),
    ],
)
def test_a_cell_with_a_value_that_has_no_meaning_is_not_valid(
    field: str, value: Any, published: dict[str, Any]
) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(written(**{field: value}), published)


@pytest.mark.parametrize("key", ["schema", "run", "peers", "unable", "findings", "cells"])
def test_no_part_may_be_missing(key: str, published: dict[str, Any]) -> None:
    content = written()
    del content[key]

    with pytest.raises(jsonschema.ValidationError, match=f"'{key}' is a required property"):
        jsonschema.validate(content, published)


@pytest.mark.parametrize("key", list(written()["cells"][0]))
def test_no_field_of_a_cell_may_be_missing(key: str, published: dict[str, Any]) -> None:
    content = written()
    del content["cells"][0][key]

    with pytest.raises(jsonschema.ValidationError, match=f"'{key}' is a required property"):
        jsonschema.validate(content, published)


@pytest.mark.parametrize("key", list(written()["run"]))
def test_no_field_of_the_run_may_be_missing(key: str, published: dict[str, Any]) -> None:
    content = written()
    del content["run"][key]

    with pytest.raises(jsonschema.ValidationError, match=f"'{key}' is a required property"):
        jsonschema.validate(content, published)


@pytest.mark.parametrize("key", list(written()["findings"][0]))
def test_no_field_of_a_finding_may_be_missing(key: str, published: dict[str, Any]) -> None:
    content = written()
    del content["findings"][0][key]

    with pytest.raises(jsonschema.ValidationError, match=f"'{key}' is a required property"):
        jsonschema.validate(content, published)


def test_another_version_of_the_contract_is_not_valid(published: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(written() | {"schema": "multifd-conformance/results/1"}, published)


def test_it_has_a_name_of_its_own(published: dict[str, Any]) -> None:
    assert published["$id"] == "urn:multifd-conformance:results:2"


def test_every_field_says_what_it_is(published: dict[str, Any]) -> None:
    models = {**published["$defs"], "Results": published}

    silent = [(name, field) for name, model in models.items() for field, told in model["properties"].items()
              if not told.get("description", "").endswith(".")]  # fmt: skip
    assert silent == []


def test_the_page_is_what_the_models_say_now() -> None:
    """If this fails: ``python -m multifd.result.handbook``."""
    assert handbook.PATH.read_text(encoding="utf-8") == handbook.page()


def test_the_page_has_every_field(published: dict[str, Any]) -> None:
    page = handbook.page()

    for name, model in (*published["$defs"].items(), ("Results", published)):
        section = page.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
        listed = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
        assert sorted(listed) == sorted(model["properties"]), name
