"""What Allure shows of a cell: what a person filters by, why it went as it did, and what was left of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from multifd.result.record import VERDICT_ORDER, Cell, Kind, Setting, Sides, Verdict
from reports import allure
from tests.reports.builder import cell, results

NOWHERE = Path("/nowhere")


def labels(one: Cell, name: str) -> list[str]:
    return [value for label, value in allure.shown(one, NOWHERE).labels if label == name]


def test_a_cell_is_found_by_suite_framing_and_pairing_and_by_its_peers() -> None:
    one = cell()

    assert [labels(one, tree) for tree in ("parentSuite", "suite", "subSuite")] == [["wire"], ["zlib"], ["zlib → isal"]]
    assert [labels(one, tree) for tree in ("epic", "feature", "story")] == [["zlib"], ["isal"], ["zlib"]]


def test_framing_peers_and_provenance_are_labels() -> None:
    one = cell(provenance=Sides(sender="software", receiver="emulated"))

    found = {name: labels(one, name) for name in ("framing", "sender", "receiver", "provenance", "verdict")}
    assert found == {
        "framing": ["zlib"],
        "sender": ["zlib"],
        "receiver": ["isal"],
        "provenance": ["software", "emulated"],
        "verdict": ["pass"],
    }


def test_tags_are_what_a_person_filters_by() -> None:
    one = cell(verdict="known", issues=("qemu-mask-hides-flag",), provenance=Sides(sender="emulated"))

    assert labels(one, "tag") == ["known", "emulated", "qemu-mask-hides-flag"]


@pytest.mark.parametrize(
    ("verdict", "status"),
    [("pass", "passed"), ("refused", "passed"), ("hazard", "passed"), ("known", "skipped"), ("skip", "skipped"),
     ("fail", "failed"), ("error", "broken"), ("not-run", "broken")],
)  # fmt: skip
def test_a_verdict_has_its_status(verdict: Verdict, status: str) -> None:
    assert allure.shown(cell(verdict=verdict), NOWHERE).status == status


@pytest.mark.parametrize(
    ("one", "level"),
    [
        (cell(), "normal"),
        (cell(verdict="hazard", issues=("qemu-mask-hides-flag",)), "blocker"),
        (cell(verdict="known", issues=("qatzip-raw-exact", "qatzip-compress-leak")), "normal"),
        (cell(verdict="fail", kind="corrupt"), "blocker"),
        (cell(verdict="fail", kind="hang"), "critical"),
        (cell(verdict="fail", kind="wrong-error"), "normal"),
    ],
    ids=["pass", "corruption", "contract", "corrupt", "hang", "wrong-error"],
)
def test_severity_is_that_of_the_issue_or_of_the_failure(one: Cell, level: str) -> None:
    assert allure.severity(one) == level
    assert labels(one, "severity") == [level]


@pytest.mark.parametrize("verdict", [v for v in VERDICT_ORDER if v not in ("pass", "refused", "not-run", "fail")])
def test_every_verdict_that_is_no_good_news_has_one_category(verdict: Verdict) -> None:
    assert fitting(cell(verdict=verdict)) == 1


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_of_failure_has_one_category(kind: Kind) -> None:
    assert fitting(cell(verdict="fail", kind=kind)) == 1


def fitting(one: Cell) -> int:
    """In how many categories Allure puts a cell."""
    shown = allure.shown(one, NOWHERE)
    return sum(
        shown.status in category["matchedStatuses"] and bool(re.fullmatch(category["messageRegex"], shown.message))
        for category in allure.categories()
    )


def test_a_known_issue_that_is_somewhere_upstream_is_a_link() -> None:
    one = cell(issues=("qemu-source-aborts-when-reset", "qemu-mask-hides-flag"))

    url = "https://gitlab.com/qemu-project/qemu/-/commit/93c8a97f99"
    assert allure.shown(one, NOWHERE).links == (("qemu-source-aborts-when-reset", url),)


def test_what_was_seen_and_the_artifacts_are_attached_where_it_did_not_simply_pass(tmp_path: Path) -> None:
    (tmp_path / "pages.json").write_text("[]")
    told = {"error": "no", "complaints": ("one",), "artifacts": ("pages.json", "gone.json")}

    bad = allure.shown(cell(verdict="hazard", **told), tmp_path)

    assert bad.attachments == (
        ("what was seen", b"no\none", "text/plain"),
        ("pages.json", b"[]", "application/json"),
    )
    assert allure.shown(cell(**told), tmp_path).attachments == ()


def test_no_two_cells_have_the_same_parameters() -> None:
    one, other = (allure.shown(cell(id=name), NOWHERE).parameters for name in ("a", "b"))

    assert one != other
    assert ("set x", "y") in allure.shown(cell(setting=(Setting(name="x", value="y"),)), NOWHERE).parameters


def test_the_environment_is_a_property_file_with_who_took_part() -> None:
    run = results(cell())
    odd = run.run.model_copy(update={"command": "a\\b=c\nd=e é 漢", "versions": {"a b": "1"}})

    lines = allure.environment(run.model_copy(update={"run": odd})).splitlines()

    assert r"command=a\\b=c d=e \u00e9 \u6f22" in lines
    assert r"version.a\ b=1" in lines
    assert "peer.qat-emulated=1.3.1, emulated" in lines


def test_both_files_are_written(tmp_path: Path) -> None:
    allure.write(results(cell()), tmp_path)

    assert json.loads((tmp_path / "categories.json").read_text()) == allure.categories()
    assert (tmp_path / "environment.properties").read_text().startswith("profile=software-only\n")


def test_nothing_that_others_say_is_markup_or_does_anything() -> None:
    hostile = "<b>`x` [a](http://b)\x1b[31m\u202e"
    one = cell(verdict="fail", kind="crash", reason=hostile, error=hostile, sender=hostile, reproduce=hostile)

    shown = allure.shown(one, NOWHERE)

    text = "".join((shown.message, shown.trace, shown.description, *(value for _, value in shown.labels)))
    assert {each for each in text if not each.isprintable()} <= {"\n"}
    assert "<b>" not in re.sub(r"^(`{3,})\w*\n.*?^\1$|`[^`\n]*`", "", shown.description, flags=re.M | re.S)


def test_a_failure_says_why_it_should_have_been_otherwise() -> None:
    one = cell(id="red", verdict="fail", kind="crash", reason="it died", predicted_because="all that is sent is read")

    assert allure.shown(one, NOWHERE).description.startswith(
        "`it died`\n\npredicted: identical: `all that is sent is read`\n"
    )
