"""Results of version 1 are read as if this version had written them; what is neither is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

from multifd.errors import InputError
from multifd.result import schema, store
from multifd.result.intake import EXPECTED, REMARK, UNKNOWN, parse
from multifd.result.planned import check_planned
from multifd.result.record import SCHEMA_ID
from tests.reports.builder import cell, results

FILE: Final = Path(__file__).with_name("version-1.json")
"""Written by a run when that was the version."""
LOG: Final = b'{"event": "run", "run": {"id": "a5ebef481c30"}}\n'
"""The beginning of its event log."""


def old() -> Any:
    return json.loads(FILE.read_text(encoding="utf-8"))


def test_every_cell_keeps_what_it_had() -> None:
    read = parse(FILE.read_text(encoding="utf-8"), "here")

    for was, now in zip(old()["cells"], json.loads(read.model_dump_json())["cells"], strict=True):
        assert {name: now[name] for name in was} == was


def test_it_is_valid_by_the_schema_of_this_version() -> None:
    read = parse(FILE.read_text(encoding="utf-8"), "here")

    content = json.loads(read.model_dump_json(by_alias=True))
    assert content["schema"] == SCHEMA_ID
    jsonschema.validate(content, json.loads(schema.PATH.read_text(encoding="utf-8")))


def test_its_cells_are_its_plan() -> None:
    read = parse(FILE.read_text(encoding="utf-8"), "here")

    check_planned(read.run, read.cells, "here")
    assert read.run.remarks == (REMARK,)


def test_a_cell_names_the_findings_that_name_it() -> None:
    read = parse(FILE.read_text(encoding="utf-8"), "here")

    named = {(one.id, issue) for one in read.cells for issue in one.issues}
    assert named == {(name, finding.id) for finding in read.findings for name in finding.cells} != set()
    for finding in read.findings:
        assert (finding.remedy, finding.upstream, finding.fixed_in, finding.reproducer) == (UNKNOWN, None, None, None)


AMISS: Final[dict[str, tuple[Callable[[Any], object], str]]] = {
    "a field is missing": (lambda content: content["cells"][0].pop("verdict"), "cells.0.verdict: Field required"),
    "a value has no meaning": (
        lambda content: content["cells"][0].update(verdict="ok"), "cells.0.verdict: 'ok', expected 'pass'",
    ),
    "cells are no list": (lambda content: content.update(cells={"a": 1}), "is not as version 1 has it: TypeError("),
    "a cell is none": (lambda content: content.update(cells=[1]), "is not as version 1 has it: TypeError("),
    "no findings": (lambda content: content.pop("findings"), "is not as version 1 has it: KeyError('findings')"),
    "a finding is none": (
        lambda content: content["findings"].append(None), "is not as version 1 has it: TypeError(",
    ),
    "the run is none": (lambda content: content.update(run=[]), "is not as version 1 has it: TypeError("),
    "too many fields": (
        lambda content: content.update(colour="red"), "colour: is no field of multifd-conformance/results/2;",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), AMISS.values(), ids=AMISS)
def test_what_is_not_as_version_1_has_it_is_refused(change: Callable[[Any], object], message: str) -> None:
    content = old()
    change(content)

    with pytest.raises(InputError) as error:
        parse(json.dumps(content), "here")

    assert str(error.value).startswith(f"here: {message}")


@pytest.mark.parametrize("version", ["multifd-conformance/results/3", "", 2, None])
def test_another_version_is_refused_with_those_that_are_read(version: object) -> None:
    content = json.loads(results(cell()).model_dump_json(by_alias=True)) | {"schema": version}

    with pytest.raises(InputError) as error:
        parse(json.dumps(content), "here")

    assert str(error.value) == (
        f"here: schema: {version!r}, expected 'multifd-conformance/results/2' or 'multifd-conformance/results/1';"
        " a newer multifd reads more"
    )


def test_a_field_of_a_newer_multifd_is_refused_by_name() -> None:
    content = json.loads(results(cell()).model_dump_json(by_alias=True))
    content["cells"][0]["colour"] = "red"

    with pytest.raises(InputError, match=r"cells\.0\.colour: is no field of .*; a newer multifd may know it"):
        parse(json.dumps(content), "here")


def test_a_log_of_version_1_stands_behind_its_results(tmp_path: Path) -> None:
    (tmp_path / store.EVENTS).write_bytes(LOG)
    (tmp_path / store.RESULTS).write_bytes(FILE.read_bytes())

    assert store.load(tmp_path).run.id == "a5ebef481c30"
    assert not store.has_log(tmp_path)


@pytest.mark.parametrize("line", [
    b"garbage\n", b"[]\n", b'{"event": "peer"}\n', b"[" * 100_000 + b"\n", b'{"event": "run", "run": {"plan": "x"}}\n',
])  # fmt: skip
def test_any_other_log_is_believed_rather_than_results(line: bytes, tmp_path: Path) -> None:
    (tmp_path / store.EVENTS).write_bytes(line)
    (tmp_path / store.RESULTS).write_bytes(FILE.read_bytes())

    with pytest.raises(InputError, match=r"events\.jsonl"):
        store.load(tmp_path)


def test_a_log_of_version_1_by_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / store.EVENTS).write_bytes(LOG)

    with pytest.raises(InputError, match=r"events\.jsonl: Run: started: Field required"):
        store.load(tmp_path)


def test_a_cell_that_comes_twice_is_refused(tmp_path: Path) -> None:
    store.save(results(cell(id="wire/a"), cell(id="wire/a")), tmp_path)

    with pytest.raises(InputError, match=r"cells: 'wire/a' comes more than once, expected each planned cell once"):
        store.load(tmp_path)


def test_what_this_version_wrote_once_is_read_for_ever() -> None:
    """Written by a run before some fields came: the promise of docs/results.md."""
    content = json.loads(FILE.with_name("version-2.json").read_text(encoding="utf-8"))

    read = parse(json.dumps(content), "here")

    for was, now in zip(content["cells"], json.loads(read.model_dump_json())["cells"], strict=True):
        assert {name: now[name] for name in was} == was
    check_planned(read.run, read.cells, "here")


@pytest.mark.parametrize("file", ["version-1.json", "version-2.json"])
def test_of_what_went_otherwise_in_a_file_from_before_nobody_is_told_why_it_was_predicted(file: str) -> None:
    read = parse(FILE.with_name(file).read_text(encoding="utf-8"), "here")

    went = {verdict: {one.because for one in read.cells if one.verdict == verdict} for verdict in ("pass", "known")}
    assert None not in went["pass"]
    assert went["known"] == {None}
    assert read.run.rules == ()


@pytest.mark.parametrize("number", ["NaN", "-Infinity"])
def test_what_is_no_number_is_refused_wherever_it_stands(number: str) -> None:
    content = results(cell()).model_dump_json(by_alias=True).replace('"host":{', f'"host":{{"load":{number},')

    with pytest.raises(InputError, match="here: is not JSON: "):
        parse(content, "here")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "it is empty, which is no JSON"),
        ("hello", "it begins with 'hello', which is no JSON (expected value at line 1 column 1)"),
        ("<!doctype html>" + "x" * 100, f"it begins with '<!doctype html>{'x' * 25}', which is no JSON"),
        ("[1]", "it begins with '[1]', which is JSON, but no object"),
        ("{}", "it begins with '{}', an object without the field 'schema'"),
    ],
)
def test_a_file_that_is_no_results_is_told_by_what_it_is_with_what_was_expected(content: str, what: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(content, "here")

    assert str(refused.value).startswith(f"here: is no results file: {what}")
    assert str(refused.value).endswith(f"; {EXPECTED}")


@pytest.mark.parametrize("when", ["yesterday", "2025-11-22", "2025-11-22T20:01:23", "0001-01-01T00:00:00+23:59"])
@pytest.mark.parametrize("field", ["started", "finished"])
def test_a_time_that_is_none_is_refused_with_what_it_is(field: str, when: str) -> None:
    content = json.loads(results(cell()).model_dump_json(by_alias=True))
    content["run"][field] = when

    with pytest.raises(InputError) as error:
        parse(json.dumps(content), "here")

    said = "expected a time as ISO 8601 has it, with its offset from UTC, such as 2025-11-22T20:00:00+00:00"
    assert str(error.value) == f"here: run.{field}: {when!r}, {said}"


def test_a_value_that_is_refused_is_shown_but_for_most_of_a_long_one() -> None:
    content = json.loads(results(cell()).model_dump_json(by_alias=True))
    content["cells"][0]["blocks"] = "x" * 5000

    with pytest.raises(InputError) as error:
        parse(json.dumps(content), "here")

    assert re.fullmatch(
        r"here: cells\.0\.blocks: 'x{8,20}\.{3}x{8,20}', expected at most 4096 characters", str(error.value)
    )


@pytest.mark.parametrize(("field", "value", "expected"), [
    ("bytes_memory", -1, "greater than or equal to 0"),
    ("bytes_wire", 1 << 63, f"less than {1 << 63}"),
])  # fmt: skip
def test_a_number_that_no_cell_can_have_is_refused_by_every_reader(field: str, value: int, expected: str) -> None:
    content = json.loads(results(cell()).model_dump_json(by_alias=True))
    content["cells"][0][field] = value

    with pytest.raises(InputError) as error:
        parse(json.dumps(content), "here")

    assert str(error.value) == f"here: cells.0.{field}: {value}, expected {expected}"
