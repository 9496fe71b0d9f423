"""``multifd bundle``: a cell of any kind in one file, which replays elsewhere."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Answer, multifd
from tests.qemu.host import needs_qemu

PROFILE = "extends: software-only\ndescription: one codec\npeers: [{codec: zlib}]\n"
LIVE = "/zlib~zlib/qemu-10.0/live/"
REFUSED = "qemu/zlib~none/{0}~{0}/"


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: what it plans is kept."""
    path = tmp_path_factory.mktemp("bundle") / "one.yaml"
    path.write_text(PROFILE)
    return path


def a_cell(profile: Path, text: str, *options: str) -> str:
    """The first cell with this in its id."""
    shown = multifd("cells", text, "--hwprofile", profile, *options).out
    return shown.splitlines()[0].split()[1]


def bundle(tmp_path: Path, profile: Path, cell: str, *options: str | Path) -> Answer:
    return multifd("bundle", cell, "--hwprofile", profile, "--output", tmp_path / "b.tar.gz", *options)


def held(path: Path) -> dict[str, Any]:
    """The JSON files of a bundle."""
    with tarfile.open(path) as archive:
        files = {member.name: archive.extractfile(member) for member in archive if member.name.endswith(".json")}
        return {name: json.loads(file.read()) for name, file in files.items() if file is not None}


@pytest.mark.parametrize("text", ["wire/zlib/zlib~zlib/qemu-10.0/capture/", LIVE])
def test_a_cell_in_a_bundle_replays(text: str, tmp_path: Path, profile: Path) -> None:
    cell = a_cell(profile, text)

    made = bundle(tmp_path, profile, cell)

    assert (made.code, made.out) == (0, f"{tmp_path / 'b.tar.gz'}: pass, with what was sent\n")
    assert multifd("replay", tmp_path / "b.tar.gz").code == 0
    assert multifd("dissect", tmp_path / "b.tar.gz").out.startswith(f"{tmp_path / 'b.tar.gz'}: ")
    assert held(tmp_path / "b.tar.gz")["cell.json"]["id"] == cell


@needs_qemu
def test_a_refused_migration_of_a_real_qemu_has_both_ends_words(tmp_path: Path, profile: Path) -> None:
    options = ("--qemu", "qemu-system-x86_64")
    name = json.loads(multifd("cells", "probe/qemu", "--hwprofile", profile, *options, "--json").out)["id"][6:]
    cell = a_cell(profile, REFUSED.format(name), *options)

    made = bundle(tmp_path, profile, cell, *options)

    assert made.out.endswith((": refused, with what was sent\n", ": known, with what was sent\n"))
    source = held(tmp_path / "b.tar.gz")["exhibits/source.words.json"]
    statuses = [entry["data"]["status"] for entry in source["qmp"] if entry.get("event") == "MIGRATION"]
    assert statuses[0] == "setup"
    assert "failed" in statuses
    assert "exhibits/destination.words.json" in held(tmp_path / "b.tar.gz")


def test_a_cell_that_is_not_planned_is_refused_with_the_nearest(tmp_path: Path, profile: Path) -> None:
    made = bundle(tmp_path, profile, "wire/zlib/zlib~zlab")

    assert made.code == 2
    assert "no cell 'wire/zlib/zlib~zlab'; the nearest are " in made.err


def test_a_directory_without_results_is_told_of(tmp_path: Path, profile: Path) -> None:
    made = bundle(tmp_path, profile, "wire/zlib/zlib~zlib/qemu-10.0/capture/mixed/4k/2ch", "--results", tmp_path)

    assert (made.code, made.out) == (2, "")
