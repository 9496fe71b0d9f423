"""A finding as a report to those whose software it is in."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from multifd.result.known import ROOT, shipped
from multifd.result.record import Finding
from reports import filing
from tests.reports.builder import cell, finding, results

HOSTILE = "```\n# no\n<img src=x> [b](http://evil) www.evil.com \x1b[31m\u202e"


def filed(*cells: object, directory: Path = Path("/nowhere"), **changes: object) -> str:
    """The report of a finding that these cells show."""
    shown = cells or (cell(id="a", verdict="known", predicted="rejected", observed="hang", error="no message"),)
    found: Finding = finding(**{"cells": tuple(each.id for each in shown), **changes})  # type: ignore[attr-defined]
    return filing.render(results(*shown, findings=(found,)), found, directory)  # type: ignore[arg-type]


def section(text: str, title: str) -> str:
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_it_has_every_part_of_a_report() -> None:
    headings = re.findall(r"^## (.*)$", filed(), re.MULTILINE)

    assert headings == ["Steps to reproduce", "Expected", "Observed", "Environment", "Workaround"]


def test_the_title_says_where_and_what() -> None:
    assert filed(component="QEMU multifd.c", cause="It hides. And more.").startswith("# QEMU multifd.c: It hides\n")


def test_steps_are_the_reproducer_itself_and_the_command() -> None:
    issue = next(each for each in shipped() if each.reproducer)
    assert issue.reproducer is not None

    steps = section(filed(id=issue.id, reproducer=issue.reproducer, reproduce="python3 x"), "Steps to reproduce")

    assert (ROOT / issue.reproducer).read_text() in steps
    assert "```sh\npython3 x\n```" in steps


@pytest.mark.parametrize("path", ["/etc/passwd", "../../../etc/passwd", "multifd/no.py"])
def test_a_reproducer_is_a_file_of_this_project(path: str) -> None:
    assert "```python" not in filed(reproducer=path)


def test_expected_and_observed_stand_against_each_other() -> None:
    text = filed()

    assert "The destination refuses the migration with an error" in section(text, "Expected")
    assert "channels: a hang\n\n```\nno message\n```" in section(text, "Observed")


def test_of_a_cell_with_many_complaints_those_of_the_finding_are_shown() -> None:
    issue = next(each for each in shipped() if each.id == "qatzip-raw-exact")
    own = "compressing a page, destination exactly right: expected identical, observed refused: QZ_FAIL (raw)"
    many = cell(suite="vendor", complaints=("something else", own))

    assert issue.says(own)
    observed = section(filed(many, id=issue.id), "Observed")
    assert own in observed
    assert "something else" not in observed


SCRATCH = "/dev/shm/multifd-7njomhb9/gw1/cell-392"
LOADER = ("/root/ld.so", "--library-path", "/root/lib", "/root/bin/qemu-system-x86_64", "-L", "/root/share")
COMMAND = (
    *LOADER, "-nodefaults", "-qmp", f"unix:{SCRATCH}/source.qmp", "-machine", "pc-i440fx-7.2,accel=tcg",
    "-object", f"memory-backend-file,id=m,mem-path={SCRATCH}/source.ram,share=on", "-m", "4194304B",
    "-qtest", f"unix:{SCRATCH}/qtest", "-qtest-log", "none",
)  # fmt: skip


def words(directory: Path, name: str = "source", **said: Any) -> str:
    """A file of what a QEMU was told and said."""
    directory.mkdir(exist_ok=True)
    (directory / f"{name}.words.json").write_text(json.dumps({"qmp": [], "stderr": "", **said}))
    return f"{name}.words.json"


def told(directory: Path, **said: Any) -> str:
    """The steps of a report on a cell whose source was told and said this."""
    return section(filed(cell(artifacts=(words(directory, **said),)), directory=directory), "Steps to reproduce")


def test_what_qemu_was_told_and_said_is_there(tmp_path: Path) -> None:
    qmp = [{"execute": "query-migrate"}, {"execute": "migrate", "arguments": {"uri": "unix:x"}}, {"event": "STOP"}]

    steps = told(tmp_path, qmp=qmp, stderr="qemu: magic 11223345\n")

    assert 'over QMP\n\n```json\n{"execute": "migrate", "arguments": {"uri": "unix:x"}}\n```' in steps
    assert "standard error\n\n```\nqemu: magic 11223345\n```" in steps
    assert "query-migrate" not in steps


def test_words_outside_of_the_run_are_left_out(tmp_path: Path) -> None:
    words(tmp_path, "up", stderr="secret")
    directory = tmp_path / "run"
    directory.mkdir()

    assert "secret" not in filed(cell(artifacts=("../up.words.json",)), directory=directory)


def test_a_qemu_is_started_as_anybody_can_start_his(tmp_path: Path) -> None:
    steps = told(tmp_path, command=COMMAND)

    assert (
        "```sh\nqemu-system-x86_64 \\\n    -nodefaults \\\n    -machine pc-i440fx-7.2,accel=tcg \\\n"
        "    -object memory-backend-file,id=m,mem-path=DIR/source.ram,share=on \\\n    -m 4194304B \\\n"
        "    -qmp unix:DIR/source.qmp,server=on,wait=off\n```"
    ) in steps


def test_machine_type_and_memory_are_part_of_the_environment(tmp_path: Path) -> None:
    text = filed(cell(artifacts=(words(tmp_path, command=COMMAND),)), directory=tmp_path)

    environment = section(text, "Environment")
    assert "- machine type: `pc-i440fx-7.2`\n- memory (`-m`): `4194304B`\n" in environment


def test_no_path_of_the_runs_scratch_is_shown(tmp_path: Path) -> None:
    uri = {"uri": f"unix:{SCRATCH}/migration"}
    seen = cell(
        artifacts=(words(tmp_path, qmp=[{"execute": "migrate", "arguments": uri}], stderr=f"{SCRATCH}/x: no"),),
        error=f"cannot open {SCRATCH}/y",
    )

    text = filed(seen, directory=tmp_path)

    assert "unix:DIR/migration" in text
    assert "/dev/shm" not in text


@pytest.mark.parametrize("size", [1, 500, 4000, 5000, 1 << 20])
def test_every_command_is_whole_json_however_long_it_is(size: int, tmp_path: Path) -> None:
    long = {"execute": "migrate-set-parameters", "arguments": {"tls-creds": "x" * size}}

    lines = re.findall(r"^\{.*$", told(tmp_path, qmp=[long]), re.MULTILINE)

    assert [json.loads(line)["execute"] for line in lines] == ["migrate-set-parameters"]
    assert len(lines[0]) < 5000


def test_of_many_commands_it_is_said_how_many_are_left_out(tmp_path: Path) -> None:
    steps = told(tmp_path, qmp=[{"execute": "stop", "arguments": {"n": n}} for n in range(31)])

    assert "# and 1 more line\n" in steps


def test_qemus_of_this_host_are_those_of_the_reader() -> None:
    command = "python3 bootstrap.py conformance --cell a --qemu /usr/bin/qemu-system-x86_64 --qemu '/root/ld /root/q'"
    seen = cell(receiver="qemu-10.2", reproduce=command)

    steps = section(filed(seen, reproduce=command), "Steps to reproduce")

    assert "--cell a --qemu PATH-OF-QEMU-10.2\n" in steps
    assert "/root" not in steps


# Since when it is mended, and whether it comes always


@pytest.mark.parametrize(
    ("fixed_in", "says"),
    [
        (None, "not known to be fixed"),
        ("9.2", "9.2; QEMU 10.2.0 of this run has the fix"),
        ("10.2", "10.2; QEMU 10.2.0 of this run has the fix"),
        ("11.0", "11.0; QEMU 10.2.0 of this run lacks the fix"),
        ("11.0 as receiver", "11.0 as receiver; QEMU 10.2.0 of this run lacks the fix"),
        ("some day", "some day"),
    ],
)
def test_it_says_since_when_it_is_mended_and_whether_this_version_is(fixed_in: str | None, says: str) -> None:
    text = filed(cell(receiver="qemu-10.2"), versions="QEMU >=5.0 as receiver", fixed_in=fixed_in)

    assert f"| Fixed in | {says} |\n" in text
    assert "| Versions | QEMU \\>=5.0 as receiver; seen with QEMU 10.2.0 |\n" in text


CHANCE = next(
    each
    for each in shipped()
    if (each.always, each.suite, each.scenario, each.predicted) == (False, "qemu", ".*", ".*")
)


def test_what_comes_by_chance_says_how_often_it_came_and_how_often_to_try() -> None:
    command = "python3 bootstrap.py conformance --cell a --qemu found"
    missed = [cell(id=str(number), suite="qemu") for number in range(39)]
    seen = cell(id="a", suite="qemu", verdict="known", issues=(CHANCE.id,), reproduce=command)
    found = finding(id=CHANCE.id, cells=("a",), reproduce=command)

    text = filing.render(results(seen, *missed, findings=(found,)), found, Path("/nowhere"))

    assert "| How often | by chance: seen in 1 of 40 cells of this run in which the same was tried |" in text
    assert "```sh\nmultifd bisect-step a --times 119 --qemu found\n```" in text


def test_what_always_comes_says_nothing_of_chance() -> None:
    assert "bisect-step" not in filed()


def test_the_id_stands_alone() -> None:
    assert "| Finding | `qemu-mask` |\n" in filed(id="qemu-mask")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"qmp": 1, "stderr": 2}', "\x00"])
def test_words_that_cannot_be_read_are_left_out(text: str, tmp_path: Path) -> None:
    (tmp_path / "source.words.json").write_text(text)

    assert "over QMP" not in filed(cell(artifacts=("source.words.json",)), directory=tmp_path)


def test_the_environment_has_both_ends_and_versions() -> None:
    environment = section(filed(cell(receiver="qemu-10.2")), "Environment")

    assert "- `qemu-10.2 10.2.0, software`" in environment
    assert "`libqpl 1.9.0`" in environment
    assert "qatzip 1.3.1" not in environment


def test_upstream_is_a_link_where_it_is_known_how() -> None:
    url = "https://gitlab.com/qemu-project/qemu/-/commit/93c8a97f99"

    assert f"[QEMU commit 93c8a97f99]({url})" in filed(upstream="QEMU commit 93c8a97f99")
    assert "not known to be reported" in filed(upstream=None)


def test_nothing_that_others_say_becomes_markup_a_link_or_a_control_character() -> None:
    told = cell(id="h", sender=HOSTILE, error=HOSTILE, reproduce=HOSTILE)

    text = filed(told, component=HOSTILE, cause=HOSTILE, versions=HOSTILE, remedy=HOSTILE, reproduce=HOSTILE)

    prose = re.sub(r"^(`{3,})\w*\n.*?^\1$|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"(?<!\\)[<\[]|(?<!\\)://|(?<=www)\.", prose)
    assert "\n# no" not in prose
    assert {each for each in text if not each.isprintable()} == {"\n"}


def test_what_was_predicted_of_a_cell_stands_beside_what_was_seen() -> None:
    one = cell(id="red", verdict="fail", kind="crash", reason="it died", predicted_because="all that is sent is read")

    assert "; predicted identical: all that is sent is read\n" in section(filed(one), "Observed")


def test_a_library_that_breaks_its_word_is_not_told_as_one_that_does_well() -> None:
    one = cell(id="a", suite="vendor", verdict="known", kind="invariant", error="an exact one is refused",
               predicted_because="it does what it says")  # fmt: skip

    seen = section(filed(one), "Observed")

    assert ": every byte is right, and the interface does not do what it promises\n" in seen
    assert "predicted" not in seen
