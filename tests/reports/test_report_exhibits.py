"""Exhibits: what lies beside results and is good comes into the page, and nothing else does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from multifd.result.record import Cell
from reports.exhibits import LARGEST, Exhibits, read
from tests.reports.builder import cell

AT = "exhibits/one"


def left(directory: Path, **files: Any) -> Cell:
    """A hazard that left these files, by name without their ending."""
    (directory / AT).mkdir(parents=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (directory / AT / f"{name.replace('_', '.')}.json").write_text(text)
    return cell(verdict="hazard", artifacts=tuple(f"{AT}/{name.replace('_', '.')}.json" for name in files))


def test_a_map_of_wrong_pages_is_read(tmp_path: Path) -> None:
    stretch = {"block": "pc.ram", "first": 36, "count": 2, "holds": "older"}

    found = read([left(tmp_path, pages=[stretch])], tmp_path)

    assert [each.pages for each in found.values()] == [(("pc.ram", 36, 2, "older"),)]


@pytest.mark.parametrize(
    "stretch",
    [
        None,
        {"block": "m", "first": 1, "count": 1},
        {"block": "m", "first": "1", "count": 1, "holds": "older"},
        {"block": "m", "first": -1, "count": 1, "holds": "older"},
        {"block": "m", "first": 0, "count": 0, "holds": "older"},
        {"block": "m", "first": 0, "count": 1 << 60, "holds": "older"},
        {"block": "m", "first": 0, "count": 1, "holds": "<b>"},
    ],
)
def test_what_is_no_stretch_of_pages_is_left_out(stretch: object, tmp_path: Path) -> None:
    assert read([left(tmp_path, pages=[stretch])], tmp_path) == {}


def test_of_a_process_its_words_and_what_it_says_was_wrong_are_read(tmp_path: Path) -> None:
    talk = [
        {"execute": "query-migrate", "return": {"status": "active"}},
        {"execute": "migrate", "error": {"class": "GenericError", "desc": "no such method"}},
        {"execute": "query-migrate", "return": {"status": "failed", "error-desc": "broken pipe\x1b"}},
    ]
    words = {"name": "source", "exit_status": 1, "stderr": "x" * 5000 + "the cause", "qmp": talk}

    [found] = read([left(tmp_path, source_words=words)], tmp_path).values()

    [(name, status, stderr, said)] = found.words
    assert (name, status) == ("source", 1)
    assert stderr.endswith("xthe cause") and len(stderr) == 2000
    assert said == ("migrate: no such method", "query-migrate: failed: broken pipe\\u001b")


def test_packets_are_read_as_lines(tmp_path: Path) -> None:
    [found] = read([left(tmp_path, packets=["channel 0 packet 3", 7, "\x07"])], tmp_path).values()

    assert found == Exhibits(packets=("channel 0 packet 3", "\\u0007"))


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '"text"', "7", "null"])
def test_what_cannot_be_read_is_as_if_it_were_not_there(text: str, tmp_path: Path) -> None:
    assert read([left(tmp_path, pages=text, source_words=text, packets=text)], tmp_path) == {}


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    stretch = json.dumps([{"block": "m", "first": 1, "count": 1, "holds": "older"}])

    assert read([left(tmp_path, pages=stretch + " " * LARGEST)], tmp_path) == {}


def test_nothing_outside_the_directory_is_read(tmp_path: Path) -> None:
    inside = tmp_path / "results"
    inside.mkdir()
    left(tmp_path, pages=[{"block": "secret", "first": 1, "count": 1, "holds": "older"}])
    (inside / "link").symlink_to(tmp_path / AT)

    for path in (f"../{AT}/pages.json", str(tmp_path / AT / "pages.json"), "link/pages.json"):
        assert read([cell(artifacts=(path,))], inside) == {}


def test_without_a_directory_there_are_none() -> None:
    assert read([cell(artifacts=("exhibits/pages.json",))], None) == {}
