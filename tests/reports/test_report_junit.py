"""junit.xml: what a CI server counts."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multifd.result.conclusion import exit_code
from multifd.result.record import VERDICT_ORDER, DeviceWork, Sides, Verdict
from reports import junit
from tests.reports.builder import cell, realistic, results


def test_counts_agree_with_the_testcases() -> None:
    run = realistic()

    root = ElementTree.fromstring(junit.render(run))

    for counted in (root, *root.iter("testsuite")):
        assert int(counted.attrib["tests"]) == len(list(counted.iter("testcase")))
        assert int(counted.attrib["failures"]) == len(list(counted.iter("failure")))
        assert int(counted.attrib["errors"]) == len(list(counted.iter("error")))
        assert int(counted.attrib["skipped"]) == len(list(counted.iter("skipped")))
    assert int(root.attrib["tests"]) == len(run.cells)


def test_there_is_one_testsuite_per_suite() -> None:
    root = ElementTree.fromstring(junit.render(realistic()))

    assert [suite.attrib["name"] for suite in root] == ["wire", "negotiation", "integrity"]


@pytest.mark.parametrize(
    ("verdict", "element"),
    [
        ("fail", "failure"),
        ("error", "error"),
        ("not-run", "error"),
        ("skip", "skipped"),
        ("known", "skipped"),
    ],
)
def test_a_verdict_that_is_no_success_has_its_element_and_reason(verdict: Verdict, element: str) -> None:
    root = ElementTree.fromstring(junit.render(results(cell(verdict=verdict, reason="why", error="what"))))

    detail = root.find(f".//testcase/{element}")
    assert detail is not None
    assert detail.attrib["message"] == "why"
    assert detail.text is not None
    assert detail.text.startswith("what\nreproduce: tox")


@pytest.mark.parametrize("verdict", ["pass", "refused", "hazard"])
def test_what_went_as_predicted_passes(verdict: Verdict) -> None:
    root = ElementTree.fromstring(junit.render(results(cell(verdict=verdict))))

    assert [child.tag for child in root.iter("testcase").__next__()] == ["properties"]


def test_a_testcase_is_named_after_its_cell() -> None:
    root = ElementTree.fromstring(junit.render(results(cell(id="one"))))

    (case,) = root.iter("testcase")
    assert case.attrib == {"classname": "wire.zlib", "name": "one", "time": "0.100"}


def test_emulated_is_a_property_of_the_testcase() -> None:
    run = results(cell(provenance=Sides(sender="software", receiver="emulated")))

    root = ElementTree.fromstring(junit.render(run))

    assert root.find(".//property[@name='provenance.receiver'][@value='emulated']") is not None


def test_complaints_issues_and_device_numbers_are_there() -> None:
    work = DeviceWork(end="sender", device="QAT", asked=5, counted=None, source="fw_counters", verdict="unverified")
    run = results(cell(verdict="known", complaints=("one is short", "two"), issues=("a", "b"), device=(work,)))

    root = ElementTree.fromstring(junit.render(run))

    properties = [(p.get("name"), p.get("value")) for p in root.iter("property")]
    assert ("device.sender", "QAT: asked at least 5 jobs, counted unknown (fw_counters): unverified") in properties
    assert [value for name, value in properties if name == "issue"] == ["a", "b"]
    (detail,) = root.iter("skipped")
    assert "one is short\ntwo\nreproduce: " in str(detail.text)


@settings(deadline=None)
@given(st.lists(st.sampled_from(VERDICT_ORDER)), st.booleans())
def test_there_is_a_failure_or_an_error_unless_the_exit_code_is_0(verdicts: list[Verdict], complete: bool) -> None:
    run = results(*(cell(id=str(n), verdict=verdict) for n, verdict in enumerate(verdicts)), complete=complete)

    root = ElementTree.fromstring(junit.render(run))

    assert ((root.attrib["failures"], root.attrib["errors"]) == ("0", "0")) == (exit_code(run) == 0)
    for counted in (root, *root.iter("testsuite")):
        assert int(counted.attrib["tests"]) == len(list(counted.iter("testcase")))
        assert int(counted.attrib["failures"]) == len(list(counted.iter("failure")))
        assert int(counted.attrib["errors"]) == len(list(counted.iter("error")))


@pytest.mark.parametrize(
    ("complete", "element", "title"), [(True, "failure", "Nothing was checked"), (False, "error", "Incomplete")]
)
def test_a_run_that_is_not_green_for_a_reason_of_its_own_has_a_testcase(
    complete: bool, element: str, title: str
) -> None:
    root = ElementTree.fromstring(junit.render(results(cell(verdict="skip"), complete=complete)))

    detail = root.find(f"testsuite[@name='run']/testcase[@name='run']/{element}")
    assert detail is not None
    assert detail.attrib["type"] == title


@settings(deadline=None)
@given(st.text())
def test_any_error_gives_well_formed_xml(error: str) -> None:
    run = results(cell(verdict="fail", kind="crash", reason=error, error=error, id=f"cell {error}"))

    assert ElementTree.fromstring(junit.render(run)).find(".//failure") is not None


def test_control_characters_become_the_replacement_character() -> None:
    run = results(cell(verdict="fail", kind="crash", error="a\x00\x1b[31mb"))

    failure = ElementTree.fromstring(junit.render(run)).find(".//failure")

    assert failure is not None
    assert failure.text is not None
    assert failure.text.splitlines()[0] == "a\ufffd\ufffd[31mb"
