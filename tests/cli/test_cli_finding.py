"""``multifd finding``: what a run found in software that is not ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from multifd.result import store
from tests.cli.command import multifd
from tests.reports.builder import agreeing, cell, finding, results

MASK = finding(id="qemu-mask", cells=("a",), cause="It hides.", upstream="QEMU commit 93c8a97f99", instead={"x": "y"})
LEAK = finding(id="qatzip-leak", severity="leak", component="libqatzip", cells=("b",))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A run that shows two."""
    store.save(agreeing(results(cell(id="a"), cell(id="b"), findings=(LEAK, MASK))), tmp_path)
    return tmp_path


def test_without_an_id_all_are_listed_the_worst_first(directory: Path) -> None:
    answer = multifd("finding", "--results", directory)

    assert [line.split()[:2] for line in answer.out.splitlines()] == [
        ["corruption", "qemu-mask"],
        ["leak", "qatzip-leak"],
    ]


def test_one_is_shown_with_what_to_do(directory: Path) -> None:
    lines = multifd("finding", "mask", "--results", directory).out.splitlines()

    assert "finding     qemu-mask" in lines
    assert "set instead x=y" in lines
    assert "upstream    QEMU commit 93c8a97f99" in lines
    assert lines[-1] == "  a"


def test_json_is_as_results_have_it(directory: Path) -> None:
    lines = multifd("finding", "q*", "--results", directory, "--json").out.splitlines()

    assert [json.loads(line) for line in lines] == [each.model_dump(mode="json") for each in (LEAK, MASK)]


def test_markdown_is_of_one(directory: Path) -> None:
    one = multifd("finding", "qemu-mask", "--results", directory, "--markdown")
    both = multifd("finding", "q", "--results", directory, "--markdown")

    assert one.out.startswith("# QEMU: It hides\n")
    assert (both.code, both.err) == (
        2, "multifd: --markdown: 2 findings fit, expected one: qatzip-leak, qemu-mask\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("qemu-maks", "no finding 'qemu-maks'; the nearest are qemu-mask, qatzip-leak"),
        ("qemu-counts-uncompressed", "does not show 'qemu-counts-uncompressed', which is of QEMU >=5.0,<8.1 as sender"),
    ],
)
def test_what_the_run_does_not_show_is_refused(name: str, complaint: str, directory: Path) -> None:
    answer = multifd("finding", name, "--results", directory)

    assert (answer.code, answer.out) == (2, "")
    assert complaint in answer.err
