"""``multifd diff``: what changed from one run to another."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from multifd.result import store
from multifd.result.record import Cell
from tests.cli.command import COLOURLESS, PROGRAM, ROOT, Answer, multifd
from tests.cli.test_cli_runs import ENDS, logged, saved
from tests.reports.builder import agreeing, cell, finding, results


def compared(tmp_path: Path, before: list[Cell], after: list[Cell], *options: str) -> Answer:
    return multifd("diff", saved(tmp_path / "before", *before), saved(tmp_path / "after", *after), *options)


def one(verdict: str, **changes: Any) -> Cell:
    """The same cell with another verdict."""
    return cell(id="wire/a~b", verdict=verdict, reason=f"because of {verdict}", **changes)


def last(answer: Answer) -> str:
    return answer.out.splitlines()[-1]


def test_a_run_does_not_differ_from_itself(tmp_path: Path) -> None:
    directory = saved(tmp_path, one("fail"))

    answer = multifd("diff", directory, directory)

    assert (answer.code, last(answer), answer.err) == (0, "0 cells differ, 0 regressions", "")


def test_a_regression_is_exit_1_with_its_reason_and_its_command(tmp_path: Path) -> None:
    answer = compared(tmp_path, [one("pass")], [one("fail", kind="corrupt", error="adler32", reproduce="run it")])

    shown = (
        "worse: 1 cell\n  pass -> fail (corrupt): 1 cell\n      because of fail\n      error: adler32\n"
        "      wire/a~b\n      run it again: run it\n"
    )
    assert shown in answer.out
    assert (answer.code, last(answer)) == (1, "1 cell differs, 1 regression")


def test_an_improvement_is_exit_0(tmp_path: Path) -> None:
    answer = compared(tmp_path, [one("fail", kind="hang")], [one("pass")])

    assert "better: 1 cell\n  fail (hang) -> pass: 1 cell: wire/a~b\n" in answer.out
    assert (answer.code, last(answer)) == (0, "1 cell differs, 0 regressions")


def test_a_cell_that_is_gone_is_told_and_no_regression(tmp_path: Path) -> None:
    answer = compared(tmp_path, [one("pass")], [])

    assert "neither worse nor better\n  pass -> not planned: 1 cell: wire/a~b\n" in answer.out
    assert answer.code == 0


def test_both_runs_stand_at_the_head(tmp_path: Path) -> None:
    before, after, *_ = compared(tmp_path, [one("pass")], [one("fail")]).out.splitlines()

    run = "2025-11-22T20:00:00Z, run 2025-11-22T20:00:00Z-1b2c, profile software-only"
    ran = "qemu-10.2, libqpl 1.3.1, libqatzip 1.3.1, Intel Xeon Gold 6430"
    assert before == f"before  {run}, {ran}; 1 cell: 1 pass"
    assert after == f"after   {run}, {ran}; 1 cell: 1 fail"


def many(verdict: str, number: int = 5) -> list[Cell]:
    return [cell(id=f"wire/{n}", verdict=verdict, reason=f"{n} pages differ") for n in range(number)]


def test_cells_that_went_the_same_way_are_one_entry(tmp_path: Path) -> None:
    answer = compared(tmp_path, many("pass"), many("fail"))

    assert (
        "  pass -> fail (invariant): 5 cells\n      0 pages differ\n      wire/0\n      wire/1\n      wire/2\n"
        in answer.out
    )
    assert "      and 2 more (--all shows them)\n" in answer.out
    assert "wire/4" not in answer.out


def test_cells_that_are_worse_for_other_reasons_are_entries_of_their_own(tmp_path: Path) -> None:
    after = [cell(id=f"wire/{reason}", verdict="fail", reason=reason) for reason in ("pages differ", "no answer")]
    before = [cell(id=each.id, verdict="pass") for each in after]

    answer = compared(tmp_path, before, after)

    assert answer.out.count("  pass -> fail (invariant): 1 cell\n") == 2
    assert "      pages differ\n" in answer.out
    assert "      no answer\n" in answer.out


def test_cells_that_say_other_words_are_entries_of_their_own(tmp_path: Path) -> None:
    before = [cell(id=name, error="too far") for name in ("a", "b")]
    after = [cell(id=name, error=f"said by {name}") for name in ("a", "b")]

    answer = compared(tmp_path, before, after, "--all")

    assert "now  : said by a\n" in answer.out
    assert "now  : said by b\n" in answer.out


def test_findings_are_told_with_whether_somebody_looked(tmp_path: Path) -> None:
    for name, cells, found in (
        (
            "before",
            [cell(id="a"), cell(id="b"), cell(id="d")],
            [finding(id="mended", cells=("a",)), finding(id="lost", cells=("b",)), finding(id="both", cells=("d",))],
        ),
        (
            "after",
            [cell(id="a"), cell(id="c"), cell(id="d")],
            [finding(id="broken", cells=("a",)), finding(id="other", cells=("c",)), finding(id="both", cells=("d",))],
        ),
    ):
        (tmp_path / name).mkdir()
        store.save(agreeing(results(*cells, findings=tuple(found))), tmp_path / name)

    answer = multifd("diff", tmp_path / "before", tmp_path / "after")

    what = "(corruption, QEMU, fixed in 9.2)"
    assert (
        "findings\n"
        f"  broken {what}: new: before, 1 of 1 cell did not show it\n"
        f"  mended {what}: gone: looked for in 1 of 1 cell\n"
        "  new, in cells that were not looked at before: 1: other\n"
        "  still there: 1: both\n"
        "  not looked at: not every cell that showed them was run again and went as predicted: 1: lost\n"
    ) in answer.out
    assert answer.code == 1


def test_all_of_them_are_listed_if_asked_for(tmp_path: Path) -> None:
    answer = compared(tmp_path, many("pass"), many("fail"), "--all")

    assert all(f"      wire/{n}\n" in answer.out for n in range(5))
    assert "--all" not in answer.out


def test_other_words_are_counted_and_shown_if_asked_for(tmp_path: Path) -> None:
    runs = [one("refused", error="too far")], [one("refused", error="wrong header")]

    counted, shown = compared(tmp_path, *runs), compared(tmp_path, *runs, "--all")

    assert "the same verdict in other words: 1 cell (--all shows them)" in counted.out
    assert last(counted) == "0 cells differ, 1 only in words, 0 regressions"
    assert "      error: too far\n      now  : wrong header\n" in shown.out
    assert counted.code == shown.code == 0


def test_json_has_everything(tmp_path: Path) -> None:
    answer = compared(tmp_path, [one("pass")], [one("fail", kind="corrupt")], "--json")

    found = json.loads(answer.out)
    assert (answer.code, found["schema"], found["regressions"]) == (1, "multifd-conformance/comparison/2", 1)
    assert found["cells"][0]["differences"][0] == {
        "field": "verdict", "before": "pass", "after": "fail (corrupt)", "direction": "worse",
    }  # fmt: skip


def test_markdown_has_the_same(tmp_path: Path) -> None:
    answer = compared(tmp_path, [one("pass")], [one("fail", kind="corrupt")], "--markdown")

    assert answer.code == 1
    assert answer.out.startswith("# multifd: two runs compared\n\n**1 cell differs, 1 regression**\n")
    assert "| pass -\\> fail (corrupt) | 1 | because of fail | `wire/a~b` |" in answer.out


def test_json_and_markdown_at_once_are_refused(tmp_path: Path) -> None:
    answer = compared(tmp_path, [], [], "--json", "--markdown")

    assert answer == Answer(2, "", "multifd: --json and --markdown: expected one of both\n")


HOSTILE = "\x1b]0;owned\x07 \x9b31m |<b>`\u202e"


@pytest.mark.parametrize("option", [(), ("--all",), ("--json",), ("--markdown",)])
def test_what_others_say_stays_text(option: tuple[str, ...], tmp_path: Path) -> None:
    before = cell(id="wire/a~b", verdict="pass")
    after = cell(id="wire/a~b", verdict="fail", reason=HOSTILE, error=HOSTILE, reproduce=HOSTILE)

    out = compared(tmp_path, [before], [after], *option).out

    assert all(character.isprintable() or character == "\n" for character in out)
    assert "owned" in out


def test_a_terminal_shows_what_is_worse_in_red(tmp_path: Path) -> None:
    before, after = (saved(tmp_path / verdict, one(verdict)) for verdict in ("pass", "fail"))
    controller, terminal = os.openpty()

    subprocess.run(
        [*PROGRAM, "diff", str(before), str(after)],
        cwd=ROOT, env={**COLOURLESS, "TERM": "xterm", "COLUMNS": "200"}, stdout=terminal, check=False,
    )  # fmt: skip

    os.close(terminal)
    assert b"\x1b[31m  pass -> fail (invariant): 1 cell" in os.read(controller, 10_000)
    os.close(controller)


def test_files_are_compared_as_well_as_directories(tmp_path: Path) -> None:
    before = saved(tmp_path / "before", one("pass")) / "results.json"
    after = saved(tmp_path / "after", one("fail")) / "results.json"

    assert multifd("diff", before, after.rename(tmp_path / "other.json")).code == 1


def test_a_peer_may_go_by_another_name(tmp_path: Path) -> None:
    before = [cell(id="wire/zlib/zlib[level=9]~isal", sender="zlib[level=9]", verdict="pass")]
    after = [cell(id="wire/zlib/zlib-ng~isal", sender="zlib-ng", verdict="fail")]

    answer = compared(tmp_path, before, after, "--rename", "zlib[level=9]=zlib-ng")

    assert "pass -> fail (invariant): 1 cell" in answer.out
    assert answer.code == 1


def two_qemus(directory: Path) -> Path:
    """One run, in which qemu-9.2 refuses what qemu-10.2 corrupts."""
    cells = [
        cell(id=f"qemu/zlib/{name}~{name}/qemu-10.0/migrate", suite="qemu", sender=name, receiver=name, **fields)
        for name, fields in (
            ("qemu-9.2", {"verdict": "refused", "observed": "rejected", "predicted": "rejected"}),
            ("qemu-10.2", {"verdict": "fail", "kind": "corrupt"}),
        )
    ]
    both = results(*cells)
    older = next(each for each in both.peers if each.kind == "qemu").model_copy(update={"name": "qemu-9.2"})
    store.save(both.model_copy(update={"peers": (*both.peers, older)}), directory)
    return directory


def test_two_qemus_of_one_run_are_compared_by_one_command(tmp_path: Path) -> None:
    answer = multifd("diff", two_qemus(tmp_path), "--rename", "qemu-9.2=qemu-10.2")

    rule = (
        "compared: 1 cell of qemu-10.2, each with the same of qemu-9.2 in its place; a migration between the two"
        " with one of the old to itself; cells of neither are left out\n"
    )
    assert [line.split()[0] for line in answer.out.splitlines()[:2]] == ["run", "compared:"]
    assert rule in answer.out
    assert "in both runs, and compared" not in answer.out
    assert "refused -> fail (corrupt)" in answer.out
    assert (answer.code, last(answer)) == (1, "1 cell differs, 1 regression")


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (
            ("qemu-9.2=qemu-10.2", "qemu-9.2=zlib"),
            "--rename qemu-9.2=qemu-10.2 and qemu-9.2=zlib: expected one new name",
        ),
        (("qemu-9.2=qemu-9.2",), "--rename qemu-9.2=qemu-9.2: expected two different names"),
        (
            ("qemu-9.2=qemu-10.2", "qemu-10.2=qemu-9.2"),
            "--rename qemu-9.2=qemu-10.2 and qemu-10.2=qemu-9.2: qemu-10.2 is the new name and an old one",
        ),
    ],
)
def test_names_of_which_one_would_be_dropped_or_compared_with_itself_are_refused(
    names: tuple[str, ...], complaint: str, tmp_path: Path
) -> None:
    answer = multifd("diff", two_qemus(tmp_path), *(word for name in names for word in ("--rename", name)))

    assert (answer.code, answer.out) == (2, "")
    assert complaint in answer.err


def test_one_run_alone_is_refused_with_what_could_be_compared(tmp_path: Path) -> None:
    answer = multifd("diff", two_qemus(tmp_path))

    said = "expected a second run, or --rename OLD=NEW for two peers of this one; its QEMUs are qemu-10.2, qemu-9.2"
    assert answer == Answer(2, "", f"multifd: AFTER: {said}\n")


def test_help_and_the_way_of_a_release_manager_have_that_command() -> None:
    command = "multifd diff build/conformance --rename qemu-10.0.13=qemu-11.1.3"

    assert f"{command}\n" in multifd("diff", "--help").out
    for page in ("report.md", "runs.md"):
        assert command in (ROOT / "docs" / page).read_text(encoding="utf-8")


def test_the_page_sends_a_release_manager_to_the_command_before_a_verdict_that_says_less() -> None:
    page = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    way = next(line for line in page.splitlines() if line.startswith("| a release manager | did this QEMU regress?"))

    assert -1 < way.find("multifd diff") < way.find("--baseline") < way.find("*fail*")


def test_what_became_a_known_issue_is_a_regression_though_it_is_no_failure(tmp_path: Path) -> None:
    after = one("known", kind="hang", issues=("qemu-cancel-waits-for-connection",))

    answer = compared(tmp_path, [one("refused")], [after])

    assert "worse: 1 cell\n  refused -> known (hang)" in answer.out
    assert answer.code == 1


@pytest.mark.parametrize("given", ["zlib", "=zlib", "zlib=", "a=b=c", "zlib[level=9]"])
def test_a_name_that_is_none_is_refused(given: str, tmp_path: Path) -> None:
    answer = compared(tmp_path, [], [], "--rename", given)

    assert answer == Answer(2, "", f"multifd: --rename {given!r}: expected OLD=NEW, two names of a peer\n")


def first(answer: Answer) -> str:
    return answer.out.splitlines()[0]


SO_FAR = "; what follows is of the cells so far"


def test_a_run_that_was_cut_off_can_be_compared_and_that_is_said_first(tmp_path: Path) -> None:
    before = saved(tmp_path / "before", one("pass"))
    after = logged(tmp_path / "after", one("pass"), end=None)

    answer = multifd("diff", before, after)

    assert first(answer) == f"after is not complete: it has no end, for it is going on or was cut off{SO_FAR}"
    assert last(answer) == "0 cells differ, 0 regressions"


def test_a_cell_that_was_checked_and_is_not_run_is_a_regression(tmp_path: Path) -> None:
    before = saved(tmp_path / "before", one("pass"), cell(id="wire/b"))
    after = logged(tmp_path / "after", one("not-run"), cell(id="wire/b"), end=None)

    answer = multifd("diff", before, after)

    lacking = "1 of 2 cells not run, it has no end, for it is going on or was cut off"
    assert first(answer) == f"after is not complete: {lacking}{SO_FAR}"
    assert (answer.code, last(answer)) == (1, "1 cell differs, 1 regression")


def test_both_runs_may_be_incomplete(tmp_path: Path) -> None:
    before = logged(tmp_path / "before", one("pass"), end=ENDS["interrupted"])
    after = logged(tmp_path / "after", one("pass"), cell(id="wire/b", verdict="not-run"), end=ENDS["ended"])

    lines = multifd("diff", before, after).out.splitlines()

    assert lines[:2] == [
        f"before is not complete: it was interrupted{SO_FAR}",
        f"after is not complete: 1 of 2 cells not run{SO_FAR}",
    ]


def test_a_summary_says_first_that_a_run_is_incomplete(tmp_path: Path) -> None:
    before = saved(tmp_path / "before", one("pass"))
    after = logged(tmp_path / "after", one("pass"), end=None)

    lines = multifd("diff", before, after, "--markdown").out.splitlines()

    assert lines[2].startswith("**after is not complete: ")


def test_regressions_are_told_by_what_they_are(tmp_path: Path) -> None:
    both = [cell(id="wire/a"), cell(id="wire/b")], [cell(id="wire/a", verdict="fail"), cell(id="wire/b")]
    before, after = (results(*cells) for cells in both)
    after = after.model_copy(update={"findings": (finding(id="new", cells=("wire/b",)),)})
    for name, run in (("before", before), ("after", after)):
        (tmp_path / name).mkdir()
        store.save(agreeing(run), tmp_path / name)

    answer = multifd("diff", tmp_path / "before", tmp_path / "after")

    assert last(answer) == "2 cells differ, 2 regressions: 1 cell, 1 finding"


def test_a_race_is_listed_apart_with_how_to_run_it_again(tmp_path: Path) -> None:
    race = one("known", predicted="rejected", observed="crash", kind="crash", issues=("qemu-source-aborts-when-reset",))

    answer = compared(tmp_path, [one("refused")], [race])

    assert "races: 1 cell with a known issue that comes by chance" in answer.out
    assert "run again: multifd bisect-step CELL --times 20" in answer.out
    assert "worse" not in answer.out.replace("neither worse", "")
    assert answer.code == 0


def test_runs_without_a_cell_in_common_are_not_taken_for_runs_without_a_regression(tmp_path: Path) -> None:
    answer = compared(tmp_path, [cell(id="wire/a")], [cell(id="wire/b")])

    assert answer.out.splitlines()[2] == "no cell is in both runs: nothing of them is compared"
    assert answer.code == 3


def test_of_runs_of_two_plans_it_is_said_how_many_cells_both_have(tmp_path: Path) -> None:
    answer = compared(tmp_path, [cell(id="wire/a"), cell(id="wire/b")], [cell(id="wire/b")])

    assert answer.out.splitlines()[2] == "1 cell is in both runs, and compared"
    assert answer.code == 0


# is it gone?


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs: of two findings in libqatzip one is gone, of one in QEMU nobody knows."""
    place = tmp_path_factory.mktemp("runs")
    own = {"component": "libqatzip, software path"}
    mended, there = finding(id="mended", cells=("a",), **own), finding(id="there", cells=("b",), **own)
    lost = finding(id="lost", cells=("c", "d"))
    for name, cells, found in (
        ("before", "abcd", (mended, there, lost)),
        ("after", "abd", (there,)),
    ):
        (place / name).mkdir()
        store.save(agreeing(results(*(cell(id=each) for each in cells), findings=found)), place / name)
    return place


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("mended", 0, "gone: mended (corruption, libqatzip, software path)\n  each of 1 cell that showed it was run"),
        (
            "there",
            1,
            "still there: there (corruption, libqatzip, software path)\n  1 cell of the run after, 1 before\n",
        ),
        ("lo*", 3, "nobody knows: lost (corruption, QEMU)\n  only 1 of 2 cells that showed it came to an end"),
        ("qemu-mask-hides-flag", 3, "nobody knows: qemu-mask-hides-flag (corruption, QEMU migration/multifd.h)\n"),
    ],
)
def test_whether_a_finding_is_gone_is_one_sentence_and_an_exit_code(
    name: str, code: int, says: str, runs: Path
) -> None:
    answer = multifd("diff", runs / "before", runs / "after", "--finding", name)

    assert (answer.code, answer.err) == (code, "")
    assert answer.out.startswith(says)


def test_cells_that_nobody_ran_again_are_named_with_the_next_step(runs: Path) -> None:
    answer = multifd("diff", runs / "before", runs / "after", "--finding", "lost")

    assert "  c: not planned in the run after\n  next: run these cells again" in answer.out


def test_all_findings_of_a_library_are_told_with_their_sum(runs: Path) -> None:
    answer = multifd("diff", runs / "before", runs / "after", "--library", "libqatzip")

    assert (answer.code, last(answer)) == (1, "2 findings: 1 still there, 1 gone")
    assert "lost" not in answer.out


def test_of_findings_that_fit_those_of_the_library_are_told(runs: Path) -> None:
    answer = multifd("diff", runs / "before", runs / "after", "--finding", "*", "--library", "libqatzip")

    assert (answer.code, last(answer)) == (1, "2 findings: 1 still there, 1 gone")


def test_of_a_library_that_is_known_and_shows_nothing_nobody_knows(runs: Path) -> None:
    answer = multifd("diff", runs / "before", runs / "after", "--library", "libqpl")

    assert (answer.code, answer.err) == (3, "")
    assert answer.out.startswith("nobody knows: neither run shows a finding in libqpl, so that nothing can be gone; ")


def test_json_has_what_is_asked_for(runs: Path) -> None:
    answer = multifd("diff", runs / "before", runs / "after", "--finding", "mended", "--json")

    found = json.loads(answer.out)
    assert (answer.code, found["id"], found["state"]) == (0, "mended", "gone")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--finding", "mendde"), "no finding 'mendde'; the nearest are mended"),
        (
            ("--library", "libqatpiz"),
            "--library 'libqatpiz': nobody knows an issue in it; the nearest are libqatzip",
        ),
        (
            ("--finding", "lost", "--library", "libqatzip"),
            "--finding 'lost': lost is of QEMU, expected one of 'libqatzip'",
        ),
        (
            ("--finding", "qemu-mask-hides-flag", "--library", "libqatzip"),
            "--finding 'qemu-mask-hides-flag': qemu-mask-hides-flag is of QEMU migration/multifd.h, expected one of",
        ),
        (("--finding", ""), "--finding '': expected a name, or a part of one"),
        (("--library", ""), "--library '': expected a name, or a part of one"),
        (("--finding", "mended", "--markdown"), "--finding and --library answer in sentences or with --json"),
    ],
)
def test_what_cannot_be_asked_is_refused(options: tuple[str, ...], complaint: str, runs: Path) -> None:
    answer = multifd("diff", runs / "before", runs / "after", *options)

    assert (answer.code, answer.out) == (2, "")
    assert complaint in answer.err


def test_what_is_no_run_cannot_be_compared(tmp_path: Path) -> None:
    answer = multifd("diff", saved(tmp_path, cell()), tmp_path / "nowhere")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"multifd: {tmp_path}/nowhere: there is no such file or directory; ")
