"""A finding as a report to those whose software it is in."""

from __future__ import annotations

import json
import re
from pathlib import Path

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


def test_what_qemu_was_told_and_said_is_there(tmp_path: Path) -> None:
    words = {
        "qmp": [
            {"execute": "query-migrate"},
            {"execute": "migrate", "arguments": {"uri": "unix:x"}},
            {"event": "STOP"},
        ],
        "stderr": "qemu: magic 11223345\n",
    }
    directory = tmp_path / "run"
    directory.mkdir()
    (directory / "source.words.json").write_text(json.dumps(words))
    (tmp_path / "up.words.json").write_text(json.dumps(words))
    told = cell(artifacts=("source.words.json", "../up.words.json", "pages.json"))

    steps = section(filed(told, directory=directory), "Steps to reproduce")

    assert "The source was told over QMP, and wrote:\n\n```\n" in steps
    assert '{"execute": "migrate", "arguments": {"uri": "unix:x"}}\nqemu: magic 11223345\n```' in steps
    assert "query-migrate" not in steps
    assert "The up was" not in steps


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"qmp": 1, "stderr": 2}', "\x00"])
def test_words_that_cannot_be_read_are_left_out(text: str, tmp_path: Path) -> None:
    (tmp_path / "source.words.json").write_text(text)

    assert "was told over QMP" not in filed(cell(artifacts=("source.words.json",)), directory=tmp_path)


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
