"""junit.xml: what a CI server counts, and the schema that it keeps to."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st

from multifd.result.conclusion import exit_code
from multifd.result.record import VERDICT_ORDER, DeviceWork, Results, Setting, Sides, Verdict
from reports import junit
from tests.reports.builder import cell, finding, realistic, results


def test_counts_agree_with_the_testcases() -> None:
    run = realistic()

    root = ElementTree.fromstring(junit.render(run))

    for counted in (root, *root.iter("testsuite")):
        assert int(counted.attrib["tests"]) == len(list(counted.iter("testcase")))
        assert int(counted.attrib["failures"]) == len(list(counted.iter("failure")))
        assert int(counted.attrib["errors"]) == len(list(counted.iter("error")))
    for suite in root:
        assert int(suite.attrib["skipped"]) == len(list(suite.iter("skipped")))
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
    assert detail.attrib["message"].endswith("why")
    assert detail.text is not None
    assert detail.text.startswith("what\nreproduce: tox")


@pytest.mark.parametrize("verdict", ["pass", "refused", "hazard"])
def test_what_went_as_predicted_passes(verdict: Verdict) -> None:
    root = ElementTree.fromstring(junit.render(results(cell(verdict=verdict))))

    assert [child.tag for child in next(root.iter("testcase"))] == ["system-out"]


def said(run: Results) -> list[str]:
    """The lines of the only testcase's system-out."""
    (text,) = ElementTree.fromstring(junit.render(run)).iter("system-out")
    return str(text.text).splitlines()


def properties(run: Results) -> dict[str, str]:
    """Of the only suite."""
    root = ElementTree.fromstring(junit.render(run))
    return {each.attrib["name"]: each.attrib["value"] for each in root.iter("property")}


def test_a_hazard_is_told_in_words_and_counted() -> None:
    told = cell(
        verdict="hazard", reason="the mask hides it", issues=("mask",),
        setting=(Setting(name="multifd-compression", value="uadk"),),
    )  # fmt: skip

    assert said(results(told))[:2] == ["hazard: the mask hides it", "with multifd-compression=uadk"]
    assert properties(results(told))["verdict.hazard"] == "1"


def test_a_known_issue_is_told_in_the_message_and_in_the_properties() -> None:
    known = cell(verdict="known", reason="mask: it hides", issues=("mask",))
    run = results(known, findings=(finding(id="mask", component="QEMU", severity="hang", cause="it hides"),))

    (detail,) = ElementTree.fromstring(junit.render(run)).iter("skipped")

    assert detail.attrib == {"type": "known", "message": "known issue: mask: it hides"}
    assert properties(run)["issue.mask"] == "1 cell: hang: QEMU: it hides"
    assert "[[PROPERTY|issue=mask]]" in said(run)


def test_no_value_ends_its_property() -> None:
    run = results(cell(issues=("a]]\n[[PROPERTY|verdict=pass]]",)))

    assert said(run)[-1] == "[[PROPERTY|issue=a] ] [[PROPERTY|verdict=pass] ]]]"


def test_a_testcase_is_named_after_its_cell() -> None:
    root = ElementTree.fromstring(junit.render(results(cell(id="one"))))

    (case,) = root.iter("testcase")
    assert case.attrib == {"classname": "wire.zlib", "name": "one", "time": "0.100"}


def test_emulated_is_a_property_of_the_testcase() -> None:
    run = results(cell(provenance=Sides(sender="software", receiver="emulated")))

    assert "[[PROPERTY|provenance.receiver=emulated]]" in said(run)


def test_complaints_issues_and_device_numbers_are_there() -> None:
    work = DeviceWork(end="sender", device="QAT", asked=5, counted=None, source="fw_counters", verdict="unverified")
    run = results(cell(verdict="known", complaints=("one is short", "two"), issues=("a", "b"), device=(work,)))

    lines = said(run)

    counted = "QAT: asked at least 5 jobs, counted unknown (fw_counters): unverified"
    assert f"[[PROPERTY|device.sender={counted}]]" in lines
    assert lines[-2:] == ["[[PROPERTY|issue=a]]", "[[PROPERTY|issue=b]]"]
    (detail,) = ElementTree.fromstring(junit.render(run)).iter("skipped")
    assert "one is short\ntwo\nreproduce: " in str(detail.text)


SCHEMA: Final = xmlschema.XMLSchema(Path(__file__).resolve().parents[2] / "docs/junit.xsd")
"""Everything that is valid under it is valid under Jenkins'."""


@settings(max_examples=50)
@given(st.lists(st.sampled_from(VERDICT_ORDER), min_size=1), st.text(), st.booleans())
def test_whatever_happened_it_is_valid(verdicts: list[Verdict], text: str, complete: bool) -> None:
    cells = (
        cell(id=f"{n}{text}", verdict=verdict, reason=text, error=text, issues=(text,))
        for n, verdict in enumerate(verdicts)
    )

    SCHEMA.validate(junit.render(results(*cells, complete=complete)))


def test_a_run_of_realistic_size_is_valid() -> None:
    SCHEMA.validate(junit.render(realistic()))


@settings(max_examples=50)
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


@settings(max_examples=50)
@given(st.text())
def test_any_error_gives_well_formed_xml(error: str) -> None:
    run = results(cell(verdict="fail", kind="crash", reason=error, error=error, id=f"cell {error}"))

    assert ElementTree.fromstring(junit.render(run)).find(".//failure") is not None


def test_control_characters_are_written_out() -> None:
    run = results(cell(verdict="fail", kind="crash", error="a\x00\x1b[31m\u202eb"))

    failure = ElementTree.fromstring(junit.render(run)).find(".//failure")

    assert failure is not None
    assert failure.text is not None
    assert failure.text.splitlines()[0] == r"a\u0000\u001b[31m\u202eb"


def test_a_failure_says_why_it_should_have_been_otherwise() -> None:
    one = cell(id="red", verdict="fail", kind="crash", reason="it died", predicted_because="all that is sent is read")

    (failure,) = ElementTree.fromstring(junit.render(results(one))).iter("failure")

    assert failure.attrib["message"] == "it died"
    assert (failure.text or "").startswith("predicted identical: all that is sent is read\n")


def test_what_nobody_ran_says_nothing_of_a_prediction() -> None:
    one = cell(verdict="skip", reason="no card", predicted_because="all that is sent is read")

    assert "all that is sent is read" not in junit.render(results(one))
