"""Known issues: what a cell's verdict becomes in their light, and what a run says it has found."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import ValidationError

from multifd.errors import HarnessError
from multifd.lineup.devices import device_peers
from multifd.lineup.introduce import resolve
from multifd.oracle.question import Prediction
from multifd.plan.whole import plan
from multifd.profile.load import load
from multifd.result.known import ROOT, KnownIssue, findings, read, settle, shipped
from multifd.result.record import Cell, Setting, Verdict
from multifd.result.versions import Release, Releases
from tests.qemu.recorded import peer
from tests.reports.builder import cell, finding


def issue(**changes: Any) -> KnownIssue:
    """A defect of a receiver that is not ours."""
    fields: dict[str, Any] = {
        "id": "adler-carried-over",
        "component": "libqpl",
        "versions": "libqpl ==1.9.0",
        "severity": "corruption",
        "cause": "the checksum of the job before is kept",
        "remedy": "initialise the job again",
        "upstream": "issue 7",
        "fixed_in": "2.0",
        "reproducer": "multifd/scrutiny/reproducers/qpl/adler-carried-over.py",
        "verdict": "known",
        "receiver": "qpl",
        "message": "incorrect data check",
        **changes,
    }
    return KnownIssue(**fields)


DISAGREED: Final = "rejected with something, but identical was predicted"


def failed(**changes: Any) -> Cell:
    """A cell that fails as :func:`issue` says."""
    return cell(
        **{
            "receiver": "qpl",
            "verdict": "fail",
            "kind": "wrong-error",
            "observed": "rejected",
            "reason": DISAGREED,
            "error": "qpl: incorrect data check",
            **changes,
        }
    )


def hazard(**changes: Any) -> Cell:
    """A cell that shows a hazard, as predicted."""
    return cell(
        **{
            "receiver": "qpl",
            "predicted": "hazard",
            "observed": "hazard",
            "verdict": "hazard",
            "reason": "the mask hides the flag",
            **changes,
        }
    )


LISTED = issue(id="mask", verdict="hazard", message="hides the flag", cause="the mask is too narrow")


def test_a_failure_that_is_listed_is_known() -> None:
    settled = settle(failed(), [issue()])

    assert (settled.verdict, settled.reason.splitlines()) == (
        "known", ["adler-carried-over: the checksum of the job before is kept", DISAGREED]
    )  # fmt: skip


@pytest.mark.parametrize(
    "said", [{"error": "qpl: incorrect data check"}, {"complaints": ("incorrect data check",), "error": None}]
)
def test_what_disagreed_is_not_said_twice(said: dict[str, Any]) -> None:
    seen = said["error"] or said["complaints"][0]

    settled = settle(failed(reason=seen, **said), [issue()])

    assert settled.reason == "adler-carried-over: the checksum of the job before is kept"


def test_a_known_failure_names_its_issue() -> None:
    assert settle(failed(), [issue()]).issues == ("adler-carried-over",)


def test_a_known_failure_keeps_its_error() -> None:
    assert settle(failed(), [issue()]).error == "qpl: incorrect data check"


def test_the_message_may_be_in_the_reason() -> None:
    settled = settle(failed(error=None, reason="crashed after incorrect data check"), [issue()])

    assert settled.verdict == "known"


def test_the_cell_alone_does_not_make_a_failure_known() -> None:
    other = failed(error="qpl: out of memory")

    assert settle(other, [issue()]) == other


def test_the_message_alone_does_not_make_a_failure_known() -> None:
    other = failed(receiver="isal")

    assert settle(other, [issue()]) == other


@pytest.mark.parametrize("field", ["suite", "sender", "receiver", "framing", "dialect", "scenario"])
def test_every_field_of_a_cell_counts_and_as_a_whole(field: str) -> None:
    part = getattr(failed(), field)[:-1]

    assert settle(failed(), [issue(**{field: part})]).verdict == "fail"
    assert settle(failed(), [issue(**{field: f"{part}."})]).verdict == "known"


@pytest.mark.parametrize("verdict", ["pass", "refused"])
def test_a_known_issue_that_no_longer_happens_fails(verdict: Verdict) -> None:
    settled = settle(cell(receiver="qpl", verdict=verdict), [issue()])

    assert (settled.verdict, settled.kind) == ("fail", "wrong-error")
    assert settled.reason == "known issue adler-carried-over no longer happens: take it out of the list"


def test_of_several_issues_that_no_longer_happen_the_first_is_named() -> None:
    settled = settle(cell(receiver="qpl"), [issue(id="one"), issue(id="two")])

    assert settled.reason == "known issue one no longer happens: take it out of the list"


def test_an_issue_that_depends_on_content_may_be_absent() -> None:
    sometimes = issue(verdict="known", always=False)

    assert settle(cell(verdict="pass"), [sometimes]).verdict == "pass"


@pytest.mark.parametrize("verdict", ["skip", "error", "not-run"])
def test_a_cell_that_was_not_checked_says_nothing_about_an_issue(verdict: Verdict) -> None:
    unchecked = failed(verdict=verdict, kind=None)

    assert settle(unchecked, [issue()]) == unchecked


def test_a_hazard_that_is_listed_stays_a_hazard_and_names_its_issue() -> None:
    assert settle(hazard(), [LISTED]) == hazard(issues=("mask",))


def test_a_hazard_may_have_several_issues() -> None:
    second = LISTED.model_copy(update={"id": "second"})

    assert settle(hazard(), [LISTED, issue(), second]).issues == ("mask", "second")


@pytest.mark.parametrize(
    "issues",
    [
        [],
        [issue(verdict="hazard", message="something else")],
        [issue(verdict="hazard", message="hides the flag", receiver="isal")],
        [issue(verdict="known", message="hides the flag")],
    ],
    ids=["none", "by cell only", "by message only", "as a failure"],
)
def test_a_hazard_that_nobody_lists_fails(issues: list[KnownIssue]) -> None:
    settled = settle(hazard(), issues)

    assert (settled.verdict, settled.kind) == ("fail", "corrupt")
    assert settled.reason == "a hazard that no known issue lists: the mask hides the flag"


def test_a_listed_hazard_excuses_no_failure() -> None:
    broken = failed(error="hides the flag")

    assert settle(broken, [LISTED]) == broken


def test_the_second_issue_of_a_cell_may_be_the_one_that_happened() -> None:
    settled = settle(failed(), [issue(id="other", message="out of memory"), issue()])

    assert settled.reason.startswith("adler-carried-over: ")


def listed(*complaints: str) -> Cell:
    """A failure with a list of complaints."""
    return failed(error=f"{len(complaints)} differ, the first: {complaints[0]}", complaints=complaints)


FIRST, SECOND = issue(id="first", message="one"), issue(id="second", message="two")


def test_a_list_is_known_if_every_complaint_is_explained() -> None:
    settled = settle(listed("number one", "number two", "one again"), [FIRST, SECOND])

    assert (settled.verdict, settled.issues) == ("known", ("first", "second"))
    assert settled.reason.splitlines() == [
        "first: the checksum of the job before is kept",
        "second: the checksum of the job before is kept",
        DISAGREED,
    ]


def test_a_list_with_something_new_fails() -> None:
    settled = settle(listed("number one", "number two", "number three"), [FIRST, SECOND])

    assert (settled.verdict, settled.reason) == ("fail", "no known issue lists this: number three")
    assert settled.issues == ()


def test_a_list_that_lacks_a_known_issue_fails() -> None:
    settled = settle(listed("number one"), [FIRST, SECOND])

    assert settled.verdict == "fail"
    assert settled.reason == "known issue second no longer happens: take it out of the list"


def test_an_issue_that_is_not_always_shown_may_be_absent_from_a_list() -> None:
    sometimes = SECOND.model_copy(update={"always": False})

    settled = settle(listed("number one"), [FIRST, sometimes])

    assert (settled.verdict, settled.issues) == ("known", ("first",))


def test_an_issue_that_is_not_always_shown_explains_its_complaint() -> None:
    sometimes = SECOND.model_copy(update={"always": False})

    settled = settle(listed("number one", "number two"), [FIRST, sometimes])

    assert (settled.verdict, settled.issues) == ("known", ("first", "second"))


def test_an_issue_that_covers_another_cell_explains_no_complaint_of_this_one() -> None:
    settled = settle(listed("number one", "number two"), [FIRST, SECOND.model_copy(update={"receiver": "isal"})])

    assert settled.reason == "no known issue lists this: number two"


def test_a_complaint_may_be_of_many_lines() -> None:
    assert settle(listed("number one\n- number three"), [FIRST]).verdict == "known"


def test_what_sums_up_a_list_explains_nothing() -> None:
    settled = settle(listed("number three"), [issue(message="differ")])

    assert settled.verdict == "fail"


def test_every_issue_of_a_list_is_a_finding() -> None:
    known = settle(listed("number one", "number two"), [FIRST, SECOND])

    assert [one.id for one in findings([known], [FIRST, SECOND])] == ["first", "second"]


def test_a_finding_lists_its_cells_and_all_that_its_issue_says() -> None:
    known = settle(failed(), [issue()])
    cells = [cell(), *(settle(hazard(framing=framing), [LISTED]) for framing in ("zlib", "qpl")), known]

    said: dict[str, Any] = {
        "component": "libqpl",
        "versions": "libqpl ==1.9.0",
        "remedy": "initialise the job again",
        "upstream": "issue 7",
        "fixed_in": "2.0",
        "reproducer": "multifd/scrutiny/reproducers/qpl/adler-carried-over.py",
    }
    assert findings(cells, [LISTED, issue()]) == (
        finding(
            **said, id="mask", cause="the mask is too narrow", cells=(cells[1].id, cells[2].id),
            reproduce=cells[1].reproduce,
        ),
        finding(
            **said, id="adler-carried-over", cause="the checksum of the job before is kept", cells=(known.id,),
            reproduce=known.reproduce,
        ),
    )  # fmt: skip


def test_an_issue_with_a_command_of_its_own_is_reproduced_by_that() -> None:
    (found,) = findings([hazard(issues=("mask",))], [LISTED.model_copy(update={"reproduce": "qpl-demo"})])

    assert found.reproduce == "qpl-demo"


def test_an_issue_that_no_cell_shows_is_no_finding() -> None:
    assert findings([cell(), failed(), hazard()], [LISTED, issue()]) == ()


def test_a_finding_goes_by_the_ids_in_the_cells_and_not_by_their_words() -> None:
    worded = failed(verdict="known", reason="adler-carried-over: the checksum of the job before is kept")

    assert findings([worded], [issue()]) == ()
    assert [one.id for one in findings([cell(issues=("adler-carried-over",))], [issue()])] == ["adler-carried-over"]


@pytest.mark.parametrize("settled", [settle(hazard(), []), settle(failed(error="new"), [issue()])])
def test_what_no_issue_explains_names_none(settled: Cell) -> None:
    assert (settled.verdict, settled.issues) == ("fail", ())


def test_an_issue_that_no_longer_happens_is_not_named() -> None:
    assert settle(cell(receiver="qpl"), [issue()]).issues == ()


def test_an_issue_without_a_remedy_is_none() -> None:
    with pytest.raises(ValidationError, match="remedy"):
        issue(remedy="")


ENTRY = """\
- {id: one, component: libqpl, versions: all, severity: hang, cause: c, remedy: r, upstream: null, fixed_in: null,
   reproducer: REPRODUCER, verdict: known, message: m}
"""


def test_issues_are_read_from_all_files_of_a_directory(tmp_path: Path) -> None:
    for name in ("b", "a"):
        text = ENTRY.replace("REPRODUCER", "null").replace("id: one", f"id: {name}")
        (tmp_path / f"{name}.yaml").write_text(text)

    assert [one.id for one in read(tmp_path)] == ["a", "b"]


def test_a_directory_without_issues_is_our_defect(tmp_path: Path) -> None:
    with pytest.raises(HarnessError) as error:
        read(tmp_path)

    assert str(error.value) == f"{tmp_path}: holds no known issues (*.yaml)"


def test_a_file_that_says_a_thing_twice_is_our_defect(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ENTRY.replace("REPRODUCER", "null, id: two"))

    with pytest.raises(HarnessError) as error:
        read(tmp_path)

    assert str(error.value) == f"{tmp_path}/a.yaml: is not YAML: line 2: key 'id' is there already, in line 1"


def test_a_reproducer_that_is_not_there_is_our_defect(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ENTRY.replace("REPRODUCER", "multifd/no.py"))

    with pytest.raises(HarnessError) as error:
        read(tmp_path)

    assert str(error.value) == f"{tmp_path}: one: there is no reproducer {ROOT}/multifd/no.py"


def test_a_range_that_cannot_be_read_is_our_defect(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ENTRY.replace("REPRODUCER", "null").replace("versions: all", "versions: any"))

    with pytest.raises(HarnessError) as error:
        read(tmp_path)

    assert str(error.value).startswith(f"{tmp_path}/a.yaml: one: versions: versions 'any': expected 'all' or clauses")


def test_a_file_without_a_list_is_our_defect(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("id: one\n")

    with pytest.raises(HarnessError) as error:
        read(tmp_path)

    assert str(error.value) == f"{tmp_path}/a.yaml: is dict, expected a list of known issues"


def runs(version: str | None) -> Releases:
    """The receiver is libqpl of this version."""
    return Releases({"receiver": (Release("libqpl", version),)})


def test_an_issue_outside_its_versions_explains_no_failure_and_says_so() -> None:
    settled = settle(failed(), [issue()], runs("1.10.0-1"))

    assert (settled.verdict, settled.issues) == ("fail", ())
    assert settled.reason.splitlines()[1] == (
        "known issue adler-carried-over says the like of libqpl ==1.9.0; this is libqpl 1.10.0-1"
    )


def test_a_failure_of_another_kind_does_not_name_an_issue_outside_its_versions() -> None:
    other = failed(error="out of memory")

    assert settle(other, [issue()], runs("1.10.0")) == other


def test_a_complaint_names_the_issue_that_would_explain_it_in_another_version() -> None:
    settled = settle(listed("number one", "number two"), [FIRST, SECOND], runs("1.8.0"))

    assert (settled.verdict, settled.reason.splitlines()[-1]) == (
        "fail", "known issue first says the like of libqpl ==1.9.0; this is libqpl 1.8.0",
    )  # fmt: skip


def test_a_complaint_that_the_sum_of_them_leaves_out_names_its_issue_too() -> None:
    settled = settle(listed("number three", "number two"), [SECOND], runs("1.8.0"))

    assert settled.reason.splitlines()[-1] == "known issue second says the like of libqpl ==1.9.0; this is libqpl 1.8.0"


def test_a_failure_in_another_cell_does_not_name_an_issue_outside_its_versions() -> None:
    other = failed(receiver="isal")

    assert settle(other, [issue()], runs("1.10.0")) == other


def test_a_cell_that_passes_does_not_name_an_issue_outside_its_versions() -> None:
    passed = cell(receiver="qpl", verdict="pass", reason="incorrect data check is not what it says")

    assert settle(passed, [issue()], runs("1.10.0")) == passed


def test_only_an_issue_that_explains_says_that_a_version_is_unknown() -> None:
    settled = settle(failed(), [issue(), issue(id="other", message="out of memory", always=False)], runs(None))

    assert "other" not in settled.reason


def test_an_issue_outside_its_versions_is_not_expected() -> None:
    assert settle(cell(receiver="qpl"), [issue()], runs("1.10.0")).verdict == "pass"


def test_a_hazard_outside_its_versions_is_listed_by_nobody() -> None:
    settled = settle(hazard(receiver="qpl"), [LISTED], runs("1.10.0"))

    assert settled.verdict == "fail"
    assert settled.reason.endswith("known issue mask says the like of libqpl ==1.9.0; this is libqpl 1.10.0")


def test_an_issue_explains_a_failure_of_its_version() -> None:
    settled = settle(failed(), [issue()], runs("1.9.0-1"))

    assert (settled.verdict, settled.issues) == ("known", ("adler-carried-over",))


def test_a_version_that_is_unknown_is_inside_and_said() -> None:
    settled = settle(failed(), [issue()], runs(None))

    assert settled.verdict == "known"
    assert settled.reason.splitlines()[-1] == (
        "adler-carried-over is of libqpl ==1.9.0; the version of libqpl is not known"
    )


def test_shipped_issues_have_one_id_each() -> None:
    ids = [shipped_issue.id for shipped_issue in shipped()]

    assert len(set(ids)) == len(ids) > 0


@pytest.fixture(scope="module")
def hazards() -> list[Cell]:
    """Every hazard of the plan as it is recorded when it happens."""
    profile = load("emulated")
    ours = resolve("emulated", profile, None, device_peers(profile, []))
    line_up = ours.model_copy(update={"qemus": (peer("7.2"), peer("10.0"))})
    found: list[Cell] = []
    for planned in plan(line_up, {}).cells.values():
        prediction: Prediction = planned.prediction
        if prediction.outcome == "hazard":
            found.append(
                cell(
                    id=planned.id,
                    suite=planned.suite,
                    sender=planned.work.sender,
                    receiver=planned.work.receiver,
                    framing=planned.work.framing,
                    dialect=planned.work.dialect,
                    scenario=planned.work.label,
                    predicted="hazard",
                    observed="hazard",
                    verdict="hazard",
                    reason=prediction.reason,
                    setting=(*prediction.setting, *planned.work.told),
                )
            )
    return found


def test_every_hazard_of_the_plan_is_listed(hazards: list[Cell]) -> None:
    assert [settle(one, shipped()).verdict for one in hazards] == ["hazard"] * len(hazards)


def test_every_shipped_hazard_is_shown_by_the_plan_and_no_cell_shows_two(hazards: list[Cell]) -> None:
    found = findings([settle(one, shipped()) for one in hazards], shipped())

    assert [one.id for one in found] == [one.id for one in shipped() if one.verdict == "hazard"]
    assert sum(len(one.cells) for one in found) == len(hazards)


ZERO_PAGES = Setting(name="zero-page-detection", value="multifd", default="legacy", machine="pc-i440fx-7.2")
NEEDS = issue(
    id="zero", verdict="hazard", message="hides the flag", setting={ZERO_PAGES.name: "multifd"},
    instead={ZERO_PAGES.name: "legacy"},
)  # fmt: skip


def test_a_hazard_that_needs_a_setting_is_listed_where_it_was_set() -> None:
    assert settle(hazard(setting=(ZERO_PAGES,)), [NEEDS]).issues == ("zero",)


@pytest.mark.parametrize("setting", [(), (ZERO_PAGES.model_copy(update={"value": "legacy"}),)])
def test_a_hazard_at_defaults_is_not_the_one_that_is_listed(setting: tuple[Setting, ...]) -> None:
    settled = settle(hazard(setting=setting), [NEEDS])

    assert (settled.verdict, settled.kind) == ("fail", "corrupt")


def test_a_finding_says_what_was_set_once_and_what_to_set_instead() -> None:
    cells = [settle(hazard(id=name, setting=(ZERO_PAGES,)), [NEEDS]) for name in ("one", "two")]

    (found,) = findings(cells, [NEEDS])

    assert (found.setting, found.instead) == ((ZERO_PAGES,), {"zero-page-detection": "legacy"})


def test_a_setting_is_told_with_the_default_that_it_is_not() -> None:
    assert str(ZERO_PAGES) == "zero-page-detection=multifd; the default of pc-i440fx-7.2 is legacy"
    assert str(Setting(name="multifd-channels", value="3")) == "multifd-channels=3"
